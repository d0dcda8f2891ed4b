//! Goal: a node of several that comes back from a backup goes on: what it measures becomes final, and nothing it says
//! contradicts what it said after the backup; whom the ledger knows better about is not brought back. Method: the
//! program itself, in two hospitals; the clinic's node is backed up, goes on, is lost and restored.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json as value};

use crate::access::{is_clean, refused, register};
use crate::consortium::{Hospitals, Place, height, key_of, propose, view, vote};
use crate::desk::Desk;
use crate::patients_cli::damaged;
use crate::program::{Running, ask, json, wait_for};

/// A node with its desk.
struct Clinic {
    node: Running,
    desk: Desk,
}

impl Clinic {
    /// As the admin.
    fn of_anna(&self, arguments: &[&str]) -> Value {
        self.desk.ask(&[arguments, &["--as", "anna"]].concat())
    }

    /// As a nurse.
    fn of_kim(&self, arguments: &[&str]) -> Value {
        self.desk.ask(&[arguments, &["--as", "kim"]].concat())
    }

    fn finals(&self) -> u64 {
        self.of_kim(&["status"])["gap"]["final"].as_u64().unwrap()
    }

    fn until_more_are_final(&self) {
        let before = self.finals();
        wait_for("further readings to be final", || {
            (self.finals() > before + 20).then_some(())
        });
    }

    fn person(&self, login: &str) -> Value {
        let mut people = self.of_anna(&["user", "list"]);
        let people = people.as_array_mut().unwrap().iter_mut();
        let mut people = people.filter(|one| one["login"] == login);
        people.next().unwrap().take()
    }

    fn until_stands(&self, login: &str, standing: &str) {
        wait_for("a person on the ledger", || {
            (self.person(login)["ledger"]["standing"] == standing).then_some(())
        });
    }

    fn device(&self) -> Value {
        self.of_kim(&["devices"])[0].take()
    }

    /// Stream and sequence of the device's newest readings.
    fn places(&self) -> Vec<(String, u64)> {
        let device = self.device();
        let id = device["id"].as_str().unwrap();
        let rows = self.of_kim(&["readings", "--device", id, "--limit", "1000"]);
        let rows = rows.as_array().unwrap().iter();
        let place = |row: &Value| {
            let (stream, sequence) = row["id"].as_str()?.split_once('.')?;
            Some((stream.to_owned(), sequence.parse().ok()?))
        };
        rows.map(|row| place(row).unwrap()).collect()
    }

    fn assign(&self, patient: &str) {
        let device = self.device();
        self.of_kim(&[
            "device",
            "assign",
            device["id"].as_str().unwrap(),
            "--to",
            patient,
        ]);
    }
}

/// The newest sequence of each stream.
fn newest(places: Vec<(String, u64)>) -> BTreeMap<String, u64> {
    let mut newest = BTreeMap::new();
    for (stream, sequence) in places {
        let of = newest.entry(stream).or_insert(sequence);
        *of = sequence.max(*of);
    }
    newest
}

fn backup(folder: &Path, data: &str) -> [String; 2] {
    let files = ["backup", "words"].map(|name| folder.join(name).display().to_string());
    std::fs::write(&files[1], "a passphrase of many words").unwrap();
    let [file, words] = &files;
    let asked = ["backup", "-o", file, "--data", data];
    ask(&[&asked[..], &["--passphrase-file", words]].concat());
    files
}

#[test]
fn a_restored_node_goes_on_where_the_ledger_is() {
    let folder = tempfile::tempdir().unwrap();
    // Blocks are made while the restored node watches whether it is alone.
    let demo = ["--demo=1".to_owned(), "--batch-age-ms=100".to_owned()];
    let Hospitals {
        clinic: place,
        nodes: [host, guest],
        ..
    } = Hospitals::open(folder.path(), [133, 134], &demo);
    assert!(guest.terminate().success());
    let (node, api) = place.start_with(&demo);
    let clinic = Clinic {
        node,
        desk: Desk::new(&api),
    };
    let people = [
        ("anna", "admin"),
        ("rob", "physician"),
        ("nina", "nurse"),
        ("kim", "nurse"),
    ];
    let mut humans = register(&clinic.desk, &people);
    let added = |name| clinic.of_kim(&["patient", "add", name])["id"].take();
    let [ana, ben] = ["Ana Brook", "Ben Hill"].map(added);
    clinic.assign(ana.as_str().unwrap());
    clinic.until_more_are_final();
    let [file, words] = backup(folder.path(), place.data());
    // A few of them may be younger than the backup.
    let kept = newest(clinic.places());

    // The node goes on, and all of this is lost with it.
    clinic.of_anna(&["user", "revoke", "rob"]);
    clinic.of_anna(&["user", "roles", "nina", "auditor"]);
    clinic.assign(ben.as_str().unwrap());
    clinic.until_more_are_final();
    let last = newest(clinic.places());
    assert!(
        kept.iter()
            .all(|(stream, before)| last.get(stream) > Some(before))
    );
    clinic.until_stands("rob", "revoked");
    clinic.until_stands("nina", "on_ledger");
    assert!(clinic.node.terminate().success());

    let back = Place {
        data: folder.path().join("restored"),
        listen: place.listen.clone(),
    };
    let restore = ["restore", &file, "--data", back.data()];
    ask(&[&restore[..], &["--passphrase-file", &words]].concat());
    let (node, api) = back.start_with(&demo);
    let clinic = Clinic {
        node,
        desk: Desk::new(&api),
    };
    for human in [0, 3] {
        clinic.desk.login_by_recovery(&mut humans[human]);
    }
    clinic.until_more_are_final();

    // Nothing is at a place that another reading had.
    let lost = |of: &(String, u64)| kept.get(&of.0) < Some(&of.1) && Some(&of.1) <= last.get(&of.0);
    let again: Vec<_> = clinic.places().into_iter().filter(lost).collect();
    assert_eq!(again, []);
    assert_eq!(
        clinic.device()["assigned_to"],
        Value::Null,
        "whose it is was changed after the backup, nobody here knows to whom"
    );

    // Who was revoked stays so, and who has other roles keeps them.
    let rob = clinic.desk.passphrase("rob");
    let code = humans[1].recovery_codes.pop().unwrap();
    let sign_in = ["login", "rob", "--passphrase-file", &rob, "--totp", &code];
    refused(&clinic.desk, &sign_in, "AUTH-02");
    assert_eq!(clinic.person("rob")["standing"], "revoked");
    assert_eq!(clinic.person("nina")["roles"], value!(["auditor"]));
    // What is said for the organisation goes on, too.
    clinic.desk.add("max", "nurse", &["--as", "anna"]);
    clinic.until_stands("max", "on_ledger");

    // The device is assigned anew, and what is measured then proves.
    clinic.assign(ben.as_str().unwrap());
    clinic.until_more_are_final();
    assert!(clinic.node.terminate().success());
    is_clean(&back.data);
    let (_, report) = json(["fsck", "--data", back.data(), "--json"]);
    assert!(
        report["vault"]["lost_batches"].as_u64().unwrap() > 0,
        "{report}"
    );
    assert!(
        report["vault"]["lost_readings"].as_u64().unwrap() > 0,
        "{report}"
    );
    damaged(
        &back.data,
        "UPDATE losses SET readings = readings - 1",
        "readings count as lost",
    );
    damaged(&back.data, "DELETE FROM losses", "is missing");
    damaged(
        &back.data,
        "UPDATE losses SET next_batch = next_batch + 1",
        "reached by their numbers",
    );
    assert!(host.terminate().success());
}

/// Two validators, neither of whom makes a block without the other. One is lost and comes back from a backup of
/// before: it cannot see by blocks that it is alone, but somebody knows.
#[test]
fn a_validator_that_the_others_need_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let demo = ["--demo=1".to_owned(), "--batch-age-ms=100".to_owned()];
    let Hospitals {
        clinic: place,
        nodes: [host, guest],
        apis: [one, two],
        ..
    } = Hospitals::open(folder.path(), [135, 136], &demo);
    let change = value!({"kind": "admit_validator", "node": key_of(&one, "clinic-1")});
    let row = propose(&two, &change);
    vote(&one, row["number"].as_u64().unwrap(), "--approve");
    wait_for("the seat", || {
        let validators = ask(&["status", "--api", &one])["validators"].as_u64();
        (validators == Some(2)).then_some(())
    });
    let [file, words] = backup(folder.path(), place.data());
    let before = height(&one);
    wait_for("further blocks", || {
        (height(&one) > before + 3).then_some(())
    });
    guest.kill();
    wait_for("the missing validator to be named", || {
        let said = view(&one)["quorum"].as_str()?.to_owned();
        said.contains("Missing: clinic-1").then_some(())
    });

    let back = Place {
        data: folder.path().join("restored"),
        listen: place.listen.clone(),
    };
    let restore = ["restore", &file, "--data", back.data()];
    let said = ["--passphrase-file", &words, "--original-is-gone"];
    ask(&[&restore[..], &said].concat());
    let (guest, two) = back.start_with(&demo);
    let stood = height(&one);
    wait_for("blocks of both", || {
        (height(&one) > stood + 3 && height(&two) > stood + 3).then_some(())
    });
    for node in [host, guest] {
        assert!(node.terminate().success());
    }
    is_clean(&back.data);
}

/// A vault that is put back alone, beside a replica that is further, is followed by no mark; the node sees it by itself.
#[test]
fn a_vault_of_before_goes_on_where_the_ledger_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let run = || {
        let demo = ["--demo=2".to_owned(), "--batch-age-ms=100".to_owned()];
        let node = Running::start(&data, &demo);
        let api = node.address();
        let finals = || {
            ask(&["status", "--api", &api])["gap"]["final"]
                .as_u64()
                .unwrap()
        };
        let before = finals();
        wait_for("further readings to be final", || {
            (finals() > before + 20).then_some(())
        });
        let status = ask(&["status", "--api", &api]);
        assert_eq!(status["trouble"], Value::Null, "{status}");
        assert!(node.terminate().success());
    };
    let vault = data.join("vault.db");
    let copy = || {
        let connection = rusqlite::Connection::open(&vault).unwrap();
        // What is in the write-ahead log comes into the file.
        connection
            .pragma_update(None, "journal_mode", "DELETE")
            .unwrap();
        drop(connection);
        std::fs::read(&vault).unwrap()
    };
    run();
    let old = copy();
    run();
    copy();
    std::fs::write(&vault, &old).unwrap();
    run();
    is_clean(&data);
    // Once more, from a vault that knows of the first loss.
    let old = copy();
    run();
    copy();
    std::fs::write(&vault, &old).unwrap();
    run();
    is_clean(&data);
    let report = ask(&["fsck", "--data", data.to_str().unwrap()]);
    let lost = &report["vault"]["lost_readings"];
    assert!(lost.as_u64().unwrap() > 40, "{report}");
}
