//! Goal: who is erased is gone at every node of the organisation and stays gone, whatever is killed or restored, while
//! all that is others' is there and proven as before; what was granted under her handles has ended. Method: the program
//! itself; two nodes of one hospital that had the same sensor, a backup of before put back; kills at moments around the
//! erasure; an admin, who may not see patients, and a nurse, who may not erase.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json as value};

use crate::access::{EMERGENCY, HEART_RATE, NURSES, SATURATION, put, readable, refused, register};
use crate::consortium::{Place, create, invite};
use crate::desk::Desk;
use crate::handover::{KEY, Numbered, received, values};
use crate::program::{Running, ask, fogward, json, text, wait_for};
use crate::pty::Line;

const NUMBER: &str = "P-4417";
/// Kills, each a little later after the erasure was asked for than the one before.
const KILLS: u64 = 12;
const LATER_MILLIS: u64 = 12;

/// How many readings a patient has here.
fn readings(api: &str, patient: &str) -> usize {
    let question = [
        "patient", "readings", patient, "--limit", "10000", "--api", api,
    ];
    ask(&question).as_array().unwrap().len()
}

fn patients(api: &str) -> u64 {
    let listed = ask(&["patient", "list", "--api", api]);
    listed["all"].as_u64().unwrap()
}

fn erasures(api: &str) -> Vec<Value> {
    let listed = ask(&["erase", "--list", "--api", api]);
    listed.as_array().unwrap().clone()
}

/// The certificates, once the ledger has all their tombstones.
fn final_erasures(api: &str) -> Vec<Value> {
    wait_for("the tombstones", || {
        let all = erasures(api);
        let are_final = all.iter().all(|one| one["height"].is_u64());
        are_final.then_some(all)
    })
}

fn clean(data: &str) -> Value {
    let (code, report) = json(["fsck", "--data", data, "--json"]);
    assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    report
}

/// Proves a device's reading of this value, and verifies the proof.
fn is_proven(folder: &Path, api: &str, device: &str, number: i64) -> bool {
    let rows = ask(&[
        "readings", "--api", api, "--device", device, "--limit", "10000",
    ]);
    let mut rows = rows.as_array().unwrap().iter();
    let Some(row) = rows.find(|row| row["value"] == number as f64) else {
        return false;
    };
    let [proof, genesis] = ["proof", "genesis"].map(|name| {
        let path = folder.join(format!("{name}-{number}"));
        // A file of an earlier try is in the way.
        let _ = std::fs::remove_file(&path);
        path.to_str().unwrap().to_owned()
    });
    let id = row["id"].as_str().unwrap();
    let saved = fogward(["proof", "--api", api, id, "-o", &proof]);
    let chain = fogward(["genesis", "--api", api, "-o", &genesis]);
    assert!(chain.status.success(), "{}", text(&chain.stderr));
    saved.status.success()
        && fogward(["verify", &proof, "--genesis", &genesis])
            .status
            .success()
}

/// Two nodes of one hospital: a patient wore a sensor at the first one, and wears it at the second.
struct Hospital {
    folder: tempfile::TempDir,
    nodes: [(Place, Running, String); 2],
    /// The sensor, at each node.
    devices: [String; 2],
    patient: String,
    _lines: [Line; 2],
}

impl Hospital {
    /// Readings 0 to 19 are nobody's, 20 to 49 hers at the first node, 50 to 79 hers at the second.
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut here, mut there) = (Line::new(), Line::new());
        let [first, second] = [101, 102].map(|number| Place::new(folder.path(), number));
        create(&first);
        let key = folder.path().join("key");
        std::fs::write(&key, hex::encode(KEY)).unwrap();
        let (host, one) = first.start_with(&[
            format!("--serial={}=fogward-level0", here.path),
            format!("--serial-key={}={}", here.path, key.display()),
        ]);
        let invitation = invite(&one, &["--same-organisation"]);
        second.join(&invitation, "Harbour General", "ward-b");
        let (other, two) = second.start();
        let paired = wait_for("the registration", || {
            let devices = ask(&["device", "list", "--api", &one]);
            let first = devices[0].clone();
            first["registered_height"].is_u64().then_some(first)
        });
        let [id, handle] = ["id", "handle"].map(|field| paired[field].as_str().unwrap());
        let mut sensor = Numbered::new();
        sensor.send(&mut here, 20);
        received(&one, id, 20);
        let add = [
            "patient",
            "add",
            "Zacharias",
            "--number",
            NUMBER,
            "--api",
            &one,
        ];
        let patient = ask(&add)["id"].as_str().unwrap().to_owned();
        ask(&["patient", "assign", NUMBER, id, "--api", &one]);
        sensor.send(&mut here, 30);
        received(&one, id, 50);
        ask(&["device", "handover", id, "--to", "ward-b", "--api", &one]);
        wait_for("the device on its way", || {
            let incoming = ask(&["device", "incoming", "--api", &two]);
            let mut rows = incoming.as_array()?.iter();
            rows.any(|row| row["handle"] == handle).then_some(())
        });
        let take = [
            "device",
            "take",
            handle,
            "--path",
            &there.path,
            "--api",
            &two,
        ];
        let taken = ask(&take)["id"].as_str().unwrap().to_owned();
        sensor.send(&mut there, 30);
        received(&two, &taken, 30);
        assert_eq!((readings(&one, NUMBER), readings(&two, NUMBER)), (30, 30));
        Self {
            devices: [id.to_owned(), taken],
            nodes: [(first, host, one), (second, other, two)],
            patient,
            folder,
            _lines: [here, there],
        }
    }
}

#[test]
fn who_is_erased_is_gone_at_every_node_and_stays_gone() {
    let hospital = Hospital::open();
    let folder = hospital.folder.path();
    let [(first, host, one), (second, other, two)] = hospital.nodes;
    let [here, there] = hospital.devices;
    assert!(is_proven(folder, &one, &here, 5), "nobody's");
    assert!(is_proven(folder, &one, &here, 25), "hers");
    let (file, words) = (folder.join("backup"), folder.join("words"));
    std::fs::write(&words, "a passphrase of many words").unwrap();
    let [file, words] = [&file, &words].map(|path: &PathBuf| path.to_str().unwrap());
    let sealed = ["--passphrase-file", words, "--json"];
    let (code, _) = json(
        ["backup", "-o", file, "--data", second.data()]
            .iter()
            .chain(&sealed),
    );
    assert_eq!(code, 0);

    let id = hospital.patient.as_str();
    let unconfirmed = fogward(["erase", NUMBER, "--confirm", NUMBER, "--api", &one]);
    assert_eq!(unconfirmed.status.code(), Some(1));
    assert!(text(&unconfirmed.stderr).contains("(ERA-01)"));
    let saved = folder.join("certificate");
    let saved = saved.to_str().unwrap();
    let erase = ["erase", NUMBER, "--confirm", id, "--certificate", saved];
    let erased = ask(&erase.into_iter().chain(["--api", &one]).collect::<Vec<_>>());
    assert_eq!(
        (&erased["readings"], &erased["assignments"]),
        (&value!(30), &value!(1))
    );
    let (code, verified) = json(["verify", saved, "--erasure", "--json"]);
    assert_eq!((code, &verified["valid"]), (0, &value!(true)), "{verified}");
    assert_eq!(verified["erasure"]["parts"], erased["parts"]);

    // At once here; at the other one once the tombstone is final, and the sensor is nobody's there.
    assert_eq!((patients(&one), values(&one, &here).len()), (0, 20));
    let gone = fogward(["erase", id, "--confirm", id, "--api", &one]);
    assert_eq!(gone.status.code(), Some(1), "{}", text(&gone.stderr));
    wait_for("the other node", || (patients(&two) == 0).then_some(()));
    assert_eq!(values(&two, &there).len(), 0);
    let device = ask(&["device", "show", &there, "--api", &two]);
    assert_eq!(device["assigned_to"], Value::Null);
    for (api, backups) in [(&one, 0), (&two, 1)] {
        let all = final_erasures(api);
        assert_eq!((all.len(), &all[0]["readings"]), (1, &value!(30)));
        assert_eq!(all[0]["handle"], erased["handle"]);
        assert_eq!(all[0]["backups"].as_array().unwrap().len(), backups);
    }
    assert!(is_proven(folder, &one, &here, 5), "as before");
    assert!(!is_proven(folder, &one, &here, 25));
    assert!(other.terminate().success());
    assert_eq!(clean(second.data())["vault"]["erased_readings"], 30);

    // Blocks are made while the restored one watches whether it is alone.
    assert!(host.terminate().success());
    let (host, _) = first.start_with(&["--demo=3".into(), "--batch-age-ms=100".into()]);
    let back = Place {
        data: folder.join("restored"),
        listen: second.listen.clone(),
    };
    let (code, _) = json(
        ["restore", file, "--data", back.data()]
            .iter()
            .chain(&sealed),
    );
    assert_eq!(code, 0);
    let (restored, three) = back.start();
    assert_eq!(patients(&three), 0, "nobody has seen her again");
    assert_eq!(values(&three, &there).len(), 0);
    let again = erasures(&three);
    assert_eq!((again.len(), &again[0]["handle"]), (1, &erased["handle"]));
    let backups = again[0]["backups"].as_array().unwrap().len();
    assert!(backups > 0, "what it was restored from is named");
    assert!(restored.terminate().success());
    assert!(host.terminate().success());
    assert_eq!(clean(first.data())["vault"]["erased_readings"], 30);
}

#[test]
fn killed_while_it_erases_all_is_there_or_gone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut node = Running::start(&data, &["--demo=1".into()]);
    let (mut there, mut gone) = (0, 0);
    for round in 0..KILLS {
        let api = node.address();
        let device = wait_for("the registration", || {
            let device = ask(&["device", "list", "--api", &api])[0].clone();
            device["registered_height"].is_u64().then_some(device)
        });
        let device = device["id"].as_str().unwrap();
        let name = format!("Patient {round}");
        let added = ask(&["patient", "add", &name, "--api", &api]);
        let id = added["id"].as_str().unwrap().to_owned();
        ask(&["patient", "assign", &id, device, "--api", &api]);
        wait_for("her readings", || (readings(&api, &id) > 5).then_some(()));
        ask(&["device", "unassign", device, "--api", &api]);
        let (kept, others) = (readings(&api, &id), erasures(&api).len());
        let erasing = std::thread::spawn({
            let (api, id) = (api.clone(), id.clone());
            move || fogward(["erase", &id, "--confirm", &id, "--api", &api])
        });
        std::thread::sleep(Duration::from_millis(round * LATER_MILLIS));
        node.kill();
        // It was answered, or nobody was there any more.
        let answered = erasing.join().unwrap().status.success();
        node = Running::start(&data, &[]);
        let api = node.address();
        let listed = ask(&["patient", "list", "--search", &name, "--api", &api]);
        let certificates = final_erasures(&api);
        if listed["found"] == 0 {
            assert_eq!(certificates.len(), others + 1);
            assert_eq!(certificates[0]["readings"], kept);
            gone += 1;
        } else {
            assert!(!answered, "what was answered is durable");
            assert_eq!((readings(&api, &id), certificates.len()), (kept, others));
            there += 1;
        }
        // The next round starts where this one has ended.
        assert!(node.terminate().success());
        clean(data.to_str().unwrap());
        node = Running::start(&data, &[]);
    }
    assert!(there > 0 && gone > 0, "{there} there, {gone} gone");
    node.ready();
    assert!(node.terminate().success());
}

#[test]
fn what_was_granted_of_her_has_ended_and_its_reason_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &[]);
    let desk = Desk::new(&node.address());
    register(&desk, &[("anna", "admin"), ("nina", "nurse")]);
    put(&desk, Some("anna"), "nurses", NURSES);
    put(&desk, Some("anna"), "emergency", EMERGENCY);
    let request = |name: &str| {
        let added = desk.ask(&["patient", "add", name, "--as", "nina"]);
        let id = added["id"].as_str().unwrap().to_owned();
        let shown = desk.ask(&["patient", "show", &id, "--as", "nina"]);
        let mut handles = shown["handles"].as_array().unwrap().iter();
        let subject = handles.find(|one| one["purpose"] == "treatment").unwrap();
        let subject = subject["handle"].as_str().unwrap().to_owned();
        let asked = ["access", "request", &subject, "--metric", HEART_RATE];
        let granted = desk.ask(&[&asked[..], &["--relation", "treating", "--as", "nina"]].concat());
        assert_eq!(granted["state"], "granted");
        (id, subject, granted)
    };
    let (hers, subject, granted) = request("Zoe");
    let (_, _, of_other) = request("Yan");
    let broken = desk.ask(&[
        "access",
        "break-glass",
        &subject,
        "--metric",
        SATURATION,
        "--reason",
        "Zoe was found unconscious",
        "--as",
        "nina",
    ]);
    assert_eq!(broken["state"], "granted");

    let erase = ["erase", &hers, "--confirm", &hers, "--as"];
    refused(&desk, &[&erase[..], &["nina"]].concat(), "AUTH-04");
    let erased = desk.ask(&[&erase[..], &["anna"]].concat());
    assert_eq!(
        (&erased["readings"], &erased["reasons"]),
        (&value!(0), &value!(1))
    );
    let mut ended = [&erased["ended"][0], &erased["ended"][1]].map(|one| one.as_str().unwrap());
    let mut expected = [&granted, &broken].map(|row| row["handle"].as_str().unwrap());
    ended.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ended, expected);
    for row in [&granted, &broken] {
        let handle = row["handle"].as_str().unwrap();
        let shown = wait_for("the end of a grant", || {
            let shown = desk.ask(&["access", "show", handle, "--as", "nina"]);
            (shown["state"] == "ended").then_some(shown)
        });
        assert_eq!(shown["reason"], Value::Null);
        assert!(readable(&data, row).is_empty());
    }
    assert_eq!(readable(&data, &of_other), [HEART_RATE]);
    let listed = desk.ask(&["erase", "--list", "--as", "anna"]);
    assert_eq!(listed[0]["handle"], erased["handle"]);
    refused(&desk, &["erase", "--list", "--as", "nina"], "AUTH-04");
    assert!(node.terminate().success());
    clean(data.to_str().unwrap());
}
