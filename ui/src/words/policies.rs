//! What the console says of policies: who, what and why in plain words, and what keeps one from being put in force.

use fog_api::{PolicyFault, PolicyRow};
use ledger_core::access::{MAX_POLICY_NAME_BYTES, is_policy_name};
use ledger_policy::{Purpose, Relation, Resolution, Role, Rule};

use super::number::{capital, count, spelled};
use super::proof::{METRICS, WAVE};
use crate::policy::access::{Change, Part};

/// How a draft that has no name yet is called where the node tells who decides; no policy can be called so.
pub const DRAFT: &str = "(draft)";

/// The metrics that can be chosen by name, with their LOINC codes.
pub fn metrics() -> impl Iterator<Item = (&'static str, &'static str)> {
    METRICS.into_iter().chain([WAVE])
}

/// A metric within a sentence, by its LOINC code; with the code where two have one name.
#[must_use]
pub fn metric(loinc: &str) -> String {
    let Some((_, name)) = metrics().find(|(code, _)| *code == loinc) else {
        return format!("LOINC {loinc}");
    };
    // Abbreviations keep their letters.
    let is_word = !name.chars().skip(1).any(char::is_uppercase) && !name.ends_with('₂');
    let said = match is_word {
        true => name.to_lowercase(),
        false => name.to_owned(),
    };
    match metrics().filter(|(_, other)| *other == name).count() {
        1 => said,
        _ => format!("{said} ({loinc})"),
    }
}

/// The node's words for a text, with metrics by name where they are the words of the rule that writes this text.
#[must_use]
pub fn named(text: &str, told: &str) -> String {
    let rule = Rule::from_text(text).filter(|rule| rule.words(str::to_owned) == told);
    rule.map_or_else(|| told.to_owned(), |rule| rule.words(metric))
}

/// Words as a list in a sentence.
#[must_use]
pub fn listed(words: &[String]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The heading of *Policies*, by how many are in force about this organisation's data.
#[must_use]
pub fn heading(own: usize) -> String {
    match own {
        0 => "Nobody may see anything yet".to_owned(),
        1 => "One policy decides who sees what".to_owned(),
        some => {
            let some = spelled(u64::try_from(some).unwrap_or(u64::MAX));
            format!("{} policies decide who sees what", capital(&some))
        }
    }
}

/// What a policy says in one line of a list.
#[must_use]
pub fn summary(row: &PolicyRow) -> String {
    let told = row.words.as_deref();
    told.map_or_else(
        || "More than plain words can say; read its text.".to_owned(),
        |told| named(&row.text, told),
    )
}

/// A purpose, to be chosen.
#[must_use]
pub const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Treatment => "Treatment",
        Purpose::PatientRequest => "The patient asks",
        Purpose::Research => "Research",
        Purpose::Quality => "Quality",
        Purpose::Payment => "Payment",
    }
}

/// A tie to the patient, to be chosen.
#[must_use]
pub const fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Treating => "Treats the patient",
        Relation::Oneself => "Is the patient",
        Relation::Guardian => "Acts for the patient by law",
    }
}

/// Whether a policy can have this name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    is_policy_name(name)
}

/// What is wrong with the name of a new policy, if `taken` says whether one of this organisation's has it.
#[must_use]
pub fn name_hinders(name: &str, taken: bool) -> Option<String> {
    match () {
        () if name.is_empty() => Some("Give it a name.".to_owned()),
        () if !is_name(name) => Some(format!(
            "A name is at most {MAX_POLICY_NAME_BYTES} of a to z, 0 to 9 and -."
        )),
        () if taken => {
            Some("A policy in force has this name; choose it in the list to change it.".to_owned())
        }
        () => None,
    }
}

/// How many faults a text has; nothing if none.
#[must_use]
pub fn faults(faults: &[PolicyFault]) -> Option<String> {
    let some = u64::try_from(faults.len()).unwrap_or(u64::MAX);
    (some > 0).then(|| {
        format!(
            "{}; it cannot be put in force",
            count(some, "fault", "faults")
        )
    })
}

/// One fault, with its place.
#[must_use]
pub fn fault(fault: &PolicyFault, text: &str) -> (String, String) {
    let (line, column) = fault.line_and_column(text);
    let help = fault.help.as_ref();
    let said = help.map_or_else(
        || fault.message.clone(),
        |help| format!("{} ({help})", fault.message),
    );
    (format!("Line {line}, column {column}"), capital(&said))
}

/// Whom a part is about: `Physicians and nurses who treat the patient`.
#[must_use]
pub fn who(part: &Part) -> String {
    let roles = part.roles();
    let people = match roles.len() == Role::ALL.len() {
        true => "all people".to_owned(),
        false => listed(
            &roles
                .iter()
                .map(|role| role.plural().to_owned())
                .collect::<Vec<_>>(),
        ),
    };
    let relations = part.relations();
    if relations.len() > Relation::ALL.len() {
        return capital(&people);
    }
    let ties = relations.into_iter().map(|relation| {
        relation
            .map_or("with no tie to the patient", Relation::clause)
            .to_owned()
    });
    let ties = ties.collect::<Vec<_>>().join(" or ");
    capital(&format!("{people} {ties}"))
}

/// What a part is about, of the metrics that were asked for by LOINC code.
#[must_use]
pub fn what(part: &Part, metrics: &[String]) -> String {
    let some = metrics.iter().enumerate();
    let some: Vec<_> = some
        .filter(|(place, _)| part.has_metric(*place))
        .map(|(_, code)| metric(code))
        .collect();
    match some.len() == metrics.len() && some.len() > 1 {
        true => "Everything".to_owned(),
        false => capital(&listed(&some)),
    }
}

/// What a part is for and how finely: `For treatment, as statistics, in an emergency`.
#[must_use]
pub fn why(part: &Part) -> String {
    let purposes = part.purposes();
    let mut said = vec![match purposes.len() == Purpose::ALL.len() {
        true => "for any purpose".to_owned(),
        false => {
            let words = purposes.iter().map(|one| one.word().replace('_', " "));
            format!("for {}", listed(&words.collect::<Vec<_>>()))
        }
    }];
    match part.resolutions().as_slice() {
        [Resolution::Raw] => said.push("as measured".to_owned()),
        [Resolution::Aggregate] => said.push("as statistics".to_owned()),
        _ => {}
    }
    match part.glass().as_slice() {
        [true] => said.push("in an emergency".to_owned()),
        [false] => said.push("unless in an emergency".to_owned()),
        _ => {}
    }
    capital(&said.join(", "))
}

/// Which policies decide, by name.
#[must_use]
pub fn by(names: &[String]) -> String {
    let names = names.iter().map(|name| match name == DRAFT {
        true => "your draft".to_owned(),
        false => name.clone(),
    });
    listed(&names.collect::<Vec<_>>())
}

/// What becomes of an answer, as the title of what it becomes of.
#[must_use]
pub const fn change(change: Change) -> &'static str {
    match change {
        Change::Seen => "Newly seen",
        Change::SeenOnceAgreed => "Newly seen, once a person agrees",
        Change::NotSeen => "Not seen any more",
        Change::Freed => "Seen without a person’s agreement",
        Change::Bound => "Seen only once a person agrees",
    }
}

#[cfg(test)]
mod tests {
    //! Goal: sentences say what is meant. Method: tables, and a row whose words are the node's own.

    use fog_api::{PolicyEffect, PolicyOutcome, SimulatedAccess, SimulatedDecision};
    use ledger_policy::Effect;

    use super::*;
    use crate::policy::access::changes;

    #[test]
    fn metrics_are_named_apart() {
        let cases = [
            ("59408-5", "SpO₂"),
            ("8867-4", "heart rate"),
            ("8637-1", "RR interval"),
            ("39156-5", "BMI"),
            ("2339-0", "glucose (2339-0)"),
            ("15074-8", "glucose (15074-8)"),
            ("1-8", "LOINC 1-8"),
        ];
        for (code, said) in cases {
            assert_eq!(metric(code), said);
        }
        let mut said: Vec<_> = metrics().map(|(code, _)| metric(code)).collect();
        let all = said.len();
        said.sort();
        said.dedup();
        assert_eq!(said.len(), all, "no two metrics are said alike");
    }

    fn row(text: &str, words: Option<&str>) -> PolicyRow {
        PolicyRow {
            name: "p".to_owned(),
            organisation: "Harbour".to_owned(),
            is_own: true,
            text: text.to_owned(),
            effect: PolicyEffect::Permit,
            needs_approval: false,
            words: words.map(str::to_owned),
            height: 1,
        }
    }

    /// Names stand in the node's sentence only where it is the sentence of this very text.
    #[test]
    fn words_are_the_nodes() {
        let rule = Rule {
            metrics: ["8867-4".to_owned()].into(),
            ..Rule::new(Effect::Permit)
        };
        let text = rule.to_text();
        let told = "All people may see 8867-4.";
        assert_eq!(
            summary(&row(&text, Some(told))),
            "All people may see heart rate."
        );
        assert_eq!(summary(&row(&text, Some("Otherwise."))), "Otherwise.");
        assert_eq!(summary(&row("// x", Some(told))), told);
        assert!(summary(&row(&text, None)).starts_with("More than"));
    }

    #[test]
    fn names_and_counts_are_said() {
        assert_eq!(heading(0), "Nobody may see anything yet");
        assert_eq!(heading(1), "One policy decides who sees what");
        assert_eq!(heading(5), "Five policies decide who sees what");
        assert_eq!(name_hinders("care-team", false), None);
        for (name, taken) in [("", false), ("Care team", false), ("care-team", true)] {
            assert!(name_hinders(name, taken).is_some(), "{name}");
        }
        assert_eq!(faults(&[]), None);
        let one = PolicyFault {
            message: "unknown role".to_owned(),
            help: Some("did you mean nurse?".to_owned()),
            from: 3,
            to: 4,
        };
        assert_eq!(
            fault(&one, "a\nb c"),
            (
                "Line 2, column 2".to_owned(),
                "Unknown role (did you mean nurse?)".to_owned()
            )
        );
        assert_eq!(
            faults(&[one]).as_deref(),
            Some("1 fault; it cannot be put in force")
        );
        assert_eq!(by(&["a".to_owned(), DRAFT.to_owned()]), "a and your draft");
    }

    /// Rows of one role and metric for each relation, purpose, resolution and glass that is meant.
    fn parts(
        relations: &[Option<&str>],
        purposes: &[&str],
        resolutions: &[&str],
        glass: &[bool],
    ) -> Vec<Part> {
        let decision = |outcome| SimulatedDecision {
            outcome,
            by: vec!["p".to_owned()],
        };
        let mut rows = Vec::new();
        for relation in relations {
            for purpose in purposes {
                for resolution in resolutions {
                    for emergency in glass {
                        rows.push(SimulatedAccess {
                            metric: "8867-4".to_owned(),
                            role: "nurse".to_owned(),
                            relation: relation.map(str::to_owned),
                            purpose: (*purpose).to_owned(),
                            resolution: (*resolution).to_owned(),
                            emergency: *emergency,
                            now: decision(PolicyOutcome::NotPermitted),
                            then: decision(PolicyOutcome::Permitted),
                        });
                    }
                }
            }
        }
        let found = changes(&rows, &["59408-5".to_owned(), "8867-4".to_owned()]).unwrap();
        found.into_iter().map(|(_, part)| part).collect()
    }

    #[test]
    fn parts_are_said() {
        let all: Vec<_> = Purpose::ALL.iter().map(|one| one.word()).collect();
        let ties = [None, Some("treating"), Some("self"), Some("guardian")];
        let both = ["raw", "aggregate"];
        let asked = ["59408-5".to_owned(), "8867-4".to_owned()];
        let found = parts(&ties, &all, &both, &[false, true]);
        let [part] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(who(part), "Nurses");
        assert_eq!(what(part, &asked), "Heart rate");
        assert_eq!(what(part, &asked[..1]), "");
        assert_eq!(why(part), "For any purpose");
        let some = ["patient_request", "research"];
        let found = parts(&[Some("treating"), None], &some, &["aggregate"], &[true]);
        let [part] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            who(part),
            "Nurses with no tie to the patient or who treat the patient"
        );
        assert_eq!(
            why(part),
            "For patient request and research, as statistics, in an emergency"
        );
        let found = parts(&[None], &["payment"], &["raw"], &[false]);
        assert_eq!(
            why(&found[0]),
            "For payment, as measured, unless in an emergency"
        );
    }
}
