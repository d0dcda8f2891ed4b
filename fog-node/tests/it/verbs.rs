//! Goal: each verb of the command line says to each role what it should, by its exit code and the code of the refusal;
//! and nothing to who has no open session. Method: the verbs are those of the program's own tree of commands, so that
//! none is forgotten; the program itself, run as one of its users after the other against a real node; one call of
//! each verb, whose outcome is written down by hand.

use std::path::Path;

use fog_api::Role;
use fog_node::cli;
use serde_json::Value;

use crate::desk::Desk;
use crate::permissions::letter;
use crate::program::{Running, wait_for};
use crate::signing::Human;

const EVERYBODY: &str = "apntruz";
const READERS: &str = "apntru";
const WARD: &str = "apnt";
const HANDS: &str = "ant";
const CARE: &str = "pn";

/// Verbs that open and end sessions; `people_cli.rs` looks at them.
const SIGNING: [&str; 2] = ["login", "logout"];

/// A verb, arguments, who may, and what those are answered: exit code, and the code of a refusal. In arguments, `@` is
/// the folder of the test's files.
const VERBS: &[(&str, &str, &str, i32, &str)] = &[
    (
        "user add",
        "spare --role nurse --passphrase-file @/words",
        "a",
        1,
        "PPL-02",
    ),
    ("user list", "", "au", 0, ""),
    ("user roles", "spare nurse", "a", 0, ""),
    (
        "user rotate",
        "--passphrase-file @/wrong --new-passphrase-file @/words",
        EVERYBODY,
        1,
        "AUTH-02",
    ),
    (
        "user totp",
        "spare --new-passphrase-file @/words",
        "a",
        0,
        "",
    ),
    ("user revoke", "gone", "a", 0, ""),
    ("status", "", READERS, 0, ""),
    ("devices", "", WARD, 0, ""),
    ("device list", "", WARD, 0, ""),
    ("device show", "none", WARD, 1, "API-04"),
    ("device scan", "--seconds 1", WARD, 1, "BLE-01"),
    ("device pair", "@/none --profile none", HANDS, 1, "DEV-03"),
    (
        "device provision",
        "@/none --code-file @/words",
        HANDS,
        1,
        "DEV-20",
    ),
    ("device identify", "none", HANDS, 1, "DEV-11"),
    ("device selftest", "none", HANDS, 1, "API-04"),
    ("device assign", "none --to none", CARE, 1, "PAT-04"),
    ("device unassign", "none", CARE, 1, "API-04"),
    ("device place", "none --nowhere", HANDS, 1, "API-04"),
    ("device suspend", "none", HANDS, 1, "API-04"),
    ("device resume", "none", HANDS, 1, "API-04"),
    ("device retire", "none", HANDS, 1, "API-04"),
    ("device unpair", "none", HANDS, 1, "API-04"),
    ("device handover", "none --to none", HANDS, 1, "API-04"),
    ("device incoming", "", WARD, 0, ""),
    ("device take", "none", HANDS, 1, "HAND-01"),
    ("device roaming", "", WARD, 0, ""),
    ("device registry", "", WARD, 0, ""),
    ("device enrol", "@/key", HANDS, 1, "PUSH-03"),
    ("device interactions", "", WARD, 0, ""),
    ("device ask", "none none", HANDS, 1, "API-04"),
    ("device allow", "none", HANDS, 1, "API-04"),
    ("device deny", "none", HANDS, 1, "API-04"),
    ("patient add", "Somebody", CARE, 0, ""),
    ("patient change", "none --name Another", CARE, 1, "PAT-04"),
    ("patient list", "", CARE, 0, ""),
    ("patient show", "none", CARE, 1, "PAT-04"),
    ("patient assign", "none none", CARE, 1, "PAT-04"),
    (
        "patient consent give",
        "none --words @/words --policy @/policy --witness Otto",
        CARE,
        1,
        "PAT-04",
    ),
    ("patient consent list", "none", CARE, 1, "PAT-04"),
    ("patient consent withdraw", "none none", CARE, 1, "PAT-04"),
    ("patient readings", "none", CARE, 1, "PAT-04"),
    ("patient link", "none none", CARE, 1, "PAT-04"),
    ("patient unlink", "none", CARE, 1, "PAT-04"),
    ("patient team add", "none none", CARE, 1, "PAT-04"),
    ("patient team end", "none none", CARE, 1, "PAT-04"),
    ("erase", "--device none --confirm none", "a", 1, "API-04"),
    ("readings", "--device none", CARE, 1, "API-04"),
    ("blocks", "", READERS, 0, ""),
    ("proof", "none -o @/proof", CARE, 1, "READ-01"),
    ("genesis", "-o @/genesis", READERS, 0, ""),
    ("light", "--genesis @/genesis", READERS, 0, ""),
    ("consortium invite", "", "a", 1, "GOV-06"),
    ("consortium status", "", READERS, 0, ""),
    (
        "consortium propose",
        "{\"kind\":\"remove_validator\",\"node\":\"3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"} --force",
        "a",
        1,
        "GOV-05",
    ),
    ("consortium vote", "7 --approve", "a", 1, "API-04"),
    ("consortium proposals", "", READERS, 0, ""),
    ("consortium leave", "--force", "a", 1, "GOV-05"),
    ("policy list", "", READERS, 0, ""),
    ("policy put", "nurses @/policy", "a", 0, ""),
    ("policy retract", "none", "a", 1, "API-04"),
    ("policy history", "none", READERS, 1, "API-04"),
    ("policy simulate", "--metric 8867-4", READERS, 0, ""),
    (
        "access request",
        "7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b --metric 8867-4",
        EVERYBODY,
        1,
        "",
    ),
    ("access list", "", EVERYBODY, 0, ""),
    ("access show", "none", EVERYBODY, 1, "API-04"),
    ("access read", "none", EVERYBODY, 1, "API-04"),
    ("access approve", "none", "ap", 1, "API-04"),
    ("access deny", "none", "ap", 1, "API-04"),
    ("access revoke", "none", EVERYBODY, 1, "API-04"),
    (
        "access break-glass",
        "7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b --metric 8867-4 --reason Unconscious",
        CARE,
        1,
        "",
    ),
    (
        "access grant",
        "none 7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b --metric 8867-4",
        "ap",
        1,
        "ACC-01",
    ),
    ("access review", "none --justified", "ap", 1, "API-04"),
    ("audit query", "", "au", 0, ""),
    ("audit patient", "none", CARE, 1, "PAT-04"),
    ("audit bundle", "--out @/bundle", "au", 0, ""),
    ("audit settle", "none --reason Restored", "au", 1, "API-04"),
];

/// The verbs below a command that ask a node as somebody, which is what `--as` is for.
fn verbs(command: &clap::Command, path: &str, found: &mut Vec<String>) {
    let mut below = command
        .get_subcommands()
        .filter(|one| one.get_name() != "help")
        .peekable();
    let asks = |argument: &clap::Arg| argument.get_long() == Some("as");
    if below.peek().is_none() && command.get_arguments().any(asks) {
        found.push(path.to_owned());
    }
    for one in below {
        let path = format!("{path} {}", one.get_name());
        verbs(one, path.trim_start(), found);
    }
}

#[test]
fn every_verb_has_its_expectation() {
    let mut all = Vec::new();
    verbs(&cli::command(), "", &mut all);
    let expected = VERBS.iter().map(|(verb, ..)| *verb).chain(SIGNING);
    let mut expected: Vec<_> = expected.map(str::to_owned).collect();
    all.sort();
    expected.sort();
    assert_eq!(all, expected);
}

/// Runs a verb; its exit code, and the code of the refusal.
fn run(desk: &Desk, files: &Path, who: &[&str], verb: &str, arguments: &str) -> (i32, String) {
    let arguments = arguments.replace('@', files.to_str().unwrap());
    let words = verb.split(' ').chain(arguments.split(' '));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let (exit, _, complaint) = desk.run(&[&words[..], who].concat());
    let code = complaint.rsplit_once('(').map(|(_, rest)| rest);
    let code = code
        .and_then(|rest| rest.split_once(')'))
        .map(|(code, _)| code);
    let is_code = |code: &&str| {
        let digits = code.rsplit_once('-').map_or("", |(_, digits)| digits);
        digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    (exit, code.filter(is_code).unwrap_or_default().to_owned())
}

/// Somebody registered by anna, the admin.
fn add(desk: &Desk, login: &str, role: &str, more: &[&str]) -> Human {
    desk.add(login, role, &[&["--as", "anna"][..], more].concat())
}

#[test]
fn each_role_is_told_what_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    for (name, text) in [
        ("words", "four words nobody knows"),
        ("wrong", "four words that are wrong"),
        ("policy", crate::access::NURSES),
        ("key", "no key"),
    ] {
        std::fs::write(files.join(name), text).unwrap();
    }
    let node = Running::start(&folder.path().join("data"), &[]);
    let address = node.address();
    let desk = Desk::new(&address);
    let mut anna = desk.add("anna", "admin", &[]);
    desk.login_by_recovery(&mut anna);
    let mut people: Vec<_> = Role::ALL
        .into_iter()
        .filter(|role| *role != Role::Admin)
        .map(|role| {
            (
                role,
                add(&desk, &format!("the-{}", role.name()), role.name(), &[]),
            )
        })
        .collect();
    people.push((Role::Admin, anna));
    let every = Role::ALL.map(|role| role.name());
    let every: Vec<_> = every.iter().flat_map(|role| ["--role", *role]).collect();
    let [mut lena, mut rhea] = ["lena", "rhea"].map(|login| add(&desk, login, "nurse", &every));
    for spare in ["spare", "gone"] {
        add(&desk, spare, "nurse", &[]);
    }
    wait_for("everybody on the ledger", || {
        let all = desk.ask(&["user", "list", "--as", "anna"]);
        let mut all = all.as_array().unwrap().iter();
        all.all(|one| one["ledger"]["standing"] == "on_ledger")
            .then_some(())
    });
    let mut wrong = Vec::new();
    for (role, human) in &mut people {
        desk.login_by_recovery(human);
        let who = ["--as", human.person.login.as_str()];
        for (verb, arguments, may, exit, code) in VERBS {
            let expected = match may.contains(letter(*role)) {
                true => (*exit, (*code).to_owned()),
                false => (1, "AUTH-04".to_owned()),
            };
            let said = run(&desk, &files, &who, verb, arguments);
            if said != expected {
                wrong.push(format!("{role} {verb}: {said:?}, not {expected:?}"));
            }
        }
    }

    // Whose roles change is locked; who is revoked is out; who never signed in is nobody.
    let (_, anna) = people.last_mut().unwrap();
    for human in [&mut lena, &mut rhea, anna] {
        desk.login_by_recovery(human);
    }
    let locked: Value = desk.ask(&["user", "roles", "lena", "technician", "--as", "anna"]);
    assert_eq!(locked["roles"], serde_json::json!(["technician"]));
    desk.ask(&["user", "revoke", "rhea", "--as", "anna"]);
    let outside = Desk::new(&address);
    for (desk, who, code) in [
        (&desk, &["--as", "lena"][..], "AUTH-03"),
        (&desk, &["--as", "rhea"], "AUTH-01"),
        (&outside, &[], "AUTH-01"),
    ] {
        for (verb, arguments, ..) in VERBS {
            let said = run(desk, &files, who, verb, arguments);
            if said != (2, code.to_owned()) {
                wrong.push(format!("{who:?} {verb}: {said:?}, not (2, {code:?})"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(node.terminate().success());
}
