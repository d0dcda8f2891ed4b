//! What the console says of consents: what was agreed to, who says so, and how far it is.

use fog_api::{ConsentRow, ConsentStanding};
use ledger_policy::{Effect, Rule};

use super::number::count;
use super::policies::{metric, named};
use super::state::State;

/// A day of which nobody can tell whether a consent still holds is none.
const MOST_DAYS: u32 = 36_500;

/// The answer to *what was agreed to?*
#[must_use]
pub fn summary(rows: &[ConsentRow]) -> String {
    let holds = |row: &&ConsentRow| {
        matches!(
            row.standing,
            ConsentStanding::InForce | ConsentStanding::Waiting
        )
    };
    match rows.iter().filter(holds).count() as u64 {
        0 => "No consent holds.".to_owned(),
        some => format!("{} now.", count(some, "consent holds", "consents hold")),
    }
}

/// What a consent means, by its policy: in words where words can say it.
#[must_use]
pub fn means(row: &ConsentRow) -> String {
    let told = row.rule.as_deref();
    told.map_or_else(
        || "More than plain words can say; read its text.".to_owned(),
        |told| named(&row.text, told),
    )
}

/// How far it is, with its word; what ended as it was meant to has no state.
#[must_use]
pub const fn standing(row: &ConsentRow) -> (Option<State>, &'static str) {
    match (row.standing, row.withdrawn) {
        (ConsentStanding::InForce, _) => (Some(State::Ok), "In force"),
        (ConsentStanding::Waiting, _) => (Some(State::Unknown), "On its way"),
        (ConsentStanding::Ending, _) => (Some(State::Unknown), "Ending"),
        (ConsentStanding::Ended, Some(_)) => (None, "Withdrawn"),
        (ConsentStanding::Ended, None) => (None, "Over"),
    }
}

/// Whether it can be withdrawn.
#[must_use]
pub const fn is_open(row: &ConsentRow) -> bool {
    row.withdrawn.is_none() && !matches!(row.standing, ConsentStanding::Ended)
}

/// Whether the ledger is still to hear of it.
#[must_use]
pub const fn is_on_its_way(row: &ConsentRow) -> bool {
    matches!(
        row.standing,
        ConsentStanding::Waiting | ConsentStanding::Ending
    )
}

/// Whose word it is, for tests and for people; the state is of a signature that does not hold.
#[must_use]
pub fn said_by(row: &ConsentRow) -> (&'static str, Option<State>, String) {
    match &row.signature {
        Some(signature) if signature.is_valid => (
            "valid",
            None,
            "Signed with the patient’s own key; the signature was verified just now.".to_owned(),
        ),
        Some(_) => (
            "invalid",
            Some(State::Critical),
            "The signature is not the patient’s, or not of this consent. Do not rely on it."
                .to_owned(),
        ),
        None => (
            "witness",
            None,
            format!(
                "Written down by {}, before {}.",
                row.captured_by, row.witness
            ),
        ),
    }
}

/// From when to when, with days as they are read where one is: `day` writes one.
#[must_use]
pub fn times(row: &ConsentRow, day: impl Fn(i64) -> String) -> String {
    let since = day(row.since);
    match (row.withdrawn, row.until) {
        (Some(at), _) => {
            let by = match &row.withdrawal_signature {
                Some(signature) if signature.is_valid => "by the patient herself".to_owned(),
                Some(_) => "with a signature that does not hold".to_owned(),
                None => format!(
                    "written down by {}",
                    row.withdrawn_by.as_deref().unwrap_or("–")
                ),
            };
            format!("Given {since}, withdrawn {}, {by}.", day(at))
        }
        (None, Some(until)) => format!("Given {since}, until {}.", day(until)),
        (None, None) => format!("Given {since}, until it is withdrawn."),
    }
}

/// What a rule means for somebody who is about to agree to it.
#[must_use]
pub fn said(rule: &Rule) -> String {
    let said = rule.words(metric);
    match rule.effect {
        Effect::Permit => said,
        Effect::Forbid => format!("{said} No other policy permits it then."),
    }
}

/// Days that were typed: none for no end.
///
/// # Errors
/// What is wrong with them.
pub fn days(text: &str) -> Result<Option<u32>, &'static str> {
    match text.trim() {
        "" => Ok(None),
        some => match some.parse() {
            Ok(days) if (1..=MOST_DAYS).contains(&days) => Ok(Some(days)),
            _ => Err("Days are a number from 1 to 36 500; empty is until it is withdrawn."),
        },
    }
}

#[cfg(test)]
mod tests {
    //! Goal: each consent says what it means, whose word it is and how far it is. Method: rows in a table.

    use fog_api::ConsentSignature;
    use ledger_policy::{Resolution, Role};

    use super::*;

    fn row() -> ConsentRow {
        let rule = Rule {
            roles: [Role::Researcher].into(),
            metrics: ["8867-4".to_owned()].into(),
            resolution: Some(Resolution::Aggregate),
            ..Rule::new(Effect::Permit)
        };
        ConsentRow {
            id: "7b".to_owned(),
            words: "Statistics of my pulse.".to_owned(),
            text: rule.to_text(),
            rule: Some(rule.words(str::to_owned)),
            purposes: vec!["research".to_owned()],
            captured_by: "nina".to_owned(),
            witness: "Paul".to_owned(),
            signature: None,
            since: 1,
            until: None,
            standing: ConsentStanding::InForce,
            withdrawn: None,
            withdrawn_by: None,
            withdrawal_signature: None,
        }
    }

    fn signature(is_valid: bool) -> Option<ConsentSignature> {
        Some(ConsentSignature {
            person: String::new(),
            key: String::new(),
            is_valid,
        })
    }

    fn day(at: i64) -> String {
        format!("day {at}")
    }

    #[test]
    fn a_consent_is_said() {
        let mut row = row();
        assert_eq!(means(&row), "Researchers may see statistics of heart rate.");
        assert_eq!(standing(&row), (Some(State::Ok), "In force"));
        assert_eq!(times(&row, day), "Given day 1, until it is withdrawn.");
        assert!(is_open(&row) && !is_on_its_way(&row));
        assert_eq!(said_by(&row).2, "Written down by nina, before Paul.");
        row.signature = signature(true);
        assert_eq!(said_by(&row).0, "valid");
        row.signature = signature(false);
        assert_eq!(
            (said_by(&row).0, said_by(&row).1),
            ("invalid", Some(State::Critical))
        );
        row.until = Some(9);
        assert_eq!(times(&row, day), "Given day 1, until day 9.");
        row.standing = ConsentStanding::Ended;
        assert_eq!(standing(&row), (None, "Over"));
        row.withdrawn = Some(5);
        row.withdrawn_by = Some("nina".to_owned());
        assert_eq!(standing(&row), (None, "Withdrawn"));
        assert_eq!(
            times(&row, day),
            "Given day 1, withdrawn day 5, written down by nina."
        );
        row.withdrawal_signature = signature(true);
        assert!(times(&row, day).ends_with("by the patient herself."));
        assert!(!is_open(&row));
        row.rule = None;
        assert!(means(&row).starts_with("More than"));
    }

    #[test]
    fn consents_are_counted_and_days_read() {
        let mut ended = row();
        ended.standing = ConsentStanding::Ended;
        assert_eq!(summary(&[ended.clone()]), "No consent holds.");
        assert_eq!(summary(&[row(), ended]), "1 consent holds now.");
        assert_eq!(summary(&[row(), row()]), "2 consents hold now.");
        assert_eq!(days(" 30 "), Ok(Some(30)));
        assert_eq!(days(""), Ok(None));
        for wrong in ["0", "36501", "-1", "x"] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
        let forbids = Rule::new(Effect::Forbid);
        assert!(said(&forbids).ends_with("No other policy permits it then."));
    }
}
