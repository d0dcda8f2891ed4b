//! `fogward patient team add|end`: who treats a patient, in whichever hospital, or acts for her by law.

use clap::{Subcommand, ValueEnum};
use fog_api::{EndRelation, PatientView, RelatePerson, RelatedPerson};

use super::Outcome;
use super::client::Question;
use super::output::{print, time_words};
use super::patient::{One, find, print_view};
use super::table::{cell, table, words};

#[derive(Debug, Subcommand)]
pub(super) enum Team {
    /// Say that somebody is that to the patient from now on; her requests as that are attested.
    Add(Add),
    /// Say that she is that no more; what she asked for or was granted as that ends.
    End(End),
}

impl Team {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match self {
            Self::Add(add) => add.run(),
            Self::End(end) => end.run(),
        }
    }
}

/// What somebody is to a patient.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// Takes part in her treatment.
    Treating,
    /// Acts for her by law.
    Guardian,
}

impl Role {
    fn word(self) -> String {
        match self {
            Self::Treating => "treating",
            Self::Guardian => "guardian",
        }
        .to_owned()
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    #[command(flatten)]
    one: One,
    /// Handle of somebody who takes part in the consortium (fogward user list at her node), or a login here.
    #[arg(value_name = "PERSON")]
    person: String,
    /// What she is to the patient.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Role::Treating)]
    relation: Role,
    /// What she is called, for those who read the list.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Until when, in Unix milliseconds; until it is ended without.
    #[arg(long, value_name = "MILLIS")]
    until: Option<i64>,
}

impl Add {
    fn run(&self) -> anyhow::Result<Outcome> {
        let One { api, patient } = &self.one;
        let question = Question::named("/api/patients", &find(api, patient)?.id).then("team");
        let asked = RelatePerson {
            person: self.person.clone(),
            relation: self.relation.word(),
            name: self.name.clone(),
            until: self.until,
        };
        let view: PatientView = api.tell(&question, &asked)?;
        print_view(&view, api.json)
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct End {
    #[command(flatten)]
    one: One,
    /// Her handle, as fogward patient show lists it.
    #[arg(value_name = "PERSON")]
    person: String,
    /// What she was to the patient.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Role::Treating)]
    relation: Role,
}

impl End {
    fn run(&self) -> anyhow::Result<Outcome> {
        let One { api, patient } = &self.one;
        let question = Question::named("/api/patients", &find(api, patient)?.id);
        let asked = EndRelation {
            person: self.person.clone(),
            relation: self.relation.word(),
        };
        let view: PatientView = api.tell(&question.then("team").then("end"), &asked)?;
        print_view(&view, api.json)
    }
}

/// Prints a patient's team, if she has one.
pub(super) fn print_team(team: &[RelatedPerson]) -> anyhow::Result<()> {
    if team.is_empty() {
        return Ok(());
    }
    let row = |one: &RelatedPerson| {
        let (name, relation) = (one.name.clone(), one.relation.clone());
        let until = cell(one.until.map(time_words));
        [
            name,
            relation,
            time_words(one.since),
            until,
            one.person.clone(),
        ]
    };
    let rows: Vec<_> = team.iter().map(row).collect();
    let columns = [
        words("team"),
        words("is"),
        words("since"),
        words("until"),
        words("handle on the ledger"),
    ];
    print(&format!("\n{}", table(columns, &rows)))
}
