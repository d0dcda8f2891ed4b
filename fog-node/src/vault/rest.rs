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

#[cfg(test)]
mod tests {
    //! Goal: what is left is read as it was written, its bytes are fixed, and nothing else is read. Method: golden
    //! bytes; bytes of no meaning; counts that do not fit.

    use ledger_core::{Decimal, Origin, Quality, Value};
    use proptest::prelude::*;

    use super::*;

    fn record() -> Record {
        Record {
            host_time_millis: 1_000,
            device_time_millis: None,
            value: Value::Quantity(Decimal::whole(97)),
            quality: Quality::Good,
            origin: Origin::Sensor,
        }
    }

    #[test]
    fn its_bytes_are_fixed() {
        let entry = Rest::Entry {
            salt: Salt([1; 16]),
            root: Digest([2; 32]),
        };
        let places = Rest::Places {
            salt: Salt([1; 16]),
            places: vec![
                Place::Erased(Digest([3; 32])),
                Place::Kept(record(), Salt([4; 16])),
            ],
        };
        let repeated = |byte: &str, times| byte.repeat(times);
        let of_entry = ["0200", &repeated("01", 16), &repeated("02", 32)].concat();
        let of_places = [
            "0201",
            &repeated("01", 16),
            "02",
            &["01", &repeated("03", 32)].concat(),
            &["00", "d00f 00 00 c201 00 00 00", &repeated("04", 16)].concat(),
        ];
        let of_places = of_places.concat().replace(' ', "");
        for (rest, bytes, erased) in [(entry, of_entry, 2), (places, of_places, 1)] {
            assert_eq!(hex::encode(&*rest.encode()), bytes);
            assert_eq!(rest.erased(2), erased);
            let body = hex::decode(&bytes).unwrap();
            assert_eq!(Rest::decode(&body[1..], 2).unwrap(), rest);
            let is_entry = matches!(rest, Rest::Entry { .. });
            assert_eq!(Rest::decode(&body[1..], 3).is_ok(), is_entry);
        }
    }

    proptest! {
        #[test]
        fn foreign_content_is_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), count: u32) {
            if let Ok(rest) = Rest::decode(&bytes, count) {
                prop_assert_eq!(&rest.encode()[1..], &bytes[..]);
                prop_assert!(rest.erased(count) <= u64::from(count));
            }
        }
    }
}
