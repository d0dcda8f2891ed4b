//! What the writer does to devices: adds, changes and removes them, with the transactions that say so.

use std::collections::BTreeMap;

use ledger_core::Payload;
use ledger_core::device::{ChangeDevice, DeviceChange};
use ledger_core::transaction::RegisterDevice;

use super::{Anchored, OpenDevice, Outcome, Writer};
use crate::clock::now_millis;
use crate::ingest::{DeviceIndex, LifeChange};
use crate::vault::{VaultError, assignments, devices, outbox};

impl Writer {
    pub(super) fn add_device(
        &mut self,
        row: &devices::DeviceRow,
        outcome: &mut Outcome,
    ) -> Result<DeviceIndex, VaultError> {
        devices::insert(&self.connection, row)?;
        let registration = RegisterDevice {
            handle: row.handle,
            key: None,
            simulated: row.simulated,
        };
        self.send_alone(Payload::RegisterDevice(registration), outcome)?;
        Ok(self.open_device(row))
    }

    /// Signs what becomes of a device and notes whose it is; gives the transaction.
    pub(super) fn change_device(
        &mut self,
        device: DeviceIndex,
        asked: &LifeChange,
        outcome: &mut Outcome,
    ) -> Result<ledger_core::Digest, VaultError> {
        let row = VaultError::Row { table: "devices" };
        let open = self.devices.get(device.0 as usize).ok_or(row)?;
        let (id, handle) = (open.id.clone(), open.handle);
        if matches!(asked.change, DeviceChange::Assign(_) | DeviceChange::Retire) {
            let new = asked.assignment.as_ref();
            assignments::change(&self.connection, &id, new, now_millis())?;
        }
        let change = asked.change;
        self.send_alone(
            Payload::ChangeDevice(ChangeDevice { handle, change }),
            outcome,
        )
    }

    /// Signs a transaction that anchors nothing, and puts it into the outbox.
    fn send_alone(
        &mut self,
        payload: Payload,
        outcome: &mut Outcome,
    ) -> Result<ledger_core::Digest, VaultError> {
        let transaction = self.sign(payload, None);
        outbox::insert(&self.connection, &transaction)?;
        let id = transaction.id;
        outcome.anchored.push(Anchored {
            transaction,
            readings: Vec::new(),
        });
        Ok(id)
    }

    pub(super) fn remove_device(&mut self, device: DeviceIndex) -> Result<(), VaultError> {
        if let Some(open) = self.devices.get(device.0 as usize) {
            assignments::change(&self.connection, &open.id, None, now_millis())?;
            devices::remove(&self.connection, &open.id, now_millis())?;
        }
        Ok(())
    }

    pub(super) fn open_device(&mut self, row: &devices::DeviceRow) -> DeviceIndex {
        self.devices.push(OpenDevice {
            id: row.id.clone(),
            handle: row.handle,
            streams: BTreeMap::new(),
        });
        DeviceIndex(self.devices.len() as u32 - 1)
    }
}
