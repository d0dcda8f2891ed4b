//! How the validators took part: in the last 24 hours, half an hour a cell, and finer for the plots.
//!
//! Counted once a block, one block late, so that signatures that come after the decision count as well.
//! In memory: after a start it is read back from the last [`READ_BACK`] blocks, of which only the
//! certificates are left.

use std::collections::{BTreeMap, BTreeSet};

use ledger_consortium::{Consortium, Participation, Signed};
use ledger_core::{Height, PublicKey};
use ledger_store::StoreError;

/// Length of a cell in milliseconds.
const CELL_MILLIS: u64 = 30 * 60 * 1000;
/// Cells of a day.
pub(super) const CELLS: u64 = 48;
/// Most stretches of a plot; see [`Stretch`].
pub(super) const STRETCHES: u64 = 300;
/// Blocks read back after a start, and asked for at a time.
const READ_BACK: u64 = 1000;

/// How finely a plot looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stretch {
    /// Half an hour in stretches of six seconds.
    Seconds,
    /// A day in stretches of less than five minutes.
    Minutes,
}

impl Stretch {
    /// What shows at least the last `minutes`, as far as anything does.
    pub(super) const fn showing(minutes: u32) -> Self {
        if minutes <= 30 {
            Self::Seconds
        } else {
            Self::Minutes
        }
    }

    /// Its length in milliseconds.
    pub(super) const fn millis(self) -> u64 {
        match self {
            Self::Seconds => 6_000,
            Self::Minutes => 288_000,
        }
    }

    /// The numbers of the last [`STRETCHES`] stretches; a number times the length is where it begins.
    pub(super) const fn until(self, now_millis: u64) -> std::ops::RangeInclusive<u64> {
        let last = now_millis / self.millis();
        last.saturating_sub(STRETCHES - 1)..=last
    }
}

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

/// Counts by cell and validator.
#[derive(Default)]
struct Cells(BTreeMap<u64, BTreeMap<PublicKey, Count>>);

impl Cells {
    /// Counts a block in `cell` and keeps the newest `most` cells.
    fn count(&mut self, cell: u64, block: &Participation, most: u64) {
        let cell = self.0.entry(cell).or_default();
        for (key, signed) in &block.validators {
            let count = cell.entry(*key).or_default();
            count.blocks += 1;
            count.signed += u32::from(*signed != Signed::NotSeen);
        }
        while self.0.len() as u64 > most {
            self.0.pop_first();
        }
    }

    fn share(&self, cell: u64, key: &PublicKey) -> Option<f64> {
        self.0.get(&cell)?.get(key)?.share()
    }
}

/// What has been counted.
#[derive(Default)]
pub(crate) struct Attendance {
    counted: Option<Height>,
    day: Cells,
    seconds: Cells,
    minutes: Cells,
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
        let number = |length: u64| block.time_millis / length;
        self.day.count(number(CELL_MILLIS), block, CELLS + 1);
        for stretch in [Stretch::Seconds, Stretch::Minutes] {
            let cell = number(stretch.millis());
            self.plotted_mut(stretch).count(cell, block, STRETCHES + 1);
        }
        for (key, signed) in &block.validators {
            if *signed != Signed::NotSeen {
                self.last_signed.insert(*key, block.height);
            }
        }
    }

    const fn plotted_mut(&mut self, stretch: Stretch) -> &mut Cells {
        match stretch {
            Stretch::Seconds => &mut self.seconds,
            Stretch::Minutes => &mut self.minutes,
        }
    }

    const fn plotted(&self, stretch: Stretch) -> &Cells {
        match stretch {
            Stretch::Seconds => &self.seconds,
            Stretch::Minutes => &self.minutes,
        }
    }

    /// The validators of the stretches before `now`, each with the share of blocks it signed in each;
    /// `None` where there was no block, or it was no validator.
    pub(super) fn plot(
        &self,
        stretch: Stretch,
        now_millis: u64,
    ) -> BTreeMap<PublicKey, Vec<Option<f64>>> {
        let cells = self.plotted(stretch);
        let shown = stretch.until(now_millis);
        let counts = cells.0.range(shown.clone());
        let keys: BTreeSet<_> = counts.flat_map(|(_, cell)| cell.keys().copied()).collect();
        let shares = |key: &PublicKey| shown.clone().map(|cell| cells.share(cell, key)).collect();
        keys.into_iter().map(|key| (key, shares(&key))).collect()
    }

    /// The share of blocks a validator signed in each cell of the 24 hours before `now`, oldest first.
    pub(super) fn cells_of(&self, key: &PublicKey, now_millis: u64) -> Vec<Option<f64>> {
        let last = now_millis / CELL_MILLIS;
        (last.saturating_sub(CELLS - 1)..=last)
            .map(|cell| self.day.share(cell, key))
            .collect()
    }

    /// The share of blocks a validator signed in the 24 hours before `now`.
    pub(super) fn share_of(&self, key: &PublicKey, now_millis: u64) -> Option<f64> {
        let last = now_millis / CELL_MILLIS;
        let cells = self.day.0.range(last.saturating_sub(CELLS - 1)..=last);
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
        // The plots look closer: the first two blocks are in one stretch of six seconds.
        let plot = attendance.plot(Stretch::Seconds, day + 1);
        assert_eq!(plot[&one].last(), Some(&Some(1.0)));
        assert_eq!(plot[&two].last(), Some(&Some(0.5)));
        assert_eq!(plot[&two].len() as u64, STRETCHES);
        assert_eq!(plot[&two].iter().flatten().count(), 1);
        // A day later nothing of it is left.
        let later = now + CELLS * CELL_MILLIS;
        assert_eq!(attendance.share_of(&two, later), None);
    }
}
