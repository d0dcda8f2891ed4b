//! What the writer does to devices: adds and removes them, notes whose they are, with the transactions
//! that say so, and where they are. And what it does with other transactions that anchor nothing.

use std::collections::BTreeMap;

use device_drivers::event::CoincidentTime;
use fog_api::Place;
use ledger_core::access::Receipt;
use ledger_core::transaction::RegisterDevice;
use ledger_core::{Digest, Payload};

use super::{Anchored, OpenDevice, Outcome, Writer};
use crate::clock::now_millis;
use crate::ingest::stream::Stream;
use crate::ingest::{DeviceIndex, Whose};
use crate::vault::assignments::Assignment;
use crate::vault::clocks::{self, Setting};
use crate::vault::disclosures::{self, SealedDisclosure};
use crate::vault::{VaultError, assignments, devices, epochs, outbox, patients, provisionings};

impl Writer {
    pub(super) fn add_device(
        &mut self,
        row: &devices::DeviceRow,
        code: Option<&Digest>,
        outcome: &mut Outcome,
    ) -> Result<DeviceIndex, VaultError> {
        devices::insert(&self.connection, row)?;
        if let Some(code) = code {
            provisionings::forget(&self.connection, code)?;
        }
        let registration = RegisterDevice {
            handle: row.handle,
            key: None,
            simulated: row.simulated,
        };
        self.send_alone(Payload::RegisterDevice(registration), outcome)?;
        Ok(self.open_device(row.id.clone()))
    }

    /// Stores a device that another node has handed over; one that was here before goes on with its streams.
    pub(super) fn take_device(
        &mut self,
        row: &devices::DeviceRow,
        assignment: Option<&Assignment>,
        clock: Option<&Setting>,
    ) -> Result<DeviceIndex, VaultError> {
        devices::take(&self.connection, row)?;
        if let Some(clock) = clock {
            clocks::insert(&self.connection, &row.id, clock)?;
        }
        let assignment = self.unless_erased(assignment)?;
        assignments::change(&self.connection, &row.id, assignment, now_millis())?;
        // One that was handed over and back in one run is open still.
        let open = self.devices.iter().position(|open| open.id == row.id);
        let index = match open {
            Some(at) => DeviceIndex(at as u32),
            None => {
                let index = self.open_device(row.id.clone());
                self.open_streams(&row.id, index)?;
                index
            }
        };
        self.begin_epochs(index)?;
        Ok(index)
    }

    /// Gives a device's streams new keys: whose it is changes with this commit. Nothing of it waits.
    pub(super) fn begin_epochs(&mut self, device: DeviceIndex) -> Result<(), VaultError> {
        let of_device = |stream: &&mut Stream| stream.device == device;
        for stream in self.streams.iter_mut().filter(of_device) {
            if let Some((from, sealed)) = stream.begin_epoch(&self.parts.master)? {
                epochs::put(&self.connection, stream.number(), from, &sealed)?;
            }
        }
        Ok(())
    }

    /// Notes what a device's clock showed.
    pub(super) fn note_clocks(
        &self,
        device: DeviceIndex,
        seen: &[CoincidentTime],
    ) -> Result<(), VaultError> {
        let Some(open) = self.devices.get(device.0 as usize) else {
            return Ok(());
        };
        let mut seen = seen.iter();
        seen.try_for_each(|seen| clocks::note(&self.connection, &open.id, seen))
    }

    /// Signs what the ledger is told, and notes whose a device is with it; gives the transaction.
    pub(super) fn tell(
        &mut self,
        payload: &Payload,
        whose: Option<&Whose>,
        outcome: &mut Outcome,
    ) -> Result<Digest, VaultError> {
        if let Some((device, assignment)) = whose {
            let row = VaultError::Row { table: "devices" };
            let open = self.devices.get(device.0 as usize).ok_or(row)?;
            let assignment = self.unless_erased(assignment.as_ref())?;
            assignments::change(&self.connection, &open.id, assignment, now_millis())?;
            self.begin_epochs(*device)?;
        }
        self.send_alone(payload.clone(), outcome)
    }

    /// Notes what somebody is about to be shown, and signs its receipt; gives that transaction, or nothing if there is
    /// a read of this name.
    pub(super) fn disclose(
        &mut self,
        row: &SealedDisclosure,
        receipt: Receipt,
        outcome: &mut Outcome,
    ) -> Result<Option<Digest>, VaultError> {
        if disclosures::is_known(&self.connection, &row.read)? {
            return Ok(None);
        }
        let told = self.send_alone(Payload::Receipt(receipt), outcome)?;
        disclosures::insert(&self.connection, row, &told)?;
        Ok(Some(told))
    }

    /// Signs a transaction that anchors nothing, and puts it into the outbox.
    pub(super) fn send_alone(
        &mut self,
        payload: Payload,
        outcome: &mut Outcome,
    ) -> Result<Digest, VaultError> {
        let transaction = self.sign(payload, None);
        outbox::insert(&self.connection, &transaction)?;
        let id = transaction.id;
        outcome.anchored.push(Anchored {
            transaction,
            readings: Vec::new(),
        });
        Ok(id)
    }

    /// An assignment, unless its patient was erased since it was made: the device is nobody's then.
    fn unless_erased<'a>(
        &self,
        assignment: Option<&'a Assignment>,
    ) -> Result<Option<&'a Assignment>, VaultError> {
        let Some(new) = assignment else {
            return Ok(None);
        };
        let is_there = patients::find(&self.connection, &new.patient)?.is_some();
        Ok(assignment.filter(|_| is_there))
    }

    /// Notes where a device is used.
    pub(super) fn place_device(
        &self,
        device: DeviceIndex,
        place: Option<&Place>,
    ) -> Result<(), VaultError> {
        let row = VaultError::Row { table: "devices" };
        let open = self.devices.get(device.0 as usize).ok_or(row)?;
        devices::set_place(&self.connection, &open.id, place)
    }

    pub(super) fn remove_device(&mut self, device: DeviceIndex) -> Result<(), VaultError> {
        if let Some(open) = self.devices.get(device.0 as usize) {
            assignments::change(&self.connection, &open.id, None, now_millis())?;
            devices::remove(&self.connection, &open.id, now_millis())?;
        }
        Ok(())
    }

    pub(super) fn open_device(&mut self, id: String) -> DeviceIndex {
        self.devices.push(OpenDevice {
            id,
            streams: BTreeMap::new(),
        });
        DeviceIndex(self.devices.len() as u32 - 1)
    }
}
