//! Destroys what a vault holds of a patient, or of a device.
//!
//! ```text
//! whose ─▶ devices ─▶ streams ─▶ epochs with a reading that goes ─▶ other keys; of each segment what stays, sealed anew
//! ```
//!
//! A reading goes if it *may* be hers: also one of which nobody knows when it was taken, if she wore the device at one
//! of its times. Nearly always an epoch is one patient's and goes as a whole; then of each segment an entry is left.
//! What others have in such an epoch (stored by a device and sent late, an assignment that came late) stays: with its
//! salts, since they do not follow from a key any more, and with the leaf hashes of what went, so that its proofs are
//! the same as before.
//!
//! Looking is apart from destroying, so that most of it can be done before and beside the writer. Destroying is a part
//! of the caller's transaction: all of it is there afterwards, or nothing. A table from which sealed rows went is
//! written anew, for SQLite leaves copies of rows behind where it splits its pages.

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::Digest;
use rusqlite::Connection;

use super::certificate::{ErasedStream, Kind};
use crate::patients::patient::{Patient, PatientId};
use crate::patients::taken::{Clock, Taken};
use crate::vault::assignments::{self, Worn};
use crate::vault::open_stream::OpenStream;
use crate::vault::payloads::{self, PayloadRow};
use crate::vault::seal::{MasterKey, Record, StreamKeys};
use crate::vault::streams::{self, StreamRow};
use crate::vault::{
    VaultError, clocks, consents, devices, disclosures, epochs, erasures, patients, reasons,
};

/// Payload rows read from the vault at once.
const PAGE: u32 = 256;

/// Of what all is erased.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Target {
    /// A patient.
    Patient(PatientId),
    /// A device, by its id at this node.
    Device(String),
}

impl Target {
    /// What the certificate says of it.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Patient(_) => Kind::Patient,
            Self::Device(_) => Kind::Device,
        }
    }

    /// Under which name the ledger hears of the erasure; none if there is nobody, or nothing, to erase.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn handle(
        &self,
        connection: &Connection,
        master: &MasterKey,
    ) -> Result<Option<Digest>, VaultError> {
        match self {
            Self::Patient(id) => {
                let row = patients::find(connection, id)?;
                let patient = row.map(|row| Patient::open(&row, master)).transpose()?;
                Ok(patient.map(|patient| patient.erasure_handle()))
            }
            Self::Device(id) if devices::was_paired(connection, id)? => {
                let before = erasures::count_of(connection, id)?;
                Ok(Some(master.erasure_handle(id, before)))
            }
            Self::Device(_) => Ok(None),
        }
    }
}

/// Which of a device's readings go.
#[derive(Clone, PartialEq, Eq)]
enum Part {
    All,
    Worn(Clock, Vec<Worn>),
}

impl Part {
    fn holds(&self, record: &Record) -> bool {
        match self {
            Self::All => true,
            Self::Worn(clock, worn) => {
                let taken = Taken::of(record, clock);
                worn.iter().any(|worn| taken.may_be_in(worn))
            }
        }
    }
}

/// Which epochs hold a reading that goes, as far as it was looked.
#[derive(Clone, Default)]
pub struct Survey(BTreeMap<String, Seen>);

/// Says nothing of whose.
impl std::fmt::Debug for Survey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Survey({} devices)", self.0.len())
    }
}

/// What was seen of one device.
#[derive(Clone)]
struct Seen {
    part: Part,
    /// The next sequence to look at, by the stream's number.
    next: BTreeMap<i64, u64>,
    /// Epochs by their stream's number and their first sequence.
    epochs: BTreeSet<(i64, u64)>,
}

impl Survey {
    /// Looks at what was not looked at before; at all of a device again if other readings of it go now.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn look(
        &mut self,
        connection: &Connection,
        master: &MasterKey,
        target: &Target,
    ) -> Result<(), VaultError> {
        let parts = parts(connection, master, target)?;
        self.0
            .retain(|device, seen| parts.get(device) == Some(&seen.part));
        for (device, part) in parts {
            let streams = streams::list(connection, Some(&device))?;
            let seen = self.0.entry(device).or_insert_with(|| Seen {
                part,
                next: BTreeMap::new(),
                epochs: BTreeSet::new(),
            });
            for row in &streams {
                seen.look(connection, row.number, &OpenStream::new(row, master)?)?;
            }
        }
        Ok(())
    }
}

/// Which readings go, by device.
fn parts(
    connection: &Connection,
    master: &MasterKey,
    target: &Target,
) -> Result<BTreeMap<String, Part>, VaultError> {
    let id = match target {
        Target::Device(id) => return Ok([(id.clone(), Part::All)].into()),
        Target::Patient(id) => id,
    };
    let known = devices::known(connection)?;
    let mut parts = BTreeMap::new();
    for worn in assignments::all(connection, master)? {
        let Some(device) = known.get(&worn.device).filter(|_| worn.patient == *id) else {
            continue;
        };
        if !parts.contains_key(&worn.device) {
            let settings = clocks::of_device(connection, &worn.device)?;
            let part = Part::Worn(Clock::of(device, settings), Vec::new());
            parts.insert(worn.device.clone(), part);
        }
        if let Some(Part::Worn(_, all)) = parts.get_mut(&worn.device) {
            all.push(worn);
        }
    }
    Ok(parts)
}

impl Seen {
    fn look(
        &mut self,
        connection: &Connection,
        stream: i64,
        open: &OpenStream,
    ) -> Result<(), VaultError> {
        let next = self.next.entry(stream).or_default();
        loop {
            let page = payloads::from(connection, stream, *next..u64::MAX, PAGE)?;
            if page.is_empty() {
                return Ok(());
            }
            for row in page {
                *next = row.first_sequence + u64::from(row.count);
                let epoch = (stream, open.epoch_begin(row.first_sequence));
                if self.epochs.contains(&epoch) {
                    continue;
                }
                let opened = open.open(row.first_sequence, row.count, &row.sealed)?;
                let mut readings = opened.into_readings();
                if readings.any(|(_, record)| self.part.holds(&record)) {
                    self.epochs.insert(epoch);
                }
            }
        }
    }

    /// Gives the epochs other keys, and seals under them what stays; how many readings went.
    fn destroy(
        &self,
        connection: &Connection,
        master: &MasterKey,
        row: &StreamRow,
    ) -> Result<u64, VaultError> {
        let old = OpenStream::new(row, master)?;
        let mut new = OpenStream::new(row, master)?;
        let mut erased = 0;
        let of_stream = (row.number, 0)..=(row.number, u64::MAX);
        for &(_, epoch) in self.epochs.range(of_stream) {
            let keys = StreamKeys::generate()?;
            epochs::put(connection, row.number, epoch, &keys.wrap(master, row.id)?)?;
            new.begin(epoch, &keys);
            let mut following = row.sealed_keys.range(epoch + 1..);
            let end = following.next().map_or(u64::MAX, |(next, _)| *next);
            let mut next = epoch;
            loop {
                let page = payloads::from(connection, row.number, next..end, PAGE)?;
                let Some(last) = page.last() else { break };
                next = last.first_sequence + u64::from(last.count);
                for payload in &page {
                    erased += self.seal_anew(connection, (&old, &new), payload)?;
                }
            }
        }
        Ok(erased)
    }

    /// Seals under the new keys what stays of a segment; how many readings went.
    fn seal_anew(
        &self,
        connection: &Connection,
        (old, new): (&OpenStream, &OpenStream),
        row: &PayloadRow,
    ) -> Result<u64, VaultError> {
        let opened = old.open(row.first_sequence, row.count, &row.sealed)?;
        let rest = opened.without(|record| self.part.holds(record));
        let sealed = new.seal_rest(row.first_sequence, row.count, &rest)?;
        payloads::seal_anew(connection, row.stream, row.first_sequence, &sealed)?;
        Ok(rest.erased(row.count) - opened.erased())
    }
}

/// What was destroyed.
pub struct Destroyed {
    /// The tombstone's handle.
    pub handle: Digest,
    /// How many readings of which streams.
    pub streams: Vec<ErasedStream>,
    /// How many times of wearing a device.
    pub assignments: u64,
    /// Handles of the devices that were hers until now.
    pub worn_now: Vec<Digest>,
    /// How many reasons of broken glasses.
    pub reasons: u64,
}

/// Destroys all that the vault holds of a patient or device, with the reasons and reads of these requests and the
/// consents that were given; none if it holds nobody of the kind. Nothing may wait for a batch.
///
/// # Errors
/// [`VaultError`]; the caller rolls back then.
pub fn destroy(
    connection: &Connection,
    master: &MasterKey,
    target: &Target,
    (requests, given): (&[Digest], &[[u8; 16]]),
    survey: &mut Survey,
) -> Result<Option<Destroyed>, VaultError> {
    let Some(handle) = target.handle(connection, master)? else {
        return Ok(None);
    };
    survey.look(connection, master, target)?;
    let handles: BTreeMap<_, _> = devices::handles(connection)?.into_iter().collect();
    let mut erased = Vec::new();
    for (device, seen) in &survey.0 {
        for row in streams::list(connection, Some(device))? {
            let readings = seen.destroy(connection, master, &row)?;
            if readings > 0 {
                erased.push(ErasedStream {
                    device: handles.get(device).copied().unwrap_or_default(),
                    stream: row.id,
                    metric: row.code,
                    readings,
                });
            }
        }
    }
    let forgotten = match target {
        Target::Patient(id) => {
            patients::forget(connection, id)?;
            assignments::forget_patient(connection, master, id)?
        }
        Target::Device(id) => assignments::forget_ended(connection, id)?,
    };
    let worn_now = forgotten.worn_now.iter();
    let destroyed = Destroyed {
        handle,
        streams: erased,
        assignments: forgotten.count,
        worn_now: worn_now.filter_map(|id| handles.get(id).copied()).collect(),
        reasons: reasons::forget(connection, requests)?,
    };
    disclosures::forget(connection, requests)?;
    consents::forget(connection, given)?;
    for table in [
        "epochs",
        "patients",
        "assignments",
        "reasons",
        "disclosures",
        "consents",
    ] {
        write_anew(connection, table)?;
    }
    Ok(Some(destroyed))
}

/// Puts a table's rows onto other pages; those they were on are overwritten, with what the rows that went left there.
fn write_anew(connection: &Connection, table: &'static str) -> Result<(), VaultError> {
    connection.execute_batch(&format!(
        "CREATE TEMP TABLE kept AS SELECT * FROM main.{table};
         DELETE FROM main.{table};
         INSERT INTO main.{table} SELECT * FROM kept;
         DROP TABLE kept;"
    ))?;
    Ok(())
}
