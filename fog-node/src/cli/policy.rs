//! `fogward policy list|check|put|retract|history|simulate`: who may see which part of the organisation's data; the
//! history is `policy_history`.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use fog_api::{
    PoliciesView, PolicyChecked, PolicyDraft, PolicyRow, PolicySimulation, PutPolicy,
    SimulatePolicies, SimulatedAccess,
};

use super::Outcome;
use super::client::{Api, Question};
use super::output::{print, print_json};
use super::policy_history::{History, retracted};
use super::table::{cell, name_of, numbers, table, words};
use crate::policies::check;

/// `fogward policy`
#[derive(Debug, clap::Args)]
pub(super) struct Policy {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the policies in force, this organisation's first.
    List(List),
    /// Check a policy's text, with no node and no network; exits with 1 if it has faults.
    Check(Check),
    /// Put a policy in force; one of the same name does not hold any more.
    Put(Put),
    /// Put a policy out of force.
    Retract(Retract),
    /// Show what became of a policy: each text, since which block, and what was other before.
    History(History),
    /// Show who could see what, and what a draft would change. Nothing is done.
    Simulate(Simulate),
}

impl Policy {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        match self.command {
            Command::List(list) => list.run(),
            Command::Check(check) => check.run(),
            Command::Put(put) => put.run(),
            Command::Retract(retract) => retract.run(),
            Command::History(history) => history.run(),
            Command::Simulate(simulate) => simulate.run(),
        }
    }
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    api: Api,
    /// List this organisation's policies that are not in force any more, the one that was retracted last first.
    #[arg(long)]
    retracted: bool,
}

impl List {
    fn run(&self) -> anyhow::Result<Outcome> {
        if self.retracted {
            return retracted(&self.api);
        }
        let view: PoliciesView = self.api.ask(&Question::path("/api/policies"))?;
        if self.api.json {
            print_json(&view)?;
            return Ok(Outcome::Yes);
        }
        print_rows(&view.policies)
    }
}

fn print_rows(policies: &[PolicyRow]) -> anyhow::Result<Outcome> {
    let cells = |row: &PolicyRow| {
        [
            row.name.clone(),
            row.organisation.clone(),
            name_of(row.effect),
            row.height.to_string(),
            cell(row.words.as_ref().or(Some(&"as its text says".to_owned()))),
        ]
    };
    let rows: Vec<_> = policies.iter().map(cells).collect();
    let columns = [
        words("name"),
        words("organisation"),
        words("effect"),
        numbers("since"),
        words("in words"),
    ];
    print(&table(columns, &rows))?;
    Ok(Outcome::Yes)
}

#[derive(Debug, clap::Args)]
struct Check {
    /// The text in Cedar: a file, or - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON value.
    #[arg(long)]
    json: bool,
}

impl Check {
    fn run(&self) -> anyhow::Result<Outcome> {
        let text = read(&self.file)?;
        let checked = check(&text);
        if self.json {
            print_json(&checked)?;
        } else {
            print(&words_about(&text, &checked))?;
        }
        match checked.faults.is_empty() {
            true => Ok(Outcome::Yes),
            false => Ok(Outcome::No),
        }
    }
}

/// What a check found; each fault with its line and column, counted from one.
fn words_about(text: &str, checked: &PolicyChecked) -> String {
    if checked.faults.is_empty() {
        let said = checked.words.as_deref();
        return format!("{}\n", said.unwrap_or("It can be put in force."));
    }
    let lines = checked.faults.iter().map(|fault| {
        let (line, column) = fault.line_and_column(text);
        let help = fault
            .help
            .as_ref()
            .map_or_else(String::new, |help| format!(" ({help})"));
        format!("line {line}, column {column}: {}{help}\n", fault.message)
    });
    lines.collect()
}

#[derive(Debug, clap::Args)]
struct Put {
    #[command(flatten)]
    api: Api,
    /// Its name: 1 to 48 of a to z, 0 to 9 and -.
    name: String,
    /// The text in Cedar: a file, or - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Put {
    fn run(self) -> anyhow::Result<Outcome> {
        let (name, text) = (self.name, read(&self.file)?);
        let asked = PutPolicy { name, text };
        let row: PolicyRow = self.api.tell(&Question::path("/api/policies"), &asked)?;
        if self.api.json {
            print_json(&row)?;
            return Ok(Outcome::Yes);
        }
        print_rows(&[row])
    }
}

#[derive(Debug, clap::Args)]
struct Retract {
    #[command(flatten)]
    api: Api,
    /// Its name.
    name: String,
}

impl Retract {
    fn run(&self) -> anyhow::Result<Outcome> {
        self.api
            .delete(&Question::named("/api/policies", &self.name))?;
        match self.api.json {
            true => print_json(&serde_json::json!({ "retracted": self.name }))?,
            false => print("It is not in force any more.\n")?,
        }
        Ok(Outcome::Yes)
    }
}

#[derive(Debug, clap::Args)]
struct Simulate {
    #[command(flatten)]
    api: Api,
    /// A metric, by LOINC code; 1 to 8 of them.
    #[arg(long = "metric", value_name = "LOINC", required = true)]
    metrics: Vec<String>,
    /// What would be put in force: its name, and the file with its text.
    #[arg(long, value_names = ["NAME", "FILE"], num_args = 2, conflicts_with = "without")]
    draft: Option<Vec<String>>,
    /// What would be put out of force.
    #[arg(long, value_name = "NAME")]
    without: Option<String>,
    /// Days before now that the asked period begins.
    #[arg(long, value_name = "DAYS")]
    age_days: Option<u32>,
    /// Hour of the day, in UTC.
    #[arg(long, value_name = "HOUR", value_parser = clap::value_parser!(u8).range(0..24))]
    hour: Option<u8>,
    /// Id of the asker's organisation; this node's without it.
    #[arg(long, value_name = "ID")]
    organisation: Option<String>,
}

impl Simulate {
    fn run(self) -> anyhow::Result<Outcome> {
        let draft = match (self.draft.as_deref(), self.without) {
            (Some([name, file]), _) => Some(PolicyDraft {
                name: name.clone(),
                text: Some(read(&PathBuf::from(file))?),
            }),
            (_, Some(name)) => Some(PolicyDraft { name, text: None }),
            _ => None,
        };
        let asked = SimulatePolicies {
            metrics: self.metrics,
            draft,
            age_days: self.age_days,
            hour: self.hour,
            organisation: self.organisation,
        };
        let found: PolicySimulation = self
            .api
            .tell(&Question::path("/api/policies/simulate"), &asked)?;
        if self.api.json {
            print_json(&found)?;
            return Ok(Outcome::Yes);
        }
        let rows: Vec<_> = found.rows.iter().map(cells_of).collect();
        let columns = [
            words("metric"),
            words("role"),
            words("relation"),
            words("purpose"),
            words("resolution"),
            words("emergency"),
            words("now"),
            words("then"),
        ];
        print(&table(columns, &rows))?;
        print(&format!(
            "{} of {} questions allow something.\n",
            rows.len(),
            found.asked
        ))?;
        Ok(Outcome::Yes)
    }
}

fn cells_of(row: &SimulatedAccess) -> [String; 8] {
    [
        row.metric.clone(),
        row.role.clone(),
        cell(row.relation.as_ref()),
        row.purpose.clone(),
        row.resolution.clone(),
        if row.emergency { "yes" } else { "no" }.to_owned(),
        name_of(row.now.outcome),
        match row.now == row.then {
            true => "the same".to_owned(),
            false => name_of(row.then.outcome),
        },
    ]
}

fn read(file: &PathBuf) -> anyhow::Result<String> {
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()));
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("cannot read standard input")?;
    Ok(text)
}
