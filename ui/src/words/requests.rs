//! What the console says of requests for data: where they stand, how long still, whom they wait for.

use fog_api::following::PERIOD_OVER;
use fog_api::{AccessRow, AccessState, ApiError, Disclosure, LiveEnd, OrganisationRow};

use super::number::{age, clock_minutes, date, span};
use super::proof::metric;
use super::state::State;
use crate::followed::Followed;

/// Metrics that are offered by name, by LOINC code; others are typed by theirs.
pub const OFFERED: [&str; 8] = [
    "59408-5", "8889-8", "8867-4", "9279-1", "8310-5", "8480-6", "8462-4", "2339-0",
];
/// Periods up to now, in hours; from now on where they are negative.
pub const PERIODS: [(i32, &str); 8] = [
    (1, "The last hour"),
    (24, "The last 24 hours"),
    (72, "The last 3 days"),
    (168, "The last 7 days"),
    (720, "The last 30 days"),
    (-2, "The next 2 hours"),
    (-8, "The next 8 hours"),
    (-24, "The next 24 hours"),
];
/// For how long, in hours.
pub const LASTS: [(i32, &str); 5] = [
    (1, "1 hour"),
    (2, "2 hours"),
    (8, "8 hours"),
    (24, "1 day"),
    (168, "7 days"),
];
/// Resolutions by their words on the ledger.
pub const RESOLUTIONS: [(&str, &str); 2] =
    [("raw", "As measured"), ("aggregate", "Statistics only")];
/// Purposes by their words on the ledger.
pub const PURPOSES: [(&str, &str); 5] = [
    ("treatment", "Treatment"),
    ("patient_request", "The patient asked for it"),
    ("research", "Research"),
    ("quality", "Quality of care"),
    ("payment", "Payment"),
];

/// The heading of *Requests*.
#[must_use]
pub fn heading(rows: &[AccessRow]) -> String {
    let waits = |row: &&AccessRow| row.may_decide || row.may_review;
    match rows.iter().filter(waits).count() {
        0 => "No request waits for you".to_owned(),
        1 => "One request waits for you".to_owned(),
        some => format!("{some} requests wait for you"),
    }
}

/// Where a request stands. Without a state it is over or refused, which is the system doing its work.
#[must_use]
pub const fn standing(row: &AccessRow) -> (Option<State>, &'static str) {
    match row.state {
        _ if row.may_review => (Some(State::Attention), "Break-glass"),
        AccessState::Waiting if row.may_decide => (Some(State::Attention), "Waits for you"),
        AccessState::Waiting => (Some(State::Unknown), "Waiting"),
        AccessState::Granted => (Some(State::Ok), "Granted"),
        AccessState::Suspended => (Some(State::Attention), "On hold"),
        AccessState::Denied => (None, "Denied"),
        AccessState::Refused => (None, "Refused"),
        AccessState::Ended => (None, "Ended"),
        AccessState::Over => (None, "Over"),
    }
}

/// The time that is left at `now` in Unix milliseconds; nothing where it is over.
#[must_use]
pub fn left(row: &AccessRow, now: i64) -> Option<String> {
    let ends = i64::try_from(row.ends).unwrap_or(i64::MAX);
    (row.remaining_seconds.is_some() && ends > now).then(|| age(ends, now))
}

/// The decision in words, with the names of metrics for their codes, and when it ends by the clock here,
/// `offset_minutes` east of UTC.
#[must_use]
pub fn decision(row: &AccessRow, offset_minutes: i32) -> String {
    let ends = i64::try_from(row.ends).unwrap_or(i64::MAX);
    let (at, on) = (
        clock_minutes(ends, offset_minutes),
        date(ends, offset_minutes),
    );
    let told = row.words.split(' ').map(|word| {
        let plain = word.trim_end_matches(['.', ',', ';']);
        match plain.get(10..11) {
            Some("T") if plain.ends_with('Z') => format!("{at}, {on}{}", &word[plain.len()..]),
            _ => word.to_owned(),
        }
    });
    let words = told.collect::<Vec<_>>().join(" ");
    row.metrics
        .iter()
        .fold(words, |words, code| match metric(code) {
            Some(name) => words.replace(code.as_str(), name),
            None => words,
        })
}

/// What a read has shown, and how much of it is proven here.
#[must_use]
pub fn read(shown: &Disclosure) -> String {
    let readings: u64 = shown.receipts.iter().map(|receipt| receipt.readings).sum();
    let elsewhere = shown
        .receipts
        .iter()
        .filter_map(|receipt| receipt.proven.map(|proven| (proven, receipt.readings)));
    let (proven, of) = elsewhere.fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
    let made = match (shown.resolution.as_str(), readings) {
        (_, 0) => "Nothing was measured in that time.".to_owned(),
        ("aggregate", 1) => "Statistics of one reading.".to_owned(),
        ("aggregate", some) => format!("Statistics of {some} readings."),
        (_, 1) => "One reading.".to_owned(),
        (_, some) => format!("{some} readings."),
    };
    match (shown.resolution.as_str(), of) {
        ("aggregate", _) | (_, 0) => made,
        _ if proven == of => {
            format!("{made} Each was anchored by the node it is from, as checked here.")
        }
        _ => format!("{made} {proven} of {of} from elsewhere are proven here."),
    }
}

/// How a live view is at `now` in Unix milliseconds.
#[must_use]
pub fn following(row: &AccessRow, now: i64, is_up: bool, is_over: bool) -> String {
    let ends = i64::try_from(row.ends.min(row.until)).unwrap_or(i64::MAX);
    match (is_over, is_up) {
        (true, _) => "Ended.".to_owned(),
        (false, false) => "Not connected; it is tried again by itself.".to_owned(),
        (false, true) => format!("Ends in {}.", span(ends.saturating_sub(now))),
    }
}

/// What the ledger was told of a live view.
#[must_use]
pub fn told_live(followed: &Followed) -> String {
    match followed.reads {
        0 => "The ledger is told of each reading that is shown.".to_owned(),
        1 => format!(
            "{} readings, told to the ledger in one receipt.",
            followed.readings
        ),
        reads => format!(
            "{} readings, told to the ledger in {reads} receipts.",
            followed.readings
        ),
    }
}

/// What ended a live view, and since when nothing was shown: the time of day of the last reading.
#[must_use]
pub fn cut(end: &LiveEnd, last: Option<String>) -> ApiError {
    let nothing_after = match last {
        Some(last) => format!("Nothing after {last} was shown."),
        None => "Nothing was shown.".to_owned(),
    };
    let is_whole = end.why.code == PERIOD_OVER;
    ApiError {
        what: match is_whole {
            true => "All of the period was shown.".to_owned(),
            false => format!("Ended at block {}.", end.height),
        },
        why: format!("{} {nothing_after}", end.why.why),
        ..end.why.clone()
    }
}

/// The same of what ended while the stream was broken.
#[must_use]
pub fn cut_meanwhile(row: &AccessRow) -> ApiError {
    ApiError {
        code: "ACC-06".to_owned(),
        what: format!("Ended at block {} at the latest.", row.changed_height),
        why: row.words.clone(),
        next: "Look at the request; ask again if you still need it.".to_owned(),
    }
}

/// How often a request was read.
#[must_use]
pub fn reads(row: &AccessRow) -> String {
    match (row.reads, row.readings) {
        (0, _) => "not yet".to_owned(),
        (1, readings) => format!("once, {readings} readings"),
        (reads, readings) => format!("{reads} times, {readings} readings"),
    }
}

/// Who asked: the name where it is known here, else the beginning of the handle.
#[must_use]
pub fn asker(row: &AccessRow) -> String {
    let person = &row.person;
    let short = || person.handle.chars().take(8).collect();
    person.name.clone().unwrap_or_else(short)
}

/// Why somebody with these roles, in words, gives no access.
#[must_use]
pub fn may_not_give(roles: &str) -> String {
    format!("Physicians and admins give access unasked. You are signed in as: {roles}.")
}

/// Ids and names of the other organisations that may hold what is asked for.
#[must_use]
pub fn other_holders(all: &[OrganisationRow], own: Option<&str>) -> Vec<(String, String)> {
    let others = all
        .iter()
        .filter(|one| one.removed.is_none() && own != Some(one.id.as_str()));
    others
        .map(|one| (one.id.clone(), one.name.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    //! Goal: who must act is told first, time runs out, and metrics have their names. Method: examples.

    use fog_api::AccessPerson;

    use super::*;

    fn row(state: AccessState) -> AccessRow {
        AccessRow {
            handle: "ab".repeat(32),
            person: AccessPerson {
                handle: "cd".repeat(32),
                name: None,
                organisation: "Harbour".to_owned(),
            },
            subject: String::new(),
            holder: "Harbour".to_owned(),
            state,
            words: "cdcdcdcd may see 8867-4, not 1-1.".to_owned(),
            metrics: vec!["1-1".to_owned(), "8867-4".to_owned()],
            readable: Vec::new(),
            cut_off: Vec::new(),
            by: Vec::new(),
            from: 0,
            until: 1,
            resolution: "raw".to_owned(),
            purpose: "treatment".to_owned(),
            relations: Vec::new(),
            ends: 60_000,
            remaining_seconds: Some(60),
            decided_by: None,
            is_emergency: false,
            reason: None,
            review: None,
            reads: 0,
            readings: 0,
            promised: Vec::new(),
            changed_height: 1,
            is_own: false,
            may_decide: false,
            may_end: false,
            may_review: false,
        }
    }

    #[test]
    fn the_others_that_are_still_there_may_hold_data() {
        let organisation = |id: &str, removed| OrganisationRow {
            id: id.to_owned(),
            name: format!("Hospital {id}"),
            admins: Vec::new(),
            removed,
        };
        let all = [
            organisation("a", None),
            organisation("b", Some(7)),
            organisation("c", None),
        ];
        let found = |own| {
            let others = other_holders(&all, own).into_iter();
            others.map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(found(Some("a")), ["c"]);
        assert_eq!(found(None), ["a", "c"]);
    }

    #[test]
    fn requests_are_told() {
        let (granted, mut waiting) = (row(AccessState::Granted), row(AccessState::Waiting));
        assert_eq!(
            heading(std::slice::from_ref(&granted)),
            "No request waits for you"
        );
        waiting.may_decide = true;
        assert_eq!(
            heading(&[granted.clone(), waiting.clone()]),
            "One request waits for you"
        );
        assert_eq!(
            heading(&[waiting.clone(), waiting.clone()]),
            "2 requests wait for you"
        );
        assert_eq!(
            standing(&waiting),
            (Some(State::Attention), "Waits for you")
        );
        assert_eq!(standing(&row(AccessState::Denied)), (None, "Denied"));
        let mut broken = row(AccessState::Over);
        broken.may_review = true;
        assert_eq!(standing(&broken), (Some(State::Attention), "Break-glass"));
        assert_eq!(left(&granted, 0).as_deref(), Some("60 s"));
        assert_eq!(left(&granted, 60_000), None);
        assert_eq!(asker(&granted), "cdcdcdcd");
        assert_eq!(
            decision(&granted, 60),
            "cdcdcdcd may see Heart rate, not 1-1."
        );
        assert_eq!(following(&granted, 0, true, false), "Ends in 0:00.");
        let mut ahead = granted.clone();
        ahead.until = 3_600_000;
        assert_eq!(following(&ahead, 15_000, true, false), "Ends in 0:45.");
        let end = LiveEnd {
            at: 0,
            height: 123,
            why: ApiError {
                code: "ACC-06".to_owned(),
                what: "The live view has ended.".to_owned(),
                why: "Anna ended it.".to_owned(),
                next: "Ask again.".to_owned(),
            },
        };
        let told = cut(&end, Some("12:03:04".to_owned()));
        assert_eq!(told.what, "Ended at block 123.");
        assert_eq!(told.why, "Anna ended it. Nothing after 12:03:04 was shown.");
        let mut told = granted;
        told.words = "Until 1970-01-01T00:01:00.000Z. Cut off: 1-1.".to_owned();
        assert_eq!(
            decision(&told, 60),
            "Until 01:01, Thursday 1 January. Cut off: 1-1."
        );
    }
}
