//! Disclosing what was granted: it is cut out of the record, and told of by a commitment in the receipt. What goes to
//! another node stays sealed as it is, and the keys of its segments are wrapped for one person. Who may read what, the
//! receipt, and the way to the other node are `crate::requests`'.

pub(crate) mod content;
pub(crate) mod cut;
mod outgoing;
pub(crate) mod package;
mod wrapped;

use std::ops::Range;

use ledger_core::Digest;
use rusqlite::Connection;

use crate::vault::open_stream::OpenStream;
use crate::vault::{VaultError, payloads};

pub use wrapped::{MAX_WRAPPED, NotWrapped, WrappedKeys};

/// Why nothing can be disclosed.
#[derive(Debug, thiserror::Error)]
pub enum DisclosureError {
    /// The vault cannot be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The keys cannot be wrapped.
    #[error(transparent)]
    Wrap(#[from] NotWrapped),
}

/// Wraps the keys of the segments that lie whole within these sequences of these streams, for the holder of the
/// X25519 key `person`, under the request `access`.
///
/// # Errors
/// [`DisclosureError`].
pub fn wrap(
    vault: &Connection,
    streams: &[(OpenStream, Range<u64>)],
    person: &[u8; 32],
    access: &Digest,
) -> Result<WrappedKeys, DisclosureError> {
    let mut keyed = Vec::new();
    for (stream, sequences) in streams {
        let segments = payloads::within(vault, stream.number, sequences)?.into_iter();
        keyed.extend(segments.map(|(first, count)| stream.segment_key(first, count)));
    }
    Ok(WrappedKeys::wrap(person, access, keyed)?)
}
