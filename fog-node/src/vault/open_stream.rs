//! A stream with its keys unwrapped: seals, opens, and makes readings and their leaves. The same code
//! for the writer, for queries, for proofs and for `fsck`.

use std::borrow::Cow;

use device_drivers::measurement::Metric;
use ledger_core::reading::{SaltSource, commitment};
use ledger_core::{Digest, Reading, Salt, StreamId, StreamLeaves, canonical, merkle};

use super::VaultError;
use super::seal::{MasterKey, Record, Segment, SegmentKey, StreamCipher, StreamKeys};
use super::streams::StreamRow;

/// A stream and its keys.
pub struct OpenStream {
    /// Its number in the vault.
    pub number: i64,
    /// Its id.
    pub id: StreamId,
    code: Cow<'static, str>,
    unit: Cow<'static, str>,
    salts: SaltSource,
    cipher: StreamCipher,
}

impl OpenStream {
    /// Unwraps a stream's keys.
    ///
    /// # Errors
    /// [`VaultError::Seal`] if they were wrapped under another master key.
    pub fn new(row: &StreamRow, master: &MasterKey) -> Result<Self, VaultError> {
        let keys = StreamKeys::unwrap(master, row.id, &row.sealed_keys)?;
        let metric = Metric::from_loinc(&row.code);
        Ok(Self {
            number: row.number,
            id: row.id,
            code: borrowed_if_same(&row.code, metric.map(Metric::loinc)),
            unit: borrowed_if_same(&row.unit, metric.map(Metric::ucum)),
            salts: SaltSource::new(keys.salt_key()),
            cipher: keys.cipher(),
        })
    }

    /// The reading that `record` is at `sequence`.
    #[must_use]
    pub fn reading(&self, sequence: u64, record: &Record) -> Reading {
        Reading {
            stream: self.id,
            sequence,
            code: self.code.clone(),
            unit: self.unit.clone(),
            value: record.value.clone(),
            quality: record.quality,
            origin: record.origin,
            device_time_millis: record.device_time_millis,
            host_time_millis: record.host_time_millis,
        }
    }

    /// The salt of the reading at `sequence`.
    #[must_use]
    pub fn salt(&self, sequence: u64) -> Salt {
        self.salts.reading(sequence)
    }

    /// The leaf hash of the reading that `record` is at `sequence`.
    #[must_use]
    pub fn leaf(&self, sequence: u64, record: &Record) -> Digest {
        let reading = canonical::encode(&self.reading(sequence, record));
        merkle::leaf_hash(&commitment(&self.salt(sequence), &reading).0)
    }

    /// The stream's part of a batch, from the leaf hashes of its readings.
    #[must_use]
    pub fn leaves(&self, first_sequence: u64, leaves: Vec<Digest>) -> StreamLeaves {
        StreamLeaves {
            stream: self.id,
            salt: self.salts.batch(first_sequence),
            first_sequence,
            leaves,
        }
    }

    /// Seals consecutive readings.
    ///
    /// # Errors
    /// [`VaultError::Seal`] if the system has no randomness.
    pub fn seal(&self, first_sequence: u64, records: &[Record]) -> Result<Vec<u8>, VaultError> {
        let segment = self.segment(first_sequence, records.len() as u32);
        Ok(self.cipher.seal(&segment, records)?)
    }

    /// Opens what [`OpenStream::seal`] sealed.
    ///
    /// # Errors
    /// [`VaultError::Seal`] if it was altered or moved.
    pub fn open(
        &self,
        first_sequence: u64,
        count: u32,
        sealed: &[u8],
    ) -> Result<Vec<Record>, VaultError> {
        Ok(self
            .cipher
            .open(&self.segment(first_sequence, count), sealed)?)
    }

    /// The key of consecutive readings that are sealed together, and of no others.
    #[must_use]
    pub fn segment_key(&self, first_sequence: u64, count: u32) -> (Segment, SegmentKey) {
        let segment = self.segment(first_sequence, count);
        (segment, self.cipher.key_of(&segment))
    }

    const fn segment(&self, first_sequence: u64, count: u32) -> Segment {
        Segment {
            stream: self.id,
            first_sequence,
            count,
        }
    }
}

/// The vault's word, borrowed from the driver's table where that says the same.
fn borrowed_if_same(stored: &str, known: Option<&'static str>) -> Cow<'static, str> {
    match known {
        Some(known) if known == stored => Cow::Borrowed(known),
        _ => Cow::Owned(stored.to_owned()),
    }
}
