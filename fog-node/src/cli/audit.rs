//! `fogward audit query|patient|bundle|settle`: who did what about people, policies and requests, and who read of it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use fog_api::{AuditOutcome, AuditPage, AuditRow, PromisedReceipt, SettlePromise};

use super::Outcome;
use super::client::{Api, Question};
use super::output::{print, print_json, time_words};
use super::patient::Whose;
use super::table::{name_of, numbers, table, words};
use crate::audit::check::{BundleVerdict, ProvenEntry};

/// `fogward audit`
#[derive(Debug, clap::Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what concerns your organisation, newest first; that you read it is recorded for good.
    Query(Query),
    /// List what concerns one patient, for those who look after her and for herself (--own); that you read it is
    /// recorded for good.
    Patient(Patient),
    /// Save it as a file that anybody can verify with fogward verify; asks for a fresh code.
    Bundle(Bundle),
    /// Write down why a receipt that another node has promised did not come; nobody is named for it any more.
    Settle(Settle),
}

impl Audit {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Query(query) => query.run(),
            Command::Patient(patient) => patient.run(),
            Command::Bundle(bundle) => bundle.run(),
            Command::Settle(settle) => settle.run(),
        }
    }
}

/// Which entries.
#[derive(Debug, clap::Args)]
struct Filter {
    /// Signed by this person, or concerning her: a handle on the ledger.
    #[arg(long, value_name = "HANDLE")]
    person: Option<String>,
    /// From then on, in Unix milliseconds.
    #[arg(long, value_name = "MILLIS")]
    from: Option<u64>,
    /// Before then, in Unix milliseconds.
    #[arg(long, value_name = "MILLIS")]
    until: Option<u64>,
    /// About requests for this purpose.
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
    /// With this outcome: changed, waiting, granted, denied, refused, ended, over, reviewed, served or read.
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    outcome: Option<AuditOutcome>,
    /// Only where the glass was broken.
    #[arg(long)]
    emergency: bool,
}

fn outcome(text: &str) -> Result<AuditOutcome, String> {
    let mut all = AuditOutcome::ALL.into_iter();
    let found = all.find(|outcome| name_of(outcome) == text);
    found.ok_or_else(|| {
        let words: Vec<_> = AuditOutcome::ALL.iter().map(name_of).collect();
        format!("expected one of {}", words.join(", "))
    })
}

impl Filter {
    fn ask(&self, question: Question) -> Question {
        question
            .with("person", self.person.as_deref())
            .with("from", self.from)
            .with("until", self.until)
            .with("purpose", self.purpose.as_deref())
            .with("outcome", self.outcome.map(name_of))
            .with("emergency", self.emergency.then_some(true))
    }
}

/// Whose data, or which device's.
#[derive(Debug, clap::Args)]
struct About {
    /// About this patient of the node: her id, or the clinic's number of her.
    #[arg(long, value_name = "PATIENT")]
    patient: Option<String>,
    /// About requests that may be about readings of this device, by its id.
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
}

impl About {
    fn ask(&self, question: Question) -> Question {
        question
            .with("patient", self.patient.as_deref())
            .with("device", self.device.as_deref())
    }
}

/// Which page.
#[derive(Debug, clap::Args)]
struct Page {
    /// Entries with smaller numbers: the `next` of the page before.
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// Most entries, 1 to 500.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

impl Page {
    fn ask(&self, question: Question, api: &Api) -> anyhow::Result<Outcome> {
        let question = question
            .with("before", self.before)
            .with("limit", Some(self.limit));
        let page: AuditPage = api.ask(&question)?;
        if api.json {
            print_json(&page)?;
            return Ok(Outcome::Yes);
        }
        let columns = [
            numbers("entry"),
            numbers("height"),
            words("time"),
            words("outcome"),
            words("in words"),
        ];
        let rows: Vec<_> = page.entries.iter().map(cells_of).collect();
        let mut text = table(columns, &rows);
        if let Some(next) = page.next {
            text.push_str(&format!("\nThere is more: --before {next}\n"));
        }
        if page.first_held > 0 {
            let first = page.first_held;
            text.push_str(&format!(
                "\nThis node holds the log from entry {first} on.\n"
            ));
        }
        for receipt in &page.untold {
            text.push_str(&format!("\n{}\n", receipt.words));
        }
        print(&text)?;
        Ok(Outcome::Yes)
    }
}

fn cells_of(row: &AuditRow) -> [String; 5] {
    [
        row.number.to_string(),
        row.height.to_string(),
        time_words(i64::try_from(row.time).unwrap_or(i64::MAX)),
        name_of(row.outcome),
        row.words.clone(),
    ]
}

#[derive(Debug, clap::Args)]
struct Settle {
    #[command(flatten)]
    api: Api,
    /// The receipt's transaction, as `fogward audit query` tells it.
    transaction: String,
    /// What it was, in words for those who audit after you.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Settle {
    fn run(self) -> anyhow::Result<Outcome> {
        let Self {
            api,
            transaction,
            reason,
        } = self;
        let path = Question::named("/api/audit/promises", &transaction).then("settle");
        let settled: PromisedReceipt = api.tell(&path, &SettlePromise { reason })?;
        if api.json {
            return print_json(&settled).map(|()| Outcome::Yes);
        }
        print(&format!("{}\n", settled.words))?;
        Ok(Outcome::Yes)
    }
}

#[derive(Debug, clap::Args)]
struct Query {
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    page: Page,
}

impl Query {
    fn run(&self) -> anyhow::Result<Outcome> {
        let question = self.about.ask(Question::path("/api/audit"));
        self.page.ask(self.filter.ask(question), &self.api)
    }
}

#[derive(Debug, clap::Args)]
struct Patient {
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    page: Page,
}

impl Patient {
    fn run(&self) -> anyhow::Result<Outcome> {
        let question = self.whose.question(&self.api)?.then("audit");
        self.page.ask(self.filter.ask(question), &self.api)
    }
}

#[derive(Debug, clap::Args)]
struct Bundle {
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    filter: Filter,
    /// Where to write it.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

impl Bundle {
    fn run(&self) -> anyhow::Result<Outcome> {
        let question = self.about.ask(Question::path("/api/audit/bundle"));
        let bytes = self.api.fetch(&self.filter.ask(question))?;
        let path = &self.out;
        std::fs::write(path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
        if self.api.json {
            print_json(&serde_json::json!({ "file": path, "bytes": bytes.len() }))?;
        } else {
            print(&format!("{} ({} bytes)\n", path.display(), bytes.len()))?;
        }
        Ok(Outcome::Yes)
    }
}

/// What the verification of a bundle found, for people.
pub(super) fn verdict_words(verdict: &BundleVerdict) -> String {
    if let Some(problem) = &verdict.problem {
        return format!("INVALID: {problem}.\n");
    }
    let columns = [
        numbers("entry"),
        numbers("height"),
        words("time"),
        words("kind"),
        words("in words, not proven"),
    ];
    let rows: Vec<_> = verdict.entries.iter().map(proven_cells).collect();
    let time = |millis: u64| time_words(i64::try_from(millis).unwrap_or(i64::MAX));
    let since = match verdict.since {
        Some(0) => "the log's begin".to_owned(),
        Some(since) => time(since),
        None => format!("entry {}", verdict.first),
    };
    format!(
        "{}\nmade by {} on {}, asked for: {}\n\nVALID: from {since} until {} (block {}) the log has {} entries. \
         Those here stand as they were made final, and {} are left out as their digests.\n",
        table(columns, &rows),
        verdict.node,
        time(verdict.made),
        verdict.asked,
        time(verdict.until),
        verdict.height,
        verdict.count - verdict.first,
        verdict.left_out,
    )
}

fn proven_cells(entry: &ProvenEntry) -> [String; 5] {
    [
        entry.number.to_string(),
        entry.height.to_string(),
        time_words(i64::try_from(entry.time).unwrap_or(i64::MAX)),
        entry.kind.unwrap_or("–").to_owned(),
        entry.unproven.clone().unwrap_or_default(),
    ]
}
