//! The validators of a height and their voting power.

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::digest::Digest;
use crate::key::PublicKey;

/// Most validators a set may have.
pub const MAX_VALIDATORS: usize = 1024;

/// One validator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Validator {
    /// The key it votes with.
    pub key: PublicKey,
    /// Its voting power, at least 1.
    pub power: u64,
    /// Its name, for people.
    pub name: String,
}

/// The validators of a height, ordered by key, each once, of bounded total power.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct ValidatorSet(Vec<Validator>);

/// What is no validator set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValidatorSetError {
    /// None at all.
    #[error("a validator set needs at least one validator")]
    Empty,
    /// More than [`MAX_VALIDATORS`], or more power than fits.
    #[error(
        "a validator set has at most {MAX_VALIDATORS} validators, and a total power below 2^60"
    )]
    TooLarge,
    /// A key twice, or a validator without power.
    #[error("each validator appears once and has at least one unit of power")]
    BadValidator,
}

impl ValidatorSet {
    /// A set of `validators`, in any order.
    ///
    /// # Errors
    /// [`ValidatorSetError`] if it is empty, too large, or names a key twice.
    pub fn new(mut validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        if validators.is_empty() {
            return Err(ValidatorSetError::Empty);
        }
        let power = validators
            .iter()
            .try_fold(0u64, |sum, validator| sum.checked_add(validator.power));
        if validators.len() > MAX_VALIDATORS || power.is_none_or(|power| power >= 1 << 60) {
            return Err(ValidatorSetError::TooLarge);
        }
        validators.sort_by_key(|validator| validator.key);
        let twice = validators
            .array_windows()
            .any(|[one, next]| one.key == next.key);
        if twice || validators.iter().any(|validator| validator.power == 0) {
            return Err(ValidatorSetError::BadValidator);
        }
        Ok(Self(validators))
    }

    /// The validators, ordered by key.
    #[must_use]
    pub fn as_slice(&self) -> &[Validator] {
        &self.0
    }

    /// The validator at a place in the order.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Validator> {
        self.0.get(index)
    }

    /// The validator with this key, and its place.
    #[must_use]
    pub fn find(&self, key: &PublicKey) -> Option<(usize, &Validator)> {
        let at = self.0.binary_search_by_key(key, |validator| validator.key);
        at.ok().and_then(|at| Some((at, self.0.get(at)?)))
    }

    /// The power of all.
    #[must_use]
    pub fn total_power(&self) -> u64 {
        self.0.iter().map(|validator| validator.power).sum()
    }

    /// Whether `power` is more than two thirds of all.
    #[must_use]
    pub fn is_quorum(&self, power: u64) -> bool {
        u128::from(power) * 3 > u128::from(self.total_power()) * 2
    }

    /// The digest that headers carry.
    #[must_use]
    pub fn hash(&self) -> Digest {
        Digest::tagged("fogward/validators/1", &[&canonical::encode(self)])
    }
}

impl<'de> Deserialize<'de> for ValidatorSet {
    /// Accepts only what [`ValidatorSet::new`] accepts, in its order.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let given = Vec::<Validator>::deserialize(deserializer)?;
        let set = Self::new(given.clone()).map_err(D::Error::custom)?;
        if set.0 != given {
            return Err(D::Error::custom(
                "validators are not in the order of their keys",
            ));
        }
        Ok(set)
    }
}
