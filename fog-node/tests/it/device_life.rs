//! Goal: what becomes of a device is decided on the ledger and binds the node that reads it, also after a
//! restart; what a suspended device sends is refused and counted; nobody's name is on disk or on chain.
//! Method: the built program with a simulated ward, its command line, and a look into its files.

use std::path::Path;

use serde_json::{Value, json as value};

use crate::program::{Running, fogward, json, text, wait_for};

/// What the clinic calls the patient.
const NAME: &str = "Zacharias Quint";

fn device(api: &str, id: &str) -> Value {
    let (code, device) = json(["device", "show", id, "--api", api, "--json"]);
    assert_eq!(code, 0, "{device}");
    device
}

fn change(api: &str, id: &str, change: &[&str]) -> Value {
    let asked = ["device", change[0], id, "--api", api, "--json"];
    let (code, device) = json(asked.into_iter().chain(change[1..].iter().copied()));
    assert_eq!(code, 0, "{device}");
    device
}

/// Frames of a device that were refused for `reason`.
fn refused(device: &Value, reason: &str) -> u64 {
    let reasons = device["rejected_reasons"].as_array().unwrap();
    let found = reasons.iter().find(|row| row["reason"] == reason);
    found.map_or(0, |row| row["count"].as_u64().unwrap())
}

fn received(device: &Value) -> u64 {
    device["gap"]["received"].as_u64().unwrap()
}

/// Waits until more is refused, and checks that nothing is received meanwhile.
fn only_refused(api: &str, id: &str) {
    let before = device(api, id);
    wait_for("refused readings", || {
        let now = device(api, id);
        assert_eq!(received(&now), received(&before), "nothing is received");
        (refused(&now, "suspended") > refused(&before, "suspended") + 2).then_some(())
    });
}

fn holds(folder: &Path, words: &[u8]) -> bool {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(Result::unwrap).any(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => holds(&path, words),
            false => {
                let bytes = std::fs::read(&path).unwrap();
                bytes.windows(words.len()).any(|part| part == words)
            }
        }
    })
}

#[test]
fn the_ledger_decides_whether_a_devices_data_count() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &["--demo=2".into()]);
    let api = node.address();
    let (_, devices) = json(["device", "list", "--api", &api, "--json"]);
    let [first, second] = [0, 1].map(|at| devices[at]["id"].as_str().unwrap().to_owned());
    wait_for("the registration", || {
        device(&api, &first)["registered_height"].as_u64()
    });
    let new = device(&api, &first);
    assert_eq!(new["standing"], "in_service");
    assert_eq!(
        (&new["assigned_to"], &new["changed_height"]),
        (&Value::Null, &Value::Null)
    );

    let (_, patient) = json(["patient", "add", NAME, "--api", &api, "--json"]);
    let nobody = fogward(["device", "assign", &first, "--to", "Nemo", "--api", &api]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(text(&nobody.stderr).contains("(PAT-04)"));
    let assigned = change(&api, &first, &["assign", "--to", NAME]);
    assert_eq!(assigned["assigned_to"], patient["id"]);
    let at = assigned["changed_height"].as_u64().unwrap();
    assert!(at > new["registered_height"].as_u64().unwrap());

    let suspended = change(&api, &first, &["suspend"]);
    assert_eq!(suspended["standing"], "suspended");
    only_refused(&api, &first);
    let again = fogward(["device", "suspend", &first, "--api", &api]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        text(&again.stderr).contains("(LIFE-01)"),
        "{}",
        text(&again.stderr)
    );

    // Also after a restart, from the first reading on.
    assert!(node.terminate().success());
    let node = Running::start(&data, &[]);
    let api = node.address();
    assert_eq!(device(&api, &first)["standing"], "suspended");
    assert_eq!(device(&api, &first)["assigned_to"], patient["id"]);
    only_refused(&api, &first);

    let resumed = change(&api, &first, &["resume"]);
    assert_eq!(resumed["standing"], "in_service");
    wait_for("readings", || {
        (received(&device(&api, &first)) > received(&resumed)).then_some(())
    });
    let now = device(&api, &first);
    let gap = &now["gap"];
    let expected = gap["expected"].as_u64().unwrap();
    assert_eq!(
        expected,
        received(&now) + refused(&now, "suspended"),
        "{gap}"
    );

    let retired = change(&api, &second, &["retire"]);
    assert_eq!(retired["standing"], "retired");
    let (code, unknown) = json_failure(&["device", "show", &second, "--api", &api]);
    assert_eq!(code, Some(1), "{unknown}");
    let (_, left) = json(["device", "list", "--api", &api, "--json"]);
    assert_eq!(left.as_array().unwrap().len(), 1);

    assert!(node.terminate().success());
    let (code, report) = json(["fsck", "--data", data.to_str().unwrap(), "--json"]);
    assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    let id = patient["id"].as_str().unwrap();
    for words in [NAME, "Quint", id] {
        assert!(!holds(&data, words.as_bytes()), "who it is is sealed");
    }
}

fn json_failure(arguments: &[&str]) -> (Option<i32>, String) {
    let output = fogward(arguments);
    (output.status.code(), text(&output.stderr))
}
