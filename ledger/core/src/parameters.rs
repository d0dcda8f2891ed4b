//! The rules all nodes agree on. Those of the start are in the genesis; those in force are in the state,
//! under [`crate::state::StateKey::parameters`], and a vote may change them.

use serde::{Deserialize, Serialize};

use crate::block::MAX_BLOCK_BYTES;
use crate::transaction::MAX_TRANSACTION_BYTES;

/// Blocks that a vote asks for hold at least this many bytes: room for the largest transaction, so that
/// no vote can make the next vote impossible.
pub const MIN_VOTED_BLOCK_BYTES: u32 = MAX_TRANSACTION_BYTES as u32 + 1024;
/// Largest `max_block_bytes`: half of what a block may have on the wire.
pub const MAX_PARAMETER_BLOCK_BYTES: u32 = MAX_BLOCK_BYTES as u32 / 2;
/// Longest `finality_limit_millis`.
pub const MAX_FINALITY_LIMIT_MILLIS: u32 = 60_000;
/// Longest `heartbeat_seconds`: a day.
pub const MAX_HEARTBEAT_SECONDS: u32 = 86_400;
/// Longest `retention.days`: a hundred years.
pub const MAX_RETENTION_DAYS: u32 = 36_525;
/// Least `retention.bytes`, save 0.
pub const MIN_RETENTION_BYTES: u64 = 64 << 20;

/// How long the bodies of transactions are kept. Headers, certificates and state are kept for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Retention {
    /// Bodies older than this many days may be deleted; 0 keeps all.
    pub days: u32,
    /// The oldest bodies beyond this many bytes may be deleted; 0 keeps all.
    pub bytes: u64,
}

/// The rules all nodes agree on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Parameters {
    /// Most bytes of transactions in one block.
    pub max_block_bytes: u32,
    /// Agreed bound on the time from submission to finality, in milliseconds; an alarm beyond it.
    pub finality_limit_millis: u32,
    /// Longest time without a block, in seconds; then an empty one shows that the chain lives.
    pub heartbeat_seconds: u32,
    /// How long bodies of transactions are kept.
    pub retention: Retention,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            max_block_bytes: 512 * 1024,
            finality_limit_millis: 500,
            heartbeat_seconds: 300,
            retention: Retention::default(),
        }
    }
}

impl Parameters {
    /// Whether a chain may start with these rules.
    #[must_use]
    pub const fn are_valid(&self) -> bool {
        let Retention { days, bytes } = self.retention;
        1 <= self.max_block_bytes
            && self.max_block_bytes <= MAX_PARAMETER_BLOCK_BYTES
            && 1 <= self.finality_limit_millis
            && self.finality_limit_millis <= MAX_FINALITY_LIMIT_MILLIS
            && 1 <= self.heartbeat_seconds
            && self.heartbeat_seconds <= MAX_HEARTBEAT_SECONDS
            && days <= MAX_RETENTION_DAYS
            && (bytes == 0 || bytes >= MIN_RETENTION_BYTES)
    }

    /// Whether a vote may ask for these rules: valid, and blocks large enough for every transaction.
    #[must_use]
    pub const fn may_be_voted(&self) -> bool {
        self.are_valid() && self.max_block_bytes >= MIN_VOTED_BLOCK_BYTES
    }
}
