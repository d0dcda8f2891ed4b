//! Mending the engine's write-ahead log after a crash, before the engine reads it.
//!
//! The engine syncs the log before any vote leaves it, so whatever was still unsynced when the power
//! went was never acted upon. Upon start:
//!
//! - **A file shorter than its header** was never written to: it is removed.
//! - **Entries of an earlier height than the header's**: the engine began the next height, wrote the
//!   header and ended before it cut the entries of the height before, which is decided. All go.
//! - **An empty entry** is how some file systems bring an unsynced tail back, as zeros; the engine
//!   would refuse it for ever. It and all after it go.
//! - **Anything else that cannot be read** may be a vote that others have seen. A validator alone has
//!   no others, and its proposals are kept in the replica: the log is cut there. Any other validator
//!   does not start, for it might vote twice.

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use arc_malachitebft_app_channel::app::consensus::Input;
use arc_malachitebft_app_channel::app::engine::wal::decode_entry;
use arc_malachitebft_app_channel::app::types::core::{Proposal as _, Vote as _};
use arc_malachitebft_app_channel::app::wal::Log;

use crate::adapter::{Chain, PostcardCodec};
use crate::error::StartError;

/// Bytes of the log's header: format and height.
const HEADER_BYTES: u64 = 4 + 8;

/// Brings the log into a shape the engine reads.
///
/// # Errors
/// [`StartError::Log`] if it holds something unreadable that others may know of.
pub(crate) fn mend(path: &Path, alone: bool) -> Result<(), StartError> {
    let failed = |source| StartError::Home {
        path: path.to_owned(),
        source,
    };
    let length = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if length < HEADER_BYTES {
        return std::fs::remove_file(path).map_err(failed);
    }
    let mut log = match Log::open(path) {
        Ok(log) => log,
        Err(error) if error.kind() == io::ErrorKind::InvalidData && alone => {
            tracing::warn!("the write-ahead log is started anew: it cannot be read");
            return std::fs::remove_file(path).map_err(failed);
        }
        Err(error) => return Err(failed(error)),
    };
    let Some(cut) = where_to_cut(&mut log).map_err(failed)? else {
        return Ok(());
    };
    if !cut.harmless && !alone {
        return Err(StartError::Log(path.to_owned()));
    }
    tracing::warn!(
        entry = cut.entry,
        "the write-ahead log is cut after a crash"
    );
    log.truncate(cut.entry).map_err(failed)
}

/// Where a log is to be cut, and whether what goes can be missed by nobody.
struct Cut {
    entry: u64,
    harmless: bool,
}

fn where_to_cut(log: &mut Log) -> io::Result<Option<Cut>> {
    let height = log.sequence();
    for (entry, bytes) in (0..).zip(log.iter()?) {
        let unreadable = |harmless| Ok(Some(Cut { entry, harmless }));
        let Ok(bytes) = bytes else {
            return unreadable(false);
        };
        let Ok(input) = decode_entry(&PostcardCodec, io::Cursor::new(&bytes)) else {
            return unreadable(bytes.is_empty());
        };
        if height_of(&input).is_some_and(|of| of < height) {
            let (entry, harmless) = (0, true);
            return Ok(Some(Cut { entry, harmless }));
        }
    }
    Ok(None)
}

/// The height an entry belongs to; a timeout does not say.
fn height_of(input: &Input<Chain>) -> Option<u64> {
    let height = match input {
        Input::Vote(vote) => vote.height(),
        Input::Proposal(proposal) => proposal.height(),
        Input::ProposedValue(value, _) => value.height,
        Input::PolkaCertificate(polka) => polka.height,
        _ => return None,
    };
    Some(height.0.0)
}
