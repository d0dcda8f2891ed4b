//! `fogward device selftest` and `fogward device identify`, and `fogward verify --commissioning`: what a test
//! found, in words, and whether a record of it holds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use fog_api::{
    CommissioningFigure, CommissioningRecord, FigureVerdict, Identified, Identify, SelfTest,
    SelfTestStage, StartSelfTest, TestOutcome,
};
use ledger_core::PublicKey;

use super::Outcome;
use super::check::{genesis_of, read_at_most};
use super::client::{Api, Question, refuse};
use super::device_bluetooth::tell;
use super::output::{print, print_json, time_words};
use super::table::{cell, numbers, pairs, table, words};
use crate::commissioning::{MAX_FILE_BYTES, SignedCommissioning, view_of};

/// How often it is asked how far it is.
const LOOK: Duration = Duration::from_millis(250);

/// `fogward device selftest`
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["device", "adapter"]))]
pub(super) struct Selftest {
    #[command(flatten)]
    api: Api,
    /// The paired device to test, by its id.
    #[arg(value_name = "DEVICE")]
    device: Option<String>,
    /// Test the Bluetooth adapter: this one, or the node's own choice.
    #[arg(long, value_name = "NAME", num_args = 0..=1)]
    adapter: Option<Option<String>>,
    /// Try the adapter with the device at this Bluetooth address, too; can be given five times.
    #[arg(long, value_name = "ADDRESS", requires = "adapter")]
    with: Vec<String>,
    /// How long to listen, in seconds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(5..=120))]
    seconds: Option<u16>,
    /// Save the signed record as a file that others can verify.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

impl Selftest {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let asked = StartSelfTest {
            device: self.device.clone(),
            adapter: self.adapter.clone().flatten(),
            with: self.with.clone(),
            seconds: self.seconds,
        };
        let all = "/api/selftests";
        let mut test: SelfTest = self.api.tell(&Question::path(all), &asked)?;
        let mut told = 0;
        let record = loop {
            match test.stage {
                SelfTestStage::Done { record } => break record,
                SelfTestStage::Failed { error } => return Err(refuse(error)),
                SelfTestStage::Cancelled => bail!("somebody cancelled the self-test"),
                SelfTestStage::Running { percent } if percent >= told + 10 => {
                    told = percent;
                    tell(&format!("{percent} %"));
                }
                SelfTestStage::Running { .. } => {}
            }
            std::thread::sleep(LOOK);
            test = self.api.ask(&Question::named(all, &test.id))?;
        };
        if let Some(path) = &self.export {
            let text = serde_json::to_string_pretty(&record.file)? + "\n";
            std::fs::write(path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        if self.api.json {
            print_json(&record)?;
        } else {
            print(&in_words(&record))?;
        }
        Ok(match record.outcome {
            TestOutcome::Passed => Outcome::Yes,
            TestOutcome::Failed => Outcome::No,
            TestOutcome::Incomplete => Outcome::CannotTell,
        })
    }
}

/// `fogward device identify`
#[derive(Debug, clap::Args)]
pub(super) struct IdentifyOne {
    #[command(flatten)]
    api: Api,
    /// A paired device's id, or the Bluetooth address of one nearby.
    #[arg(value_name = "DEVICE|ADDRESS")]
    at: String,
}

impl IdentifyOne {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let at = self.at.clone();
        let shown: Identified = self
            .api
            .tell(&Question::path("/api/identify"), &Identify { at })?;
        if self.api.json {
            print_json(&shown)?;
        } else {
            print(&format!("It blinked or beeped for {} s.\n", shown.seconds))?;
        }
        Ok(Outcome::Yes)
    }
}

/// Verifies a record's file, of the node and the chain where these are given.
pub(super) fn verify(
    file: &Path,
    genesis: Option<&Path>,
    node: Option<&PublicKey>,
    json: bool,
) -> anyhow::Result<Outcome> {
    let bytes = read_at_most(file, MAX_FILE_BYTES)?;
    let chain = genesis.map(genesis_of).transpose()?;
    let chain = chain.map(|genesis| genesis.chain_id());
    let opened = SignedCommissioning::from_file(&bytes)
        .and_then(|signed| signed.verify().map(|record| (record, signed)));
    let (record, why) = match opened {
        Err(error) => (None, Some(error.to_string())),
        Ok((record, _)) if node.is_some_and(|node| *node != record.node) => {
            (None, Some("another node signed it".to_owned()))
        }
        Ok((record, _)) if chain.is_some_and(|chain| chain != record.chain) => {
            (None, Some("its node was on another chain".to_owned()))
        }
        Ok((record, signed)) => (Some(view_of(&record, &signed)), None),
    };
    if json {
        let valid = record.is_some();
        print_json(&serde_json::json!({ "valid": valid, "record": record, "error": why }))?;
    } else if let Some(record) = &record {
        let words = in_words(record);
        print(&format!(
            "{words}\nVALID: the node of this key found this. Compare the key with the one you know.\n"
        ))?;
    } else {
        let why = why.unwrap_or_default();
        print(&format!("INVALID: {why}.\n"))?;
    }
    Ok(if record.is_some() {
        Outcome::Yes
    } else {
        Outcome::No
    })
}

fn in_words(record: &CommissioningRecord) -> String {
    let time = |millis: u64| time_words(i64::try_from(millis).unwrap_or(i64::MAX));
    let head = pairs(&[
        ("tested", record.kind.clone()),
        ("subject", record.subject.clone()),
        ("outcome", super::table::name_of(record.outcome)),
        ("from", time(record.begun)),
        ("to", time(record.ended)),
        ("not read for", format!("{} ms", record.aside_ms)),
        ("program", record.program.clone()),
        ("node", record.node.clone()),
        ("chain", record.chain_id.clone()),
    ]);
    let rows: Vec<_> = record.figures.iter().map(cells).collect();
    let columns = [
        words("figure"),
        numbers("found"),
        words("bar"),
        words("unit"),
        words("verdict"),
        words("reason"),
    ];
    format!("{head}\n{}", table(columns, &rows))
}

fn cells(figure: &CommissioningFigure) -> [String; 6] {
    let bar = match (figure.at_least, figure.at_most) {
        (Some(limit), _) => format!("at least {limit}"),
        (_, limit) => format!("at most {}", cell(limit)),
    };
    let found = match (figure.value, figure.not_within) {
        (Some(value), _) => value.to_string(),
        (None, Some(waited)) => format!("> {waited}"),
        (None, None) => cell(None::<u64>),
    };
    let verdict = match figure.verdict {
        FigureVerdict::Reached => "reached",
        FigureVerdict::Missed => "missed",
        FigureVerdict::NotMeasured => "not measured",
    };
    let reason = figure.reason.as_ref();
    let reason = reason.map(|why| format!("{} {} ({})", why.why, why.next, why.code));
    [
        figure.check.clone(),
        found,
        bar,
        figure.unit.clone(),
        verdict.to_owned(),
        cell(reason),
    ]
}
