//! How many voices a change needs.

use serde::{Deserialize, Serialize};

/// Largest denominator of a [`Fraction`].
pub const MAX_DENOMINATOR: u16 = 100;

/// "More than numerator ÷ denominator of the active organisations"; from a half up to, not including,
/// all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fraction {
    /// Above the line.
    pub numerator: u16,
    /// Below the line, at most [`MAX_DENOMINATOR`].
    pub denominator: u16,
}

impl Fraction {
    /// More than a half.
    pub const HALF: Self = Self {
        numerator: 1,
        denominator: 2,
    };
    /// More than two thirds.
    pub const TWO_THIRDS: Self = Self {
        numerator: 2,
        denominator: 3,
    };

    /// Whether it is at least a half and less than one.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.denominator <= MAX_DENOMINATOR
            && self.numerator < self.denominator
            && self.numerator as u32 * 2 >= self.denominator as u32
    }

    /// The least number of voices that is more than this part of `voices`.
    #[must_use]
    pub const fn needed(&self, voices: u32) -> u32 {
        let part = voices as u64 * self.numerator as u64;
        match part.checked_div(self.denominator as u64) {
            Some(part) => part as u32 + 1,
            None => u32::MAX,
        }
    }
}

/// The rule a change falls under.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Rule {
    /// An organisation's own affair: its own voice is enough.
    Own,
    /// Organisations and their admins.
    Organisations,
    /// Who validates.
    Validators,
    /// Nodes of another organisation.
    Nodes,
    /// The rules all nodes agree on.
    Parameters,
    /// The thresholds themselves.
    Thresholds,
}

/// How many voices each kind of change needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Thresholds {
    /// For [`Rule::Organisations`].
    pub organisations: Fraction,
    /// For [`Rule::Validators`].
    pub validators: Fraction,
    /// For [`Rule::Nodes`].
    pub nodes: Fraction,
    /// For [`Rule::Parameters`].
    pub parameters: Fraction,
    /// For [`Rule::Thresholds`].
    pub thresholds: Fraction,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            organisations: Fraction::TWO_THIRDS,
            validators: Fraction::HALF,
            nodes: Fraction::HALF,
            parameters: Fraction::HALF,
            thresholds: Fraction::TWO_THIRDS,
        }
    }
}

impl Thresholds {
    /// Whether each is valid.
    #[must_use]
    pub fn are_valid(&self) -> bool {
        let all = [
            self.organisations,
            self.validators,
            self.nodes,
            self.parameters,
            self.thresholds,
        ];
        all.iter().all(Fraction::is_valid)
    }

    /// How many of `voices` a change under `rule` needs.
    #[must_use]
    pub const fn needed(&self, rule: Rule, voices: u32) -> u32 {
        match rule {
            Rule::Own => 1,
            Rule::Organisations => self.organisations.needed(voices),
            Rule::Validators => self.validators.needed(voices),
            Rule::Nodes => self.nodes.needed(voices),
            Rule::Parameters => self.parameters.needed(voices),
            Rule::Thresholds => self.thresholds.needed(voices),
        }
    }
}
