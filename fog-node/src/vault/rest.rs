//! What an erasure leaves of a segment: the readings that stay, each with its salt, and of those that go what the
//! proofs of the others need.
//!
//! ```text
//! content = 0x02 ‖ postcard(Rest)                    sealed as any other, under the epoch's new keys
//! ```
//!
//! A leaf is a salted commitment's hash; its salt followed from a key that is destroyed, so that it tells nothing.
//! Left out: which readings go (`crate::erasure`).

use ledger_core::{Digest, Salt, canonical};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::seal::{Record, SealError};

/// Stands before a rest; records begin with another form.
pub(super) const FORM: u8 = 2;
/// Longest rest of one segment in bytes.
const MAX_BYTES: usize = 64 << 20;

/// What a segment holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// All its readings; their salts follow from their epoch's key.
    Whole(Vec<Record>),
    /// What an erasure has left of it.
    Rest(Rest),
}

/// What an erasure leaves of a segment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Rest {
    /// No reading: what is needed of the stream's entry in its batch.
    Entry {
        /// Its salt.
        salt: Salt,
        /// Root over the commitments.
        root: Digest,
    },
    /// Some readings, all places in order.
    Places {
        /// Salt of the stream's entry in its batch.
        salt: Salt,
        /// As many as the segment had readings.
        places: Vec<Place>,
    },
}

/// A reading's place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Place {
    /// It stays, with its salt.
    Kept(Record, Salt),
    /// Its leaf hash; nothing else of it is left.
    Erased(Digest),
}

impl Rest {
    /// How many of the segment's `count` readings were erased.
    #[must_use]
    pub fn erased(&self, count: u32) -> u64 {
        let is_erased = |place: &&Place| matches!(place, Place::Erased(_));
        match self {
            Self::Entry { .. } => u64::from(count),
            Self::Places { places, .. } => places.iter().filter(is_erased).count() as u64,
        }
    }

    /// Its bytes inside a seal.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut content = Zeroizing::new(vec![FORM]);
        canonical::encode_into(self, &mut content);
        content
    }

    /// Reads what follows [`FORM`], of a segment of `count` readings.
    pub(super) fn decode(body: &[u8], count: u32) -> Result<Self, SealError> {
        let rest = canonical::decode(body, MAX_BYTES).map_err(|_| SealError::Malformed)?;
        match &rest {
            Self::Places { places, .. } if places.len() != count as usize => {
                Err(SealError::Malformed)
            }
            _ => Ok(rest),
        }
    }
}
