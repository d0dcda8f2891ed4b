//! What is asked and answered about snapshots, devices that were handed over, and what was granted. Pure; decoders are
//! total.
//!
//! ```text
//! request  0x01 ‖ height u64                      a snapshot, if one of that height can be had
//!          0x02 ‖ SHA-256 (32)                    the chunk with this hash
//!          0x03 ‖ handle (32)                     the pairing of a device that was handed to the asker
//!          0x04 ‖ handle (32)                     the asker has it on disk
//!          0x05 ‖ bytes                           what the asker hears, for the nodes of its organisation
//!          0x06 ‖ handle (32)                     what a device of the asker may hear of the devices here
//!          0x07 ‖ bytes                           what a person, who signed it, was granted
//!          0x08 ‖ SHA-256 (32)                    a chunk of that
//!          0x09 ‖ bytes                           what a person, who signed it, is to a subject
//! answer   0x10                                   it is being made; ask again
//!          0x11 ‖ length u32 ‖ manifest ‖ trust   it is here
//!          0x12 ‖ bytes                           the chunk
//!          0x13                                   there is none
//!          0x14 ‖ bytes                           the pairing
//!          0x15                                   it is forgotten here
//!          0x16                                   it is noted
//!          0x17                                   it follows, a message each until the channel is closed: a relayed
//!                                                 reading, or nothing, to show that the node is there
//!          0x18 ‖ n × SHA-256 (32)                it is packed in these chunks
//!          0x19 ‖ JSON                            why it is not given
//!          0x1a ‖ bytes                           it is attested
//! ```

use ledger_core::Digest;
use zeroize::Zeroizing;

use crate::roaming::MAX_HEARING_BYTES;

/// Longest request in bytes.
pub(super) const MAX_REQUEST_BYTES: usize = 1 + MAX_HEARING_BYTES;
/// Longest offer in bytes: a manifest has about 130 bytes for each MiB, a certified change about 400.
pub(super) const MAX_OFFER_BYTES: usize = 32 << 20;

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Request {
    /// A snapshot, at this height if that can be had.
    Offer { at: u64 },
    /// The chunk with this hash.
    Chunk(Digest),
    /// The pairing of the device with this handle, which was handed to the asker.
    Pairing(Digest),
    /// The asker has that pairing on disk.
    Taken(Digest),
    /// What the asker hears, as `crate::roaming` writes it.
    Hears(Vec<u8>),
    /// What the device with this handle, which the asker serves, may hear.
    Relay(Digest),
    /// What a person was granted, as `crate::requests` writes it.
    Order(Vec<u8>),
    /// The chunk with this hash of what she was granted.
    Part(Digest),
    /// What a person claims to be to a subject, as `crate::requests` writes it.
    Attest(Vec<u8>),
}

/// What is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::consortium) enum Answer {
    /// A snapshot is being made.
    Preparing,
    /// The manifest and the trust file of a snapshot.
    Offer { manifest: Vec<u8>, trust: Vec<u8> },
    /// A chunk.
    Chunk(Vec<u8>),
    /// There is none.
    Unknown,
    /// The pairing of a device.
    Pairing(Zeroizing<Vec<u8>>),
    /// It is forgotten here.
    Forgotten,
    /// It is noted.
    Noted,
    /// What may be heard follows.
    Relaying,
    /// What was granted is packed in the chunks with these hashes.
    Packed(Vec<Digest>),
    /// Why it is not given: an `ApiError`.
    Refused(Vec<u8>),
    /// The attestation, as `crate::requests` writes it.
    Attested(Vec<u8>),
}

impl Request {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Offer { at } => [&[1][..], &at.to_be_bytes()].concat(),
            Self::Chunk(hash) => [&[2][..], &hash.0].concat(),
            Self::Pairing(handle) => [&[3][..], &handle.0].concat(),
            Self::Taken(handle) => [&[4][..], &handle.0].concat(),
            Self::Hears(hearing) => [&[5][..], hearing].concat(),
            Self::Relay(handle) => [&[6][..], &handle.0].concat(),
            Self::Order(order) => [&[7][..], order].concat(),
            Self::Part(hash) => [&[8][..], &hash.0].concat(),
            Self::Attest(claim) => [&[9][..], claim].concat(),
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (1, rest) => Some(Self::Offer {
                at: u64::from_be_bytes(rest.try_into().ok()?),
            }),
            (2, rest) => Some(Self::Chunk(Digest(rest.try_into().ok()?))),
            (3, rest) => Some(Self::Pairing(Digest(rest.try_into().ok()?))),
            (4, rest) => Some(Self::Taken(Digest(rest.try_into().ok()?))),
            (5, rest) => Some(Self::Hears(rest.to_vec())),
            (6, rest) => Some(Self::Relay(Digest(rest.try_into().ok()?))),
            (7, rest) => Some(Self::Order(rest.to_vec())),
            (8, rest) => Some(Self::Part(Digest(rest.try_into().ok()?))),
            (9, rest) => Some(Self::Attest(rest.to_vec())),
            _ => None,
        }
    }
}

impl Answer {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Preparing => vec![0x10],
            Self::Offer { manifest, trust } => {
                let length = u32::try_from(manifest.len()).unwrap_or(u32::MAX);
                [&[0x11], &length.to_be_bytes()[..], manifest, trust].concat()
            }
            Self::Chunk(bytes) => [&[0x12], &bytes[..]].concat(),
            Self::Unknown => vec![0x13],
            Self::Pairing(bytes) => [&[0x14], &bytes[..]].concat(),
            Self::Forgotten => vec![0x15],
            Self::Noted => vec![0x16],
            Self::Relaying => vec![0x17],
            Self::Packed(hashes) => {
                let hashes: Vec<_> = hashes.iter().flat_map(|hash| hash.0).collect();
                [&[0x18], &hashes[..]].concat()
            }
            Self::Refused(why) => [&[0x19], &why[..]].concat(),
            Self::Attested(bytes) => [&[0x1a], &bytes[..]].concat(),
        }
    }

    pub(super) fn decode(mut bytes: Vec<u8>) -> Option<Self> {
        match (*bytes.first()?, bytes.len()) {
            (0x10, 1) => Some(Self::Preparing),
            (0x11, _) => {
                let (length, rest) = bytes[1..].split_first_chunk()?;
                let length = u32::from_be_bytes(*length) as usize;
                let (manifest, trust) = rest.split_at_checked(length)?;
                Some(Self::Offer {
                    manifest: manifest.to_vec(),
                    trust: trust.to_vec(),
                })
            }
            (0x12, _) => {
                bytes.remove(0);
                Some(Self::Chunk(bytes))
            }
            (0x13, 1) => Some(Self::Unknown),
            (0x14, _) => Some(Self::Pairing(Zeroizing::new(bytes.split_off(1)))),
            (0x15, 1) => Some(Self::Forgotten),
            (0x16, 1) => Some(Self::Noted),
            (0x17, 1) => Some(Self::Relaying),
            (0x18, _) => {
                let (hashes, rest) = bytes[1..].as_chunks();
                let hashes = hashes.iter().copied().map(Digest).collect();
                rest.is_empty().then_some(Self::Packed(hashes))
            }
            (0x19, _) => Some(Self::Refused(bytes.split_off(1))),
            (0x1a, _) => Some(Self::Attested(bytes.split_off(1))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    //! Goal: what is encoded is decoded, in these bytes, and no bytes do harm. Method: examples, arbitrary
    //! bytes.
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bytes_are_as_documented() {
        for (request, hex) in [
            (Request::Offer { at: 258 }, "010000000000000102".to_owned()),
            (
                Request::Chunk(Digest([0xab; 32])),
                format!("02{}", "ab".repeat(32)),
            ),
            (
                Request::Pairing(Digest([0xab; 32])),
                format!("03{}", "ab".repeat(32)),
            ),
            (
                Request::Taken(Digest([0xab; 32])),
                format!("04{}", "ab".repeat(32)),
            ),
            (Request::Hears(vec![7, 8]), "050708".to_owned()),
            (
                Request::Relay(Digest([0xab; 32])),
                format!("06{}", "ab".repeat(32)),
            ),
            (Request::Order(vec![7, 8]), "070708".to_owned()),
            (
                Request::Part(Digest([0xab; 32])),
                format!("08{}", "ab".repeat(32)),
            ),
            (Request::Attest(vec![7, 8]), "090708".to_owned()),
        ] {
            assert_eq!(hex::encode(request.encode()), hex);
            assert_eq!(Request::decode(&request.encode()), Some(request));
        }
        let offer = Answer::Offer {
            manifest: vec![1, 2],
            trust: vec![3],
        };
        for (answer, hex) in [
            (Answer::Preparing, "10"),
            (offer, "1100000002010203"),
            (Answer::Chunk(vec![5, 6]), "120506"),
            (Answer::Unknown, "13"),
            (Answer::Pairing(Zeroizing::new(vec![7])), "1407"),
            (Answer::Forgotten, "15"),
            (Answer::Noted, "16"),
            (Answer::Relaying, "17"),
            (Answer::Packed(Vec::new()), "18"),
            (Answer::Refused(vec![7]), "1907"),
            (Answer::Attested(vec![7]), "1a07"),
        ] {
            assert_eq!(hex::encode(answer.encode()), hex);
            assert_eq!(Answer::decode(answer.encode()), Some(answer));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(request) = Request::decode(&bytes) {
                prop_assert_eq!(request.encode(), bytes.clone());
            }
            if let Some(answer) = Answer::decode(bytes.clone()) {
                prop_assert_eq!(answer.encode(), bytes);
            }
        }
    }
}
