//! Transactions waiting for a block: bounded, ordered by nonce within each sender, fair between
//! senders. Pure: no clock, no I/O; who calls it says what the state's next nonces are.
//!
//! ```text
//! sender A   next nonce 7   │ 7  8  9        ready: 7, then 8, then 9
//! sender B   next nonce 2   │    3  4        not ready: 2 is missing
//! ```
//!
//! - **Upon insert**: a transaction is refused if its nonce is used, taken, or too far ahead; if the
//!   sender or the pool is full; if no block can hold it. The same transaction twice is told apart. A
//!   sender may hold at most half as much as there is room left, so that however many flood the pool,
//!   there is room for one more (dynamic thresholds, as in switches with a shared buffer).
//! - **Upon reap**: senders take turns by bytes (start-time fair queueing): of all whose next nonce is
//!   here, the one that had the fewest bytes in blocks since it began to wait goes first, then who
//!   came first. Whoever floods waits behind itself. Governance and devices come before bulk, in at
//!   most half of the block, so that they in turn starve nobody. A sender whose turn does not fit into
//!   the rest of the block waits for the next one.
//! - **Upon a final block**: its transactions leave, and with them whatever waits under a used nonce.
//!
//! Nothing is evicted for another: what was accepted stays until it is final or refused. The pool is
//! memory only; who submits keeps a transaction until it is final.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use ledger_core::{Digest, Nonce, Payload, PublicKey, VerifiedTransaction};

use crate::finality::SubmitError;

/// How much may wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most transactions.
    pub transactions: usize,
    /// Most bytes of transactions.
    pub bytes: usize,
    /// Most transactions of one sender, and how far ahead of its next nonce one may be.
    pub per_sender: usize,
    /// Most bytes of one transaction: what fits into a block.
    pub transaction_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            transactions: 20_000,
            bytes: 32 << 20,
            per_sender: 4096,
            transaction_bytes: 512 * 1024,
        }
    }
}

#[derive(Debug)]
struct Waiting {
    transaction: VerifiedTransaction,
    arrival: u64,
}

#[derive(Debug)]
struct Sender {
    next: Nonce,
    waiting: BTreeMap<Nonce, Waiting>,
    bytes: usize,
    /// Where its turn begins: bytes it had in blocks, from the pool's turn when it began to wait on.
    turn: u64,
}

/// Transactions waiting for a block.
#[derive(Debug)]
pub struct Mempool {
    limits: Limits,
    senders: BTreeMap<PublicKey, Sender>,
    ids: HashMap<Digest, (PublicKey, Nonce)>,
    ready: BTreeSet<PublicKey>,
    bytes: usize,
    arrivals: u64,
    /// The latest turn that was served: where newcomers begin.
    turn: u64,
}

/// A sender's next transaction, by whose turn it is.
type Head<'a> = Reverse<(u64, u64, &'a PublicKey, Nonce)>;

/// What came of an insert that was not refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inserted {
    /// It waits now.
    New,
    /// It was waiting before.
    Known,
}

impl Mempool {
    /// An empty pool.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            senders: BTreeMap::new(),
            ids: HashMap::new(),
            ready: BTreeSet::new(),
            bytes: 0,
            arrivals: 0,
            turn: 0,
        }
    }

    /// A block holds so many bytes from now on. What waits and became too large is left to the state
    /// to refuse.
    pub const fn limit_transactions(&mut self, transaction_bytes: usize) {
        self.limits.transaction_bytes = transaction_bytes;
    }

    /// Transactions waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Bytes of the transactions waiting.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether some transaction could go into the next block.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether this transaction waits.
    #[must_use]
    pub fn contains(&self, id: &Digest) -> bool {
        self.ids.contains_key(id)
    }

    /// The next nonce of a sender of whom something waits.
    #[must_use]
    pub fn next_nonce(&self, sender: &PublicKey) -> Option<Nonce> {
        self.senders.get(sender).map(|queue| queue.next)
    }

    /// A transaction that waits.
    #[must_use]
    pub fn get(&self, id: &Digest) -> Option<&VerifiedTransaction> {
        let (sender, nonce) = self.ids.get(id)?;
        let waiting = self.senders.get(sender)?.waiting.get(nonce)?;
        Some(&waiting.transaction)
    }

    /// Takes `transaction`, whose sender's next nonce in the state is `next`.
    ///
    /// # Errors
    /// [`SubmitError`] if it cannot wait here; nothing has changed then.
    pub fn insert(
        &mut self,
        transaction: VerifiedTransaction,
        next: Nonce,
    ) -> Result<Inserted, SubmitError> {
        let id = transaction.id();
        if self.ids.contains_key(&id) {
            return Ok(Inserted::Known);
        }
        let actual = transaction.bytes().len();
        self.check(&transaction, next, actual)?;
        let (sender, nonce) = (transaction.sender(), transaction.body().nonce);
        self.ids.insert(id, (sender, nonce));
        self.bytes += actual;
        let arrival = self.arrivals;
        self.arrivals += 1;
        let turn = self.turn;
        let queue = self.senders.entry(sender).or_insert_with(|| Sender {
            next,
            waiting: BTreeMap::new(),
            bytes: 0,
            turn,
        });
        queue.bytes += actual;
        let waiting = Waiting {
            transaction,
            arrival,
        };
        queue.waiting.insert(nonce, waiting);
        self.settle(sender);
        Ok(Inserted::New)
    }

    fn check(
        &self,
        transaction: &VerifiedTransaction,
        next: Nonce,
        actual: usize,
    ) -> Result<(), SubmitError> {
        let nonce = transaction.body().nonce;
        if actual > self.limits.transaction_bytes {
            return Err(SubmitError::TooLarge {
                actual,
                limit: self.limits.transaction_bytes,
            });
        }
        let Some(ahead) = nonce.0.checked_sub(next.0) else {
            return Err(SubmitError::NonceUsed {
                expected: next,
                actual: nonce,
            });
        };
        let (mut own, mut own_bytes) = (0, 0);
        if let Some(queue) = self.senders.get(&transaction.sender()) {
            if queue.waiting.contains_key(&nonce) {
                return Err(SubmitError::NonceTaken(nonce));
            }
            (own, own_bytes) = (queue.waiting.len(), queue.bytes);
        }
        if own >= self.limits.per_sender || ahead >= self.limits.per_sender as u64 {
            return Err(SubmitError::SenderLimit);
        }
        let room = self.limits.transactions.saturating_sub(self.ids.len());
        let room_bytes = self.limits.bytes.saturating_sub(self.bytes);
        if room == 0 || room_bytes < actual {
            return Err(SubmitError::Full);
        }
        // One transaction may wait of everybody, as long as there is room at all.
        if own > 0 && (own >= room / 2 || own_bytes + actual > room_bytes / 2) {
            return Err(SubmitError::SenderLimit);
        }
        Ok(())
    }

    /// Up to `max_bytes` of transactions for the next block, in the order they are executed. They
    /// stay in the pool until [`Self::remove`] or [`Self::advance`].
    #[must_use]
    pub fn reap(&self, max_bytes: usize) -> Vec<VerifiedTransaction> {
        let mut reaping = Reaping {
            pool: self,
            taken: BTreeMap::new(),
            reaped: Vec::new(),
            bytes: 0,
        };
        reaping.take(max_bytes / 2, |waiting| is_urgent(&waiting.transaction));
        reaping.take(max_bytes, |_| true);
        reaping.reaped
    }

    /// Takes one transaction out: the state refused it.
    pub fn remove(&mut self, id: &Digest) -> Option<VerifiedTransaction> {
        let (sender, nonce) = self.ids.remove(id)?;
        let queue = self.senders.get_mut(&sender)?;
        let removed = queue.waiting.remove(&nonce)?.transaction;
        let length = removed.bytes().len();
        self.bytes -= length;
        queue.bytes -= length;
        self.settle(sender);
        Some(removed)
    }

    /// The state's next nonce of `sender` is `next` now: everything before leaves. Returns the ids and
    /// nonces of those that left.
    pub fn advance(&mut self, sender: PublicKey, next: Nonce) -> Vec<(Digest, Nonce)> {
        let Some(queue) = self.senders.get_mut(&sender) else {
            return Vec::new();
        };
        queue.next = next;
        let kept = queue.waiting.split_off(&next);
        let left = std::mem::replace(&mut queue.waiting, kept);
        let mut ids = Vec::with_capacity(left.len());
        for (nonce, waiting) in left {
            let id = waiting.transaction.id();
            let length = waiting.transaction.bytes().len();
            self.bytes -= length;
            queue.bytes -= length;
            self.turn = self.turn.max(queue.turn);
            queue.turn += length as u64;
            self.ids.remove(&id);
            ids.push((id, nonce));
        }
        self.settle(sender);
        ids
    }

    /// Brings a sender's place among the ready in line with what waits.
    fn settle(&mut self, sender: PublicKey) {
        let Some(queue) = self.senders.get(&sender) else {
            return;
        };
        if queue.waiting.contains_key(&queue.next) {
            self.ready.insert(sender);
        } else {
            self.ready.remove(&sender);
        }
        if queue.waiting.is_empty() {
            self.senders.remove(&sender);
        }
    }
}

/// A block in the making.
struct Reaping<'a> {
    pool: &'a Mempool,
    /// The nonce and the turn that follow what was taken of a sender.
    taken: BTreeMap<PublicKey, (Nonce, u64)>,
    reaped: Vec<VerifiedTransaction>,
    bytes: usize,
}

impl<'a> Reaping<'a> {
    /// Takes what is `wanted` in the order of turns, until nothing more fits into `max_bytes`.
    fn take(&mut self, max_bytes: usize, wanted: impl Fn(&Waiting) -> bool) {
        let pool = self.pool;
        let mut heads = BinaryHeap::new();
        for key in &pool.ready {
            heads.extend(self.head(key, &wanted));
        }
        while let Some(Reverse((turn, _, key, nonce))) = heads.pop() {
            let head = pool.senders.get(key);
            let Some(head) = head.and_then(|queue| queue.waiting.get(&nonce)) else {
                continue;
            };
            let length = head.transaction.bytes().len();
            let Some(following) = nonce.next() else {
                continue;
            };
            if self.bytes + length > max_bytes {
                continue;
            }
            self.bytes += length;
            self.reaped.push(head.transaction.clone());
            self.taken.insert(*key, (following, turn + length as u64));
            heads.extend(self.head(key, &wanted));
        }
    }

    /// The next transaction of a sender, if it is wanted.
    fn head(&self, key: &'a PublicKey, wanted: impl Fn(&Waiting) -> bool) -> Option<Head<'a>> {
        let queue = self.pool.senders.get(key)?;
        let begin = (queue.next, queue.turn);
        let (nonce, turn) = self.taken.get(key).copied().unwrap_or(begin);
        let head = queue.waiting.get(&nonce)?;
        wanted(head).then_some(Reverse((turn, head.arrival, key, nonce)))
    }
}

/// Whether a transaction comes before bulk.
fn is_urgent(transaction: &VerifiedTransaction) -> bool {
    match transaction.body().payload {
        Payload::AnchorBatch(_) => false,
        // Governance, and devices that somebody stands waiting for.
        _ => true,
    }
}
