//! The commands that ask a running node.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use fog_api::{BlockRow, ReadingRow};

use super::Outcome;
use super::client::{Api, Question};
use super::output::{bytes_words, print, print_json, time_words};
use super::table::{cell, numbers, pairs, table, words};

/// `fogward status`
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    #[command(flatten)]
    api: Api,
}

impl Status {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let status: fog_api::Status = self.api.ask(&Question::path("/api/status"))?;
        if self.api.json {
            print_json(&status)?;
        } else {
            print(&status_table(&status))?;
        }
        Ok(Outcome::Yes)
    }
}

fn status_table(status: &fog_api::Status) -> String {
    let millis = |value: Option<f64>| cell(value.map(|value| format!("{value:.1} ms")));
    let gap = &status.gap;
    let trouble = status.trouble.as_ref();
    let untold = (!status.untold.is_empty()).then(|| status.untold.join(", "));
    pairs(&[
        ("node", format!("{} ({})", status.node_name, status.node_id)),
        (
            "chain",
            format!("{} ({})", status.consortium, status.chain_id),
        ),
        ("height", status.height.to_string()),
        ("tip", status.tip_hash.clone()),
        (
            "tip time",
            time_words(i64::try_from(status.tip_time).unwrap_or(i64::MAX)),
        ),
        (
            "signed",
            format!(
                "{} made the newest block final, {} needed; {} of {} validators are here",
                status.signed, status.quorum, status.present, status.validators
            ),
        ),
        ("finality p50", millis(status.finality.p50_ms)),
        ("finality p99", millis(status.finality.p99_ms)),
        (
            "devices",
            format!("{}, {} of them simulated", status.devices, status.simulated),
        ),
        (
            "readings",
            format!(
                "{} expected, {} received, {} sealed, {} anchored, {} final; {} frames rejected",
                gap.expected, gap.received, gap.sealed, gap.anchored, gap.finalized, gap.rejected
            ),
        ),
        ("backlog", status.backlog.to_string()),
        (
            "rate",
            format!("{:.1} readings a second", status.readings_per_second),
        ),
        (
            "disk",
            format!(
                "vault {}, replica {}, free {}",
                bytes_words(status.disk.vault_bytes),
                bytes_words(status.disk.replica_bytes),
                bytes_words(status.disk.free_bytes)
            ),
        ),
        (
            "trouble",
            trouble.map_or_else(
                || "none".into(),
                |error| {
                    format!(
                        "{} {} {} ({})",
                        error.what, error.why, error.next, error.code
                    )
                },
            ),
        ),
        ("gave and never told", cell(untold)),
    ])
}

/// `fogward readings`
#[derive(Debug, clap::Args)]
pub(super) struct Readings {
    #[command(flatten)]
    api: Api,
    /// The device's id, as `fogward devices` lists it.
    #[arg(long, value_name = "ID")]
    device: String,
    /// Only this metric, by its LOINC code.
    #[arg(long, value_name = "LOINC")]
    metric: Option<String>,
    /// Only readings received before this time, in Unix milliseconds.
    #[arg(long, value_name = "MILLIS", allow_negative_numbers = true)]
    before: Option<i64>,
    /// How many at most, 1 to 10000, newest first.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

impl Readings {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let question = Question::path("/api/readings")
            .with("device", Some(&self.device))
            .with("metric", self.metric.as_ref())
            .with("before", self.before)
            .with("limit", Some(self.limit));
        let readings: Vec<ReadingRow> = self.api.ask(&question)?;
        print_readings(&readings, self.api.json)
    }
}

/// Prints readings as one value, or as a table.
pub(super) fn print_readings(readings: &[ReadingRow], json: bool) -> anyhow::Result<Outcome> {
    if json {
        print_json(readings)?;
        return Ok(Outcome::Yes);
    }
    let rows: Vec<_> = readings.iter().map(reading_cells).collect();
    print(&table(
        [
            words("id"),
            words("what"),
            words("code"),
            numbers("value"),
            words("unit"),
            words("quality"),
            words("received"),
            words("taken"),
            numbers("batch"),
            numbers("height"),
            words("final"),
        ],
        &rows,
    ))?;
    Ok(Outcome::Yes)
}

fn reading_cells(reading: &ReadingRow) -> [String; 11] {
    let quality = serde_json::to_value(reading.quality).unwrap_or_default();
    let samples = reading.samples.as_ref();
    let samples = samples.map(|samples| format!("{} samples", samples.samples.len()));
    let simulated = if reading.simulated {
        " (simulated)"
    } else {
        ""
    };
    [
        reading.id.clone(),
        format!("{}{simulated}", reading.label),
        reading.code.clone(),
        cell(reading.value.map(|value| value.to_string()).or(samples)),
        reading.unit.clone(),
        quality.as_str().unwrap_or_default().to_owned(),
        time_words(reading.host_time),
        taken_words(reading),
        cell(reading.batch),
        cell(reading.height),
        if reading.finalized { "yes" } else { "no" }.to_owned(),
    ]
}

/// When a reading was taken, where its device has a clock, and by which one that is told.
fn taken_words(reading: &ReadingRow) -> String {
    match (reading.corrected_time, reading.device_time) {
        (Some(time), _) => format!("{} (corrected)", time_words(time)),
        (None, Some(time)) => format!("{} (by the device)", time_words(time)),
        (None, None) => cell(None::<i64>),
    }
}

/// `fogward blocks`
#[derive(Debug, clap::Args)]
pub(super) struct Blocks {
    #[command(flatten)]
    api: Api,
    /// Highest height; the newest without it.
    #[arg(long, value_name = "HEIGHT")]
    from: Option<u64>,
    /// How many at most, 1 to 1000, newest first.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

impl Blocks {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let question = Question::path("/api/blocks")
            .with("from", self.from)
            .with("limit", Some(self.limit));
        let blocks: Vec<BlockRow> = self.api.ask(&question)?;
        if self.api.json {
            print_json(&blocks)?;
            return Ok(Outcome::Yes);
        }
        let rows: Vec<_> = blocks.iter().map(block_cells).collect();
        print(&table(
            [
                numbers("height"),
                words("time"),
                words("hash"),
                words("proposer"),
                numbers("transactions"),
                numbers("readings"),
                numbers("signed"),
                numbers("finality ms"),
            ],
            &rows,
        ))?;
        Ok(Outcome::Yes)
    }
}

fn block_cells(block: &BlockRow) -> [String; 8] {
    [
        block.height.to_string(),
        time_words(i64::try_from(block.time).unwrap_or(i64::MAX)),
        block.hash.clone(),
        block.proposer.clone(),
        block.transactions.to_string(),
        block.readings.to_string(),
        format!("{}/{}", block.signed, block.validators),
        cell(block.finality_ms.map(|millis| format!("{millis:.1}"))),
    ]
}

/// `fogward proof`
#[derive(Debug, clap::Args)]
pub(super) struct Proof {
    #[command(flatten)]
    api: Api,
    /// The reading's id, as `fogward readings` lists it.
    #[arg(value_name = "READING_ID")]
    reading: String,
    /// Where to write the proof.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Proof {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let bytes = self
            .api
            .fetch(&Question::named("/api/proofs", &self.reading))?;
        save(&self.output, &bytes, self.api.json)
    }
}

/// `fogward genesis`
#[derive(Debug, clap::Args)]
pub(super) struct Genesis {
    #[command(flatten)]
    api: Api,
    /// Where to write the genesis.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Genesis {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let bytes = self.api.fetch(&Question::path("/api/genesis"))?;
        save(&self.output, &bytes, self.api.json)
    }
}

fn save(path: &Path, bytes: &[u8], json: bool) -> anyhow::Result<Outcome> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    if json {
        print_json(&serde_json::json!({ "file": path, "bytes": bytes.len() }))?;
    } else {
        print(&format!("{} ({} bytes)\n", path.display(), bytes.len()))?;
    }
    Ok(Outcome::Yes)
}
