//! Turns by node: whoever asks for much waits for itself, and nobody for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ledger_core::PublicKey;
use tokio::sync::Semaphore;

/// So many turns at a time for each node. There are as many as nodes of the consortium were heard.
pub(super) struct Turns {
    each: usize,
    of: Mutex<BTreeMap<PublicKey, Arc<Semaphore>>>,
}

impl Turns {
    pub(super) fn new(each: usize) -> Self {
        Self {
            each,
            of: Mutex::default(),
        }
    }

    /// A node's turns. They are never closed.
    pub(super) fn of(&self, node: &PublicKey) -> Arc<Semaphore> {
        let mut all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(*node);
        Arc::clone(own.or_insert_with(|| Arc::new(Semaphore::new(self.each))))
    }
}
