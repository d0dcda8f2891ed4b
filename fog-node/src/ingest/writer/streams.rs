//! The writer's streams: rebuilt from the vault, or made at a metric's first reading.

use std::time::Instant;

use device_drivers::measurement::Metric;
use ledger_core::StreamId;

use super::{Counts, Outcome, Writer};
use crate::ingest::DeviceIndex;
use crate::ingest::stream::Stream;
use crate::keystore::random;
use crate::vault::open_stream::OpenStream;
use crate::vault::seal::{SealError, StreamKeys};
use crate::vault::streams::StreamRow;
use crate::vault::{VaultError, epochs, journal, losses, payloads, streams};

impl Writer {
    /// Rebuilds the streams of all open devices, and what waits in the journal.
    pub(super) fn load_streams(&mut self) -> Result<(), VaultError> {
        for at in 0..self.devices.len() {
            let id = self.devices[at].id.clone();
            self.open_streams(&id, DeviceIndex(at as u32))?;
        }
        // A device's rows left the journal when it was removed: removing flushes.
        for row in journal::list(&self.connection, None)? {
            let stream = self
                .streams
                .iter_mut()
                .find(|stream| stream.number() == row.stream)
                .ok_or(VaultError::Row { table: "journal" })?;
            stream.restore(&row)?;
            self.oldest_waiting = Some(Instant::now());
        }
        Ok(())
    }

    /// Opens the streams a device has.
    pub(super) fn open_streams(&mut self, id: &str, device: DeviceIndex) -> Result<(), VaultError> {
        for row in streams::list(&self.connection, Some(id))? {
            let next = self.next_sequence(&row)?;
            self.open_stream(&row, device, next)?;
        }
        Ok(())
    }

    /// The sequence after a stream's last one in a batch, or the one its newest keys begin at.
    fn next_sequence(&self, row: &StreamRow) -> Result<u64, VaultError> {
        let next = payloads::next_sequence(&self.connection, row.number)?;
        let newest = row.sealed_keys.last_key_value();
        Ok(newest.map_or(next, |(begin, _)| next.max(*begin)))
    }

    /// Has all streams go on behind what was lost, so that no sequence means two readings, under new keys. What waits is
    /// put into a batch first.
    pub(super) fn leave_out_lost(&mut self) -> Result<(), VaultError> {
        let lost = losses::to_leave_out(&self.connection)?;
        if lost == 0 {
            return Ok(());
        }
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut counts = Counts::new();
        self.flush(&mut counts, &mut Outcome::default())?;
        self.add_counts(counts)?;
        for row in streams::list(&self.connection, None)? {
            let from = self.next_sequence(&row)? + lost;
            let sealed = StreamKeys::generate()?.wrap(&self.parts.master, row.id)?;
            epochs::put(&self.connection, row.number, from, &sealed)?;
        }
        losses::are_over(&self.connection)?;
        self.connection.execute_batch("COMMIT")?;
        self.reload_streams()
    }

    /// Takes the streams of the devices that are open from the vault anew.
    pub(super) fn reload_streams(&mut self) -> Result<(), VaultError> {
        self.streams.clear();
        self.oldest_waiting = None;
        for device in &mut self.devices {
            device.streams.clear();
        }
        self.load_streams()
    }

    fn open_stream(
        &mut self,
        row: &StreamRow,
        device: DeviceIndex,
        next_sequence: u64,
    ) -> Result<usize, VaultError> {
        let metric = Metric::from_loinc(&row.code).ok_or(VaultError::Row { table: "streams" })?;
        let open = OpenStream::new(row, &self.parts.master)?;
        self.streams.push(Stream::new(open, device, next_sequence));
        let at = self.streams.len() - 1;
        if let Some(open) = self.devices.get_mut(device.0 as usize) {
            open.streams.insert(metric, at);
        }
        Ok(at)
    }

    /// The stream of a device's metric, made at its first reading.
    pub(super) fn stream_of(
        &mut self,
        device: DeviceIndex,
        metric: Metric,
    ) -> Result<usize, VaultError> {
        let open = self
            .devices
            .get(device.0 as usize)
            .ok_or(VaultError::Row { table: "devices" })?;
        if let Some(at) = open.streams.get(&metric) {
            return Ok(*at);
        }
        let id = StreamId(random::<16>().map_err(|_| SealError::Randomness)?);
        let keys = StreamKeys::generate()?;
        let sealed_keys = keys.wrap(&self.parts.master, id)?;
        let (code, unit) = (metric.loinc(), metric.ucum());
        let number = streams::insert(&self.connection, id, &open.id, code, unit, &sealed_keys)?;
        let row = StreamRow {
            number,
            id,
            device: open.id.clone(),
            code: code.into(),
            unit: unit.into(),
            sealed_keys: [(0, sealed_keys)].into(),
        };
        self.open_stream(&row, device, 0)
    }
}
