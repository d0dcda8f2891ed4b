//! Malachite's `Context` over the types of `ledger-core`.
//!
//! A value is a block's hash and nothing more; the block follows in parts. The proposer of height `h`
//! and round `r` is the validator at `(h + r) mod n` in the order of the keys, whatever its power:
//! every validator has its turn, and which one can be told from the height alone.

use std::fmt;

use arc_malachitebft_app_channel::app::types::core::{
    self as malachite, LinearTimeouts, NilOrVal, Round, SignedExtension, VoteType, VotingPower,
};
use ledger_core::{Digest, Height, PublicKey, ValidatorSet};

use super::signing::Ed25519;
use crate::hello::Hello;

/// The Fogward chain, for Malachite.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chain;

/// A block's height.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct BlockHeight(pub Height);

impl fmt::Display for BlockHeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl malachite::Height for BlockHeight {
    const ZERO: Self = Self(Height(0));
    const INITIAL: Self = Self(Height(1));

    fn increment_by(&self, n: u64) -> Self {
        Self(Height(self.0.0.saturating_add(n)))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.0.checked_sub(n).map(|height| Self(Height(height)))
    }

    fn as_u64(&self) -> u64 {
        self.0.0
    }
}

/// A validator's name: its key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Address(pub PublicKey);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl malachite::Address for Address {}

/// A value to agree on: the hash of a block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ValueHash(pub Digest);

impl fmt::Display for ValueHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.short())
    }
}

impl malachite::Value for ValueHash {
    type Id = Self;

    fn id(&self) -> Self {
        *self
    }
}

/// What travels on the channel of block parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProposalPart {
    /// Opens a proposal.
    Start(ProposalStart),
    /// A piece of the block's bytes.
    Piece(Vec<u8>),
    /// Transactions waiting at the sender; no part of a proposal.
    Transactions(Vec<Vec<u8>>),
    /// The sender lives; no part of a proposal.
    Hello(Hello),
}

/// What a proposal's pieces belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProposalStart {
    /// The height.
    pub height: Height,
    /// The round.
    pub round: Round,
    /// The round the value was found valid in before, if it was.
    pub valid_round: Round,
    /// The proposer.
    pub proposer: PublicKey,
    /// The block's hash.
    pub block: Digest,
    /// Bytes of all pieces together.
    pub bytes: u32,
}

impl malachite::ProposalPart<Chain> for ProposalPart {
    fn is_first(&self) -> bool {
        matches!(self, Self::Start(_))
    }

    fn is_last(&self) -> bool {
        false
    }
}

/// A proposal: this block, in this round.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// The height.
    pub height: BlockHeight,
    /// The round.
    pub round: Round,
    /// The block's hash.
    pub value: ValueHash,
    /// The round with two thirds of prevotes for this value, if there was one.
    pub pol_round: Round,
    /// The proposer.
    pub proposer: Address,
}

impl malachite::Proposal<Chain> for Proposal {
    fn height(&self) -> BlockHeight {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &ValueHash {
        &self.value
    }

    fn take_value(self) -> ValueHash {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}

/// A prevote or precommit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vote {
    /// Prevote or precommit.
    pub kind: VoteType,
    /// The height.
    pub height: BlockHeight,
    /// The round.
    pub round: Round,
    /// The block voted for, or none.
    pub value: NilOrVal<ValueHash>,
    /// The voter.
    pub voter: Address,
}

impl malachite::Vote<Chain> for Vote {
    fn height(&self) -> BlockHeight {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<ValueHash> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<ValueHash> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.voter
    }

    fn extension(&self) -> Option<&SignedExtension<Chain>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Chain>> {
        None
    }

    fn extend(self, _: SignedExtension<Chain>) -> Self {
        self
    }
}

/// One validator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Validator {
    address: Address,
    power: VotingPower,
}

impl malachite::Validator<Chain> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.address.0
    }

    fn voting_power(&self) -> VotingPower {
        self.power
    }
}

/// The validators of a height, in the order of their keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Validators {
    validators: Vec<Validator>,
    total_power: VotingPower,
}

impl From<&ValidatorSet> for Validators {
    fn from(set: &ValidatorSet) -> Self {
        let validators = set.as_slice().iter().map(|validator| Validator {
            address: Address(validator.key),
            power: validator.power,
        });
        Self {
            validators: validators.collect(),
            total_power: set.total_power(),
        }
    }
}

impl malachite::ValidatorSet<Chain> for Validators {
    fn count(&self) -> usize {
        self.validators.len()
    }

    fn total_voting_power(&self) -> VotingPower {
        self.total_power
    }

    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        let at = self
            .validators
            .binary_search_by_key(address, |validator| validator.address);
        at.ok().and_then(|at| self.validators.get(at))
    }

    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.validators.get(index)
    }
}

/// The place of the proposer among `count` validators.
pub fn proposer_index(height: Height, round: Round, count: usize) -> usize {
    let turn = u128::from(height.0) + u128::from(round.as_u32().unwrap_or(0));
    (turn % (count.max(1) as u128)) as usize
}

impl malachite::Context for Chain {
    type Address = Address;
    type Height = BlockHeight;
    type ProposalPart = ProposalPart;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = Validators;
    type Timeouts = LinearTimeouts;
    type Value = ValueHash;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Ed25519;

    fn select_proposer<'a>(
        &self,
        validators: &'a Validators,
        height: BlockHeight,
        round: Round,
    ) -> &'a Validator {
        &validators.validators[proposer_index(height.0, round, validators.validators.len())]
    }

    fn new_proposal(
        &self,
        height: BlockHeight,
        round: Round,
        value: ValueHash,
        pol_round: Round,
        proposer: Address,
    ) -> Proposal {
        Proposal {
            height,
            round,
            value,
            pol_round,
            proposer,
        }
    }

    fn new_prevote(
        &self,
        height: BlockHeight,
        round: Round,
        value: NilOrVal<ValueHash>,
        voter: Address,
    ) -> Vote {
        Vote {
            kind: VoteType::Prevote,
            height,
            round,
            value,
            voter,
        }
    }

    fn new_precommit(
        &self,
        height: BlockHeight,
        round: Round,
        value: NilOrVal<ValueHash>,
        voter: Address,
    ) -> Vote {
        Vote {
            kind: VoteType::Precommit,
            height,
            round,
            value,
            voter,
        }
    }
}
