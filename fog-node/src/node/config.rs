//! What a node is started with.

use std::net::SocketAddr;
use std::path::PathBuf;

use device_drivers::profile::Profile;

use crate::consortium::Announce;
use crate::ingest::BatchPolicy;
use crate::people::sessions::SessionRules;

/// What a node is started with.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Folder that holds everything the node keeps; created if missing.
    pub data_dir: PathBuf,
    /// The node's name, for people; made of its key if absent.
    pub name: Option<String>,
    /// Serial devices to pair unless they are paired already.
    pub serial: Vec<SerialDevice>,
    /// Simulated devices to add unless there are any.
    pub demo: Option<u16>,
    /// Whether they are of all profiles in turn.
    pub demo_every_profile: bool,
    /// When batches are closed.
    pub batch: BatchPolicy,
    /// Where the node listens for its peers; as at its last start if absent.
    pub listen: Option<SocketAddr>,
    /// Where others reach it, `host:port`, if that is another address; as at its last start if absent.
    pub address: Option<String>,
    /// Blocks behind its peers at which the node takes over a snapshot from them instead of every block;
    /// never if absent: an archive node.
    pub snapshot_behind: Option<u64>,
    /// Whether the node announces itself on its network.
    pub announce: Announce,
    /// The Bluetooth adapter to use, by name or address; the first that is on if absent.
    pub bluetooth: Option<String>,
    /// For how many wireless devices the node has places, if the nodes of its organisation choose among
    /// themselves which of them serves each.
    pub roam: Option<u16>,
    /// How long sessions of people last, and when they lock.
    pub sessions: SessionRules,
}

/// Blocks behind at which a node takes over a snapshot unless said otherwise.
pub const SNAPSHOT_BEHIND: u64 = 2_000;

/// A serial device named on the command line.
#[derive(Clone)]
pub struct SerialDevice {
    /// Path of its port.
    pub path: PathBuf,
    /// What it speaks.
    pub profile: Profile,
    /// Its pairing key as 64 hex digits, for profiles that authenticate.
    pub key: Option<String>,
}

impl std::fmt::Debug for SerialDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.path.display(), self.profile)
    }
}

impl NodeConfig {
    /// A node in `data_dir` with all else as usual.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            name: None,
            serial: Vec::new(),
            demo: None,
            demo_every_profile: false,
            batch: BatchPolicy::default(),
            listen: None,
            address: None,
            snapshot_behind: Some(SNAPSHOT_BEHIND),
            announce: Announce::default(),
            bluetooth: None,
            roam: None,
            sessions: SessionRules::default(),
        }
    }
}
