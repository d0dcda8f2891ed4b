//! Goal: a contract allows what it says and nothing else, says why, and decides alike wherever it is asked.
//! Method: tables of questions, the laws of combining as properties, and the texts that try the stack most.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ledger_policy::{
    CheckedPolicy, Contract, Decision, Effect, MAX_POLICY_BYTES, Purpose, Question, Relation,
    Resolution, Role, decide,
};
use proptest::prelude::*;

const HEART_RATE: &str = "8867-4";
const SPO2: &str = "59408-5";
const DAY: u64 = 86_400_000;
/// Friday, 2026-11-27, 10:00 UTC.
const NOW: u64 = 1_795_773_600_000;

fn policy(name: &str, text: &str) -> CheckedPolicy {
    CheckedPolicy::read(name, text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

fn contract(texts: &[(&str, &str)]) -> Contract {
    Contract::new(texts.iter().map(|(name, text)| policy(name, text)))
}

struct Asker {
    roles: BTreeSet<Role>,
    relations: BTreeSet<Relation>,
}

impl Asker {
    fn new(roles: &[Role], relations: &[Relation]) -> Self {
        Self {
            roles: roles.iter().copied().collect(),
            relations: relations.iter().copied().collect(),
        }
    }

    /// Asks for the raw heart rate of the last day, for treatment.
    fn question(&self) -> Question<'_> {
        Question {
            person: "ada",
            organisation: "clinic",
            roles: &self.roles,
            subject: "s1",
            holder: "harbour",
            metric: HEART_RATE,
            purpose: Purpose::Treatment,
            relations: &self.relations,
            resolution: Resolution::Raw,
            emergency: false,
            now_millis: NOW,
            from_millis: NOW - DAY,
            until_millis: NOW,
        }
    }
}

fn permitted(by: &[&str], needs_approval: bool) -> Decision {
    Decision::Permitted {
        by: by.iter().map(|name| (*name).to_owned()).collect(),
        needs_approval,
    }
}

/// Every attribute that a policy can speak of decides, for and against.
#[test]
fn each_thing_a_policy_speaks_of_decides() {
    let physician = Asker::new(&[Role::Physician], &[Relation::Treating]);
    let ask = |change: fn(&mut Question<'_>)| {
        let mut question = physician.question();
        change(&mut question);
        question
    };
    type Change = fn(&mut Question<'_>);
    let cases: [(&str, Change, Change); 14] = [
        (
            "principal in Role::\"physician\"",
            |_| {},
            |q| q.roles = const { &BTreeSet::new() },
        ),
        (
            "principal in Organisation::\"clinic\"",
            |_| {},
            |q| q.organisation = "harbour",
        ),
        ("principal == Person::\"ada\"", |_| {}, |q| q.person = "eve"),
        ("resource in Subject::\"s1\"", |_| {}, |q| q.subject = "s2"),
        (
            "resource in Organisation::\"harbour\"",
            |_| {},
            |q| q.holder = "clinic",
        ),
        ("resource.metric == \"8867-4\"", |_| {}, |q| q.metric = SPO2),
        (
            "context.purpose == Purpose::\"research\"",
            |q| q.purpose = Purpose::Research,
            |_| {},
        ),
        (
            "context.relations.contains(Relation::\"treating\")",
            |_| {},
            |q| q.relations = const { &BTreeSet::new() },
        ),
        (
            "context.resolution == Resolution::\"aggregate\"",
            |q| q.resolution = Resolution::Aggregate,
            |_| {},
        ),
        ("context.emergency", |q| q.emergency = true, |_| {}),
        ("context.age_days <= 1", |_| {}, |q| q.from_millis -= 1),
        ("context.span_days < 2", |_| {}, |q| q.until_millis += 1),
        (
            "context.hour >= 8 && context.hour < 18",
            |_| {},
            |q| q.now_millis += 8 * 3_600_000,
        ),
        ("context.weekday == 5", |_| {}, |q| q.now_millis += DAY),
    ];
    for (condition, holds, fails) in cases {
        let text = format!("permit(principal, action, resource) when {{ {condition} }};");
        let contract = contract(&[("p", text.as_str())]);
        let decision = |change| decide(&[&contract], &ask(change));
        assert_eq!(decision(holds), permitted(&["p"], false), "{condition}");
        assert_eq!(decision(fails), Decision::NotPermitted, "{condition}");
    }
}

/// What a policy's head says decides as its conditions do, in every form that the head has.
#[test]
fn the_head_decides() {
    let nurse = Asker::new(&[Role::Nurse, Role::Technician], &[]);
    let heads = [
        ("principal", true),
        ("principal is Person", true),
        ("principal == Person::\"ada\"", true),
        ("principal == Person::\"eve\"", false),
        ("principal in Role::\"nurse\"", true),
        ("principal in Role::\"technician\"", true),
        ("principal in Role::\"physician\"", false),
        ("principal is Person in Role::\"nurse\"", true),
        ("principal in Organisation::\"clinic\"", true),
        ("principal in Organisation::\"harbour\"", false),
    ];
    for (head, expected) in heads {
        let text = format!("permit({head}, action == Action::\"read\", resource);");
        let contract = contract(&[("p", text.as_str())]);
        let decision = decide(&[&contract], &nurse.question());
        let is_permitted = decision == permitted(&["p"], false);
        assert_eq!(is_permitted, expected, "{head}: {decision:?}");
    }
}

#[test]
fn contracts_decide_together() {
    let asker = Asker::new(&[Role::Physician], &[]);
    let open = (
        "open",
        "permit(principal in Role::\"physician\", action, resource);",
    );
    let asked = (
        "asked",
        "@approval(\"needed\") permit(principal, action, resource);",
    );
    let withdrawn = (
        "withdrawn",
        "forbid(principal, action, resource in Subject::\"s1\") unless { context.emergency };",
    );
    let overflows = (
        "overflows",
        "forbid(principal, action, resource) when { context.age_days * 9223372036854775807 > 0 };",
    );
    let question = asker.question();
    let mut old = asker.question();
    old.from_millis -= DAY;
    let mut emergency = asker.question();
    emergency.emergency = true;
    let by = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let cases = [
        (vec![], &question, Decision::NotPermitted),
        (vec![open], &question, permitted(&["open"], false)),
        (vec![asked], &question, permitted(&["asked"], true)),
        (
            vec![open, asked],
            &question,
            permitted(&["asked", "open"], false),
        ),
        (
            vec![open, withdrawn],
            &question,
            Decision::Forbidden {
                by: by(&["withdrawn"]),
            },
        ),
        (
            vec![open, withdrawn],
            &emergency,
            permitted(&["open"], false),
        ),
        // A prohibition that cannot be evaluated must not become an allowance.
        (
            vec![open, overflows],
            &old,
            Decision::Failed {
                by: by(&["overflows"]),
            },
        ),
    ];
    for (texts, question, expected) in cases {
        let together = contract(&texts);
        assert_eq!(decide(&[&together], question), expected, "{texts:?}");
        let apart: Vec<_> = texts.iter().map(|text| contract(&[*text])).collect();
        let apart: Vec<_> = apart.iter().collect();
        assert_eq!(
            decide(&apart, question),
            expected,
            "{texts:?} in contracts of their own"
        );
    }
}

/// What is wrong is told with its place.
#[test]
fn a_fault_points_at_its_words() {
    let cases = [
        (
            "permit(principal in Role::\"ph1sician\", action, resource);",
            "ph1sician",
        ),
        (
            "permit(principal, action, resource) when { context.purpose == Purpose::\"fun\" };",
            "fun",
        ),
        (
            "permit(principal, action, resource) when { resource.name == \"Ada\" };",
            "resource.name",
        ),
        (
            "permit(principal, action, resource) when { context.hour == \"9\" };",
            "context.hour",
        ),
        (
            "permit(principal, action, resource) when { context.hour >=< 9 };",
            "<",
        ),
        (
            "permit(principal, action == Action::\"write\", resource);",
            "write",
        ),
    ];
    for (text, words) in cases {
        let faults = CheckedPolicy::read("p", text).unwrap_err();
        let pointed = |fault: &ledger_policy::Fault| text[fault.span.0..fault.span.1].to_owned();
        let pointed: Vec<_> = faults.iter().map(pointed).collect();
        assert!(
            pointed.iter().any(|at| at.contains(words)),
            "{text}: {faults:?}"
        );
        assert!(faults.is_sorted_by_key(|fault| fault.span), "{faults:?}");
        let is_unnamed = |fault: &ledger_policy::Fault| fault.message.contains("policy0");
        assert!(!faults.iter().any(is_unnamed), "{faults:?}");
    }
    let refused = [
        "",
        "permit(principal, action, resource); permit(principal, action, resource);",
        "permit(principal == ?principal, action, resource);",
        "@approval(\"maybe\") permit(principal, action, resource);",
        "@approval(\"needed\") forbid(principal, action, resource);",
        "permit(principal, action, resource) when { false };",
        "\u{0}",
    ];
    for text in refused {
        assert!(CheckedPolicy::read("p", text).is_err(), "{text:?}");
    }
}

#[test]
fn a_consent_speaks_of_its_subject_only() {
    let text = |head: &str| format!("permit(principal, action, {head});");
    let read = |head: &str| CheckedPolicy::read_of_subject("p", &text(head), "s1");
    assert_eq!(
        read("resource in Subject::\"s1\"").unwrap().effect(),
        Effect::Permit
    );
    assert!(read("resource is Part in Subject::\"s1\"").is_ok());
    for head in [
        "resource",
        "resource in Subject::\"s2\"",
        "resource in Organisation::\"s1\"",
    ] {
        let faults = read(head).unwrap_err();
        assert!(faults[0].message.contains("Subject::\"s1\""), "{faults:?}");
    }
}

/// The texts that nest deepest within the limits are decided, on a small stack as on a large one, and what nests
/// deeper is refused.
#[test]
fn depth_overflows_no_stack() {
    // What makes an expression deeper, what stands in the middle, what closes it, what the whole is compared
    // with, and how often that is allowed.
    let deepest = [
        ("(", "true", ")", "", 30),
        ("[", "", "]", "==[]", 30),
        ("{a:", "1", "}", "=={a:1}", 30),
        ("if true then true else ", "true", "", "", 32),
        ("if ", "true", " then true else true", "", 32),
        ("true&&", "true", "", "", 256),
        ("true||", "true", "", "", 256),
        ("1+", "1", "", "==0", 512),
        ("1-", "1", "", "==0", 512),
        ("1*", "1", "", "==0", 512),
        ("", "resource", ".metric", "==1", 512),
        ("(true&&", "true", ")", "", 30),
        ("(if true then ", "true", " else true)", "", 30),
        ("([true].contains", "true", ")", "", 15),
    ];
    let asker = Asker::new(&[Role::Nurse], &[]);
    for (deeper, middle, out, tail, depth) in deepest {
        let text = |depth| {
            let (deeper, out) = (deeper.repeat(depth), out.repeat(depth));
            format!("permit(principal,action,resource)when{{{deeper}{middle}{out}{tail}}};")
        };
        let outcome = || {
            let policy = CheckedPolicy::read("p", &text(depth))?;
            Ok(decide(&[&Contract::new([policy])], &asker.question()))
        };
        let here: Result<_, Vec<ledger_policy::Fault>> = outcome();
        let small = std::thread::Builder::new().stack_size(256 << 10);
        let there = std::thread::scope(|scope| small.spawn_scoped(scope, outcome).unwrap().join());
        assert_eq!(here, there.unwrap(), "{deeper}{middle}{out}");
        let is_too_deep = |faults: &[ledger_policy::Fault]| faults[0].message.contains("at once");
        if let Err(faults) = here {
            assert!(!is_too_deep(&faults), "{deeper}{middle}{out}: {faults:?}");
        }
        let beyond = CheckedPolicy::read("p", &text(depth * 3)).unwrap_err();
        assert!(
            is_too_deep(&beyond) || text(depth * 3).len() > MAX_POLICY_BYTES,
            "{beyond:?}"
        );
    }
    assert!(CheckedPolicy::read("p", &" ".repeat(MAX_POLICY_BYTES + 1)).is_err());
}

/// The schema knows each word that a question can have, and no other.
#[test]
fn the_schema_has_the_words_of_questions() {
    let mut expected = String::new();
    let mut line = |name: &str, words: Vec<&str>| {
        let words: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
        writeln!(expected, "entity {name} enum [{}];", words.join(", ")).unwrap();
    };
    line("Role", Role::ALL.iter().map(|one| one.word()).collect());
    line(
        "Purpose",
        Purpose::ALL.iter().map(|one| one.word()).collect(),
    );
    line(
        "Relation",
        Relation::ALL.iter().map(|one| one.word()).collect(),
    );
    line(
        "Resolution",
        Resolution::ALL.iter().map(|one| one.word()).collect(),
    );
    let lines = ledger_policy::schema_text().lines();
    let found: Vec<_> = lines.filter(|line| line.contains(" enum ")).collect();
    assert_eq!(found, expected.lines().collect::<Vec<_>>());
    assert_eq!(Role::from_word("nurse"), Some(Role::Nurse));
    assert_eq!(Role::from_word("king"), None);
}

fn texts() -> impl Strategy<Value = String> {
    let when = prop::sample::select(vec![
        "context.emergency",
        "resource.metric == \"8867-4\"",
        "context.hour < 12",
        "context.relations.contains(Relation::\"treating\")",
        "context.age_days * 4611686018427387904 > 0",
    ]);
    (prop::bool::ANY, heads(), when).prop_map(|(is_permit, whom, when)| {
        let effect = if is_permit { "permit" } else { "forbid" };
        format!("{effect}({whom}, action, resource) when {{ {when} }};")
    })
}

fn heads() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "principal",
        "principal in Role::\"nurse\"",
        "principal in Role::\"physician\"",
        "principal == Person::\"ada\"",
        "principal in Person::\"ada\"",
        "principal in Organisation::\"clinic\"",
        "principal is Person in Role::\"physician\"",
        "principal is Person in Role::\"nurse\"",
        "principal is Person",
    ])
}

/// Conditions in any order and from any clause, those that fail to evaluate among them.
fn conditions() -> impl Strategy<Value = Vec<&'static str>> {
    let one = prop::sample::select(vec![
        "context.emergency",
        "resource.metric == \"8867-4\"",
        "\"59408-5\" == resource.metric",
        "[\"59408-5\", \"8867-4\"].contains(resource.metric)",
        "(context.emergency || resource.metric == \"59408-5\")",
        "context.relations.contains(Relation::\"treating\")",
        "principal in [Role::\"nurse\", Role::\"physician\"]",
        "context.age_days * 4611686018427387904 > 0",
    ]);
    prop::collection::vec(one, 1..5)
}

proptest! {
    /// What a policy's place says decides as if it were evaluated: behind a condition that is no test of the metric,
    /// could fail and never does, the same is evaluated.
    #[test]
    fn a_place_decides_as_its_policy_does(
        policies in prop::collection::vec((heads(), conditions(), conditions(), 0_usize..3), 1..6),
        emergency in prop::bool::ANY,
        is_pulse in prop::bool::ANY,
    ) {
        let asker = Asker::new(&[Role::Physician], &[Relation::Treating]);
        let metric = if is_pulse { HEART_RATE } else { SPO2 };
        let question = Question { emergency, metric, ..asker.question() };
        let contract = |is_placed: bool| {
            Contract::new(policies.iter().enumerate().map(|(number, (whom, first, second, form))| {
                let [first, second] = [first, second].map(|all| all.join(" && "));
                let (head, first) = match is_placed {
                    true => (*whom, first),
                    false => {
                        let whom = if *whom == "principal" { "true" } else { whom };
                        ("principal", format!("context.hour + 1 > 0 && ({whom}) && {first}"))
                    }
                };
                let text = match form {
                    0 => format!("permit({head}, action, resource) when {{ {first} && ({second}) }};"),
                    1 => format!("forbid({head}, action, resource) when {{ {first} }} unless {{ {second} }};"),
                    _ => format!("permit({head}, action, resource) when {{ {first} }} when {{ {second} }};"),
                };
                policy(&format!("p{number}"), &text)
            }))
        };
        prop_assert_eq!(decide(&[&contract(true)], &question), decide(&[&contract(false)], &question));
    }

    /// However policies are spread over contracts and in whatever order, they decide the same; and more
    /// prohibitions allow nothing more.
    #[test]
    fn spreading_changes_nothing(
        texts in prop::collection::vec(texts(), 0..8),
        split in 0_usize..8,
        emergency in prop::bool::ANY,
        is_nurse in prop::bool::ANY,
    ) {
        let role = if is_nurse { Role::Nurse } else { Role::Physician };
        let asker = Asker::new(&[role], &[Relation::Treating]);
        let question = Question { emergency, ..asker.question() };
        let read: Vec<_> = texts.iter().enumerate().map(|(n, text)| policy(&format!("p{n}"), text)).collect();
        let together = Contract::new(read.clone());
        let (one, two) = read.split_at(split.min(read.len()));
        let apart = [two, one].map(|part| Contract::new(part.iter().rev().cloned()));
        let decision = decide(&[&together], &question);
        prop_assert_eq!(&decision, &decide(&[&apart[0], &apart[1]], &question));
        let never = Contract::new([policy("never", "forbid(principal, action, resource);")]);
        let with = decide(&[&together, &never], &question);
        let is_allowed = matches!(with, Decision::Permitted { .. });
        prop_assert!(!is_allowed);
    }

    /// Any text is read or refused.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        if let Err(faults) = CheckedPolicy::read("p", &text) {
            prop_assert!(!faults.is_empty());
            prop_assert!(faults.iter().all(|fault| fault.span.0 <= fault.span.1 && fault.span.1 <= text.len()));
        }
    }
}
