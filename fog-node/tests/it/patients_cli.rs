//! Goal: the command line names a patient by id, number or name, and a patient outlives restart, backup and check,
//! unreadable in every file. Method: the built program with a simulated ward.

use std::path::Path;

use serde_json::{Value, json as value};

use crate::program::{Running, ask, fogward, json, text, wait_for};

const NAME: &str = "Zacharias Quint";
const NUMBER: &str = "KLINIK-4417";

/// The number of her readings, all of devices that she wore.
fn readings(api: &str, patient: &str) -> usize {
    let rows = ask(&[
        "patient", "readings", patient, "--limit", "10000", "--api", api,
    ]);
    rows.as_array().unwrap().len()
}

fn refusal(arguments: &[&str]) -> String {
    let output = fogward(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    text(&output.stderr)
}

fn is_in_a_file(folder: &Path, words: &str) -> bool {
    std::fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        .any(|entry| match entry.path() {
            path if path.is_dir() => is_in_a_file(&path, words),
            path => {
                let bytes = std::fs::read(path).unwrap();
                bytes
                    .windows(words.len())
                    .any(|part| part == words.as_bytes())
            }
        })
}

#[test]
fn a_patient_outlives_restart_and_restore() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &["--demo=2".into()]);
    let api = node.address();
    let devices = ask(&["device", "list", "--api", &api]);
    let [first, second] = [0, 1].map(|at| devices[at]["id"].as_str().unwrap().to_owned());
    wait_for("the registration", || {
        let device = ask(&["device", "show", &second, "--api", &api]);
        device["registered_height"].as_u64()
    });
    let added = ask(&[
        "patient",
        "add",
        NAME,
        "--number",
        NUMBER,
        "--born",
        "1957-03-14",
        "--api",
        &api,
    ]);
    let id = added["id"].as_str().unwrap();
    ask(&["patient", "add", "Twin", "--api", &api]);
    ask(&["patient", "add", "Twin", "--api", &api]);
    assert!(refusal(&["patient", "show", "Twin", "--api", &api]).contains("(PAT-04)"));
    assert!(refusal(&["patient", "show", "Zacharias", "--api", &api]).contains("(PAT-04)"));
    let taken = refusal(&["patient", "add", "Other", "--number", NUMBER, "--api", &api]);
    assert!(taken.contains("(PAT-02)"), "{taken}");

    assert_eq!(readings(&api, NAME), 0);
    let assigned = ask(&["patient", "assign", NUMBER, &first, "--api", &api]);
    assert_eq!(assigned["assigned_to"], *id);
    wait_for("her readings", || {
        (readings(&api, NUMBER) > 20).then_some(())
    });
    ask(&["device", "assign", &first, "--to", id, "--api", &api]);
    let shown = ask(&["patient", "show", NAME, "--api", &api]);
    assert_eq!(shown["patient"]["devices"], value!([first]));
    assert_eq!(shown["worn"].as_array().unwrap().len(), 2);
    let table = text(&fogward(["patient", "show", NAME, "--api", &api]).stdout);
    assert!(
        table.contains("treatment") && table.contains(&first),
        "{table}"
    );
    let changed = ask(&[
        "patient",
        "change",
        id,
        "--name",
        "Zacharias Q.",
        "--api",
        &api,
    ]);
    assert_eq!(
        (&changed["number"], &changed["born"]),
        (&value!(NUMBER), &value!("1957-03-14"))
    );
    ask(&["patient", "change", NUMBER, "--name", NAME, "--api", &api]);
    ask(&["device", "unassign", &first, "--api", &api]);
    let kept = readings(&api, id);
    assert!(kept > 20);

    assert!(node.terminate().success());
    for words in [NAME, NUMBER, "1957-03-14", id] {
        assert!(!is_in_a_file(&data, words), "{words} is sealed");
    }
    let restored = restored(folder.path(), &data);
    for data in [&data, &restored] {
        let (code, report) = json(["fsck", "--data", data.to_str().unwrap(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
    let node = Running::start(&data, &[]);
    let api = node.address();
    let listed = ask(&["patient", "list", "--search", "zacharias", "--api", &api]);
    assert_eq!(listed["patients"][0]["id"], *id);
    assert_eq!(readings(&api, NAME), kept, "her record has ended");
    assert!(node.terminate().success());

    damaged(&data, "DELETE FROM patients", "a patient who is not there");
    damaged(
        &data,
        "UPDATE assignments SET until = NULL",
        "two patients' at once",
    );
    damaged(&data, "UPDATE patients SET sealed = x'00'", "does not open");
}

/// A backup of the folder, put back.
fn restored(folder: &Path, data: &Path) -> std::path::PathBuf {
    let (file, words, back) = (
        folder.join("backup"),
        folder.join("words"),
        folder.join("restored"),
    );
    std::fs::write(&words, "a passphrase of many words").unwrap();
    let [file, words, data, to] =
        [&file, &words, data, &back].map(|path: &Path| path.to_str().unwrap());
    let (code, made): (i32, Value) = json([
        "backup",
        "-o",
        file,
        "--data",
        data,
        "--passphrase-file",
        words,
        "--json",
    ]);
    assert_eq!(code, 0, "{made}");
    let (code, made) = json([
        "restore",
        file,
        "--data",
        to,
        "--passphrase-file",
        words,
        "--json",
    ]);
    assert_eq!(code, 0, "{made}");
    back
}

/// What was done to a copy of the vault is found.
pub(crate) fn damaged(data: &Path, change: &str, sentence: &str) {
    let vault = data.join("vault.db");
    let connection = rusqlite::Connection::open(&vault).unwrap();
    // What is in the write-ahead log comes into the file.
    connection
        .pragma_update(None, "journal_mode", "DELETE")
        .unwrap();
    let whole = std::fs::read(&vault).unwrap();
    connection.execute(change, []).unwrap();
    drop(connection);
    let (code, report) = json(["fsck", "--data", data.to_str().unwrap(), "--json"]);
    assert_eq!(code, 1, "{change}");
    assert!(
        report["problems"].to_string().contains(sentence),
        "{report}"
    );
    std::fs::write(&vault, whole).unwrap();
}
