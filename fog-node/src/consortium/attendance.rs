//! How the validators took part in the last 24 hours, half an hour a cell.
//!
//! Counted once a block, one block late, so that signatures that come after the decision count as well.
//! In memory: after a start it is read back from the last [`READ_BACK`] blocks, of which only the
//! certificates are left.

use std::collections::BTreeMap;

use ledger_consortium::{Consortium, Participation, Signed};
use ledger_core::{Height, PublicKey};
use ledger_store::StoreError;

/// Length of a cell in milliseconds.
const CELL_MILLIS: u64 = 30 * 60 * 1000;
/// Cells of a day.
pub(super) const CELLS: u64 = 48;
/// Blocks read back after a start, and asked for at a time.
const READ_BACK: u64 = 1000;

/// Blocks signed of those there were.
#[derive(Clone, Copy, Default)]
struct Count {
    signed: u32,
    blocks: u32,
}

impl Count {
    fn share(self) -> Option<f64> {
        (self.blocks > 0).then(|| f64::from(self.signed) / f64::from(self.blocks))
    }
}

/// What has been counted.
#[derive(Default)]
pub(crate) struct Attendance {
    counted: Option<Height>,
    cells: BTreeMap<u64, BTreeMap<PublicKey, Count>>,
    last_signed: BTreeMap<PublicKey, Height>,
}

impl Attendance {
    /// Counts the blocks below `tip` that are not counted yet.
    ///
    /// # Errors
    /// [`StoreError`] if the replica cannot be read.
    pub(super) fn advance(
        &mut self,
        consortium: &Consortium,
        tip: Height,
    ) -> Result<(), StoreError> {
        let last = tip.0.saturating_sub(1);
        let earliest = last.saturating_sub(READ_BACK - 1).max(1);
        let next = self.counted.map_or(earliest, |counted| counted.0 + 1);
        let from = next.max(earliest);
        if from > last {
            return Ok(());
        }
        for block in consortium.participation(Height(from), Height(last))? {
            self.count(&block);
        }
        self.counted = Some(Height(last));
        Ok(())
    }

    fn count(&mut self, block: &Participation) {
        let cell = self.cells.entry(block.time_millis / CELL_MILLIS);
        let cell = cell.or_default();
        for (key, signed) in &block.validators {
            let count = cell.entry(*key).or_default();
            count.blocks += 1;
            if *signed != Signed::NotSeen {
                count.signed += 1;
                self.last_signed.insert(*key, block.height);
            }
        }
        while self.cells.len() as u64 > CELLS + 1 {
            self.cells.pop_first();
        }
    }

    /// The share of blocks a validator signed in each cell of the 24 hours before `now`, oldest first.
    pub(super) fn cells_of(&self, key: &PublicKey, now_millis: u64) -> Vec<Option<f64>> {
        let last = now_millis / CELL_MILLIS;
        (last.saturating_sub(CELLS - 1)..=last)
            .map(|cell| self.cells.get(&cell)?.get(key)?.share())
            .collect()
    }

    /// The share of blocks a validator signed in the 24 hours before `now`.
    pub(super) fn share_of(&self, key: &PublicKey, now_millis: u64) -> Option<f64> {
        let last = now_millis / CELL_MILLIS;
        let cells = self.cells.range(last.saturating_sub(CELLS - 1)..=last);
        let sum =
            cells
                .filter_map(|(_, cell)| cell.get(key))
                .fold(Count::default(), |sum, count| Count {
                    signed: sum.signed + count.signed,
                    blocks: sum.blocks + count.blocks,
                });
        sum.share()
    }

    /// The newest block that this node knows a validator to have signed.
    pub(super) fn last_signed(&self, key: &PublicKey) -> Option<Height> {
        self.last_signed.get(key).copied()
    }
}

#[cfg(test)]
mod tests {
    //! Goal: shares are of the blocks there were, cell by cell. Method: blocks made up.
    use super::*;

    fn block(height: u64, time_millis: u64, signed: [Signed; 2]) -> Participation {
        let keys = [PublicKey([1; 32]), PublicKey([2; 32])];
        Participation {
            height: Height(height),
            time_millis,
            proposer: keys[0],
            round: 0,
            validators: keys.into_iter().zip(signed).collect(),
        }
    }

    #[test]
    fn shares_are_of_the_blocks_there_were() {
        let (one, two) = (PublicKey([1; 32]), PublicKey([2; 32]));
        let day = 100 * CELLS * CELL_MILLIS;
        let mut attendance = Attendance::default();
        attendance.count(&block(1, day, [Signed::InTime, Signed::NotSeen]));
        attendance.count(&block(2, day + 1, [Signed::Late, Signed::InTime]));
        attendance.count(&block(
            3,
            day + 3 * CELL_MILLIS,
            [Signed::NotSeen, Signed::InTime],
        ));
        let now = day + 3 * CELL_MILLIS;
        let cells = attendance.cells_of(&two, now);
        assert_eq!(cells.len() as u64, CELLS);
        assert_eq!(cells[44..], [Some(0.5), None, None, Some(1.0)]);
        assert_eq!(attendance.share_of(&one, now), Some(2.0 / 3.0));
        assert_eq!(attendance.last_signed(&one), Some(Height(2)));
        assert_eq!(attendance.share_of(&PublicKey([3; 32]), now), None);
        // A day later nothing of it is left.
        let later = now + CELLS * CELL_MILLIS;
        assert_eq!(attendance.share_of(&two, later), None);
    }
}
