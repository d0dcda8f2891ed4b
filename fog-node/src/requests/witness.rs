//! Whether the receipts that other nodes promise come, and say what was promised: who gives without telling is found
//! out by the node of the one who reads.
//!
//! ```text
//! package ─▶ its receipt: signed by the node that gives, of this request, these readings, this content? else refused
//!         ─▶ promise durable in the vault ─▶ shown
//! block   ─▶ promise in the access log? forgotten : its turn over without it? passed over :
//!            its node here and telling nothing for long? silent
//! ```
//!
//! Upon a block: look at each promise on this node's own replica.
//! - A node's transactions are executed in the order of their nonces, each nonce once. So a receipt whose nonce is used
//!   and which is not in the log was *passed over*: it never comes, whatever happens. No node that tells what it
//!   promised gets there.
//! - Before that, time counts only while the replica goes on, with its block time, and while the node that promised is
//!   heard and as far as this one; each transaction of it that becomes final is a step towards the receipt, and it is
//!   counted from there anew. After [`SILENT_MILLIS`] of it the node is *silent*. Who is cut off is not heard, and who
//!   comes back and makes up for it goes on; neither is ever named.
//!
//! A receipt that comes late after all is forgotten like any other, also one that somebody has settled: who audits
//! writes down why it did not come, and nobody is named for it any more (`settled`). What is counted is *volatile*: a restart counts
//! anew. What was found out is *durable*.
//!
//! Left out: a node that gives, and keeps away from the consortium from then on. It cannot be told from one that is cut
//! off, so what it owes is shown as waiting. A node that took over a snapshot has not seen the blocks it skipped, and
//! lets go of what may have been told there.

mod promised;
mod settled;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use ledger_core::access::{self, LogKind, Receipt};
use ledger_core::{Digest, Height, Nonce, Payload, PublicKey, SignedTransaction};
use ledger_store::{LogLookup, Snapshot};
use tokio::sync::broadcast::error::RecvError;

use crate::failure::Failure;
use crate::ingest::Item;
use crate::node::Node;
use crate::vault::promises::{self, Finding, Promise, SealedPromise};

/// How long a node is heard and tells nothing until it counts as silent, in milliseconds of block time. A transaction
/// that got lost on its way is repeated after 32 s at the latest.
const SILENT_MILLIS: u64 = 60_000;
/// So much of it counts between two blocks at the most: nobody can tell anything while no block is made.
const STEP_MILLIS: u64 = 5_000;
/// Who was not heard for so long, in milliseconds, is not there. Everybody says hello every two seconds.
const AWAY_MILLIS: u64 = 6_000;
/// Who is further behind than so many blocks still catches up.
const BEHIND: u64 = 64;
/// Entries of the log that are read at once.
const PAGE: u32 = 256;

/// What the counting of a node's silence depends on, at one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    /// The nonce of its next transaction.
    nonce: Nonce,
    /// The block's time in Unix milliseconds.
    time_millis: u64,
    /// Whether it is heard and as far as this node.
    is_heard: bool,
}

/// How long a node that owes a receipt was heard and told nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Silence {
    seen: Seen,
    millis: u64,
}

impl Silence {
    /// It begins at this block, or goes on from one before.
    fn at(before: Option<Self>, seen: Seen) -> Self {
        let counted = before.map_or(0, |before| {
            if before.seen.nonce != seen.nonce {
                return 0;
            }
            let passed = seen.time_millis.saturating_sub(before.seen.time_millis);
            let step = match before.seen.is_heard && seen.is_heard {
                true => passed.min(STEP_MILLIS),
                false => 0,
            };
            before.millis.saturating_add(step)
        });
        Self {
            seen,
            millis: counted,
        }
    }

    const fn is_long(&self) -> bool {
        self.millis >= SILENT_MILLIS
    }
}

/// Silences by the receipts that are owed.
type Silences = BTreeMap<Digest, Silence>;

/// What becomes of a promise.
enum Change {
    /// It is forgotten: the receipt has come, or cannot be looked for.
    Forget(Digest),
    /// Something is known against the node that promised.
    Find(SealedPromise),
}

/// How a promise stands on a replica.
#[derive(PartialEq, Eq, Debug)]
enum Standing {
    Told,
    Waiting,
    PassedOver,
    /// The blocks that may hold it are not here.
    Unseen,
}

/// Looks for promised receipts in every block, as long as the node is there.
pub(crate) async fn keep(node: Weak<Node>) {
    let Some(mut blocks) = node.upgrade().map(|node| node.consortium.subscribe()) else {
        return;
    };
    let Some(promised) = node
        .upgrade()
        .map(|node| Arc::clone(&node.requests.promised))
    else {
        return;
    };
    let mut silences = Silences::new();
    let mut is_noted = false;
    loop {
        let Some(strong) = node.upgrade() else { return };
        is_noted = is_noted || strong.note_untold().is_ok();
        match strong
            .look_for_receipts(std::mem::take(&mut silences))
            .await
        {
            Ok(counted) => silences = counted,
            Err(failure) => tracing::error!(%failure, "promised receipts could not be looked for"),
        }
        drop(strong);
        tokio::select! {
            block = blocks.recv() => if matches!(block, Err(RecvError::Closed)) { return },
            () = promised.notified() => {}
        }
    }
}

impl Node {
    /// Keeps what another node has promised; what it gave may be shown then.
    ///
    /// # Errors
    /// [`Failure`] if the node is stopping.
    pub(super) async fn keep_promise(
        &self,
        receipt: Digest,
        promise: &Promise,
    ) -> Result<(), Failure> {
        let row = promise.seal(&self.master, receipt)?;
        self.until_durable(|done| Item::Promise(row, done)).await?;
        self.requests.promised.notify_one();
        Ok(())
    }

    async fn look_for_receipts(self: &Arc<Self>, before: Silences) -> Result<Silences, Failure> {
        // Nobody settles what is being changed here.
        let _changing = self.requests.changing.lock().await;
        let looked = self.blocking(move |node| node.looked_for_receipts(&before));
        let (silences, changes) = looked.await?;
        for change in changes {
            let durable = match change {
                Change::Forget(receipt) => {
                    self.until_durable(|done| Item::Fulfilled(receipt, done))
                        .await
                }
                Change::Find(row) => self.until_durable(|done| Item::Judged(row, done)).await,
            };
            durable?;
            self.note_untold()?;
        }
        Ok(silences)
    }

    fn looked_for_receipts(&self, before: &Silences) -> Result<(Silences, Vec<Change>), Failure> {
        let (mut silences, mut changes) = (Silences::new(), Vec::new());
        if !promises::is_any(&self.vault())? {
            return Ok((silences, changes));
        }
        let owed = promises::all(&self.vault(), &self.master)?;
        let snapshot = self.replica.read()?;
        let tip = snapshot
            .tip()
            .map(|tip| (tip.height(), tip.header.time_millis));
        let (height, time_millis) = tip.ok_or_else(|| Failure::internal("no block 0"))?;
        let heard = self.heard_at(height)?;
        for (receipt, promise) in owed {
            if promise.finding == Some(Finding::PassedOver) {
                continue;
            }
            let is_settled = matches!(promise.finding, Some(Finding::Settled(_)));
            let owed = Owed::of(&promise)?;
            let mut found = None;
            match owed.standing(&snapshot, &receipt)? {
                Standing::Told => changes.push(Change::Forget(receipt)),
                Standing::Unseen => {
                    tracing::warn!(%receipt, node = %owed.by, "blocks that may tell of a read were skipped");
                    changes.push(Change::Forget(receipt));
                }
                // What somebody has cleared up is known.
                _ if is_settled => {}
                Standing::PassedOver => found = Some(Finding::PassedOver),
                Standing::Waiting => {
                    let seen = Seen {
                        nonce: snapshot.account(&owed.by)?.next_nonce,
                        time_millis,
                        is_heard: heard.contains(&owed.by),
                    };
                    let silence = Silence::at(before.get(&receipt).copied(), seen);
                    silences.insert(receipt, silence);
                    found = silence.is_long().then_some(Finding::Silent);
                }
            }
            if found.is_some() && found != promise.finding {
                tracing::warn!(%receipt, node = %owed.by, ?found, "a node gave readings and does not tell");
                let promise = Promise {
                    finding: found,
                    ..promise
                };
                changes.push(Change::Find(promise.seal(&self.master, receipt)?));
            }
        }
        Ok((silences, changes))
    }

    /// The nodes that are heard, and about as far as this one.
    fn heard_at(&self, height: Height) -> Result<BTreeSet<PublicKey>, Failure> {
        let status = self.consortium.status();
        let is_here = |vote_key: &PublicKey| {
            let mut peers = status.peers.iter().filter(|peer| peer.key == *vote_key);
            peers.any(|peer| {
                peer.connected_millis.is_some()
                    && peer.heard_millis_ago.is_some_and(|ago| ago < AWAY_MILLIS)
                    && peer
                        .height
                        .is_some_and(|far| far.0.saturating_add(BEHIND) >= height.0)
            })
        };
        let members = self.active_members()?.into_iter();
        Ok(members
            .filter(|member| is_here(&member.vote_key))
            .map(|member| member.key)
            .collect())
    }
}

/// A receipt that is owed.
struct Owed<'a> {
    promise: &'a Promise,
    by: PublicKey,
    nonce: Nonce,
    receipt: Receipt,
}

impl<'a> Owed<'a> {
    /// What a promise says. It was checked before it was kept.
    fn of(promise: &'a Promise) -> Result<Self, Failure> {
        let signed = SignedTransaction::decode(&promise.transaction).map_err(Failure::internal)?;
        let body = signed.body().map_err(Failure::internal)?;
        let Payload::Receipt(receipt) = body.payload else {
            return Err(Failure::internal("a promise of something else"));
        };
        Ok(Self {
            promise,
            by: *signed.sender(),
            nonce: body.nonce,
            receipt,
        })
    }

    fn standing(&self, snapshot: &Snapshot<'_>, id: &Digest) -> Result<Standing, Failure> {
        if self.is_logged(snapshot, id)? {
            return Ok(Standing::Told);
        }
        let head = access::log_head(snapshot).map_err(Failure::internal)?;
        let begins = snapshot.log_begins()?.unwrap_or(head.count);
        if self.promise.logged_from < begins {
            return Ok(Standing::Unseen);
        }
        match snapshot.account(&self.by)?.next_nonce > self.nonce {
            true => Ok(Standing::PassedOver),
            false => Ok(Standing::Waiting),
        }
    }

    /// Whether the access log has it: this transaction, or the same receipt signed anew with another key of the node's.
    fn is_logged(&self, snapshot: &Snapshot<'_>, id: &Digest) -> Result<bool, Failure> {
        let found = access::access(snapshot, &self.receipt.access).map_err(Failure::internal)?;
        let Some(found) = found else {
            return Ok(false);
        };
        let (of_asker, from) = (LogLookup::Person(&found.person), self.promise.logged_from);
        let mut below = u64::MAX;
        loop {
            let page = snapshot.logged_below(of_asker, (from, below), PAGE)?;
            for entry in page.iter().filter(|entry| entry.kind == LogKind::Served) {
                if entry.transaction == *id || self.is_told_by(snapshot, &entry.transaction)? {
                    return Ok(true);
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => below = last.number,
                _ => return Ok(false),
            }
        }
    }

    fn is_told_by(&self, snapshot: &Snapshot<'_>, id: &Digest) -> Result<bool, Failure> {
        let Some(stored) = snapshot.transaction(id)? else {
            return Ok(false);
        };
        let signed = SignedTransaction::decode(&stored.bytes).map_err(Failure::internal)?;
        let payload = signed.body().map_err(Failure::internal)?.payload;
        Ok(matches!(payload, Payload::Receipt(told) if told == self.receipt))
    }
}
