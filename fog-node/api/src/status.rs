//! The node as a whole.

use serde::{Deserialize, Serialize};

/// The node's state at a glance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// Version of the node's program.
    pub version: String,
    /// The node's name, for people.
    pub node_name: String,
    /// The node's public key.
    pub node_id: String,
    /// The chain's id: digest of its genesis.
    pub chain_id: String,
    /// The consortium's name.
    pub consortium: String,
    /// Newest final height.
    pub height: u64,
    /// Hash of the newest final block.
    pub tip_hash: String,
    /// Time of the newest final block.
    pub tip_time: u64,
    /// Validators of the next height.
    pub validators: u32,
    /// Validators whose signatures made the newest block final; it does not wait for the others.
    pub signed: u32,
    /// Validators that are heard now, this node included.
    pub present: u32,
    /// Validators needed for a block.
    pub quorum: u32,
    /// Why the node does not seal or anchor now; `None` when all is well.
    pub trouble: Option<crate::ApiError>,
    /// Nodes that gave readings to this node's people, promised to tell the ledger, and did not: by name, each once.
    #[serde(default)]
    pub untold: Vec<String>,
    /// Time from submission to finality.
    pub finality: Finality,
    /// Number of devices.
    pub devices: u32,
    /// How many of them are simulated.
    pub simulated: u32,
    /// Sum of the devices' gap ledgers.
    pub gap: crate::Gap,
    /// Durable readings that are not final yet, those of removed devices included.
    pub backlog: u64,
    /// Readings made durable in the last second.
    pub readings_per_second: f64,
    /// Space on disk.
    pub disk: Storage,
    /// When the node was started.
    pub started: u64,
    /// The node's clock now.
    pub now: u64,
}

/// Time from submission of an anchor to its finality, over the last 1,000 anchors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finality {
    /// Half took at most this many milliseconds; `None` before the first.
    pub p50_ms: Option<f64>,
    /// 99 of 100 took at most this many milliseconds.
    pub p99_ms: Option<f64>,
    /// The limit the consortium agreed on, in milliseconds.
    pub limit_ms: u32,
}

/// Space on disk in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Storage {
    /// The vault: sealed readings.
    pub vault_bytes: u64,
    /// The replica: blocks and state.
    pub replica_bytes: u64,
    /// Free on the file system that holds both.
    pub free_bytes: u64,
}
