//! How far catching up is, for people: measured, not guessed.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fog_api::{CatchUp, CatchUpWay};
use ledger_core::PublicKey;

/// The rate is that of the last seconds.
const WINDOW: Duration = Duration::from_secs(5);
/// Lines about refused peers.
const MAX_REFUSED: usize = 16;
/// A node that is fewer blocks behind counts as up to date.
const BEHIND_BLOCKS: u64 = 20;

/// Work that goes on, and its measurements.
#[derive(Clone, Debug)]
struct Work {
    by: CatchUpWay,
    words: String,
    /// Where it began: bytes or blocks.
    from: u64,
    /// Where it is.
    at: u64,
    /// Where it ends.
    to: u64,
    marks: VecDeque<(Instant, u64)>,
}

impl Work {
    fn new(by: CatchUpWay, words: &str, from: u64) -> Self {
        Self {
            by,
            words: words.to_owned(),
            from,
            at: from,
            to: from,
            marks: VecDeque::new(),
        }
    }

    fn mark(&mut self, at: u64, now: Instant) {
        self.at = at;
        self.marks.push_back((now, at));
        while self.marks.len() > 2
            && self
                .marks
                .front()
                .is_some_and(|(since, _)| now.duration_since(*since) > WINDOW)
        {
            self.marks.pop_front();
        }
    }

    fn percent(&self) -> f64 {
        let whole = self.to.saturating_sub(self.from);
        if whole == 0 {
            return 0.0;
        }
        let done = self.at.saturating_sub(self.from).min(whole);
        done as f64 * 100.0 / whole as f64
    }

    fn per_second(&self) -> f64 {
        let (Some(first), Some(last)) = (self.marks.front(), self.marks.back()) else {
            return 0.0;
        };
        let seconds = last.0.duration_since(first.0).as_secs_f64();
        if seconds > 0.0 {
            last.1.saturating_sub(first.1) as f64 / seconds
        } else {
            0.0
        }
    }
}

#[derive(Default)]
struct State {
    work: Option<Work>,
    /// The snapshot's height.
    target: u64,
    /// Who the last chunk came from.
    from: Option<String>,
    refused: Vec<String>,
    liars: BTreeSet<PublicKey>,
}

/// How far it is.
#[derive(Default)]
pub(in crate::consortium) struct Progress(Mutex<State>);

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        // Each change below leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A snapshot is looked for.
    pub(super) fn begin(&self, words: &str) {
        let mut state = self.state();
        state.from = None;
        state.work = Some(Work::new(CatchUpWay::Snapshot, words, 0));
    }

    /// What is done now.
    pub(super) fn say(&self, words: &str) {
        if let Some(work) = &mut self.state().work {
            words.clone_into(&mut work.words);
        }
    }

    /// So much of a snapshot of `target` is there.
    pub(super) fn bytes(&self, target: u64, bytes: u64, of_bytes: u64) {
        let mut state = self.state();
        state.target = target;
        if let Some(work) = &mut state.work {
            work.to = of_bytes;
            work.mark(bytes, Instant::now());
        }
    }

    /// The last chunk came from this peer.
    pub(super) fn came_from(&self, name: &str) {
        self.state().from = Some(name.to_owned());
    }

    /// A peer has sent what is false; it is not asked again.
    pub(super) fn refuse(&self, key: PublicKey, name: &str, why: &str) {
        tracing::warn!(peer = name, why, "a peer's snapshot was refused");
        let mut state = self.state();
        if state.liars.insert(key) && state.refused.len() < MAX_REFUSED {
            state.refused.push(format!("{name}: {why}"));
        }
    }

    /// Whether a peer has sent what is false.
    pub(in crate::consortium) fn is_liar(&self, key: &PublicKey) -> bool {
        self.state().liars.contains(key)
    }

    /// No snapshot is got any more.
    pub(in crate::consortium) fn end(&self) {
        self.state().work = None;
    }

    /// This node is at `height`, the others at `highest`, and no snapshot is got.
    pub(in crate::consortium) fn blocks(&self, height: u64, highest: u64) {
        let mut state = self.state();
        if highest.saturating_sub(height) <= BEHIND_BLOCKS {
            state.work = None;
            state.refused.clear();
            return;
        }
        let work = state.work.get_or_insert_with(|| {
            Work::new(
                CatchUpWay::Blocks,
                "Gets every block from its peers.",
                height,
            )
        });
        work.to = highest;
        work.mark(height, Instant::now());
    }

    /// For people; `None` while nothing is caught up with.
    pub(in crate::consortium) fn view(&self, height: u64) -> Option<CatchUp> {
        let state = self.state();
        let work = state.work.as_ref()?;
        let is_snapshot = work.by == CatchUpWay::Snapshot;
        Some(CatchUp {
            by: work.by,
            words: work.words.clone(),
            height,
            target: if is_snapshot { state.target } else { work.to },
            percent: work.percent(),
            bytes: if is_snapshot { work.at } else { 0 },
            of_bytes: if is_snapshot { work.to } else { 0 },
            per_second: work.per_second(),
            from: state.from.clone().filter(|_| is_snapshot),
            refused: state.refused.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    //! Goal: the percentage and the rate are those of what was done. Method: measurements made up.
    use super::*;

    #[test]
    fn percent_and_rate_are_measured() {
        let mut work = Work::new(CatchUpWay::Blocks, "", 100);
        work.to = 300;
        let start = Instant::now();
        for second in 0..=10 {
            work.mark(100 + second * 10, start + Duration::from_secs(second));
        }
        assert!((work.percent() - 50.0).abs() < 1e-9);
        assert!((work.per_second() - 10.0).abs() < 1e-9);
        // A rate of the last seconds, not of all.
        work.mark(200, start + Duration::from_secs(60));
        assert!(work.per_second() < 1.0);
    }

    #[test]
    fn who_is_nearly_up_to_date_is_not_behind() {
        let progress = Progress::default();
        progress.blocks(100, 110);
        assert_eq!(progress.view(100), None);
        progress.blocks(100, 300);
        progress.blocks(150, 300);
        let view = progress.view(150).unwrap();
        assert_eq!((view.target, view.percent as u32), (300, 25));
        progress.blocks(300, 300);
        assert_eq!(progress.view(300), None);
    }
}
