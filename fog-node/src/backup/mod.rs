//! Backup and restore of a whole node: its keys, consensus' log, the replica and the vault, as one file
//! sealed under a passphrase.
//!
//! ```text
//! backup  = sealed( zstd( about ‖ file … ‖ end ) )          sealed.rs; docs/backup-format.md
//! about   = u32 length ‖ JSON of About
//! file    = u16 length of name ‖ name ‖ u64 length ‖ bytes  names relative, parted by "/"
//! end     = u16 0                                           (integers little endian)
//! ```
//!
//! A running node is backed up at one moment: the databases are copied as one view each, and the two views
//! fit together. A restored node carries a mark ([`ledger_store::RestoredMark`]), since the original may be
//! alive. Left out: what binds the node to the machine (its lock, the token of its API) and half imported
//! snapshots.

mod noted;
mod read;
mod sealed;
mod served;
mod write;

use serde::{Deserialize, Serialize};

pub(crate) use noted::noted;
pub use read::restore;
pub use sealed::{BACKUP_MAGIC, SealedError};
pub(crate) use served::Turn;
pub use write::backup;

/// Shortest passphrase, in characters.
pub const MIN_PASSPHRASE: usize = 12;
const VERSION: u32 = 1;
/// Longest name of a file in a backup, in bytes.
const MAX_NAME_BYTES: usize = 255;
/// Most folders in a name.
const MAX_DEPTH: usize = 4;
/// Most files in a backup.
const MAX_FILES: usize = 10_000;
/// Longest description of a backup, in bytes.
const MAX_ABOUT_BYTES: usize = 4096;

/// What a backup says of itself, once it is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Version of the content, 1.
    pub version: u32,
    /// When it was made, in Unix milliseconds.
    pub made_at: i64,
    /// The chain's id in hex.
    pub chain_id: String,
    /// The node's public key in hex.
    pub node_id: String,
    /// The public key it votes with, in hex.
    pub validator_key: String,
    /// Height of its replica.
    pub height: u64,
}

/// Whether a file's name may be in a backup: relative, plain, not too deep.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain);
    name.len() <= MAX_NAME_BYTES
        && name.split('/').count() <= MAX_DEPTH
        && name.split('/').all(part)
}
