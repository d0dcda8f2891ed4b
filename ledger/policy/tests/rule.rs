//! Goal: a rule's text means what its words say. Method: every rule is read back from its text and passes the
//! check; a text that no rule writes is none; sentences from a table; and each field decides as it says.

use std::collections::BTreeSet;

use ledger_policy::{CheckedPolicy, Effect, Purpose, Relation, Resolution, Role, Rule};
use proptest::prelude::*;

fn some_of<T: Copy + Ord + std::fmt::Debug + 'static>(
    all: &'static [T],
) -> impl Strategy<Value = BTreeSet<T>> {
    prop::sample::subsequence(all, 0..=all.len()).prop_map(|some| some.into_iter().collect())
}

prop_compose! {
    fn rules()(
        is_permit in prop::bool::ANY,
        roles in some_of(Role::ALL),
        relation in prop::option::of(prop::sample::select(Relation::ALL)),
        metrics in some_of(&["59408-5", "8867-4", "8310-5", "2708-6"]),
        purposes in some_of(Purpose::ALL),
        resolution in prop::option::of(prop::sample::select(Resolution::ALL)),
        last_days in prop::option::of(1_u32..4000),
        hours in prop::option::of((0_u8..24, 0_u8..25)),
        emergency in prop::bool::ANY,
        needs_approval in prop::bool::ANY,
    ) -> Rule {
        Rule {
            effect: if is_permit { Effect::Permit } else { Effect::Forbid },
            roles,
            relation,
            metrics: metrics.into_iter().map(str::to_owned).collect(),
            purposes,
            resolution,
            last_days,
            hours,
            emergency,
            needs_approval: needs_approval && is_permit,
        }
    }
}

proptest! {
    #[test]
    fn a_rule_is_read_back_from_its_text(rule in rules()) {
        let text = rule.to_text();
        prop_assert_eq!(Rule::from_text(&text), Some(rule.clone()));
        let checked = CheckedPolicy::read("p", &text);
        prop_assert!(checked.is_ok(), "{}: {:?}", text, checked);
        let checked = checked.unwrap();
        prop_assert_eq!(checked.effect(), rule.effect);
        prop_assert_eq!(checked.needs_approval(), rule.needs_approval);
    }

    /// Whatever is changed in a text, it is another rule's or none's: never the same words.
    #[test]
    fn an_altered_text_has_no_such_words(rule in rules(), at in any::<prop::sample::Index>(), letter in "[ -~]") {
        let mut text = rule.to_text();
        let at = at.index(text.len());
        let before = text.clone();
        text.replace_range(at..=at, &letter);
        prop_assume!(text != before);
        prop_assert_ne!(Rule::from_text(&text), Some(rule));
    }
}

#[test]
fn words_say_what_a_rule_means() {
    let all = Rule::new(Effect::Permit);
    let nurses = Rule {
        roles: [Role::Nurse, Role::Physician].into(),
        relation: Some(Relation::Treating),
        metrics: ["59408-5".into(), "8867-4".into()].into(),
        purposes: [Purpose::Treatment].into(),
        last_days: Some(3),
        hours: Some((7, 19)),
        ..all.clone()
    };
    let research = Rule {
        roles: [Role::Researcher].into(),
        purposes: [Purpose::Research, Purpose::Quality].into(),
        resolution: Some(Resolution::Aggregate),
        last_days: Some(1),
        needs_approval: true,
        ..all.clone()
    };
    let never = Rule {
        relation: Some(Relation::Guardian),
        emergency: true,
        resolution: Some(Resolution::Raw),
        ..Rule::new(Effect::Forbid)
    };
    let cases = [
        (all, "All people may see everything."),
        (
            nurses,
            "Physicians and nurses who treat the patient may see SpO2 and pulse, of the last 3 days, for treatment, \
             from 7:00 to 19:00 UTC.",
        ),
        (
            research,
            "Researchers may see statistics of everything, of the last day, for research and quality, if a person \
             agrees.",
        ),
        (
            never,
            "All people who act for the patient by law may not see anything as measured, in an emergency.",
        ),
    ];
    let metric = |code: &str| {
        if code == "8867-4" {
            "pulse".to_owned()
        } else {
            "SpO2".to_owned()
        }
    };
    for (rule, words) in cases {
        assert_eq!(rule.words(metric), words);
    }
}

#[test]
fn other_texts_are_no_rules() {
    for text in [
        "",
        "permit(principal, action, resource);",
        "permit(principal, action, resource) when { context.emergency };\n",
        "permit(principal, action, resource)\nwhen {\n    context.emergency ||\n    context.hour < 3\n};\n",
        "// all\npermit(principal, action, resource);\n",
        "@approval(\"needed\")\n@approval(\"needed\")\npermit(principal, action, resource);\n",
    ] {
        assert_eq!(Rule::from_text(text), None, "{text:?}");
    }
}
