//! `fogward bench`: measures this machine with the real parts, nothing left out and nothing mocked.
//!
//! Each run is a process of its own with an empty data folder, so that memory and files are that run's
//! alone; the figures printed are the medians over the runs. A bench of a consortium runs each node in a
//! process of its own too, on loopback (`town.rs`, `member.rs`). What is recorded is synthetic and marked
//! as simulated. Needs Linux: memory and processor time are read from `/proc`.

mod access;
mod cut_off;
#[cfg(unix)]
mod devices;
mod faults;
mod finality;
#[cfg(unix)]
pub mod firmware;
mod history;
mod idle;
mod ingest;
mod light;
mod load;
mod member;
#[cfg(unix)]
mod moves;
mod process;
mod proof;
mod source;
mod sync;
mod throughput;
mod town;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::Outcome;
use crate::cli::output::{print, print_json};

/// Figures by name.
type Figures = BTreeMap<String, f64>;

/// `fogward bench`
#[derive(Debug, clap::Args)]
pub struct Bench {
    /// What to measure.
    what: Kind,
    /// Print one JSON value instead of a table.
    #[arg(long)]
    json: bool,
    /// How many runs; the figures are their medians.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// How many validators, for `finality`, `throughput`, `faults` and `idle`.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=25))]
    validators: u16,
    /// How many seconds `throughput`, `devices` and `moves` take.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=3600))]
    seconds: u32,
    /// How many transactions lie in the chain before `finality` begins.
    #[arg(long, value_name = "N", default_value_t = 0)]
    stored: u64,
    /// How many blocks of 400 transactions `sync` catches up with.
    #[arg(long, value_name = "N", default_value_t = 2500, value_parser = clap::value_parser!(u32).range(1..))]
    blocks: u32,
    /// How many days `cut-off` lasts.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=30))]
    days: u32,
    /// Folder, on the disk to measure, for the temporary data folders; the system's without it.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Measure though this is a debug build, whose figures say nothing.
    #[arg(long)]
    allow_debug: bool,
    /// Make one run in this very process and print its figures.
    #[arg(long, hide = true)]
    one_run: bool,
    /// Be a member that catches up by blocks alone.
    #[arg(long, hide = true)]
    archive: bool,
}

/// A bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Requests for access, decided by the ledger with 1,000 policies in force, half of them about the asker:
    /// `decision_us_p50`, `decision_us_p99`, and the first after one policy more: `decision_after_change_ms`; the keys
    /// of 10,000 batches wrapped for a person: `rewrap_10k_batches_ms` (the slowest of ten); a granted day of one metric
    /// at 1 Hz, each reading in a batch of its own, read: `read_patient_day_ms` (the slowest of ten); from the answer
    /// until the receipt is final: `receipt_final_p50_ms`, `receipt_final_p99_ms`; and `concurrent_readers` at once, of
    /// ten minutes each: `concurrent_read_p99_ms`
    Access,
    /// The node of a ward of 100 devices that is cut off from its consortium for days, fed faster than real time
    /// in the batches that a real pace makes, killed in the middle, and back: `outbox_rows`, `vault_bytes`,
    /// `restart_ms_full` (and with nothing waiting: `_empty`), `peak_rss_bytes_cut_off`, `peak_rss_bytes_draining`,
    /// `drain_ms`. That all is final in order, once, and that both folders are sound is checked.
    CutOff,
    /// 100 sensors on lines of their own, 8 of them with a wave, and one listener; some frames are damaged
    /// on the way: `frame_to_event_p99_ms` from a frame's writing to the event with its value,
    /// `relay_p99_ms` from there to the line of another device that hears it, `cpu_core_fraction` (node), `lost_unnamed` (readings of which the gap ledger says nothing).
    Devices,
    /// Readings from 64 streams, from the queue to finality: `readings_per_second`, `rss_bytes` (peak),
    /// `bytes_per_reading` (disk), `cpu_seconds_per_million`.
    Ingest,
    /// Validators that are killed and come back, with one client that goes on: `p99_ms_one_killed`,
    /// `restart_ms`, `progress_ms_after_quorum`, `lost`.
    Faults,
    /// Single anchor transactions, one after another, from submission at some node to the disks of all:
    /// `p50_ms`, `p99_ms`, `tx_per_second_one_client`, `cpu_ms_per_tx` (all nodes).
    Finality,
    /// Nodes without anything to do: `cpu_percent_of_a_core`, `rss_bytes`, each of the worst node.
    Idle,
    /// A light client that follows 10,000 headers with ten changes of validators:
    /// `headers_per_second`, `seconds`; and the longest proof from a state of 100,000 devices:
    /// `state_proof_bytes`.
    Light,
    /// 100 sensors of all profiles on a wire that are unplugged, disturbed and moved between two nodes, which are
    /// killed now and then: `lost_unnamed`, `counted_twice`, of readings that are numbered.
    Moves,
    /// A node of a consortium that is measured, for the benches themselves.
    #[value(hide = true)]
    Member,
    /// Nodes that catch up with a long chain: `snapshot_seconds`, `archive_tx_per_second`, `restart_ms`.
    Sync,
    /// Senders at all nodes at once, as fast as they can: `tx_per_second` final at the slowest node,
    /// `rss_bytes_max`, `least_sender_of_most` (fairness, 1 is best).
    Throughput,
    /// Proof files of final readings: `verify_ms` (median), `proof_bytes` (the largest seen).
    Proof,
}

/// What is printed.
#[derive(Serialize)]
struct Summary {
    bench: String,
    runs: u32,
    figures: Figures,
    all: Vec<Figures>,
}

impl Bench {
    pub(crate) fn run(&self) -> anyhow::Result<Outcome> {
        if cfg!(debug_assertions) && !self.allow_debug {
            bail!(
                "this is a debug build, whose figures say nothing; build with --release, or add --allow-debug"
            );
        }
        if self.what == Kind::Member {
            let data = self.data.as_deref().context("a member has a data folder")?;
            runtime()?.block_on(member::run(data, self.archive))?;
            return Ok(Outcome::Yes);
        }
        if self.one_run {
            print_json(&self.measure()?)?;
            return Ok(Outcome::Yes);
        }
        let all = (0..self.runs)
            .map(|_| self.start_run())
            .collect::<anyhow::Result<Vec<_>>>()?;
        let summary = Summary {
            bench: self.name(),
            runs: self.runs,
            figures: medians(&all),
            all,
        };
        if self.json {
            print_json(&summary)?;
        } else {
            print(&summary.in_words())?;
        }
        Ok(Outcome::Yes)
    }

    fn name(&self) -> String {
        let value = self.what.to_possible_value();
        value
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    /// One run in a process of its own.
    fn start_run(&self) -> anyhow::Result<Figures> {
        let mut command = Command::new(std::env::current_exe().context("where is this program?")?);
        command.args(["bench", &self.name(), "--one-run"]);
        command.args(["--validators", &self.validators.to_string()]);
        command.args(["--seconds", &self.seconds.to_string()]);
        command.args(["--stored", &self.stored.to_string()]);
        command.args(["--blocks", &self.blocks.to_string()]);
        command.args(["--days", &self.days.to_string()]);
        if self.allow_debug {
            command.arg("--allow-debug");
        }
        if let Some(data) = &self.data {
            command.arg("--data").arg(data);
        }
        let output = command
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            bail!("a run ended with {}", output.status);
        }
        serde_json::from_slice(&output.stdout).context("a run printed no figures")
    }

    fn measure(&self) -> anyhow::Result<Figures> {
        let mut folder = tempfile::Builder::new();
        folder.prefix("fogward-bench-");
        let folder = match &self.data {
            Some(data) => folder.tempdir_in(data),
            None => folder.tempdir(),
        };
        let folder = folder.context("cannot make a temporary data folder")?;
        let path = folder.path();
        let figures = match self.what {
            Kind::Access => runtime()?.block_on(access::measure(path)),
            Kind::CutOff => cut_off::measure(path, self.days),
            #[cfg(unix)]
            Kind::Devices => devices::measure(path, self.seconds),
            #[cfg(not(unix))]
            Kind::Devices => bail!("this bench needs pseudo terminals, which this system has not"),
            Kind::Faults => faults::measure(path, self.validators),
            Kind::Finality => finality::measure(path, self.validators, self.stored),
            Kind::Idle => idle::measure(path, self.validators),
            Kind::Ingest => runtime()?.block_on(ingest::measure(path)),
            Kind::Light => light::measure(),
            Kind::Member => bail!("a member measures nothing"),
            #[cfg(unix)]
            Kind::Moves => moves::measure(path, self.seconds),
            #[cfg(not(unix))]
            Kind::Moves => bail!("this bench needs pseudo terminals, which this system has not"),
            Kind::Sync => sync::measure(path, self.blocks),
            Kind::Throughput => throughput::measure(path, self.validators, self.seconds),
            Kind::Proof => runtime()?.block_on(proof::measure(path)),
        }?;
        folder
            .close()
            .context("cannot remove the temporary data folder")?;
        Ok(figures
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect())
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    Ok(runtime.enable_all().build()?)
}

impl Summary {
    fn in_words(&self) -> String {
        let mut text = format!(
            "{}, medians of {} runs, simulated readings\n",
            self.bench, self.runs
        );
        for (name, value) in &self.figures {
            text.push_str(&format!("{name:<26}{value:>16.3}\n"));
        }
        text
    }
}

fn medians(all: &[Figures]) -> Figures {
    let names = all.first().map(Figures::keys).into_iter().flatten();
    let median_of = |name: &String| {
        let values = all
            .iter()
            .filter_map(|run| run.get(name))
            .copied()
            .collect();
        (name.clone(), percentile(values, 50))
    };
    names.map(median_of).collect()
}

/// The value that `percent` of 100 values do not exceed; the mean of the middle two for an even median.
fn percentile(mut values: Vec<f64>, percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    if percent == 50 && count >= 2 && count.is_multiple_of(2) {
        return f64::midpoint(values[count / 2 - 1], values[count / 2]);
    }
    let rank = (count * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    //! Goal: medians and percentiles are those of the textbook. Method: examples.

    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        assert_eq!(percentile(vec![3.0, 1.0, 2.0], 50), 2.0);
        assert_eq!(percentile(vec![4.0, 1.0, 2.0, 3.0], 50), 2.5);
        assert_eq!(percentile((1..=200).map(f64::from).collect(), 99), 198.0);
        assert_eq!(percentile(vec![7.0], 99), 7.0);
        let run = |value| Figures::from([("x".to_owned(), value)]);
        assert_eq!(medians(&[run(1.0), run(9.0), run(2.0)]), run(2.0));
    }
}
