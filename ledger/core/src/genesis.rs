//! The document a chain starts from. Its digest is the chain's id.
//!
//! A genesis file is `"FWGENES1"` followed by the postcard bytes of [`Genesis`].

use serde::{Deserialize, Serialize};

use crate::canonical::{self, DecodeError};
use crate::digest::Digest;
use crate::ids::ChainId;
use crate::key::PublicKey;
use crate::validators::ValidatorSet;

/// First bytes of a genesis file.
pub const GENESIS_MAGIC: &[u8; 8] = b"FWGENES1";
/// Longest genesis file in bytes.
pub const MAX_GENESIS_BYTES: usize = 1 << 20;

/// A node that may send transactions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// The key it signs transactions with.
    pub key: PublicKey,
    /// Its name, for people.
    pub name: String,
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
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            max_block_bytes: 512 * 1024,
            finality_limit_millis: 500,
            heartbeat_seconds: 300,
        }
    }
}

/// What a chain starts from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Genesis {
    /// The consortium's name.
    pub name: String,
    /// When it was founded, in Unix milliseconds.
    pub time_millis: u64,
    /// The first validators.
    pub validators: ValidatorSet,
    /// The nodes that may send transactions.
    pub members: Vec<Member>,
    /// The rules.
    pub parameters: Parameters,
    /// Random bytes that keep two consortia of the same name and time apart.
    pub nonce: Digest,
}

impl Genesis {
    /// The chain this document starts.
    #[must_use]
    pub fn chain_id(&self) -> ChainId {
        ChainId(Digest::tagged(
            "fogward/genesis/1",
            &[&canonical::encode(self)],
        ))
    }

    /// The bytes of a genesis file.
    #[must_use]
    pub fn to_file(&self) -> Vec<u8> {
        let mut bytes = GENESIS_MAGIC.to_vec();
        canonical::encode_into(self, &mut bytes);
        bytes
    }

    /// Reads a genesis file.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are none.
    pub fn from_file(bytes: &[u8]) -> Result<Self, DecodeError> {
        let body = bytes
            .strip_prefix(GENESIS_MAGIC)
            .ok_or(DecodeError::Malformed)?;
        canonical::decode(body, MAX_GENESIS_BYTES)
    }
}
