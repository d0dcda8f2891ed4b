//! Ed25519 keys and signatures (RFC 8032), checked by one rule, so that all nodes agree on what is valid.
//!
//! The rule is that of ZIP 215, the equation with the cofactor, and on top of it: a key is in the one
//! encoding of a point that is not of small order. It is a rule by which many signatures checked
//! together are found valid exactly if each of them is; by the equation without the cofactor they are
//! not (Chalkias et al., "Taming the many `EdDSAs`", 2020).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng as _;
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek::{Signer as _, SigningKey};
use ed25519_zebra::VerificationKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, DigestParseError, fixed_bytes};

/// The signature does not belong to this key and these bytes, or the key is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match the key and the signed bytes")]
pub struct SignatureError;

/// An Ed25519 public key, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Checks `signature` over exactly `bytes`.
    ///
    /// # Errors
    /// [`SignatureError`] if it does not match or the key is none that could sign.
    pub fn verify(&self, bytes: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        if !self.is_reduced() || self.is_small() {
            return Err(SignatureError);
        }
        let key = VerificationKey::try_from(self.0).map_err(|_| SignatureError)?;
        key.verify(&signature.0.into(), bytes)
            .map_err(|_| SignatureError)
    }

    /// Whether a signature of this key could ever hold: a reduced point of large order.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let is_point = || CompressedEdwardsY(self.0).decompress().is_some();
        self.is_reduced() && !self.is_small() && is_point()
    }

    /// Whether this is a point of small order, in either sign: told by y alone, without arithmetic.
    fn is_small(&self) -> bool {
        static SMALL: LazyLock<[[u8; 32]; 8]> =
            LazyLock::new(|| EIGHT_TORSION.map(|point| without_sign(point.compress().0)));
        SMALL.contains(&without_sign(self.0))
    }

    /// Whether the point's y is below 2²⁵⁵ − 19, as RFC 8032 demands and the library does not check.
    fn is_reduced(&self) -> bool {
        let [low, middle @ .., high] = &self.0;
        high & 0x7f != 0x7f || *low < 0xed || middle.iter().any(|byte| *byte != 0xff)
    }

    /// The first eight hex digits, for people and logs.
    #[must_use]
    pub fn short(&self) -> String {
        Digest(self.0).short()
    }
}

/// A compressed point's y alone.
const fn without_sign(mut point: [u8; 32]) -> [u8; 32] {
    point[31] &= 0x7f;
    point
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.short())
    }
}

impl FromStr for PublicKey {
    type Err = DigestParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Digest>().map(|digest| Self(digest.0))
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fixed_bytes::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fixed_bytes::deserialize(deserializer).map(Self)
    }
}

/// An Ed25519 signature, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", hex::encode(&self.0[..4]))
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fixed_bytes::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fixed_bytes::deserialize(deserializer).map(Self)
    }
}

/// Signatures to be checked together, in about a third of the time.
#[derive(Default)]
pub(crate) struct SignatureBatch {
    batch: ed25519_zebra::batch::Verifier,
    keys: BTreeMap<PublicKey, bool>,
}

impl SignatureBatch {
    /// Adds what [`PublicKey::verify`] would be given.
    pub(crate) fn add(&mut self, key: &PublicKey, bytes: &[u8], signature: &Signature) {
        self.keys.entry(*key).or_insert_with(|| key.is_valid());
        self.batch.queue((key.0.into(), signature.0.into(), bytes));
    }

    /// Whether every one of them holds. `seed` must depend on all keys, signatures and signed bytes,
    /// in a way that nobody can aim at: the equations are added up, each times a number drawn from it.
    pub(crate) fn holds(self, seed: Digest) -> bool {
        let keys = self.keys.into_values().all(|valid| valid);
        keys && self.batch.verify(ChaCha20Rng::from_seed(seed.0)).is_ok()
    }
}

/// An Ed25519 secret key, expanded once; erased from memory when dropped, never printed.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key of a 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed this key was made of; for sealed storage only.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs exactly `bytes`.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        Signature(self.0.sign(bytes).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public().short())
    }
}
