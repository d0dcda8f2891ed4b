//! `fogward simulate`: a consortium in virtual time, once for each seed, with everything going wrong.
//!
//! No network, no disk, no data of anybody: all nodes, keys and transactions are simulated.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use ledger_sim::{Report, Scenario, VALIDATORS, simulate};

use super::Outcome;
use super::output::{print, print_json};

/// After so many seeds a person is told how far it is.
const TELL_EVERY: u64 = 500;
/// Highest height a simulation may be asked for.
const MAX_HEIGHTS: u64 = 10_000;
/// Findings shown in words; JSON has all of them.
const SHOWN: usize = 20;

/// `fogward simulate`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Seeds are from A on, without B. One seed is one history: the same trace_hash on \
                  every machine. Exits 1 if an invariant breaks; its seed shows it again."
)]
pub(super) struct Simulate {
    /// How many validators found the simulated chain.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = validators)]
    validators: usize,
    /// The height that all correct nodes are to reach.
    #[arg(long, value_name = "H", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=MAX_HEIGHTS))]
    heights: u64,
    /// Which seeds.
    #[arg(long, value_name = "A..B", default_value = "0..100", value_parser = seeds)]
    seeds: Range<u64>,
    /// On how many threads; all cores if not given. The outcome is the same.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

fn validators(text: &str) -> Result<usize, String> {
    let (least, most) = (VALIDATORS.start(), VALIDATORS.end());
    let number = text.parse().ok();
    let number = number.filter(|number| VALIDATORS.contains(number));
    number.ok_or_else(|| format!("a number from {least} to {most}"))
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let range = text.split_once("..").and_then(|(from, to)| {
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        (from < to).then_some(from..to)
    });
    range.ok_or_else(|| "two numbers as 0..100, the second one greater".to_owned())
}

impl Simulate {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let threads = self
            .threads
            .or_else(|| std::thread::available_parallelism().ok());
        let threads = threads.map_or(1, NonZeroUsize::get);
        let scenario = Scenario::new(self.validators, self.heights, 0);
        let told = AtomicU64::new(0);
        let report = simulate(scenario, self.seeds.clone(), threads, |_| {
            let done = told.fetch_add(1, Ordering::Relaxed) + 1;
            if !self.json && done.is_multiple_of(TELL_EVERY) {
                // Nobody may be listening.
                let _ = writeln!(std::io::stderr().lock(), "{done} seeds simulated");
            }
        });
        if self.json {
            print_json(&report)?;
        } else {
            print(&in_words(&report))?;
        }
        Ok(match report.violations.is_empty() {
            true => Outcome::Yes,
            false => Outcome::No,
        })
    }
}

fn in_words(report: &Report) -> String {
    let tally = &report.tally;
    let mut words = format!(
        "{} seeds, every correct node at height {} at least\n\
         gone through: {} crashes, {} full disks, {} partitions, {} messages lost, {} falsified or \
         held back, {} votes in later rounds, {} changes of validators\n\
         accepted: {} transactions; longest recovery after healing: {} ms of simulated time\n\
         trace {}\n",
        report.seeds,
        report.heights_min,
        tally.crashes,
        tally.full_disks,
        tally.partitions,
        tally.lost,
        tally.twisted,
        tally.later_rounds,
        tally.validator_changes,
        tally.transactions,
        report.recovered_millis_max,
        report.trace_hash,
    );
    if report.violations.is_empty() {
        words.push_str("no invariant broken\n");
    } else {
        words.push_str(&format!("{} BROKEN:\n", report.violations.len()));
        for found in report.violations.iter().take(SHOWN) {
            words.push_str(&format!(
                "  seed {}, height {}, {}: {}\n",
                found.seed, found.height, found.invariant, found.what
            ));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    //! Goal: what is asked for is understood or refused. Method: examples.

    use super::*;

    #[test]
    fn seeds_are_a_range() {
        assert_eq!(seeds("0..100"), Ok(0..100));
        assert_eq!(seeds("7..8"), Ok(7..8));
        for wrong in ["", "5", "5..5", "6..5", "a..b", "-1..4", "0..=4"] {
            assert!(seeds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn validators_have_bounds() {
        assert_eq!(validators("4"), Ok(4));
        for wrong in ["0", "33", "four", "-1"] {
            assert!(validators(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_clean_run_says_so() {
        let report = simulate(Scenario::new(1, 2, 0), 0..2, 1, |_| {});
        let words = in_words(&report);
        assert!(
            words.starts_with("2 seeds, every correct node at height 2"),
            "{words}"
        );
        assert!(words.ends_with("no invariant broken\n"), "{words}");
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!(json["seeds"], 2);
        assert_eq!(json["violations"], serde_json::json!([]));
        assert_eq!(json["trace_hash"].as_str().map(str::len), Some(64));
    }
}
