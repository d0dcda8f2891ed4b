//! What a node tells its peers every two seconds: that it lives, how far it is, what its clock says.
//! Pure: times come in as numbers.
//!
//! Each hello echoes the last one of every peer, so that both ends learn the delay between them and
//! how far their clocks differ, as in NTP (RFC 5905, section 8):
//!
//! ```text
//! A  t1 ─────────────────────────── t4      round trip  = (t4 − t1) − held
//!      ╲                          ╱         B's clock   = t3 at A's t4 − round trip / 2,
//! B     t2 ─────── held ──────── t3                       give or take half the round trip
//! ```
//!
//! The give-or-take is a bound, however unequal the two ways are: B wrote t3 no earlier than a whole
//! round trip before t4 and no later than t4. Of the last [`SAMPLES`] measurements the one with the
//! shortest round trip counts. Left out: setting any clock; the number is for people to see.

use std::collections::VecDeque;

use ledger_core::{Height, PublicKey};
use serde::{Deserialize, Serialize};

/// Measurements kept of each peer.
const SAMPLES: usize = 8;
/// A longer round trip than this is a clock that was set meanwhile, or an echo of another time.
const MAX_ROUND_TRIP_MICROS: u64 = 60_000_000;
/// Most echoes in one hello.
pub(crate) const MAX_ECHOES: usize = 256;

/// What a node says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The sender's clock when it sent this, in Unix microseconds.
    pub sent_micros: u64,
    /// The sender's newest final block.
    pub height: Height,
    /// The last hello it had of each of its peers.
    pub echoes: Vec<Echo>,
}

/// A peer's hello, given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Echo {
    /// Whose hello.
    pub peer: PublicKey,
    /// Its time, by the peer's own clock, in Unix microseconds.
    pub sent_micros: u64,
    /// How long ago it came in, in microseconds.
    pub held_micros: u64,
}

/// How a peer's clock differs from this node's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockDifference {
    /// How far the peer's clock is ahead, in microseconds; negative if it is behind.
    pub ahead_micros: i64,
    /// The true difference is at most this much more or less, in microseconds.
    pub within_micros: u64,
}

/// One measurement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Sample {
    ahead_micros: i64,
    round_trip_micros: u64,
}

/// The last measurements of one peer.
#[derive(Clone, Default, Debug)]
pub(crate) struct Samples(VecDeque<Sample>);

impl Samples {
    /// Takes the echo of a hello of this node in a hello the peer sent at `theirs_micros`, heard at
    /// `now_micros`. What cannot be true is left out.
    pub(crate) fn take(&mut self, echo: &Echo, theirs_micros: u64, now_micros: u64) {
        let Some(sample) = measure(echo, theirs_micros, now_micros) else {
            return;
        };
        if self.0.len() >= SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// The best measurement: clock difference, and the way to the peer in microseconds.
    pub(crate) fn best(&self) -> Option<(ClockDifference, u64)> {
        let best = self
            .0
            .iter()
            .min_by_key(|sample| sample.round_trip_micros)?;
        let half = best.round_trip_micros / 2;
        let difference = ClockDifference {
            ahead_micros: best.ahead_micros,
            within_micros: half,
        };
        Some((difference, half))
    }

    /// Forgets all: the way to the peer is a new one.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

fn measure(echo: &Echo, theirs_micros: u64, now_micros: u64) -> Option<Sample> {
    let away = now_micros.checked_sub(echo.sent_micros)?;
    let round_trip_micros = away.checked_sub(echo.held_micros)?;
    if round_trip_micros > MAX_ROUND_TRIP_MICROS {
        return None;
    }
    let theirs_now = theirs_micros.checked_add(round_trip_micros / 2)?;
    let ahead = i128::from(theirs_now) - i128::from(now_micros);
    Some(Sample {
        ahead_micros: i64::try_from(ahead).ok()?,
        round_trip_micros,
    })
}

#[cfg(test)]
mod tests {
    //! Goal: the difference found is within the bound it states, whatever the clocks and delays.
    //! Method: two clocks and two ways made up by proptest, compared with the difference put in.

    use proptest::prelude::*;

    use super::*;

    /// The exchange of the picture above: A's clock is right, B's is `ahead`.
    fn exchange(there: u64, held: u64, back: u64, ahead: i64) -> (Echo, u64, u64) {
        let t1 = 1_000_000_000;
        let at_b = |true_time: u64| true_time.checked_add_signed(ahead).unwrap();
        let echo = Echo {
            peer: PublicKey([0; 32]),
            sent_micros: t1,
            held_micros: held,
        };
        (echo, at_b(t1 + there + held), t1 + there + held + back)
    }

    proptest! {
        #[test]
        fn the_difference_is_within_its_bound(
            there in 0u64..5_000_000, held in 0u64..10_000_000, back in 0u64..5_000_000,
            ahead in -900_000_000i64..900_000_000,
        ) {
            let (echo, theirs, now) = exchange(there, held, back, ahead);
            let mut samples = Samples::default();
            samples.take(&echo, theirs, now);
            let (difference, delay) = samples.best().unwrap();
            prop_assert_eq!(delay, (there + back) / 2);
            let error = difference.ahead_micros.abs_diff(ahead);
            // Half a round trip is rounded down.
            prop_assert!(error <= difference.within_micros + 1, "{} of {:?}", error, difference);
        }

        /// Whatever a peer writes into a hello, nothing overflows.
        #[test]
        fn nothing_a_peer_says_does_harm(sent: u64, held: u64, theirs: u64, now: u64) {
            let echo = Echo { peer: PublicKey([0; 32]), sent_micros: sent, held_micros: held };
            let mut samples = Samples::default();
            samples.take(&echo, theirs, now);
            if let Some((_, delay)) = samples.best() {
                prop_assert!(delay <= MAX_ROUND_TRIP_MICROS / 2);
            }
        }
    }

    #[test]
    fn the_shortest_round_trip_counts_while_it_is_recent() {
        let mut samples = Samples::default();
        for (back, ahead) in [(900, 0), (100, 40), (500, 0)] {
            let (echo, theirs, now) = exchange(100, 0, back, ahead);
            samples.take(&echo, theirs, now);
        }
        let (difference, delay) = samples.best().unwrap();
        assert_eq!((difference.ahead_micros, delay), (40, 100));
        for _ in 0..SAMPLES {
            let (echo, theirs, now) = exchange(400, 0, 400, 7);
            samples.take(&echo, theirs, now);
        }
        assert_eq!(samples.best().unwrap().0.ahead_micros, 7);
    }
}
