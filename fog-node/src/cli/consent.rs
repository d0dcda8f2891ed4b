//! `fogward patient consent give|list|withdraw`: what a patient agreed to.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use fog_api::{ConsentRow, GiveConsent};

use super::Outcome;
use super::client::{Api, Question};
use super::output::{print, print_json, time_words};
use super::patient::find;
use super::table::{cell, name_of, table, words};

#[derive(Debug, Subcommand)]
pub(super) enum Consent {
    /// Write down what a patient agreed to before a witness.
    Give(Give),
    /// List what a patient agreed to, the last one first.
    List(List),
    /// Withdraw a consent; what rests on it can be read no more.
    Withdraw(Withdraw),
}

impl Consent {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match self {
            Self::Give(give) => give.run(),
            Self::List(list) => list.run(),
            Self::Withdraw(withdraw) => withdraw.run(),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Give {
    #[command(flatten)]
    api: Api,
    /// The patient, by id, number or name.
    patient: String,
    /// File with what she agreed to, in words.
    #[arg(long, value_name = "FILE")]
    words: PathBuf,
    /// File with the same as a policy in Cedar.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// For what; several times for more. Without it, what the policy speaks of, or everything.
    #[arg(long = "purpose", value_name = "PURPOSE")]
    purposes: Vec<String>,
    /// Who was there.
    #[arg(long, value_name = "NAME")]
    witness: String,
    /// For how many days; until it is withdrawn without.
    #[arg(long, value_name = "DAYS")]
    days: Option<u32>,
}

impl Give {
    fn run(&self) -> anyhow::Result<Outcome> {
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path);
            text.with_context(|| format!("cannot read {}", path.display()))
        };
        let asked = GiveConsent {
            words: read(&self.words)?,
            text: read(&self.policy)?,
            purposes: self.purposes.clone(),
            witness: self.witness.clone(),
            days: self.days,
        };
        let question = consents_of(&self.api, &self.patient)?;
        let row: ConsentRow = self.api.tell(&question, &asked)?;
        print_rows(&self.api, &row, std::slice::from_ref(&row))
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    api: Api,
    /// The patient, by id, number or name.
    patient: String,
}

impl List {
    fn run(&self) -> anyhow::Result<Outcome> {
        let rows: Vec<ConsentRow> = self.api.ask(&consents_of(&self.api, &self.patient)?)?;
        print_rows(&self.api, &rows, &rows)
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Withdraw {
    #[command(flatten)]
    api: Api,
    /// The patient, by id, number or name.
    patient: String,
    /// The consent's id, as the list shows it.
    consent: String,
}

impl Withdraw {
    fn run(&self) -> anyhow::Result<Outcome> {
        let question = consents_of(&self.api, &self.patient)?;
        let question = question.then(&self.consent).then("withdraw");
        let row: ConsentRow = self.api.tell(&question, &())?;
        print_rows(&self.api, &row, std::slice::from_ref(&row))
    }
}

fn consents_of(api: &Api, patient: &str) -> anyhow::Result<Question> {
    let found = find(api, patient)?;
    Ok(Question::named("/api/patients", &found.id).then("consents"))
}

fn print_rows(
    api: &Api,
    json: &impl serde::Serialize,
    rows: &[ConsentRow],
) -> anyhow::Result<Outcome> {
    if api.json {
        print_json(json)?;
        return Ok(Outcome::Yes);
    }
    let columns = [
        "consent", "standing", "given", "until", "for", "witness", "in words",
    ];
    let rows = rows.iter().map(|row| {
        [
            row.id.clone(),
            name_of(row.standing),
            time_words(row.since),
            cell(row.withdrawn.or(row.until).map(time_words)),
            row.purposes.join(", "),
            row.witness.clone(),
            row.words.lines().collect::<Vec<_>>().join(" "),
        ]
    });
    print(&table(columns.map(words), &rows.collect::<Vec<_>>()))?;
    Ok(Outcome::Yes)
}
