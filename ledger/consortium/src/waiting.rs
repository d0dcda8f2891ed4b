//! Who waits for which transaction.

use std::collections::BTreeMap;
use std::time::Instant;

use ledger_core::{Digest, Height};
use tokio::sync::oneshot;

use crate::finality::{Finality, Submission, SubmitError};

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
