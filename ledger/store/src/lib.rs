//! The ledger replica: every block, certificate and state entry of one chain in one SQLite file.
//!
//! ```text
//! transactions ─prepare─▶ ┐
//!                         ├─▶ CheckedBlock ─append (+ certificate)─▶ one SQLite transaction
//! a peer's block ─check─▶ ┘        (one fsync: block, certificate, state, validators, tree)
//! ```
//!
//! - What is not a valid next block never becomes a [`CheckedBlock`], and only such blocks are appended.
//! - One writer ([`Replica`]), any number of readers ([`Snapshot`]): readers see one height as a whole
//!   and never wait for the writer (WAL).
//! - A failed write is fatal: the replica refuses to write until it is opened again.
//! - Old transactions can be deleted ([`Replica::prune`]); headers, certificates and the state stay.
//! - What is deleted can be archived before, and put back ([`Replica::restore_archive`]).
//! - A node can join from a snapshot, trusting the genesis only ([`SnapshotImport`]).
//! - [`fsck`](fsck()) recomputes everything from the genesis on, without trusting a single row.
//!
//! Left out on purpose: consensus and peers (`ledger-consortium`), clocks, sealed payloads.

mod access_log;
mod anchored;
mod apply;
mod archive;
mod connection;
mod error;
mod files;
mod fsck;
mod in_memory;
mod light;
mod memory;
mod replica;
mod requests;
mod restored;
mod retention;
mod snapshot;
mod table;
mod transfer;

pub use access_log::LogLookup;
pub use apply::{CheckedBlock, Prepared, Refused};
pub use archive::{
    ArchiveError, ArchiveFile, ArchiveManifest, MANIFEST_FILE, Restored as RestoredArchive,
};
pub use error::{Refusal, StoreError};
pub use fsck::{FsckReport, MAX_PROBLEMS, Problem, fsck, fsck_each};
pub use in_memory::{MemoryBlock, MemoryReplica};
pub use replica::{Replica, VerifiedCertificate};
pub use restored::{RESTORED_FILE, RestoredMark, WATCH_HEIGHTS};
pub use retention::{KEPT_BLOCKS, Policy, Pruned, Slice};
pub use snapshot::{BlockSummary, Counts, Inclusion, MAX_ROWS, Snapshot, StoredTransaction, Tip};
pub use table::undecided::Undecided;
pub use transfer::{
    ImportProgress, SNAPSHOT_MANIFEST_FILE, SnapshotChunk, SnapshotError, SnapshotImport,
    SnapshotManifest, TRUST_FILE,
};
