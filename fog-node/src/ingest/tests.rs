//! Goal: what the writer has made durable survives, once, whatever happens between two commits.
//! Method: a real vault on disk and a real writer thread; failing writes by a trigger that aborts them.

mod epochs;
mod erasing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use device_drivers::measurement::{Measurement, Metric, Quality, Value};
use ledger_core::{ChainId, Digest, SecretKey};
use tokio::sync::oneshot;

use super::*;
use crate::live::{DeviceLook, LiveDevice, LiveView};
use crate::outgoing::{Handing, Outgoing, Stored, outgoing};
use crate::vault::seal::MasterKey;
use crate::vault::{self, VAULT_FILE, batches, journal, outbox, payloads, streams};

struct Rig {
    live: Arc<LiveView>,
    ingest: Ingest,
    submitted: Submitted,
    thread: std::thread::JoinHandle<()>,
}

/// What the submitter gets.
struct Submitted {
    outgoing: Outgoing,
    next: u64,
}

impl Submitted {
    /// The next transaction; none once the writer is gone and all were taken.
    async fn recv(&mut self) -> Option<Anchored> {
        while !self.outgoing.has(self.next) {
            if !self.outgoing.more().await {
                return None;
            }
        }
        self.next += 1;
        Some(self.outgoing.take(self.next - 1).await.unwrap())
    }
}

fn start(dir: &Path, policy: BatchPolicy) -> Rig {
    let live = Arc::<LiveView>::default();
    let (submit, submitted) = ends(dir, &live);
    let writer = open(dir, policy, &live, submit);
    let (ingest, queue) = Ingest::queue();
    let runtime = tokio::runtime::Handle::current();
    let thread = std::thread::spawn(move || writer.run(queue, &runtime));
    Rig {
        live,
        ingest,
        submitted,
        thread,
    }
}

fn ends(dir: &Path, live: &Arc<LiveView>) -> (Handing, Submitted) {
    let stored = Stored {
        path: dir.join(VAULT_FILE),
        live: Arc::clone(live),
    };
    let (submit, outgoing) = outgoing(stored);
    (submit, Submitted { outgoing, next: 0 })
}

fn open(dir: &Path, policy: BatchPolicy, live: &Arc<LiveView>, submit: Handing) -> Writer {
    Writer::open(WriterParts {
        path: dir.join(VAULT_FILE),
        master: Arc::new(MasterKey::new([4; 32])),
        signer: SecretKey::from_seed(&[5; 32]),
        chain: ChainId(Digest::of(b"test")),
        policy,
        live: Arc::clone(live),
        submit,
        final_nonce: Arc::new(AtomicU64::new(0)),
    })
    .unwrap()
}

impl Rig {
    async fn stop(self) -> Submitted {
        drop(self.ingest);
        tokio::task::spawn_blocking(move || self.thread.join().unwrap())
            .await
            .unwrap();
        self.submitted
    }

    async fn add(&self, id: &str) -> DeviceIndex {
        let (done, added) = oneshot::channel();
        let item = Item::Add(device_row(id), None, done);
        self.ingest.send(item).await.unwrap();
        added.await.unwrap().unwrap()
    }

    async fn feed(&self, device: DeviceIndex, metric: Metric, values: std::ops::Range<i64>) {
        let measurements = values
            .map(|value| Measurement::new(metric, Some(Value::whole(value)), Quality::Good, value))
            .collect();
        self.ingest
            .send(Item::Heard(device, Heard::measured(measurements)))
            .await
            .unwrap();
    }
}

fn device_row(id: &str) -> DeviceRow {
    DeviceRow {
        id: id.into(),
        name: "Test".into(),
        profile: "nonin-ascii".into(),
        path: "/dev/null".into(),
        simulated: false,
        sealed_key: None,
        handle: Digest::of(id.as_bytes()),
        added: 0,
        durable_sequence: None,
        handovers: 0,
    }
}

/// The stored host times of a stream, payloads and journal, checked to have neither hole nor overlap.
fn stored(dir: &Path, metric: Metric) -> Vec<i64> {
    let connection = vault::open_read_only(&dir.join(VAULT_FILE)).unwrap();
    let row = streams::list(&connection, None)
        .unwrap()
        .into_iter()
        .find(|row| row.code == metric.loinc())
        .unwrap();
    let open = vault::open_stream::OpenStream::new(&row, &MasterKey::new([4; 32])).unwrap();
    let mut parts = BTreeMap::new();
    for row in payloads::newest(&connection, row.number, u64::MAX, 100_000).unwrap() {
        assert!(batches::find(&connection, row.batch).unwrap().is_some());
        parts.insert(
            row.first_sequence,
            open.open(row.first_sequence, row.count, &row.sealed)
                .unwrap()
                .into_readings()
                .collect::<Vec<_>>(),
        );
    }
    for row in journal::list(&connection, Some(row.number)).unwrap() {
        let records = open
            .open(row.first_sequence, row.count, &row.sealed)
            .unwrap()
            .into_readings()
            .collect();
        assert!(parts.insert(row.first_sequence, records).is_none());
    }
    let mut all = Vec::new();
    for (first, records) in parts {
        assert_eq!(first, all.len() as u64, "a hole or an overlap");
        all.extend(
            records
                .into_iter()
                .map(|(_, record)| record.host_time_millis),
        );
    }
    all
}

const SLOW: BatchPolicy = BatchPolicy {
    readings: 100,
    age: Duration::from_secs(3600),
};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_closes_by_count_and_by_stopping() {
    let dir = tempfile::tempdir().unwrap();
    let rig = start(dir.path(), SLOW);
    let device = rig.add("a").await;
    rig.feed(device, Metric::SpO2, 0..60).await;
    rig.feed(device, Metric::PulseRate, 0..190).await;
    let mut submitted = rig.stop().await;
    let mut sizes = Vec::new();
    while let Some(anchored) = submitted.recv().await {
        sizes.push(
            anchored
                .readings
                .iter()
                .map(|(_, count)| count)
                .sum::<u64>(),
        );
    }
    assert_eq!(sizes.iter().sum::<u64>(), 250);
    assert!(sizes.iter().all(|size| *size <= 100), "{sizes:?}");
    assert_eq!(
        stored(dir.path(), Metric::SpO2),
        (0..60).collect::<Vec<_>>()
    );
    assert_eq!(
        stored(dir.path(), Metric::PulseRate),
        (0..190).collect::<Vec<_>>()
    );
}

/// Goal: what a device's clock showed is durable with the readings around it, and places them. Method: a meter
/// that is an hour slow sends its clock and what it stored in one item; the vault is read back.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_is_durable_with_what_it_places() {
    const HOUR: i64 = 3_600_000;
    let dir = tempfile::tempdir().unwrap();
    let rig = start(dir.path(), SLOW);
    let device = rig.add("a").await;
    let (now, taken) = (100 * HOUR, 99 * HOUR);
    let value = Some(Value::whole(97));
    let mut stored = Measurement::new(Metric::GlucoseMass, value, Quality::Good, now);
    stored.device_time_millis = Some(taken - HOUR);
    let heard = Heard {
        measurements: vec![stored],
        counts: Vec::new(),
        clocks: vec![CoincidentTime {
            device_time_millis: now - HOUR,
            host_time_millis: now,
        }],
    };
    rig.ingest.send(Item::Heard(device, heard)).await.unwrap();
    rig.stop().await;
    let connection = vault::open_read_only(&dir.path().join(VAULT_FILE)).unwrap();
    let settings = vault::clocks::of_device(&connection, "a").unwrap();
    assert_eq!(settings.len(), 1);
    let placed = crate::time_taken::place(taken - HOUR, now, &settings);
    assert_eq!(placed, Some(taken));
}

/// Goal: readings of a device that was removed count as not final until they are, also after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_removed_device_left_stays_on_the_backlog() {
    let dir = tempfile::tempdir().unwrap();
    let rig = start(dir.path(), SLOW);
    let live = Arc::clone(&rig.live);
    let device = rig.add("a").await;
    let shown = crate::pairing::described(&device_row("a"), None, DeviceLook::default(), None);
    live.open(device, LiveDevice::new(shown, BTreeMap::new(), 0));
    rig.feed(device, Metric::SpO2, 0..70).await;
    let (done, removed) = oneshot::channel();
    rig.ingest.send(Item::Remove(device, done)).await.unwrap();
    removed.await.unwrap().unwrap();
    assert_eq!(live.backlog(), 70);
    live.close(device);
    assert_eq!(live.backlog(), 70);
    let mut submitted = rig.stop().await;
    while let Some(anchored) = submitted.recv().await {
        live.finalized(&anchored.readings);
    }
    assert_eq!(live.backlog(), 0);

    // After a start, what is not final is read from disk.
    let connection = vault::open_read_only(&dir.path().join(VAULT_FILE)).unwrap();
    let in_flight = outbox::readings_from(&connection, 0).unwrap();
    assert_eq!(in_flight, BTreeMap::from([("a".to_owned(), 70)]));
    live.left(70);
    let below = outbox::next_nonce(&connection).unwrap();
    let (submit, mut submitted) = ends(dir.path(), &live);
    submit.durable(below);
    drop(submit);
    while let Some(anchored) = submitted.recv().await {
        live.finalized(&anchored.readings);
    }
    assert_eq!(live.backlog(), 0);
}

/// Consensus may be out of reach for days: the writer goes on, and what nobody took is taken later, in order.
#[tokio::test(flavor = "multi_thread")]
async fn the_writer_does_not_wait_for_consensus() {
    let dir = tempfile::tempdir().unwrap();
    let policy = BatchPolicy {
        readings: 10,
        age: Duration::from_secs(60),
    };
    let rig = start(dir.path(), policy);
    let device = rig.add("a").await;
    for first in (0..5_000).step_by(10) {
        rig.feed(device, Metric::SpO2, first..first + 10).await;
    }
    let (done, flushed) = oneshot::channel();
    rig.ingest.send(Item::Flush(done)).await.unwrap();
    let waited = tokio::time::timeout(Duration::from_secs(60), flushed);
    waited.await.expect("it waits for nobody").unwrap();
    assert_eq!(
        stored(dir.path(), Metric::SpO2),
        (0..5_000).collect::<Vec<_>>()
    );
    let shown = crate::pairing::described(&device_row("a"), None, DeviceLook::default(), None);
    rig.live
        .open(device, LiveDevice::new(shown, BTreeMap::new(), 0));
    let mut submitted = rig.stop().await;
    let (mut transactions, mut readings) = (0, 0);
    while let Some(anchored) = submitted.recv().await {
        assert_eq!(anchored.transaction.nonce, transactions);
        transactions += 1;
        for (of, count) in anchored.readings {
            assert_eq!(of, Some(device));
            readings += count;
        }
    }
    assert_eq!(readings, 5_000);
    assert!(
        transactions > 2 * crate::submitter::IN_FLIGHT as u64,
        "{transactions}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_closes_by_age() {
    let dir = tempfile::tempdir().unwrap();
    let policy = BatchPolicy {
        readings: 100,
        age: Duration::from_millis(300),
    };
    let mut rig = start(dir.path(), policy);
    let device = rig.add("a").await;
    assert_eq!(
        rig.submitted.recv().await.unwrap().transaction.batch,
        None,
        "the registration"
    );
    rig.feed(device, Metric::SpO2, 0..3).await;
    let anchored = tokio::time::timeout(Duration::from_secs(20), rig.submitted.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(anchored.transaction.batch, Some(0));
    assert_eq!(anchored.readings, vec![(Some(device), 3)]);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_journal_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let rig = start(dir.path(), SLOW);
    let device = rig.add("a").await;
    rig.feed(device, Metric::SpO2, 0..7).await;
    // The journal commit is at most COMMIT_AGE away; copy the files as a kill would leave them.
    tokio::time::sleep(COMMIT_AGE * 5).await;
    let after_kill = tempfile::tempdir().unwrap();
    for name in [VAULT_FILE.to_owned(), format!("{VAULT_FILE}-wal")] {
        std::fs::copy(dir.path().join(&name), after_kill.path().join(&name)).unwrap();
    }
    rig.stop().await;

    assert_eq!(
        stored(after_kill.path(), Metric::SpO2),
        (0..7).collect::<Vec<_>>()
    );
    let rig = start(after_kill.path(), SLOW);
    rig.feed(DeviceIndex(0), Metric::SpO2, 7..12).await;
    let mut submitted = rig.stop().await;
    let registration = submitted.recv().await.unwrap();
    assert_eq!(registration.transaction.batch, None, "it is not final yet");
    assert_eq!(
        submitted.recv().await.unwrap().readings,
        [(Some(device), 12)]
    );
    assert_eq!(
        stored(after_kill.path(), Metric::SpO2),
        (0..12).collect::<Vec<_>>()
    );
    let connection = vault::open_read_only(&after_kill.path().join(VAULT_FILE)).unwrap();
    assert!(journal::list(&connection, None).unwrap().is_empty());
    let nonces: Vec<_> = outbox::list(&connection)
        .unwrap()
        .into_iter()
        .map(|row| (row.nonce, row.batch))
        .collect();
    assert_eq!(nonces, [(0, None), (1, Some(0))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_write_loses_nothing_and_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let rig = start(dir.path(), SLOW);
    let device = rig.add("a").await;
    rig.feed(device, Metric::SpO2, 0..150).await;
    rig.ingest.flush().await.unwrap();
    let saboteur = rusqlite::Connection::open(dir.path().join(VAULT_FILE)).unwrap();
    saboteur.busy_timeout(Duration::from_secs(5)).unwrap();
    let fail = "CREATE TRIGGER fail BEFORE INSERT ON payloads BEGIN SELECT RAISE(ABORT, 'no space'); END;
                CREATE TRIGGER fail_too BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no space'); END;";
    saboteur.execute_batch(fail).unwrap();
    rig.feed(device, Metric::SpO2, 150..300).await;
    rig.feed(device, Metric::PulseRate, 0..10).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    saboteur
        .execute_batch("DROP TRIGGER fail; DROP TRIGGER fail_too;")
        .unwrap();
    let mut submitted = rig.stop().await;
    let mut readings = 0;
    let mut batches = Vec::new();
    while let Some(anchored) = submitted.recv().await {
        readings += anchored
            .readings
            .iter()
            .map(|(_, count)| count)
            .sum::<u64>();
        batches.extend(anchored.transaction.batch);
    }
    assert_eq!(readings, 310);
    assert_eq!(batches, (0..batches.len() as u64).collect::<Vec<_>>());
    assert_eq!(
        stored(dir.path(), Metric::SpO2),
        (0..300).collect::<Vec<_>>()
    );
    assert_eq!(
        stored(dir.path(), Metric::PulseRate),
        (0..10).collect::<Vec<_>>()
    );
    let counted = gaps_received(dir.path());
    assert_eq!(counted, 310);
}

fn gaps_received(dir: &Path) -> u64 {
    let connection = vault::open_read_only(&dir.join(VAULT_FILE)).unwrap();
    let counters = vault::gaps::of_device(&connection, "a").unwrap();
    counters
        .get(&(Kind::Received, String::new()))
        .copied()
        .unwrap_or(0)
}

#[test]
fn live_view_is_quiet_without_listeners() {
    let live = LiveView::default();
    assert!(!live.has_listeners());
    assert!(!live.tell_changes());
}

/// Goal: commits keep their distance, a shorter one while somebody listens, so that one reading after
/// another costs no commit each. Method: readings faster than that; each commit leaves a journal row.
#[tokio::test(flavor = "multi_thread")]
async fn commits_keep_their_distance() {
    for (is_watched, age) in [(false, COMMIT_AGE), (true, WATCHED_COMMIT_AGE)] {
        let dir = tempfile::tempdir().unwrap();
        let never_full = BatchPolicy {
            readings: 4096,
            ..SLOW
        };
        let rig = start(dir.path(), never_full);
        let device = rig.add("a").await;
        let listener = is_watched.then(|| rig.live.events());
        let since = std::time::Instant::now();
        for number in 0..100 {
            rig.feed(device, Metric::SpO2, number..number + 1).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let connection = vault::open_read_only(&dir.path().join(VAULT_FILE)).unwrap();
        while rig.live.received_since_start() < 100 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let commits = journal::list(&connection, None).unwrap().len() as u128;
        let most = since.elapsed().as_millis() / age.as_millis() + 2;
        assert!((2..=most).contains(&commits), "{commits} of {most} at most");
        drop(listener);
        rig.stop().await;
    }
}
