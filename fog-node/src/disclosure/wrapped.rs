//! The keys of segments, wrapped for the one person who was granted them (HPKE, RFC 9180).
//!
//! ```text
//! context = SetupBaseS(the person's X25519 key, "fogward/disclosure/1" ‖ the request's handle)
//! key n   = context.Seal(aad = postcard(segment n), segment key n)       n is the context's sequence number
//! ```
//!
//! The suite is DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. One encapsulation serves all keys of a
//! disclosure, so ten thousand cost as many short seals and one exchange. In base mode nothing here says who wrapped
//! them: a key that opens its segment to readings with a proof is the right one.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng as _;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use ledger_core::{Digest, canonical};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::keystore::random;
use crate::vault::seal::{Segment, SegmentKey};

/// Most keys that are wrapped at once.
pub const MAX_WRAPPED: usize = 1 << 20;
/// Bytes of a wrapped key: the key and a tag.
const WRAPPED_BYTES: usize = 32 + 16;
const TAG: &[u8] = b"fogward/disclosure/1";

type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// Why keys cannot be wrapped or unwrapped. Names no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotWrapped {
    /// The system has no randomness.
    #[error("the system has no randomness")]
    Randomness,
    /// The person's sealing key is none that secrets can be agreed with.
    #[error("the person's sealing key is not a usable X25519 key")]
    UnusableKey,
    /// More than [`MAX_WRAPPED`].
    #[error("these are more segments than are disclosed at once")]
    TooMany,
    /// Wrapped for another person or another request, or altered.
    #[error("wrapped for another person or request, or altered since")]
    Altered,
}

/// Keys of segments, wrapped for one person under one request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WrappedKeys {
    /// The encapsulated secret: an X25519 key of this disclosure alone.
    encapsulated: [u8; 32],
    /// The segments, in the order in which their keys were wrapped.
    segments: Vec<Segment>,
    /// Their wrapped keys, one after another.
    #[serde(with = "serde_bytes")]
    keys: Vec<u8>,
}

impl WrappedKeys {
    /// Wraps the keys of segments for the holder of the X25519 key `person`, under the request `access`.
    ///
    /// # Errors
    /// [`NotWrapped`], but for [`NotWrapped::Altered`].
    pub fn wrap(
        person: &[u8; 32],
        access: &Digest,
        segments: impl IntoIterator<Item = (Segment, SegmentKey)>,
    ) -> Result<Self, NotWrapped> {
        let person = PublicKey::from_bytes(person).map_err(|_| NotWrapped::UnusableKey)?;
        let seed = random().map_err(|_| NotWrapped::Randomness)?;
        let mut chance = ChaCha20Rng::from_seed(seed);
        let (encapsulated, mut context) = hpke::setup_sender_with_rng::<
            ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(
            &OpModeS::Base, &person, &info(access), &mut chance
        )
        .map_err(|_| NotWrapped::UnusableKey)?;
        let mut wrapped = Self {
            encapsulated: encapsulated.to_bytes().into(),
            segments: Vec::new(),
            keys: Vec::new(),
        };
        for (segment, key) in segments {
            if wrapped.segments.len() == MAX_WRAPPED {
                return Err(NotWrapped::TooMany);
            }
            let sealed = context.seal(key.expose(), &canonical::encode(&segment));
            wrapped
                .keys
                .extend(sealed.map_err(|_| NotWrapped::TooMany)?);
            wrapped.segments.push(segment);
        }
        Ok(wrapped)
    }

    /// How many keys there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.segments.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Unwraps them with the person's X25519 secret.
    ///
    /// # Errors
    /// [`NotWrapped::Altered`], or [`NotWrapped::UnusableKey`].
    pub fn unwrap(
        &self,
        secret: &[u8; 32],
        access: &Digest,
    ) -> Result<Vec<(Segment, SegmentKey)>, NotWrapped> {
        let (keys, rest) = self.keys.as_chunks::<WRAPPED_BYTES>();
        if keys.len() != self.segments.len() || !rest.is_empty() {
            return Err(NotWrapped::Altered);
        }
        let secret = PrivateKey::from_bytes(secret).map_err(|_| NotWrapped::UnusableKey)?;
        let encapsulated = Encapsulated::from_bytes(&self.encapsulated);
        let encapsulated = encapsulated.map_err(|_| NotWrapped::Altered)?;
        let mut context = hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &secret,
            &encapsulated,
            &info(access),
        )
        .map_err(|_| NotWrapped::Altered)?;
        let unwrapped = self.segments.iter().zip(keys).map(|(segment, key)| {
            let opened = context.open(key, &canonical::encode(segment));
            let opened = Zeroizing::new(opened.map_err(|_| NotWrapped::Altered)?);
            let key = opened.as_slice().try_into();
            let key = key.map_err(|_| NotWrapped::Altered)?;
            Ok((*segment, SegmentKey::new(key)))
        });
        unwrapped.collect()
    }
}

fn info(access: &Digest) -> Vec<u8> {
    [TAG, &access.0].concat()
}

#[cfg(test)]
mod tests {
    //! Goal: wrapped keys open their segments, for the person and the request they were wrapped for and for
    //! nobody else. Method: properties; every byte changed.

    use super::*;
    use crate::vault::seal::{Record, StreamKeys};
    use curve25519_dalek::MontgomeryPoint;
    use ledger_core::{Origin, Quality, StreamId, Value};
    use proptest::prelude::*;

    const ACCESS: Digest = Digest([7; 32]);
    const SECRET: [u8; 32] = [9; 32];

    fn public(secret: [u8; 32]) -> [u8; 32] {
        MontgomeryPoint::mul_base_clamped(secret).to_bytes()
    }

    fn segments(count: u32) -> Vec<Segment> {
        let segment = |number: u32| Segment {
            stream: StreamId([(number % 3) as u8; 16]),
            first_sequence: u64::from(number) * 10,
            count: 1,
        };
        (0..count).map(segment).collect()
    }

    fn wrapped(keys: &StreamKeys, count: u32) -> WrappedKeys {
        let cipher = keys.cipher();
        let segments = segments(count).into_iter();
        let keyed = segments.map(|segment| (segment, cipher.key_of(&segment)));
        WrappedKeys::wrap(&public(SECRET), &ACCESS, keyed).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn each_opens_its_segment(count in 0u32..40, value in any::<i64>()) {
            let keys = StreamKeys::generate().unwrap();
            let record = Record {
                host_time_millis: value,
                device_time_millis: None,
                value: Value::Absent,
                quality: Quality::Good,
                origin: Origin::Sensor,
            };
            let unwrapped = wrapped(&keys, count).unwrap(&SECRET, &ACCESS).unwrap();
            prop_assert_eq!(unwrapped.len(), count as usize);
            for (at, (segment, key)) in unwrapped.iter().enumerate() {
                prop_assert_eq!(*segment, segments(count)[at]);
                let sealed = keys.cipher().seal(segment, std::slice::from_ref(&record)).unwrap();
                prop_assert_eq!(key.open(segment, &sealed).unwrap(), vec![record.clone()]);
            }
        }
    }

    #[test]
    fn nobody_else_opens_them() {
        let keys = StreamKeys::generate().unwrap();
        let wrapped = wrapped(&keys, 3);
        let refused = |what: &WrappedKeys, secret, access| what.unwrap(secret, access).err();
        let altered = Some(NotWrapped::Altered);
        assert_eq!(refused(&wrapped, &[8; 32], &ACCESS), altered);
        assert_eq!(refused(&wrapped, &SECRET, &Digest([6; 32])), altered);
        let bytes = canonical::encode(&wrapped);
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 0x40;
            if let Ok(changed) = canonical::decode::<WrappedKeys>(&changed, bytes.len()) {
                assert!(changed.unwrap(&SECRET, &ACCESS).is_err(), "byte {place}");
            }
        }
        let mut swapped = wrapped.clone();
        swapped.segments.swap(0, 1);
        assert_eq!(refused(&swapped, &SECRET, &ACCESS), altered);
        let mut shorter = wrapped;
        shorter.segments.pop();
        assert_eq!(refused(&shorter, &SECRET, &ACCESS), altered);
    }

    #[test]
    fn a_key_that_agrees_on_nothing_is_refused() {
        let wrapped = WrappedKeys::wrap(&[0; 32], &ACCESS, []);
        assert_eq!(wrapped.err(), Some(NotWrapped::UnusableKey));
    }
}
