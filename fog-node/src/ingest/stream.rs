//! One stream in the writer's memory: its next sequence and its readings that wait for a batch.

use device_drivers::measurement::{self, Measurement};
use ledger_core::{Decimal, Digest, Origin, Quality, SampledData, StreamLeaves, Value};

use super::DeviceIndex;
use super::batching::Part;
use crate::vault::VaultError;
use crate::vault::journal::JournalRow;
use crate::vault::open_stream::OpenStream;
use crate::vault::payloads::PayloadRow;
use crate::vault::seal::{MasterKey, Record, StreamKeys};

/// One stream.
pub(super) struct Stream {
    open: OpenStream,
    pub(super) device: DeviceIndex,
    /// Sequence of the first waiting reading.
    first_sequence: u64,
    waiting: Vec<Record>,
    leaves: Vec<Digest>,
    /// How many of the waiting are in the journal already.
    journaled: usize,
}

impl Stream {
    /// A stream with nothing waiting.
    pub(super) const fn new(open: OpenStream, device: DeviceIndex, first_sequence: u64) -> Self {
        Self {
            open,
            device,
            first_sequence,
            waiting: Vec::new(),
            leaves: Vec::new(),
            journaled: 0,
        }
    }

    /// Takes up readings that the journal holds.
    pub(super) fn restore(&mut self, row: &JournalRow) -> Result<(), VaultError> {
        if row.first_sequence != self.next_sequence() {
            return Err(VaultError::Row { table: "journal" });
        }
        let opened = self.open.open(row.first_sequence, row.count, &row.sealed)?;
        for (_, record) in opened.into_readings() {
            self.push(record);
        }
        self.journaled = self.waiting.len();
        Ok(())
    }

    /// The stream's number in the vault.
    pub(super) const fn number(&self) -> i64 {
        self.open.number
    }

    /// Has new keys from the next reading on; none waits. Gives the sequence and the wrapped keys, unless its newest
    /// keys have made nothing yet.
    pub(super) fn begin_epoch(
        &mut self,
        master: &MasterKey,
    ) -> Result<Option<(u64, Vec<u8>)>, VaultError> {
        let first_sequence = self.next_sequence();
        if self.open.epoch_begin(first_sequence) == first_sequence {
            return Ok(None);
        }
        let keys = StreamKeys::generate()?;
        let sealed = keys.wrap(master, self.open.id)?;
        self.open.begin(first_sequence, &keys);
        Ok(Some((first_sequence, sealed)))
    }

    /// How many readings wait for a batch.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a reading: gives it its sequence and its leaf.
    pub(super) fn push(&mut self, record: Record) {
        self.leaves
            .push(self.open.leaf(self.next_sequence(), &record));
        self.waiting.push(record);
    }

    /// The journal row for what is not in the journal yet, if there is any.
    pub(super) fn journal_row(&mut self) -> Result<Option<JournalRow>, VaultError> {
        let fresh = self.waiting.get(self.journaled..).unwrap_or_default();
        if fresh.is_empty() {
            return Ok(None);
        }
        let first_sequence = self.first_sequence + self.journaled as u64;
        let row = JournalRow {
            stream: self.number(),
            first_sequence,
            count: fresh.len() as u32,
            sealed: self.open.seal(first_sequence, fresh)?,
        };
        self.journaled = self.waiting.len();
        Ok(Some(row))
    }

    /// A part of the waiting readings as its batch's payload and leaves.
    pub(super) fn batch_part(
        &self,
        part: &Part,
        batch: u64,
    ) -> Result<(PayloadRow, StreamLeaves), VaultError> {
        let range = part.from..part.from + part.len;
        let records = self.waiting.get(range.clone()).unwrap_or_default();
        let leaves = self.leaves.get(range).unwrap_or_default();
        let first_sequence = self.first_sequence + part.from as u64;
        let payload = PayloadRow {
            stream: self.number(),
            first_sequence,
            count: part.len as u32,
            batch,
            newest: records
                .iter()
                .map(|record| record.host_time_millis)
                .max()
                .unwrap_or(0),
            sealed: self.open.seal(first_sequence, records)?,
        };
        Ok((payload, self.open.leaves(first_sequence, leaves.to_vec())))
    }

    /// Forgets what waits: all of it is in batches.
    pub(super) fn clear(&mut self) {
        self.first_sequence = self.next_sequence();
        self.waiting.clear();
        self.leaves.clear();
        self.journaled = 0;
    }

    /// The sequence the next reading gets.
    const fn next_sequence(&self) -> u64 {
        self.first_sequence + self.waiting.len() as u64
    }
}

/// A driver's measurement as the vault keeps it.
pub(super) fn record_of(measurement: &Measurement) -> Record {
    let value = match &measurement.value {
        measurement::Value::Quantity { mantissa, exponent } => Value::Quantity(Decimal {
            mantissa: *mantissa,
            exponent: *exponent,
        }),
        measurement::Value::Samples {
            period_micros,
            samples,
        } => Value::Samples(SampledData {
            period_micros: *period_micros,
            samples: samples.clone(),
        }),
        measurement::Value::Absent => Value::Absent,
    };
    Record {
        host_time_millis: measurement.host_time_millis,
        device_time_millis: measurement.device_time_millis,
        value,
        quality: quality_of(measurement.quality),
        origin: match (measurement.simulated, measurement.authenticated) {
            (true, _) => Origin::Simulated,
            (false, true) => Origin::AuthenticatedSensor,
            (false, false) => Origin::Sensor,
        },
    }
}

/// The ledger's word for a driver's quality.
pub(crate) const fn quality_of(quality: measurement::Quality) -> Quality {
    match quality {
        measurement::Quality::Good => Quality::Good,
        measurement::Quality::LowPerfusion => Quality::LowPerfusion,
        measurement::Quality::Questionable => Quality::Questionable,
        measurement::Quality::Searching => Quality::Searching,
        measurement::Quality::Missing => Quality::Missing,
        measurement::Quality::SensorOff => Quality::SensorOff,
        measurement::Quality::SensorFault => Quality::SensorFault,
    }
}
