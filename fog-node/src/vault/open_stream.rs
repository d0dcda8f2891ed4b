//! A stream with its keys unwrapped: seals, opens, and makes readings and their leaves. The same code
//! for the writer, for queries, for proofs and for `fsck`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use device_drivers::measurement::Metric;
use ledger_core::reading::{SaltSource, commitment};
use ledger_core::{
    BatchPart, Digest, Reading, Salt, StreamEntry, StreamId, StreamLeaves, canonical, merkle,
};

use super::VaultError;
use super::rest::{Content, Place, Rest};
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
    first: Epoch,
    /// Those after the first, by their first sequences.
    later: BTreeMap<u64, Epoch>,
}

/// What a stream's keys make, in one epoch.
struct Epoch {
    salts: SaltSource,
    cipher: StreamCipher,
}

impl Epoch {
    fn of(keys: &StreamKeys) -> Self {
        Self {
            salts: SaltSource::new(keys.salt_key()),
            cipher: keys.cipher(),
        }
    }
}

impl OpenStream {
    /// Unwraps a stream's keys.
    ///
    /// # Errors
    /// [`VaultError::Seal`] if they were wrapped under another master key, [`VaultError::Row`] if there are none for
    /// its first reading.
    pub fn new(row: &StreamRow, master: &MasterKey) -> Result<Self, VaultError> {
        let unwrap = |sealed: &Vec<u8>| {
            let keys = StreamKeys::unwrap(master, row.id, sealed)?;
            Ok::<_, VaultError>(Epoch::of(&keys))
        };
        let first = row.sealed_keys.get(&0);
        let first = first.ok_or(VaultError::Row { table: "epochs" })?;
        let later = row.sealed_keys.range(1..);
        let later = later.map(|(from, sealed)| Ok((*from, unwrap(sealed)?)));
        let metric = Metric::from_loinc(&row.code);
        Ok(Self {
            number: row.number,
            id: row.id,
            code: borrowed_if_same(&row.code, metric.map(Metric::loinc)),
            unit: borrowed_if_same(&row.unit, metric.map(Metric::ucum)),
            first: unwrap(first)?,
            later: later.collect::<Result<_, VaultError>>()?,
        })
    }

    /// Has these keys from this sequence on; no reading is there yet.
    pub fn begin(&mut self, first_sequence: u64, keys: &StreamKeys) {
        match first_sequence {
            0 => self.first = Epoch::of(keys),
            _ => drop(self.later.insert(first_sequence, Epoch::of(keys))),
        }
    }

    /// From which sequence on it has the keys that it has at this one.
    #[must_use]
    pub fn epoch_begin(&self, sequence: u64) -> u64 {
        let begun = self.later.range(..=sequence).next_back();
        begun.map_or(0, |(from, _)| *from)
    }

    fn epoch(&self, sequence: u64) -> &Epoch {
        let begun = self.later.range(..=sequence).next_back();
        begun.map_or(&self.first, |(_, epoch)| epoch)
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

    /// The leaf hash of the reading that `record` is at `sequence`.
    #[must_use]
    pub fn leaf(&self, sequence: u64, record: &Record) -> Digest {
        self.salted_leaf(&self.salt(sequence), sequence, record)
    }

    fn salted_leaf(&self, salt: &Salt, sequence: u64, record: &Record) -> Digest {
        let reading = canonical::encode(&self.reading(sequence, record));
        merkle::leaf_hash(&commitment(salt, &reading).0)
    }

    fn salt(&self, sequence: u64) -> Salt {
        self.epoch(sequence).salts.reading(sequence)
    }

    /// The stream's part of a batch, from the leaf hashes of its readings.
    #[must_use]
    pub fn leaves(&self, first_sequence: u64, leaves: Vec<Digest>) -> StreamLeaves {
        StreamLeaves {
            stream: self.id,
            salt: self.epoch(first_sequence).salts.batch(first_sequence),
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
        Ok(self.epoch(first_sequence).cipher.seal(&segment, records)?)
    }

    /// Seals what an erasure leaves of `count` consecutive readings.
    ///
    /// # Errors
    /// [`VaultError::Seal`] if the system has no randomness.
    pub fn seal_rest(
        &self,
        first_sequence: u64,
        count: u32,
        rest: &Rest,
    ) -> Result<Vec<u8>, VaultError> {
        let segment = self.segment(first_sequence, count);
        Ok(self
            .epoch(first_sequence)
            .cipher
            .seal_rest(&segment, rest)?)
    }

    /// Opens what was sealed.
    ///
    /// # Errors
    /// [`VaultError::Seal`] if it was altered or moved.
    pub fn open(
        &self,
        first_sequence: u64,
        count: u32,
        sealed: &[u8],
    ) -> Result<Opened<'_>, VaultError> {
        let segment = self.segment(first_sequence, count);
        Ok(Opened {
            stream: self,
            content: self.epoch(first_sequence).cipher.open(&segment, sealed)?,
            segment,
        })
    }

    /// The key of consecutive readings that are sealed together, and of no others.
    #[must_use]
    pub fn segment_key(&self, first_sequence: u64, count: u32) -> (Segment, SegmentKey) {
        let segment = self.segment(first_sequence, count);
        (segment, self.epoch(first_sequence).cipher.key_of(&segment))
    }

    const fn segment(&self, first_sequence: u64, count: u32) -> Segment {
        Segment {
            stream: self.id,
            first_sequence,
            count,
        }
    }
}

/// A segment that was opened: its readings, and whatever was erased of them.
pub struct Opened<'a> {
    stream: &'a OpenStream,
    segment: Segment,
    content: Content,
}

impl Opened<'_> {
    /// The readings that are there, each with its sequence, in order.
    pub fn into_readings(self) -> impl Iterator<Item = (u64, Record)> + use<> {
        let (whole, places) = match self.content {
            Content::Whole(records) => (records, Vec::new()),
            Content::Rest(Rest::Entry { .. }) => (Vec::new(), Vec::new()),
            Content::Rest(Rest::Places { places, .. }) => (Vec::new(), places),
        };
        let first = self.segment.first_sequence;
        let kept = (first..)
            .zip(places)
            .filter_map(|(sequence, place)| match place {
                Place::Kept(record, _) => Some((sequence, record)),
                Place::Erased(_) => None,
            });
        (first..).zip(whole).chain(kept)
    }

    /// The reading at a sequence with its salt, if it is there.
    #[must_use]
    pub fn at(&self, sequence: u64) -> Option<(&Record, Salt)> {
        let at = sequence.checked_sub(self.segment.first_sequence)?;
        let at = usize::try_from(at).ok()?;
        match &self.content {
            Content::Whole(records) => {
                let record = records.get(at)?;
                Some((record, self.stream.salt(sequence)))
            }
            Content::Rest(Rest::Entry { .. }) => None,
            Content::Rest(Rest::Places { places, .. }) => match places.get(at)? {
                Place::Kept(record, salt) => Some((record, *salt)),
                Place::Erased(_) => None,
            },
        }
    }

    /// What its readings were received until, if all of them are there.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        match &self.content {
            Content::Whole(records) => records.iter().map(|of| of.host_time_millis).max(),
            Content::Rest(_) => None,
        }
    }

    /// How many of its readings were erased.
    #[must_use]
    pub fn erased(&self) -> u64 {
        match &self.content {
            Content::Whole(_) => 0,
            Content::Rest(rest) => rest.erased(self.segment.count),
        }
    }

    /// The stream's part of its batch.
    #[must_use]
    pub fn part(&self) -> BatchPart {
        let Segment {
            stream,
            first_sequence,
            count,
        } = self.segment;
        match &self.content {
            Content::Whole(records) => {
                let leaf = |(sequence, record)| self.stream.leaf(sequence, record);
                let leaves = (first_sequence..).zip(records).map(leaf).collect();
                BatchPart::Leaves(self.stream.leaves(first_sequence, leaves))
            }
            Content::Rest(Rest::Entry { salt, root }) => BatchPart::Entry(StreamEntry {
                salt: *salt,
                stream,
                first_sequence,
                count,
                root: *root,
            }),
            Content::Rest(Rest::Places { salt, places }) => {
                let leaf = |(sequence, place): (u64, &Place)| match place {
                    Place::Kept(record, salt) => self.stream.salted_leaf(salt, sequence, record),
                    Place::Erased(leaf) => *leaf,
                };
                BatchPart::Leaves(StreamLeaves {
                    stream,
                    salt: *salt,
                    first_sequence,
                    leaves: (first_sequence..).zip(places).map(leaf).collect(),
                })
            }
        }
    }

    /// What is left of it without the readings that `is_erased`; salts are told from now on, not derived.
    #[must_use]
    pub fn without(&self, is_erased: impl Fn(&Record) -> bool) -> Rest {
        let leaves = match self.part() {
            BatchPart::Leaves(leaves) => leaves,
            BatchPart::Entry(StreamEntry { salt, root, .. }) => return Rest::Entry { salt, root },
        };
        let place = |(sequence, leaf): (u64, &Digest)| match self.at(sequence) {
            Some((record, salt)) if !is_erased(record) => Place::Kept(record.clone(), salt),
            _ => Place::Erased(*leaf),
        };
        let numbered = (leaves.first_sequence..).zip(&leaves.leaves);
        let places: Vec<_> = numbered.map(place).collect();
        match places.iter().any(|place| matches!(place, Place::Kept(..))) {
            true => Rest::Places {
                salt: leaves.salt,
                places,
            },
            false => Rest::Entry {
                salt: leaves.salt,
                root: leaves.entry().root,
            },
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
