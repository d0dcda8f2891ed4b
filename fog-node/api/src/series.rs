//! What the plots of the consortium show, beside the time to finality.

use serde::{Deserialize, Serialize};

/// The consortium lately, in equal stretches of time. All lists of values have the same length: the first
/// value is of the stretch that begins at `start`, the last one of the stretch that runs now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsortiumSeries {
    /// When the first stretch begins.
    pub start: u64,
    /// Length of a stretch in milliseconds.
    pub bucket_ms: u32,
    /// Most transactions that waited for a block, of one look a second; `None` where nobody looked.
    pub waiting_transactions: Vec<Option<u64>>,
    /// Most bytes of them.
    pub waiting_bytes: Vec<Option<u64>>,
    /// Of each validator, the share of the blocks that it signed, 0 to 1; `None` where there was no block,
    /// or it was no validator.
    pub votes: Vec<NodeSeries>,
    /// Of each peer, the way to it, one direction, in milliseconds; `None` while it was not connected.
    pub delays: Vec<NodeSeries>,
}

/// The values of one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeSeries {
    /// Its name; its key's first digits if it is no node any more.
    pub name: String,
    /// The key it votes with.
    pub vote_key: String,
    /// The values.
    pub values: Vec<Option<f64>>,
}
