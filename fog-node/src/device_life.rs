//! What becomes of a paired device on the ledger: assigned, suspended, resumed, retired.
//!
//! The ledger decides whether a device's data count; what it says is looked up when a device is shown and after
//! each block that changed any. A change is durable before it is told, and answered once it is final. Upon a
//! retirement the device is unpaired at once; the ledger hears of it even if the node stops before.

use std::sync::Arc;

use fog_api::{ChangeDevice as Asked, Device, DeviceStanding};
use ledger_core::device::{self, ChangeDevice, DeviceChange};
use ledger_core::{Digest, Payload};
use ledger_store::Snapshot;

use crate::failure::Failure;
use crate::live::DeviceLook;
use crate::node::Node;
use crate::tell::block_clock;
use crate::vault::assignments::{self, Assigned, Assignment};
use crate::vault::devices::{self, DeviceRow};

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
        let handle = parse_handle(&device.handle)?;
        let (change, whose) = self.life_change(id, &asked)?;
        let payload = Payload::ChangeDevice(ChangeDevice { handle, change });
        let whose = whose.map(|assignment| (index, assignment));
        let told = self.tell_ledger(payload, whose).await?;
        let is_retirement = change == DeviceChange::Retire;
        if is_retirement {
            self.remove_device(id).await?;
        }
        self.until_final(told).await?;
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
        row: &DeviceRow,
    ) -> Result<DeviceLook, Failure> {
        let (id, handle) = (&row.id, &row.handle);
        let assigned = assignments::current(&self.vault(), &self.master, id)?;
        let assigned_to = assigned.map(|(assigned, _)| assigned.patient.to_string());
        let place = devices::place_of(&self.vault(), id)?;
        let life = device::life(snapshot, handle).map_err(Failure::internal)?;
        let Some(life) = life else {
            // Its registration is on its way.
            return Ok(DeviceLook {
                assigned_to,
                place,
                ..DeviceLook::default()
            });
        };
        let registered = snapshot.device(handle)?.map(|device| device.height);
        let standing = match life.standing {
            device::DeviceStanding::Retired => DeviceStanding::Retired,
            // Also one that came back and whose new pairing was not taken yet: numbers that are durable at
            // the other node by now would count twice.
            _ if life.node != self.node_key || life.handovers != row.handovers => {
                DeviceStanding::HandedOver
            }
            device::DeviceStanding::Suspended => DeviceStanding::Suspended,
            device::DeviceStanding::InService => DeviceStanding::InService,
        };
        Ok(DeviceLook {
            standing,
            assigned_to,
            place,
            changed_height: (registered != Some(life.changed)).then_some(life.changed.0),
        })
    }

    /// Looks at all devices again if any was changed since the last look, or at the first one.
    pub(crate) fn look_again(&self, looked: &mut Option<u64>) -> Result<(), Failure> {
        let snapshot = self.replica.read()?;
        let changes = device::changes(&snapshot).map_err(Failure::internal)?;
        if self.relays.is_any_open() {
            self.relays.expire(block_clock(&snapshot)?.time_millis);
        }
        if looked.replace(changes) == Some(changes) {
            return Ok(());
        }
        let rows = devices::active(&self.vault())?;
        let mut looks = std::collections::BTreeMap::new();
        for row in rows {
            let look = self.look(&snapshot, &row)?;
            looks.insert(row.id, look);
        }
        self.look_at_grants(&snapshot, changes)?;
        self.live.lives(&looks);
        let handed_over =
            |(_, look): &(String, DeviceLook)| look.standing == DeviceStanding::HandedOver;
        for (id, _) in looks.into_iter().filter(handed_over) {
            self.let_go(&id);
        }
        Ok(())
    }

    /// What the ledger is told, and whose the device is from now on, if that changes.
    fn life_change(
        &self,
        id: &str,
        asked: &Asked,
    ) -> Result<(DeviceChange, Option<Option<Assignment>>), Failure> {
        Ok(match asked {
            Asked::Assign { patient } => {
                let patient = self.patients.named(patient)?;
                let assignment = Assigned::new(patient.id)?.seal(&self.master, id, None)?;
                let change = DeviceChange::Assign(Some(assignment.commitment));
                (change, Some(Some(assignment)))
            }
            Asked::Unassign => (DeviceChange::Assign(None), Some(None)),
            Asked::Suspend => (DeviceChange::Suspend, None),
            Asked::Resume => (DeviceChange::Resume, None),
            Asked::Retire => (DeviceChange::Retire, Some(None)),
        })
    }
}

pub(crate) fn parse_handle(handle: &str) -> Result<Digest, Failure> {
    handle
        .parse()
        .map_err(|_| Failure::internal("a device has no handle"))
}
