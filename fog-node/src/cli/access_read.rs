//! `fogward access read`: what was granted, shown, with its receipt's transaction; or its proofs, to keep. Following it
//! is `access_follow`.

use std::path::{Path, PathBuf};

use fog_api::{ApiError, DisclosedReading, Disclosure, DisclosureReceipt, FollowQuery, ReadAccess};

use super::Outcome;
use super::access_follow::follow;
use super::client::{Api, Question};
use super::output::{print, print_json, time_words};
use super::table::{cell, name_of, pairs, table, words};

/// Most proofs that are fetched at once.
const MAX_PROOFS: usize = 100;

/// `fogward access read`
#[derive(Debug, clap::Args)]
pub(super) struct Read {
    #[command(flatten)]
    api: Api,
    /// The request's handle, as `fogward access list` shows it.
    #[arg(value_name = "REQUEST")]
    request: String,
    /// Only this metric, by LOINC code; several times for more. All that may be read without it.
    #[arg(long = "metric", value_name = "LOINC")]
    metrics: Vec<String>,
    /// Only from this moment on, in Unix milliseconds.
    #[arg(long, value_name = "MILLIS")]
    from: Option<i64>,
    /// Only until before this one.
    #[arg(long, value_name = "MILLIS")]
    until: Option<i64>,
    /// A name for this read, 64 hexadecimal digits: who lost the answer reads again by it, under the same receipt.
    #[arg(long = "read", value_name = "NAME")]
    name: Option<String>,
    /// Write the proof files of the readings shown into this folder; at most 100.
    #[arg(long, value_name = "FOLDER")]
    proofs: Option<PathBuf>,
    /// Print it as it comes, from now or --from on, until it ends: 0 is the period's end, 1 a revocation, the grant's
    /// time or a lock, 2 a node that is gone. With --json one value a line.
    #[arg(long, conflicts_with_all = ["until", "name", "proofs"])]
    follow: bool,
}

impl Read {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        if self.follow {
            let asked = FollowQuery {
                metrics: (!self.metrics.is_empty()).then(|| self.metrics.join(",")),
                from: self.from,
            };
            return follow(&self.api, &self.request, asked);
        }
        let asked = ReadAccess {
            read: self.name,
            metrics: self.metrics,
            from: self.from,
            until: self.until,
        };
        let api = &self.api;
        let question = Question::named("/api/access", &self.request).then("read");
        let shown: Disclosure = api.tell(&question, &asked)?;
        if let Some(folder) = &self.proofs {
            save_proofs(api, &shown, folder)?;
        }
        match api.json {
            true => print_json(&shown)?,
            false => print_shown(&shown)?,
        }
        Ok(Outcome::Yes)
    }
}

/// Fetches the proofs of what was shown.
fn save_proofs(api: &Api, shown: &Disclosure, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let names = shown.streams.iter().flat_map(|stream| {
        let name = |reading: &DisclosedReading| format!("{}.{}", stream.stream, reading.sequence);
        stream.readings.iter().map(name)
    });
    for name in names.take(MAX_PROOFS) {
        let proof = Question::named("/api/access", &shown.access)
            .then("reads")
            .then(&shown.read)
            .then("proofs")
            .then(&name);
        std::fs::write(folder.join(format!("{name}.fwproof")), api.fetch(&proof)?)?;
    }
    Ok(())
}

/// A reading's value; none where nothing was measured.
pub(super) fn value_words(reading: &DisclosedReading) -> Option<String> {
    match &reading.samples {
        Some(wave) => Some(format!("{} samples", wave.samples.len())),
        None => reading.value.map(|value| value.to_string()),
    }
}

fn receipts(shown: &Disclosure) -> Option<String> {
    let receipt = |receipt: &DisclosureReceipt| match receipt.proven {
        None => receipt.transaction.clone(),
        Some(proven) => format!(
            "{} ({proven} of {} readings proven here)",
            receipt.transaction, receipt.readings
        ),
    };
    let all: Vec<_> = shown.receipts.iter().map(receipt).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn print_shown(shown: &Disclosure) -> anyhow::Result<()> {
    let period = (time_words(shown.from), time_words(shown.until));
    print(&pairs(&[
        ("read", shown.read.clone()),
        ("receipts", cell(receipts(shown))),
        ("period", format!("{} to {}", period.0, period.1)),
    ]))?;
    for missing in &shown.not_read {
        let ApiError { why, next, .. } = &missing.why;
        print(&format!("Nothing from {}: {why} {next}\n", missing.node))?;
    }
    let simulated = |is: bool| if is { "simulated" } else { "" }.to_owned();
    let readings = shown.streams.iter().flat_map(|stream| {
        let row = |reading: &DisclosedReading| {
            [
                time_words(reading.taken),
                stream.label.clone(),
                cell(value_words(reading)),
                stream.unit.clone(),
                name_of(reading.quality),
                simulated(reading.simulated),
            ]
        };
        stream.readings.iter().map(row)
    });
    let readings: Vec<_> = readings.collect();
    let names = ["taken", "metric", "value", "unit", "quality", ""];
    if !readings.is_empty() {
        return print(&table(names.map(words), &readings));
    }
    let number = |value: Option<f64>| cell(value.map(|value| format!("{value:.1}")));
    let spans = shown.spans.iter().map(|span| {
        [
            time_words(span.from),
            span.label.clone(),
            span.count.to_string(),
            number(span.min),
            number(span.mean),
            number(span.max),
            span.unit.clone(),
            simulated(span.simulated),
        ]
    });
    let names = [
        "from", "metric", "values", "lowest", "mean", "highest", "unit", "",
    ];
    print(&table(names.map(words), &spans.collect::<Vec<_>>()))
}
