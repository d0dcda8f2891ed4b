//! What the plots of the consortium show: how much waits for a block, who signs, how far the peers are.
//!
//! Looked at once a second, which costs a lock and a few numbers, and kept in memory in two resolutions
//! ([`Stretch`]), so that a page that is opened late sees what was before. Time to finality has a log of
//! its own (`finality_log.rs`), signatures are counted by [`super::attendance`]. Left out: the disk; after
//! a start the series begin anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use fog_api::{ConsortiumSeries, NodeSeries};
use ledger_consortium::Status;
use ledger_core::PublicKey;

use super::attendance::{STRETCHES, Stretch};
use super::view::People;
use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::node::Node;

/// Most peers whose delay is kept.
const MAX_PEERS: usize = 256;

/// The looks of one stretch.
#[derive(Clone, Default)]
struct Cell {
    transactions: u64,
    bytes: u64,
    /// Sum of the delays in microseconds, and how many.
    delays: BTreeMap<PublicKey, (u64, u32)>,
}

impl Cell {
    fn take(&mut self, status: &Status) {
        self.transactions = self.transactions.max(status.waiting_transactions as u64);
        self.bytes = self.bytes.max(status.waiting_bytes as u64);
        let connected = status
            .peers
            .iter()
            .filter(|peer| peer.connected_millis.is_some());
        for peer in connected.take(MAX_PEERS) {
            if let Some(delay) = peer.delay_micros {
                let (sum, looks) = self.delays.entry(peer.key).or_default();
                *sum = sum.saturating_add(delay);
                *looks += 1;
            }
        }
    }

    fn delay_ms(&self, key: &PublicKey) -> Option<f64> {
        let (sum, looks) = self.delays.get(key)?;
        Some((*sum as f64 / f64::from(*looks)).round() / 1000.0)
    }
}

/// What waited, and how far the peers were, lately.
#[derive(Default)]
pub(crate) struct LoadLog {
    seconds: BTreeMap<u64, Cell>,
    minutes: BTreeMap<u64, Cell>,
}

impl LoadLog {
    /// Looks at `status`.
    fn take(&mut self, status: &Status, now_millis: u64) {
        for stretch in [Stretch::Seconds, Stretch::Minutes] {
            let cells = match stretch {
                Stretch::Seconds => &mut self.seconds,
                Stretch::Minutes => &mut self.minutes,
            };
            let number = now_millis / stretch.millis();
            cells.entry(number).or_default().take(status);
            // Of a clock that was set back, what is later than now goes first.
            while cells.len() as u64 > STRETCHES {
                if cells
                    .last_key_value()
                    .is_some_and(|(last, _)| *last > number)
                {
                    cells.pop_last();
                } else {
                    cells.pop_first();
                }
            }
        }
    }

    /// The stretches before `now_millis`, `None` for those that nobody looked at.
    fn shown(&self, stretch: Stretch, now_millis: u64) -> Vec<Option<&Cell>> {
        let cells = match stretch {
            Stretch::Seconds => &self.seconds,
            Stretch::Minutes => &self.minutes,
        };
        let numbers = stretch.until(now_millis);
        numbers.map(|number| cells.get(&number)).collect()
    }
}

impl Node {
    /// Looks at how much waits and how far the peers are; says how many validators are here. Called once a
    /// second.
    pub(crate) fn note_load(&self) -> usize {
        let status = self.consortium.status();
        // Each change leaves the log whole.
        let mut log = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        log.take(&status, unix_millis());
        status.quorum.present
    }

    /// What the plots of the consortium show: the last half hour, or the last day if more is asked for.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub async fn consortium_series(
        self: &Arc<Self>,
        minutes: u32,
    ) -> Result<ConsortiumSeries, Failure> {
        self.blocking(move |node| node.series(Stretch::showing(minutes)))
            .await
    }

    fn series(&self, stretch: Stretch) -> Result<ConsortiumSeries, Failure> {
        let people = People::read(&self.replica.read()?)?;
        self.count_attendance()?;
        let now = unix_millis();
        let named = |(key, values): (PublicKey, Vec<Option<f64>>)| NodeSeries {
            name: people.voter(&key),
            vote_key: key.to_string(),
            values,
        };
        let votes = self.membership.attendance().plot(stretch, now);
        let log = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = log.shown(stretch, now);
        let cells = || shown.iter().copied();
        let peers: BTreeSet<_> = cells()
            .flatten()
            .flat_map(|cell| cell.delays.keys())
            .collect();
        let delays = peers.into_iter().map(|key| {
            let values = cells().map(|cell| cell.and_then(|cell| cell.delay_ms(key)));
            (*key, values.collect())
        });
        Ok(ConsortiumSeries {
            start: stretch.until(now).start() * stretch.millis(),
            bucket_ms: stretch.millis() as u32,
            waiting_transactions: cells().map(|cell| Some(cell?.transactions)).collect(),
            waiting_bytes: cells().map(|cell| Some(cell?.bytes)).collect(),
            votes: by_name(votes.into_iter().map(named)),
            delays: by_name(delays.map(named)),
        })
    }
}

/// In the order of the names, so that a node keeps its place in a plot.
fn by_name(series: impl Iterator<Item = NodeSeries>) -> Vec<NodeSeries> {
    let mut series: Vec<_> = series.collect();
    series.sort_by(|one, other| (&one.name, &one.vote_key).cmp(&(&other.name, &other.vote_key)));
    series
}

#[cfg(test)]
mod tests {
    //! Goal: a stretch says the most that waited and the mean delay, and the log stays bounded. Method:
    //! looks made up.

    use ledger_consortium::{EngineState, PeerStatus, Quorum};
    use ledger_core::{Digest, Height};

    use super::*;

    fn look(transactions: usize, delay_micros: Option<u64>) -> Status {
        Status {
            height: Height(1),
            tip: Digest([0; 32]),
            validators: 1,
            is_validator: true,
            waiting_transactions: transactions,
            waiting_bytes: transactions * 250,
            engine: EngineState::Running,
            has_double: false,
            quorum: Quorum {
                validators: 1,
                needed: 1,
                present: 1,
                missing: Vec::new(),
            },
            peers: vec![PeerStatus {
                key: PublicKey([2; 32]),
                address: None,
                connected_millis: Some(1),
                heard_millis_ago: Some(0),
                height: None,
                delay_micros,
                clock: None,
            }],
        }
    }

    #[test]
    fn a_stretch_keeps_the_most_that_waited_and_the_mean_delay() {
        let mut log = LoadLog::default();
        let begin = 1_000_000 * Stretch::Minutes.millis();
        log.take(&look(3, Some(1_000)), begin);
        log.take(&look(9, Some(2_000)), begin + 1_000);
        log.take(&look(0, None), begin + 2_000);
        for stretch in [Stretch::Seconds, Stretch::Minutes] {
            let shown = log.shown(stretch, begin);
            assert_eq!(shown.len() as u64, STRETCHES);
            assert_eq!(shown.iter().flatten().count(), 1, "nobody looked before");
            let cell = shown.last().copied().flatten().unwrap();
            assert_eq!((cell.transactions, cell.bytes), (9, 2250));
            assert_eq!(cell.delay_ms(&PublicKey([2; 32])), Some(1.5));
            assert_eq!(cell.delay_ms(&PublicKey([3; 32])), None);
        }
    }

    #[test]
    fn it_stays_bounded_also_when_the_clock_is_set_back() {
        let mut log = LoadLog::default();
        let begin = 1_000_000 * Stretch::Minutes.millis();
        for second in (0..4_000).chain(0..2_000) {
            log.take(&look(1, None), begin + second * 1_000);
        }
        assert_eq!(log.seconds.len() as u64, STRETCHES);
        let shown = log.shown(Stretch::Seconds, begin + 1_999_000);
        assert_eq!(shown.iter().flatten().count() as u64, STRETCHES);
    }
}
