//! Where a policy begins: rules that hospitals need, each said in a line. What a template writes is the text of a
//! [`Rule`], which the form changes field by field and the editor letter by letter.

use ledger_policy::{Effect, Purpose, Relation, Resolution, Role, Rule};

/// A rule to begin with.
#[derive(Clone, Copy)]
pub struct Template {
    /// The name that the policy gets unless another is written.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// What it does.
    pub about: &'static str,
    rule: fn() -> Rule,
}

impl Template {
    /// The rule.
    #[must_use]
    pub fn rule(&self) -> Rule {
        (self.rule)()
    }
}

/// The templates, what is needed most first; the last one leaves all open.
pub const TEMPLATES: [Template; 7] = [
    Template {
        name: "care-team",
        title: "The care team sees its patients",
        about: "Physicians and nurses, while they treat, everything.",
        rule: || Rule {
            roles: [Role::Physician, Role::Nurse].into(),
            relation: Some(Relation::Treating),
            purposes: [Purpose::Treatment].into(),
            ..Rule::new(Effect::Permit)
        },
    },
    Template {
        name: "consultant-last-day",
        title: "A consultant sees a part",
        about: "Some metrics of the last day, once a person agrees.",
        rule: || Rule {
            roles: [Role::Physician].into(),
            metrics: ["59408-5".to_owned(), "8867-4".to_owned()].into(),
            purposes: [Purpose::Treatment].into(),
            last_days: Some(1),
            needs_approval: true,
            ..Rule::new(Effect::Permit)
        },
    },
    Template {
        name: "own-record",
        title: "Patients see their own record",
        about: "Everything, whenever they ask for it.",
        rule: || Rule {
            roles: [Role::Patient].into(),
            relation: Some(Relation::Oneself),
            purposes: [Purpose::PatientRequest].into(),
            ..Rule::new(Effect::Permit)
        },
    },
    Template {
        name: "research-statistics",
        title: "Research sees statistics",
        about: "Never single values, and only once a person agrees.",
        rule: || Rule {
            roles: [Role::Researcher].into(),
            purposes: [Purpose::Research].into(),
            resolution: Some(Resolution::Aggregate),
            needs_approval: true,
            ..Rule::new(Effect::Permit)
        },
    },
    Template {
        name: "emergency",
        title: "Physicians may break the glass",
        about: "Everything in an emergency; each time is reviewed.",
        rule: || Rule {
            roles: [Role::Physician].into(),
            purposes: [Purpose::Treatment].into(),
            emergency: true,
            ..Rule::new(Effect::Permit)
        },
    },
    Template {
        name: "never-for-payment",
        title: "Nobody sees data for payment",
        about: "A prohibition: no other policy permits what it forbids.",
        rule: || Rule {
            purposes: [Purpose::Payment].into(),
            ..Rule::new(Effect::Forbid)
        },
    },
    Template {
        name: "",
        title: "Something else",
        about: "Begins with everybody and everything.",
        rule: || Rule::new(Effect::Permit),
    },
];

#[cfg(test)]
mod tests {
    //! Goal: what a template writes is what its words say, and the node takes it. Method: each text is read back as
    //! the same rule, passes the check that the ledger makes, and has its sentence in a table.

    use ledger_policy::CheckedPolicy;

    use super::*;
    use crate::words::policies;

    #[test]
    fn templates_are_read_back_and_pass_the_check() {
        let sentences = [
            "Physicians and nurses who treat the patient may see everything, for treatment.",
            "Physicians may see SpO₂ and heart rate, of the last day, for treatment, if a person agrees.",
            "Patients whose own data they are may see everything, for patient request.",
            "Researchers may see statistics of everything, for research, if a person agrees.",
            "Physicians may see everything, for treatment, in an emergency.",
            "All people may not see anything, for payment.",
            "All people may see everything.",
        ];
        assert_eq!(sentences.len(), TEMPLATES.len());
        for (template, sentence) in TEMPLATES.iter().zip(sentences) {
            let rule = template.rule();
            let text = rule.to_text();
            assert_eq!(Rule::from_text(&text).as_ref(), Some(&rule));
            let checked = CheckedPolicy::read("p", &text).unwrap();
            assert_eq!(checked.effect(), rule.effect);
            assert_eq!(checked.needs_approval(), rule.needs_approval);
            assert_eq!(rule.words(policies::metric), sentence);
            let is_open = template.name.is_empty();
            assert!(is_open || policies::is_name(template.name));
        }
    }
}
