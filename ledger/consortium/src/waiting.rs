//! Who waits for which transaction.

use std::collections::BTreeMap;
use std::time::Instant;

use ledger_core::{Digest, Height};
use tokio::sync::oneshot;

use crate::finality::{Finality, Submission, SubmitError};

/// The longest time between two repetitions of what waits.
const LONGEST_REST_SECONDS: u64 = 32;

type Reply = oneshot::Sender<Result<Finality, SubmitError>>;

#[derive(Debug)]
struct Waiter {
    since: Instant,
    reply: Reply,
}

/// The submissions of this node that are not final yet.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    waiters: BTreeMap<Digest, Vec<Waiter>>,
}

impl Waiting {
    /// A submission that resolves with the transaction.
    pub(crate) fn attach(&mut self, id: Digest, since: Instant) -> Submission {
        let (reply, outcome) = oneshot::channel();
        let waiters = self.waiters.entry(id).or_default();
        // Who gave up waiting makes room for who asks again.
        waiters.retain(|waiter| !waiter.reply.is_closed());
        waiters.push(Waiter { since, reply });
        Submission { id, outcome }
    }

    /// What is to be told to the peers again, if they are told once a second: what has waited for 1, 2, 4, 8
    /// and 16 seconds, and for each multiple of [`LONGEST_REST_SECONDS`]; or `all` of it.
    pub(crate) fn to_repeat(&self, now: Instant, all: bool) -> impl Iterator<Item = &Digest> {
        let is_due = move |waiter: &Waiter| {
            let seconds = now.saturating_duration_since(waiter.since).as_secs();
            seconds.is_power_of_two()
                || (seconds > 0 && seconds.is_multiple_of(LONGEST_REST_SECONDS))
        };
        let due = self.waiters.iter();
        let due = due.filter(move |(_, waiters)| all || waiters.first().is_some_and(is_due));
        due.map(|(id, _)| id)
    }

    /// The transaction is on disk at `height` and `index`. Returns what the first submission of it
    /// that is still known took.
    pub(crate) fn resolve(&mut self, id: Digest, height: Height, index: u32) -> Option<Finality> {
        let waiters = self.waiters.remove(&id)?;
        let mut first = None;
        for waiter in waiters {
            let elapsed = waiter.since.elapsed().as_micros();
            let finality = Finality {
                id,
                height,
                index,
                elapsed_micros: u64::try_from(elapsed).unwrap_or(u64::MAX),
            };
            first.get_or_insert(finality);
            // The submitter may have stopped waiting.
            let _ = waiter.reply.send(Ok(finality));
        }
        first
    }

    /// The transaction will not become final.
    pub(crate) fn refuse(&mut self, id: &Digest, error: &SubmitError) {
        for waiter in self.waiters.remove(id).unwrap_or_default() {
            let _ = waiter.reply.send(Err(error.clone()));
        }
    }
}

/// A submission of a transaction that is final already.
pub(crate) fn settled(id: Digest, height: Height, index: u32) -> Submission {
    let (reply, outcome) = oneshot::channel();
    let finality = Finality {
        id,
        height,
        index,
        elapsed_micros: 0,
    };
    // The receiver is right here.
    let _ = reply.send(Ok(finality));
    Submission { id, outcome }
}

#[cfg(test)]
mod tests {
    //! Goal: what waits is repeated, and ever more rarely. Method: one submission, watched for two minutes.

    use std::time::Duration;

    use super::*;

    #[test]
    fn repetitions_become_rare() {
        let mut waiting = Waiting::default();
        let since = Instant::now();
        let submission = waiting.attach(Digest([7; 32]), since);
        let is_due = |second: &u64| {
            let now = since + Duration::from_secs(*second);
            waiting
                .to_repeat(now, false)
                .any(|id| *id == submission.id())
        };
        let repeated: Vec<_> = (0..=130).filter(is_due).collect();
        assert_eq!(repeated, [1, 2, 4, 8, 16, 32, 64, 96, 128]);
        assert_eq!(waiting.to_repeat(since, true).count(), 1);
    }
}
