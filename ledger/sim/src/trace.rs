//! The trace: one digest over everything that happened, in order. Two runs of one seed have the same.

use ledger_core::Digest;
use sha2::{Digest as _, Sha256};

use crate::network::NodeIndex;
use crate::time::Moment;

/// A digest in the making.
#[derive(Clone, Default)]
pub(crate) struct Trace {
    hash: Sha256,
    /// Events so far.
    pub events: u64,
}

impl Trace {
    /// Adds one event: when, at which node, of which kind, with which bytes.
    pub(crate) fn add(&mut self, at: Moment, node: NodeIndex, kind: u8, bytes: &[u8]) {
        self.events += 1;
        self.hash.update(at.0.to_be_bytes());
        self.hash.update((node as u64).to_be_bytes());
        self.hash.update([kind]);
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
    }

    /// The digest over all events so far.
    pub(crate) fn digest(&self) -> Digest {
        Digest(self.hash.clone().finalize().into())
    }
}
