//! SHA-256 digests with domain separation (FIPS 180-4).
//!
//! Every hash outside the RFC 6962 trees starts with the length of a tag, then the tag, so that bytes
//! of one kind can never be passed off as another kind:
//!
//! ```text
//! tagged(tag, parts…) = SHA-256( u8(len(tag)) ‖ tag ‖ parts… )
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Length of a digest in bytes.
pub const DIGEST_BYTES: usize = 32;

/// A SHA-256 digest. Serialises as 64 hex digits in text formats and as 32 raw bytes in binary ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; DIGEST_BYTES]);

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits")]
pub struct DigestParseError;

impl Digest {
    /// Thirty-two zero bytes: the parent of the first block.
    pub const ZERO: Self = Self([0; DIGEST_BYTES]);

    /// The plain SHA-256 of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The SHA-256 of the tag's length, the tag and the parts, one after the other.
    ///
    /// Callers keep `parts` unambiguous: all but the last are of fixed length.
    #[must_use]
    pub fn tagged(tag: &'static str, parts: &[&[u8]]) -> Self {
        debug_assert!(tag.len() < 256);
        let mut hasher = Sha256::new();
        hasher.update([tag.len() as u8]);
        hasher.update(tag.as_bytes());
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The digest's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; DIGEST_BYTES] {
        &self.0
    }

    /// The first eight hex digits, for people and logs.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(&self.0[..4])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl FromStr for Digest {
    type Err = DigestParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; DIGEST_BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| DigestParseError)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fixed_bytes::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fixed_bytes::deserialize(deserializer).map(Self)
    }
}

/// Serde for fixed byte arrays of up to 64 bytes: hex digits in text formats, raw bytes without a
/// length in binary ones.
pub(crate) mod fixed_bytes {
    use super::*;
    use serde::de::{Error, SeqAccess, Visitor};
    use serde::ser::SerializeTuple;

    pub(crate) fn serialize<const N: usize, S: Serializer>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(&hex::encode(bytes));
        }
        let mut tuple = serializer.serialize_tuple(N)?;
        for byte in bytes {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }

    struct Fixed<const N: usize>;

    impl<'de, const N: usize> Visitor<'de> for Fixed<N> {
        type Value = [u8; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{} hexadecimal digits", N * 2)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<[u8; N], E> {
            let mut bytes = [0; N];
            hex::decode_to_slice(text, &mut bytes)
                .map_err(|_| E::invalid_value(serde::de::Unexpected::Str("text"), &self))?;
            Ok(bytes)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<[u8; N], A::Error> {
            let mut bytes = [0; N];
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = seq
                    .next_element()?
                    .ok_or_else(|| A::Error::invalid_length(index, &self))?;
            }
            Ok(bytes)
        }
    }

    pub(crate) fn deserialize<'de, const N: usize, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Fixed::<N>)
        } else {
            deserializer.deserialize_tuple(N, Fixed::<N>)
        }
    }
}
