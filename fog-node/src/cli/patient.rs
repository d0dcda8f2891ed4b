//! `fogward patient`: whom the clinic treats, what they wear, and what was measured of them.

use clap::Subcommand;
use fog_api::{
    ApiError, ChangeDevice, DescribePatient, Device, LinkPerson, LinkedPerson, Patient as Row,
    PatientView, PatientsView, ReadingRow,
};

use super::Outcome;
use super::ask::print_readings;
use super::client::{Api, Question, refuse};
use super::consent::Consent;
use super::output::{print, print_json, time_words};
use super::patient_team::{Team, print_team};
use super::table::{cell, pairs, table, words};

/// Most patients that are looked through for a name.
const MOST: u32 = 1_000;
/// Digits of a patient's id.
const ID_DIGITS: usize = 32;

/// `fogward patient`
#[derive(Debug, clap::Args)]
pub(super) struct Patient {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write down a new patient; who it is stays on this node, sealed.
    Add(Add),
    /// Change what a patient is called; what is not given stays.
    Change(Change),
    /// List patients by name or number.
    List(List),
    /// Show a patient, what she wears and wore, and her handles on the ledger.
    Show(Show),
    /// Say that a patient wears a device from now on.
    Assign(Assign),
    /// Let a patient who is registered here (fogward user add --role patient) see her own record.
    Link(Link),
    /// Let nobody sign in as this patient any more; what was granted to her as herself ends.
    Unlink(One),
    /// Say who treats a patient, also in another hospital, or acts for her by law.
    #[command(subcommand)]
    Team(Team),
    /// Write down what a patient agreed to, list it, and withdraw it.
    #[command(subcommand)]
    Consent(Consent),
    /// List readings that were taken while she wore the devices, taken last first.
    Readings(Readings),
}

impl Patient {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match &self.command {
            Command::Add(add) => add.run(),
            Command::Change(change) => change.run(),
            Command::List(list) => list.run(),
            Command::Show(show) => show.run(),
            Command::Assign(assign) => assign.run(),
            Command::Link(link) => link.run(),
            Command::Unlink(one) => one.link(None),
            Command::Team(team) => team.run(),
            Command::Consent(consent) => consent.run(),
            Command::Readings(readings) => readings.run(),
        }
    }
}

/// Whether this has the form of a patient's id.
pub(super) fn is_id(wanted: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    wanted.len() == ID_DIGITS && wanted.bytes().all(is_digit)
}

/// The patient whose id, number or whole name this is.
///
/// # Errors
/// If there is none or more than one, or the node does not answer.
pub(super) fn find(api: &Api, wanted: &str) -> anyhow::Result<Row> {
    if is_id(wanted) {
        let view: PatientView = api.ask(&Question::named("/api/patients", wanted))?;
        return Ok(view.patient);
    }
    let question = Question::path("/api/patients")
        .with("search", Some(wanted))
        .with("limit", Some(MOST));
    let listed: PatientsView = api.ask(&question)?;
    let is_it = |row: &Row| row.number.as_deref() == Some(wanted) || row.name == wanted;
    let mut found = listed.patients.into_iter().filter(is_it);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (first, _) => Err(refuse(ApiError {
            code: "PAT-04".to_owned(),
            what: "It is not clear which patient is meant.".to_owned(),
            why: match first {
                None => "Nobody has this id, number or name.",
                Some(_) => "Several are called so.",
            }
            .to_owned(),
            next: "Look with fogward patient list, and give the id or the number.".to_owned(),
        })),
    }
}

/// A command about one patient.
#[derive(Debug, clap::Args)]
pub(super) struct One {
    #[command(flatten)]
    pub(super) api: Api,
    /// The patient's id, number or whole name.
    #[arg(value_name = "PATIENT")]
    pub(super) patient: String,
}

impl One {
    /// Says with which account she signs in.
    fn link(&self, login: Option<String>) -> anyhow::Result<Outcome> {
        let found = find(&self.api, &self.patient)?;
        let question = Question::named("/api/patients", &found.id).then("person");
        let view: PatientView = self.api.tell(&question, &LinkPerson { login })?;
        print_view(&view, self.api.json)
    }
}

/// Whose record: a patient's, or one's own.
#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    /// The patient's id, number or whole name.
    #[arg(value_name = "PATIENT", required_unless_present = "own")]
    patient: Option<String>,
    /// Your own, as a patient who has signed in.
    #[arg(long, conflicts_with = "patient")]
    own: bool,
}

impl Whose {
    /// Where what belongs to the record is.
    ///
    /// # Errors
    /// If there is no such patient, or the node does not answer.
    pub(super) fn question(&self, api: &Api) -> anyhow::Result<Question> {
        match &self.patient {
            Some(patient) => Ok(Question::named("/api/patients", &find(api, patient)?.id)),
            None => Ok(Question::path("/api/me")),
        }
    }
}

/// `fogward patient show`
#[derive(Debug, clap::Args)]
struct Show {
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    whose: Whose,
}

impl Show {
    fn run(&self) -> anyhow::Result<Outcome> {
        let view: PatientView = self.api.ask(&self.whose.question(&self.api)?)?;
        print_view(&view, self.api.json)
    }
}

pub(super) fn print_view(view: &PatientView, json: bool) -> anyhow::Result<Outcome> {
    if json {
        print_json(view)?;
        return Ok(Outcome::Yes);
    }
    print_patient(&view.patient)?;
    if let Some(person) = &view.person {
        print(&format!("signs in as {}\n", account_words(person)))?;
    }
    print_team(&view.team)?;
    let worn: Vec<_> = view
        .worn
        .iter()
        .map(|worn| {
            let until = worn.until.map(time_words);
            let (device, name) = (worn.device.clone(), worn.name.clone());
            [device, name, time_words(worn.since), cell(until)]
        })
        .collect();
    let columns = [
        words("device"),
        words("name"),
        words("since"),
        words("until"),
    ];
    print(&format!("\n{}\n", table(columns, &worn)))?;
    let handles: Vec<_> = view
        .handles
        .iter()
        .map(|one| {
            let (purpose, handle) = (one.purpose.clone(), one.handle.clone());
            [purpose, handle, time_words(one.until)]
        })
        .collect();
    let columns = [
        words("purpose"),
        words("handle on the ledger"),
        words("until"),
    ];
    print(&table(columns, &handles))?;
    Ok(Outcome::Yes)
}

/// The account with which she signs in, in a line.
fn account_words(person: &LinkedPerson) -> String {
    let since = time_words(person.since);
    let closed = match person.is_open {
        true => "",
        false => "; it may not sign in as a patient now",
    };
    format!("{} since {since}, by {}{closed}", person.login, person.by)
}

fn print_patient(patient: &Row) -> anyhow::Result<()> {
    print(&pairs(&[
        ("patient", patient.name.clone()),
        ("id", patient.id.clone()),
        ("number", cell(patient.number.as_ref())),
        ("born", cell(patient.born.as_ref())),
        ("known since", time_words(patient.since)),
        (
            "wears",
            cell((!patient.devices.is_empty()).then(|| patient.devices.join(", "))),
        ),
    ]))
}

fn print_row(patient: &Row, json: bool) -> anyhow::Result<Outcome> {
    match json {
        true => print_json(patient)?,
        false => print_patient(patient)?,
    }
    Ok(Outcome::Yes)
}

/// What a patient is called.
#[derive(Debug, clap::Args)]
struct Called {
    /// The clinic's own number of the patient.
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// Day of birth.
    #[arg(long, value_name = "YYYY-MM-DD")]
    born: Option<String>,
}

/// `fogward patient add`
#[derive(Debug, clap::Args)]
struct Add {
    #[command(flatten)]
    api: Api,
    /// What the clinic calls the patient.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    called: Called,
}

impl Add {
    fn run(&self) -> anyhow::Result<Outcome> {
        let asked = DescribePatient {
            name: self.name.clone(),
            number: self.called.number.clone(),
            born: self.called.born.clone(),
        };
        let question = Question::path("/api/patients");
        print_row(&self.api.tell(&question, &asked)?, self.api.json)
    }
}

/// `fogward patient change`
#[derive(Debug, clap::Args)]
struct Change {
    #[command(flatten)]
    one: One,
    /// What the clinic calls the patient.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    called: Called,
}

impl Change {
    fn run(&self) -> anyhow::Result<Outcome> {
        let One { api, patient } = &self.one;
        let found = find(api, patient)?;
        let asked = DescribePatient {
            name: self.name.clone().unwrap_or(found.name),
            number: self.called.number.clone().or(found.number),
            born: self.called.born.clone().or(found.born),
        };
        let question = Question::named("/api/patients", &found.id);
        print_row(&api.tell(&question, &asked)?, api.json)
    }
}

/// `fogward patient list`
#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    api: Api,
    /// Only those of whose name or number this is a part.
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    /// Only those who wear a device now.
    #[arg(long)]
    wearing: bool,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)))]
    limit: u32,
}

impl List {
    fn run(&self) -> anyhow::Result<Outcome> {
        let question = Question::path("/api/patients")
            .with("search", self.search.as_ref())
            .with("wearing", self.wearing.then_some("true"))
            .with("limit", Some(self.limit));
        let listed: PatientsView = self.api.ask(&question)?;
        if self.api.json {
            print_json(&listed)?;
            return Ok(Outcome::Yes);
        }
        let row = |patient: &Row| {
            [
                patient.id.clone(),
                patient.name.clone(),
                cell(patient.number.as_ref()),
                cell(patient.born.as_ref()),
                patient.devices.len().to_string(),
            ]
        };
        let rows: Vec<_> = listed.patients.iter().map(row).collect();
        let columns = [
            words("id"),
            words("name"),
            words("number"),
            words("born"),
            words("devices"),
        ];
        print(&table(columns, &rows))?;
        let left = listed.found.saturating_sub(rows.len() as u64);
        if left > 0 {
            print(&format!("and {left} more; search, or raise --limit\n"))?;
        }
        Ok(Outcome::Yes)
    }
}

/// `fogward patient assign`
#[derive(Debug, clap::Args)]
struct Assign {
    #[command(flatten)]
    one: One,
    /// The device's id, as `fogward device list` shows it.
    #[arg(value_name = "DEVICE")]
    device: String,
}

impl Assign {
    fn run(&self) -> anyhow::Result<Outcome> {
        let One { api, patient } = &self.one;
        let change = ChangeDevice::Assign {
            patient: find(api, patient)?.id,
        };
        let question = Question::named("/api/devices", &self.device).then("changes");
        let device: Device = api.tell(&question, &change)?;
        super::device::print_one(&device, api.json)
    }
}

/// `fogward patient link`
#[derive(Debug, clap::Args)]
struct Link {
    #[command(flatten)]
    one: One,
    /// Her login name.
    #[arg(value_name = "USER")]
    login: String,
}

impl Link {
    fn run(&self) -> anyhow::Result<Outcome> {
        self.one.link(Some(self.login.clone()))
    }
}

/// `fogward patient readings`
#[derive(Debug, clap::Args)]
struct Readings {
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    whose: Whose,
    /// Only this metric, by its LOINC code.
    #[arg(long, value_name = "LOINC")]
    metric: Option<String>,
    /// Taken at this time or later, in Unix milliseconds.
    #[arg(long, value_name = "MILLIS", allow_negative_numbers = true)]
    from: Option<i64>,
    /// Taken before this time, in Unix milliseconds.
    #[arg(long, value_name = "MILLIS", allow_negative_numbers = true)]
    to: Option<i64>,
    /// Only those after this one in the list: the id of the last one of the page before.
    #[arg(long, value_name = "READING")]
    before: Option<String>,
    /// How many at most, 1 to 10000.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

impl Readings {
    fn run(&self) -> anyhow::Result<Outcome> {
        let question = self
            .whose
            .question(&self.api)?
            .then("readings")
            .with("metric", self.metric.as_ref())
            .with("from", self.from)
            .with("to", self.to)
            .with("before", self.before.as_ref())
            .with("limit", Some(self.limit));
        let readings: Vec<ReadingRow> = self.api.ask(&question)?;
        print_readings(&readings, self.api.json)
    }
}
