//! What a person knows: a passphrase, under which the person's secret keys are sealed.
//!
//! ```text
//! key    = Argon2id(passphrase, salt, cost)                       RFC 9106, second recommendation:
//! sealed = XChaCha20-Poly1305(key, signing seed ‖ exchange seed)  64 MiB, 3 passes, 4 lanes
//! ```
//!
//! There is no other trace of the passphrase: it is the right one if the keys open. The cost stands beside
//! the salt, so that it can grow. Each try takes the memory that makes guessing dear, so at most two are
//! computed at once, on threads that may block; a few wait, and who comes after them is told so.

use curve25519_dalek::MontgomeryPoint;
use ledger_core::{PublicKey, SecretKey};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::person::PersonId;
use crate::Failure;
use crate::keystore::random;
use crate::stretch::Cost;
use crate::vault::seal::{MasterKey, SealError};

/// Passphrases that are computed at once.
const AT_ONCE: usize = 2;
/// Those and the ones that wait.
const PLACES: usize = 16;
/// Shortest passphrase, in characters; NIST SP 800-63B-4 asks for 8 beside a second factor.
const MIN_PASSPHRASE: usize = 12;
const MAX_PASSPHRASE: usize = 256;

/// A person's secret keys. Gone when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SecretKeys {
    signing: [u8; 32],
    exchange: [u8; 32],
}

impl SecretKeys {
    fn generate() -> Result<Self, SealError> {
        let make = || random::<32>().map_err(|_| SealError::Randomness);
        Ok(Self {
            signing: make()?,
            exchange: make()?,
        })
    }

    /// Signs in the person's name (Ed25519, RFC 8032).
    #[must_use]
    pub fn signing(&self) -> SecretKey {
        SecretKey::from_seed(&self.signing)
    }

    /// Secret half of the X25519 key (RFC 7748).
    #[must_use]
    pub const fn exchange(&self) -> &[u8; 32] {
        &self.exchange
    }

    /// Public half of the X25519 key (RFC 7748).
    #[must_use]
    pub fn exchange_public(&self) -> [u8; 32] {
        MontgomeryPoint::mul_base_clamped(self.exchange).to_bytes()
    }
}

/// A person's keys as they are kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedKeys {
    cost: Cost,
    salt: [u8; 16],
    sealed: Vec<u8>,
    /// Public half of the Ed25519 key.
    pub signing: PublicKey,
    /// Public half of the X25519 key.
    pub exchange: [u8; 32],
}

impl SealedKeys {
    /// Opens the keys, if this is the passphrase.
    ///
    /// # Errors
    /// [`Failure`] if the system cannot compute the key; `None` if the passphrase is another.
    pub async fn open(
        &self,
        person: PersonId,
        passphrase: Zeroizing<String>,
        place: &Place<'_>,
    ) -> Result<Option<SecretKeys>, Failure> {
        let key = place.stretch(passphrase, self.salt, self.cost).await?;
        let Ok(seeds) = key.open(&purpose(person), &self.sealed) else {
            return Ok(None);
        };
        let (signing, exchange) = seeds.split_at_checked(32).ok_or(SealError::Malformed)?;
        Ok(Some(SecretKeys {
            signing: signing.try_into().map_err(|_| SealError::Malformed)?,
            exchange: exchange.try_into().map_err(|_| SealError::Malformed)?,
        }))
    }

    /// Seals keys, fresh ones unless there are some, under a passphrase.
    ///
    /// # Errors
    /// [`Failure`] if the system cannot.
    pub async fn seal(
        person: PersonId,
        keys: Option<SecretKeys>,
        passphrase: Zeroizing<String>,
        place: &Place<'_>,
    ) -> Result<Self, Failure> {
        let keys = keys.map_or_else(SecretKeys::generate, Ok)?;
        let (cost, salt) = (Cost::default(), random().map_err(Failure::internal)?);
        let key = place.stretch(passphrase, salt, cost).await?;
        let seeds = Zeroizing::new([keys.signing, keys.exchange].concat());
        Ok(Self {
            cost,
            salt,
            sealed: key.seal(&purpose(person), &seeds)?,
            signing: keys.signing().public(),
            exchange: keys.exchange_public(),
        })
    }

    /// The public halves, beside what nobody's passphrase opens.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn destroyed(&self) -> Result<Self, SealError> {
        Ok(Self {
            signing: self.signing,
            exchange: self.exchange,
            ..Self::nobodys()?
        })
    }

    /// What nobody's passphrase opens, at the cost of one that is there.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn nobodys() -> Result<Self, SealError> {
        let keys = SecretKeys::generate()?;
        let key = MasterKey::new(random().map_err(|_| SealError::Randomness)?);
        Ok(Self {
            cost: Cost::default(),
            salt: random().map_err(|_| SealError::Randomness)?,
            sealed: key.seal(b"nobody", &[0; 64])?,
            signing: keys.signing().public(),
            exchange: keys.exchange_public(),
        })
    }
}

fn purpose(person: PersonId) -> Vec<u8> {
    [b"keys of person/".as_slice(), &person.0].concat()
}

/// Whether this may be somebody's passphrase.
///
/// # Errors
/// [`Failure`] `PPL-01` that says why not.
pub fn checked(passphrase: String) -> Result<Zeroizing<String>, Failure> {
    let passphrase = Zeroizing::new(passphrase);
    let length = passphrase.chars().count();
    if (MIN_PASSPHRASE..=MAX_PASSPHRASE).contains(&length) {
        return Ok(passphrase);
    }
    Err(Failure::new(
        400,
        "PPL-01",
        "The passphrase cannot be used.",
        format!("It has {MIN_PASSPHRASE} to {MAX_PASSPHRASE} characters."),
        "Take four or five words that nobody would put together.",
    ))
}

/// Where passphrases are computed, a few at once.
pub struct Stretching {
    turns: Semaphore,
    places: Semaphore,
}

impl Default for Stretching {
    fn default() -> Self {
        Self {
            turns: Semaphore::new(AT_ONCE),
            places: Semaphore::new(PLACES),
        }
    }
}

/// A place in the queue.
pub struct Place<'a> {
    turns: &'a Semaphore,
    _place: SemaphorePermit<'a>,
}

impl Stretching {
    /// A place in the queue, if there is one.
    ///
    /// # Errors
    /// [`Failure`] `AUTH-07`.
    pub fn place(&self) -> Result<Place<'_>, Failure> {
        let place = self.places.try_acquire().map_err(|_| {
            Failure::new(
                503,
                "AUTH-07",
                "Too many people sign in at once.",
                "Checking a passphrase takes much memory on purpose, so few are checked at a time.",
                "Try again in a few seconds.",
            )
        })?;
        Ok(Place {
            turns: &self.turns,
            _place: place,
        })
    }
}

impl Place<'_> {
    async fn stretch(
        &self,
        passphrase: Zeroizing<String>,
        salt: [u8; 16],
        cost: Cost,
    ) -> Result<MasterKey, Failure> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await.map_err(Failure::internal)?;
        let computed = tokio::task::spawn_blocking(move || cost.stretch(&passphrase, &salt));
        let key = computed.await.map_err(Failure::internal)?;
        key.map(|key| MasterKey::new(*key))
            .map_err(Failure::internal)
    }
}

#[cfg(test)]
mod tests {
    //! Goal: keys open under their passphrase and for their person alone; the queue is bounded. Method: the
    //! real cost, once each; the X25519 vector of RFC 7748, section 6.1.

    use super::*;

    #[tokio::test]
    async fn keys_open_under_their_passphrase_alone() {
        let (me, other) = (PersonId([1; 16]), PersonId([2; 16]));
        let words = |text: &str| Zeroizing::new(text.to_owned());
        let stretching = Stretching::default();
        let place = stretching.place().unwrap();
        let sealed = SealedKeys::seal(me, None, words("correct horse"), &place);
        let sealed = sealed.await.unwrap();
        let open = |person, text| sealed.open(person, words(text), &place);
        let keys = open(me, "correct horse").await.unwrap().unwrap();
        assert_eq!(keys.signing().public(), sealed.signing);
        assert_eq!(keys.exchange_public(), sealed.exchange);
        assert!(open(me, "correct house").await.unwrap().is_none());
        assert!(open(other, "correct horse").await.unwrap().is_none());
        let nobodys = SealedKeys::nobodys().unwrap();
        assert_eq!(nobodys.cost, sealed.cost, "as dear as somebody's");
        assert_eq!(nobodys.sealed.len(), sealed.sealed.len());
    }

    #[test]
    fn the_queue_is_bounded() {
        let stretching = Stretching::default();
        let places: Vec<_> = (0..PLACES).map(|_| stretching.place().unwrap()).collect();
        let refused = stretching.place().err().unwrap();
        assert_eq!(
            (refused.status, refused.error.code.as_str()),
            (503, "AUTH-07")
        );
        drop(places);
        assert!(stretching.place().is_ok());
    }

    #[test]
    fn the_exchange_key_is_x25519() {
        let alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
        let public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
        let mut exchange = [0; 32];
        hex::decode_to_slice(alice, &mut exchange).unwrap();
        let signing = [0; 32];
        let keys = SecretKeys { signing, exchange };
        assert_eq!(hex::encode(keys.exchange_public()), public);
    }

    #[test]
    fn passphrases_have_bounds() {
        assert!(checked("elevenchars".into()).is_err());
        assert!(checked("twelve chars".into()).is_ok());
        assert!(checked("ü".repeat(256)).is_ok());
        assert!(checked("ü".repeat(257)).is_err());
    }
}
