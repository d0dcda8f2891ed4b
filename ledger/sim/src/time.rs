//! Virtual time: a moment, a node's own wrong clock, and the queue of what happens when.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Microseconds since the simulation began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(crate) struct Moment(pub u64);

impl Moment {
    /// The moment `later` from this one.
    pub(crate) fn plus(self, later: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(later.as_micros()).unwrap_or(u64::MAX)),
        )
    }

    /// Whole milliseconds.
    pub(crate) const fn millis(self) -> u64 {
        self.0 / 1000
    }
}

/// A node's clock: off by an amount that never changes, and too fast or too slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// Unix milliseconds at moment zero.
    pub starts_at_millis: u64,
    /// How many of its seconds pass in thousand true ones.
    pub per_mille: u64,
}

impl Clock {
    /// What this clock shows, in Unix milliseconds.
    pub(crate) const fn millis(&self, now: Moment) -> u64 {
        self.starts_at_millis + now.millis() * self.per_mille / 1000
    }

    /// How long a timer of `duration` takes by true time.
    pub(crate) fn true_duration(&self, duration: Duration) -> Duration {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(micros.saturating_mul(1000) / self.per_mille.max(1))
    }
}

struct Entry<E> {
    at: Moment,
    order: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    /// Earliest first, and among those of one moment, what was planned first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

/// What happens when.
pub(crate) struct Agenda<E> {
    entries: BinaryHeap<Entry<E>>,
    planned: u64,
}

impl<E> Agenda<E> {
    pub(crate) const fn new() -> Self {
        Self {
            entries: BinaryHeap::new(),
            planned: 0,
        }
    }

    /// Plans an event.
    pub(crate) fn plan(&mut self, at: Moment, event: E) {
        self.planned += 1;
        self.entries.push(Entry {
            at,
            order: self.planned,
            event,
        });
    }

    /// Takes the next event.
    pub(crate) fn next(&mut self) -> Option<(Moment, E)> {
        self.entries.pop().map(|entry| (entry.at, entry.event))
    }
}
