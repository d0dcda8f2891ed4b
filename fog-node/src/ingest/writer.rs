//! The writer thread: the only one that writes to the vault.

mod devices;
mod erasing;
mod flush;
mod streams;

pub(crate) use flush::CUT_OFF;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use device_drivers::measurement::{Measurement, Metric};
use ledger_core::{ChainId, Digest, SecretKey};
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::stream::{Stream, record_of};
use super::{BatchPolicy, COMMIT_AGE, DeviceIndex, Item, WATCHED_COMMIT_AGE};
use crate::commissioning::SignedCommissioning;
use crate::erasure::Erased;
use crate::keystore::random;
use crate::live::LiveView;
use crate::outgoing::Handing;
use crate::vault::seal::MasterKey;
use crate::vault::{
    self, VaultError, assignments, batches, commissionings, consents, gaps, gaps::Kind, journal,
    outbox, patients, people, promises, provisionings, reasons,
};

/// Readings that may wait in memory before a commit is made without waiting for more.
const COMMIT_READINGS: usize = 16_384;
/// Pause before the vault is opened again after a failed write.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);
/// How often a stopping node tries its last commit.
const LAST_TRIES: u32 = 5;

/// A transaction of this node that is durable and on its way, and whose readings it anchors.
#[derive(Clone, Debug)]
pub struct Anchored {
    /// The transaction.
    pub transaction: outbox::OutboxRow,
    /// How many readings of which device.
    pub readings: Vec<AnchoredOf>,
}

/// How many readings of a batch are of which device; of none if it was removed before the node started.
pub type AnchoredOf = (Option<DeviceIndex>, u64);

/// What a writer works with.
pub struct WriterParts {
    /// The vault's file.
    pub path: PathBuf,
    /// Opens and seals its keys.
    pub master: Arc<MasterKey>,
    /// Signs transactions.
    pub signer: SecretKey,
    /// The chain they are meant for.
    pub chain: ChainId,
    /// When batches are closed.
    pub policy: BatchPolicy,
    /// Is told what is durable.
    pub live: Arc<LiveView>,
    /// Takes transactions that are durable, in the order of their nonces.
    pub submit: Handing,
    /// Own transactions below this nonce are final.
    pub final_nonce: Arc<AtomicU64>,
}

/// The writer and its state, all of which can be rebuilt from the vault.
pub struct Writer {
    parts: WriterParts,
    connection: Connection,
    devices: Vec<OpenDevice>,
    streams: Vec<Stream>,
    next_batch: u64,
    next_nonce: u64,
    pruned_nonce: u64,
    oldest_waiting: Option<Instant>,
    /// Whether the write-ahead log holds what was erased.
    is_log_due: bool,
    /// When the newest commit began.
    last_commit: Option<Instant>,
}

struct OpenDevice {
    id: String,
    streams: BTreeMap<Metric, usize>,
}

/// What a commit adds to the devices' gap ledgers.
type Counts = BTreeMap<(DeviceIndex, Kind, &'static str), u64>;

/// What a commit leads to, once it is durable.
#[derive(Default)]
struct Outcome {
    anchored: Vec<Anchored>,
    added: Vec<(usize, DeviceIndex)>,
    told: Vec<(usize, Digest)>,
    signed: Vec<(usize, SignedCommissioning)>,
    erased: Vec<(usize, Erased)>,
}

impl Writer {
    /// Opens the vault and rebuilds the state from it: devices, streams, and readings that wait for a
    /// batch.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn open(parts: WriterParts) -> Result<Self, VaultError> {
        let mut connection = vault::open(&parts.path)?;
        assignments::adopt(&mut connection, &parts.master)?;
        let mut writer = Self {
            next_batch: batches::next_number(&connection)?,
            next_nonce: outbox::next_nonce(&connection)?,
            pruned_nonce: 0,
            devices: Vec::new(),
            streams: Vec::new(),
            oldest_waiting: None,
            // Of an erasure that the last life was killed after.
            is_log_due: true,
            last_commit: None,
            connection,
            parts,
        };
        writer.empty_log(true);
        for device in vault::devices::active(&writer.connection)? {
            writer.open_device(device.id);
        }
        writer.load_streams()?;
        writer.leave_out_lost()?;
        writer.parts.submit.durable(writer.next_nonce);
        Ok(writer)
    }

    /// The open devices' ids, by index.
    pub fn device_ids(&self) -> impl Iterator<Item = (DeviceIndex, &str)> {
        self.devices
            .iter()
            .enumerate()
            .map(|(at, device)| (DeviceIndex(at as u32), device.id.as_str()))
    }

    /// Works until all senders are gone; then flushes what waits and returns.
    pub fn run(mut self, mut queue: mpsc::Receiver<Item>, runtime: &Handle) {
        let mut items = Vec::new();
        while runtime.block_on(self.collect(&mut queue, &mut items)) || !items.is_empty() {
            self.last_commit = Some(Instant::now());
            self.commit_until_durable(&mut items, false);
        }
        self.commit_until_durable(&mut items, true);
    }

    /// Waits for items, or until a batch is due. False when there will be no more items.
    async fn collect(&self, queue: &mut mpsc::Receiver<Item>, items: &mut Vec<Item>) -> bool {
        let limit = super::QUEUE_ITEMS;
        while items.is_empty() {
            let Some(since) = self.oldest_waiting else {
                if queue.recv_many(items, limit).await == 0 {
                    return false;
                }
                break;
            };
            // The ledger may go on meanwhile, and the batch be due sooner.
            let look_at = Instant::now() + self.parts.policy.age;
            let look_at = look_at.min(since + self.batch_age());
            match tokio::time::timeout_at(look_at.into(), queue.recv_many(items, limit)).await {
                Ok(0) => return false,
                Ok(_) => {}
                Err(_) if since.elapsed() >= self.batch_age() => return true,
                Err(_) => {}
            }
        }
        let commit_at = self.next_commit();
        loop {
            let is_urgent = items.iter().any(|item| !matches!(item, Item::Heard(..)));
            let is_time = Instant::now() >= commit_at;
            if is_urgent || is_time || readings_in(items) >= self.room() {
                return true;
            }
            match tokio::time::timeout_at(commit_at.into(), queue.recv_many(items, limit)).await {
                Ok(0) => return false,
                Ok(_) => {}
                Err(_) => return true,
            }
        }
    }

    /// When the next commit may begin that is not urgent.
    fn next_commit(&self) -> Instant {
        let age = match self.parts.live.has_listeners() {
            true => WATCHED_COMMIT_AGE,
            false => COMMIT_AGE,
        };
        self.last_commit
            .map_or_else(Instant::now, |last| last + age)
    }

    /// How many more readings make a commit worth while at once.
    fn room(&self) -> usize {
        let batch = self.parts.policy.readings as usize;
        let waiting: usize = self.streams.iter().map(Stream::waiting).sum();
        batch.saturating_sub(waiting).clamp(1, COMMIT_READINGS)
    }

    /// Commits the items, again and again until they are durable. Nothing else can be done without a
    /// vault: the queue fills and the devices' readers wait.
    ///
    /// The last commit of a node that stops is tried [`LAST_TRIES`] times only; what it would have
    /// batched is in the journal, and what it would have made durable was never acknowledged.
    fn commit_until_durable(&mut self, items: &mut Vec<Item>, is_last: bool) {
        let mut tries = 0;
        loop {
            match self.commit(items, is_last) {
                Ok(outcome) => {
                    let has_erased = !outcome.erased.is_empty();
                    self.is_log_due |= has_erased;
                    self.empty_log(has_erased);
                    self.parts.live.set_vault_trouble(None);
                    self.publish(std::mem::take(items), outcome);
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "the vault could not be written; opening it again");
                    self.parts.live.set_vault_trouble(Some(error.to_string()));
                    tries += 1;
                    if is_last && tries == LAST_TRIES {
                        return;
                    }
                    std::thread::sleep(REOPEN_PAUSE);
                    if let Err(error) = self.reopen() {
                        tracing::error!(%error, "the vault could not be opened");
                    }
                }
            }
        }
    }

    /// Opens the vault again and takes the state from it, for the devices that are open.
    fn reopen(&mut self) -> Result<(), VaultError> {
        self.connection = vault::open(&self.parts.path)?;
        self.next_batch = batches::next_number(&self.connection)?;
        self.next_nonce = outbox::next_nonce(&self.connection)?;
        self.reload_streams()
    }

    fn commit(&mut self, items: &[Item], is_last: bool) -> Result<Outcome, VaultError> {
        let mut outcome = Outcome::default();
        let is_flush_asked = is_last || items.iter().any(Item::is_flush);
        let devices_before = self.devices.len();
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let done = self
            .write(items, is_flush_asked, &mut outcome)
            .and_then(|()| {
                self.connection.execute_batch("COMMIT")?;
                Ok(())
            });
        if let Err(error) = done {
            // What this leaves is thrown away by the reopening that follows.
            let _ = self.connection.execute_batch("ROLLBACK");
            self.devices.truncate(devices_before);
            return Err(error);
        }
        Ok(outcome)
    }

    fn write(
        &mut self,
        items: &[Item],
        is_flush_asked: bool,
        outcome: &mut Outcome,
    ) -> Result<(), VaultError> {
        let mut counts = Counts::new();
        for (at, item) in items.iter().enumerate() {
            self.write_item(at, item, &mut counts, outcome)?;
        }
        let waiting: usize = self.streams.iter().map(Stream::waiting).sum();
        let is_due = self
            .oldest_waiting
            .is_some_and(|since| since.elapsed() >= self.batch_age());
        if waiting >= self.parts.policy.readings as usize || is_due || is_flush_asked {
            self.flush(&mut counts, outcome)?;
        } else {
            for stream in &mut self.streams {
                if let Some(row) = stream.journal_row()? {
                    journal::insert(&self.connection, &row)?;
                }
            }
        }
        for item in items {
            if let Item::Remove(device, _) = item {
                self.remove_device(*device)?;
            }
        }
        self.add_counts(counts)
    }

    fn add_counts(&self, counts: Counts) -> Result<(), VaultError> {
        for ((device, kind, reason), count) in counts {
            if let Some(device) = self.devices.get(device.0 as usize) {
                gaps::add(&self.connection, &device.id, kind, reason, count)?;
            }
        }
        Ok(())
    }

    /// Writes the item at this place among those of a commit.
    fn write_item(
        &mut self,
        at: usize,
        item: &Item,
        counts: &mut Counts,
        outcome: &mut Outcome,
    ) -> Result<(), VaultError> {
        match item {
            Item::Heard(device, heard) => {
                if !heard.measurements.is_empty() {
                    self.push_readings(*device, &heard.measurements)?;
                    *counts.entry((*device, Kind::Received, "")).or_default() +=
                        heard.measurements.len() as u64;
                }
                for (kind, reason, count) in &heard.counts {
                    *counts.entry((*device, *kind, reason)).or_default() += count;
                }
                self.note_clocks(*device, &heard.clocks)?;
            }
            Item::Add(row, code, _) => {
                let index = self.add_device(row, code.as_ref(), outcome)?;
                outcome.added.push((at, index));
            }
            Item::Take(row, assignment, clock, _) => {
                self.flush(counts, outcome)?;
                let index = self.take_device(row, assignment.as_ref(), clock.as_ref())?;
                outcome.added.push((at, index));
            }
            Item::Tell(payload, whose, _) => {
                if whose.is_some() {
                    self.flush(counts, outcome)?;
                }
                let transaction = self.tell(payload, whose.as_ref(), outcome)?;
                outcome.told.push((at, transaction));
            }
            Item::Commission(record, _) => {
                let signed = SignedCommissioning::sign(record, &self.parts.signer);
                commissionings::insert(&self.connection, &record.subject, &signed)?;
                outcome.signed.push((at, signed));
            }
            Item::Keep(kept, _) => provisionings::keep(&self.connection, kept)?,
            Item::Place(device, place, _) => self.place_device(*device, place.as_ref())?,
            Item::Person(person, _) => people::put(&self.connection, person)?,
            Item::Reason(reason, _) => reasons::insert(&self.connection, reason)?,
            Item::Patient(patient, _) => patients::put(&self.connection, patient)?,
            Item::Consent(consent, _) => consents::put(&self.connection, consent)?,
            Item::Disclose(row, receipt, _) => {
                let told = self.disclose(row, *receipt, outcome)?;
                outcome.told.extend(told.map(|told| (at, told)));
            }
            Item::Promise(promise, _) => promises::keep(&self.connection, promise)?,
            Item::Judged(promise, _) => promises::change(&self.connection, promise)?,
            Item::Fulfilled(receipt, _) => promises::forget(&self.connection, receipt)?,
            Item::Erase(order, _) => {
                self.flush(counts, outcome)?;
                let erased = self.erase(order, outcome)?;
                outcome.erased.extend(erased.map(|erased| (at, erased)));
            }
            Item::Remove(..) | Item::Flush(_) => {}
        }
        Ok(())
    }

    fn push_readings(
        &mut self,
        device: DeviceIndex,
        measurements: &[Measurement],
    ) -> Result<(), VaultError> {
        let mut newest = None;
        for measurement in measurements {
            let stream = self.stream_of(device, measurement.metric)?;
            if let Some(stream) = self.streams.get_mut(stream) {
                stream.push(record_of(measurement));
            }
            newest = newest.max(measurement.sequence);
        }
        if let (Some(newest), Some(open)) = (newest, self.devices.get(device.0 as usize)) {
            vault::devices::set_durable_sequence(&self.connection, &open.id, newest)?;
        }
        self.oldest_waiting.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// Tells everybody what is durable now.
    fn publish(&self, items: Vec<Item>, outcome: Outcome) {
        let has_flushed = outcome.anchored.iter().any(|one| !one.readings.is_empty());
        for anchored in outcome.anchored {
            self.parts.live.anchored(&anchored.readings);
            self.parts.submit.hand(anchored);
        }
        for (at, item) in items.into_iter().enumerate() {
            match item {
                Item::Heard(device, heard) => {
                    for (kind, reason, count) in heard.counts {
                        self.parts.live.counted(device, kind, reason, count);
                    }
                    if !heard.measurements.is_empty() {
                        self.parts.live.received(device, heard.measurements);
                    }
                }
                Item::Add(_, _, done) | Item::Take(_, _, _, done) => {
                    answer(done, of_item(&outcome.added, at))
                }
                Item::Tell(_, _, done) | Item::Disclose(_, _, done) => {
                    answer(done, of_item(&outcome.told, at));
                }
                Item::Commission(_, done) => answer(done, of_item(&outcome.signed, at)),
                Item::Erase(_, done) => answer(done, of_item(&outcome.erased, at)),
                Item::Remove(_, done) => answer(done, Ok(())),
                Item::Keep(_, done)
                | Item::Place(_, _, done)
                | Item::Person(_, done)
                | Item::Reason(_, done)
                | Item::Patient(_, done)
                | Item::Consent(_, done)
                | Item::Promise(_, done)
                | Item::Judged(_, done)
                | Item::Fulfilled(_, done)
                | Item::Flush(done) => {
                    answer(done, ());
                }
            }
        }
        // A batch holds all that waited, what this commit brought among it.
        if has_flushed {
            self.parts.live.flushed();
        }
        self.parts.live.tell_soon();
    }
}

fn readings_in(items: &[Item]) -> usize {
    items
        .iter()
        .map(|item| match item {
            Item::Heard(_, heard) => heard.measurements.len(),
            _ => 0,
        })
        .sum()
}

/// What came of the item at this place.
fn of_item<T: Clone>(done: &[(usize, T)], at: usize) -> Result<T, String> {
    let found = done.iter().find(|(of, _)| *of == at);
    found
        .map(|(_, value)| value.clone())
        .ok_or_else(|| "it was not stored".to_owned())
}

/// Answers whoever asked; it may have gone meanwhile, and what was done stays done.
fn answer<T>(done: oneshot::Sender<T>, value: T) {
    let _ = done.send(value);
}

/// A fresh handle for a device on the ledger.
///
/// # Errors
/// If the system has no randomness.
pub fn random_handle() -> anyhow::Result<Digest> {
    random::<32>().map(Digest)
}
