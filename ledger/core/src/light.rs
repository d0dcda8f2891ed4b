//! The light client: follows a chain by headers and certificates alone and trusts nobody who serves them.
//!
//! After the Tendermint light client, *Light Client Verification* 002 and *Attack Detector* 003 (folder
//! `spec/light-client` of CometBFT); the tags in brackets are theirs.
//!
//! Upon a light block, [`LightClient::advance`]:
//! 1. **by itself** ([`LightBlock::certify`], the preconditions of [LCV-FUNC-VALID.2]): our chain and
//!    format; header, certificate and validators belong together; more than two thirds of the block's
//!    own validators signed;
//! 2. **in time**: later than the trusted block; not beyond this clock by more than the clock drift; the
//!    trusted block within the trusting period [LCV-INV-TP.1];
//! 3. **adjacent**: it names the trusted block as its parent, and its validators are those that the
//!    trusted block named as next;
//! 4. **skipping**: more than a third of the power of the validators that the trusted block named as
//!    next signed it, so at least one honest validator did [CMBC-VAL-CONTAINS-CORR.1]. Else: not enough
//!    trust, and [`Bisection`] asks for a block nearer by.
//!
//! Deviations from the source:
//! - a light block carries the next validators where they differ from its own, so that skipping starts
//!   from any block;
//! - headers carry their parent's hash, so an adjacent block is bound to the trusted block itself and
//!   not only to its validators;
//! - a genesis is trusted without an end unless a trusting period is asked for: validators of a
//!   consortium are known organisations without a stake to withdraw.
//!
//! [`Fork`] and [`Equivocation`] are what a lie leaves behind: two signed things that exclude each other.
//!
//! Left out: where blocks come from, which clock is asked, what is kept between two runs.

mod bisection;
mod block;
mod error;
mod evidence;

pub use bisection::Bisection;
pub(crate) use block::check_commit;
pub use block::{CertifiedBlock, LightBlock, MAX_LIGHT_BLOCK_BYTES};
pub use error::LightError;
pub use evidence::{Equivocation, Evidence, EvidenceError, Fork, MAX_EVIDENCE_BYTES, SignedVote};

use crate::digest::Digest;
use crate::genesis::Genesis;
use crate::ids::{ChainId, Height};
use crate::state::StateKey;
use crate::state_proof::StateProof;
use crate::validators::ValidatorSet;

/// By how much a block's time may be ahead of the client's clock, in milliseconds.
pub const DEFAULT_CLOCK_DRIFT_MILLIS: u64 = 10_000;

/// What a light client relies on besides signatures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How long after a block's time its validators are relied on, in milliseconds; without end if
    /// `None`.
    pub trusting_period_millis: Option<u64>,
    /// By how much a block's time may be ahead of the client's clock, in milliseconds.
    pub clock_drift_millis: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            trusting_period_millis: None,
            clock_drift_millis: DEFAULT_CLOCK_DRIFT_MILLIS,
        }
    }
}

/// What following one block brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// The height that is trusted now.
    pub height: Height,
    /// Whether the validators after it are not those that were to certify it.
    pub validators_changed: bool,
}

/// Follows one chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LightClient {
    chain: ChainId,
    options: Options,
    trusted: Trusted,
}

/// What a client starts from or has come to.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Trusted {
    /// The genesis: nothing certifies block 0, so its hash is taken from block 1.
    Genesis {
        time_millis: u64,
        validators: ValidatorSet,
    },
    Block(Box<CertifiedBlock>),
}

impl LightClient {
    /// A client that trusts the genesis and nothing else.
    #[must_use]
    pub fn from_genesis(genesis: &Genesis) -> Self {
        Self::with_options(genesis, Options::default())
    }

    /// As [`LightClient::from_genesis`], with other options.
    #[must_use]
    pub fn with_options(genesis: &Genesis, options: Options) -> Self {
        Self {
            chain: genesis.chain_id(),
            options,
            trusted: Trusted::Genesis {
                time_millis: genesis.time_millis,
                validators: genesis.validators.clone(),
            },
        }
    }

    /// A client that goes on from a block it came to in an earlier run. That the block is to be trusted
    /// is the caller's word; only that it is whole is checked.
    ///
    /// # Errors
    /// [`LightError`] if the block does not hold by itself.
    pub fn resume(chain: ChainId, block: LightBlock, options: Options) -> Result<Self, LightError> {
        Ok(Self {
            chain,
            options,
            trusted: Trusted::Block(Box::new(block.certify(chain)?)),
        })
    }

    /// The chain.
    #[must_use]
    pub const fn chain(&self) -> ChainId {
        self.chain
    }

    /// The height that is trusted.
    #[must_use]
    pub fn height(&self) -> Height {
        match &self.trusted {
            Trusted::Genesis { .. } => Height(0),
            Trusted::Block(block) => block.light().header.height,
        }
    }

    /// The time of the trusted block, in Unix milliseconds.
    #[must_use]
    pub fn time_millis(&self) -> u64 {
        match &self.trusted {
            Trusted::Genesis { time_millis, .. } => *time_millis,
            Trusted::Block(block) => block.light().header.time_millis,
        }
    }

    /// The trusted block; `None` while only the genesis is.
    #[must_use]
    pub fn block(&self) -> Option<&LightBlock> {
        match &self.trusted {
            Trusted::Genesis { .. } => None,
            Trusted::Block(block) => Some(block.light()),
        }
    }

    /// The trusted block's hash; `None` while only the genesis is trusted.
    #[must_use]
    pub fn hash(&self) -> Option<Digest> {
        match &self.trusted {
            Trusted::Genesis { .. } => None,
            Trusted::Block(block) => Some(block.hash()),
        }
    }

    /// The validators that certify the next height.
    #[must_use]
    pub fn next_validators(&self) -> &ValidatorSet {
        match &self.trusted {
            Trusted::Genesis { validators, .. } => validators,
            Trusted::Block(block) => block.light().next(),
        }
    }

    /// Follows a block: the next one, or any later one that enough of the known validators signed.
    /// The same block again changes nothing. A refused block changes nothing.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn advance(&mut self, block: LightBlock, now_millis: u64) -> Result<Step, LightError> {
        self.accept(block.certify(self.chain)?, now_millis)
    }

    /// As [`LightClient::advance`], for a block whose signatures were verified already.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn accept(&mut self, block: CertifiedBlock, now_millis: u64) -> Result<Step, LightError> {
        let step = self.judge(&block, now_millis)?;
        self.trusted = Trusted::Block(Box::new(block));
        Ok(step)
    }

    /// Whether a block follows from what is trusted, without following it.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn judge(&self, block: &CertifiedBlock, now_millis: u64) -> Result<Step, LightError> {
        let light = block.light();
        let (header, height) = (&light.header, light.header.height);
        if header.chain != self.chain {
            return Err(LightError::OtherChain);
        }
        if height <= self.height() {
            return self.compare(block);
        }
        self.check_time(header.time_millis, now_millis)?;
        if Some(height) == self.height().next() {
            self.check_adjacent(block)?;
        } else {
            self.check_skipped(light)?;
        }
        Ok(Step {
            height,
            validators_changed: light.next() != self.next_validators(),
        })
    }

    /// Compares a certified block with the trusted one: the same, or evidence that somebody lies
    /// ([LCD-IP-STATEMENT.1]).
    fn compare(&self, block: &CertifiedBlock) -> Result<Step, LightError> {
        let older = LightError::Older {
            height: block.light().header.height,
            trusted: self.height(),
        };
        let Trusted::Block(trusted) = &self.trusted else {
            return Err(older);
        };
        if trusted.light().header.height != block.light().header.height {
            return Err(older);
        }
        if trusted.hash() != block.hash() {
            let fork = Fork::new(trusted.light().clone(), block.light().clone());
            return Err(LightError::Fork(Box::new(fork)));
        }
        Ok(Step {
            height: self.height(),
            validators_changed: false,
        })
    }

    fn check_time(&self, time_millis: u64, now_millis: u64) -> Result<(), LightError> {
        let trusted = self.time_millis();
        if time_millis <= trusted {
            return Err(LightError::Time);
        }
        let ahead = time_millis.saturating_sub(now_millis);
        if ahead > self.options.clock_drift_millis {
            return Err(LightError::Future {
                ahead_millis: ahead,
            });
        }
        let age = now_millis.saturating_sub(trusted);
        match self.options.trusting_period_millis {
            Some(period) if age >= period => Err(LightError::Expired { age_millis: age }),
            _ => Ok(()),
        }
    }

    fn check_adjacent(&self, block: &CertifiedBlock) -> Result<(), LightError> {
        let light = block.light();
        if light.validators != *self.next_validators() {
            return Err(LightError::NotNamed);
        }
        match &self.trusted {
            Trusted::Block(trusted) if trusted.hash() != light.header.parent => {
                Err(LightError::Parent)
            }
            _ => Ok(()),
        }
    }

    fn check_skipped(&self, light: &LightBlock) -> Result<(), LightError> {
        let known = self.next_validators();
        let power = light.power_within(known);
        let total = known.total_power();
        if u128::from(power) * 3 <= u128::from(total) {
            return Err(LightError::NotEnoughTrust { power, total });
        }
        Ok(())
    }

    /// What the state after the trusted block holds under `key`: the value, or `None` if nothing.
    ///
    /// # Errors
    /// [`LightError::NoState`] while only the genesis is trusted, [`LightError::State`] if the proof
    /// does not hold.
    pub fn verify_state<'a>(
        &self,
        key: &StateKey,
        proof: &'a StateProof,
    ) -> Result<Option<&'a [u8]>, LightError> {
        let block = self.block().ok_or(LightError::NoState)?;
        Ok(proof.verify(&block.header.state_root, key)?)
    }
}
