//! Proposals of the height that is being decided: checked, kept on disk before anybody is told, found
//! again after a restart.
//!
//! On disk a proposal is `postcard(Kept { valid_round, proposer, block })`, where `proposer` is who
//! proposed it in that round, not necessarily who built the block. Only valid proposals are kept.
//! Proposals of heights further ahead wait in memory, unchecked, until their height begins: their
//! parent is not here yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_malachitebft_app_channel::app::types::ProposedValue;
use arc_malachitebft_app_channel::app::types::core::{Round, Validity};
use ledger_core::block::MAX_BLOCK_BYTES;
use ledger_core::{Block, Digest, Height, PublicKey, VerifiedTransaction, canonical};
use ledger_store::{CheckedBlock, Replica, StoreError, Undecided};
use serde::{Deserialize, Serialize};

use crate::adapter::context::ProposalStart;
use crate::adapter::{Address, BlockHeight, Chain, ValueHash};
use crate::parts::Assembled;

/// Proposals of later heights kept until their turn.
const MAX_AHEAD: usize = 8;
/// Blocks of one height that are checked for one publisher: one for each round, and more rounds than
/// there ever should be.
const MAX_BLOCKS_PER_PUBLISHER: u32 = 64;
/// How far a proposer's clock may be ahead of ours, in milliseconds.
pub const MAX_CLOCK_AHEAD_MILLIS: u64 = 10_000;

#[derive(Serialize, Deserialize)]
struct Kept {
    valid_round: Option<u32>,
    proposer: PublicKey,
    #[serde(with = "serde_bytes")]
    block: Vec<u8>,
}

/// What checking a block from elsewhere came to.
#[derive(Debug)]
pub(crate) enum Checked {
    /// Valid, and kept on disk.
    Valid,
    /// The block with the announced hash, but not a valid one.
    Invalid,
    /// The bytes are not the announced block: they prove nothing about it.
    Garbage,
}

/// The proposals of the next height.
pub(crate) struct Proposals {
    replica: Arc<Replica>,
    checked: BTreeMap<Digest, CheckedBlock>,
    ahead: Vec<Assembled>,
    allowance: BTreeMap<PublicKey, u32>,
}

impl Proposals {
    pub(crate) const fn new(replica: Arc<Replica>) -> Self {
        Self {
            replica,
            checked: BTreeMap::new(),
            ahead: Vec::new(),
            allowance: BTreeMap::new(),
        }
    }

    /// Keeps a block that is valid by construction, or was checked. Durable when this returns.
    pub(crate) fn keep(
        &mut self,
        round: Round,
        valid_round: Round,
        proposer: PublicKey,
        block: CheckedBlock,
    ) -> Result<(), StoreError> {
        let kept = Kept {
            valid_round: valid_round.as_u32(),
            proposer,
            block: block.block().encode(),
        };
        self.replica.keep_undecided(&Undecided {
            height: block.header().height,
            round: round.as_u32().unwrap_or(0),
            hash: block.hash(),
            bytes: canonical::encode(&kept),
        })?;
        self.checked.insert(block.hash(), block);
        Ok(())
    }

    /// Checks a proposal from elsewhere for the next height, and keeps it if it is valid.
    pub(crate) fn check(
        &mut self,
        start: &ProposalStart,
        bytes: &[u8],
        now_millis: u64,
        known: impl Fn(&Digest) -> Option<VerifiedTransaction> + Sync,
    ) -> Result<Checked, StoreError> {
        let Ok(block) = Block::decode(bytes) else {
            return Ok(Checked::Garbage);
        };
        if block.header.hash() != start.block || block.header.height != start.height {
            return Ok(Checked::Garbage);
        }
        let checked = match self.checked.get(&start.block) {
            Some(checked) => checked.clone(),
            None => {
                if !self.is_timely(&block, now_millis)? {
                    return Ok(Checked::Invalid);
                }
                match self.replica.check_knowing(&block, known) {
                    Ok(checked) => checked,
                    Err(StoreError::Refused(refusal)) => {
                        tracing::warn!(height = %start.height, %refusal, "a proposal is not valid");
                        return Ok(Checked::Invalid);
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        self.keep(start.round, start.valid_round, start.proposer, checked)?;
        Ok(Checked::Valid)
    }

    /// Whether the block's time is not in our future. A block right after its parent always is timely,
    /// so that one clock that was wrong once cannot stop the chain.
    fn is_timely(&self, block: &Block, now_millis: u64) -> Result<bool, StoreError> {
        let snapshot = self.replica.read()?;
        let parent = snapshot.tip().map_or(0, |tip| tip.header.time_millis);
        let latest = now_millis.saturating_add(MAX_CLOCK_AHEAD_MILLIS);
        Ok(block.header.time_millis <= latest.max(parent.saturating_add(1)))
    }

    /// The proposals kept for a round, as the engine wants them.
    pub(crate) fn of_round(
        &self,
        height: Height,
        round: Round,
    ) -> Result<Vec<ProposedValue<Chain>>, StoreError> {
        let snapshot = self.replica.read()?;
        let kept = snapshot.undecided(height, round.as_u32().unwrap_or(0))?;
        let values = kept.iter().map(|undecided| {
            let (start, _) = announced(undecided)?;
            Ok(proposed(&start, Validity::Valid))
        });
        values.collect()
    }

    /// The proposal this node made in a round, if it made one.
    pub(crate) fn own(
        &self,
        height: Height,
        round: Round,
        me: &PublicKey,
    ) -> Result<Option<(ProposalStart, Vec<u8>)>, StoreError> {
        let snapshot = self.replica.read()?;
        for undecided in snapshot.undecided(height, round.as_u32().unwrap_or(0))? {
            let (start, block) = announced(&undecided)?;
            if start.proposer == *me {
                return Ok(Some((start, block)));
            }
        }
        Ok(None)
    }

    /// The latest proposal of a block.
    pub(crate) fn of_block(
        &self,
        height: Height,
        block: &Digest,
    ) -> Result<Option<(ProposalStart, Vec<u8>)>, StoreError> {
        let snapshot = self.replica.read()?;
        let kept = snapshot.undecided_block(height, block)?;
        kept.as_ref().map(announced).transpose()
    }

    /// Whether anything was proposed at a height; after a restart, that there is something to finish.
    pub(crate) fn any_at(&self, height: Height) -> Result<bool, StoreError> {
        Ok(!self.replica.read()?.undecided(height, 0)?.is_empty())
    }

    /// The decided block with all that follows from it: from memory, or checked anew from disk.
    pub(crate) fn decided(
        &mut self,
        height: Height,
        block: &Digest,
    ) -> Result<Option<CheckedBlock>, StoreError> {
        if let Some(checked) = self.checked.remove(block) {
            return Ok(Some(checked));
        }
        let Some((_, bytes)) = self.of_block(height, block)? else {
            return Ok(None);
        };
        let damaged = || StoreError::Damaged(format!("the proposal of height {height}"));
        let decoded = Block::decode(&bytes).map_err(|_| damaged())?;
        self.replica.check(&decoded).map(Some)
    }

    /// Puts a proposal of a later height aside.
    pub(crate) fn put_aside(&mut self, assembled: Assembled) {
        if self.ahead.len() >= MAX_AHEAD {
            self.ahead.remove(0);
        }
        self.ahead.push(assembled);
    }

    /// The proposals put aside for `height`.
    pub(crate) fn take_aside(&mut self, height: Height) -> Vec<Assembled> {
        let ahead = std::mem::take(&mut self.ahead);
        let (due, later): (Vec<_>, Vec<_>) = ahead
            .into_iter()
            .filter(|assembled| assembled.start.height >= height)
            .partition(|assembled| assembled.start.height == height);
        self.ahead = later;
        due
    }

    /// Whether another block of `publisher` is to be looked at, at this height.
    pub(crate) fn allow(&mut self, publisher: PublicKey) -> bool {
        let used = self.allowance.entry(publisher).or_default();
        *used += 1;
        *used <= MAX_BLOCKS_PER_PUBLISHER
    }

    /// The height is decided: what else was proposed is void.
    pub(crate) fn clear(&mut self) {
        self.checked.clear();
        self.allowance.clear();
    }
}

fn announced(undecided: &Undecided) -> Result<(ProposalStart, Vec<u8>), StoreError> {
    let damaged = |_| StoreError::Damaged(format!("the proposal of height {}", undecided.height));
    let kept: Kept =
        canonical::decode(&undecided.bytes, MAX_BLOCK_BYTES + 1024).map_err(damaged)?;
    let start = ProposalStart {
        height: undecided.height,
        round: Round::new(undecided.round),
        valid_round: Round::from(kept.valid_round),
        proposer: kept.proposer,
        block: undecided.hash,
        bytes: u32::try_from(kept.block.len()).unwrap_or(u32::MAX),
    };
    Ok((start, kept.block))
}

/// A proposal as the engine wants it.
pub(crate) const fn proposed(start: &ProposalStart, validity: Validity) -> ProposedValue<Chain> {
    ProposedValue {
        height: BlockHeight(start.height),
        round: start.round,
        valid_round: start.valid_round,
        proposer: Address(start.proposer),
        value: ValueHash(start.block),
        validity,
    }
}
