//! Goal: two hospitals' nodes agree which device may hear which; a device that signs for itself anchors its
//! own readings through any node, and nothing else. Method: two real nodes on one ledger, their command
//! lines, and a program that signs with a key of its own and speaks HTTP.

use ledger_core::{
    AnchorBatch, BatchNumber, ChainId, Digest, Nonce, Payload, SecretKey, SignedTransaction,
    TransactionBody,
};
use serde_json::{Value, json as value};

use crate::consortium::{Place, create, invite};
use crate::program::{ask, fogward, json, text, wait_for};

fn refused(arguments: &[&str], code: &str) {
    let output = fogward(arguments);
    let says = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {says}");
    assert!(says.contains(code), "{arguments:?}: {says}");
}

/// The handle of the first device of a node, once it is on the ledger.
fn first_handle(api: &str) -> String {
    wait_for("a registered device", || {
        let devices = ask(&["device", "list", "--api", api]);
        let device = devices[0].clone();
        device["registered_height"].as_u64()?;
        Some(device["handle"].as_str().unwrap().to_owned())
    })
}

fn interaction(api: &str, id: &str) -> Option<Value> {
    let all = ask(&["device", "interactions", "--api", api]);
    let mut rows = all.as_array().unwrap().iter();
    rows.find(|row| row["id"] == id).cloned()
}

/// Waits until a node has heard that an interaction is in this state.
fn becomes(api: &str, id: &str, state: &str) -> Value {
    wait_for(state, || {
        interaction(api, id).filter(|row| row["state"] == state)
    })
}

#[test]
fn hospitals_decide_which_device_may_hear_which() {
    let folder = tempfile::tempdir().unwrap();
    let [harbour, clinic] = [51, 52].map(|number| Place::new(folder.path(), number));
    create(&harbour);
    let host = harbour.start_with(&["--demo=2".to_owned()]);
    clinic.join(&invite(&host.1, &[]), "Clinic", "clinic-1");
    let other = clinic.start_with(&["--demo=1".to_owned()]);
    let (one, two) = (host.1.as_str(), other.1.as_str());
    let (ours, theirs) = (first_handle(one), first_handle(two));
    let own = ask(&["device", "list", "--api", one]);
    let second = own[1]["id"].as_str().unwrap().to_owned();

    // Within an organisation at once.
    let first = own[0]["id"].as_str().unwrap();
    let granted = ask(&["device", "ask", first, &second, "--api", one]);
    assert_eq!(granted["state"], "granted");
    assert_eq!(granted["asker_name"], own[0]["name"]);
    refused(
        &["device", "ask", first, &second, "--api", one],
        "(LIFE-01)",
    );

    // Another hospital's device, when that hospital says so.
    let registry = ask(&["device", "registry", "--api", one]);
    let row = registry.as_array().unwrap().iter();
    let row = row.clone().find(|row| row["handle"] == theirs.as_str());
    assert_eq!(row.expect("a row")["organisation"], "Clinic");
    let asked = ask(&[
        "device", "ask", &ours, &theirs, "--for", "600", "--api", one,
    ]);
    let id = asked["id"].as_str().unwrap();
    assert_eq!(
        (&asked["state"], &asked["may_grant"]),
        (&value!("asked"), &value!(false))
    );
    refused(&["device", "allow", id, "--api", one], "(LIFE-01)");
    let seen = becomes(two, id, "asked");
    assert_eq!(
        (&seen["may_grant"], &seen["may_end"]),
        (&value!(true), &value!(true))
    );
    let allowed = ask(&["device", "allow", id, "--api", two]);
    assert_eq!(allowed["state"], "granted");
    becomes(one, id, "granted");
    let ended = ask(&["device", "deny", id, "--api", two]);
    assert_eq!(ended["state"], "ended");
    becomes(one, id, "ended");
    refused(&["device", "deny", id, "--api", two], "(LIFE-01)");

    for node in [host.0, other.0] {
        assert!(node.terminate().success());
    }
    for place in [&harbour, &clinic] {
        let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}

/// Pushes a transaction; the status and the answer.
pub(crate) fn push(api: &str, transaction: &[u8]) -> (u16, Value) {
    let (base, token) = api.split_once("/?token=").unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent
        .post(format!("{base}/api/transactions"))
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/octet-stream")
        .send(transaction)
        .unwrap();
    let body = answer.body_mut().read_to_vec().unwrap();
    (
        answer.status().as_u16(),
        serde_json::from_slice(&body).unwrap(),
    )
}

fn anchor(chain: ChainId, key: &SecretKey, nonce: u64, batch: u64) -> Vec<u8> {
    let body = TransactionBody {
        chain,
        nonce: Nonce(nonce),
        payload: Payload::AnchorBatch(AnchorBatch {
            batch: BatchNumber(batch),
            root: Digest::of(b"simulated readings"),
            streams: 1,
            readings: 25,
        }),
    };
    SignedTransaction::sign(&body, key).encode()
}

#[test]
fn a_device_with_a_key_of_its_own_needs_no_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path(), 53);
    let (node, api) = place.start();
    let status = ask(&["status", "--api", &api]);
    let chain = ChainId(status["chain_id"].as_str().unwrap().parse().unwrap());
    let key = SecretKey::from_seed(&[77; 32]);

    let (code, stranger) = push(&api, &anchor(chain, &key, 0, 0));
    assert_eq!(
        (code, &stranger["code"]),
        (409, &value!("PUSH-01")),
        "{stranger}"
    );
    let file = folder.path().join("device.pub");
    std::fs::write(&file, format!("{}\n", key.public())).unwrap();
    let file = file.to_str().unwrap();
    let enrolled = ask(&["device", "enrol", file, "--simulated", "--api", &api]);
    assert_eq!(enrolled[0]["signer"]["key"], key.public().to_string());
    refused(&["device", "enrol", file, "--api", &api], "(LIFE-01)");

    let first = anchor(chain, &key, 0, 0);
    let (code, pushed) = push(&api, &first);
    assert_eq!(code, 200, "{pushed}");
    assert_eq!(push(&api, &first), (200, pushed.clone()), "executed once");
    let (code, _) = push(&api, &anchor(chain, &key, 1, 1));
    assert_eq!(code, 200);
    let registry = ask(&["device", "registry", "--api", &api]);
    let signer = &registry[0]["signer"];
    assert_eq!(
        (&signer["next_batch"], &signer["readings"]),
        (&value!(2), &value!(50))
    );

    let mut altered = anchor(chain, &key, 2, 2);
    *altered.last_mut().unwrap() ^= 1;
    let wrong_batch = anchor(chain, &key, 2, 7);
    let other_chain = anchor(ChainId(Digest::of(b"other")), &key, 2, 2);
    for wrong in [&altered, &wrong_batch, &other_chain, &vec![7; 100], &vec![]] {
        let (code, says) = push(&api, wrong);
        assert_eq!((code, &says["code"]), (409, &value!("PUSH-01")), "{says}");
    }
    assert!(node.terminate().success());
    let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
    assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
}
