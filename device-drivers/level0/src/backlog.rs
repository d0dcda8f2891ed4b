//! What a device that listens keeps until its host has it: a ring of fixed size, and a clock.
//!
//! ```text
//!          acknowledge ▶│          sent ▶│             │◀ take
//!     ── freed ─────────┼─ unacknowledged ┼─ unsent ────┤
//! ```
//!
//! A reading is numbered when it is *taken*, not when it is sent. One that is dropped because the
//! ring is full therefore leaves a hole in the counters, which the host counts and names; it is
//! never lost silently. A reading goes into a frame of its own, always the same bytes, so that
//! sending it again uses no counter twice.
//!
//! It leaves out when to send, and memory that survives a reset: what is in the ring then is lost,
//! and the next epoch's counters say that something was.

use crate::authentication::DeviceKey;
use crate::message::{Outgoing, Reading};
use crate::sensor::{EncodeError, Sensor};

/// A reading, its counter, and when it was taken.
#[derive(Clone, Copy, Debug)]
struct Kept {
    counter: u64,
    time_millis: Option<u64>,
    reading: Reading,
}

const NOTHING: Kept = Kept {
    counter: 0,
    time_millis: None,
    reading: Reading {
        metric: 0,
        quality: 0,
        mantissa: 0,
        exponent: 0,
    },
};

/// Up to `N` readings, `N` at least 1.
#[derive(Clone, Debug)]
pub struct Backlog<const N: usize> {
    ring: [Kept; N],
    oldest: usize,
    kept: usize,
    /// How many of those kept were sent, from the oldest on.
    sent: usize,
}

impl<const N: usize> Default for Backlog<N> {
    fn default() -> Backlog<N> {
        Backlog::new()
    }
}

impl<const N: usize> Backlog<N> {
    /// An empty ring.
    #[must_use]
    pub const fn new() -> Backlog<N> {
        const { assert!(N > 0, "a ring without room") };
        Backlog {
            ring: [NOTHING; N],
            oldest: 0,
            kept: 0,
            sent: 0,
        }
    }

    /// How many readings are kept.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.kept
    }

    /// Whether none is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.kept == 0
    }

    /// Numbers and keeps a reading; a full ring drops its oldest one for it.
    ///
    /// # Errors
    /// [`EncodeError`] if the epoch's counters are used up; nothing is kept or dropped then.
    pub fn take<K: DeviceKey>(
        &mut self,
        sensor: &mut Sensor<K>,
        time_millis: Option<u64>,
        reading: Reading,
    ) -> Result<(), EncodeError> {
        let counter = sensor.take_counters(1)?;
        if self.kept == N {
            self.forget_oldest();
        }
        let place = (self.oldest + self.kept) % N;
        self.ring[place] = Kept {
            counter,
            time_millis,
            reading,
        };
        self.kept += 1;
        Ok(())
    }

    /// Seals the oldest reading that was not sent yet, as it goes on the wire, and counts it as
    /// sent; `None` if all were, or if `wire` is too short.
    pub fn seal_next<K: DeviceKey>(
        &mut self,
        sensor: &Sensor<K>,
        wire: &mut [u8],
    ) -> Option<usize> {
        if self.sent == self.kept {
            return None;
        }
        let kept = &self.ring[(self.oldest + self.sent) % N];
        let message = Outgoing::Readings {
            time_millis: kept.time_millis,
            readings: core::slice::from_ref(&kept.reading),
        };
        let draft = sensor.draft_at(kept.counter, &message, wire).ok()?;
        let length = sensor.finish(draft, wire).ok()?;
        self.sent += 1;
        Some(length)
    }

    /// Frees every reading with a counter up to and including `durable`.
    pub fn acknowledge(&mut self, durable: u64) {
        while self.kept > 0 && self.ring[self.oldest].counter <= durable {
            self.forget_oldest();
        }
    }

    /// Everything that is kept is to be sent again, oldest first: the host may have missed it.
    pub fn send_again(&mut self) {
        self.sent = 0;
    }

    fn forget_oldest(&mut self) {
        self.oldest = (self.oldest + 1) % N;
        self.kept -= 1;
        self.sent = self.sent.saturating_sub(1);
    }
}

/// The time of day on a device that has only a count of milliseconds since its start.
///
/// The host tells its time ([`crate::HostMessage::Time`]) when it first hears the device, and again
/// at least once a minute. It is late by the frame's way: 5 ms on a line of 115 200
/// baud, and what the host's system takes to write. Between two of them the device's oscillator
/// drifts, 3 ms a minute at 50 ppm. A time stamp is therefore some 10 ms late; it follows the host
/// when that clock is corrected, in either direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    started_millis: Option<u64>,
}

impl Clock {
    /// The host says that it is `time_millis` since 1970, the device having run for `up_millis`.
    pub fn set(&mut self, up_millis: u64, time_millis: u64) {
        self.started_millis = time_millis.checked_sub(up_millis);
    }

    /// Milliseconds since 1970, if the clock was set.
    #[must_use]
    pub fn time_millis(&self, up_millis: u64) -> Option<u64> {
        self.started_millis?.checked_add(up_millis)
    }
}
