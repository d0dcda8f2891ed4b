//! `fogward policy history`: what became of a policy, and what it has decided; and `fogward policy list --retracted`.

use fog_api::{
    LineStanding, PolicyChange, PolicyDecision, PolicyDecisions, PolicyHistory, PolicyVersion,
    RetractedPolicies,
};

use super::Outcome;
use super::client::{Api, Question};
use super::output::{print, print_json, time_words};
use super::table::{cell, name_of, numbers, table, words};
use crate::requests::name;

/// `fogward policy history`
#[derive(Debug, clap::Args)]
pub(super) struct History {
    #[command(flatten)]
    api: Api,
    /// The policy's name.
    name: String,
    /// Also the requests it has decided, with their receipts; for auditors and admins, and that you read it is recorded
    /// for good.
    #[arg(long)]
    decisions: bool,
}

impl History {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let of = |what: &str| Question::named("/api/policies", &self.name).then(what);
        let history: PolicyHistory = self.api.ask(&of("history"))?;
        let decided: Option<PolicyDecisions> = match self.decisions {
            true => Some(self.api.ask(&of("decisions"))?),
            false => None,
        };
        if self.api.json {
            let mut both = serde_json::to_value(&history)?;
            if let (Some(fields), Some(decided)) = (both.as_object_mut(), &decided) {
                let is_whole = decided.is_whole;
                let decisions = serde_json::to_value(&decided.decisions)?;
                fields.insert("decisions".to_owned(), decisions);
                fields.insert("decisions_are_whole".to_owned(), is_whole.into());
            }
            print_json(&both)?;
            return Ok(Outcome::Yes);
        }
        for version in &history.versions {
            print(&version_words(version))?;
        }
        if !history.is_whole {
            print("\nThis node does not hold all of the log; there may be more.\n")?;
        }
        if let Some(decided) = decided {
            print(&decided_words(&decided))?;
        }
        Ok(Outcome::Yes)
    }
}

/// `fogward policy list --retracted`
pub(super) fn retracted(api: &Api) -> anyhow::Result<Outcome> {
    let told: RetractedPolicies = api.ask(&Question::path("/api/retracted-policies"))?;
    if api.json {
        print_json(&told)?;
        return Ok(Outcome::Yes);
    }
    let columns = [
        words("name"),
        numbers("put last in block"),
        words("at"),
        numbers("retracted in block"),
        words("at"),
    ];
    let rows = told.policies.iter().map(|row| {
        [
            row.name.clone(),
            cell(row.put.map(|put| put.height)),
            cell(row.put.map(|put| time(put.time))),
            row.retracted.height.to_string(),
            time(row.retracted.time),
        ]
    });
    print(&table(columns, &rows.collect::<Vec<_>>()))?;
    if !told.is_whole {
        print("\nThere may be more than are told at once, or than this node holds.\n")?;
    }
    Ok(Outcome::Yes)
}

fn time(millis: u64) -> String {
    time_words(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// A version: when and what, what it says, and what was other before.
fn version_words(version: &PolicyVersion) -> String {
    let what = match version.change {
        PolicyChange::Put => "put in force",
        PolicyChange::Changed => "changed",
        PolicyChange::Removed => "put out of force",
        PolicyChange::Unknown => "put in force; what was before is not known here",
    };
    let mut text = format!(
        "block {}, {}: {what}, signed with the admin key {}\n",
        version.height,
        time(version.time),
        version.key
    );
    let mut add = |mark: &str, line: &str| text.push_str(&format!("  {mark}{line}\n"));
    if let Some(words) = &version.words {
        add("", words);
    }
    for sentence in &version.difference {
        add("", sentence);
    }
    if version.words.is_none() && version.lines.is_empty() {
        for line in version.text.as_deref().unwrap_or_default().lines() {
            add("  ", line);
        }
    }
    for line in &version.lines {
        let mark = match line.standing {
            LineStanding::Kept => "  ",
            LineStanding::Added => "+ ",
            LineStanding::Removed => "- ",
        };
        add(mark, &line.text);
    }
    text
}

fn decided_words(decided: &PolicyDecisions) -> String {
    let columns = [
        numbers("height"),
        words("time"),
        numbers("version of block"),
        words("decided"),
        words("who"),
        numbers("receipts"),
        numbers("readings"),
        words("request"),
    ];
    let cells = |one: &PolicyDecision| {
        [
            one.height.to_string(),
            time(one.time),
            cell(one.version),
            name_of(one.decided),
            name(&one.person),
            one.receipts.len().to_string(),
            one.readings.to_string(),
            one.request.clone(),
        ]
    };
    let rows: Vec<_> = decided.decisions.iter().map(cells).collect();
    let mut text = format!("\n{}", table(columns, &rows));
    if !decided.is_whole {
        text.push_str(
            "\nThere are more than are looked through at once, or that this node holds.\n",
        );
    }
    text
}
