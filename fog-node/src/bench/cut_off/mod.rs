//! Bench `cut-off`: the node of a ward is cut off from its consortium for days.
//!
//! ```text
//! validator  ──killed────────────────────────────────────────────────────────────started──▶
//! the ward   ──fed──▶ killed in the middle ──▶ fed ──▶ killed with all of it ──▶ drains
//! ```
//!
//! Two nodes of one consortium, each a process of its own; the only validator is gone while the other one, an
//! observer, receives what a ward of [`DEVICES`] devices at 1 Hz sends in so many days, through its own ingest
//! (`feed.rs`) and faster than real time. What is in the outbox is in number and size what the days would make:
//! the first batches are a second old, as long as the node does not count as cut off, the others full.
//! It leaves out what else days bring: clocks that drift apart, and a network that comes and goes.

mod feed;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use ledger_core::{Payload, PublicKey, SignedTransaction};

use super::town::{Order, Report, Town};
use crate::clock::now_millis;
use crate::fsck;
use crate::ingest::{BatchPolicy, CUT_OFF};
use crate::keystore::Keystore;
use crate::vault::{self, VAULT_FILE, outbox};

pub(super) use feed::feed;

/// Devices of the ward, each with a reading a second.
const DEVICES: u64 = if cfg!(debug_assertions) { 10 } else { 100 };
/// Seconds of a day; a debug build, whose figures nobody uses, makes do with an hour.
const DAY_SECONDS: u64 = if cfg!(debug_assertions) {
    3_600
} else {
    86_400
};
/// Longest wait for the ward, or for the drain.
const PATIENCE: Duration = Duration::from_secs(3_600);
const LOOK: Duration = Duration::from_millis(20);
/// The only validator.
const VALIDATOR: usize = 0;
/// The node that is cut off.
const WARD: usize = 1;

/// How the node starts.
struct Start {
    millis: f64,
    /// Most memory until it was open.
    peak_rss_bytes: f64,
}

/// What waits.
struct Waiting {
    rows: u64,
    bytes: u64,
    next_nonce: u64,
}

pub(super) fn measure(folder: &Path, days: u32) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let seconds = u64::from(days) * DAY_SECONDS;
    let readings = seconds * DEVICES;
    let since = now_millis() - i64::try_from(seconds * 1_000)?;
    let mut town = Town::found(folder, 2, 1, 0)?;
    town.start_all()?;
    // Before the cut: the devices are registered and something of each is final.
    feed_until(&mut town, (since, DEVICES), DEVICES)?;
    until_final(&mut town)?;
    town.kill(WARD)?;
    let empty = start(&mut town)?;
    town.kill(VALIDATOR)?;

    let begun = Instant::now();
    // As long as it does not count as cut off, a batch is a second old.
    let early = DEVICES + (CUT_OFF + 1) * DEVICES;
    feed_until(&mut town, (since, DEVICES), early)?;
    let full = u64::from(BatchPolicy::default().readings);
    order(&mut town, (since, full), readings)?;
    until_fed(&town, readings / 2)?;
    let mut peak = town.peak_rss_bytes(WARD)?;
    town.kill(WARD)?;
    let half = start(&mut town)?;
    feed_until(&mut town, (since, full), readings)?;
    let fed = begun.elapsed();
    peak = peak.max(town.peak_rss_bytes(WARD)?);
    town.kill(WARD)?;
    let vault_bytes = bytes_of_vault(&town)?;
    let waiting = waiting(&town)?;

    let restarted = start(&mut town)?;
    town.start(VALIDATOR)?;
    town.wait_ready(VALIDATOR)?;
    let begun = Instant::now();
    until_final(&mut town)?;
    let drained = begun.elapsed().as_secs_f64();
    let draining = town.peak_rss_bytes(WARD)?;
    town.stop()?;
    check(&town, readings)?;
    Ok(vec![
        ("days", f64::from(days)),
        ("readings", readings as f64),
        ("feed_seconds", fed.as_secs_f64()),
        ("outbox_rows", waiting.rows as f64),
        ("outbox_bytes", waiting.bytes as f64),
        ("vault_bytes", vault_bytes as f64),
        ("bytes_per_reading", vault_bytes as f64 / readings as f64),
        ("restart_ms_empty", empty.millis),
        ("restart_ms_half", half.millis),
        ("restart_ms_full", restarted.millis),
        ("start_rss_bytes_empty", empty.peak_rss_bytes),
        ("start_rss_bytes_full", restarted.peak_rss_bytes),
        ("peak_rss_bytes_cut_off", peak),
        ("peak_rss_bytes_draining", draining),
        ("drain_ms", drained * 1e3),
        ("drain_rows_per_second", waiting.rows as f64 / drained),
    ])
}

fn order(town: &mut Town, (since, batch): (i64, u64), until: u64) -> anyhow::Result<()> {
    let feed = Order::Feed {
        devices: DEVICES,
        since,
        batch,
        until,
    };
    town.order(WARD, &feed)
}

fn until_fed(town: &Town, readings: u64) -> anyhow::Result<()> {
    let fed = town.until(Instant::now() + PATIENCE, |number, report| {
        matches!(report, Report::Fed { readings: fed } if number == WARD && fed >= readings)
            .then_some(())
    })?;
    fed.context("the ward's readings do not become durable")
}

fn feed_until(town: &mut Town, pace: (i64, u64), until: u64) -> anyhow::Result<()> {
    order(town, pace, until)?;
    until_fed(town, until)
}

/// Starts the ward's node after a kill.
fn start(town: &mut Town) -> anyhow::Result<Start> {
    let begun = Instant::now();
    town.start(WARD)?;
    town.wait("the ward's node to be open", |number, report| {
        (number == WARD && report == Report::Open).then_some(())
    })?;
    Ok(Start {
        millis: begun.elapsed().as_secs_f64() * 1e3,
        peak_rss_bytes: town.peak_rss_bytes(WARD)?,
    })
}

/// Waits until all that the ward's node has made durable is final at it.
fn until_final(town: &mut Town) -> anyhow::Result<()> {
    let begun = Instant::now();
    while town.measure(WARD)?.own_nonce < waiting(town)?.next_nonce {
        ensure!(begun.elapsed() < PATIENCE, "not final");
        std::thread::sleep(LOOK);
    }
    Ok(())
}

fn waiting(town: &Town) -> anyhow::Result<Waiting> {
    let vault = vault::open_read_only(&town.data(WARD).join(VAULT_FILE))?;
    let (rows, bytes) = vault.query_row(
        "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM outbox",
        [],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
    )?;
    Ok(Waiting {
        rows: u64::try_from(rows)?,
        bytes: u64::try_from(bytes)?,
        next_nonce: outbox::next_nonce(&vault)?,
    })
}

/// The vault's file and the log that SQLite keeps beside it.
fn bytes_of_vault(town: &Town) -> anyhow::Result<u64> {
    let file = town.data(WARD).join(VAULT_FILE);
    let log = file.with_file_name(format!("{VAULT_FILE}-wal"));
    let log_bytes = log.metadata().map_or(0, |about| about.len());
    Ok(file.metadata()?.len() + log_bytes)
}

/// All is on the validator's chain, in order, each once; and both folders are sound.
fn check(town: &Town, readings: u64) -> anyhow::Result<()> {
    let node = Keystore::open_existing(&town.data(WARD))?.node.public();
    let found = anchored(town, &node)?;
    ensure!(
        found == readings,
        "{found} of {readings} readings are final"
    );
    for number in 0..town.len() {
        let report = fsck::check(&town.data(number))?;
        ensure!(report.clean, "{}", report.in_words());
        if number == WARD {
            let vault = report.vault;
            ensure!(
                vault.final_batches == vault.batches && vault.batched_readings == readings,
                "{}",
                report.in_words()
            );
        }
    }
    Ok(())
}

/// Readings that a node has anchored on the validator's chain, its batches one after another.
fn anchored(town: &Town, node: &PublicKey) -> anyhow::Result<u64> {
    let replica = town.replica(VALIDATOR)?;
    let snapshot = replica.read()?;
    let (mut next, mut readings) = (0, 0);
    for height in 0..snapshot.next_height().0 {
        for stored in snapshot.transactions(ledger_core::Height(height))? {
            if stored.sender != *node {
                continue;
            }
            let signed = SignedTransaction::decode(&stored.bytes)?;
            if let Payload::AnchorBatch(anchor) = signed.body()?.payload {
                ensure!(
                    anchor.batch.0 == next,
                    "batch {} where {next} was to be",
                    anchor.batch.0
                );
                (next, readings) = (next + 1, readings + u64::from(anchor.readings));
            }
        }
    }
    Ok(readings)
}
