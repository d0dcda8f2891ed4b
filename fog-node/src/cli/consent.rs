//! `fogward patient consent give|list|withdraw`: what a patient agreed to.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use fog_api::{ConsentRow, GiveConsent, GiveOwnConsent};

use super::Outcome;
use super::client::Api;
use super::output::{print, print_json, time_words};
use super::patient::Whose;
use super::table::{cell, name_of, table, words};

#[derive(Debug, Subcommand)]
pub(super) enum Consent {
    /// Write down what a patient agreed to before a witness, or sign what you agree to yourself (--own).
    Give(Give),
    /// List what a patient agreed to, the last one first.
    List(List),
    /// Withdraw a consent; what rests on it can be read no more.
    #[command(allow_missing_positional = true)]
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
    #[command(flatten)]
    whose: Whose,
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
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "own",
        conflicts_with = "own"
    )]
    witness: Option<String>,
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
        let (words, text) = (read(&self.words)?, read(&self.policy)?);
        let (purposes, days) = (self.purposes.clone(), self.days);
        let question = self.whose.question(&self.api)?.then("consents");
        let row: ConsentRow = match self.witness.clone() {
            Some(witness) => {
                let asked = GiveConsent {
                    words,
                    text,
                    purposes,
                    witness,
                    days,
                };
                self.api.tell(&question, &asked)?
            }
            None => {
                let asked = GiveOwnConsent {
                    words,
                    text,
                    purposes,
                    days,
                };
                self.api.tell(&question, &asked)?
            }
        };
        print_rows(&self.api, &row, std::slice::from_ref(&row))
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    whose: Whose,
}

impl List {
    fn run(&self) -> anyhow::Result<Outcome> {
        let question = self.whose.question(&self.api)?.then("consents");
        let rows: Vec<ConsentRow> = self.api.ask(&question)?;
        print_rows(&self.api, &rows, &rows)
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Withdraw {
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    whose: Whose,
    /// The consent's id, as the list shows it.
    #[arg(value_name = "CONSENT")]
    consent: String,
}

impl Withdraw {
    fn run(&self) -> anyhow::Result<Outcome> {
        let question = self.whose.question(&self.api)?.then("consents");
        let question = question.then(&self.consent).then("withdraw");
        let row: ConsentRow = self.api.tell(&question, &())?;
        print_rows(&self.api, &row, std::slice::from_ref(&row))
    }
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
        "consent", "standing", "given", "until", "for", "said by", "in words",
    ];
    let rows = rows.iter().map(|row| {
        [
            row.id.clone(),
            name_of(row.standing),
            time_words(row.since),
            cell(row.withdrawn.or(row.until).map(time_words)),
            row.purposes.join(", "),
            said_by(row),
            row.words.lines().collect::<Vec<_>>().join(" "),
        ]
    });
    print(&table(columns.map(words), &rows.collect::<Vec<_>>()))?;
    Ok(Outcome::Yes)
}

/// Whose word it is: a witness's, or the patient's own key.
fn said_by(row: &ConsentRow) -> String {
    match &row.signature {
        None => format!("witness {}", row.witness),
        Some(signature) if signature.is_valid => "her own key".to_owned(),
        Some(_) => "NOT VALID: her key has not signed this".to_owned(),
    }
}
