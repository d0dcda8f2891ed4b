//! What a device hears of others: readings on their way to its line, each under a grant.
//!
//! ```text
//! another device's reading ─▶ RelayQueue::send ─▶ [64 at most, 1 s at most] ─▶ session ─▶ line
//!                                  Grant::holds?                         Grant::holds?
//! ```
//!
//! A relayed reading is live and the record is elsewhere, so nothing ever waits for this queue: a full one
//! drops its oldest reading, and what is late is dropped, each counted under its grant. The grant is looked
//! at twice, so that one that ends stops also what waits. Only `fogward-level0` devices that listen hear
//! others; no other protocol here has a message for it. This file leaves out who grants what to whom.

use crate::codec::level0::relayed;
use crate::measurement::Measurement;
use fogward_level0::Relayed;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Relayed readings that wait for a device's line before the oldest is dropped.
pub const RELAY_QUEUE: usize = 64;
/// How long a relayed reading may wait.
const MAX_AGE: Duration = Duration::from_secs(1);
/// The end of a grant that is closed.
const CLOSED: i64 = i64::MIN;

/// That one device may hear another, until a moment; and what came of it. Closed when made.
#[derive(Debug)]
pub struct Grant {
    source: [u8; 4],
    until_millis: AtomicI64,
    relayed: AtomicU64,
    dropped: AtomicU64,
    unsuited: AtomicU64,
}

/// What became of the readings under a grant. Those that wait are in none of the three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayCounts {
    /// Written to the line of the device that hears.
    pub relayed: u64,
    /// Dropped: its line was slower than they came, was down, or the grant ended while they waited.
    pub dropped: u64,
    /// The protocol has no form for them: waves, and metrics and numbers beyond its tables.
    pub unsuited: u64,
}

impl Grant {
    /// A closed grant to hear the device that is shown as `source` on the wire.
    #[must_use]
    pub const fn new(source: [u8; 4]) -> Grant {
        Grant {
            source,
            until_millis: AtomicI64::new(CLOSED),
            relayed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            unsuited: AtomicU64::new(0),
        }
    }

    /// From now on it holds until this host's clock shows `until_millis` (since 1970).
    pub fn open_until(&self, until_millis: i64) {
        self.until_millis.store(until_millis, Ordering::Release);
    }

    /// From now on it does not hold.
    pub fn close(&self) {
        self.open_until(CLOSED);
    }

    /// Whether it holds at `now_millis` (since 1970).
    #[must_use]
    pub fn holds(&self, now_millis: i64) -> bool {
        now_millis < self.until_millis.load(Ordering::Acquire)
    }

    /// What came of it so far.
    #[must_use]
    pub fn counts(&self) -> RelayCounts {
        RelayCounts {
            relayed: self.relayed.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            unsuited: self.unsuited.load(Ordering::Relaxed),
        }
    }
}

/// A reading that waits for the line.
#[derive(Debug)]
pub struct Waiting {
    grant: Arc<Grant>,
    /// What is to be heard.
    pub relayed: Relayed,
    since: Instant,
}

impl Waiting {
    /// Whether it may still be written at `now_millis` (since 1970).
    #[must_use]
    pub fn is_due(&self, now_millis: i64) -> bool {
        self.since.elapsed() < MAX_AGE && self.grant.holds(now_millis)
    }

    /// It was written to the line.
    pub fn count_relayed(&self) {
        self.grant.relayed.fetch_add(1, Ordering::Relaxed);
    }

    /// It was not.
    pub fn count_dropped(&self) {
        self.grant.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// The queue of one device; senders share it.
#[derive(Debug)]
pub struct RelayQueue {
    waiting: Mutex<VecDeque<Waiting>>,
    news: Notify,
    is_hearing: AtomicBool,
}

impl RelayQueue {
    /// An empty queue of a device that can hear or not.
    #[must_use]
    pub fn new(is_hearing: bool) -> RelayQueue {
        RelayQueue {
            waiting: Mutex::default(),
            news: Notify::new(),
            is_hearing: AtomicBool::new(is_hearing),
        }
    }

    /// Whether the device can hear others: its protocol can say it, and it has not said that it does not
    /// listen.
    #[must_use]
    pub fn is_hearing(&self) -> bool {
        self.is_hearing.load(Ordering::Relaxed)
    }

    pub(crate) fn set_hearing(&self, is_hearing: bool) {
        self.is_hearing.store(is_hearing, Ordering::Relaxed);
    }

    /// Sends another device's reading, if `grant` holds at `now_millis` (since 1970) and this device can
    /// hear; else nothing becomes of it and nothing is counted. Never waits.
    pub fn send(&self, grant: &Arc<Grant>, measurement: &Measurement, now_millis: i64) {
        if !self.is_hearing() || !grant.holds(now_millis) {
            return;
        }
        let Some(relayed) = relayed(grant.source, measurement) else {
            grant.unsuited.fetch_add(1, Ordering::Relaxed);
            return;
        };
        self.push(grant, relayed);
    }

    /// Sends what another node has relayed, as [`RelayQueue::send`].
    pub fn pass(&self, grant: &Arc<Grant>, relayed: Relayed, now_millis: i64) {
        if self.is_hearing() && grant.holds(now_millis) {
            self.push(grant, relayed);
        }
    }

    fn push(&self, grant: &Arc<Grant>, relayed: Relayed) {
        let mut waiting = self.waiting();
        if waiting.len() >= RELAY_QUEUE
            && let Some(oldest) = waiting.pop_front()
        {
            oldest.count_dropped();
        }
        waiting.push_back(Waiting {
            grant: Arc::clone(grant),
            relayed,
            since: Instant::now(),
        });
        drop(waiting);
        self.news.notify_one();
    }

    /// The oldest reading that waits, once there is one. May be cancelled; one task waits at a time.
    pub async fn next(&self) -> Waiting {
        loop {
            let oldest = self.waiting().pop_front();
            match oldest {
                Some(oldest) => return oldest,
                None => self.news.notified().await,
            }
        }
    }

    /// Drops all that waits.
    pub(crate) fn clear(&self) {
        self.waiting()
            .drain(..)
            .for_each(|late| late.count_dropped());
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The device was stopped.
impl Drop for RelayQueue {
    fn drop(&mut self) {
        self.clear();
    }
}
