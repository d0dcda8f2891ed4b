//! What is said of proposals, votes and what a change would do.

use fog_api::consortium::{PreflightFinding, ProposalRow};

use super::number::{capital, clock_minutes, count, date, spelled, thousands};
use super::state::State;

/// How the voices stand, as the parts of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Voices for it.
    pub approvals: u32,
    /// This organisation's voice, not given yet: 1 or 0.
    pub mine: u32,
    /// Other voices not given yet.
    pub open: u32,
    /// Voices against it.
    pub rejections: u32,
}

impl Tally {
    /// The parts of a proposal's bar.
    #[must_use]
    pub fn of(row: &ProposalRow, can_vote: bool) -> Self {
        let given = row.approvals.saturating_add(row.rejections);
        let left = row.voices.saturating_sub(given);
        let mine = u32::from(can_vote && row.mine.is_none() && row.outcome == "open").min(left);
        Self {
            approvals: row.approvals,
            mine,
            open: left - mine,
            rejections: row.rejections,
        }
    }

    /// Class, voices and words of each part that has voices.
    #[must_use]
    pub fn parts(self) -> Vec<(&'static str, u32, String)> {
        [
            ("for", self.approvals, "for"),
            ("mine", self.mine, "yours"),
            ("open", self.open, "open"),
            ("against", self.rejections, "against"),
        ]
        .into_iter()
        .filter(|(_, voices, _)| *voices > 0)
        .map(|(class, voices, word)| {
            let words = format!("{} {word}", thousands(u64::from(voices)));
            (class, voices, words)
        })
        .collect()
    }

    /// The bar in words.
    #[must_use]
    pub fn label(self, needed: u32) -> String {
        format!(
            "{} for, {} against, {} not given, {needed} needed",
            self.approvals,
            self.rejections,
            self.open + self.mine
        )
    }
}

/// How many voices it needs: `5 of 7 needed`.
#[must_use]
pub fn needed(row: &ProposalRow) -> String {
    format!("{} of {} needed", row.needed, row.voices)
}

/// What the votes come down to, and how this organisation voted.
#[must_use]
pub fn stands(row: &ProposalRow, can_vote: bool) -> String {
    let missing = u64::from(row.needed.saturating_sub(row.approvals));
    let left = row
        .voices
        .saturating_sub(row.approvals)
        .saturating_sub(row.rejections);
    let more = match missing {
        0 => "It has the votes it needs.".to_owned(),
        1 => "One more vote for it and it passes.".to_owned(),
        many => capital(&format!(
            "{} more votes for it and it passes.",
            spelled(many)
        )),
    };
    match row.mine.as_deref() {
        Some("approve") => format!("Your organisation voted for it. {more}"),
        Some("reject") => format!("Your organisation voted against it. {more}"),
        _ if !can_vote => more,
        _ if missing == 1 => "With your vote it passes.".to_owned(),
        _ if missing > u64::from(left) => {
            "It cannot pass any more, unless a vote is changed.".to_owned()
        }
        _ => more,
    }
}

/// When it ends: `closes today 18:00`, `closes Friday 17 April, 18:00`.
#[must_use]
pub fn closes(expires: i64, now: i64, offset_minutes: i32) -> String {
    let day = |millis: i64| {
        (millis.div_euclid(1_000) + i64::from(offset_minutes) * 60).div_euclid(86_400)
    };
    let time = clock_minutes(expires, offset_minutes);
    match day(expires) - day(now) {
        _ if expires <= now => "closes with the next block".to_owned(),
        0 => format!("closes today {time}"),
        1 => format!("closes tomorrow {time}"),
        _ => format!("closes {}, {time}", date(expires, offset_minutes)),
    }
}

/// The same for an invitation: `until today 18:00`.
#[must_use]
pub fn until(expires: i64, now: i64, offset_minutes: i32) -> String {
    if expires <= now {
        return "expired".to_owned();
    }
    closes(expires, now, offset_minutes).replacen("closes", "until", 1)
}

/// A title inside a sentence: its first letter small.
#[must_use]
pub fn inside(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// How a proposal ended: icon, state where it has one, word.
#[must_use]
pub fn outcome(outcome: &str) -> (&'static str, Option<State>, &'static str) {
    match outcome {
        "approved" => ("ok", Some(State::Ok), "Approved"),
        "rejected" => ("x", None, "Rejected"),
        "expired" => ("unknown", Some(State::Unknown), "Not enough votes"),
        "void" => ("attention", Some(State::Attention), "Void"),
        "open" => ("unknown", Some(State::Unknown), "Open"),
        _ => ("unknown", Some(State::Unknown), "Not known"),
    }
}

/// State and word of a finding's severity.
#[must_use]
pub fn severity(severity: &str) -> (State, &'static str) {
    match severity {
        "breaks" => (State::Critical, "Breaks"),
        "changes" => (State::Attention, "Changes"),
        "holds" => (State::Ok, "Holds"),
        _ => (State::Unknown, "Not known"),
    }
}

/// Findings with the worst first, each kind in its order.
#[must_use]
pub fn worst_first(mut findings: Vec<PreflightFinding>) -> Vec<PreflightFinding> {
    findings.sort_by_key(|finding| (severity(&finding.severity).0.urgency(), !finding.halts));
    findings
}

/// Whether something breaks.
#[must_use]
pub fn breaks(findings: &[PreflightFinding]) -> bool {
    findings.iter().any(|finding| finding.severity == "breaks")
}

/// Whether the ledger would halt at once.
#[must_use]
pub fn halts(findings: &[PreflightFinding]) -> bool {
    findings.iter().any(|finding| finding.halts)
}

/// A finding's first sentence, which stands out, and the rest.
#[must_use]
pub fn lead(what: &str) -> (&str, &str) {
    match what.find(". ") {
        Some(end) => what.split_at(end + 1),
        None => (what, ""),
    }
}

/// What is asked before a vote for a change that breaks something, or of which it is not known yet:
/// the question, and what to know. `None` where nothing is to be asked.
#[must_use]
pub fn doubt(findings: Option<&[PreflightFinding]>) -> Option<(&'static str, String)> {
    let (question, known) = match findings {
        None => (
            "Approve before it is known what breaks?",
            "The node has not said yet what this would break.",
        ),
        Some(findings) => {
            let first = findings.iter().find(|finding| finding.severity == "breaks");
            ("Approve although something breaks?", &*first?.what)
        }
    };
    Some((
        question,
        format!("{known} The vote can be changed until the proposal is decided."),
    ))
}

/// One line over the findings.
#[must_use]
pub fn verdict(findings: &[PreflightFinding]) -> String {
    let number = |wanted: &str| {
        let of = findings.iter().filter(|finding| finding.severity == wanted);
        of.count() as u64
    };
    if halts(findings) {
        return "The ledger would halt.".to_owned();
    }
    match (number("breaks"), number("changes")) {
        (0, 0) => "Nothing breaks.".to_owned(),
        (0, changes) => format!(
            "Nothing breaks; {}.",
            count(changes, "thing changes", "things change")
        ),
        (breaks, _) => format!("{}.", count(breaks, "thing breaks", "things break")),
    }
}

#[cfg(test)]
#[path = "votes_tests.rs"]
mod tests;
