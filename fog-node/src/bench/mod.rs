//! `fogward bench`: measures this machine with the real parts, nothing left out and nothing mocked.
//!
//! Each run is a process of its own with an empty data folder, so that memory and files are that run's
//! alone; the figures printed are the medians over the runs. What is recorded is synthetic and marked
//! as simulated. Needs Linux: memory and processor time are read from `/proc`.

mod finality;
mod ingest;
mod light;
mod process;
mod proof;
mod source;

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
    /// Folder, on the disk to measure, for the temporary data folders; the system's without it.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Measure though this is a debug build, whose figures say nothing.
    #[arg(long)]
    allow_debug: bool,
    /// Make one run in this very process and print its figures.
    #[arg(long, hide = true)]
    one_run: bool,
}

/// A bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Readings from 64 streams, from the queue to finality: `readings_per_second`, `rss_bytes` (peak),
    /// `bytes_per_reading` (disk), `cpu_seconds_per_million`.
    Ingest,
    /// Single anchor transactions, one after another, from submission to disk: `p50_ms`, `p99_ms`,
    /// `tx_per_second_one_client`.
    Finality,
    /// A light client that follows 10,000 headers with ten changes of validators:
    /// `headers_per_second`, `seconds`; and the longest proof from a state of 100,000 devices:
    /// `state_proof_bytes`.
    Light,
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
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let figures = runtime.block_on(async {
            match self.what {
                Kind::Ingest => ingest::measure(folder.path()).await,
                Kind::Finality => finality::measure(folder.path()).await,
                Kind::Light => light::measure(),
                Kind::Proof => proof::measure(folder.path()).await,
            }
        })?;
        folder
            .close()
            .context("cannot remove the temporary data folder")?;
        Ok(figures
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect())
    }
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
