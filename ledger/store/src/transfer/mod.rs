//! Snapshots in files: a chain's headers and its state at one height, from which another node can go on
//! without the transactions before. What it then holds is a replica whose old blocks are pruned.
//!
//! ```text
//! genesis ──changes of validators──▶ certificate of block H ──▶ header H ──parent──▶ … ──▶ header 0
//!  (trusted)      (trust.bin)            (trust.bin)              │    (headers-…, from H down)
//!                                                                └─state_root──▶ entries (state-…)
//! ```
//!
//! Only the genesis is trusted. The manifest orders the chunks and names a wrong one; it proves nothing.
//! Header chunks are proven one by one, from the certified tip down; state chunks by the root, once the last
//! is there. `docs/snapshot-format.md` has it byte for byte, `docs/adr/` why it is so.

mod export;
mod headers;
mod import;
mod trust;

use std::path::{Path, PathBuf};

use ledger_core::block::Header;
use ledger_core::ids::Height;
use serde::{Deserialize, Serialize};

pub use import::{ImportProgress, SnapshotImport};

use crate::error::StoreError;

/// Name of a snapshot's manifest.
pub const SNAPSHOT_MANIFEST_FILE: &str = "manifest.json";
/// Name of the file that leads from the genesis to the certified header.
pub const TRUST_FILE: &str = "trust.bin";
const FORMAT: &str = "fogward-snapshot";
const VERSION: u32 = 1;
const TRUST_MAGIC: &[u8; 8] = b"FWTRUST1";
const HEADERS_MAGIC: &[u8; 8] = b"FWHEADS1";
const STATE_MAGIC: &[u8; 8] = b"FWSTATE1";
/// Longest manifest, in bytes.
const MAX_MANIFEST_BYTES: usize = 64 << 20;
/// Longest trust file, in bytes.
const MAX_TRUST_BYTES: usize = 64 << 20;
/// Longest chunk, in bytes: usual ones have one MiB, more only where a chain has a larger state than blocks.
const MAX_CHUNK_BYTES: usize = 64 << 20;

/// What a snapshot consists of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotManifest {
    /// `fogward-snapshot`.
    pub format: String,
    /// Version of the format, 1.
    pub version: u32,
    /// The chain's id in hex.
    pub chain_id: String,
    /// The height whose state it is.
    pub height: u64,
    /// Hash of the block of that height, in hex.
    pub block: String,
    /// Transactions of the chain up to it.
    pub transactions: u64,
    /// Readings anchored by them.
    pub readings: u64,
    /// The file that leads from the genesis to the certified header.
    pub trust: SnapshotChunk,
    /// Headers, from the newest chunk to that of block 0.
    pub headers: Vec<SnapshotChunk>,
    /// State entries, in the order of the hashes of their keys.
    pub state: Vec<SnapshotChunk>,
}

/// One file of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotChunk {
    /// Its name in the folder.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256 in hex.
    pub sha256: String,
}

/// A header and what it does not say.
#[derive(Serialize, Deserialize)]
struct HeaderEntry {
    header: Header,
    readings: u64,
}

/// A state entry.
#[derive(Serialize, Deserialize)]
struct StateEntry {
    key: Vec<u8>,
    value: Vec<u8>,
}

/// Why a snapshot was not made or not taken over.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
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
    #[error("{} is not empty; a snapshot needs a folder of its own", .0.display())]
    NotEmpty(PathBuf),
    /// There is nothing a certificate stands for yet.
    #[error("no block is certified yet")]
    NothingCertified,
    /// The manifest cannot be read as one.
    #[error("the manifest is not one of a snapshot: {0}")]
    Manifest(String),
    /// The snapshot is of another chain.
    #[error("the snapshot belongs to another chain than the genesis")]
    OtherChain,
    /// The way from the genesis to the certified header does not hold.
    #[error("trust.bin does not lead from the genesis to the block: {0}")]
    Trust(&'static str),
    /// A chunk is not what the manifest says.
    #[error("{name} is not the chunk the manifest names: {why}")]
    Altered {
        /// The chunk.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A chunk is as the manifest says, but proves false.
    #[error("{name} is false: {why}")]
    False {
        /// The chunk.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// All state chunks are there, and do not lead to the root.
    #[error("the state does not lead to the root that block {0} certifies")]
    StateRoot(Height),
    /// The counts of the manifest are not those of the chain.
    #[error("the manifest counts other transactions or readings than the chain")]
    Counts,
    /// Another import was begun in this file.
    #[error("another snapshot is half imported already")]
    OtherSnapshot,
    /// Not all chunks are there.
    #[error("the snapshot is not complete yet")]
    Incomplete,
    /// There is a replica already.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
}

fn file_error(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SnapshotError {
    move |source| SnapshotError::File {
        doing,
        path: path.to_owned(),
        source,
    }
}
