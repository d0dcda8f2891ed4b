//! `fogward access request|list|show|read|approve|deny|grant|revoke|break-glass|review`: a part of somebody's data, asked
//! for and decided about; reading is `access_read`.

use std::path::PathBuf;

use clap::Subcommand;
use fog_api::{
    AccessRow, AccessState, AskAccess, BreakGlass, DecideAccess, GrantAccess, ReviewAccess,
};

use super::Outcome;
use super::access_read::Read;
use super::client::{Api, Question};
use super::output::{print, print_json, time_words};
use super::passphrase::first_line;
use super::table::{cell, name_of, numbers, pairs, table, words};
use crate::clock::unix_millis;

const DAY_MILLIS: u64 = 24 * 3_600_000;
/// For how long one asks, in seconds.
const AN_HOUR: u64 = 3_600;

/// `fogward access`
#[derive(Debug, clap::Args)]
pub(super) struct Access {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask for a part of a subject's data; exits with 1 if it is denied.
    Request(Request),
    /// List your requests and those that you have a say in; what waits for you first.
    List(List),
    /// Show one request, and the decision in words.
    Show(One),
    /// Read what was granted to you; the ledger is told of it.
    Read(Box<Read>),
    /// Grant what waits for a person's decision.
    Approve(One),
    /// Give somebody a part of your organisation's data, without a request.
    Grant(Grant),
    /// Refuse what waits for a person's decision.
    Deny(One),
    /// End a request for your organisation's data, or give back what you were granted.
    Revoke(One),
    /// Ask in an emergency: with a reason and a fresh code; somebody reviews it. Exits with 1 if it is denied.
    BreakGlass(Break),
    /// Say whether there was reason to break the glass.
    Review(Review),
}

impl Access {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Request(request) => request.run(),
            Command::List(list) => list.run(),
            Command::Show(one) => one.show(),
            Command::Read(read) => read.run(),
            Command::Approve(one) => one.decide(true),
            Command::Deny(one) => one.decide(false),
            Command::Grant(grant) => grant.run(),
            Command::Revoke(one) => one.tell("end", &()),
            Command::BreakGlass(broken) => broken.run(),
            Command::Review(review) => review.run(),
        }
    }
}

#[derive(Debug, clap::Args)]
struct Request {
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    part: Part,
}

/// What is asked for or given.
#[derive(Debug, clap::Args)]
struct What {
    /// Whose data: a handle, 64 hexadecimal digits, or the id or number of a patient of this node.
    subject: String,
    /// A metric, by LOINC code; 1 to 16 of them.
    #[arg(long = "metric", value_name = "LOINC", required = true)]
    metrics: Vec<String>,
    /// Of so many days before now, unless a period is given.
    #[arg(
        long,
        value_name = "DAYS",
        default_value_t = 1,
        conflicts_with_all = ["from", "next"]
    )]
    days: u32,
    /// Of so many seconds from now on, to follow as it comes.
    #[arg(long, value_name = "SECONDS", conflicts_with = "from")]
    next: Option<u64>,
    /// The period's begin in Unix milliseconds.
    #[arg(long, value_name = "MILLIS", requires = "until")]
    from: Option<u64>,
    /// The period's end in Unix milliseconds, itself not in it.
    #[arg(long, value_name = "MILLIS", requires = "from")]
    until: Option<u64>,
    /// How finely: raw or aggregate.
    #[arg(long, value_name = "RESOLUTION", default_value = "raw")]
    resolution: String,
    /// What for: treatment, patient_request, research, quality or payment.
    #[arg(long, value_name = "PURPOSE", default_value = "treatment")]
    purpose: String,
    /// For how long, in seconds; an hour without it, or as long as --next.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
}

impl What {
    /// The period's begin and end, in Unix milliseconds.
    fn period(&self) -> (u64, u64) {
        let now = unix_millis();
        let days = u64::from(self.days).saturating_mul(DAY_MILLIS);
        let (from, until) = match self.next {
            None => (now.saturating_sub(days), now),
            Some(seconds) => (now, now.saturating_add(seconds.saturating_mul(1_000))),
        };
        (self.from.unwrap_or(from), self.until.unwrap_or(until))
    }

    /// For how long, in seconds.
    fn lasts(&self) -> u64 {
        self.seconds
            .unwrap_or_else(|| self.next.unwrap_or(0).max(AN_HOUR))
    }
}

/// What is asked for.
#[derive(Debug, clap::Args)]
struct Part {
    #[command(flatten)]
    what: What,
    /// What you are to the subject: treating, self or guardian.
    #[arg(long = "relation", value_name = "RELATION")]
    relations: Vec<String>,
    /// Id of the organisation that holds the data; this node's without it.
    #[arg(long, value_name = "ID")]
    holder: Option<String>,
}

impl Part {
    fn asked(self) -> AskAccess {
        let (from, until) = self.what.period();
        let lasts = self.what.lasts();
        AskAccess {
            subject: self.what.subject,
            holder: self.holder,
            metrics: self.what.metrics,
            from,
            until,
            resolution: self.what.resolution,
            purpose: self.what.purpose,
            seconds: lasts,
            relations: self.relations,
        }
    }
}

impl Request {
    fn run(self) -> anyhow::Result<Outcome> {
        let asked = self.part.asked();
        let row: AccessRow = self.api.tell(&Question::path("/api/access"), &asked)?;
        let outcome = outcome_of(&row);
        print_row(&row, &self.api).map(|()| outcome)
    }
}

#[derive(Debug, clap::Args)]
struct Grant {
    #[command(flatten)]
    api: Api,
    /// To whom: a handle on the ledger, or the login of somebody of this node.
    #[arg(value_name = "PERSON")]
    person: String,
    #[command(flatten)]
    what: What,
}

impl Grant {
    fn run(self) -> anyhow::Result<Outcome> {
        let (from, until) = self.what.period();
        let lasts = self.what.lasts();
        let given = GrantAccess {
            person: self.person,
            subject: self.what.subject,
            metrics: self.what.metrics,
            from,
            until,
            resolution: self.what.resolution,
            purpose: self.what.purpose,
            seconds: lasts,
        };
        let row: AccessRow = self
            .api
            .tell(&Question::path("/api/access/grant"), &given)?;
        print_row(&row, &self.api).map(|()| Outcome::Yes)
    }
}

#[derive(Debug, clap::Args)]
struct Break {
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    part: Part,
    /// Why, in 1 to 500 characters. It stays in the node's vault; other users of this machine may see it while this
    /// runs.
    #[arg(
        long,
        value_name = "TEXT",
        required_unless_present = "reason_file",
        conflicts_with = "reason_file"
    )]
    reason: Option<String>,
    /// File whose first line says why.
    #[arg(long, value_name = "FILE")]
    reason_file: Option<PathBuf>,
}

impl Break {
    fn run(self) -> anyhow::Result<Outcome> {
        let reason = match (&self.reason_file, self.reason) {
            (Some(path), _) => first_line(path)?.to_string(),
            (None, reason) => reason.unwrap_or_default(),
        };
        let asked = BreakGlass {
            asked: self.part.asked(),
            reason,
        };
        let question = Question::path("/api/access/break-glass");
        let row: AccessRow = self.api.tell(&question, &asked)?;
        let outcome = outcome_of(&row);
        print_row(&row, &self.api).map(|()| outcome)
    }
}

/// Whether anything came of a request, or may still.
const fn outcome_of(row: &AccessRow) -> Outcome {
    match row.state {
        AccessState::Denied => Outcome::No,
        _ => Outcome::Yes,
    }
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    api: Api,
    /// Only broken glasses that nobody has reviewed yet.
    #[arg(long)]
    broken_glass: bool,
}

impl List {
    fn run(&self) -> anyhow::Result<Outcome> {
        let mut rows: Vec<AccessRow> = self.api.ask(&Question::path("/api/access"))?;
        if self.broken_glass {
            rows.retain(waits_for_review);
        }
        if self.api.json {
            print_json(&rows)?;
            return Ok(Outcome::Yes);
        }
        let columns = [
            words("request"),
            words("state"),
            words("for you to"),
            numbers("seconds left"),
            words("in words"),
        ];
        let cells: Vec<_> = rows.iter().map(cells_of).collect();
        print(&table(columns, &cells))?;
        let promised = rows.iter().flat_map(|row| &row.promised);
        for receipt in promised.filter(|receipt| receipt.standing.is_missing()) {
            print(&format!("\n{}\n", receipt.words))?;
        }
        Ok(Outcome::Yes)
    }
}

fn cells_of(row: &AccessRow) -> [String; 5] {
    [
        row.handle.clone(),
        name_of(row.state),
        to_do(row).to_owned(),
        cell(row.remaining_seconds),
        row.words.clone(),
    ]
}

/// Whether the glass was broken and nobody has said whether there was reason.
const fn waits_for_review(row: &AccessRow) -> bool {
    let was_broken = row.is_emergency && !matches!(row.state, AccessState::Denied);
    was_broken && row.review.is_none()
}

/// What the caller may do about a request, the most pressing first.
const fn to_do(row: &AccessRow) -> &'static str {
    match row {
        row if row.may_decide => "approve or deny",
        row if row.may_review => "review",
        row if row.may_end && row.is_own => "give back",
        row if row.may_end => "revoke",
        _ => "–",
    }
}

/// A command about one request.
#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    api: Api,
    /// The request's handle, as `fogward access list` shows it.
    #[arg(value_name = "REQUEST")]
    request: String,
}

impl One {
    fn show(&self) -> anyhow::Result<Outcome> {
        let question = Question::named("/api/access", &self.request);
        print_row(&self.api.ask(&question)?, &self.api).map(|()| Outcome::Yes)
    }

    fn decide(&self, allow: bool) -> anyhow::Result<Outcome> {
        self.tell("decision", &DecideAccess { allow })
    }

    fn tell(&self, what: &str, body: &impl serde::Serialize) -> anyhow::Result<Outcome> {
        let question = Question::named("/api/access", &self.request).then(what);
        print_row(&self.api.tell(&question, body)?, &self.api).map(|()| Outcome::Yes)
    }
}

#[derive(Debug, clap::Args)]
struct Review {
    #[command(flatten)]
    one: One,
    /// There was reason.
    #[arg(
        long,
        required_unless_present = "unjustified",
        conflicts_with = "unjustified"
    )]
    justified: bool,
    /// There was none.
    #[arg(long)]
    unjustified: bool,
}

impl Review {
    fn run(&self) -> anyhow::Result<Outcome> {
        let is_justified = self.justified;
        self.one.tell("review", &ReviewAccess { is_justified })
    }
}

fn print_row(row: &AccessRow, api: &Api) -> anyhow::Result<()> {
    if api.json {
        return print_json(row);
    }
    let time = |millis: u64| time_words(i64::try_from(millis).unwrap_or(i64::MAX));
    let mut rows = vec![
        ("request", row.handle.clone()),
        ("state", name_of(row.state)),
        ("in words", row.words.clone()),
        ("subject", row.subject.clone()),
        ("held by", row.holder.clone()),
        (
            "period",
            format!("{} to {}", time(row.from), time(row.until)),
        ),
        ("how", format!("{}, for {}", row.resolution, row.purpose)),
        ("may be read now", cell(joined(&row.readable))),
        ("ends", time(row.ends)),
        ("for you to", to_do(row).to_owned()),
    ];
    rows.extend(row.reason.clone().map(|reason| ("reason", reason)));
    let promised = row.promised.iter().map(|receipt| {
        let name = match receipt.standing.is_missing() {
            true => "never told",
            false => "to be told",
        };
        (name, receipt.words.clone())
    });
    rows.extend(promised);
    print(&pairs(&rows))
}

fn joined(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(", "))
}
