//! Whether enough validators are here, and how that is said to people.

use std::fmt;

use ledger_core::{PublicKey, ValidatorSet};

/// A validator that is not heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MissingValidator {
    /// Its key.
    pub key: PublicKey,
    /// Its name.
    pub name: String,
}

/// Whether enough validators are here to make a block final.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quorum {
    /// Validators of the next height.
    pub validators: usize,
    /// How many of them must sign: more than two thirds.
    pub needed: usize,
    /// How many are heard, this node included.
    pub present: usize,
    /// The others.
    pub missing: Vec<MissingValidator>,
}

impl Quorum {
    /// Whether blocks can become final.
    #[must_use]
    pub const fn is_reached(&self) -> bool {
        self.present >= self.needed
    }

    /// Counts those of `validators` who are here.
    pub(crate) fn of(validators: &ValidatorSet, is_here: impl Fn(&PublicKey) -> bool) -> Self {
        let all = validators.as_slice();
        let missing = all.iter().filter(|one| !is_here(&one.key));
        let missing: Vec<_> = missing
            .map(|one| MissingValidator {
                key: one.key,
                name: one.name.clone(),
            })
            .collect();
        Self {
            validators: all.len(),
            // Every validator has the same power on this chain.
            needed: all.len() * 2 / 3 + 1,
            present: all.len() - missing.len(),
            missing,
        }
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            validators,
            needed,
            present,
            missing,
        } = self;
        if *validators == 1 {
            return match missing.first() {
                None => f.write_str("This node is the only validator."),
                Some(only) => write!(f, "The only validator, {}, is not heard.", only.name),
            };
        }
        write!(
            f,
            "{present} of {validators} validators are heard; {needed} must sign each block."
        )?;
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(|one| one.name.as_str()).collect();
            write!(f, " Missing: {}.", names.join(", "))?;
        }
        if !self.is_reached() {
            let short = needed - present;
            let back = if short == 1 {
                "one of them is".to_owned()
            } else {
                format!("{short} of them are")
            };
            write!(
                f,
                " Nothing becomes final until {back} back; what is stored stays readable, and what \
                 is submitted waits."
            )?;
        }
        Ok(())
    }
}
