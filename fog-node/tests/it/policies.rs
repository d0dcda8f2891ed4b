//! Goal: an admin sees what a policy would mean before it is in force, puts it in force and out of it, and every
//! node of the consortium has it; what is wrong with a text is told at its place. Method: the program itself, two
//! nodes of two organisations.

use std::path::{Path, PathBuf};

use serde_json::{Value, json as value};

use crate::consortium::{Place, create, invite};
use crate::program::{ask, fogward, json, text, wait_for};

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
    for (place, node) in [(harbour, host), (clinic, guest)] {
        assert!(node.terminate().success());
        let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}
