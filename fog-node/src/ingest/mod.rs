//! Ingest: measurements in, durable sealed readings and anchored batches out.
//!
//! ```text
//! device tasks ──Item──▶ queue ──▶ writer thread ──one SQLite transaction──▶ durable
//!                                      │ every `batch_readings` or `batch_age`:
//!                                      └ Merkle batch, signed anchor, outbox ──▶ submitter ──▶ consensus
//! ```
//!
//! Upon an item, the writer commits at once if its last commit began long enough ago, [`COMMIT_AGE`], or
//! [`WATCHED_COMMIT_AGE`] while somebody listens to the values; else it waits until then for others, and
//! commits all of them together: sealed into the journal, or, when a flush is due, into payloads together with their batch and its
//! signed transaction. Upon the commit it counts them as received, tells the live view and, for devices
//! that listen, acknowledges them. Upon a failed commit nothing was acknowledged: it reopens the vault,
//! rebuilds its state from it and commits the same items again.
//!
//! The queue is bounded; a full one slows the devices' readers down and drops nothing.

mod batching;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

use std::time::Duration;

use device_drivers::event::CoincidentTime;
use device_drivers::measurement::Measurement;
use fog_api::Place;
use ledger_core::access::Receipt;
use ledger_core::{Digest, Payload};
use tokio::sync::{mpsc, oneshot};

pub use batching::plan_batches;
pub(crate) use stream::quality_of;
pub(crate) use writer::CUT_OFF;
pub use writer::{Anchored, AnchoredOf, Writer, WriterParts, random_handle};

use crate::commissioning::{Commissioning, SignedCommissioning};
use crate::erasure::{EraseOrder, Erased};
use crate::vault::assignments::Assignment;
use crate::vault::clocks::Setting;
use crate::vault::consents::SealedConsent;
use crate::vault::devices::DeviceRow;
use crate::vault::disclosures::SealedDisclosure;
use crate::vault::gaps::Kind;
use crate::vault::patients::SealedPatient;
use crate::vault::people::SealedPerson;
use crate::vault::promises::SealedPromise;
use crate::vault::provisionings::KeptKey;
use crate::vault::reasons::SealedReason;

/// Longest time an item waits for others before it is committed, and least time between two commits that
/// nothing else makes urgent, while nobody listens to the values.
pub const COMMIT_AGE: Duration = Duration::from_millis(100);
/// The same while somebody does: a value is shown once it is durable, and a person should not wait for it.
pub const WATCHED_COMMIT_AGE: Duration = Duration::from_millis(14);
/// Items that wait for the writer before senders wait.
pub const QUEUE_ITEMS: usize = 512;
/// Most measurements one item may carry.
pub const MAX_ITEM_READINGS: usize = 1024;

/// When a batch is closed.
#[derive(Clone, Copy, Debug)]
pub struct BatchPolicy {
    /// Most readings in a batch; a batch is closed when it has this many.
    pub readings: u32,
    /// A batch is closed when its oldest reading waits this long.
    pub age: Duration,
}

impl Default for BatchPolicy {
    fn default() -> Self {
        Self {
            readings: 4096,
            age: Duration::from_secs(1),
        }
    }
}

/// A device as the writer knows it, while it is open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeviceIndex(pub u32);

/// Something for a device's gap ledger: what, why, how many.
pub type Count = (Kind, &'static str, u64);

/// What a device reported: all of it in one commit, so that no hole in its sequence numbers is ever durable
/// without its name.
#[derive(Debug, Default)]
pub struct Heard {
    /// What it measured.
    pub measurements: Vec<Measurement>,
    /// What its gap ledger must name beside that.
    pub counts: Vec<Count>,
    /// What its clock showed.
    pub clocks: Vec<CoincidentTime>,
}

impl Heard {
    /// Measurements and nothing beside them.
    #[must_use]
    pub fn measured(measurements: Vec<Measurement>) -> Self {
        Self {
            measurements,
            ..Self::default()
        }
    }

    /// Whether there is nothing to commit.
    pub(crate) fn is_nothing(&self) -> bool {
        self.measurements.is_empty() && self.counts.is_empty() && self.clocks.is_empty()
    }
}

/// Whose a device is from now on: somebody's, or nobody's.
pub type Whose = (DeviceIndex, Option<Assignment>);

/// What the writer is told.
#[derive(Debug)]
pub enum Item {
    /// What a device reported.
    Heard(DeviceIndex, Heard),
    /// A new device: store it and register it on the ledger. The key that was kept under a code's digest
    /// is forgotten in the same commit.
    Add(
        DeviceRow,
        Option<Digest>,
        oneshot::Sender<Result<DeviceIndex, String>>,
    ),
    /// A key that a device is offered: keep it; answered when durable.
    Keep(KeptKey, oneshot::Sender<()>),
    /// A self-test has ended with this record: sign and keep it; answered with it once it is durable.
    Commission(
        Box<Commissioning>,
        oneshot::Sender<Result<SignedCommissioning, String>>,
    ),
    /// A device that another node has handed over: store it, whose it is, and how its clock is set.
    Take(
        DeviceRow,
        Option<Assignment>,
        Option<Setting>,
        oneshot::Sender<Result<DeviceIndex, String>>,
    ),
    /// Where a device is used from now on; answered when durable.
    Place(DeviceIndex, Option<Place>, oneshot::Sender<()>),
    /// A person as registered from now on; answered when durable.
    Person(SealedPerson, oneshot::Sender<()>),
    /// Why somebody broke the glass; answered when durable.
    Reason(SealedReason, oneshot::Sender<()>),
    /// A patient as written down from now on; answered when durable.
    Patient(SealedPatient, oneshot::Sender<()>),
    /// What a patient agreed to, as it is from now on; answered when durable.
    Consent(SealedConsent, oneshot::Sender<()>),
    /// What somebody is about to be shown under a grant, and the receipt that tells of it; answered with the receipt's
    /// transaction when durable, or with why not if there is a read of this name.
    Disclose(
        SealedDisclosure,
        Receipt,
        oneshot::Sender<Result<Digest, String>>,
    ),
    /// What another node has promised; answered when durable.
    Promise(SealedPromise, oneshot::Sender<()>),
    /// A promise as it is known from now on; answered when durable.
    Judged(SealedPromise, oneshot::Sender<()>),
    /// The receipt with this transaction has come; answered once the promise is forgotten.
    Fulfilled(Digest, oneshot::Sender<()>),
    /// All of a patient or device is erased; answered with the certificate once that is durable.
    Erase(Box<EraseOrder>, oneshot::Sender<Result<Erased, String>>),
    /// A removed device: its readings stay, its port key is destroyed.
    Remove(DeviceIndex, oneshot::Sender<Result<(), String>>),
    /// Something the ledger is told in this node's name, and whose a device is with it; answered with the
    /// transaction once it is durable.
    Tell(
        Payload,
        Option<Whose>,
        oneshot::Sender<Result<Digest, String>>,
    ),
    /// Close the batch and commit all that is waiting; answered when durable.
    Flush(oneshot::Sender<()>),
}

impl Item {
    /// Whether all that waits goes into batches with it. What comes before a change of whose a device is does so ahead
    /// of it: under the keys of before.
    const fn is_flush(&self) -> bool {
        matches!(
            self,
            Self::Flush(_)
                | Self::Remove(..)
                | Self::Take(..)
                | Self::Tell(_, Some(_), _)
                | Self::Erase(..)
        )
    }
}

/// The senders' end of the queue.
#[derive(Clone, Debug)]
pub struct Ingest(mpsc::Sender<Item>);

/// The writer has stopped; nothing was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node is stopping and accepts nothing more")]
pub struct IngestStopped;

impl Ingest {
    /// A queue and its two ends.
    #[must_use]
    pub fn queue() -> (Self, mpsc::Receiver<Item>) {
        let (sender, receiver) = mpsc::channel(QUEUE_ITEMS);
        (Self(sender), receiver)
    }

    /// Hands an item over, waiting for room.
    ///
    /// # Errors
    /// [`IngestStopped`].
    pub async fn send(&self, item: Item) -> Result<(), IngestStopped> {
        self.0.send(item).await.map_err(|_| IngestStopped)
    }

    /// Closes the batch and waits until all that was sent before is durable.
    ///
    /// # Errors
    /// [`IngestStopped`].
    pub async fn flush(&self) -> Result<(), IngestStopped> {
        self.until_durable(Item::Flush).await
    }

    /// Queues an item that is answered; its answer, once it is durable.
    ///
    /// # Errors
    /// [`IngestStopped`].
    pub async fn until_durable<T>(
        &self,
        item: impl FnOnce(oneshot::Sender<T>) -> Item,
    ) -> Result<T, IngestStopped> {
        let (done, durable) = oneshot::channel();
        self.send(item(done)).await?;
        durable.await.map_err(|_| IngestStopped)
    }
}
