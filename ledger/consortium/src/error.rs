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
    /// The list of peers cannot be used.
    #[error(transparent)]
    Peers(#[from] PeersError),
    /// The consensus engine did not start.
    #[error("the consensus engine did not start: {0}")]
    Engine(String),
}

/// Why the list of peers was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeersError {
    /// The node was started without an address to listen at, so it has no network.
    #[error("this node listens nowhere; give it an address to listen at before it gets peers")]
    NoNetwork,
    /// More than a node can have.
    #[error("{0} peers are too many; a node can have up to 128")]
    TooMany(usize),
    /// Not a usable key or address.
    #[error("the peer {0} has an unusable key or address")]
    Unusable(PublicKey),
    /// Consensus has stopped.
    #[error("consensus has stopped")]
    Stopped,
}
