//! A replica in memory: the same checks and the same execution as [`crate::Replica`], without a file.
//!
//! For the simulated consortium, which needs many replicas a second and decides itself what a crash
//! leaves of them. Left out: durability, readers beside the writer, proposals not decided yet.

use std::borrow::Borrow;

use ledger_core::block::{Block, Header};
use ledger_core::certificate::Certificate;
use ledger_core::digest::Digest;
use ledger_core::genesis::Genesis;
use ledger_core::governance;
use ledger_core::ids::{ChainId, Height};
use ledger_core::key::{PublicKey, SecretKey};
use ledger_core::state::{StateKey, StateReadError, StateView, Writes, read};
use ledger_core::state_tree::root_after;
use ledger_core::transaction::{Payload, SignedTransaction, TransactionBody, VerifiedTransaction};
use ledger_core::validators::ValidatorSet;

use crate::apply::{self, CheckedBlock, Position, Prepared, TimeRule};
use crate::error::{Refusal, StoreError, damaged};
use crate::memory::MemoryState;
use crate::replica::VerifiedCertificate;

/// A block of the chain with what belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryBlock {
    /// The block.
    pub block: Block,
    /// Its hash.
    pub hash: Digest,
    /// Why it is final; block 0 has none.
    pub certificate: Option<Certificate>,
    /// The validators that certify it.
    pub validators: ValidatorSet,
}

/// One chain's replica in memory.
pub struct MemoryReplica {
    chain: ChainId,
    genesis: Genesis,
    state: MemoryState,
    blocks: Vec<MemoryBlock>,
}

impl MemoryReplica {
    /// Starts a chain: signs the genesis with `founder` and appends block 0.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the genesis is none.
    pub fn found(genesis: &Genesis, founder: &SecretKey) -> Result<Self, StoreError> {
        let body = TransactionBody {
            chain: genesis.chain_id(),
            nonce: Default::default(),
            payload: Payload::Genesis(genesis.clone()),
        };
        let transaction = SignedTransaction::sign(&body, founder)
            .verify(body.chain)
            .map_err(|error| Refusal::Transaction { index: 0, error })?;
        let state = MemoryState::default();
        let first = Position::first(genesis);
        let time_millis = genesis.time_millis;
        let founder = founder.public();
        let prepared = apply::prepare(&state, first, [transaction], time_millis, founder)?;
        if !prepared.refused.is_empty() {
            return Err(Refusal::Genesis.into());
        }
        let mut replica = Self {
            chain: body.chain,
            genesis: genesis.clone(),
            state,
            blocks: Vec::new(),
        };
        replica.take(&prepared.block, None);
        Ok(replica)
    }

    /// Joins a chain: takes a block 0 from elsewhere, if it is that of the genesis trusted here.
    ///
    /// # Errors
    /// [`StoreError::Refused`].
    pub fn join(genesis: &Genesis, block: &Block) -> Result<Self, StoreError> {
        let state = MemoryState::default();
        let checked = apply::check(&state, Position::first(genesis), block, &|_| None)?;
        let mut replica = Self {
            chain: genesis.chain_id(),
            genesis: genesis.clone(),
            state,
            blocks: Vec::new(),
        };
        replica.take(&checked, None);
        Ok(replica)
    }

    /// The chain's id and the document it starts from.
    #[must_use]
    pub const fn chain(&self) -> (ChainId, &Genesis) {
        (self.chain, &self.genesis)
    }

    /// All blocks, from block 0 on.
    #[must_use]
    pub fn blocks(&self) -> &[MemoryBlock] {
        &self.blocks
    }

    /// The block at a height.
    #[must_use]
    pub fn at(&self, height: Height) -> Option<&MemoryBlock> {
        self.blocks.get(usize::try_from(height.0).ok()?)
    }

    /// Hash and header of the last block.
    ///
    /// # Errors
    /// [`StoreError::Unfounded`], which no constructor leaves behind.
    pub fn tip(&self) -> Result<(Digest, &Header), StoreError> {
        let last = self.blocks.last().ok_or(StoreError::Unfounded)?;
        Ok((last.hash, &last.block.header))
    }

    /// The validators that certify the next block.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the state names none.
    pub fn next_validators(&self) -> Result<ValidatorSet, StoreError> {
        let found = read(&self.state, &StateKey::validators())?;
        found.ok_or_else(|| damaged("the state names no validators"))
    }

    /// As [`crate::Replica::prepare`].
    ///
    /// # Errors
    /// As there.
    pub fn prepare<I>(
        &self,
        candidates: I,
        time_millis: u64,
        proposer: PublicKey,
    ) -> Result<Prepared, StoreError>
    where
        I: IntoIterator<Item: Borrow<VerifiedTransaction>>,
    {
        let position = self.position()?;
        apply::prepare(&self.state, position, candidates, time_millis, proposer)
    }

    /// As [`crate::Replica::check_knowing`].
    ///
    /// # Errors
    /// As there.
    pub fn check_knowing(
        &self,
        block: &Block,
        known: impl Fn(&Digest) -> Option<VerifiedTransaction> + Sync,
    ) -> Result<CheckedBlock, StoreError> {
        apply::check(&self.state, self.position()?, block, &known)
    }

    /// Appends a checked block with its certificate.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if it does not follow the tip or the certificate is another block's.
    pub fn append(
        &mut self,
        block: &CheckedBlock,
        certificate: &VerifiedCertificate,
    ) -> Result<(), StoreError> {
        let certificate = certificate.certificate();
        let header = block.header();
        if certificate.block != block.hash() || certificate.height != header.height {
            return Err(Refusal::OtherCertificate.into());
        }
        let expected = self.position()?;
        if header.height != expected.height {
            return Err(Refusal::Height {
                expected: expected.height,
                actual: header.height,
            }
            .into());
        }
        if header.parent != expected.parent {
            return Err(Refusal::Parent.into());
        }
        self.take(block, Some(certificate.clone()));
        Ok(())
    }

    /// The state root, computed anew from every entry and from nothing else.
    ///
    /// # Errors
    /// [`StoreError`] if the tree cannot be built.
    pub fn root_of_entries(&self) -> Result<Digest, StoreError> {
        // The root depends on the entries alone, not on the heights that wrote them.
        let writes: Writes = self
            .state
            .entries
            .iter()
            .map(|(key, (_, value))| (key.clone(), value.clone()))
            .collect();
        let (root, _) = root_after(&MemoryState::default(), Height(0), &writes)?;
        Ok(root)
    }

    /// All state entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = (&StateKey, &[u8])> {
        let entries = self.state.entries.iter();
        entries.map(|(key, (_, value))| (key, value.as_slice()))
    }

    /// Changes a state entry behind the chain's back, to see who notices.
    pub fn spoil_entry(&mut self, key: StateKey, value: Vec<u8>) {
        let height = self.blocks.len() as u64;
        self.state.entries.insert(key, (height, value));
    }

    fn position(&self) -> Result<Position, StoreError> {
        let (parent, header) = self.tip()?;
        let height = header.height.next();
        Ok(Position {
            chain: self.chain,
            height: height.ok_or_else(|| damaged("no height is left"))?,
            parent,
            time: TimeRule::After(header.time_millis),
            validators: self.next_validators()?,
            max_bytes: u64::from(governance::parameters(self)?.max_block_bytes),
        })
    }

    fn take(&mut self, block: &CheckedBlock, certificate: Option<Certificate>) {
        let height = block.header().height;
        self.state.absorb(height.0, &block.writes, &block.update);
        self.blocks.push(MemoryBlock {
            block: block.block.clone(),
            hash: block.hash,
            certificate,
            validators: block.validators.clone(),
        });
    }
}

impl StateView for MemoryReplica {
    fn get(&self, key: &StateKey) -> Result<Option<Vec<u8>>, StateReadError> {
        self.state.get(key)
    }
}

impl std::fmt::Debug for MemoryReplica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let blocks = self.blocks.len();
        f.debug_struct("MemoryReplica")
            .field("blocks", &blocks)
            .finish_non_exhaustive()
    }
}
