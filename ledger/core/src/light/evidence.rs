//! Evidence: two signed things that exclude each other, checked by anybody who knows the validators of
//! the height.
//!
//! | Evidence | Shows |
//! |---|---|
//! | [`Equivocation`] | one validator voted for two blocks at one height, in one round, of one kind |
//! | [`Fork`] | two certified blocks at one height: more than a third of the power broke the rules |
//!
//! The two parts are in ascending order, so that the same evidence has one encoding. Tendermint's
//! *Attack Detector* calls the second a light client attack or a main-chain fork [CMBC-ATTACK.1].
//!
//! Left out: what follows from it. That is for the consortium to vote on.

use serde::{Deserialize, Serialize};

use super::block::LightBlock;
use super::error::LightError;
use crate::canonical::{self, DecodeError};
use crate::certificate::{VoteContent, VoteKind};
use crate::ids::{ChainId, Height};
use crate::key::{PublicKey, SecretKey, Signature};
use crate::validators::ValidatorSet;

/// Longest evidence in bytes.
pub const MAX_EVIDENCE_BYTES: usize = 2 * super::MAX_LIGHT_BLOCK_BYTES + 1024;

/// A vote and its signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignedVote {
    /// What was voted.
    pub content: VoteContent,
    /// The validator's signature over [`VoteContent::sign_bytes`].
    pub signature: Signature,
}

impl SignedVote {
    /// Signs a vote.
    #[must_use]
    pub fn sign(content: VoteContent, key: &SecretKey) -> Self {
        Self {
            signature: key.sign(&content.sign_bytes()),
            content,
        }
    }

    fn holds(&self) -> bool {
        let VoteContent { validator, .. } = self.content;
        validator
            .verify(&self.content.sign_bytes(), &self.signature)
            .is_ok()
    }
}

/// Two votes of one validator for different blocks at one height and round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Equivocation {
    /// The vote for the block that is lower as bytes; none is lower than any.
    pub one: SignedVote,
    /// The other.
    pub two: SignedVote,
}

impl Equivocation {
    /// Puts two votes in order.
    #[must_use]
    pub fn new(one: SignedVote, two: SignedVote) -> Self {
        if two.content.block < one.content.block {
            Self { one: two, two: one }
        } else {
            Self { one, two }
        }
    }
}

/// Two certified blocks at one height.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fork {
    /// The block of the lower hash.
    pub one: LightBlock,
    /// The other.
    pub two: LightBlock,
}

impl Fork {
    /// Puts two blocks in order.
    #[must_use]
    pub fn new(one: LightBlock, two: LightBlock) -> Self {
        if two.header.hash() < one.header.hash() {
            Self { one: two, two: one }
        } else {
            Self { one, two }
        }
    }

    /// The height with two blocks.
    #[must_use]
    pub const fn height(&self) -> Height {
        self.one.header.height
    }

    /// The votes that are equivocations by themselves: precommits of one validator for both blocks in
    /// one round. In different rounds there are none, and who broke the rules can only be told from
    /// more votes than certificates hold.
    #[must_use]
    pub fn equivocations(&self) -> Vec<Equivocation> {
        if self.one.certificate.round != self.two.certificate.round {
            return Vec::new();
        }
        let other = precommits(&self.two);
        let both = precommits(&self.one).into_iter().filter_map(|one| {
            let of_same = |two: &&SignedVote| two.content.validator == one.content.validator;
            let two = other.iter().find(of_same)?;
            Some(Equivocation::new(one, *two))
        });
        both.collect()
    }

    /// The validators that signed both blocks, in whatever rounds.
    #[must_use]
    pub fn signed_both(&self) -> Vec<PublicKey> {
        let other = precommits(&self.two);
        let keys = precommits(&self.one)
            .into_iter()
            .map(|vote| vote.content.validator);
        keys.filter(|key| other.iter().any(|vote| vote.content.validator == *key))
            .collect()
    }
}

/// The votes of a block's certificate.
fn precommits(block: &LightBlock) -> Vec<SignedVote> {
    let certificate = &block.certificate;
    let vote = |commit: &crate::certificate::CommitSignature| {
        let validator = block.validators.get(usize::from(commit.validator))?;
        Some(SignedVote {
            content: VoteContent {
                kind: VoteKind::Precommit,
                chain: block.header.chain,
                height: certificate.height,
                round: certificate.round,
                block: Some(certificate.block),
                validator: validator.key,
            },
            signature: commit.signature,
        })
    };
    certificate.signatures.iter().filter_map(vote).collect()
}

/// Something that no honest validator, or no honest third of them, leaves behind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Evidence {
    /// Two votes of one validator.
    Equivocation(Box<Equivocation>),
    /// Two certified blocks.
    Fork(Box<Fork>),
}

/// Why something is no evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Of another chain.
    #[error("the evidence belongs to another chain")]
    OtherChain,
    /// The two do not exclude each other, or are not in order.
    #[error("the two parts of the evidence do not exclude each other, or are not in order")]
    NoConflict,
    /// By somebody who is no validator of the height.
    #[error("the evidence is not against validators of its height")]
    NotValidator,
    /// A vote nobody signed.
    #[error("a signature of the evidence does not hold")]
    Signature,
    /// A block that is not certified.
    #[error("a block of the evidence does not hold: {0}")]
    Block(#[from] LightError),
}

impl Evidence {
    /// Its canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::encode(self)
    }

    /// Reads evidence's canonical bytes; nothing is verified yet.
    ///
    /// # Errors
    /// [`DecodeError`] if they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        canonical::decode(bytes, MAX_EVIDENCE_BYTES)
    }

    /// The height it is about.
    #[must_use]
    pub const fn height(&self) -> Height {
        match self {
            Self::Equivocation(votes) => votes.one.content.height,
            Self::Fork(fork) => fork.height(),
        }
    }

    /// Checks the evidence against the `validators` of its height, and gives those who signed both
    /// parts. Of a fork across rounds they are suspects, not culprits, and may be none.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn verify(
        &self,
        chain: ChainId,
        validators: &ValidatorSet,
    ) -> Result<Vec<PublicKey>, EvidenceError> {
        match self {
            Self::Equivocation(votes) => verify_votes(votes, chain, validators),
            Self::Fork(fork) => verify_fork(fork, chain, validators),
        }
    }
}

fn verify_votes(
    votes: &Equivocation,
    chain: ChainId,
    validators: &ValidatorSet,
) -> Result<Vec<PublicKey>, EvidenceError> {
    let (one, two) = (&votes.one.content, &votes.two.content);
    if one.chain != chain || two.chain != chain {
        return Err(EvidenceError::OtherChain);
    }
    let same = |content: &VoteContent| {
        let VoteContent {
            kind,
            height,
            round,
            validator,
            ..
        } = *content;
        (kind, height, round, validator)
    };
    if same(one) != same(two) || one.block >= two.block {
        return Err(EvidenceError::NoConflict);
    }
    if validators.find(&one.validator).is_none() {
        return Err(EvidenceError::NotValidator);
    }
    if !votes.one.holds() || !votes.two.holds() {
        return Err(EvidenceError::Signature);
    }
    Ok(vec![one.validator])
}

/// One block is certified by the validators of the height; the other by validators of its own, among
/// them more than a third of those of the height.
fn verify_fork(
    fork: &Fork,
    chain: ChainId,
    validators: &ValidatorSet,
) -> Result<Vec<PublicKey>, EvidenceError> {
    let (one, two) = (&fork.one, &fork.two);
    if one.header.height != two.header.height || one.header.hash() >= two.header.hash() {
        return Err(EvidenceError::NoConflict);
    }
    one.clone().certify(chain)?;
    two.clone().certify(chain)?;
    let other = if one.validators == *validators {
        two
    } else if two.validators == *validators {
        one
    } else {
        return Err(EvidenceError::NotValidator);
    };
    let power = other.power_within(validators);
    if u128::from(power) * 3 <= u128::from(validators.total_power()) {
        return Err(EvidenceError::NotValidator);
    }
    Ok(fork.signed_both())
}
