//! The light block: what is served of a block to those who do not want its transactions
//! ([LCV-DATA-LIGHTBLOCK.1]).
//!
//! ```text
//! postcard( header, certificate, validators: list, next: option of list )
//! ```
//!
//! `next` is there exactly where the header names other validators for the next height, so that a block
//! has one encoding and every byte of it is covered.

use serde::{Deserialize, Serialize};

use super::error::LightError;
use crate::block::{BLOCK_VERSION, Header};
use crate::canonical::{self, DecodeError};
use crate::certificate::Certificate;
use crate::digest::Digest;
use crate::ids::ChainId;
use crate::merkle;
use crate::validators::ValidatorSet;

/// Longest light block in bytes: two sets of 1,024 validators and a certificate of theirs.
pub const MAX_LIGHT_BLOCK_BYTES: usize = 1 << 20;

/// A header, why it is final, and who certifies it and the next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LightBlock {
    /// The header.
    pub header: Header,
    /// Why it is final.
    pub certificate: Certificate,
    /// The validators of its height.
    pub validators: ValidatorSet,
    /// The validators of the next height, where they are others.
    pub next_validators: Option<ValidatorSet>,
}

impl LightBlock {
    /// A light block; leaves out the next validators where they are the same.
    #[must_use]
    pub fn new(
        header: Header,
        certificate: Certificate,
        validators: ValidatorSet,
        next: ValidatorSet,
    ) -> Self {
        Self {
            header,
            certificate,
            next_validators: (next != validators).then_some(next),
            validators,
        }
    }

    /// Its canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::encode(self)
    }

    /// Reads a light block's canonical bytes; nothing is verified yet.
    ///
    /// # Errors
    /// [`DecodeError`] if they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        canonical::decode(bytes, MAX_LIGHT_BLOCK_BYTES)
    }

    /// The validators of the next height.
    #[must_use]
    pub fn next(&self) -> &ValidatorSet {
        self.next_validators.as_ref().unwrap_or(&self.validators)
    }

    /// Checks all that the block says of itself: that it is of `chain`, that its parts belong together,
    /// and that more than two thirds of its own validators signed. Says nothing of whether those are
    /// the chain's validators; that is [`super::LightClient`]'s to tell.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn certify(self, chain: ChainId) -> Result<CertifiedBlock, LightError> {
        if self.header.version != BLOCK_VERSION {
            return Err(LightError::Version(self.header.version));
        }
        if self.header.chain != chain {
            return Err(LightError::OtherChain);
        }
        let same = self.header.next_validators_hash == self.header.validators_hash;
        let next = match &self.next_validators {
            None => same,
            Some(next) => !same && next.hash() == self.header.next_validators_hash,
        };
        if !next {
            return Err(LightError::NextValidators);
        }
        let hash = check_commit(chain, &self.header, &self.certificate, &self.validators)?;
        Ok(CertifiedBlock { block: self, hash })
    }

    /// How much of the power of `known` is among the signers.
    #[must_use]
    pub fn power_within(&self, known: &ValidatorSet) -> u64 {
        let signers = self.certificate.signatures.iter();
        signers
            .filter_map(|commit| self.validators.get(usize::from(commit.validator)))
            .filter_map(|signer| known.find(&signer.key))
            .fold(0, |sum, (_, validator)| sum.saturating_add(validator.power))
    }
}

/// A light block whose signatures were verified. Made by [`LightBlock::certify`] only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertifiedBlock {
    block: LightBlock,
    hash: Digest,
}

impl CertifiedBlock {
    /// The block.
    #[must_use]
    pub const fn light(&self) -> &LightBlock {
        &self.block
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// The block itself.
    #[must_use]
    pub fn into_light(self) -> LightBlock {
        self.block
    }

    /// Whether the transaction `id` is the block's transaction number `index`, by the siblings from it
    /// up to `tx_root`.
    #[must_use]
    pub fn includes(&self, id: &Digest, index: u32, path: &[Digest]) -> bool {
        let header = &self.block.header;
        let leaf = merkle::leaf_hash(&id.0);
        let count = u64::from(header.tx_count);
        merkle::verify(leaf, u64::from(index), count, path, &header.tx_root)
    }
}

/// Checks that `certificate` makes `header` final, given by the `validators` that the header names.
/// Gives the block's hash.
pub(crate) fn check_commit(
    chain: ChainId,
    header: &Header,
    certificate: &Certificate,
    validators: &ValidatorSet,
) -> Result<Digest, LightError> {
    let hash = header.hash();
    if certificate.block != hash || certificate.height != header.height {
        return Err(LightError::OtherCertificate);
    }
    if header.validators_hash != validators.hash() {
        return Err(LightError::OtherValidators);
    }
    certificate.verify(chain, validators)?;
    Ok(hash)
}
