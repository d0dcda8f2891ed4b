//! Why consensus cannot start.

use std::net::SocketAddr;
use std::path::PathBuf;

use ledger_core::PublicKey;
use ledger_store::StoreError;

/// Why consensus cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The replica cannot be read, or holds no chain yet.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of the write-ahead log cannot be used.
    #[error("the folder {path} cannot be used: {source}")]
    Home {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process runs on the same write-ahead log.
    #[error("{0} is in use: another node runs on the same data")]
    InUse(PathBuf),
    /// The write-ahead log is damaged; starting could mean voting twice.
    #[error("the write-ahead log {0} is damaged; remove this validator or restore the log")]
    Log(PathBuf),
    /// A consortium of several needs an address to listen at.
    #[error(
        "the consortium has {0} validators: a node needs an address to listen at and its peers"
    )]
    ListenMissing(usize),
    /// Not a usable address.
    #[error("{0} cannot be used as an address")]
    Address(SocketAddr),
    /// Not a usable key.
    #[error("{0} cannot be used as a peer's key")]
    PeerKey(PublicKey),
    /// The consensus engine did not start.
    #[error("the consensus engine did not start: {0}")]
    Engine(String),
}
