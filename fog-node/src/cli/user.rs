//! `fogward user`: the people of a node.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use fast_qr::qr::QRBuilder;
use fog_api::{
    AddPerson, ChangePassphrase, Enrol, Enrolment, GiveRoles, LedgerStanding, Person,
    PersonStanding, Role,
};

use super::Outcome;
use super::client::{Api, Question};
use super::output::{print, print_json, time_words};
use super::passphrase::{Passphrase, first_line, prompted_twice};
use super::table::{cell, numbers, pairs, table, words};

/// `fogward user`
#[derive(Debug, clap::Args)]
pub(super) struct User {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Register a person; the first one must be an admin, and from then on everybody signs in.
    Add(Add),
    /// List who is or was registered.
    List(List),
    /// Give a person these roles and no others.
    Roles(Roles),
    /// Change your own passphrase, and your keys if you say so.
    Rotate(Rotate),
    /// Revoke a person, for good.
    Revoke(One),
    /// Make a new secret for the authenticator app and new recovery codes, for you or another person.
    Totp(Totp),
}

impl User {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match &self.command {
            Command::Add(add) => add.run(),
            Command::List(list) => list.run(),
            Command::Roles(roles) => roles.run(),
            Command::Rotate(rotate) => rotate.run(),
            Command::Revoke(one) => one.revoke(),
            Command::Totp(totp) => totp.run(),
        }
    }
}

/// `fogward user add`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "From the first person on everybody signs in, at the console and with fogward login."
)]
struct Add {
    #[command(flatten)]
    one: One,
    /// The name that is shown; the login name without it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A role: admin, physician, nurse, technician, researcher, auditor or patient; may be given more than once.
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<Role>,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl Add {
    fn run(&self) -> anyhow::Result<Outcome> {
        let One { api, person } = &self.one;
        let question = format!("Passphrase of {person}, 12 characters at least");
        let asked = AddPerson {
            login: person.clone(),
            name: self.name.clone().unwrap_or_else(|| person.clone()),
            roles: self.roles.iter().copied().collect(),
            passphrase: self.passphrase.ask_new(&question)?.to_string(),
        };
        show_enrolment(&api.tell(&Question::path("/api/people"), &asked)?, api.json)
    }
}

/// Shows once what a person needs to sign in.
fn show_enrolment(enrolment: &Enrolment, json: bool) -> anyhow::Result<Outcome> {
    if json {
        print_json(enrolment)?;
        return Ok(Outcome::Yes);
    }
    let code = QRBuilder::new(enrolment.otpauth.as_str()).build();
    // An address too long for a code can still be typed.
    let code = code.map(|code| code.to_str()).unwrap_or_default();
    let codes = enrolment.recovery_codes.join("\n  ");
    let Person { name, login, .. } = &enrolment.person;
    print(&format!(
        "{code}\n{}\n\nScan this with an authenticator app. Keep these recovery codes; each is good once in \
         place of the app’s code:\n\n  {codes}\n\nNeither is shown again. {name} signs in with: fogward login \
         {login}\n",
        enrolment.otpauth
    ))?;
    Ok(Outcome::Yes)
}

/// `fogward user list`
#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    api: Api,
}

impl List {
    fn run(&self) -> anyhow::Result<Outcome> {
        let people: Vec<Person> = self.api.ask(&Question::path("/api/people"))?;
        if self.api.json {
            print_json(&people)?;
            return Ok(Outcome::Yes);
        }
        let rows: Vec<_> = people.iter().map(cells).collect();
        print(&table(
            [
                words("user"),
                words("name"),
                words("roles"),
                words("standing"),
                numbers("recovery codes"),
                words("closed until"),
                words("key"),
                words("on the ledger"),
            ],
            &rows,
        ))?;
        Ok(Outcome::Yes)
    }
}

fn cells(person: &Person) -> [String; 8] {
    [
        person.login.clone(),
        person.name.clone(),
        role_words(person),
        standing_words(person).to_owned(),
        person.recovery_codes.to_string(),
        cell(person.closed_until.map(time_words)),
        person.signing_key.chars().take(8).collect(),
        ledger_words(person),
    ]
}

fn role_words(person: &Person) -> String {
    let names: Vec<_> = person.roles.iter().map(|role| role.name()).collect();
    names.join(", ")
}

const fn standing_words(person: &Person) -> &'static str {
    match person.standing {
        PersonStanding::Active => "active",
        PersonStanding::Revoked => "revoked",
    }
}

fn ledger_words(person: &Person) -> String {
    let ledger = &person.ledger;
    match (ledger.standing, &ledger.why_not) {
        (LedgerStanding::OnLedger, _) => "yes".to_owned(),
        (LedgerStanding::Revoked, _) => "revoked".to_owned(),
        (LedgerStanding::Never, _) => "never was".to_owned(),
        (LedgerStanding::Waiting, None) => "on its way".to_owned(),
        (LedgerStanding::Waiting, Some(why)) => format!("waits: {why}"),
    }
}

fn print_person(person: &Person, json: bool) -> anyhow::Result<Outcome> {
    if json {
        print_json(person)?;
        return Ok(Outcome::Yes);
    }
    print(&pairs(&[
        ("user", format!("{} ({})", person.login, person.name)),
        ("roles", role_words(person)),
        ("standing", standing_words(person).to_owned()),
        ("signing key", person.signing_key.clone()),
        ("exchange key", person.exchange_key.clone()),
        ("on the ledger", ledger_words(person)),
        ("handle there", cell(person.ledger.handle.as_ref())),
    ]))?;
    Ok(Outcome::Yes)
}

/// A command about one person.
#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    api: Api,
    /// The login name: lowercase letters, digits, dots, hyphens and underscores.
    #[arg(value_name = "USER")]
    person: String,
}

impl One {
    fn revoke(&self) -> anyhow::Result<Outcome> {
        let question = question_of(&self.api, &self.person)?.then("revoke");
        print_person(&self.api.tell(&question, &())?, self.api.json)
    }
}

/// What is at a person's address.
fn question_of(api: &Api, login: &str) -> anyhow::Result<Question> {
    let people: Vec<Person> = api.ask(&Question::path("/api/people"))?;
    let person = people.iter().find(|person| person.login == login);
    let person = person.with_context(|| format!("nobody is registered as {login}"))?;
    Ok(Question::named("/api/people", &person.id))
}

/// `fogward user roles`
#[derive(Debug, clap::Args)]
struct Roles {
    #[command(flatten)]
    one: One,
    /// The roles.
    #[arg(value_name = "ROLE", required = true)]
    roles: Vec<Role>,
}

impl Roles {
    fn run(&self) -> anyhow::Result<Outcome> {
        let One { api, person } = &self.one;
        let roles = self.roles.iter().copied().collect();
        let question = question_of(api, person)?.then("roles");
        print_person(&api.tell(&question, &GiveRoles { roles })?, api.json)
    }
}

/// `fogward user rotate`
#[derive(Debug, clap::Args)]
struct Rotate {
    #[command(flatten)]
    api: Api,
    /// Also make new keys; what was meant for the old ones cannot be opened with them.
    #[arg(long)]
    keys: bool,
    #[command(flatten)]
    passphrase: Passphrase,
    /// File whose first line is the new passphrase; it is asked for without one.
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

impl Rotate {
    fn run(&self) -> anyhow::Result<Outcome> {
        let passphrase = self.passphrase.ask("Passphrase")?;
        let new = match &self.new_passphrase_file {
            Some(path) => first_line(path)?,
            None => prompted_twice("New passphrase, 12 characters at least")?,
        };
        let asked = ChangePassphrase {
            passphrase: passphrase.to_string(),
            new_passphrase: new.to_string(),
            new_keys: self.keys,
        };
        let question = Question::path("/api/session/passphrase");
        print_person(&self.api.tell(&question, &asked)?, self.api.json)
    }
}

/// `fogward user totp`
#[derive(Debug, clap::Args)]
struct Totp {
    #[command(flatten)]
    api: Api,
    /// The login name; your own without it.
    #[arg(value_name = "USER")]
    person: Option<String>,
    /// File whose first line is a new passphrase, for somebody who has forgotten it; gets new keys, too.
    #[arg(long, value_name = "FILE", requires = "person")]
    new_passphrase_file: Option<PathBuf>,
}

impl Totp {
    fn run(&self) -> anyhow::Result<Outcome> {
        let enrolment = match &self.person {
            Some(person) => {
                let file = self.new_passphrase_file.as_deref();
                let passphrase = file.map(first_line).transpose()?;
                let passphrase = passphrase.map(|passphrase| passphrase.to_string());
                let question = question_of(&self.api, person)?.then("enrolment");
                self.api.tell(&question, &Enrol { passphrase })?
            }
            None => {
                let question = Question::path("/api/session/enrolment");
                self.api.tell(&question, &())?
            }
        };
        show_enrolment(&enrolment, self.api.json)
    }
}
