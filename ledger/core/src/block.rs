//! Blocks and their headers.
//!
//! ```text
//! block hash = tagged("fogward/header/1", postcard(Header))
//! tx_root    = RFC 6962 over the ids of the transactions
//! ```

use serde::{Deserialize, Serialize};

use crate::canonical::{self, DecodeError};
use crate::digest::Digest;
use crate::ids::{ChainId, Height};
use crate::key::PublicKey;
use crate::merkle;

/// Version of the block format this crate writes and reads.
pub const BLOCK_VERSION: u16 = 1;
/// Longest block in bytes.
pub const MAX_BLOCK_BYTES: usize = 16 << 20;
/// Most transactions in one block.
pub const MAX_BLOCK_TRANSACTIONS: usize = 1 << 17;
/// Longest header in bytes.
pub const MAX_HEADER_BYTES: usize = 512;

/// What a certificate is given for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// Version of the block format.
    pub version: u16,
    /// The chain.
    pub chain: ChainId,
    /// Height of the block.
    pub height: Height,
    /// The proposer's clock in Unix milliseconds, always later than the parent's.
    pub time_millis: u64,
    /// Who proposed it.
    pub proposer: PublicKey,
    /// Hash of the block before; zero for height 0.
    pub parent: Digest,
    /// How many transactions `tx_root` stands for.
    pub tx_count: u32,
    /// Root over the transactions' ids.
    pub tx_root: Digest,
    /// Root of the state after this block.
    pub state_root: Digest,
    /// Hash of the validators that certify this block.
    pub validators_hash: Digest,
    /// Hash of the validators that certify the next block.
    pub next_validators_hash: Digest,
}

impl Header {
    /// The block's hash.
    #[must_use]
    pub fn hash(&self) -> Digest {
        Self::hash_bytes(&self.encode())
    }

    /// The block's hash, from the header's encoding.
    #[must_use]
    pub fn hash_bytes(header: &[u8]) -> Digest {
        Digest::tagged("fogward/header/1", &[header])
    }

    /// The header's canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::encode(self)
    }

    /// Reads a header's canonical bytes.
    ///
    /// # Errors
    /// [`DecodeError`] if they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        canonical::decode(bytes, MAX_HEADER_BYTES)
    }
}

/// A header and the encoded transactions it stands for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// Encoded [`crate::SignedTransaction`]s, in the order they are executed.
    #[serde(with = "canonical::byte_strings")]
    pub transactions: Vec<Vec<u8>>,
}

impl Block {
    /// The block's canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::encode(self)
    }

    /// Reads a block's canonical bytes; the transactions are not checked.
    ///
    /// # Errors
    /// [`DecodeError`] if they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        canonical::decode(bytes, MAX_BLOCK_BYTES)
    }
}

/// The root over transaction ids that a header carries.
#[must_use]
pub fn tx_root(ids: &[Digest]) -> Digest {
    merkle::root(&tx_leaves(ids))
}

/// The leaf hashes of the transaction tree.
#[must_use]
pub fn tx_leaves(ids: &[Digest]) -> Vec<Digest> {
    ids.iter().map(|id| merkle::leaf_hash(&id.0)).collect()
}
