//! The chain as this node's replica holds it.

use serde::{Deserialize, Serialize};

/// Which blocks: those at `from` and below, newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct BlocksQuery {
    /// Highest height; the tip without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// How many at most, 1 to 1,000; 50 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A block in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockRow {
    /// Its height.
    pub height: u64,
    /// Its hash.
    pub hash: String,
    /// Its time.
    pub time: u64,
    /// Name of its proposer.
    pub proposer: String,
    /// How many transactions.
    pub transactions: u32,
    /// How many readings they anchor.
    pub readings: u64,
    /// Validators that signed.
    pub signed: u32,
    /// Validators there were.
    pub validators: u32,
    /// Longest time from submission here to finality among its transactions, in milliseconds; `None`
    /// if none was submitted here since the node started.
    pub finality_ms: Option<f64>,
}

/// A block's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockDetail {
    /// What a list says of it.
    pub row: BlockRow,
    /// Hash of the block before.
    pub parent: String,
    /// Root over its transactions.
    pub tx_root: String,
    /// Root of the state after it.
    pub state_root: String,
    /// Hash of its validators.
    pub validators_hash: String,
    /// Key of its proposer.
    pub proposer_key: String,
    /// Round in which it was decided; `None` for block 0.
    pub round: Option<u32>,
    /// Names of those who signed.
    pub signers: Vec<String>,
    /// Names of those who did not.
    pub absent: Vec<String>,
    /// Its transactions' size in bytes, as far as they are here.
    pub bytes: u64,
    /// Its transactions, in order; of a pruned block, those that were kept.
    pub transactions: Vec<TransactionRow>,
    /// What became of its other transactions; `None` if all are here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruned: Option<PrunedBlock>,
}

/// A block whose transactions are not all here any more, or never were. Header and certificate are, and
/// proofs that were made before still verify.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrunedBlock {
    /// Transactions that are not here.
    pub missing: u32,
    /// Their ids, in order; empty if they were never here: the node started from a snapshot.
    pub ids: Vec<String>,
    /// The run of pruning that let them go, if it is on record here.
    pub run: Option<PruningRun>,
}

/// One run of pruning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PruningRun {
    /// When it was.
    pub time: u64,
    /// The newest block then.
    pub height: u64,
    /// Bytes it gave back to the disk, of all blocks it let go together.
    pub bytes_freed: u64,
}

/// A transaction in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransactionRow {
    /// Its id.
    pub id: String,
    /// `genesis`, `register_device` or `anchor_batch`.
    pub kind: String,
    /// What it does, in words.
    pub summary: String,
    /// Name of its sender.
    pub sender: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many readings it anchors.
    pub readings: u64,
}

/// A transaction's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransactionDetail {
    /// What a list says of it.
    pub row: TransactionRow,
    /// Height of its block.
    pub height: u64,
    /// Its place in the block.
    pub index: u32,
    /// Time of its block.
    pub time: u64,
    /// Key of its sender.
    pub sender_key: String,
    /// Its nonce.
    pub nonce: u64,
    /// Its signature.
    pub signature: String,
    /// What it holds, name and value, in order.
    pub fields: Vec<(String, String)>,
}

/// Time to finality and load, in equal buckets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FinalitySeries {
    /// Length of a bucket in milliseconds.
    pub bucket_ms: u32,
    /// Agreed limit in milliseconds.
    pub limit_ms: u32,
    /// The buckets that hold anything, oldest first.
    pub points: Vec<FinalityPoint>,
}

/// One bucket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FinalityPoint {
    /// Start of the bucket.
    pub time: i64,
    /// Median time to finality in milliseconds, if a transaction was submitted here.
    pub p50_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// Mean time between blocks in milliseconds.
    pub interval_ms: Option<f64>,
    /// Blocks in the bucket.
    pub blocks: u32,
    /// Transactions in them.
    pub transactions: u32,
    /// Readings in them.
    pub readings: u64,
}
