//! How guessing is slowed and locked: failed tries of one person, kept over restarts.
//!
//! | Failed tries in a row | The next is heard after |
//! |---|---|
//! | 0 to 2 | at once |
//! | 3 to 9 | 1, 2, 4, 8, 16, 32, 64 seconds |
//! | 10 and more | 15 minutes |
//!
//! A try counts as failed, durably, *before* it is checked; one that succeeds sets the count to zero. So
//! neither tries at the same time nor a crash in between give anything away. What comes too early is refused
//! unseen and does not count. Left out: guessing by many at once against many, which costs Argon2 each
//! ([`super::passphrase`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Failed tries before the first wait.
const FREE: u32 = 3;
/// Failed tries from which on the long wait holds.
const LOCKED_FROM: u32 = 10;
const LOCKED_MILLIS: i64 = 15 * 60 * 1000;
/// Names nobody has of which failed tries are remembered.
const MAX_STRANGERS: usize = 1000;

/// Failed tries in a row.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Guesses {
    failed: u32,
    last: i64,
}

impl Guesses {
    /// From when on a try is heard, if that is after `now` (Unix milliseconds). A clock that was set back
    /// makes nobody wait for it.
    #[must_use]
    pub fn closed_until(&self, now: i64) -> Option<i64> {
        let wait = match self.failed {
            0..FREE => return None,
            FREE..LOCKED_FROM => 1000 << (self.failed - FREE),
            LOCKED_FROM.. => LOCKED_MILLIS,
        };
        let until = self.last.saturating_add(wait);
        (self.last <= now && now < until).then_some(until)
    }

    /// One more try, failed unless it is forgotten.
    #[must_use]
    pub fn tried(self, now: i64) -> Self {
        Self {
            failed: self.failed.saturating_add(1),
            last: now,
        }
    }
}

/// Failed tries under names that nobody has, so that waiting tells nobody which names there are. In memory;
/// when there are too many, the one that was tried longest ago is forgotten.
#[derive(Default)]
pub struct Strangers(BTreeMap<String, Guesses>);

impl Strangers {
    /// Notes a try under this name.
    ///
    /// # Errors
    /// From when on one is heard, if that is later.
    pub fn try_at(&mut self, login: &str, now: i64) -> Result<(), i64> {
        let guesses = self.0.get(login).copied().unwrap_or_default();
        if let Some(until) = guesses.closed_until(now) {
            return Err(until);
        }
        if self.0.len() >= MAX_STRANGERS && !self.0.contains_key(login) {
            let oldest = self.0.iter().min_by_key(|(_, guesses)| guesses.last);
            if let Some(oldest) = oldest.map(|(login, _)| login.clone()) {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(login.to_owned(), guesses.tried(now));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    //! Goal: waits are as the table says, and names that nobody has wait alike in bounded memory. Method: a
    //! clock that is told.

    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let mut guesses = Guesses::default();
        let mut now = 1_000_000;
        let mut waits = Vec::new();
        for _ in 0..12 {
            assert_eq!(guesses.closed_until(now), None);
            guesses = guesses.tried(now);
            let until = guesses.closed_until(now).unwrap_or(now);
            waits.push((until - now) / 1000);
            assert!(until == now || guesses.closed_until(until - 1).is_some());
            now = until;
        }
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 64, 900, 900, 900]);
        assert_eq!(guesses.closed_until(0), None, "a clock set back");
    }

    #[test]
    fn strangers_wait_alike_and_are_bounded() {
        let mut strangers = Strangers::default();
        for _ in 0..3 {
            strangers.try_at("nobody", 5).unwrap();
        }
        assert_eq!(strangers.try_at("nobody", 6), Err(1_005));
        for name in 0..5_000 {
            strangers.try_at(&name.to_string(), 10 + name).unwrap();
        }
        assert_eq!(strangers.0.len(), MAX_STRANGERS);
        assert!(!strangers.0.contains_key("nobody"));
    }
}
