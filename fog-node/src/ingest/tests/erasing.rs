//! Goal: what is erased is gone whole: nobody's keys open it, no byte of what was sealed of it or of its keys is left
//! in a file, and all that is others' is there as before, with the same proofs; killed at any write, all of it was
//! erased or nothing. Method: a writer with two devices that two patients wore one after the other, one of which
//! stores readings and sends them late; each batch's tree held against its signed anchor before and after; a vault
//! whose log is cut after each of its frames.

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::{AnchorBatch, BatchTree, SignedTransaction, StreamId, canonical};

use super::epochs::{copy, master};
use super::*;
use crate::clock::now_millis;
use crate::erasure::destroy::{Survey, Target};
use crate::erasure::{EraseOrder, Erased};
use crate::patients::patient::PatientId;
use crate::vault::open_stream::{OpenStream, Opened};
use crate::vault::{assignments, erasures, patients};

/// How slow the meter's clock is.
const SLOW_MILLIS: i64 = 3_600_000;
/// Patients whose rows lie around hers.
const OTHERS: u32 = 200;
/// What Ana's readings measure; Ben's are from 2,000 on, nobody's from 3,000 on.
const ANA: std::ops::Range<i64> = 1_000..2_000;

struct Ward {
    dir: tempfile::TempDir,
    rig: Rig,
    oximeter: DeviceIndex,
    meter: DeviceIndex,
    ana: PatientId,
    ben: PatientId,
    /// What was measured, by its value.
    fed: BTreeSet<i64>,
}

/// A millisecond that no other reading or assignment has.
async fn moment() -> i64 {
    tokio::time::sleep(Duration::from_millis(3)).await;
    now_millis()
}

impl Ward {
    /// A device reports values; `taken` of a meter that stored them.
    async fn report(&mut self, device: DeviceIndex, values: &[i64], taken: Option<i64>) {
        let came = moment().await;
        let mut heard = Heard::default();
        for value in values {
            let number = Some(Value::whole(*value));
            let metric = match value % 2 {
                0 => Metric::SpO2,
                _ => Metric::PulseRate,
            };
            let mut measured = Measurement::new(metric, number, Quality::Good, came);
            measured.device_time_millis = taken.map(|taken| taken - SLOW_MILLIS);
            heard.measurements.push(measured);
            assert!(self.fed.insert(*value), "each value once");
        }
        if taken.is_some() {
            heard.clocks.push(CoincidentTime {
                device_time_millis: came - SLOW_MILLIS,
                host_time_millis: came,
            });
        }
        let item = Item::Heard(device, heard);
        self.rig.ingest.send(item).await.unwrap();
    }

    async fn assign(&self, whose: Option<PatientId>) {
        for (device, id) in [(self.oximeter, "o"), (self.meter, "m")] {
            moment().await;
            self.rig.assign(device, id, whose).await;
        }
        moment().await;
    }

    /// Ana wears both, then Ben; the meter sends in Ben's time what it stored in Ana's, and his own.
    async fn swapped() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let rig = start(dir.path(), SLOW);
        let oximeter = rig.add("o").await;
        let meter = DeviceRow {
            path: "ble:C4:F2:17:1A:1D:BB".into(),
            ..device_row("m")
        };
        let added = rig
            .ingest
            .until_durable(|done| Item::Add(meter, None, done));
        let meter = added.await.unwrap().unwrap();
        let (ana, ben) = (rig.patient("Ana").await.id, rig.patient("Ben").await.id);
        let mut ward = Self {
            dir,
            rig,
            oximeter,
            meter,
            ana,
            ben,
            fed: BTreeSet::new(),
        };
        ward.report(oximeter, &[3_000, 3_001], None).await;
        ward.assign(Some(ana)).await;
        ward.report(oximeter, &[1_000, 1_001, 1_002], None).await;
        ward.rig.ingest.flush().await.unwrap();
        ward.report(oximeter, &[1_003, 1_004], None).await;
        let hers = moment().await;
        ward.report(meter, &[1_010, 1_011], Some(hers)).await;
        ward.assign(Some(ben)).await;
        let his = moment().await;
        ward.report(meter, &[1_012, 1_013], Some(hers)).await;
        ward.report(meter, &[2_010, 2_011], Some(his)).await;
        ward.rig.ingest.flush().await.unwrap();
        ward.report(meter, &[2_012, 2_013], Some(his)).await;
        ward.report(oximeter, &[2_000, 2_001, 2_002], None).await;
        ward.rig.ingest.flush().await.unwrap();
        // These wait when she is erased.
        ward.report(meter, &[1_014], Some(hers)).await;
        ward.report(meter, &[2_014], Some(his)).await;
        ward
    }

    async fn erase(&self, target: Target) -> Erased {
        let order = EraseOrder {
            target,
            requests: Vec::new(),
            ended: vec![Digest::of(b"granted")],
            disclosed: vec![Digest::of(b"served")],
            consents: Vec::new(),
            in_force: Vec::new(),
            backups: vec![7],
            survey: Survey::default(),
        };
        let erased = self
            .rig
            .ingest
            .until_durable(|done| Item::Erase(Box::new(order), done));
        erased.await.unwrap().unwrap()
    }
}

/// All that is in a vault's batches, by its value, and where.
#[derive(Default, PartialEq, Debug)]
struct Held(BTreeMap<i64, (StreamId, u64)>);

impl Held {
    fn values(&self) -> BTreeSet<i64> {
        self.0.keys().copied().collect()
    }
}

/// Reads all batches, and proves each reading that is there by its batch's anchor.
fn proven(dir: &Path) -> Held {
    let connection = vault::open_read_only(&dir.join(VAULT_FILE)).unwrap();
    let master = MasterKey::new(master());
    let rows = streams::list(&connection, None).unwrap();
    let open: BTreeMap<i64, OpenStream> = rows
        .iter()
        .map(|row| (row.number, OpenStream::new(row, &master).unwrap()))
        .collect();
    let mut held = Held::default();
    for (batch, anchor) in anchors(&connection) {
        let rows = payloads::of_batch(&connection, batch).unwrap();
        let opened: Vec<Opened<'_>> = rows
            .iter()
            .map(|row| {
                open[&row.stream]
                    .open(row.first_sequence, row.count, &row.sealed)
                    .unwrap()
            })
            .collect();
        let parts = opened.iter().map(Opened::part).collect();
        let tree = BatchTree::rebuild(parts).unwrap();
        assert_eq!(tree.anchor(anchor.batch), anchor, "as it was signed");
        for (row, opened) in rows.iter().zip(&opened) {
            let stream = &open[&row.stream];
            for sequence in row.first_sequence..row.first_sequence + u64::from(row.count) {
                let Some((record, salt)) = opened.at(sequence) else {
                    continue;
                };
                let reading = stream.reading(sequence, record);
                let commitment =
                    ledger_core::reading::commitment(&salt, &canonical::encode(&reading));
                let path = tree.path(stream.id, sequence).expect("a path");
                assert!(path.verify(stream.id, sequence, &commitment, &anchor));
                let ledger_core::Value::Quantity(value) = record.value else {
                    panic!("a number was fed");
                };
                assert!(
                    held.0
                        .insert(value.mantissa, (stream.id, sequence))
                        .is_none()
                );
            }
        }
    }
    held
}

fn anchors(connection: &rusqlite::Connection) -> Vec<(u64, AnchorBatch)> {
    let payload = |row: &outbox::OutboxRow| match told(row) {
        Payload::AnchorBatch(anchor) => Some((row.batch?, anchor)),
        _ => None,
    };
    let rows = outbox::list(connection).unwrap();
    rows.iter().filter_map(payload).collect()
}

fn told(row: &outbox::OutboxRow) -> Payload {
    let signed = SignedTransaction::decode(&row.bytes).unwrap();
    signed.body().unwrap().payload
}

/// What a vault has sealed of a patient: her row, her assignments, and the keys of all epochs.
fn sealed_of(dir: &Path, patient: &PatientId) -> Vec<Vec<u8>> {
    let connection = vault::open_read_only(&dir.join(VAULT_FILE)).unwrap();
    let mut sealed = vec![
        patients::find(&connection, patient)
            .unwrap()
            .unwrap()
            .sealed,
    ];
    let mut blobs = |question: &str| {
        let mut statement = connection.prepare(question).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        sealed.extend(rows.map(Result::unwrap));
    };
    blobs("SELECT sealed FROM assignments");
    blobs("SELECT sealed_keys FROM epochs");
    sealed
}

/// Which of these blobs are still somewhere in the vault's files, wherever.
fn still_there(dir: &Path, blobs: &[Vec<u8>]) -> Vec<usize> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        files.push(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let is_there = |blob: &Vec<u8>| {
        files
            .iter()
            .any(|file| file.windows(blob.len()).any(|part| part == blob))
    };
    let numbered = blobs.iter().enumerate();
    numbered
        .filter(|(_, blob)| is_there(blob))
        .map(|(at, _)| at)
        .collect()
}

fn without(fed: &BTreeSet<i64>, erased: &std::ops::Range<i64>) -> BTreeSet<i64> {
    let stays = |value: &&i64| !erased.contains(value);
    fed.iter().filter(stays).copied().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_gone_and_nothing_else_is() {
    let ward = Ward::swapped().await;
    // So many that her row is moved to other pages, once and again.
    for number in 0..OTHERS {
        ward.rig.patient(&format!("Patient {number}")).await;
    }
    let left_behind = replaced_carelessly(ward.dir.path(), ward.ana);
    ward.rig.ingest.flush().await.unwrap();
    let before = proven(ward.dir.path());
    assert_eq!(before.values(), ward.fed);
    let mut sealed = sealed_of(ward.dir.path(), &ward.ana);
    sealed.push(left_behind);
    assert_eq!(still_there(ward.dir.path(), &sealed).len(), sealed.len());

    let erased = ward.erase(Target::Patient(ward.ana)).await;
    let after = proven(ward.dir.path());
    assert_eq!(after.values(), without(&ward.fed, &ANA));
    for (value, place) in &after.0 {
        assert_eq!(before.0.get(value), Some(place), "where it was");
    }
    assert_eq!(erased.erasure.readings(), 10);
    // What was sealed of others stays: keys of epochs that hold nothing of hers, and Ben's assignments.
    let (connection, master) = (
        vault::open_read_only(&ward.dir.path().join(VAULT_FILE)).unwrap(),
        MasterKey::new(master()),
    );
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for row in streams::list(&connection, None).unwrap() {
        kept.extend(row.sealed_keys.into_values());
    }
    let still = still_there(ward.dir.path(), &sealed);
    let is_kept = |at: &usize| kept.contains(&sealed[*at]) || is_bens(&connection, &sealed[*at]);
    assert!(still.iter().all(is_kept), "{still:?} of {}", sealed.len());
    assert!(still.len() < sealed.len() - 4, "{still:?}");
    let worn = assignments::all(&connection, &master).unwrap();
    assert!(worn.iter().all(|worn| worn.patient == ward.ben));
    assert_eq!(worn.len(), 2);
    assert_eq!(erased.erasure.assignments, 2);
    check_told(&connection, &erased);

    // The node goes on, and again after a start.
    let Ward { dir, rig, .. } = ward;
    rig.stop().await;
    let rig = start(dir.path(), SLOW);
    rig.feed(DeviceIndex(0), Metric::SpO2, 4_000..4_003).await;
    rig.stop().await;
    let mut expected = after.values();
    expected.extend(4_000..4_003);
    assert_eq!(proven(dir.path()).values(), expected);
}

/// Replaces a patient's row as versions did that overwrote nothing; what it was before.
fn replaced_carelessly(dir: &Path, id: PatientId) -> Vec<u8> {
    let connection = rusqlite::Connection::open(dir.join(VAULT_FILE)).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    let careless = connection.pragma_update(None, "secure_delete", false);
    careless.unwrap();
    let row = patients::find(&connection, &id).unwrap().unwrap();
    let before: Vec<u8> = (0_u8..7).flat_map(|at| Digest::of(&[at]).0).collect();
    let earlier = patients::SealedPatient {
        id,
        sealed: before.clone(),
    };
    patients::put(&connection, &earlier).unwrap();
    patients::put(&connection, &row).unwrap();
    before
}

fn is_bens(connection: &rusqlite::Connection, blob: &[u8]) -> bool {
    connection
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM assignments WHERE sealed = ?1)",
            [blob],
            |row| row.get(0),
        )
        .unwrap()
}

/// The tombstone is on its way, with the commitment to a certificate that is stored and holds.
fn check_told(connection: &rusqlite::Connection, erased: &Erased) {
    let rows = outbox::list(connection).unwrap();
    let certificate = erasures::all(connection).unwrap().remove(0);
    assert_eq!(certificate.signed.verify().unwrap(), erased.erasure);
    let row = rows.iter().find(|row| row.id == certificate.tx).unwrap();
    let expected = certificate.signed.tombstone(&erased.erasure);
    assert_eq!(told(row), Payload::Tombstone(expected));
    let ends = |row: &&outbox::OutboxRow| matches!(told(row), Payload::DecideAccess(_));
    assert_eq!(rows.iter().filter(ends).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_erased_and_goes_on() {
    let ward = Ward::swapped().await;
    let first = ward.erase(Target::Device("m".into())).await;
    assert_eq!(first.erasure.readings(), 10);
    let expected: BTreeSet<_> = ward
        .fed
        .iter()
        .copied()
        .filter(|of| of % 1_000 < 10)
        .collect();
    assert_eq!(proven(ward.dir.path()).values(), expected);
    let again = ward.erase(Target::Device("m".into())).await;
    assert_eq!(again.erasure.readings(), 0);
    assert_ne!(first.erasure.handle, again.erasure.handle);
    let mut ward = ward;
    ward.report(ward.meter, &[5_000], None).await;
    ward.rig.ingest.flush().await.unwrap();
    let held = proven(ward.dir.path());
    assert_eq!(held.values().difference(&expected).count(), 1);
    // Whom it is at stays.
    let connection = vault::open_read_only(&ward.dir.path().join(VAULT_FILE)).unwrap();
    let current = assignments::current(&connection, &MasterKey::new(master()), "m");
    let (assigned, _) = current.unwrap().unwrap();
    assert_eq!(assigned.patient, ward.ben);
    ward.rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_write_all_is_erased_or_nothing() {
    let ward = Ward::swapped().await;
    // What waits is in the journal once another item is durable.
    ward.rig.patient("Cem").await;
    let ana = ward.ana;
    // Who reads keeps the log from being emptied, so that it holds each write of the erasure in order.
    let reader = vault::open_read_only(&ward.dir.path().join(VAULT_FILE)).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let at_begin: i64 = reader
        .query_row("SELECT count(*) FROM erasures", [], |row| row.get(0))
        .unwrap();
    assert_eq!(at_begin, 0);
    let log = format!("{VAULT_FILE}-wal");
    let before = std::fs::metadata(ward.dir.path().join(&log)).unwrap().len();
    ward.erase(Target::Patient(ana)).await;
    let killed = tempfile::tempdir().unwrap();
    copy(ward.dir.path(), killed.path());
    reader.execute_batch("ROLLBACK").unwrap();
    let (file, whole) = (
        std::fs::read(killed.path().join(VAULT_FILE)).unwrap(),
        std::fs::read(killed.path().join(&log)).unwrap(),
    );
    // A frame is a page of 4,096 bytes after a header of 24 (SQLite's file format, section 4.1).
    const FRAME: usize = 24 + 4_096;
    let begin = before as usize;
    assert!(whole.len() >= begin + 4 * FRAME, "{} bytes", whole.len());
    let (mut there, mut gone) = (0, 0);
    let ends = (begin..whole.len()).step_by(FRAME / 2);
    for end in ends.chain([whole.len()]) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(VAULT_FILE), &file).unwrap();
        std::fs::write(dir.path().join(&log), &whole[..end]).unwrap();
        let rig = start(dir.path(), SLOW);
        rig.stop().await;
        let connection = vault::open_read_only(&dir.path().join(VAULT_FILE)).unwrap();
        let certificates = erasures::all(&connection).unwrap();
        let is_there = patients::find(&connection, &ana).unwrap().is_some();
        let values = proven(dir.path()).values();
        let expected = match is_there {
            true => ward.fed.clone(),
            false => without(&ward.fed, &ANA),
        };
        assert_eq!(values, expected, "cut at {end}");
        assert_eq!(certificates.is_empty(), is_there, "cut at {end}");
        let tombstone = |row: &&outbox::OutboxRow| matches!(told(row), Payload::Tombstone(_));
        let told = outbox::list(&connection).unwrap();
        assert_eq!(told.iter().filter(tombstone).count(), certificates.len());
        *(if is_there { &mut there } else { &mut gone }) += 1;
    }
    assert!(there > 3 && gone > 0, "{there} whole, {gone} erased");
    ward.rig.stop().await;
}
