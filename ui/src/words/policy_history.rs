//! What became of a policy, in words.

use fog_api::{AccessState, PolicyChange, PolicyDecision, PolicyVersion};

use super::number::thousands;
use super::policies::{metric, named};

/// What was done with it.
#[must_use]
pub const fn change(change: PolicyChange) -> &'static str {
    match change {
        PolicyChange::Put => "Put in force",
        PolicyChange::Changed => "Changed",
        PolicyChange::Removed => "Put out of force",
        PolicyChange::Unknown => "Put in force; what was before is not known here",
    }
}

/// What a version says and what was other before, a sentence each, with metrics by name.
#[must_use]
pub fn version(version: &PolicyVersion) -> Vec<String> {
    let text = version.text.as_deref().unwrap_or_default();
    let said = match (&version.words, &version.text) {
        (Some(told), _) => Some(named(text, told)),
        (None, Some(_)) => Some("More than plain words can say; read its text.".to_owned()),
        (None, None) => None,
    };
    let other = version.difference.iter().map(|sentence| {
        sentence
            .split(' ')
            .map(|word| {
                let code = word.trim_end_matches([',', ';', '.']);
                match is_loinc(code) {
                    true => word.replacen(code, &metric(code), 1),
                    false => word.to_owned(),
                }
            })
            .collect::<Vec<_>>()
            .join(" ")
    });
    said.into_iter().chain(other).collect()
}

/// Whether a word has the form of a LOINC code: digits, a hyphen, a check digit.
fn is_loinc(word: &str) -> bool {
    let parts = word.split_once('-');
    parts.is_some_and(|(number, check)| {
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && check.len() == 1
            && check.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Who asked, with her organisation.
#[must_use]
pub fn asker(row: &PolicyDecision) -> String {
    let person = &row.person;
    let short = person.handle.get(..8).unwrap_or(&person.handle);
    let name = person.name.as_deref().unwrap_or(short);
    format!("{name} · {}", person.organisation)
}

/// What was decided.
#[must_use]
pub const fn decided(state: AccessState) -> &'static str {
    match state {
        AccessState::Granted => "Granted",
        AccessState::Waiting => "Left to a person",
        _ => "Denied",
    }
}

/// Receipts and the readings in them.
#[must_use]
pub fn receipts(count: usize, readings: u64) -> String {
    match count {
        0 => "none".to_owned(),
        some => format!("{some}, of {} readings", thousands(readings)),
    }
}

#[cfg(test)]
mod tests {
    //! Goal: what a version says names metrics as people do. Method: one version that changes a metric.

    use super::*;

    #[test]
    fn metrics_have_names() {
        let said = version(&PolicyVersion {
            height: 3,
            time: 0,
            transaction: None,
            key: String::new(),
            change: PolicyChange::Changed,
            text: Some("permit(principal, action, resource) unless { false };".to_owned()),
            words: None,
            difference: vec!["Metrics: 8867-4, 59408-5; before: 8867-4.".to_owned()],
            lines: Vec::new(),
        });
        assert_eq!(said[0], "More than plain words can say; read its text.");
        let (rate, oxygen) = (metric("8867-4"), metric("59408-5"));
        assert_eq!(
            said[1],
            format!("Metrics: {rate}, {oxygen}; before: {rate}.")
        );
        assert_eq!(receipts(0, 0), "none");
        assert_eq!(decided(AccessState::Waiting), "Left to a person");
    }
}
