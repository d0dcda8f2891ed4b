//! Archives: transactions in files, so that they can be pruned here and put back later.
//!
//! ```text
//! FOLDER/manifest.json                     which files, their hashes, which chain and heights
//! FOLDER/blocks-000000000001.zst …         zstd( "FWARCH01" ‖ postcard([ArchivedBlock]) )
//! ```
//!
//! An archive is not trusted: upon restoring, every file must hash to what the manifest says, every header
//! must be the one this replica holds at that height, and the transactions must lead to its `tx_root`. All
//! of that is checked before anything is written. `docs/archive-format.md` has it byte for byte.

mod export;
mod restore;

use std::path::{Path, PathBuf};

use ledger_core::block::Block;
use ledger_core::certificate::Certificate;
use ledger_core::digest::Digest;
use ledger_core::ids::Height;
use serde::{Deserialize, Serialize};

pub use restore::Restored;

use crate::error::StoreError;

/// Name of the file that lists the others.
pub const MANIFEST_FILE: &str = "manifest.json";
const FORMAT: &str = "fogward-archive";
const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"FWARCH01";
/// Longest file once decompressed, in bytes: one block of the largest size and then some.
const MAX_CONTENT_BYTES: usize = 64 << 20;
/// Longest manifest, in bytes.
const MAX_MANIFEST_BYTES: u64 = 64 << 20;
/// Most blocks of one file.
const MAX_FILE_BLOCKS: usize = 4096;

/// What an archive holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchiveManifest {
    /// `fogward-archive`.
    pub format: String,
    /// Version of the format, 1.
    pub version: u32,
    /// The chain's id in hex.
    pub chain_id: String,
    /// Its first block.
    pub from: u64,
    /// Its last block.
    pub to: u64,
    /// Transactions in all files.
    pub transactions: u64,
    /// The files, in the order of their heights.
    pub files: Vec<ArchiveFile>,
}

/// One file of an archive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchiveFile {
    /// Its name in the folder.
    pub name: String,
    /// Its first block.
    pub from: u64,
    /// Its last block.
    pub to: u64,
    /// Transactions in it.
    pub transactions: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256 in hex.
    pub sha256: String,
}

/// A whole block as archived.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct ArchivedBlock {
    block: Block,
    certificate: Certificate,
}

/// Why an archive was not made or not restored.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The replica.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or the folder.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The folder holds something already.
    #[error("{} is not empty; an archive needs a folder of its own", .0.display())]
    NotEmpty(PathBuf),
    /// The range is empty, or above the tip.
    #[error("there are no whole blocks from {from} to {to}")]
    NoBlocks {
        /// The first asked for.
        from: Height,
        /// The last asked for.
        to: Height,
    },
    /// A block is not whole.
    #[error("the transactions of block {0} were pruned and cannot be archived")]
    Pruned(Height),
    /// The manifest cannot be read as one.
    #[error("the manifest is not one of an archive: {0}")]
    Manifest(String),
    /// The archive is of another chain.
    #[error("the archive belongs to another chain")]
    OtherChain,
    /// A file is not what the manifest says.
    #[error("{name} is not the file the manifest names: {why}")]
    Altered {
        /// The file.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A block is not that of this replica.
    #[error("{name}: block {height} {why}")]
    Block {
        /// The file.
        name: String,
        /// The block.
        height: Height,
        /// What is wrong with it.
        why: String,
    },
}

fn file_error(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ArchiveError {
    move |source| ArchiveError::File {
        doing,
        path: path.to_owned(),
        source,
    }
}

fn sha256(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}
