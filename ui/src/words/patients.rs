//! What the console says of patients.

use fog_api::Patient;

use super::number::{capital, thousands};

/// The answer to *who is here?*
#[must_use]
pub fn heading(all: u64, wearing: u64) -> String {
    match (all, wearing) {
        (0, _) => "No patient is written down yet".to_owned(),
        (1, 0) => "One patient, who wears no device".to_owned(),
        (1, _) => "One patient, who wears a device".to_owned(),
        (_, 0) => format!("{} patients, none wears a device", thousands(all)),
        (_, 1) => format!("{} patients, one wears a device", thousands(all)),
        _ => format!(
            "{} patients, {} wear devices",
            thousands(all),
            thousands(wearing)
        ),
    }
}

/// What tells patients of one name apart.
#[must_use]
pub fn about(patient: &Patient) -> String {
    let born = patient.born.as_ref().map(|born| format!("born {born}"));
    let parts: Vec<_> = patient.number.iter().cloned().chain(born).collect();
    parts.join(" · ")
}

/// Who is chosen, told so that nobody is mixed up.
#[must_use]
pub fn chosen(patient: &Patient) -> String {
    match about(patient).as_str() {
        "" => format!("Chosen: {}", patient.name),
        about => format!("Chosen: {} · {about}", patient.name),
    }
}

/// How many more there are than are listed.
#[must_use]
pub fn left(found: u64, listed: usize) -> Option<String> {
    let left = found.checked_sub(listed as u64).filter(|left| *left > 0)?;
    Some(format!(
        "{} more; write more of the name or number",
        thousands(left)
    ))
}

/// A purpose of a policy, for people.
#[must_use]
pub fn purpose(word: &str) -> String {
    match word {
        "patient_request" => "Patient’s request".to_owned(),
        other => capital(other),
    }
}

/// What a record is of, for those who cannot see the plots.
#[must_use]
pub fn record(points: usize, period: &str) -> String {
    match points {
        0 => format!("Nothing was measured in the {period}."),
        1 => format!("One point in the {period}."),
        _ => format!("{} points in the {period}.", thousands(points as u64)),
    }
}

/// Whether a device can be given to a patient: its data count, and nobody wears it.
#[must_use]
pub fn is_free(device: &fog_api::Device) -> bool {
    device.assigned_to.is_none() && device.standing.refusal().is_none()
}

#[cfg(test)]
mod tests {
    //! Goal: numbers of people read as a person says them. Method: a table.

    use super::*;

    #[test]
    fn the_heading_counts_as_people_do() {
        for (all, wearing, expected) in [
            (0, 0, "No patient is written down yet"),
            (1, 0, "One patient, who wears no device"),
            (1, 1, "One patient, who wears a device"),
            (2, 0, "2 patients, none wears a device"),
            (2, 1, "2 patients, one wears a device"),
            (4_417, 12, "4\u{202f}417 patients, 12 wear devices"),
        ] {
            assert_eq!(heading(all, wearing), expected);
        }
    }

    #[test]
    fn what_tells_them_apart_is_what_is_known() {
        let patient = |number: Option<&str>, born: Option<&str>| Patient {
            id: String::new(),
            name: "Ana".into(),
            number: number.map(str::to_owned),
            born: born.map(str::to_owned),
            since: 0,
            devices: Vec::new(),
        };
        assert_eq!(
            about(&patient(Some("P-1"), Some("1957-03-14"))),
            "P-1 · born 1957-03-14"
        );
        assert_eq!(about(&patient(None, None)), "");
        assert_eq!(chosen(&patient(None, None)), "Chosen: Ana");
        assert_eq!(chosen(&patient(Some("P-1"), None)), "Chosen: Ana · P-1");
        assert_eq!((left(3, 3), left(0, 3)), (None, None));
        assert_eq!(
            left(4, 3).as_deref(),
            Some("1 more; write more of the name or number")
        );
        assert_eq!(purpose("patient_request"), "Patient’s request");
        assert_eq!(purpose("treatment"), "Treatment");
    }
}
