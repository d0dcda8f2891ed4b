//! What becomes of a paired device on the ledger: assigned, suspended, resumed, retired.
//!
//! The ledger decides whether a device's data count; what it says is looked up when a device is shown and after
//! each block that changed any. A change is durable before it is told, and answered once it is final. Upon a
//! retirement the device is unpaired at once; the ledger hears of it even if the node stops before.

use std::sync::Arc;
use std::time::Duration;

use fog_api::{ChangeDevice as Asked, Device, DeviceStanding};
use ledger_core::device::{self, ChangeDevice, DeviceChange, DeviceError};
use ledger_core::state::{Clock, ExecutionError, StateKey, read};
use ledger_core::{Digest, Payload};
use ledger_store::Snapshot;
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::ingest::{DeviceIndex, Item, LifeChange};
use crate::live::DeviceLook;
use crate::node::Node;
use crate::vault::assignments::{self, Assignment};

/// How long an answer waits for finality.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest pseudonym in characters.
const MAX_SUBJECT: usize = 80;

impl Node {
    /// Changes a device on the ledger; answers once that is final.
    ///
    /// # Errors
    /// [`Failure`] if there is no such device, the change makes no sense, or it is not final in time; it
    /// goes on by itself then.
    pub async fn change_device(
        self: &Arc<Self>,
        id: &str,
        asked: Asked,
    ) -> Result<Device, Failure> {
        let (index, device) = self.find_device(id)?;
        let change = self.life_change(id, &asked)?;
        self.check_change(&device.handle, change.change)?;
        let is_retirement = change.change == DeviceChange::Retire;
        let mut blocks = self.consortium.subscribe();
        let transaction = self.send_change(index, change).await?;
        if is_retirement {
            self.remove_device(id).await?;
        }
        let is_final = async {
            loop {
                if self.replica.read()?.transaction(&transaction)?.is_some() {
                    return Ok::<_, Failure>(());
                }
                // A listener that fell behind looks again, like one that heard of a block.
                let heard = blocks.recv().await;
                if matches!(heard, Err(tokio::sync::broadcast::error::RecvError::Closed)) {
                    return Err(Failure::stopping());
                }
            }
        };
        match tokio::time::timeout(PATIENCE, is_final).await {
            Ok(done) => done?,
            Err(_) => return Err(self.not_final_yet()),
        }
        if is_retirement {
            return Ok(Device {
                standing: DeviceStanding::Retired,
                assigned_to: None,
                ..device
            });
        }
        self.look_again(&mut None)?;
        self.device(id)
    }

    /// What a device's life is now: by the ledger, and by the vault, which knows whose it is.
    pub(crate) fn look(
        &self,
        snapshot: &Snapshot<'_>,
        id: &str,
        handle: &Digest,
    ) -> Result<DeviceLook, Failure> {
        let assigned = assignments::current(&self.vault(), &self.master, id)?;
        let assigned_to = assigned.map(|(subject, _)| subject);
        let life = device::life(snapshot, handle).map_err(Failure::internal)?;
        let Some(life) = life else {
            // Its registration is on its way.
            return Ok(DeviceLook {
                assigned_to,
                ..DeviceLook::default()
            });
        };
        let registered = snapshot.device(handle)?.map(|device| device.height);
        let standing = match life.standing {
            device::DeviceStanding::Retired => DeviceStanding::Retired,
            _ if life.node != self.node_key => DeviceStanding::HandedOver,
            device::DeviceStanding::Suspended => DeviceStanding::Suspended,
            device::DeviceStanding::InService => DeviceStanding::InService,
        };
        Ok(DeviceLook {
            standing,
            assigned_to,
            changed_height: (registered != Some(life.changed)).then_some(life.changed.0),
        })
    }

    /// Looks at all devices again if any was changed since the last look, or at the first one.
    pub(crate) fn look_again(&self, looked: &mut Option<u64>) -> Result<(), Failure> {
        let snapshot = self.replica.read()?;
        let changes = device::changes(&snapshot).map_err(Failure::internal)?;
        if looked.replace(changes) == Some(changes) {
            return Ok(());
        }
        let mut looks = std::collections::BTreeMap::new();
        for device in self.devices() {
            let handle = parse_handle(&device.handle)?;
            looks.insert(
                device.id.clone(),
                self.look(&snapshot, &device.id, &handle)?,
            );
        }
        self.live.lives(&looks);
        Ok(())
    }

    fn life_change(&self, id: &str, asked: &Asked) -> Result<LifeChange, Failure> {
        let change = |change| LifeChange {
            change,
            assignment: None,
        };
        Ok(match asked {
            Asked::Assign { subject } => {
                let subject = checked_subject(subject)?;
                let assignment =
                    Assignment::new(&self.master, id, subject).map_err(Failure::internal)?;
                LifeChange {
                    change: DeviceChange::Assign(Some(assignment.commitment)),
                    assignment: Some(assignment),
                }
            }
            Asked::Unassign => change(DeviceChange::Assign(None)),
            Asked::Suspend => change(DeviceChange::Suspend),
            Asked::Resume => change(DeviceChange::Resume),
            Asked::Retire => change(DeviceChange::Retire),
        })
    }

    /// Refuses what would be void.
    fn check_change(&self, handle: &str, change: DeviceChange) -> Result<(), Failure> {
        let handle = parse_handle(handle)?;
        let snapshot = self.replica.read()?;
        let clock: Option<Clock> =
            read(&snapshot, &StateKey::clock()).map_err(Failure::internal)?;
        let clock = clock.ok_or_else(|| Failure::internal("a state without a clock"))?;
        let payload = Payload::ChangeDevice(ChangeDevice { handle, change });
        match device::check(&snapshot, clock, self.node_key, &payload) {
            Ok(()) => Ok(()),
            Err(ExecutionError::Device(error)) => Err(refused(error)),
            Err(error) => Err(Failure::internal(error)),
        }
    }

    async fn send_change(&self, index: DeviceIndex, change: LifeChange) -> Result<Digest, Failure> {
        let ingest = self.ingest().ok_or_else(Failure::stopping)?;
        let (done, durable) = oneshot::channel();
        let item = Item::Change(index, change, done);
        ingest.send(item).await.map_err(|_| Failure::stopping())?;
        let durable = durable.await.map_err(|_| Failure::stopping())?;
        durable.map_err(Failure::internal)
    }

    fn not_final_yet(&self) -> Failure {
        Failure::new(
            503,
            "LIFE-02",
            "The change is not final yet.",
            format!("{} It is kept on disk.", self.consortium.status().quorum),
            "It goes on by itself; the device's page shows when it is final.",
        )
    }
}

fn parse_handle(handle: &str) -> Result<Digest, Failure> {
    handle
        .parse()
        .map_err(|_| Failure::internal("a device has no handle"))
}

/// Why a change is not sent, for a person.
fn refused(error: DeviceError) -> Failure {
    let next = match error {
        DeviceError::Unknown => {
            "Wait until its registration is final; the device's page shows when. Then ask again."
        }
        DeviceError::NotYours | DeviceError::NotServing => {
            "Ask at the node that serves the device now."
        }
        DeviceError::Retired => "Pair the sensor anew; it gets a new handle then.",
        _ => "Look at the device's page; there may be nothing left to do.",
    };
    let why = format!("On the ledger, {error}.");
    Failure::new(409, "LIFE-01", "The device was not changed.", why, next)
}

fn checked_subject(subject: &str) -> Result<&str, Failure> {
    let subject = subject.trim();
    let length = subject.chars().count();
    if (1..=MAX_SUBJECT).contains(&length) && !subject.chars().any(char::is_control) {
        return Ok(subject);
    }
    Err(Failure::new(
        400,
        "LIFE-03",
        "The device was not assigned.",
        format!("A pseudonym has 1 to {MAX_SUBJECT} characters."),
        "Give the pseudonym under which the patient is known here, never the name.",
    ))
}
