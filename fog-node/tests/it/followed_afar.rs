//! Goal: a physician of one hospital follows, at her own node, what is measured in the other; each reading is checked on
//! her node's replica as it comes, and the view ends at the block that ends her grant, though neither node waits for
//! the other. Method: two real nodes of two organisations; the record at the bedside of the one is the oracle at the
//! other.

use crate::access::{is_clean, staffed};
use crate::consortium::Hospitals;
use crate::disclosed::{PULSE, SATURATION};
use crate::followed::{View, Worn, now, text, told_of};
use crate::program::wait_for;

const PHYSICIANS: &str = "@approval(\"needed\")\npermit(principal in Role::\"physician\", action, resource)\nwhen { \
     resource.metric == \"59408-5\" };";

#[test]
fn a_physician_follows_another_hospitals_patient_until_it_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let Hospitals {
        harbour,
        clinic,
        nodes: [host, guest],
        apis,
        holder,
    } = Hospitals::open(folder.path(), [103, 104], &["--demo=2".to_owned()]);
    let patient = Worn::of_ward(&apis[0]);
    let [here, there] = staffed(&apis, &[("physicians", PHYSICIANS)], &[]);
    let both = [
        "--metric", SATURATION, "--metric", PULSE, "--holder", &holder,
    ];
    let asked = ["access", "request", &patient.handle, "--as", "petra"];
    let row = there.ask(&[&asked[..], &both, &["--next", "600"]].concat());
    let handle = text(&row["handle"]);
    wait_for("the request at Harbour", || {
        let inbox = here.ask(&["access", "list", "--as", "paul"]);
        (inbox.as_array()?.len() == 1).then_some(())
    });
    here.ask(&["access", "approve", handle, "--as", "paul"]);
    wait_for("the grant at the clinic", || {
        let row = there.ask(&["access", "show", handle, "--as", "petra"]);
        (row["state"] == "granted").then_some(())
    });

    let mut view = View::open(&there, handle, "petra", &[]);
    for _ in 0..4 {
        let late = view.see();
        assert!(late < 10_000, "{late} ms");
    }
    let ended = here.ask(&["access", "revoke", handle, "--as", "anna"]);
    let at = now();
    let seen = view.end();
    seen.was_cut_by(&ended, "ended it", at, 5_000);
    seen.is_without_a_hole(&patient, &here, "paul");
    for event in &seen.events {
        for receipt in event["receipts"].as_array().unwrap() {
            // What is not final at the clinic yet is counted as not proven, and nothing is proven that is not.
            assert!(receipt["proven"].as_u64().unwrap() <= receipt["readings"].as_u64().unwrap());
        }
    }
    for (desk, who) in [(&there, "petra"), (&here, "paul")] {
        told_of(desk, who, handle, seen.reads(), 1);
    }
    for node in [host, guest] {
        assert!(node.terminate().success());
    }
    is_clean(&harbour.data);
    is_clean(&clinic.data);
}
