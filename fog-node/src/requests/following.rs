//! Following what was granted: shown as it comes, and cut off at the next block after which it may not be read.
//!
//! ```text
//!           ┌─ each 2 s: what is new is ordered and read, its receipts durable ─▶ may it be read still? ─▶ shown
//! live view ┤                                                                            │ no
//!           └─ each block, the grant's time, a lock ─▶ may it be read still? ────────────┴─▶ ended: why, at which block
//! ```
//!
//! What is shown was read like anything else (`reading`): ordered with the key in the person's open session, looked at
//! by the node that holds it, told by receipts that are durable first. So there is no second way to the data.
//!
//! New is, of each stream, what comes after the last reading that this view has shown, and was taken from the view's
//! begin on: what comes late is shown late, and nothing twice. Of statistics, an hour is new once it is over. Where
//! nothing is new, nothing is shown, and no receipt is made.
//!
//! Upon a block while a read is on its way: it is looked whether the grant holds, and the read is given up if it does
//! not. Its receipts stay, and tell of more than was shown, never of less.
//!
//! A view is asked for its next event and does nothing before that: who listens slowly gets longer spans, and nothing
//! waits in the node. Left out: going on by itself where a connection broke; who follows says from when on.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fog_api::following::{PERIOD_OVER, SETTLED_MILLIS};
use fog_api::{Disclosure, FollowQuery, LiveAccess, LiveEnd, ReadAccess};
use futures_util::stream::{self, Stream};
use ledger_consortium::FinalizedBlock;
use ledger_core::access::{Access, Resolution};
use ledger_core::{Digest, Height};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, sleep, sleep_until};

use super::serving::{Order, ended};
use crate::clock::{now_millis, unix_millis};
use crate::disclosure::content::HOUR;
use crate::failure::Failure;
use crate::ingest::random_handle;
use crate::node::Node;
use crate::people::{Brought, Caller, Signed, locked, signed_out};
use crate::tell::block_clock;

/// Least time between two reads of one view.
const PACE: Duration = Duration::from_secs(2);
/// Most streams that one view has shown something of; an order names each.
pub(super) const MAX_STREAMS: usize = 128;
/// Most live views of one person, and of all.
const MAX_OF_ONE: usize = 4;
const MAX_OF_ALL: usize = 64;

/// How many live views each person has open, by her handle.
#[derive(Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<BTreeMap<Digest, usize>>>);

/// The place of one live view; free again when it is dropped.
struct Seat {
    all: Seats,
    of: Digest,
}

impl Seats {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, of: Digest) -> Result<Seat, Failure> {
        let mut seats = self.lock();
        let own = seats.get(&of).copied().unwrap_or(0);
        if own >= MAX_OF_ONE || seats.values().sum::<usize>() >= MAX_OF_ALL {
            return Err(too_many());
        }
        seats.insert(of, own + 1);
        let all = self.clone();
        Ok(Seat { all, of })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.all.lock();
        if let Some(own) = seats.get_mut(&self.of) {
            *own -= 1;
            if *own == 0 {
                seats.remove(&self.of);
            }
        }
    }
}

/// A live view.
pub(crate) struct Following {
    node: Weak<Node>,
    signed: Signed,
    found: Access,
    /// What is ordered next, but for its name.
    order: Order,
    blocks: Receiver<Arc<FinalizedBlock>>,
    /// Resolves when the session is locked or over.
    dismissed: Pin<Box<dyn Future<Output = ()> + Send>>,
    due: Instant,
    /// That of the newest block when it was last looked.
    height: Height,
    /// Nodes that did not answer last time.
    silent: BTreeSet<String>,
    /// Nothing of the granted period is to come.
    is_period_over: bool,
    is_over: bool,
    _seat: Seat,
}

impl Node {
    /// Follows a part of what was granted to the caller.
    ///
    /// # Errors
    /// [`Failure`] as [`Node::read_access`], `ACC-12` if too much is followed at once, `ACC-13` if the granted period is
    /// over.
    pub(crate) async fn follow_access(
        self: &Arc<Self>,
        handle: &str,
        asked: FollowQuery,
        signed: &Signed,
    ) -> Result<Following, Failure> {
        // Heard first, so that no block falls between the look and the blocks after it.
        let blocks = self.consortium.subscribe();
        let found = self.own_access(handle, signed).await?;
        if found.asked.until_millis <= unix_millis() {
            return Err(period_over());
        }
        let codes = asked.metrics.iter().flat_map(|codes| codes.split(','));
        let codes = codes.map(str::trim).filter(|code| !code.is_empty());
        let part = ReadAccess {
            metrics: codes.map(str::to_owned).collect(),
            from: Some(asked.from.unwrap_or_else(now_millis)),
            ..ReadAccess::default()
        };
        let mut order = self.order(&found, part)?;
        order.since = Some(BTreeMap::new());
        let caller = Caller::Person(signed.clone());
        let mut following = Following {
            node: Arc::downgrade(self),
            signed: signed.clone(),
            dismissed: Box::pin(Arc::clone(&self.people).dismissed(caller)),
            _seat: self.requests.seats.take(found.person)?,
            found,
            order,
            blocks,
            due: Instant::now(),
            height: Height(0),
            silent: BTreeSet::new(),
            is_period_over: false,
            is_over: false,
        };
        following.check().await?;
        Ok(following)
    }
}

impl Following {
    /// Its events, the end at last.
    pub(crate) fn events(self) -> impl Stream<Item = LiveAccess> + Send {
        stream::unfold(self, |mut following| async {
            let event = following.next().await?;
            Some((event, following))
        })
    }

    async fn next(&mut self) -> Option<LiveAccess> {
        if self.is_over {
            return None;
        }
        let why = match self.news().await {
            Ok(shown) => return Some(LiveAccess::Shown(Box::new(shown))),
            Err(why) => why,
        };
        self.is_over = true;
        Some(LiveAccess::Ended(self.end(why).await))
    }

    /// What is new, once something is.
    async fn news(&mut self) -> Result<Disclosure, Failure> {
        loop {
            self.unless_cut(sleep_until(self.due)).await?;
            self.due = Instant::now() + PACE;
            let Some(order) = self.next_order()? else {
                continue;
            };
            let until = order.until;
            let (node, signed) = (self.node()?, self.signed.clone());
            let found = self.found.clone();
            let read = async move { node.carry_out(&found, order, &signed).await };
            let shown = self.unless_cut(read).await??;
            if let Some(until) = until {
                self.order.from = Some(until);
            }
            if self.note(&shown) {
                return Ok(shown);
            }
        }
    }

    /// Does something; given up at once when the session locks, and at the block or the moment after which nothing may
    /// be read.
    async fn unless_cut<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Failure> {
        let mut work = pin!(work);
        loop {
            let left = self.found.until_millis.saturating_sub(unix_millis());
            let done = tokio::select! {
                biased;
                () = &mut self.dismissed => return Err(self.dismissal()?),
                block = self.blocks.recv() => match block {
                    // A listener that fell behind looks again, like one that heard of a block.
                    Ok(_) | Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => return Err(Failure::stopping()),
                },
                () = sleep(Duration::from_millis(left)) => None,
                done = &mut work => Some(done),
            };
            self.check().await?;
            if let Some(done) = done {
                return Ok(done);
            }
        }
    }

    /// Looks whether anything of it may be read still.
    async fn check(&mut self) -> Result<(), Failure> {
        let (access, wanted) = (self.order.access, self.order.metrics.clone());
        let look = move |node: &Node| {
            let readable = node.readable_now(&access).map(|(_, metrics)| metrics);
            // Looked up after it, so that this block or an earlier one ended it.
            let height = block_clock(&node.replica.read()?)?.height;
            Ok((readable, height))
        };
        let (readable, height) = self.node()?.blocking(look).await?;
        self.height = height;
        let is_any = |one: &String| wanted.is_empty() || wanted.contains(one);
        match readable?.iter().any(is_any) {
            true => Ok(()),
            false => Err(ended()),
        }
    }

    /// The order of what is new now; none while no hour is over of which statistics could tell.
    fn next_order(&mut self) -> Result<Option<Order>, Failure> {
        if self.is_period_over {
            return Err(period_over());
        }
        let streams = self.order.since.as_ref().map_or(0, BTreeMap::len);
        if streams > MAX_STREAMS {
            return Err(too_long());
        }
        let end = i64::try_from(self.found.asked.until_millis).unwrap_or(i64::MAX);
        let settled = now_millis().saturating_sub(SETTLED_MILLIS);
        self.is_period_over = settled >= end;
        let until = match self.found.asked.resolution {
            Resolution::Raw => None,
            Resolution::Aggregate if self.is_period_over => Some(end),
            Resolution::Aggregate => Some(settled.div_euclid(HOUR).saturating_mul(HOUR)),
        };
        if until.is_some_and(|until| self.order.from >= Some(until)) {
            return Ok(None);
        }
        Ok(Some(Order {
            read: random_handle().map_err(Failure::internal)?,
            until,
            ..self.order.clone()
        }))
    }

    /// Notes what is shown, so that it is not shown again. Whether there is anything to tell.
    fn note(&mut self, shown: &Disclosure) -> bool {
        let since = self.order.since.get_or_insert_default();
        for part in &shown.streams {
            if let (Ok(stream), Some(last)) = (part.stream.parse(), part.readings.last()) {
                since.insert(stream, last.sequence.saturating_add(1));
            }
        }
        let silent = shown.not_read.iter().map(|missing| missing.node.clone());
        let before = std::mem::replace(&mut self.silent, silent.collect());
        !shown.receipts.is_empty() || self.silent != before
    }

    async fn end(&mut self, why: Failure) -> LiveEnd {
        LiveEnd {
            at: now_millis(),
            height: self.height.0,
            why: self.told(why).await.error,
        }
    }

    /// The same reason, with what the ledger says of the request where that is why.
    async fn told(&mut self, why: Failure) -> Failure {
        if why.error.code != "ACC-06" {
            return why;
        }
        let mut told = why;
        let handle = self.order.access.to_string();
        if let Ok(node) = self.node()
            && let Err(said) = node.own_access(&handle, &self.signed).await
            && said.error.code == told.error.code
        {
            told = said;
        }
        told.error.what = "The live view has ended.".to_owned();
        told
    }

    /// Why the session is not open any more.
    fn dismissal(&self) -> Result<Failure, Failure> {
        let brought = Brought(vec![self.signed.token.clone()]);
        Ok(match self.node()?.people.caller(&brought) {
            Caller::Locked(..) => locked(),
            _ => signed_out(),
        })
    }

    fn node(&self) -> Result<Arc<Node>, Failure> {
        self.node.upgrade().ok_or_else(Failure::stopping)
    }
}

fn period_over() -> Failure {
    Failure::new(
        409,
        PERIOD_OVER,
        "Nothing more comes.",
        "The period that was granted is over.",
        "Read it while the grant lasts, or ask for a later period.",
    )
}

fn too_many() -> Failure {
    Failure::new(
        429,
        "ACC-12",
        "Too much is followed at once.",
        format!(
            "One person has at most {MAX_OF_ONE} live views at a node, and all together {MAX_OF_ALL}."
        ),
        "Close one that is not needed.",
    )
}

fn too_long() -> Failure {
    Failure::new(
        409,
        "ACC-08",
        "The live view has ended.",
        format!("More than {MAX_STREAMS} streams have been shown in it."),
        "Begin again, from where it ended.",
    )
}

#[cfg(test)]
mod tests {
    //! Goal: nobody follows more than a few at once, and a view that is closed makes room. Method: seats of two people.

    use super::*;

    #[test]
    fn seats_are_few_and_free_again() {
        let seats = Seats::default();
        let [anna, boris] = [1, 2].map(|byte| Digest([byte; 32]));
        let mut own: Vec<_> = (0..MAX_OF_ONE).map(|_| seats.take(anna).unwrap()).collect();
        assert!(seats.take(anna).is_err());
        drop(seats.take(boris).unwrap());
        own.pop();
        own.push(seats.take(anna).unwrap());
        assert!(seats.take(anna).is_err());
        let others: Vec<_> = (3..=u8::MAX)
            .map_while(|byte| seats.take(Digest([byte; 32])).ok())
            .collect();
        assert_eq!(others.len() + own.len(), MAX_OF_ALL);
        drop((own, others));
        assert!(seats.lock().is_empty());
    }
}
