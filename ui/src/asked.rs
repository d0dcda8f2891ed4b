//! What a form says of a part of a record, whether it is asked for or given: which metrics, which times, what is missing.

use std::collections::BTreeSet;

const HOUR_MILLIS: u64 = 3_600_000;
const HOUR_SECONDS: u64 = 3_600;
/// Hexadecimal digits of a subject's handle.
const HANDLE_DIGITS: usize = 64;

/// The period in Unix milliseconds, and for how many seconds it may be seen.
#[derive(Debug, PartialEq, Eq)]
pub struct Times {
    /// Its begin.
    pub from: u64,
    /// Its end.
    pub until: u64,
    /// For how long.
    pub seconds: u64,
}

/// The times that are chosen, both in hours, at `now` in Unix milliseconds; a period from now on is negative.
#[must_use]
pub fn times(period: &str, lasts: &str, now: i64) -> Times {
    let now = u64::try_from(now).unwrap_or(0);
    let hours = |chosen: &str| chosen.parse::<i64>().unwrap_or(1);
    let (back, ahead) = match hours(period) {
        back @ 0.. => (back.unsigned_abs(), 0),
        ahead => (0, ahead.unsigned_abs()),
    };
    // What is to come cannot be seen after the grant is over.
    let lasts = hours(lasts).unsigned_abs().max(ahead);
    Times {
        from: now.saturating_sub(back * HOUR_MILLIS),
        until: now.saturating_add(ahead * HOUR_MILLIS),
        seconds: lasts * HOUR_SECONDS,
    }
}

/// The codes that are ticked, and those that are typed with spaces or commas between them.
#[must_use]
pub fn codes(ticked: &BTreeSet<&'static str>, typed: &str) -> Vec<String> {
    let typed = typed.split([',', ' ']).filter(|code| !code.is_empty());
    let ticked = ticked.iter().copied();
    ticked.chain(typed).map(str::to_owned).collect()
}

/// What is missing of whose data it is a part of; a number or id says it of this organisation's patients.
#[must_use]
pub fn lacks_subject(subject: &str, is_here: bool) -> Option<&'static str> {
    let subject = subject.trim();
    let is_handle =
        subject.len() == HANDLE_DIGITS && subject.chars().all(|digit| digit.is_ascii_hexdigit());
    match () {
        () if subject.is_empty() => {
            Some("Type the patient’s number, or paste the subject’s handle.")
        }
        () if !is_handle && !is_here => {
            Some("Another organisation’s patient has a handle, 64 digits.")
        }
        () => None,
    }
}

/// What is missing where nothing is chosen.
#[must_use]
pub fn lacks_metrics(codes: &[String]) -> Option<&'static str> {
    codes.is_empty().then_some("Choose at least one metric.")
}

/// What is missing where nobody is named to give it to.
#[must_use]
pub fn lacks_person(person: &str) -> Option<&'static str> {
    let is_empty = person.trim().is_empty();
    is_empty.then_some("Say to whom: a login here, or a person’s handle.")
}

#[cfg(test)]
mod tests {
    //! Goal: what is chosen means what it says, and what is missing is named. Method: examples.

    use super::*;

    #[test]
    fn a_period_is_before_now_or_from_now_on_and_seen_to_its_end() {
        let day = 24 * HOUR_MILLIS;
        let now = i64::try_from(2 * day).unwrap();
        let times = |period, lasts| {
            let times = times(period, lasts, now);
            (times.from, times.until, times.seconds)
        };
        assert_eq!(times("24", "1"), (day, 2 * day, 3_600));
        assert_eq!(times("720", "168"), (0, 2 * day, 168 * 3_600));
        assert_eq!(times("-24", "1"), (2 * day, 3 * day, 24 * 3_600));
        assert_eq!(times("-2", "8").2, 8 * 3_600);
    }

    #[test]
    fn ticked_and_typed_codes_count() {
        let ticked = BTreeSet::from(["8867-4"]);
        assert_eq!(
            codes(&ticked, " 9279-1,, 8310-5 "),
            ["8867-4", "9279-1", "8310-5"]
        );
        assert_eq!(lacks_metrics(&codes(&ticked, "")), None);
        assert!(lacks_metrics(&codes(&BTreeSet::new(), " ,")).is_some());
    }

    #[test]
    fn another_organisations_patient_needs_a_handle() {
        let handle = "ab".repeat(32);
        for is_here in [true, false] {
            assert!(lacks_subject(" ", is_here).is_some());
            assert_eq!(lacks_subject(&format!(" {handle} "), is_here), None);
        }
        assert_eq!(lacks_subject("P-4417", true), None);
        assert!(lacks_subject("P-4417", false).is_some());
        assert!(lacks_person(" ").is_some());
        assert_eq!(lacks_person("nina"), None);
    }
}
