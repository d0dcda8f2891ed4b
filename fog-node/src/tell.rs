//! Tells the ledger something in this node's name, other than anchors: what becomes of a device, which device
//! may hear which.
//!
//! Upon something to tell: look whether it would be void, sign it and keep it in the outbox, answer once it is
//! final. What is durable goes on by itself, also over a restart of the node.

use std::sync::Arc;
use std::time::Duration;

use ledger_consortium::FinalizedBlock;
use ledger_core::access::{self, AccessError};
use ledger_core::device::{self, DeviceError};
use ledger_core::state::{Clock, ExecutionError, StateKey, read};
use ledger_core::{Digest, OrganisationId, Payload, PublicKey, governance};
use ledger_store::Snapshot;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::ingest::{Item, Whose};
use crate::node::Node;

/// How long an answer waits for finality.
const PATIENCE: Duration = Duration::from_secs(20);

/// Something told that is durable; not final yet.
pub(crate) struct Told {
    transaction: Digest,
    blocks: broadcast::Receiver<Arc<FinalizedBlock>>,
}

impl Node {
    /// Has the vault's writer take an item; its answer, once that is durable.
    ///
    /// # Errors
    /// [`Failure`] if the node is stopping.
    pub(crate) async fn until_durable<T>(
        &self,
        item: impl FnOnce(oneshot::Sender<T>) -> Item,
    ) -> Result<T, Failure> {
        let ingest = self.ingest().ok_or_else(Failure::stopping)?;
        let durable = ingest.until_durable(item).await;
        durable.map_err(|_| Failure::stopping())
    }

    /// Signs and keeps a payload, unless it would be void.
    ///
    /// # Errors
    /// [`Failure`] that says why it makes no sense, or that the node is stopping.
    pub(crate) async fn tell_ledger(
        &self,
        payload: Payload,
        whose: Option<Whose>,
    ) -> Result<Told, Failure> {
        self.refuse_void(&payload)?;
        let blocks = self.consortium.subscribe();
        let durable = self.until_durable(|done| Item::Tell(payload, whose, done));
        let durable = durable.await?;
        Ok(Told {
            transaction: durable.map_err(Failure::internal)?,
            blocks,
        })
    }

    /// Why something about people, policies or access would be void if `sender` said it now; `None` if it would not.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub(crate) fn void_of(
        &self,
        sender: PublicKey,
        payload: &Payload,
    ) -> Result<Option<AccessError>, Failure> {
        let snapshot = self.replica.read()?;
        let clock = block_clock(&snapshot)?;
        match access::check(&snapshot, clock, sender, payload) {
            Ok(()) => Ok(None),
            Err(ExecutionError::Access(error)) => Ok(Some(error)),
            Err(error) => Err(Failure::internal(error)),
        }
    }

    /// The organisation whose admin key this node has; none while it waits to be admitted.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub(crate) fn voice(&self, snapshot: &Snapshot<'_>) -> Result<Option<OrganisationId>, Failure> {
        governance::admin_of(snapshot, &self.membership.admin()).map_err(Failure::internal)
    }

    /// Waits until what was told is final.
    ///
    /// # Errors
    /// [`Failure`] if that takes too long.
    pub(crate) async fn until_final(&self, mut told: Told) -> Result<(), Failure> {
        let is_final = async {
            while self
                .replica
                .read()?
                .transaction(&told.transaction)?
                .is_none()
            {
                // A listener that fell behind looks again, like one that heard of a block.
                if matches!(told.blocks.recv().await, Err(RecvError::Closed)) {
                    return Err(Failure::stopping());
                }
            }
            Ok(())
        };
        let waited = tokio::time::timeout(PATIENCE, is_final).await;
        waited.unwrap_or_else(|_| {
            Err(Failure::new(
                503,
                "LIFE-02",
                "The change is not final yet.",
                format!("{} It is kept on disk.", self.consortium.status().quorum),
                "It goes on by itself; look again later.",
            ))
        })
    }

    fn refuse_void(&self, payload: &Payload) -> Result<(), Failure> {
        let snapshot = self.replica.read()?;
        let clock = block_clock(&snapshot)?;
        match device::check(&snapshot, clock, self.node_key, payload) {
            Ok(()) => Ok(()),
            Err(ExecutionError::Device(error)) => Err(refused(error)),
            Err(error) => Err(Failure::internal(error)),
        }
    }
}

/// Height and time of the newest block, as the state knows them.
pub(crate) fn block_clock(snapshot: &Snapshot<'_>) -> Result<Clock, Failure> {
    let clock: Option<Clock> = read(snapshot, &StateKey::clock()).map_err(Failure::internal)?;
    clock.ok_or_else(|| Failure::internal("a state without a clock"))
}

/// Why something is not told, for a person.
pub(crate) fn refused(error: DeviceError) -> Failure {
    let next = match error {
        DeviceError::Unknown => {
            "Wait until its registration is final; the device's page shows when. Then ask again."
        }
        DeviceError::NotYours | DeviceError::NotServing => {
            "Ask at the node that serves the device now."
        }
        DeviceError::Retired => "Pair the sensor anew; it gets a new handle then.",
        DeviceError::KeyTaken | DeviceError::BadKey => {
            "Make a key that nobody has, and register that."
        }
        DeviceError::Duration | DeviceError::Itself | DeviceError::NotANode => {
            "Correct what you asked for, and ask again."
        }
        _ => "Look at what the ledger says of the device; there may be nothing left to do.",
    };
    let why = format!("On the ledger, {error}.");
    Failure::new(409, "LIFE-01", "Nothing was changed.", why, next)
}
