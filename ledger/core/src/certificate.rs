//! Certificates: precommits of more than two thirds of the power for one block.
//!
//! A vote signs these bytes (Tendermint's canonical vote, arXiv:1807.04938, in our encoding):
//!
//! ```text
//! postcard( "fogward/vote/1", kind, chain, height, round, block: Option<Digest>, validator )
//! ```

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::digest::Digest;
use crate::ids::{ChainId, Height};
use crate::key::{PublicKey, Signature};
use crate::validators::ValidatorSet;

/// The two kinds of votes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum VoteKind {
    /// First round of voting.
    Prevote,
    /// Second round; more than two thirds of these make a block final.
    Precommit,
}

/// What a validator signs when it votes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VoteContent {
    /// Prevote or precommit.
    pub kind: VoteKind,
    /// The chain.
    pub chain: ChainId,
    /// The height.
    pub height: Height,
    /// The round.
    pub round: u32,
    /// The block voted for, or none.
    pub block: Option<Digest>,
    /// The voter.
    pub validator: PublicKey,
}

impl VoteContent {
    /// The bytes that are signed.
    #[must_use]
    pub fn sign_bytes(&self) -> Vec<u8> {
        canonical::encode(&(
            "fogward/vote/1",
            self.kind,
            self.chain,
            self.height,
            self.round,
            self.block,
            self.validator,
        ))
    }
}

/// One validator's precommit in a certificate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CommitSignature {
    /// The validator's place in the height's set.
    pub validator: u16,
    /// Its signature over the precommit.
    pub signature: Signature,
}

/// Why a block is final.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Certificate {
    /// The height.
    pub height: Height,
    /// The round in which it was decided.
    pub round: u32,
    /// The block's hash.
    pub block: Digest,
    /// Precommits, in the order of the validators, each once.
    pub signatures: Vec<CommitSignature>,
}

/// Why a certificate does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A signer is not in the set, or the signers are not in order.
    #[error(
        "the certificate names signers that are not validators of this height, or not in order"
    )]
    Signers,
    /// A signature does not hold.
    #[error("a signature of the certificate does not hold")]
    Signature,
    /// Two thirds or less of the power.
    #[error("the certificate has {power} of {total} power; more than two thirds are needed")]
    NoQuorum {
        /// Power that signed.
        power: u64,
        /// Power of all validators.
        total: u64,
    },
}

impl Certificate {
    /// Checks every signature against the `validators` of the height, and that they are a quorum.
    ///
    /// # Errors
    /// [`CertificateError`]; a single bad signature refuses the whole.
    pub fn verify(
        &self,
        chain: ChainId,
        validators: &ValidatorSet,
    ) -> Result<(), CertificateError> {
        if self
            .signatures
            .array_windows()
            .any(|[one, next]| one.validator >= next.validator)
        {
            return Err(CertificateError::Signers);
        }
        let mut power = 0u64;
        for commit in &self.signatures {
            let validator = validators
                .get(usize::from(commit.validator))
                .ok_or(CertificateError::Signers)?;
            let vote = VoteContent {
                kind: VoteKind::Precommit,
                chain,
                height: self.height,
                round: self.round,
                block: Some(self.block),
                validator: validator.key,
            };
            validator
                .key
                .verify(&vote.sign_bytes(), &commit.signature)
                .map_err(|_| CertificateError::Signature)?;
            power = power.saturating_add(validator.power);
        }
        if !validators.is_quorum(power) {
            return Err(CertificateError::NoQuorum {
                power,
                total: validators.total_power(),
            });
        }
        Ok(())
    }
}
