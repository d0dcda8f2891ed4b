//! Goal: a physician of one hospital reads, at her own node, the part of another hospital's record that she was
//! granted; each reading is checked on her node's own replica; nobody else's node gets anything, and nothing after the
//! grant ended. Method: two real nodes of two organisations; the record at the bedside of the one is the oracle at the
//! other.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpStream;

use ledger_core::{Payload, SignedTransaction};
use ledger_store::Replica;
use serde_json::{Value, json as value};

use crate::access::{is_clean, refused, staffed};
use crate::consortium::{Hospitals, Place};
use crate::disclosed::{PULSE, Patient, SATURATION, shown, told};
use crate::program::wait_for;

const PHYSICIANS: &str = "@approval(\"needed\")\npermit(principal in Role::\"physician\", action, resource)\nwhen { \
     resource.metric == \"59408-5\" };";
const RESEARCHERS: &str = "permit(principal in Role::\"researcher\", action, resource)\nwhen { \
     context.purpose == Purpose::\"research\" && context.resolution == Resolution::\"aggregate\" };";

/// Who read at once, more than the door serves at a time.
const READERS: u32 = 24;
/// Connections of strangers, more than it keeps.
const STRANGERS: u32 = 200;

/// The commitment in a receipt, as a node's replica has it.
fn committed(place: &Place, transaction: &Value) -> String {
    let replica = Replica::open_read_only(place.data.join("replica.db")).unwrap();
    let id = transaction.as_str().unwrap().parse().unwrap();
    let stored = replica.read().unwrap().transaction(&id).unwrap().unwrap();
    let transaction = SignedTransaction::decode(&stored.bytes).unwrap();
    match transaction.body().unwrap().payload {
        Payload::Receipt(receipt) => receipt.disclosed.to_string(),
        other => panic!("{}", other.kind()),
    }
}

/// Connections to a node's door of who says nothing, and of who says no more than how a member begins.
fn silent(door: &str) -> Vec<TcpStream> {
    let connect = |number: u32| {
        let mut stream = TcpStream::connect(door).unwrap();
        if number.is_multiple_of(2) {
            // It may be shown the door already.
            let _ = stream.write_all(b"FWSNAP1 of some chain or other");
        }
        stream
    };
    (0..STRANGERS).map(connect).collect()
}

#[test]
fn a_physician_reads_a_granted_part_of_another_hospitals_record() {
    let folder = tempfile::tempdir().unwrap();
    let Hospitals {
        harbour,
        clinic,
        nodes: [host, guest],
        apis,
        holder,
    } = Hospitals::open(folder.path(), [99, 100], &["--demo=2".to_owned()]);
    let patient = Patient::of_ward(&apis[0]);
    let policies = [("physicians", PHYSICIANS), ("researchers", RESEARCHERS)];
    let [here, there] = staffed(&apis, &policies, &[("rita", "researcher")]);

    let (first, last) = patient.period();
    let third = (last - first) / 3;
    let (from, until) = (first + third, last - third);
    let request = |who: &str, purpose: &str, more: &[&str]| {
        let period = ["--from", &from.to_string(), "--until", &until.to_string()];
        let asked = ["access", "request", &patient.handles[purpose], "--as", who];
        let both = [
            "--metric", SATURATION, "--metric", PULSE, "--holder", &holder,
        ];
        let purpose = ["--purpose", purpose];
        there.ask(&[&asked[..], &both, &period, &purpose, more].concat())
    };
    let row = request("petra", "treatment", &[]);
    assert_eq!(row["state"], "waiting");
    let handle = row["handle"].as_str().unwrap();
    let read = ["access", "read", handle, "--as", "petra"];
    refused(&there, &read, "ACC-06");
    wait_for("the request at Harbour", || {
        let inbox = here.ask(&["access", "list", "--as", "paul"]);
        (inbox.as_array()?.len() == 1).then_some(())
    });
    here.ask(&["access", "approve", handle, "--as", "paul"]);
    wait_for("the grant at the clinic", || {
        let row = there.ask(&["access", "show", handle, "--as", "petra"]);
        (row["state"] == "granted").then_some(())
    });

    // Cut at both ends and by metric, and each reading checked on the clinic's own replica.
    let name = "5b".repeat(32);
    let named = [&read[..], &["--read", &name]].concat();
    let all = there.ask(&named);
    let expected = patient.readings(SATURATION, from, until);
    assert!(expected.len() > 3);
    assert_eq!(shown(&all), expected);
    assert_eq!(all["not_read"], value!([]));
    let count = expected.len() as u64;
    let receipt = &all["receipts"][0];
    assert_eq!(
        (&receipt["readings"], &receipt["proven"]),
        (&value!(count), &value!(count))
    );
    // The receipt stands on both replicas, with this commitment.
    for (desk, who) in [(&there, "petra"), (&here, "paul")] {
        assert_eq!(told(desk, who, handle, 1), count);
    }
    for place in [&harbour, &clinic] {
        assert_eq!(
            committed(place, &receipt["transaction"]),
            receipt["commitment"]
        );
    }
    let again = there.ask(&named);
    assert_eq!(
        (shown(&again), &again["receipts"]),
        (expected.clone(), &all["receipts"])
    );

    // A whole ward may read at once, and while strangers hold what connections they get.
    let door = harbour.listen.replace(":7401", ":7402");
    let strangers = silent(&door);
    std::thread::scope(|scope| {
        let reading = || assert_eq!(shown(&there.ask(&read)), expected);
        let all: Vec<_> = (0..READERS).map(|_| scope.spawn(reading)).collect();
        for one in all {
            one.join().unwrap();
        }
    });
    drop(strangers);

    // The other node alone reads nothing of hers, since it holds nothing; and aggregates cross as aggregates.
    let of_researcher = request("rita", "research", &["--resolution", "aggregate"]);
    let hers = of_researcher["handle"].as_str().unwrap();
    let told_of = there.ask(&["access", "read", hers, "--as", "rita"]);
    assert_eq!(shown(&told_of), BTreeMap::new());
    assert!(!told_of["spans"].as_array().unwrap().is_empty());
    assert!(told_of["receipts"][0]["readings"].as_u64().unwrap() > 0);
    refused(&there, &["access", "read", hers, "--as", "petra"], "API-04");

    // From the block on that ends it nothing is given, not even what was given before.
    here.ask(&["access", "revoke", handle, "--as", "anna"]);
    refused(&there, &named, "ACC-06");
    let reads = 1 + u64::from(READERS);
    assert_eq!(told(&here, "anna", handle, reads), reads * count);
    for node in [host, guest] {
        assert!(node.terminate().success());
    }
    is_clean(&harbour.data);
    is_clean(&clinic.data);
}
