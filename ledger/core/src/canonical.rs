//! The one encoding of everything that is hashed or signed: postcard 1 (<https://postcard.jamesmunns.com/wire-format>).
//!
//! Decoding is strict: a size limit, no trailing bytes, and the value must encode to the very bytes it
//! came from, so that one value has one encoding and one hash.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// Why bytes were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than this kind of value may have.
    #[error("{actual} bytes are more than the {limit} allowed")]
    TooLong {
        /// Bytes given.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The bytes are no value of this kind.
    #[error("the bytes are not a value of the expected form")]
    Malformed,
    /// The bytes are a value of this kind, followed by others or written in a longer way than needed.
    #[error("the bytes are not the one canonical encoding of their value")]
    NotCanonical,
}

/// Encodes `value`.
///
/// Infallible for the types of this crate: none has a map with unknown length or an unsized sequence.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}

/// Encodes `value` into a buffer; none if it has no room.
pub fn encode_within<'a, T: Serialize>(value: &T, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    postcard::to_slice(value, buffer)
        .ok()
        .map(|written| &*written)
}

/// Appends the encoding of `value` to `out`; for callers that reuse a buffer.
pub fn encode_into<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    let taken = std::mem::take(out);
    *out = postcard::to_extend(value, taken).unwrap_or_default();
}

/// Decodes a value that must fill `bytes` exactly and canonically, and be at most `limit` bytes long.
///
/// # Errors
/// [`DecodeError`]; what is allocated is bounded by eight times `bytes.len()` and eight MiB, whatever
/// lengths the bytes claim (serde sets aside at most one MiB for a sequence before its elements come).
pub fn decode<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    limit: usize,
) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLong {
            actual: bytes.len(),
            limit,
        });
    }
    let (value, rest) =
        postcard::take_from_bytes::<T>(bytes).map_err(|_| DecodeError::Malformed)?;
    let is_same = || postcard::serialize_with_flavor(&value, Expected(bytes));
    if !rest.is_empty() || is_same() != Ok(true) {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}

/// Bytes that a value is expected to encode to; written to, it keeps nothing and stops at the first other one.
struct Expected<'a>(&'a [u8]);

impl postcard::ser_flavors::Flavor for Expected<'_> {
    /// Whether all of them were written.
    type Output = bool;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, written: &[u8]) -> postcard::Result<()> {
        let rest = self.0.strip_prefix(written);
        self.0 = rest.ok_or(postcard::Error::SerializeBufferFull)?;
        Ok(())
    }

    fn finalize(self) -> postcard::Result<bool> {
        Ok(self.0.is_empty())
    }
}

/// A sequence of at most `MAX` elements; for those whose elements are much larger in memory than encoded.
pub(crate) fn bounded<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct Bounded<T, const MAX: usize>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Bounded<T, MAX> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a sequence of at most {MAX} elements")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = seq.next_element()? {
                if elements.len() == MAX {
                    return Err(A::Error::invalid_length(MAX + 1, &self));
                }
                elements.push(element);
            }
            Ok(elements)
        }
    }

    deserializer.deserialize_seq(Bounded::<T, MAX>(PhantomData))
}

/// Byte strings, as serde's own sequences of bytes but copied whole: for `#[serde(with)]`.
pub mod byte_strings {
    use serde::{Deserializer, Serializer};
    use serde_bytes::{ByteBuf, Bytes};

    /// Writes them.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(strings: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(strings.iter().map(|bytes| Bytes::new(bytes)))
    }

    /// Reads at most as many as a block has transactions.
    ///
    /// # Errors
    /// The deserializer's, or there are more.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<u8>>, D::Error> {
        const MAX: usize = crate::block::MAX_BLOCK_TRANSACTIONS;
        let strings: Vec<ByteBuf> = super::bounded::<_, _, MAX>(deserializer)?;
        Ok(strings.into_iter().map(ByteBuf::into_vec).collect())
    }
}
