//! What is said of a gap ledger: the difference of every two figures has a name.

use fog_api::{Gap, RejectedCount};

use crate::words::number::thousands;
use crate::words::state::State;

/// What the gap ledger adds up to, with the difference of every two figures named.
#[must_use]
pub fn account(gap: &Gap) -> (State, String) {
    let missing = gap.expected.saturating_sub(gap.received);
    let says = match (missing, gap.expected) {
        (_, 0) => return (State::Unknown, "Nothing was expected yet".to_owned()),
        (0, _) => "Every expected reading arrived".to_owned(),
        (1, _) => "1 is missing and named as a gap".to_owned(),
        (missing, _) => format!("{} are missing and named as gaps", thousands(missing)),
    };
    (State::Ok, says)
}

/// Length of a bar in percent of what was expected, and whether something is missing from it. A loss
/// is widened so that it is seen; the number carries the truth.
#[must_use]
pub fn bar(value: u64, expected: u64, refused: bool) -> (f64, bool) {
    if expected == 0 {
        return (0.0, false);
    }
    let share = (value as f64 / expected as f64 * 100.0).min(100.0);
    (share, !refused && value < expected)
}

/// Why received is less than expected.
#[must_use]
pub fn missing(gap: &Gap) -> String {
    match gap.expected.saturating_sub(gap.received) {
        0 => "none missing".to_owned(),
        missing => format!(
            "{} missing, named as {}",
            thousands(missing),
            if missing == 1 { "a gap" } else { "gaps" }
        ),
    }
}

/// Why frames were refused: `2 damaged, 1 replayed`.
#[must_use]
pub fn rejected(reasons: &[RejectedCount]) -> String {
    reasons
        .iter()
        .filter(|reason| reason.count > 0)
        .map(|reason| {
            format!(
                "{} {}",
                thousands(reason.count),
                reject_word(&reason.reason)
            )
        })
        .collect::<Vec<_>>()
        .join(", ")
}

fn reject_word(reason: &str) -> String {
    match reason {
        "checksum" | "crc" => "damaged".to_owned(),
        "replay" | "replayed" => "replayed".to_owned(),
        "forged" | "authentication" | "tag" => "not authentic".to_owned(),
        "length" | "oversized" => "of a wrong length".to_owned(),
        "suspended" | "retired" => format!("refused while {reason}"),
        "handed-over" => "refused after it was handed over".to_owned(),
        other => other.replace('_', " "),
    }
}

/// What waits between two stages.
#[must_use]
pub fn waiting(before: u64, after: u64, for_what: &str) -> String {
    match before.saturating_sub(after) {
        0 => "none waiting".to_owned(),
        waiting => format!("{} wait for {for_what}", thousands(waiting)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every difference between two figures of the ledger has a name.
    #[test]
    fn differences_have_names() {
        let gap = Gap {
            expected: 1_200,
            received: 1_040,
            rejected: 4,
            sealed: 1_040,
            anchored: 1_000,
            finalized: 1_000,
        };
        assert_eq!(missing(&gap), "160 missing, named as gaps");
        assert_eq!(account(&gap).1, "160 are missing and named as gaps");
        assert_eq!(
            waiting(gap.sealed, gap.anchored, "the next batch"),
            "40 wait for the next batch"
        );
        assert_eq!(waiting(5, 5, "x"), "none waiting");
        assert_eq!(account(&Gap::default()).0, State::Unknown);
        let reasons = [
            RejectedCount {
                reason: "checksum".to_owned(),
                count: 2,
            },
            RejectedCount {
                reason: "replay".to_owned(),
                count: 0,
            },
            RejectedCount {
                reason: "bad_sync".to_owned(),
                count: 1,
            },
        ];
        assert_eq!(rejected(&reasons), "2 damaged, 1 bad sync");
    }
}
