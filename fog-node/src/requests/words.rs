//! What became of a request, in words: who, what, what was cut off and why, until when, who agreed.

use fog_api::{AccessRow, AccessState};

use super::names::name;
use crate::cli::output::time_words;

/// A few sentences about a request.
pub(super) fn decision_words(row: &AccessRow) -> String {
    let (who, asked) = (name(&row.person), listed(&row.metrics));
    let ends = time_words(i64::try_from(row.ends).unwrap_or(i64::MAX));
    let by = row.decided_by.as_ref().map(name);
    let mut words = match row.state {
        AccessState::Waiting => format!(
            "{who} asks for {asked}; it waits until {ends} for a physician or an admin of {}.",
            row.holder
        ),
        AccessState::Granted => format!("{who} may see {} until {ends}.", listed(&row.readable)),
        AccessState::Suspended => {
            format!(
                "{who} was granted access until {ends}, but the policies permit nothing of it now."
            )
        }
        AccessState::Denied if row.by.is_empty() => {
            format!("{who} was denied {asked}: no policy permits it.")
        }
        AccessState::Denied => format!("{who} was denied {asked}, by {}.", listed(&row.by)),
        AccessState::Refused => {
            let by = by.clone().unwrap_or_else(|| row.holder.clone());
            format!("{who} was refused {asked} by {by}.")
        }
        AccessState::Ended => match &by {
            Some(by) => format!("{who} sees nothing of it any more: {by} ended it."),
            None => format!(
                "{who} sees nothing of it any more: it was given back, or ended by its holder."
            ),
        },
        AccessState::Over => format!("The time for {who} was over at {ends}."),
    };
    let mut add = |sentence: String| {
        words.push(' ');
        words.push_str(&sentence);
    };
    if matches!(row.state, AccessState::Waiting | AccessState::Granted) {
        let is_lost = |metric: &&String| {
            row.state == AccessState::Granted
                && !row.readable.contains(metric)
                && !row.cut_off.contains(metric)
        };
        let lost: Vec<_> = row.metrics.iter().filter(is_lost).cloned().collect();
        if !row.cut_off.is_empty() {
            add(format!(
                "Cut off, as not permitted: {}.",
                listed(&row.cut_off)
            ));
        }
        if !lost.is_empty() {
            add(format!("Not permitted any more: {}.", listed(&lost)));
        }
        if !row.by.is_empty() {
            add(format!("Decided by {}.", listed(&row.by)));
        }
        if let Some(by) = by {
            add(format!("Agreed to by {by}."));
        }
    }
    match &row.review {
        _ if !row.is_emergency || row.state == AccessState::Denied => {}
        None => add("The glass was broken; that is to be reviewed.".to_owned()),
        Some(review) => {
            let found = if review.is_justified {
                "reason"
            } else {
                "no reason"
            };
            let by = name(&review.by);
            add(format!(
                "The glass was broken; {by} says that there was {found} to."
            ));
        }
    }
    words
}

/// Words one after the other.
pub(crate) fn listed(words: &[String]) -> String {
    words.join(", ")
}

#[cfg(test)]
mod tests {
    //! Goal: a request's words say who, what, what not, until when and who agreed. Method: one request in each state.

    use fog_api::AccessPerson;

    use super::*;

    fn row(state: AccessState) -> AccessRow {
        let person = |name: &str| AccessPerson {
            handle: "ab".repeat(32),
            name: Some(name.to_owned()),
            organisation: "Harbour".to_owned(),
        };
        let texts = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        AccessRow {
            handle: String::new(),
            person: AccessPerson {
                name: None,
                ..person("")
            },
            subject: String::new(),
            holder: "Harbour".to_owned(),
            state,
            words: String::new(),
            metrics: texts(&["59408-5", "8867-4", "9279-1"]),
            readable: texts(&["8867-4"]),
            cut_off: texts(&["9279-1"]),
            by: texts(&["nurses"]),
            from: 0,
            until: 1,
            resolution: String::new(),
            purpose: String::new(),
            relations: Vec::new(),
            ends: 1_000,
            remaining_seconds: None,
            decided_by: Some(person("Anna")),
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
    fn each_state_is_told() {
        let cases = [
            (
                AccessState::Waiting,
                "abababab (Harbour) asks for 59408-5, 8867-4, 9279-1; it waits until 1970-01-01T00:00:01Z for a \
                 physician or an admin of Harbour. Cut off, as not permitted: 9279-1. Decided by nurses. \
                 Agreed to by Anna (Harbour).",
            ),
            (
                AccessState::Granted,
                "abababab (Harbour) may see 8867-4 until 1970-01-01T00:00:01Z. Cut off, as not permitted: \
                 9279-1. Not permitted any more: 59408-5. Decided by nurses. Agreed to by Anna (Harbour).",
            ),
            (
                AccessState::Denied,
                "abababab (Harbour) was denied 59408-5, 8867-4, 9279-1, by nurses.",
            ),
            (
                AccessState::Refused,
                "abababab (Harbour) was refused 59408-5, 8867-4, 9279-1 by Anna (Harbour).",
            ),
            (
                AccessState::Ended,
                "abababab (Harbour) sees nothing of it any more: Anna (Harbour) ended it.",
            ),
            (
                AccessState::Over,
                "The time for abababab (Harbour) was over at 1970-01-01T00:00:01Z.",
            ),
        ];
        for (state, expected) in cases {
            assert_eq!(decision_words(&row(state)), expected);
        }
        let mut broken = row(AccessState::Ended);
        broken.is_emergency = true;
        assert!(decision_words(&broken).ends_with("The glass was broken; that is to be reviewed."));
    }
}
