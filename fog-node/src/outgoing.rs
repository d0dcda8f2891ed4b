//! What goes from the writer to the submitter: the node's own transactions, in the order of their nonces.
//!
//! ```text
//! writer ──nonces below this are durable──▶ submitter          never waits
//!        ──the transaction itself, if there is room──▶
//! outbox on disk ◀──what was not handed over, a page at a time── submitter
//! ```
//!
//! The writer never waits for consensus: a node that is cut off for days goes on sealing, and only its outbox
//! grows, on disk. What is in memory is bounded.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::{mpsc, watch};

use crate::ingest::Anchored;
use crate::live::LiveView;
use crate::submitter::IN_FLIGHT;
use crate::vault::{VaultError, open_read_only, outbox};

/// The writer's end.
pub struct Handing {
    below: watch::Sender<u64>,
    fresh: mpsc::Sender<Anchored>,
}

/// The submitter's end.
pub struct Outgoing {
    below: watch::Receiver<u64>,
    fresh: mpsc::Receiver<Anchored>,
    /// What is next, from memory or from disk.
    ahead: VecDeque<Anchored>,
    stored: Stored,
}

/// Reads what was not handed over.
#[derive(Clone)]
pub struct Stored {
    /// The vault's file.
    pub path: PathBuf,
    /// Knows the devices by their ids.
    pub live: Arc<LiveView>,
}

/// Both ends; nothing is known to be durable yet.
#[must_use]
pub fn outgoing(stored: Stored) -> (Handing, Outgoing) {
    let (below, seen) = watch::channel(0);
    let (give, fresh) = mpsc::channel(IN_FLIGHT);
    let outgoing = Outgoing {
        below: seen,
        fresh,
        ahead: VecDeque::new(),
        stored,
    };
    (Handing { below, fresh: give }, outgoing)
}

impl Handing {
    /// The transactions with nonces below this are durable.
    pub fn durable(&self, below: u64) {
        self.below.send_replace(below);
    }

    /// A transaction is durable.
    pub fn hand(&self, anchored: Anchored) {
        let below = anchored.transaction.nonce + 1;
        // Without room it is read from the outbox once its turn comes.
        let _ = self.fresh.try_send(anchored);
        self.durable(below);
    }
}

impl Outgoing {
    /// Whether the transaction with this nonce is durable.
    pub fn has(&self, nonce: u64) -> bool {
        nonce < *self.below.borrow()
    }

    /// Resolves when another one is durable; false if the writer is gone.
    pub async fn more(&mut self) -> bool {
        self.below.changed().await.is_ok()
    }

    /// The transaction with this nonce, which must be durable; they are asked for in their order.
    ///
    /// # Errors
    /// [`VaultError`] if it cannot be read, or is not there.
    pub async fn take(&mut self, nonce: u64) -> Result<Anchored, VaultError> {
        loop {
            match self.ahead.pop_front() {
                Some(next) if next.transaction.nonce == nonce => return Ok(next),
                Some(earlier) if earlier.transaction.nonce < nonce => {}
                later => {
                    self.ahead.extend(later);
                    match self
                        .ahead
                        .is_empty()
                        .then(|| self.fresh.try_recv().ok())
                        .flatten()
                    {
                        Some(fresh) => self.ahead.push_back(fresh),
                        None => self.read(nonce).await?,
                    }
                }
            }
        }
    }

    /// Puts what is stored from this nonce on before what is in memory.
    async fn read(&mut self, nonce: u64) -> Result<(), VaultError> {
        let stored = self.stored.clone();
        let read = tokio::task::spawn_blocking(move || stored.page(nonce));
        let missing = VaultError::Row { table: "outbox" };
        let Ok(page) = read.await else {
            return Err(missing);
        };
        let mut page = page?;
        let later = self.ahead.front().map(|later| later.transaction.nonce);
        page.retain(|read| later.is_none_or(|later| read.transaction.nonce < later));
        if page
            .first()
            .is_none_or(|first| first.transaction.nonce != nonce)
        {
            return Err(missing);
        }
        for read in page.into_iter().rev() {
            self.ahead.push_front(read);
        }
        Ok(())
    }
}

impl Stored {
    /// Stored transactions from this nonce on.
    fn page(&self, nonce: u64) -> Result<Vec<Anchored>, VaultError> {
        let vault = open_read_only(&self.path)?;
        let rows = outbox::page(&vault, nonce, IN_FLIGHT)?;
        let anchored = rows.into_iter().map(|row| self.anchored(&vault, row));
        anchored.collect()
    }

    fn anchored(
        &self,
        vault: &Connection,
        transaction: outbox::OutboxRow,
    ) -> Result<Anchored, VaultError> {
        let readings = match transaction.batch {
            None => Vec::new(),
            Some(batch) => outbox::readings_of(vault, batch)?,
        };
        let readings = readings.into_iter();
        Ok(Anchored {
            transaction,
            readings: readings
                .map(|(device, count)| (self.live.index_of(&device), count))
                .collect(),
        })
    }
}
