//! What light clients are served from: light blocks of any height, and proofs of the state after the tip.
//!
//! The state's tree is kept for the tip only, so older states cannot be proven; headers, certificates
//! and validators are kept for every height.

use ledger_core::ids::Height;
use ledger_core::light::LightBlock;
use ledger_core::state::StateKey;
use ledger_core::state_proof::{self, StateProof};
use ledger_core::validators::ValidatorSet;

use crate::error::{StoreError, damaged};
use crate::snapshot::{MAX_ROWS, Snapshot, Tip};
use crate::table::certificates;

impl Snapshot<'_> {
    /// Up to `limit` (at most [`MAX_ROWS`]) light blocks from a height on, in order and without a hole.
    /// Block 0 has none: nothing certifies it. They end before a block whose certificate was never here:
    /// a replica that started from a snapshot holds few of those before it.
    ///
    /// # Errors
    /// [`StoreError`] if the replica cannot be read or is damaged; so for all readers below.
    pub fn light_blocks(&self, from: Height, limit: u32) -> Result<Vec<LightBlock>, StoreError> {
        let from = from.max(Height(1));
        let mut validators: Option<ValidatorSet> = None;
        let mut blocks = Vec::new();
        for summary in self.blocks(from, limit.min(MAX_ROWS))? {
            let header = summary.header;
            let height = header.height;
            let current = match validators.take() {
                Some(set) => set,
                None => self.validators_of(height)?,
            };
            let next = if header.next_validators_hash == header.validators_hash {
                current.clone()
            } else {
                self.validators_of(Height(height.0.saturating_add(1)))?
            };
            let Some(certificate) = self.certificate(height)? else {
                break;
            };
            validators = Some(next.clone());
            blocks.push(LightBlock::new(header, certificate, current, next));
        }
        Ok(blocks)
    }

    /// The height from which on every block's certificate is here.
    ///
    /// # Errors
    /// As [`Snapshot::light_blocks`].
    pub fn certified_from(&self) -> Result<Height, StoreError> {
        certificates::unbroken_from(self.connection()?)
    }

    /// The light block of a height, or `None` above the tip and at 0.
    ///
    /// # Errors
    /// As [`Snapshot::light_blocks`].
    pub fn light_block(&self, height: Height) -> Result<Option<LightBlock>, StoreError> {
        let block = self.light_blocks(height, 1)?.pop();
        Ok(block.filter(|block| block.header.height == height))
    }

    /// The tip's height, and the proof of what the state after it holds under `key`.
    ///
    /// # Errors
    /// As [`Snapshot::light_blocks`], or [`StoreError::Unfounded`].
    pub fn prove_state(&self, key: &StateKey) -> Result<(Height, StateProof), StoreError> {
        let height = self.tip().map(Tip::height).ok_or(StoreError::Unfounded)?;
        Ok((height, state_proof::prove(self, height, key)?))
    }

    fn validators_of(&self, height: Height) -> Result<ValidatorSet, StoreError> {
        let found = self.validators_at(height)?;
        found.ok_or_else(|| damaged(format!("block {height} has no validators")))
    }
}
