//! How long finality took, lately: for the status, the plots, and the alarm.

use std::collections::{BTreeMap, VecDeque};

use fog_api::{Finality, FinalityPoint, FinalitySeries};

/// Blocks remembered: a day at one a second.
const MAX_BLOCKS: usize = 86_400;
/// Transactions the percentiles are taken over.
const RECENT: usize = 1000;
/// Blocks whose times a list can show.
const SHOWN_BLOCKS: usize = 1000;
/// Buckets a series has at the most.
const BUCKETS: u32 = 300;

/// One final block.
#[derive(Clone, Debug)]
pub struct BlockStat {
    /// Its height.
    pub height: u64,
    /// When it was final here, in Unix milliseconds.
    pub time: i64,
    /// Milliseconds from submission to finality of each of its transactions that was submitted here.
    pub own_ms: Vec<f64>,
    /// Its transactions.
    pub transactions: u32,
    /// The readings they anchor.
    pub readings: u64,
}

/// What is remembered of the last blocks.
#[derive(Debug, Default)]
pub struct FinalityLog {
    blocks: VecDeque<(BlockStat, Option<f64>)>,
    recent: VecDeque<f64>,
}

impl FinalityLog {
    /// Notes a block; the blocks come in order.
    pub fn push(&mut self, block: BlockStat) {
        let before = self.blocks.back().map(|(before, _)| before.time);
        let interval = before.map(|before| (block.time - before).max(0) as f64);
        for took in &block.own_ms {
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(*took);
        }
        if self.blocks.len() == MAX_BLOCKS {
            self.blocks.pop_front();
        }
        self.blocks.push_back((block, interval));
    }

    /// The percentiles over the last transactions submitted here.
    #[must_use]
    pub fn finality(&self, limit_ms: u32) -> Finality {
        let mut sorted: Vec<f64> = self.recent.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        Finality {
            p50_ms: percentile(&sorted, 50),
            p99_ms: percentile(&sorted, 99),
            limit_ms,
        }
    }

    /// The longest time to finality in each block that held a transaction submitted here, by height.
    #[must_use]
    pub fn by_height(&self) -> BTreeMap<u64, Option<f64>> {
        let longest = |block: &BlockStat| block.own_ms.iter().copied().reduce(f64::max);
        let blocks = self.blocks.iter().rev().take(SHOWN_BLOCKS);
        blocks
            .map(|(block, _)| (block.height, longest(block)))
            .collect()
    }

    /// The last `minutes` in equal buckets.
    #[must_use]
    pub fn series(&self, now: i64, minutes: u32, limit_ms: u32) -> FinalitySeries {
        let span = i64::from(minutes.clamp(1, 24 * 60)) * 60_000;
        let bucket_ms = u32::try_from(span / i64::from(BUCKETS))
            .unwrap_or(u32::MAX)
            .max(1000);
        let start = now - span;
        let mut points: Vec<FinalityPoint> = Vec::new();
        let mut own: Vec<f64> = Vec::new();
        let mut intervals: Vec<f64> = Vec::new();
        let first = self.blocks.partition_point(|(block, _)| block.time < start);
        for (block, interval) in self.blocks.range(first..) {
            let time = block.time - block.time.rem_euclid(i64::from(bucket_ms));
            if points.last().is_none_or(|point| point.time != time) {
                close(points.last_mut(), &mut own, &mut intervals);
                points.push(FinalityPoint {
                    time,
                    p50_ms: None,
                    p99_ms: None,
                    interval_ms: None,
                    blocks: 0,
                    transactions: 0,
                    readings: 0,
                });
            }
            own.extend(&block.own_ms);
            intervals.extend(interval);
            if let Some(point) = points.last_mut() {
                point.blocks += 1;
                point.transactions += block.transactions;
                point.readings += block.readings;
            }
        }
        close(points.last_mut(), &mut own, &mut intervals);
        FinalitySeries {
            bucket_ms,
            limit_ms,
            points,
        }
    }
}

fn close(point: Option<&mut FinalityPoint>, own: &mut Vec<f64>, intervals: &mut Vec<f64>) {
    if let Some(point) = point {
        own.sort_by(f64::total_cmp);
        point.p50_ms = percentile(own, 50);
        point.p99_ms = percentile(own, 99);
        if !intervals.is_empty() {
            point.interval_ms = Some(intervals.iter().sum::<f64>() / intervals.len() as f64);
        }
    }
    own.clear();
    intervals.clear();
}

/// The value that `percent` of the sorted values do not exceed (nearest rank).
#[must_use]
pub fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    //! Goal: percentiles and buckets say what the blocks were. Method: tables.

    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        for (percent, expected) in [(1, 1.0), (50, 50.0), (99, 99.0), (100, 100.0)] {
            assert_eq!(percentile(&values, percent), Some(expected));
        }
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7.0], 99), Some(7.0));
    }

    #[test]
    fn buckets_add_up() {
        let mut log = FinalityLog::default();
        for second in 0i64..600 {
            log.push(BlockStat {
                height: second.unsigned_abs(),
                time: second * 1000,
                own_ms: vec![5.0],
                transactions: 1,
                readings: 10,
            });
        }
        let series = log.series(600_000, 5, 500);
        assert_eq!(
            series
                .points
                .iter()
                .map(|point| point.readings)
                .sum::<u64>(),
            3000
        );
        assert!(
            series
                .points
                .iter()
                .all(|point| point.interval_ms == Some(1000.0))
        );
        assert_eq!(log.finality(500).p99_ms, Some(5.0));
    }
}
