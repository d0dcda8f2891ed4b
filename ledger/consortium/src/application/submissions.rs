//! Transactions of this node and of its peers, on their way into the mempool.
//!
//! Peers hear of a transaction at once, or within [`GATHER`] of the one before, so that under load many
//! travel in one message; and again while it waits, ever more rarely, and when a peer has come. Gossip
//! travels on the channel of block parts, between peers who know each other's keys. Only members'
//! transactions are taken, whoever brings them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use arc_malachitebft_app_channel::NetworkMsg;
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use ledger_core::state::{ExecutionError, may_send};
use ledger_core::{Nonce, SignedTransaction, VerifiedTransaction};
use tokio::sync::oneshot;

use super::{Application, Command, End};
use crate::adapter::ProposalPart;
use crate::finality::{Submission, SubmitError};
use crate::mempool::Inserted;
use crate::parts::PIECE_BYTES;
use crate::peers::Peers;
use crate::waiting;

/// Most transactions taken from one message of a peer.
const MAX_HEARD: usize = 1024;
/// Most bytes of peers' transactions that wait to be verified.
const MAX_UNVERIFIED_BYTES: usize = 8 << 20;
/// Transactions that follow each other faster than this are told to the peers together.
const GATHER: Duration = Duration::from_millis(4);

/// A peer that has connected listens after so many seconds.
const LISTENS_AFTER: u8 = 3;

/// Transactions of this node that the peers have not been told yet.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    gathered: Vec<Vec<u8>>,
    bytes: usize,
    /// Nothing is told before this.
    rests_until: Option<tokio::time::Instant>,
    /// When the newest connection was made, as far as a second ago.
    newest_connection: Option<Instant>,
    /// For how many seconds more everything is repeated, since a peer has come.
    newcomers: u8,
}

/// Transactions of peers whose signatures are to be checked.
#[derive(Debug, Default)]
pub(super) struct Unverified {
    queue: VecDeque<(usize, SignedTransaction)>,
    bytes: usize,
    /// Whether some are being checked.
    checking: bool,
}

impl Outgoing {
    /// When what was gathered is to be told; none while there is nothing.
    pub(super) fn due(&self) -> Option<tokio::time::Instant> {
        let now = tokio::time::Instant::now();
        (!self.gathered.is_empty()).then(|| self.rests_until.unwrap_or(now))
    }

    fn is_full(&self) -> bool {
        self.bytes >= PIECE_BYTES || self.gathered.len() >= MAX_HEARD
    }

    /// What was gathered; nothing more is told for a moment.
    fn take(&mut self) -> Vec<Vec<u8>> {
        self.bytes = 0;
        self.rests_until = Some(tokio::time::Instant::now() + GATHER);
        std::mem::take(&mut self.gathered)
    }

    /// Once a second: whether all that waits is to be told, since a connection was made lately. A peer
    /// whose connection was renewed within the second may have lost what was sent on the old one.
    fn has_newcomers(&mut self, newest: Option<Instant>) -> bool {
        if newest > std::mem::replace(&mut self.newest_connection, newest) {
            self.newcomers = LISTENS_AFTER;
        }
        let some = self.newcomers > 0;
        self.newcomers = self.newcomers.saturating_sub(1);
        some
    }
}

impl Application {
    /// Takes transactions of this node, or says of each why not.
    pub(super) async fn submit(
        &mut self,
        transactions: Vec<VerifiedTransaction>,
        since: Instant,
        reply: oneshot::Sender<Vec<Result<Submission, SubmitError>>>,
    ) -> Result<(), End> {
        let (mut outcomes, mut accepted) = (Vec::with_capacity(transactions.len()), Vec::new());
        for transaction in transactions {
            let bytes = self.peers.is_some().then(|| transaction.bytes().to_vec());
            let outcome = self.admit(transaction, since)?;
            accepted.extend(bytes.filter(|_| outcome.is_ok()));
            outcomes.push(outcome);
        }
        // The submitter may have stopped waiting; the transactions stay.
        let _ = reply.send(outcomes);
        for bytes in accepted {
            self.outgoing.bytes += bytes.len();
            self.outgoing.gathered.push(bytes);
            if self.outgoing.is_full() {
                self.tell_gathered().await;
            }
        }
        let now = tokio::time::Instant::now();
        if self.outgoing.due().is_some_and(|due| due <= now) {
            self.tell_gathered().await;
        }
        Ok(())
    }

    /// Tells the peers what was gathered.
    pub(super) async fn tell_gathered(&mut self) {
        let gathered = self.outgoing.take();
        if !gathered.is_empty() {
            self.publish_transactions(gathered).await;
        }
    }

    fn admit(
        &mut self,
        transaction: VerifiedTransaction,
        since: Instant,
    ) -> Result<Result<Submission, SubmitError>, End> {
        let id = transaction.id();
        let next = match self.next_nonce(&transaction)? {
            Ok(next) => next,
            Err(error) => return Ok(Err(error)),
        };
        if transaction.body().nonce < next {
            let snapshot = self.replica.read()?;
            if let Some(found) = snapshot.transaction(&id)? {
                return Ok(Ok(waiting::settled(id, found.height, found.index)));
            }
        }
        Ok(self
            .mempool
            .insert(transaction, next)
            .map(|_| self.waiting.attach(id, since)))
    }

    /// The sender's next nonce, or that it may not send at all.
    fn next_nonce(
        &self,
        transaction: &VerifiedTransaction,
    ) -> Result<Result<Nonce, SubmitError>, End> {
        let sender = transaction.sender();
        if let Some(next) = self.mempool.next_nonce(&sender) {
            return Ok(Ok(next));
        }
        let snapshot = self.replica.read()?;
        let may_send = may_send(&snapshot, &sender);
        if !may_send.map_err(ledger_store::StoreError::from)? {
            return Ok(Err(ExecutionError::NotMember.into()));
        }
        Ok(Ok(snapshot.account(&sender)?.next_nonce))
    }

    /// Takes what a peer told, and looks at what else was told.
    pub(super) fn hear(&mut self, transactions: Vec<VerifiedTransaction>) -> Result<(), End> {
        for transaction in transactions {
            let id = transaction.id();
            if self.mempool.contains(&id) {
                continue;
            }
            let Ok(next) = self.next_nonce(&transaction)? else {
                continue;
            };
            match self.mempool.insert(transaction, next) {
                Ok(Inserted::New | Inserted::Known) => {}
                Err(error) => tracing::debug!(%error, "a peer's transaction was not taken"),
            }
        }
        self.unverified.checking = false;
        self.verify_next();
        Ok(())
    }

    /// Puts what a peer told where it is verified. What there is no room for is dropped: it is repeated
    /// while it waits.
    pub(super) fn verify_heard(&mut self, encoded: &[Vec<u8>]) {
        for bytes in encoded.iter().take(MAX_HEARD) {
            if self.unverified.bytes + bytes.len() > MAX_UNVERIFIED_BYTES {
                break;
            }
            if let Ok(transaction) = SignedTransaction::decode(bytes)
                && !self.mempool.contains(&transaction.id())
            {
                self.unverified.bytes += bytes.len();
                self.unverified.queue.push_back((bytes.len(), transaction));
            }
        }
        self.verify_next();
    }

    /// Verifies what waits for it on another thread, many together, once at a time; it comes back as
    /// [`Command::Heard`].
    fn verify_next(&mut self) {
        if self.unverified.checking {
            return;
        }
        let mut fresh = Vec::new();
        while fresh.len() < MAX_HEARD
            && let Some((bytes, transaction)) = self.unverified.queue.pop_front()
        {
            self.unverified.bytes -= bytes;
            if !self.is_past(&transaction) {
                fresh.push(transaction);
            }
        }
        if fresh.is_empty() {
            return;
        }
        self.unverified.checking = true;
        let (chain, commands) = (self.chain, self.commands.clone());
        self.runtime.spawn_blocking(move || {
            let verified = SignedTransaction::verify_all(fresh, chain);
            let verified = verified.into_iter().filter_map(Result::ok).collect();
            if let Some(commands) = commands.upgrade() {
                // An application that has stopped hears nothing any more.
                let _ = commands.blocking_send(Command::Heard(verified));
            }
        });
    }

    /// Whether a transaction came into a block, or the mempool, while it waited to be verified.
    fn is_past(&self, transaction: &SignedTransaction) -> bool {
        let next = self.mempool.next_nonce(transaction.sender());
        let used = next.is_some_and(|next| {
            let body = transaction.body();
            body.is_ok_and(|body| body.nonce < next)
        });
        used || self.mempool.contains(&transaction.id())
    }

    /// Tells the peers again of this node's own transactions that wait for long, and of all of them when a
    /// peer has come. Nobody repeats another's, and nothing is repeated often: on a narrow line repetitions
    /// would leave no room for votes, so that ever more would wait, and be repeated.
    pub(super) async fn gossip_waiting(&mut self) {
        let newest = self.peers.as_ref().and_then(Peers::newest_connection);
        let all = self.outgoing.has_newcomers(newest);
        let mut bytes = 0;
        let own = self.waiting.to_repeat(Instant::now(), all);
        let own = own.filter_map(|id| self.mempool.get(id));
        let own = own.map(|transaction| transaction.bytes().to_vec());
        let waiting: Vec<_> = own
            .take_while(|one| {
                bytes += one.len();
                bytes <= PIECE_BYTES
            })
            .take(MAX_HEARD)
            .collect();
        if !waiting.is_empty() {
            self.publish_transactions(waiting).await;
        }
    }

    async fn publish_transactions(&mut self, transactions: Vec<Vec<u8>>) {
        self.gossiped += 1;
        let stream = StreamId::new(self.gossiped.to_be_bytes().to_vec().into());
        let content = StreamContent::Data(ProposalPart::Transactions(transactions));
        let message = StreamMessage::new(stream, 0, content);
        // A network that is gone is noticed at the engine's channel.
        let _ = self
            .publish
            .send(NetworkMsg::PublishProposalPart(message))
            .await;
    }
}

#[cfg(test)]
mod tests {
    //! Goal: all that waits is told again for some seconds after a connection was made, and only then.
    //! Method: one look a second, with made-up connections, while transactions come and go.

    use super::*;

    #[test]
    fn everything_is_repeated_to_newcomers_only() {
        let mut outgoing = Outgoing::default();
        let first = Instant::now();
        let renewed = first + Duration::from_secs(9);
        let newest = [(1, None), (5, Some(first)), (5, Some(renewed)), (4, None)];
        let seconds = newest
            .into_iter()
            .flat_map(|(count, at)| std::iter::repeat_n(at, count));
        let mut repeated = Vec::new();
        for (second, newest) in seconds.enumerate() {
            outgoing.gathered.push(vec![7]);
            outgoing.bytes = 1;
            assert_eq!(outgoing.take(), [[7]]);
            assert_eq!((outgoing.due(), outgoing.bytes), (None, 0));
            if outgoing.has_newcomers(newest) {
                repeated.push(second);
            }
        }
        assert_eq!(repeated, [1, 2, 3, 6, 7, 8]);
    }
}
