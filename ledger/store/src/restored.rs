//! The mark a restored node carries: it may be running elsewhere under the same key.
//!
//! A node that was restored from a backup must not sign before it has seen that nobody else does: its log of
//! votes is as old as the backup, so it could sign a second, different vote for a height it has voted on
//! since. Whoever starts consensus reads this mark, lets the node follow without signing, and clears the
//! mark once [`RestoredMark::watch_heights`] blocks were decided without a signature of its key. A vote or
//! proposal of its key seen meanwhile means that the original is alive: the mark then stays.
//!
//! A validator without which there is no quorum would wait for ever: nothing is decided while it watches. Whoever
//! restores it says then that the original is gone, and no heights are asked for.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files::{sync_folder, write_synced};

/// Name of the mark in the node's data folder.
pub const RESTORED_FILE: &str = "restored.json";
/// Blocks to watch unless told otherwise.
pub const WATCH_HEIGHTS: u64 = 20;
const VERSION: u32 = 1;
const MAX_BYTES: u64 = 4096;

/// What the mark says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestoredMark {
    /// Version of this mark, 1.
    pub version: u32,
    /// When the backup was made, in Unix milliseconds.
    pub made_at_millis: i64,
    /// When it was restored, in Unix milliseconds.
    pub restored_at_millis: i64,
    /// The key that must not sign yet, in hex.
    pub validator_key: String,
    /// Height of the replica in the backup.
    pub height: u64,
    /// How many blocks must be decided without a signature of this key before it may sign; 0 if whoever restored it
    /// knows that the original is gone.
    pub watch_heights: u64,
}

impl RestoredMark {
    /// A mark of this version.
    #[must_use]
    pub const fn new(
        (made_at_millis, restored_at_millis): (i64, i64),
        validator_key: String,
        height: u64,
    ) -> Self {
        Self {
            version: VERSION,
            made_at_millis,
            restored_at_millis,
            validator_key,
            height,
            watch_heights: WATCH_HEIGHTS,
        }
    }

    /// The mark in a data folder, if there is one.
    ///
    /// # Errors
    /// If it cannot be read. A node must not sign then.
    pub fn read(data: &Path) -> std::io::Result<Option<Self>> {
        let path = data.join(RESTORED_FILE);
        let invalid = |why: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
        match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
            Ok(found) if found.len() > MAX_BYTES => return Err(invalid("the mark is too long")),
            Ok(_) => {}
        }
        let mark: Self = serde_json::from_slice(&fs::read(&path)?)
            .map_err(|_| invalid("the mark of a restored node cannot be read"))?;
        match mark.version {
            VERSION => Ok(Some(mark)),
            _ => Err(invalid("the mark of a restored node is of another version")),
        }
    }

    /// Writes the mark: all of it or nothing, synced.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, data: &Path) -> std::io::Result<()> {
        write_synced(data, RESTORED_FILE, &serde_json::to_vec_pretty(self)?)
    }

    /// Removes the mark: the node may sign from now on.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn clear(data: &Path) -> std::io::Result<()> {
        match fs::remove_file(data.join(RESTORED_FILE)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => sync_folder(data),
        }
    }
}
