//! What the console says of the access log: what came of an entry, and its sentence with times by the clock here.

use fog_api::{AuditOutcome, AuditRow};

use super::number::{clock_minutes, count, date, short_hash, thousands};
use super::proof::metric;
use super::state::State;

/// Outcomes that are asked for, by their words in an address.
pub const OUTCOMES: [(&str, &str); 11] = [
    ("", "Everything"),
    ("denied", "Denied"),
    ("refused", "Refused by a person"),
    ("granted", "Granted"),
    ("waiting", "Waiting"),
    ("ended", "Ended"),
    ("over", "Over"),
    ("reviewed", "Reviewed"),
    ("served", "Served"),
    ("read", "Readings of this log"),
    ("changed", "People and policies"),
];
/// Periods up to now, in days.
pub const PERIODS: [(&str, &str); 5] = [
    ("", "All of it"),
    ("1", "The last day"),
    ("7", "The last 7 days"),
    ("31", "The last 31 days"),
    ("366", "The last year"),
];

/// The heading of *Audit*: is there anything that somebody should look at?
#[must_use]
pub fn heading(rows: &[AuditRow]) -> String {
    let number = |of: fn(&&AuditRow) -> bool| rows.iter().filter(of).count() as u64;
    let denied = number(|row| matches!(row.outcome, AuditOutcome::Denied | AuditOutcome::Refused));
    let broken = number(|row| row.kind == "ask_access" && row.is_emergency);
    let entries = match rows.len() {
        1 => "this entry".to_owned(),
        some => format!("these {} entries", thousands(some as u64)),
    };
    match (rows.len(), denied, broken) {
        (0, ..) => "Nothing of this kind is on record".to_owned(),
        (_, 0, 0) => format!("No denial and no broken glass in {entries}"),
        (_, _, 0) => format!("{} in {entries}", count(denied, "denial", "denials")),
        (_, 0, _) => format!(
            "{} in {entries}",
            count(broken, "broken glass", "broken glasses")
        ),
        _ => format!(
            "{} and {} in {entries}",
            count(denied, "denial", "denials"),
            count(broken, "broken glass", "broken glasses")
        ),
    }
}

/// What came of an entry. Without a state it is a refusal or a plain fact, which is the system doing its work.
#[must_use]
pub const fn outcome(row: &AuditRow) -> (Option<State>, &'static str) {
    match row.outcome {
        AuditOutcome::Granted if row.is_emergency => (Some(State::Attention), "Break-glass"),
        AuditOutcome::Granted => (Some(State::Ok), "Granted"),
        AuditOutcome::Served => (Some(State::Ok), "Served"),
        AuditOutcome::Waiting => (Some(State::Unknown), "Waiting"),
        AuditOutcome::Denied => (None, "Denied"),
        AuditOutcome::Refused => (None, "Refused"),
        AuditOutcome::Ended => (None, "Ended"),
        AuditOutcome::Over => (None, "Over"),
        AuditOutcome::Reviewed => (None, "Reviewed"),
        AuditOutcome::Read => (None, "Read"),
        AuditOutcome::Erased => (None, "Erased"),
        AuditOutcome::Changed => (None, "Changed"),
    }
}

/// The icon of an outcome without a state.
#[must_use]
pub const fn icon(outcome: AuditOutcome) -> &'static str {
    match outcome {
        AuditOutcome::Read => "eye",
        AuditOutcome::Changed => "user",
        AuditOutcome::Reviewed => "check",
        _ => "lock",
    }
}

/// Who did it: the person, by name where it is known here, else the organisation with its admin key or a node.
#[must_use]
pub fn by(row: &AuditRow) -> String {
    let Some(person) = &row.signer else {
        return row.organisation.clone();
    };
    let short = || person.handle.chars().take(8).collect();
    person.name.clone().unwrap_or_else(short)
}

/// An entry's sentence, with the names of metrics for their codes, hashes cut short, and times by the clock here: `offset` gives the
/// minutes east of UTC at a time in Unix milliseconds.
#[must_use]
pub fn told(words: &str, offset: impl Fn(i64) -> i32) -> String {
    let told = words.split(' ').map(|word| {
        let plain = word.trim_end_matches(['.', ',', ';', ':']);
        let rest = &word[plain.len()..];
        if let Some(at) = millis_of(plain) {
            let minutes = offset(at);
            let (clock, day) = (clock_minutes(at, minutes), date(at, minutes));
            return format!("{clock}, {day}{rest}");
        }
        let is_hash = plain.len() >= 32 && plain.bytes().all(|byte| byte.is_ascii_hexdigit());
        match metric(plain) {
            Some(name) => format!("{name}{rest}"),
            None if is_hash => format!("{}{rest}", short_hash(plain)),
            None => word.to_owned(),
        }
    });
    told.collect::<Vec<_>>().join(" ")
}

/// A time such as `2026-11-27T17:02:03.5Z` (RFC 3339, in UTC) in Unix milliseconds, to the second.
fn millis_of(text: &str) -> Option<i64> {
    let (day, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let part =
        |text: &str, at: usize, length: usize| text.get(at..at + length)?.parse::<i64>().ok();
    let is_formed = day.len() == 10 && clock.is_char_boundary(8) && clock.len() >= 8;
    let (year, month, of_month) = (part(day, 0, 4)?, part(day, 5, 2)?, part(day, 8, 2)?);
    let (hour, minute, second) = (part(clock, 0, 2)?, part(clock, 3, 2)?, part(clock, 6, 2)?);
    if !is_formed || !(1..=12).contains(&month) {
        return None;
    }
    // Years that begin in March, after H. Hinnant's "days from civil".
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400;
    let days = days + (153 * month + 2) / 5 + of_month - 1 - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000)
}

#[cfg(test)]
mod tests {
    //! Goal: times and metrics are told as here, all else as it is, and the heading counts what should be looked at.
    //! Method: examples.

    use super::*;

    fn row(kind: &str, outcome: AuditOutcome, is_emergency: bool) -> AuditRow {
        AuditRow {
            number: 0,
            height: 1,
            time: 2,
            transaction: String::new(),
            kind: kind.to_owned(),
            words: String::new(),
            outcome,
            organisation: String::new(),
            signer: None,
            person: None,
            subject: None,
            request: None,
            purpose: None,
            is_emergency,
        }
    }

    #[test]
    fn times_and_metrics_are_told_as_here() {
        let at_one = |_| 60;
        for (words, expected) in [
            (
                "until 1970-01-01T00:00:00Z.",
                "until 01:00, Thursday 1 January.",
            ),
            (
                "2024-02-29T23:30:59.999Z, 8867-4",
                "00:30, Friday 1 March, Heart rate",
            ),
            ("2026-11-27T17:02:03Z", "18:02, Friday 27 November"),
            (
                "patient c0e080fefc1b65fcee59fbf46ae1467d.",
                "patient c0e080fe…6ae1467d.",
            ),
            (
                "Anna asked for 0000-0, é T Z",
                "Anna asked for 0000-0, é T Z",
            ),
            (
                "2026-13-27T17:02:03Z 2026-11-27T1éZ",
                "2026-13-27T17:02:03Z 2026-11-27T1éZ",
            ),
        ] {
            assert_eq!(told(words, at_one), expected);
        }
    }

    #[test]
    fn the_heading_counts_what_should_be_looked_at() {
        let denied = row("ask_access", AuditOutcome::Denied, false);
        let broken = row("ask_access", AuditOutcome::Granted, true);
        let reviewed = row("decide_access", AuditOutcome::Reviewed, true);
        assert_eq!(heading(&[]), "Nothing of this kind is on record");
        assert_eq!(
            heading(std::slice::from_ref(&reviewed)),
            "No denial and no broken glass in this entry"
        );
        assert_eq!(
            heading(&[denied.clone(), denied.clone(), reviewed.clone()]),
            "2 denials in these 3 entries"
        );
        assert_eq!(
            heading(&[denied, broken.clone()]),
            "1 denial and 1 broken glass in these 2 entries"
        );
        assert_eq!(
            heading(&[broken, reviewed]),
            "1 broken glass in these 2 entries"
        );
    }
}
