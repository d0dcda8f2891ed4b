//! Goal: who was granted a part of a record is shown exactly that part, with proofs; the ledger is told of each read,
//! once, whatever happens to the process; nobody else is shown anything. Method: the program itself with a simulated
//! ward; the record as a nurse sees it at the bedside is the oracle; the process is killed while it answers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json as value};

use crate::access::{is_clean, put, refused, register};
use crate::desk::Desk;
use crate::program::{Running, ask, fogward, text, wait_for};

pub(crate) const SATURATION: &str = "59408-5";
pub(crate) const PULSE: &str = "8889-8";
const NURSES: &str = "permit(principal in Role::\"nurse\", action, resource)\nwhen { \
     context.relations.contains(Relation::\"treating\") && resource.metric == \"59408-5\" };";
const RESEARCHERS: &str = "permit(principal in Role::\"researcher\", action, resource)\nwhen { \
     context.purpose == Purpose::\"research\" && context.resolution == Resolution::\"aggregate\" };";

/// A patient whose record has ended, as the bedside shows it.
pub(crate) struct Patient {
    /// By purpose.
    pub(crate) handles: BTreeMap<String, String>,
    /// Newest first.
    rows: Vec<Value>,
}

impl Patient {
    /// Lets somebody wear the first device of a ward until there are some readings, all of them final.
    pub(crate) fn of_ward(api: &str) -> Self {
        let device = ask(&["device", "list", "--api", api])[0]["id"].clone();
        let device = device.as_str().unwrap();
        wait_for("the registration", || {
            let device = ask(&["device", "show", device, "--api", api]);
            device["registered_height"].as_u64()
        });
        let added = ask(&["patient", "add", "Ana Brook", "--api", api]);
        let id = added["id"].as_str().unwrap().to_owned();
        ask(&["patient", "assign", &id, device, "--api", api]);
        let rows = || {
            let asked = ["patient", "readings", &id, "--limit", "10000", "--api", api];
            ask(&asked).as_array().unwrap().clone()
        };
        wait_for("her readings", || (rows().len() > 40).then_some(()));
        ask(&["device", "unassign", device, "--api", api]);
        let rows = wait_for("their finality", || {
            let rows = rows();
            rows.iter().all(|row| row["final"] == true).then_some(rows)
        });
        let shown = ask(&["patient", "show", &id, "--api", api]);
        let handles = shown["handles"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            handles: handles
                .map(|row| (text(&row["purpose"]), text(&row["handle"])))
                .collect(),
            rows,
        }
    }

    /// When her readings were received, the first and the last.
    pub(crate) fn period(&self) -> (i64, i64) {
        let at = |row: &Value| row["host_time"].as_i64().unwrap();
        (at(self.rows.last().unwrap()), at(&self.rows[0]))
    }

    /// Readings of a metric in a period, by name.
    pub(crate) fn readings(
        &self,
        code: &str,
        from: i64,
        until: i64,
    ) -> BTreeMap<String, (i64, Option<f64>)> {
        let rows = self.rows.iter().filter(|row| row["code"] == code);
        rows.map(|row| {
            let id = row["id"].as_str().unwrap().to_owned();
            (
                id,
                (row["host_time"].as_i64().unwrap(), row["value"].as_f64()),
            )
        })
        .filter(|(_, (at, _))| (from..until).contains(at))
        .collect()
    }
}

/// What a read has shown, by name.
pub(crate) fn shown(disclosure: &Value) -> BTreeMap<String, (i64, Option<f64>)> {
    let mut all = BTreeMap::new();
    for stream in disclosure["streams"].as_array().unwrap() {
        for reading in stream["readings"].as_array().unwrap() {
            assert_eq!(reading["simulated"], true);
            let id = format!(
                "{}.{}",
                stream["stream"].as_str().unwrap(),
                reading["sequence"]
            );
            let row = (
                reading["taken"].as_i64().unwrap(),
                reading["value"].as_f64(),
            );
            assert!(all.insert(id, row).is_none(), "shown twice");
        }
    }
    all
}

/// Waits until the ledger has been told of so many reads of a request; of how many readings.
pub(crate) fn told(desk: &Desk, who: &str, request: &str, reads: u64) -> u64 {
    wait_for("the receipts", || {
        let row = desk.ask(&["access", "show", request, "--as", who]);
        assert!(row["reads"].as_u64().unwrap() <= reads, "{row}");
        (row["reads"] == reads).then(|| row["readings"].as_u64().unwrap())
    })
}

#[test]
fn what_was_granted_is_shown_proven_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &["--demo=2".into()]);
    let api = node.address();
    let patient = Patient::of_ward(&api);
    let genesis = folder.path().join("genesis");
    let desk = Desk::new(&api);
    let people = [
        ("anna", "admin"),
        ("nina", "nurse"),
        ("nora", "nurse"),
        ("rita", "researcher"),
    ];
    register(&desk, &people);
    put(&desk, Some("anna"), "nurses", NURSES);
    put(&desk, Some("anna"), "researchers", RESEARCHERS);

    // A part inside the record: cut at both ends, and one of two metrics.
    let (first, last) = patient.period();
    let third = (last - first) / 3;
    let (from, until) = (first + third, last - third);
    let period = ["--from", &from.to_string(), "--until", &until.to_string()];
    let request = |who: &str, subject: &str, more: &[&str]| {
        let both = ["--metric", SATURATION, "--metric", PULSE, "--as", who];
        let asked = [&["access", "request", subject][..], &both, &period, more];
        desk.ask(&asked.concat())
    };
    let treating = &["--relation", "treating"];
    let row = request("nina", &patient.handles["treatment"], treating);
    let handle = row["handle"].as_str().unwrap();
    let name = "5a".repeat(32);
    let read = ["access", "read", handle, "--as", "nina"];
    let named = [&read[..], &["--read", &name]].concat();
    let all = desk.ask(&named);
    let expected = patient.readings(SATURATION, from, until);
    assert!(expected.len() > 3, "{}", expected.len());
    assert_eq!(shown(&all), expected);
    assert_eq!(all["spans"], value!([]));
    assert_eq!(told(&desk, "nina", handle, 1), expected.len() as u64);

    // Who lost the answer gets the same under the same receipt; whoever reads anew is told of anew.
    let again = desk.ask(&named);
    assert_eq!(
        (shown(&again), &again["receipts"]),
        (expected.clone(), &all["receipts"])
    );
    let middle = i64::midpoint(from, until);
    let part = ["--from", &middle.to_string(), "--metric", SATURATION];
    let folder_of_proofs = folder.path().join("proofs");
    let proofs = ["--proofs", folder_of_proofs.to_str().unwrap()];
    let later = desk.ask(&[&read[..], &part, &proofs].concat());
    let expected_later = patient.readings(SATURATION, middle, until);
    assert_eq!(shown(&later), expected_later);
    let counted = told(&desk, "nina", handle, 2);
    assert_eq!(counted, (expected.len() + expected_later.len()) as u64);
    let none = desk.ask(&[&read[..], &["--metric", PULSE]].concat());
    assert_eq!(shown(&none), BTreeMap::new());
    assert_eq!(told(&desk, "nina", handle, 3), counted);

    // Each reading shown has its proof, which a stranger checks; others have none here.
    let out = ["genesis", "--output", genesis.to_str().unwrap()];
    desk.ask(&[&out[..], &["--as", "nina"]].concat());
    for id in expected_later.keys() {
        let proof = folder_of_proofs.join(format!("{id}.fwproof"));
        let checked = fogward([
            "verify",
            proof.to_str().unwrap(),
            "--genesis",
            genesis.to_str().unwrap(),
        ]);
        assert!(checked.status.success(), "{}", text(&checked.stderr));
    }

    // What is told of many together tells of none alone.
    let asked = ["--purpose", "research", "--resolution", "aggregate"];
    let row = request("rita", &patient.handles["research"], &asked);
    let hers = row["handle"].as_str().unwrap();
    let told_of = desk.ask(&["access", "read", hers, "--as", "rita"]);
    assert_eq!(told_of["streams"], value!([]));
    let spans = told_of["spans"].as_array().unwrap();
    assert!(!spans.is_empty());
    let count: u64 = spans
        .iter()
        .map(|span| span["count"].as_u64().unwrap())
        .sum();
    let readings = told(&desk, "rita", hers, 1);
    assert!(0 < count && count <= readings, "{count} of {readings}");

    // Nobody else reads it, and nobody under a grant that is over or about somebody who is not here.
    let reads = |who| ["access", "read", handle, "--as", who];
    refused(&desk, &reads("nora"), "API-04");
    refused(&desk, &reads("anna"), "ACC-03");
    refused(&desk, &[&read[..], &["--read", "5a"]].concat(), "ACC-01");
    let stranger = request("nina", &"7b".repeat(32), treating);
    let stranger = stranger["handle"].as_str().unwrap();
    refused(
        &desk,
        &["access", "read", stranger, "--as", "nina"],
        "ACC-07",
    );
    desk.ask(&["access", "revoke", handle, "--as", "anna"]);
    refused(&desk, &named, "ACC-06");
    refused(&desk, &read, "ACC-06");
    assert_eq!(told(&desk, "nina", handle, 3), counted);
    assert!(node.terminate().success());
    is_clean(&data);
}

/// How often the process is killed.
const KILLS: usize = 6;

#[test]
fn no_read_without_its_receipt_and_no_receipt_without_its_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut node = Running::start(&data, &["--demo=2".into()]);
    let api = node.address();
    let patient = Patient::of_ward(&api);
    let mut desk = Desk::new(&api);
    let mut people = register(&desk, &[("anna", "admin"), ("nina", "nurse")]);
    put(&desk, Some("anna"), "nurses", NURSES);
    let (first, last) = patient.period();
    let row = desk.ask(&[
        "access",
        "request",
        &patient.handles["treatment"],
        "--metric",
        SATURATION,
        "--from",
        &first.to_string(),
        "--until",
        &(last + 1).to_string(),
        "--relation",
        "treating",
        "--as",
        "nina",
    ]);
    let handle = row["handle"].as_str().unwrap();
    let expected = patient.readings(SATURATION, first, last + 1);
    let mut answered: Vec<bool> = Vec::new();
    let name = |number: usize| format!("{number:064x}");
    for round in 0..KILLS {
        let ask = std::thread::spawn({
            let (handle, name) = (handle.to_owned(), name(round));
            move || {
                let read = ["access", "read", &handle, "--read", &name, "--as", "nina"];
                let (code, said, _) = desk.run(&read);
                (code == 0).then(|| shown(&said))
            }
        });
        // From before it asks to after it was answered, on a machine that is neither fast nor slow.
        std::thread::sleep(Duration::from_millis(30 * round as u64 + 10));
        drop(node);
        let said = ask.join().unwrap();
        assert!(said.as_ref().is_none_or(|said| *said == expected));
        answered.push(said.is_some());
        node = Running::start(&data, &["--demo=2".into()]);
        desk = Desk::new(&node.address());
        desk.login_by_recovery(&mut people[1]);
        // Whatever was answered is told of, with no help.
        let least = answered.iter().filter(|was| **was).count() as u64;
        wait_for("the receipts", || {
            let row = desk.ask(&["access", "show", handle, "--as", "nina"]);
            (row["reads"].as_u64().unwrap() >= least).then_some(())
        });
    }
    // What was told of can be read; so that the receipts are as many as the reads, and not one more.
    for round in 0..KILLS {
        let name = name(round);
        let read = ["access", "read", handle, "--read", &name, "--as", "nina"];
        assert_eq!(shown(&desk.ask(&read)), expected, "{round}: {answered:?}");
    }
    let readings = told(&desk, "nina", handle, KILLS as u64);
    assert_eq!(readings, (KILLS * expected.len()) as u64);
    assert!(node.terminate().success());
    is_clean(&data);
}
