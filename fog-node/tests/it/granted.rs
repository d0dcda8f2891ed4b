//! Goal: a physician or an admin gives somebody a part of a record that she has not asked for, within the policies; she
//! reads it like what she asked for, until it is ended; the access log tells who gave what to whom; nobody else gives
//! anything. Method: the program itself with a simulated ward; the record as the bedside shows it is the oracle.

use serde_json::json as value;

use crate::access::{is_clean, put, refused, register};
use crate::desk::Desk;
use crate::disclosed::{Patient, SATURATION, shown, told};
use crate::program::Running;

/// Researchers see what a person agrees to, as measured, for research.
const ON_REQUEST: &str = "@approval(\"needed\")\npermit(principal in Role::\"researcher\", action, resource)\nwhen { \
     context.purpose == Purpose::\"research\" && resource.metric == \"59408-5\" };";

#[test]
fn a_part_is_given_read_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &["--demo=1".into()]);
    let api = node.address();
    let patient = Patient::of_ward(&api);
    let desk = Desk::new(&api);
    let people = [
        ("anna", "admin"),
        ("paul", "physician"),
        ("nina", "nurse"),
        ("rita", "researcher"),
        ("uma", "auditor"),
    ];
    register(&desk, &people);
    put(&desk, Some("anna"), "on-request", ON_REQUEST);
    let (first, last) = patient.period();
    let (from, until) = (first, last - (last - first) / 3);
    let period = ["--from", &from.to_string(), "--until", &until.to_string()];
    let subject = patient.handles["research"].as_str();
    let give = |who: &str, to: &str, purpose: &str| {
        let grant = ["access", "grant", to, subject, "--metric", SATURATION];
        let how = ["--purpose", purpose, "--as", who];
        [&grant[..], &period, &how]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let refuse = |given: Vec<String>, code: &str| {
        let given: Vec<_> = given.iter().map(String::as_str).collect();
        refused(&desk, &given, code);
    };

    // Not by who decides about nothing, not to oneself, not to nobody, and not beside the policies.
    refuse(give("nina", "rita", "research"), "AUTH-04");
    refuse(give("rita", "rita", "research"), "AUTH-04");
    refuse(give("paul", "paul", "research"), "ACC-03");
    refuse(give("paul", "nobody", "research"), "ACC-01");
    refuse(give("paul", &"7b".repeat(32), "research"), "ACC-03");
    refuse(give("paul", "rita", "payment"), "ACC-03");
    refuse(give("paul", "nina", "research"), "ACC-03");
    assert_eq!(desk.ask(&["access", "list", "--as", "rita"]), value!([]));

    let given = give("paul", "rita", "research");
    let given: Vec<_> = given.iter().map(String::as_str).collect();
    let row = desk.ask(&given);
    assert_eq!(row["state"], "granted");
    assert_eq!(row["person"]["name"], "rita Featherstone");
    assert_eq!(row["decided_by"]["name"], "paul Featherstone");
    let handle = row["handle"].as_str().unwrap();
    let listed = desk.ask(&["access", "list", "--as", "rita"]);
    assert_eq!(
        (&listed[0]["handle"], &listed[0]["is_own"]),
        (&row["handle"], &value!(true))
    );

    // She reads just that; the ledger is told.
    let read = ["access", "read", handle, "--as", "rita"];
    let expected = patient.readings(SATURATION, from, until);
    assert!(expected.len() > 3, "{}", expected.len());
    assert_eq!(shown(&desk.ask(&read)), expected);
    assert_eq!(told(&desk, "rita", handle, 1), expected.len() as u64);
    refused(&desk, &["access", "read", handle, "--as", "nina"], "API-04");

    // Who gave what to whom is in the log.
    let page = desk.ask(&["audit", "query", "--outcome", "granted", "--as", "uma"]);
    let entry = &page["entries"][0];
    assert_eq!(entry["kind"], "grant_access");
    assert_eq!(entry["signer"]["name"], "paul Featherstone");
    assert_eq!(entry["person"]["name"], "rita Featherstone");
    let words = entry["words"].as_str().unwrap();
    assert!(
        words.contains(", who had not asked, 59408-5 from "),
        "{words}"
    );

    // Ended, it shows nothing any more.
    desk.ask(&["access", "revoke", handle, "--as", "paul"]);
    refused(&desk, &read, "ACC-06");
    assert!(node.terminate().success());
    is_clean(&data);
}
