//! What a node needs to take part in consensus.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ledger_core::{PublicKey, SecretKey};
use ledger_store::Replica;

/// Another node of the consortium.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// The key it votes with; connections are accepted and opened under this key only.
    pub key: PublicKey,
    /// Where it listens.
    pub address: SocketAddr,
}

/// What a node needs to take part in consensus.
#[derive(Clone)]
pub struct ConsortiumConfig {
    /// Folder for the engine's write-ahead log; created if missing.
    pub home: PathBuf,
    /// The replica, opened and holding at least the genesis block.
    pub replica: Arc<Replica>,
    /// The key this node votes with and is known to its peers by.
    pub validator_key: SecretKey,
    /// Where peers reach this node. With `None` no port is opened and no connection made; that is
    /// enough for a consortium of one, which then stays one until it is started with an address.
    pub listen: Option<SocketAddr>,
    /// The other nodes; [`crate::Consortium::set_peers`] changes them later.
    pub peers: Vec<Peer>,
}
