//! Brings the node's durable transactions to consensus, in the order of their nonces, and notes when
//! they are final.
//!
//! Upon a transaction in the outbox: submit it; if the mempool has no room, wait for an earlier one to
//! become final and try again. Upon finality of the oldest: count its readings as final; the outbox may
//! forget it. At most [`IN_FLIGHT`] are on their way; the others wait in the outbox, for days if need be.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ledger_consortium::{Consortium, Finality, Submission, SubmitError};
use ledger_core::state::ExecutionError;
use ledger_core::{Payload, SignedTransaction};

use crate::ingest::Anchored;
use crate::live::LiveView;
use crate::outgoing::Outgoing;

/// Most transactions between the writer and finality.
pub const IN_FLIGHT: usize = 64;
/// Pause before a transaction is offered again to a mempool without room.
const RETRY: Duration = Duration::from_millis(20);
/// Pause before a transaction is offered again to a consortium that has not admitted this node.
const RETRY_ADMISSION: Duration = Duration::from_secs(1);

/// Submits from `final_nonce` on, until the writer is gone and all it made durable is final, or consensus has
/// stopped.
pub async fn run(
    consortium: Arc<Consortium>,
    live: Arc<LiveView>,
    final_nonce: Arc<AtomicU64>,
    mut outgoing: Outgoing,
) {
    let mut waiting: VecDeque<(Anchored, Submission)> = VecDeque::new();
    let mut next = final_nonce.load(Ordering::Relaxed);
    let mut is_open = true;
    loop {
        while waiting.len() < IN_FLIGHT && outgoing.has(next) {
            let anchored = match outgoing.take(next).await {
                Ok(anchored) => anchored,
                Err(error) => {
                    tracing::error!(%error, nonce = next, "a transaction could not be read");
                    live.set_ledger_trouble(Some(error.to_string()));
                    return;
                }
            };
            match submit(&consortium, &anchored).await {
                Ok(submission) => waiting.push_back((anchored, submission)),
                Err(error) => {
                    settle(&anchored, Err(error), &live, &final_nonce);
                    return;
                }
            }
            next += 1;
        }
        if !is_open && waiting.is_empty() {
            return;
        }
        tokio::select! {
            outcome = oldest(&mut waiting) => {
                let Some((anchored, _)) = waiting.pop_front() else { continue };
                if !settle(&anchored, outcome, &live, &final_nonce) {
                    return;
                }
            }
            has_more = outgoing.more(), if is_open => is_open = has_more,
        }
    }
}

async fn oldest(waiting: &mut VecDeque<(Anchored, Submission)>) -> Result<Finality, SubmitError> {
    match waiting.front_mut() {
        Some((_, submission)) => submission.await,
        None => std::future::pending().await,
    }
}

async fn submit(consortium: &Consortium, anchored: &Anchored) -> Result<Submission, SubmitError> {
    loop {
        let transaction = SignedTransaction::decode(&anchored.transaction.bytes)?;
        match consortium.submit(transaction).await {
            Err(SubmitError::Full | SubmitError::SenderLimit) => tokio::time::sleep(RETRY).await,
            // A node that waits to be admitted keeps its transactions until it is.
            Err(SubmitError::Refused(ExecutionError::NotMember)) => {
                tokio::time::sleep(RETRY_ADMISSION).await;
            }
            outcome => return outcome,
        }
    }
}

/// Notes what became of a transaction. False if the node cannot go on: a transaction that was durable
/// and is refused would leave a hole that no later one may skip.
fn settle(
    anchored: &Anchored,
    outcome: Result<Finality, SubmitError>,
    live: &LiveView,
    final_nonce: &AtomicU64,
) -> bool {
    match outcome {
        Ok(finality) => {
            final_nonce.store(anchored.transaction.nonce + 1, Ordering::Relaxed);
            live.finalized(&anchored.readings);
            if anchored.transaction.batch.is_none()
                && let Some(handle) = registered_handle(&anchored.transaction.bytes)
            {
                live.registered(&handle, finality.height.0);
            }
            live.set_ledger_trouble(None);
            true
        }
        Err(error) => {
            tracing::error!(%error, nonce = anchored.transaction.nonce, "a transaction was not taken");
            live.set_ledger_trouble(Some(in_words(&error)));
            false
        }
    }
}

/// What is wrong, and what to do where that is known.
fn in_words(error: &SubmitError) -> String {
    match error {
        SubmitError::Refused(ExecutionError::Nonce { expected, actual }) if expected > actual => {
            "The ledger has transactions of this node that its vault does not know, as after an old vault was put \
             back. Start the node again, and it goes on where the ledger is. If this comes back, another copy of \
             the node is at work: stop that one."
                .to_owned()
        }
        error => error.to_string(),
    }
}

/// The handle a registration registers.
fn registered_handle(bytes: &[u8]) -> Option<String> {
    match SignedTransaction::decode(bytes).ok()?.body().ok()?.payload {
        Payload::RegisterDevice(device) => Some(device.handle.to_string()),
        _ => None,
    }
}
