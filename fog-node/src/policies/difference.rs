//! What is other in a policy than before: in plain words where both texts can be said in them, and line by line. Pure.

use fog_api::{LineStanding, PolicyLine};
use ledger_policy::{Effect, Resolution, Rule};

/// What a rule says of one of its fields.
type Words = fn(&Rule) -> String;

/// Most pairs of lines that are compared; of longer texts, all lines of both are told.
const MAX_PAIRS: usize = 1 << 20;

/// What is other, a sentence each; nothing where a text is not one that plain words can say.
pub(super) fn sentences(before: &str, after: &str) -> Vec<String> {
    let (Some(before), Some(after)) = (Rule::from_text(before), Rule::from_text(after)) else {
        return Vec::new();
    };
    let parts: [(&str, Words); 9] = [
        ("What it does", effect),
        ("Who", roles),
        ("What they are to the patient", relation),
        ("Metrics", metrics),
        ("For what", purposes),
        ("How finely", resolution),
        ("Of which time", days),
        ("When in the day", hours),
        ("On what condition", conditions),
    ];
    let changed = parts.iter().filter_map(|(name, part)| {
        let (old, new) = (part(&before), part(&after));
        (old != new).then(|| format!("{name}: {new}; before: {old}."))
    });
    changed.collect()
}

fn effect(rule: &Rule) -> String {
    match rule.effect {
        Effect::Permit => "it permits".to_owned(),
        Effect::Forbid => "it forbids".to_owned(),
    }
}

fn roles(rule: &Rule) -> String {
    one_of(
        rule.roles.iter().map(|role| role.plural().to_owned()),
        "all people",
    )
}

fn relation(rule: &Rule) -> String {
    let clause = rule.relation.map(|relation| relation.clause().to_owned());
    clause.unwrap_or_else(|| "anything".to_owned())
}

fn metrics(rule: &Rule) -> String {
    one_of(rule.metrics.iter().cloned(), "all")
}

fn purposes(rule: &Rule) -> String {
    let words = rule.purposes.iter().map(|one| one.word().replace('_', " "));
    one_of(words, "any purpose")
}

fn resolution(rule: &Rule) -> String {
    match rule.resolution {
        None => "as measured and as statistics",
        Some(Resolution::Raw) => "as measured",
        Some(Resolution::Aggregate) => "as statistics",
    }
    .to_owned()
}

fn days(rule: &Rule) -> String {
    match rule.last_days {
        None => "any".to_owned(),
        Some(1) => "the last day".to_owned(),
        Some(days) => format!("the last {days} days"),
    }
}

fn hours(rule: &Rule) -> String {
    match rule.hours {
        None => "at any hour".to_owned(),
        Some((from, to)) => format!("from {from}:00 to {to}:00 UTC"),
    }
}

fn conditions(rule: &Rule) -> String {
    match (rule.emergency, rule.needs_approval) {
        (false, false) => "none",
        (true, false) => "in an emergency",
        (false, true) => "if a person agrees",
        (true, true) => "in an emergency, and if a person agrees",
    }
    .to_owned()
}

fn one_of(words: impl Iterator<Item = String>, all: &str) -> String {
    let words: Vec<_> = words.collect();
    match words.is_empty() {
        true => all.to_owned(),
        false => words.join(", "),
    }
}

/// The lines of both texts, in order, with as many kept as can be.
pub(super) fn lines(before: &str, after: &str) -> Vec<PolicyLine> {
    let (old, new): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let kept = kept_lines(&old, &new);
    let line = |standing, text: &&str| PolicyLine {
        standing,
        text: (*text).to_owned(),
    };
    let mut lines = Vec::with_capacity(old.len() + new.len());
    let (mut from, mut to) = (0, 0);
    for (at_old, at_new) in kept.into_iter().chain([(old.len(), new.len())]) {
        let (gone, come) = (old.get(from..at_old), new.get(to..at_new));
        let gone = gone.unwrap_or_default().iter();
        let come = come.unwrap_or_default().iter();
        lines.extend(gone.map(|text| line(LineStanding::Removed, text)));
        lines.extend(come.map(|text| line(LineStanding::Added, text)));
        lines.extend(old.get(at_old).map(|text| line(LineStanding::Kept, text)));
        (from, to) = (at_old + 1, at_new + 1);
    }
    lines
}

/// A longest common subsequence: places in both.
fn kept_lines(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    if old.len().saturating_mul(new.len()) > MAX_PAIRS {
        return Vec::new();
    }
    let width = new.len() + 1;
    // How many lines can be kept of what begins at these two places.
    let mut most = vec![0_u32; (old.len() + 1) * width];
    let at = |from: usize, to: usize| from * width + to;
    for (from, one) in old.iter().enumerate().rev() {
        for (to, other) in new.iter().enumerate().rev() {
            most[at(from, to)] = match one == other {
                true => most[at(from + 1, to + 1)] + 1,
                false => most[at(from + 1, to)].max(most[at(from, to + 1)]),
            };
        }
    }
    let (mut kept, mut from, mut to) = (Vec::new(), 0, 0);
    while from < old.len() && to < new.len() {
        if old[from] == new[to] {
            kept.push((from, to));
            (from, to) = (from + 1, to + 1);
        } else if most[at(from + 1, to)] >= most[at(from, to + 1)] {
            from += 1;
        } else {
            to += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    //! Goal: what is other is told, all of it and nothing else; and the lines give back both texts. Method: rules with
    //! one field changed each; arbitrary texts taken apart and put together.

    use std::collections::BTreeSet;

    use ledger_policy::{Purpose, Relation, Role};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_field_that_changes_is_told_alone() {
        let whole = Rule {
            roles: [Role::Nurse].into(),
            ..Rule::new(Effect::Permit)
        };
        let changed: [(&str, Rule); 9] = [
            (
                "What it does: it forbids; before: it permits.",
                Rule {
                    effect: Effect::Forbid,
                    ..whole.clone()
                },
            ),
            (
                "Who: physicians, nurses; before: nurses.",
                Rule {
                    roles: [Role::Nurse, Role::Physician].into(),
                    ..whole.clone()
                },
            ),
            (
                "What they are to the patient: who treat the patient; before: anything.",
                Rule {
                    relation: Some(Relation::Treating),
                    ..whole.clone()
                },
            ),
            (
                "Metrics: 8867-4; before: all.",
                Rule {
                    metrics: ["8867-4".to_owned()].into(),
                    ..whole.clone()
                },
            ),
            (
                "For what: patient request; before: any purpose.",
                Rule {
                    purposes: [Purpose::PatientRequest].into(),
                    ..whole.clone()
                },
            ),
            (
                "How finely: as statistics; before: as measured and as statistics.",
                Rule {
                    resolution: Some(Resolution::Aggregate),
                    ..whole.clone()
                },
            ),
            (
                "Of which time: the last 3 days; before: any.",
                Rule {
                    last_days: Some(3),
                    ..whole.clone()
                },
            ),
            (
                "When in the day: from 8:00 to 18:00 UTC; before: at any hour.",
                Rule {
                    hours: Some((8, 18)),
                    ..whole.clone()
                },
            ),
            (
                "On what condition: in an emergency, and if a person agrees; before: none.",
                Rule {
                    emergency: true,
                    needs_approval: true,
                    ..whole.clone()
                },
            ),
        ];
        assert!(sentences(&whole.to_text(), &whole.to_text()).is_empty());
        for (expected, rule) in changed {
            assert_eq!(sentences(&whole.to_text(), &rule.to_text()), [expected]);
        }
        assert!(
            sentences(
                "permit(principal, action, resource) unless { false };",
                &whole.to_text()
            )
            .is_empty()
        );
    }

    proptest! {
        #[test]
        fn lines_give_back_both_texts(before in "[ab\\n]{0,12}", after in "[ab\\n]{0,12}") {
            let lines = lines(&before, &after);
            let of = |not: LineStanding| -> Vec<_> {
                let lines = lines.iter().filter(|line| line.standing != not);
                lines.map(|line| line.text.clone()).collect()
            };
            prop_assert_eq!(of(LineStanding::Added), before.lines().collect::<Vec<_>>());
            prop_assert_eq!(of(LineStanding::Removed), after.lines().collect::<Vec<_>>());
            if before == after {
                let standings: BTreeSet<_> = lines.iter().map(|line| line.standing as u8).collect();
                prop_assert!(standings.len() <= 1 && !standings.contains(&(LineStanding::Added as u8)));
            }
        }
    }
}
