//! What is disclosed to somebody at another node, sealed for her: segments as the vault has them, their keys wrapped
//! for her alone, and in each what leads from its readings to a batch that is anchored on the ledger.
//!
//! ```text
//! package = postcard { read, receipt, keys, head, segments }
//! receipt = its transaction, signed by the node that gives
//! keys    = of the head, then of each segment, wrapped (super::wrapped)
//! head    = sealed under its key: salt, period, streams, aggregates
//! segment = the vault's ciphertext ‖ sealed under the same key: salts and path of its readings
//! ```
//!
//! A segment of which a part is disclosed is sealed anew as that part, under a key of its own. Between nodes a package
//! travels in chunks that are named by their hashes (`crate::consortium`).

use ledger_core::{BatchRange, Digest, Salt, StreamId, canonical};
use serde::{Deserialize, Serialize};

use super::content::Span;
use super::wrapped::{NotWrapped, WrappedKeys};
use crate::keystore::random;
use crate::vault::seal::{Record, SealError, Segment, SegmentKey};

/// Longest package in bytes: 100,000 readings with a batch each have about 40 MB.
pub(crate) const MAX_PACKAGE_BYTES: usize = 64 << 20;
/// Longest content that is sealed beside a segment, in bytes.
const MAX_BESIDE_BYTES: usize = 16 << 20;
/// What stands for the head among the segments: it holds no reading.
const HEAD: Segment = Segment {
    stream: StreamId([0; 16]),
    first_sequence: 0,
    count: 0,
};

/// Why a package cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackageError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] NotWrapped),
    /// A segment.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The form.
    #[error("what was sent is not of the expected form")]
    Malformed,
}

/// What is said of all that is disclosed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    /// Random bytes of the commitment in the receipt.
    pub(crate) salt: [u8; 32],
    /// When it was read, in Unix milliseconds.
    pub(crate) at_millis: u64,
    /// The period's begin in Unix milliseconds.
    pub(crate) from: i64,
    /// Its end, itself not in it.
    pub(crate) until: i64,
    /// How many readings the content is made of.
    pub(crate) readings: u64,
    /// What the segments are of, in the order of the content's.
    pub(crate) streams: Vec<StreamHead>,
    /// Aggregates, where no readings are disclosed.
    pub(crate) spans: Vec<Span>,
}

/// A stream of which readings are disclosed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct StreamHead {
    /// The stream.
    pub(crate) stream: StreamId,
    /// LOINC code.
    pub(crate) code: String,
    /// UCUM unit.
    pub(crate) unit: String,
    /// How long before it was received each reading was taken, in milliseconds; nothing if no time passed.
    pub(crate) before: Vec<i64>,
}

/// How the readings of a segment are anchored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Anchoring {
    /// The transaction that anchors their batch.
    pub(crate) transaction: Digest,
    /// Of each reading's commitment.
    pub(crate) salts: Vec<Salt>,
    /// From these to the batch.
    pub(crate) range: BatchRange,
}

/// A segment to be disclosed.
pub(crate) struct Outgoing {
    /// Which readings.
    pub(crate) segment: Segment,
    /// Its key.
    pub(crate) key: SegmentKey,
    /// Them, sealed under it.
    pub(crate) sealed: Vec<u8>,
    /// How they are anchored.
    pub(crate) anchoring: Anchoring,
}

/// A segment that was opened.
pub(crate) struct Incoming {
    /// Which readings.
    pub(crate) segment: Segment,
    /// Them.
    pub(crate) records: Vec<Record>,
    /// How they are anchored, as the sender says.
    pub(crate) anchoring: Anchoring,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct SealedSegment {
    #[serde(with = "serde_bytes")]
    records: Vec<u8>,
    #[serde(with = "serde_bytes")]
    anchoring: Vec<u8>,
}

/// What travels.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Package {
    /// The read's name.
    pub(crate) read: Digest,
    /// Its receipt's transaction, signed.
    #[serde(with = "serde_bytes")]
    pub(crate) receipt: Vec<u8>,
    keys: WrappedKeys,
    #[serde(with = "serde_bytes")]
    head: Vec<u8>,
    segments: Vec<SealedSegment>,
}

impl Package {
    /// Seals what is disclosed under a request for the holder of the X25519 key `person`.
    ///
    /// # Errors
    /// [`PackageError`] if the key cannot be used, or the system has no randomness.
    pub(crate) fn seal(
        person: &[u8; 32],
        access: &Digest,
        (read, receipt): (Digest, Vec<u8>),
        head: &Head,
        segments: Vec<Outgoing>,
    ) -> Result<Self, PackageError> {
        let key = SegmentKey::new(random().map_err(|_| SealError::Randomness)?);
        let head = key.seal_beside(&HEAD, &canonical::encode(head))?;
        let mut keyed = vec![(HEAD, key)];
        let mut sealed = Vec::with_capacity(segments.len());
        for out in segments {
            let anchoring = canonical::encode(&out.anchoring);
            sealed.push(SealedSegment {
                records: out.sealed,
                anchoring: out.key.seal_beside(&out.segment, &anchoring)?,
            });
            keyed.push((out.segment, out.key));
        }
        Ok(Self {
            read,
            receipt,
            keys: WrappedKeys::wrap(person, access, keyed)?,
            head,
            segments: sealed,
        })
    }

    /// Opens it with the person's X25519 secret.
    ///
    /// # Errors
    /// [`PackageError`].
    pub(crate) fn open(
        &self,
        secret: &[u8; 32],
        access: &Digest,
    ) -> Result<(Head, Vec<Incoming>), PackageError> {
        let mut keys = self.keys.unwrap(secret, access)?.into_iter();
        let (segment, key) = keys.next().ok_or(PackageError::Malformed)?;
        if segment != HEAD || keys.len() != self.segments.len() {
            return Err(PackageError::Malformed);
        }
        let head: Head = decode(&key.open_beside(&HEAD, &self.head)?)?;
        let open = |((segment, key), sealed): ((Segment, SegmentKey), &SealedSegment)| {
            let anchoring: Anchoring = decode(&key.open_beside(&segment, &sealed.anchoring)?)?;
            let records = key.open(&segment, &sealed.records)?;
            match anchoring.salts.len() == records.len() {
                true => Ok(Incoming {
                    segment,
                    records,
                    anchoring,
                }),
                false => Err(PackageError::Malformed),
            }
        };
        let segments = keys.zip(&self.segments).map(open);
        Ok((head, segments.collect::<Result<_, PackageError>>()?))
    }
}

fn decode<T: serde::de::DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, PackageError> {
    canonical::decode(bytes, MAX_BESIDE_BYTES).map_err(|_| PackageError::Malformed)
}

#[cfg(test)]
mod tests {
    //! Goal: a package opens for the person and the request it was sealed for, and nothing in it can be changed. Method:
    //! two segments, one of them a part; every byte changed, segments swapped and left out.

    use curve25519_dalek::MontgomeryPoint;
    use ledger_core::{BatchTree, Decimal, Origin, Quality, StreamLeaves, Value};

    use super::*;
    use crate::vault::seal::StreamKeys;

    const SECRET: [u8; 32] = [9; 32];
    const ACCESS: Digest = Digest([7; 32]);

    fn record(value: i64) -> Record {
        Record {
            host_time_millis: value,
            device_time_millis: None,
            value: Value::Quantity(Decimal {
                mantissa: value,
                exponent: 0,
            }),
            quality: Quality::Good,
            origin: Origin::Simulated,
        }
    }

    fn head() -> Head {
        Head {
            salt: [3; 32],
            at_millis: 4,
            from: 1,
            until: 9,
            readings: 3,
            streams: vec![StreamHead {
                stream: StreamId([1; 16]),
                code: "8867-4".into(),
                unit: "/min".into(),
                before: Vec::new(),
            }],
            spans: Vec::new(),
        }
    }

    fn outgoing(first_sequence: u64, values: &[i64]) -> Outgoing {
        let keys = StreamKeys::generate().unwrap();
        let stream = StreamId([1; 16]);
        let count = values.len() as u32;
        let segment = Segment {
            stream,
            first_sequence,
            count,
        };
        let records: Vec<_> = values.iter().copied().map(record).collect();
        let leaves = StreamLeaves {
            stream,
            salt: Salt([5; 16]),
            first_sequence: first_sequence - 1,
            leaves: (0..5).map(|leaf| Digest([leaf; 32])).collect(),
        };
        let tree = BatchTree::build(vec![leaves]).unwrap();
        Outgoing {
            key: keys.cipher().key_of(&segment),
            sealed: keys.cipher().seal(&segment, &records).unwrap(),
            anchoring: Anchoring {
                transaction: Digest([6; 32]),
                salts: vec![Salt([8; 16]); values.len()],
                range: tree.range(stream, first_sequence, count).unwrap(),
            },
            segment,
        }
    }

    fn package() -> Package {
        let person = MontgomeryPoint::mul_base_clamped(SECRET).to_bytes();
        let names = (Digest([1; 32]), vec![2; 200]);
        let segments = vec![outgoing(10, &[60, 61]), outgoing(20, &[62])];
        Package::seal(&person, &ACCESS, names, &head(), segments).unwrap()
    }

    /// What opens, if anything: the head, and the values.
    fn opened(
        package: &Package,
        secret: &[u8; 32],
        access: &Digest,
    ) -> Option<(Head, Vec<Record>)> {
        let (head, segments) = package.open(secret, access).ok()?;
        let records = segments.into_iter().flat_map(|segment| segment.records);
        Some((head, records.collect()))
    }

    #[test]
    fn a_package_opens_as_it_was_sealed_or_not_at_all() {
        let package = package();
        let whole = Some((head(), [60, 61, 62].map(record).to_vec()));
        assert_eq!(opened(&package, &SECRET, &ACCESS), whole);
        assert_eq!(opened(&package, &[8; 32], &ACCESS), None);
        assert_eq!(opened(&package, &SECRET, &Digest([6; 32])), None);
        let bytes = canonical::encode(&package);
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 0x10;
            let Ok(changed) = canonical::decode::<Package>(&changed, MAX_PACKAGE_BYTES) else {
                continue;
            };
            // Neither is a secret: the reader knows the one, and the other is signed.
            let is_name = changed.read != package.read || changed.receipt != package.receipt;
            let expected = is_name.then(|| whole.clone()).flatten();
            assert_eq!(opened(&changed, &SECRET, &ACCESS), expected, "byte {place}");
        }
        let mut swapped = package.clone();
        swapped.segments.swap(0, 1);
        assert_eq!(opened(&swapped, &SECRET, &ACCESS), None);
        let mut shorter = package;
        shorter.segments.pop();
        assert_eq!(opened(&shorter, &SECRET, &ACCESS), None);
    }
}
