//! Goal: an admin sees what a policy would mean before it is in force, puts it in force and out of it, and every
//! node of the consortium has it; what is wrong with a text is told at its place. Method: the program itself, two
//! nodes of two organisations.

use std::path::{Path, PathBuf};

use serde_json::{Value, json as value};

use crate::access::{refused, register};
use crate::consortium::{Place, create, invite};
use crate::desk::Desk;
use crate::disclosed::{Patient, SATURATION, told};
use crate::program::{Running, ask, fogward, json, text, wait_for};

const HEART_RATE: &str = "8867-4";
const NURSES: &str = "permit(principal in Role::\"nurse\", action, resource)\nwhen {\n    \
     context.relations.contains(Relation::\"treating\")\n};\n";
const WITHDRAWN: &str = "forbid(principal, action, resource) unless { context.emergency };";

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn policies(api: &str) -> Value {
    ask(&["policy", "list", "--api", api])["policies"].take()
}

/// The names of the policies that are not in force any more.
fn retracted(api: &str) -> Vec<String> {
    let told = ask(&["policy", "list", "--retracted", "--api", api]);
    assert_eq!(told["is_whole"], true);
    let rows = told["policies"].as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The rows of a simulation about the heart rate, with further arguments.
fn simulated(api: &str, arguments: &[&str]) -> Vec<Value> {
    let asked = ["policy", "simulate", "--api", api, "--metric", HEART_RATE];
    let found = ask(&[&asked[..], arguments].concat());
    // Seven roles, four relations, five purposes, two resolutions, with the glass whole and broken.
    assert_eq!(found["asked"], 560);
    found["rows"].as_array().unwrap().clone()
}

#[test]
fn a_text_is_checked_without_a_node() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(folder.path(), "good", NURSES);
    let checked = fogward(["policy", "check", good.to_str().unwrap()]);
    assert!(checked.status.success());
    assert_eq!(
        text(&checked.stdout),
        "Nurses who treat the patient may see everything.\n"
    );
    let bad = file(
        folder.path(),
        "bad",
        &NURSES.replace("treating", "treat1ng"),
    );
    let checked = fogward(["policy", "check", bad.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        text(&checked.stdout).starts_with("line 3, column 32: "),
        "{}",
        text(&checked.stdout)
    );
    let (code, checked) = json(["policy", "check", bad.to_str().unwrap(), "--json"]);
    assert_eq!((code, &checked["effect"]), (1, &Value::Null));
    let missing = fogward([
        "policy",
        "check",
        folder.path().join("none").to_str().unwrap(),
    ]);
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn policies_are_put_in_force_and_out_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let [harbour, clinic] = [81, 82].map(|number| Place::new(folder.path(), number));
    create(&harbour);
    let (host, one) = harbour.start();
    assert_eq!(policies(&one), value!([]), "nothing is permitted at first");
    assert_eq!(simulated(&one, &[]), [Value::Null; 0]);

    let nurses = file(folder.path(), "nurses", NURSES);
    let nurses = nurses.to_str().unwrap();
    let draft = simulated(&one, &["--draft", "nurses", nurses]);
    // One role, one relation; whatever the purpose, the resolution and the glass.
    assert_eq!(draft.len(), 20);
    for row in &draft {
        assert_eq!(
            (&row["role"], &row["relation"]),
            (&value!("nurse"), &value!("treating"))
        );
        assert_eq!(row["now"]["outcome"], "not_permitted");
        assert_eq!(
            row["then"],
            value!({ "outcome": "permitted", "by": ["nurses"] })
        );
    }
    let put = ask(&["policy", "put", "nurses", nurses, "--api", &one]);
    assert_eq!(
        put["words"],
        "Nurses who treat the patient may see everything."
    );
    let withdrawn = file(folder.path(), "withdrawn", WITHDRAWN);
    let withdrawn = withdrawn.to_str().unwrap();
    let changed = simulated(&one, &["--draft", "no-one", withdrawn]);
    let broken = |row: &&Value| row["then"]["outcome"] == "permitted";
    assert_eq!(
        (changed.len(), changed.iter().filter(broken).count()),
        (20, 10)
    );
    ask(&["policy", "put", "no-one", withdrawn, "--api", &one]);
    for taken in ["check", "simulate"] {
        let refused = fogward(["policy", "put", taken, nurses, "--api", &one]);
        assert!(text(&refused.stderr).contains("POL-02"), "{taken}");
    }
    assert_eq!(simulated(&one, &[]).len(), 10, "in an emergency only");

    let again = fogward(["policy", "put", "nurses", nurses, "--api", &one]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        text(&again.stderr).contains("POL-02"),
        "{}",
        text(&again.stderr)
    );
    let faulty = file(
        folder.path(),
        "faulty",
        "permit(principal, action, resource)",
    );
    let refused = fogward([
        "policy",
        "put",
        "x",
        faulty.to_str().unwrap(),
        "--api",
        &one,
    ]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("POL-01"),
        "{}",
        text(&refused.stderr)
    );
    let unknown = fogward(["policy", "retract", "unknown", "--api", &one]);
    assert_eq!(unknown.status.code(), Some(1));

    // Another hospital has them too, once it follows; it puts its own, and changes nothing of the first's.
    clinic.join(&invite(&one, &[]), "Clinic", "clinic-1");
    let (guest, two) = clinic.start();
    let seen = wait_for("the policies", || {
        let seen = policies(&two);
        (seen.as_array()?.len() == 2).then_some(seen)
    });
    assert_eq!(
        (&seen[1]["name"], &seen[1]["is_own"]),
        (&value!("nurses"), &value!(false))
    );
    assert_eq!(
        simulated(&two, &[]),
        [Value::Null; 0],
        "they are not about the clinic's data"
    );
    let foreign = fogward(["policy", "retract", "nurses", "--api", &two]);
    assert_eq!(foreign.status.code(), Some(1));
    ask(&["policy", "retract", "no-one", "--api", &one]);
    ask(&["policy", "put", "own", nurses, "--api", &two]);
    let names = |api: &str| -> Vec<String> {
        let rows = policies(api);
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&two), ["own", "nurses"]);
    wait_for("the clinic's policy", || {
        (names(&one) == ["nurses", "own"]).then_some(())
    });

    // They are on disk, and what is on disk is checked block by block.
    host.kill();
    let (host, one) = harbour.start();
    assert_eq!(names(&one), ["nurses", "own"]);
    assert_eq!(retracted(&one), ["no-one"]);
    assert_eq!(retracted(&two), [""; 0], "the harbour's are not its own");
    for (place, node) in [(harbour, host), (clinic, guest)] {
        assert!(node.terminate().success());
        let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}

/// Goal: what is not in force any more is listed with its blocks, the last one first, and goes from the list when it is
/// put again; a policy may be called as the routes are. Method: one node; policies put and retracted, over a restart,
/// against their histories.
#[test]
fn what_is_retracted_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &[]);
    let api = node.address();
    let text = file(folder.path(), "policy", NURSES);
    let text = text.to_str().unwrap();
    let wider = file(
        folder.path(),
        "wider",
        &NURSES.replace("nurse", "physician"),
    );
    let wider = wider.to_str().unwrap();
    let put = |name: &str, text: &str| {
        let row = ask(&["policy", "put", name, text, "--api", &api]);
        row["height"].clone()
    };
    let retract = |name: &str| ask(&["policy", "retract", name, "--api", &api]);
    assert_eq!(retracted(&api), [""; 0]);

    put("first", text);
    let last = put("first", wider);
    put("retracted", text);
    assert_eq!(retracted(&api), [""; 0], "all are in force");
    retract("first");
    retract("retracted");
    assert_eq!(retracted(&api), ["retracted", "first"]);
    let told = ask(&["policy", "list", "--retracted", "--api", &api]);
    let row = &told["policies"][1];
    let history = ask(&["policy", "history", "first", "--api", &api]);
    let [gone, before] = [0, 1].map(|at| &history["versions"][at]);
    let block = |one: &Value| value!({ "height": one["height"], "time": one["time"] });
    assert_eq!(row["retracted"], block(gone));
    assert_eq!(row["put"], block(before));
    assert_eq!(row["put"]["height"], last);

    put("retracted", text);
    assert_eq!(retracted(&api), ["first"]);
    assert!(node.terminate().success());
    let node = Running::start(&data, &[]);
    let api = node.address();
    assert_eq!(retracted(&api), ["first"]);
    let table = fogward(["policy", "list", "--retracted", "--api", &api]);
    assert!(self::text(&table.stdout).contains("retracted in block"));
    assert!(node.terminate().success());
}

/// Goal: each version of a policy is told with its block and what was other before; its decisions and receipts, to
/// those who may audit, belong to the version that was in force. Method: one node with a ward; a policy put, changed,
/// removed and put again, with requests in between; what is told against what was done.
#[test]
fn a_policy_has_a_history() {
    let folder = tempfile::tempdir().unwrap();
    let node = Running::start(&folder.path().join("data"), &["--demo=2".into()]);
    let api = node.address();
    let patient = Patient::of_ward(&api);
    let desk = Desk::new(&api);
    register(
        &desk,
        &[("anna", "admin"), ("nina", "nurse"), ("audra", "auditor")],
    );
    let put = |text: &str| {
        let text = file(folder.path(), "policy", text);
        let asked = ["policy", "put", "nurses", text.to_str().unwrap()];
        let row = desk.ask(&[&asked[..], &["--as", "anna"]].concat());
        row["height"].as_u64().unwrap()
    };
    let handle = &patient.handles["treatment"];
    let request = |state: &str| {
        let asked = ["access", "request", handle, "--metric", SATURATION];
        let more = ["--relation", "treating", "--as", "nina"];
        let (_, row, complaint) = desk.run(&[&asked[..], &more].concat());
        assert_eq!(row["state"], state, "{complaint}");
        row["handle"].as_str().unwrap().to_owned()
    };
    let history = |more: &[&str], who: &str| {
        let asked = ["policy", "history", "nurses", "--as", who];
        desk.ask(&[&asked[..], more].concat())
    };
    refused(
        &desk,
        &["policy", "history", "nurses", "--as", "nina"],
        "API-04",
    );

    let first = put(NURSES);
    let one = request("granted");
    let shown = desk.ask(&["access", "read", &one, "--as", "nina"]);
    told(&desk, "nina", &one, 1);
    let wider = NURSES.replace("Role::\"nurse\"", "Role::\"physician\"");
    let second = put(&wider);
    let denied = request("denied");
    desk.ask(&["policy", "retract", "nurses", "--as", "anna"]);
    let last = put(NURSES);
    let two = request("granted");

    let told_of = history(&[], "nina");
    assert_eq!(told_of["is_whole"], true);
    let versions = told_of["versions"].as_array().unwrap();
    let of = |field: &str| {
        versions
            .iter()
            .map(|one| one[field].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("change"),
        ["put", "removed", "changed", "put"].map(|word| value!(word))
    );
    let removed = versions[1]["height"].as_u64().unwrap();
    assert!(second < removed && removed < last);
    let heights = [last, removed, second, first];
    assert_eq!(of("height"), heights.map(|height| value!(height)));
    assert_eq!(versions[3]["text"], NURSES);
    assert_eq!(versions[1]["text"], Value::Null);
    assert_eq!(
        versions[2]["difference"],
        value!(["Who: physicians; before: nurses."])
    );
    let lines = versions[2]["lines"].as_array().unwrap();
    let marks: Vec<_> = lines
        .iter()
        .map(|line| line["standing"].as_str().unwrap())
        .collect();
    assert_eq!(marks, ["removed", "added", "kept", "kept", "kept"]);
    assert_eq!(told_of["decisions"], Value::Null);

    // Decisions are for those who audit, and that they read them is recorded.
    let asked = ["policy", "history", "nurses", "--decisions", "--as", "nina"];
    refused(&desk, &asked, "AUTH-04");
    let audited = history(&["--decisions"], "audra");
    let decisions = audited["decisions"].as_array().unwrap();
    let row = |at: usize| {
        let row = &decisions[at];
        (
            row["request"].clone(),
            row["version"].clone(),
            row["decided"].clone(),
        )
    };
    assert_eq!(
        decisions.len(),
        2,
        "{decisions:?}: what no policy permits names none"
    );
    assert!(
        !decisions
            .iter()
            .any(|row| row["request"] == denied.as_str())
    );
    assert_eq!(row(0), (value!(two), value!(last), value!("granted")));
    assert_eq!(row(1), (value!(one), value!(first), value!("granted")));
    assert_eq!(decisions[0]["receipts"], value!([]));
    assert_eq!(
        decisions[1]["receipts"],
        value!([shown["receipts"][0]["transaction"]])
    );
    assert_eq!(decisions[1]["readings"], shown["receipts"][0]["readings"]);
    let log = desk.ask(&["audit", "query", "--outcome", "read", "--as", "anna"]);
    let words = log["entries"].as_array().unwrap().iter();
    let words: Vec<_> = words.map(|row| row["words"].as_str().unwrap()).collect();
    assert!(
        words
            .iter()
            .any(|words| words.contains("what the policy nurses has decided")),
        "{words:?}"
    );
    assert!(node.terminate().success());
}
