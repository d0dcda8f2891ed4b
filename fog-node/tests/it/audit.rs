//! Goal: whoever may read the access log finds in it all that concerns her organisation, by patient, person, device,
//! period, purpose and outcome, denials, broken glasses and readings of the log among it; nobody else finds anything, and
//! who reads is an entry before she is answered. Method: the program itself, as several people at one node and at two
//! nodes of two organisations; what is expected stands here by hand.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json as value};

use crate::access::{is_clean, put, refused, register};
use crate::consortium::Hospitals;
use crate::desk::Desk;
use crate::program::{Running, fogward, json, text, wait_for};
use crate::signing::Human;

const HEART_RATE: &str = "8867-4";
const TREATING: &str = "permit(principal in Role::\"nurse\", action, resource)\nwhen { \
     context.relations.contains(Relation::\"treating\") };";
const EMERGENCY: &str = "permit(principal, action, resource) when { context.emergency };";
const NAME: &str = "Zacharias Quint";
const NUMBER: &str = "KLINIK-4417";
const DAY: u64 = 24 * 3_600_000;

/// The entries of an answer.
fn entries(page: &Value) -> &[Value] {
    page["entries"].as_array().unwrap()
}

/// What came of each.
fn outcomes(page: &Value) -> Vec<&str> {
    let entries = entries(page).iter();
    entries
        .map(|row| row["outcome"].as_str().unwrap())
        .collect()
}

fn numbers(page: &Value) -> Vec<u64> {
    let entries = entries(page).iter();
    entries.map(|row| row["number"].as_u64().unwrap()).collect()
}

/// Her handle on the ledger for a purpose, now.
fn handle_of(desk: &Desk, patient: &str, purpose: &str) -> String {
    let shown = desk.ask(&["patient", "show", patient, "--as", "nina"]);
    let mut handles = shown["handles"].as_array().unwrap().iter();
    let found = handles.find(|handle| handle["purpose"] == purpose);
    found.unwrap()["handle"].as_str().unwrap().to_owned()
}

#[test]
fn those_who_audit_find_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &["--demo=2".into()]);
    let desk = Desk::new(&node.address());
    let people = [
        ("anna", "admin"),
        ("nina", "nurse"),
        ("uma", "auditor"),
        ("tom", "technician"),
    ];
    let mut humans = register(&desk, &people);
    put(&desk, Some("anna"), "treating", TREATING);
    put(&desk, Some("anna"), "emergency", EMERGENCY);
    let add = ["patient", "add", NAME, "--number", NUMBER, "--as", "nina"];
    let patient = desk.ask(&add)["id"].as_str().unwrap().to_owned();
    desk.ask(&[
        "patient",
        "add",
        "Somebody Else",
        "--number",
        "2",
        "--as",
        "nina",
    ]);
    let devices = desk.ask(&["device", "list", "--as", "tom"]);
    let device = devices[0]["id"].as_str().unwrap().to_owned();
    let other_device = devices[1]["id"].as_str().unwrap().to_owned();
    wait_for("the registration", || {
        let shown = desk.ask(&["device", "show", &device, "--as", "tom"]);
        shown["registered_height"].as_u64()
    });
    desk.ask(&["patient", "assign", NUMBER, &device, "--as", "nina"]);
    let worn_since = {
        let shown = desk.ask(&["patient", "show", NUMBER, "--as", "nina"]);
        shown["worn"][0]["since"].as_u64().unwrap()
    };

    let hers = handle_of(&desk, NUMBER, "treatment");
    let for_quality = handle_of(&desk, NUMBER, "quality");
    let of_other = handle_of(&desk, "2", "treatment");
    let ask = |subject: &str, more: &[&str]| {
        let asked = [
            "access", "request", subject, "--metric", HEART_RATE, "--as", "nina",
        ];
        let (_, row, complaint) = desk.run(&[&asked[..], more].concat());
        assert!(row["handle"].is_string(), "{complaint}");
        row
    };
    let granted = ask(&hers, &["--relation", "treating"]);
    ask(&for_quality, &["--purpose", "quality"]);
    ask(&of_other, &["--relation", "treating"]);
    // Of a year before anybody wore anything.
    let before = [(worn_since - 365 * DAY), (worn_since - 364 * DAY)].map(|one| one.to_string());
    let long_ago = [
        "--relation",
        "treating",
        "--from",
        &before[0],
        "--until",
        &before[1],
    ];
    ask(&hers, &long_ago);
    let broken = desk.ask(&[
        "access",
        "break-glass",
        &hers,
        "--metric",
        HEART_RATE,
        "--reason",
        "Found unconscious",
        "--as",
        "nina",
    ]);
    let request = granted["handle"].as_str().unwrap();
    desk.ask(&["access", "revoke", request, "--as", "anna"]);
    let emergency = broken["handle"].as_str().unwrap();
    desk.ask(&["access", "review", emergency, "--justified", "--as", "anna"]);

    // All of it, the last first; that she reads it is there before her answer is.
    let query = |who: &str, more: &[&str]| {
        let asked = ["audit", "query", "--as", who];
        desk.ask(&[&asked[..], more].concat())
    };
    let page = query("uma", &[]);
    let expected = [
        "read", "reviewed", "ended", "granted", "granted", "granted", "denied", "granted",
    ];
    assert_eq!(outcomes(&page)[..8], expected, "{page}");
    assert!(
        outcomes(&page)[8..]
            .iter()
            .all(|outcome| *outcome == "changed")
    );
    assert_eq!(entries(&page).len(), 8 + 2 + 4, "two policies, four people");
    let own = &entries(&page)[0];
    assert_eq!(own["height"], page["recorded_height"]);
    assert_eq!(own["signer"]["name"], "uma Featherstone");
    assert!(
        own["words"]
            .as_str()
            .unwrap()
            .ends_with("read the access log. Asked for: everything.")
    );
    assert_eq!(
        (&page["next"], &page["first_held"]),
        (&Value::Null, &value!(0))
    );
    let words = entries(&page)[2]["words"].as_str().unwrap();
    assert!(
        words.starts_with("anna Featherstone (")
            && words.contains(" ended what nina Featherstone ("),
        "{words}"
    );

    // Pages are one reading, and so is the same question again.
    let (mut paged, mut next) = (Vec::new(), None);
    loop {
        let before: Vec<String> = next.iter().map(|next: &u64| next.to_string()).collect();
        let more: Vec<_> = before.iter().flat_map(|next| ["--before", next]).collect();
        let page = query("uma", &[&["--limit", "4"][..], &more].concat());
        paged.extend(numbers(&page));
        next = page["next"].as_u64();
        if next.is_none() {
            break;
        }
    }
    assert_eq!(paged, numbers(&page));
    let read = |page: &Value| {
        outcomes(page)
            .iter()
            .filter(|outcome| **outcome == "read")
            .count()
    };
    assert_eq!(read(&query("anna", &[])), 2, "uma's and her own");

    // Each filter, alone and with others.
    let about = |more: &[&str], expected: &[&str]| {
        let page = query("uma", more);
        assert_eq!(outcomes(&page), expected, "{more:?}");
        page
    };
    let of_her = [
        "reviewed", "ended", "granted", "granted", "denied", "granted",
    ];
    about(&["--patient", NUMBER], &of_her);
    about(&["--patient", &patient], &of_her);
    about(&["--patient", "2"], &["granted"]);
    about(&["--patient", NUMBER, "--purpose", "quality"], &["denied"]);
    about(
        &["--device", &device],
        &["reviewed", "ended", "granted", "denied", "granted"],
    );
    about(&["--device", &other_device], &[]);
    about(&["--outcome", "denied"], &["denied"]);
    about(&["--outcome", "ended", "--patient", "2"], &[]);
    about(&["--emergency"], &["reviewed", "granted"]);
    let nina = entries(&page)[3]["person"]["handle"]
        .as_str()
        .unwrap()
        .to_owned();
    let by_nina = query("uma", &["--person", &nina]);
    assert_eq!(outcomes(&by_nina)[..7], expected[1..], "{by_nina}");
    assert_eq!(outcomes(&by_nina)[7..], ["changed"], "her registration");
    let time = entries(&page)[3]["time"].as_u64().unwrap();
    let (from, until) = (time.to_string(), (time + 1).to_string());
    assert_eq!(
        entries(&about(&["--from", &from, "--until", &until], &["granted"]))[0]["number"],
        entries(&page)[3]["number"]
    );
    let nobodys = "0".repeat(64);
    about(&["--person", &nobodys], &[]);

    // Nobody else, and nothing that makes no sense; neither is recorded.
    let before = read(&query("anna", &[]));
    refused(&desk, &["audit", "query", "--as", "nina"], "AUTH-04");
    refused(&desk, &["audit", "query", "--as", "tom"], "AUTH-04");
    refused(
        &desk,
        &["audit", "query", "--patient", "none", "--as", "uma"],
        "API-04",
    );
    refused(
        &desk,
        &["audit", "query", "--device", "none", "--as", "uma"],
        "API-04",
    );
    refused(
        &desk,
        &["audit", "query", "--person", "7b", "--as", "uma"],
        "AUD-01",
    );
    refused(
        &desk,
        &["audit", "query", "--purpose", "none", "--as", "uma"],
        "AUD-01",
    );
    refused(
        &desk,
        &[
            "audit", "query", "--from", "2", "--until", "2", "--as", "uma",
        ],
        "AUD-01",
    );
    refused(
        &desk,
        &["audit", "patient", NUMBER, "--as", "uma"],
        "AUTH-04",
    );
    assert_eq!(read(&query("anna", &[])), before);

    // Who looks after her sees who looked, and that is an entry, which names her not.
    let looked = desk.ask(&["audit", "patient", NAME, "--as", "nina"]);
    assert_eq!(outcomes(&looked), of_her);
    let page = query("anna", &["--outcome", "read"]);
    let words = entries(&page)[1]["words"].as_str().unwrap();
    let said = format!("of one patient. Asked for: patient {patient}.");
    assert!(
        words.starts_with("nina Featherstone (") && words.ends_with(&said),
        "{words}"
    );
    assert_eq!(entries(&page)[1]["subject"], Value::Null);

    a_bundle_is_verified(&desk, folder.path(), &patient);
    assert!(node.terminate().success());
    is_clean(&data);
    a_pruned_transaction_leaves_its_entry(&data, folder.path(), &mut humans[2]);
}

/// Exports what concerns the patient and verifies it with the program, without the node.
fn a_bundle_is_verified(desk: &Desk, folder: &Path, patient: &str) {
    let [bundle, genesis] = ["audit.fwaudit", "chain.fwgenesis"].map(|name| folder.join(name));
    let [bundle, genesis] = [&bundle, &genesis].map(|path| path.to_str().unwrap());
    desk.ask(&[
        "audit",
        "bundle",
        "--patient",
        NUMBER,
        "--out",
        bundle,
        "--as",
        "uma",
    ]);
    desk.ask(&["genesis", "--output", genesis, "--as", "uma"]);
    let verify = |more: &[&str]| {
        let output = fogward([&["verify", bundle, "--genesis", genesis][..], more].concat());
        (output.status.code().unwrap(), text(&output.stdout))
    };
    let (code, said) = verify(&["--json"]);
    let verdict: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &verdict["valid"]), (0, &value!(true)), "{said}");
    let shown = verdict["entries"].as_array().unwrap();
    let states: Vec<_> = shown.iter().map(|entry| &entry["state"]).collect();
    assert_eq!(
        states,
        [
            "granted", "denied", "granted", "granted", "ended", "granted"
        ]
    );
    let left_out = verdict["left_out"].as_u64().unwrap();
    assert_eq!(
        verdict["count"].as_u64().unwrap(),
        left_out + shown.len() as u64
    );
    assert_eq!(
        (&verdict["since"], &verdict["asked"]),
        (&value!(0), &value!("patient (one)"))
    );
    assert!(
        shown[0]["unproven"]
            .as_str()
            .unwrap()
            .starts_with("nina Featherstone (")
    );
    let (code, said) = verify(&[]);
    assert!(
        code == 0 && said.contains("\nVALID: from the log's begin until "),
        "{said}"
    );

    // Of readings of the log it says that they were, and not whom they were about.
    let asked = ["audit", "query", "--outcome", "read", "--as", "uma"];
    let words = desk.ask(&asked)["entries"].to_string();
    assert!(
        words.contains(patient) && !words.contains(NUMBER),
        "told by id to who audits"
    );
    let readings = folder.join("readings.fwaudit");
    let readings = readings.to_str().unwrap();
    desk.ask(&[
        "audit",
        "bundle",
        "--outcome",
        "read",
        "--out",
        readings,
        "--as",
        "uma",
    ]);
    let text_of_readings = std::fs::read_to_string(readings).unwrap();
    assert!(text_of_readings.contains("read what the access log says of one patient."));
    for reference in [patient, NUMBER, NAME] {
        assert!(!text_of_readings.contains(reference), "{reference}");
    }

    // A verifier that was written from the documents alone says the same.
    let program = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/examples/verify_audit.py"
    );
    let by_python = || {
        let asked = Command::new("python3")
            .args(["-B", program, bundle, genesis])
            .output();
        let said = asked.expect("python3");
        (said.status.code().unwrap(), text(&said.stdout))
    };
    let (code, said) = by_python();
    assert!(code == 0 && said.ends_with("\nvalid\n"), "{said}");

    // Neither the patient's name nor her number is in it; and an altered one is refused.
    let bytes = std::fs::read_to_string(bundle).unwrap();
    assert!(!bytes.contains(NAME) && !bytes.contains(NUMBER));
    std::fs::write(bundle, bytes.replacen("denied", "agreed", 1)).unwrap();
    let (code, said) = verify(&[]);
    assert!(code == 1 && said.starts_with("INVALID: line "), "{said}");
    let (code, said) = by_python();
    assert!(
        code == 1 && said.ends_with("INVALID: the signature does not hold\n"),
        "{said}"
    );
}

/// Where the transactions are gone, entries are told without them, and the log is as whole as before.
fn a_pruned_transaction_leaves_its_entry(data: &Path, folder: &Path, uma: &mut Human) {
    let limits = ["--keep-bytes", "0", "--keep-blocks", "1", "--json"];
    let (code, pruned) = json([&["prune", "--data", data.to_str().unwrap()], &limits[..]].concat());
    assert_eq!(code, 0, "{pruned}");
    let node = Running::start(data, &[]);
    let desk = Desk::new(&node.address());
    desk.login_by_recovery(uma);
    let denied = ["audit", "query", "--outcome", "denied", "--as", "uma"];
    let page = desk.ask(&denied);
    assert_eq!(outcomes(&page), ["denied"]);
    let row = &entries(&page)[0];
    assert_eq!(row["kind"], "pruned");
    let words = row["words"].as_str().unwrap();
    assert!(
        words.contains("asked for data held by")
            && words.ends_with(": denied, no policy permits it."),
        "{words}"
    );
    let [bundle, genesis] = ["pruned.fwaudit", "chain.fwgenesis"].map(|name| folder.join(name));
    let [bundle, genesis] = [&bundle, &genesis].map(|path| path.to_str().unwrap());
    desk.ask(&[
        "audit",
        "bundle",
        "--outcome",
        "denied",
        "--out",
        bundle,
        "--as",
        "uma",
    ]);
    let (code, verdict) = json(["verify", bundle, "--genesis", genesis, "--json"]);
    assert_eq!((code, &verdict["valid"]), (0, &value!(true)), "{verdict}");
    let entry = &verdict["entries"][0];
    assert_eq!(
        (&entry["kind"], &entry["state"]),
        (&Value::Null, &value!("denied"))
    );
    assert!(node.terminate().success());
    is_clean(data);
}

/// Each organisation's auditor sees what concerns hers: its data, its people, and what they ask of others.
#[test]
fn an_organisation_sees_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let Hospitals {
        harbour,
        clinic,
        nodes: [host, guest],
        apis: [one, two],
        holder,
    } = Hospitals::open(folder.path(), [97, 98], &[]);
    let [here, there] = [&one, &two].map(|api| Desk::new(api));
    register(
        &here,
        &[("anna", "admin"), ("uma", "auditor"), ("paul", "physician")],
    );
    register(&there, &[("carl", "admin"), ("petra", "physician")]);
    let subject = "7b".repeat(32);
    let asked = [
        "access", "request", &subject, "--metric", HEART_RATE, "--holder", &holder, "--as", "petra",
    ];
    let (code, row, complaint) = there.run(&asked);
    assert_eq!((code, &row["state"]), (1, &value!("denied")), "{complaint}");

    let at_harbour = wait_for("the request at Harbour", || {
        let page = here.ask(&["audit", "query", "--as", "uma"]);
        (entries(&page).len() == 5).then_some(page)
    });
    assert_eq!(outcomes(&at_harbour)[..2], ["read", "denied"]);
    let denied = &entries(&at_harbour)[1];
    assert_eq!(
        (&denied["person"]["organisation"], &denied["person"]["name"]),
        (&value!("Clinic"), &Value::Null)
    );
    let at_clinic = there.ask(&["audit", "query", "--as", "carl"]);
    assert_eq!(
        outcomes(&at_clinic),
        ["read", "denied", "changed", "changed"]
    );
    assert_eq!(
        entries(&at_clinic)[1]["person"]["name"],
        "petra Featherstone"
    );

    // What a clinic shows a stranger holds of Harbour's only digests.
    let [bundle, genesis] = ["a.fwaudit", "g.fwgenesis"].map(|name| folder.path().join(name));
    let [bundle, genesis] = [&bundle, &genesis].map(|path| path.to_str().unwrap());
    there.ask(&["audit", "bundle", "--out", bundle, "--as", "carl"]);
    there.ask(&["genesis", "--output", genesis, "--as", "carl"]);
    let output = fogward(["verify", bundle, "--genesis", genesis, "--json"]);
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict["valid"], true, "{verdict}");
    assert_eq!(verdict["node"], "clinic-1");
    assert_eq!(verdict["entries"].as_array().unwrap().len(), 5);
    assert_eq!(
        verdict["left_out"], 4,
        "Harbour's three people and its auditor's reading"
    );
    for node in [host, guest] {
        assert!(node.terminate().success());
    }
    is_clean(&harbour.data);
    is_clean(&clinic.data);
}
