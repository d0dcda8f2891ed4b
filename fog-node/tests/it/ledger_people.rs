//! Goal: who is registered at a node is registered on the ledger, once, with the keys and roles of here, whatever is
//! killed, cut off or not admitted meanwhile; and who is revoked here is revoked there. Method: real nodes, killed
//! right after they have answered; what counts is read from their replicas.

use std::path::Path;
use std::time::Duration;

use fog_api::{Person, Role};
use ledger_core::access::{self, Role as OnLedger};
use ledger_core::{Digest, Height, Payload, SignedTransaction};
use ledger_store::Replica;
use serde_json::{Value, json as value};

use crate::consortium::{Place, create, invite, key_of, propose, view, vote};
use crate::desk::Desk;
use crate::program::{Running, json, wait_for};
use crate::served::Served;
use crate::signing::Human;

/// What the replica in this folder has under a person's handle.
fn known(data: &Path, person: &Person) -> Option<access::Person> {
    let replica = Replica::open_read_only(data.join("replica.db")).unwrap();
    let handle: Digest = person.ledger.handle.as_ref()?.parse().unwrap();
    let snapshot = replica.read().unwrap();
    access::person(&snapshot, &handle).unwrap()
}

/// How many registrations of people are in the blocks of this folder.
fn registrations(data: &Path) -> usize {
    let replica = Replica::open_read_only(data.join("replica.db")).unwrap();
    let snapshot = replica.read().unwrap();
    let tip = snapshot.tip().unwrap().height();
    let blocks = (1..=tip.0).filter_map(|height| snapshot.block(Height(height)).unwrap());
    let transactions = blocks.flat_map(|block| block.transactions);
    let signed = transactions.map(|bytes| SignedTransaction::decode(&bytes).unwrap());
    signed
        .map(|transaction| transaction.body().unwrap().payload)
        .filter(|payload| matches!(payload, Payload::RegisterPerson(_)))
        .count()
}

/// What a node says of people on the ledger: standing and why not, in the order of their logins.
fn standings(desk: &Desk) -> Vec<(String, String)> {
    let people = desk.ask(&["user", "list"]);
    let one = |person: &Value| {
        let ledger = &person["ledger"];
        let standing = ledger["standing"].as_str().unwrap().to_owned();
        let why = ledger["why_not"].as_str().unwrap_or_default().to_owned();
        (standing, why)
    };
    people.as_array().unwrap().iter().map(one).collect()
}

fn wait_until_all_are_known(desk: &Desk) {
    wait_for("everybody on the ledger", || {
        let standings = standings(desk);
        let mut standings = standings.iter();
        standings.all(|one| one.0 == "on_ledger").then_some(())
    });
}

fn is_clean(data: &Path) {
    let (code, report) = json(["fsck", "--data", data.to_str().unwrap(), "--json"]);
    assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
}

#[test]
fn kills_register_everybody_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut humans: Vec<Human> = Vec::new();
    for round in 0..8u64 {
        let node = Running::start(&data, &[]);
        let desk = Desk::new(&node.address());
        match humans.first_mut() {
            None => humans.push(desk.add("anna", "admin", &[])),
            Some(anna) => {
                desk.login_by_recovery(anna);
                humans.push(desk.add(&format!("nurse-{round}"), "nurse", &[]));
            }
        }
        // From before the transaction is signed until after it is final.
        std::thread::sleep(Duration::from_millis(round * 4));
        node.kill();
    }
    let node = Running::start(&data, &[]);
    let desk = Desk::new(&node.address());
    desk.login_by_recovery(&mut humans[0]);
    wait_until_all_are_known(&desk);
    assert!(node.terminate().success());
    assert_eq!(registrations(&data), humans.len());
    for human in &humans {
        let known = known(&data, &human.person).unwrap();
        let keys = known.registered.keys;
        assert_eq!(keys.signing.to_string(), human.person.signing_key);
        assert_eq!(hex::encode(keys.sealing), human.person.exchange_key);
    }
    is_clean(&data);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_keys_and_revocation_follow() {
    let served = Served::with_demo(0).await;
    let mut anna = served.register("anna", &[Role::Admin], None).await;
    let session = anna.sign_in(&served).await;
    let nina = served
        .register("nina", &[Role::Nurse], Some(&session))
        .await;
    let is = |person: &Person, wanted: &dyn Fn(&access::Person) -> bool| {
        wait_for("the ledger's entry", || {
            known(served.data(), person).filter(|known| wanted(known))
        })
    };
    let before = is(&nina.person, &|known| known.is_active);
    assert_eq!(before.registered.roles, [OnLedger::Nurse].into());

    let roles = format!("/api/people/{}/roles", nina.person.id);
    let asked = value!({ "roles": ["physician", "nurse"] });
    let (status, _, body) = served
        .call("POST", &roles, Some(&session), Some(asked))
        .await;
    assert_eq!(status, 200, "{body}");
    let both = [OnLedger::Physician, OnLedger::Nurse].into();
    is(&nina.person, &|known| known.registered.roles == both);

    let changed = value!({
        "passphrase": anna.passphrase,
        "new_passphrase": "another four long words",
        "new_keys": true,
    });
    let own = "/api/session/passphrase";
    let (status, _, person) = served
        .call("POST", own, Some(&session), Some(changed))
        .await;
    assert_eq!(status, 200, "{person}");
    let new = person["signing_key"].as_str().unwrap().to_owned();
    assert_ne!(new, anna.person.signing_key);
    is(&anna.person, &|known| {
        known.registered.keys.signing.to_string() == new
    });

    anna.passphrase = "another four long words".to_owned();
    let session = anna.sign_in(&served).await;
    let revoke = format!("/api/people/{}/revoke", nina.person.id);
    let (status, ..) = served.call("POST", &revoke, Some(&session), None).await;
    assert_eq!(status, 200);
    is(&nina.person, &|known| !known.is_active);
    let (_, _, people) = served
        .call("GET", "/api/people", Some(&session), None)
        .await;
    let standing = |at: usize| people[at]["ledger"]["standing"].clone();
    assert_eq!(
        (standing(0), standing(1)),
        (value!("on_ledger"), value!("revoked"))
    );
    served.end().await;
}

#[test]
fn people_wait_for_admission_and_for_a_quorum() {
    let folder = tempfile::tempdir().unwrap();
    let places = [91, 92, 93].map(|number| Place::new(folder.path(), number));
    let [harbour, eastmoor, quayside] = &places;
    create(harbour);
    let (host, one) = harbour.start();
    eastmoor.join(&invite(&one, &[]), "Eastmoor Clinic", "eastmoor-1");
    let (second, two) = eastmoor.start();
    wait_for("the second node to follow", || {
        (view(&two)["me"]["role"] == "observer").then_some(())
    });

    // Not admitted yet: who is registered there waits, and is told why.
    let joined = quayside.join(&invite(&one, &[]), "Quayside Lab", "quayside-1");
    assert_eq!(joined["admitted"], false, "{joined}");
    let (third, three) = quayside.start();
    let lab = Desk::new(&three);
    let mut quinn = lab.add("quinn", "admin", &[]);
    lab.login_by_recovery(&mut quinn);
    let waits = |desk: &Desk, why: &str| {
        wait_for("the reason", || {
            let standings = standings(desk);
            let (standing, said) = &standings[0];
            (standing == "waiting" && said.contains(why)).then_some(())
        });
    };
    waits(&lab, "not admitted yet");
    let (code, _, complaint) = lab.run(&["access", "list"]);
    let is_told = complaint.contains("(ACC-02)") && complaint.contains("not admitted yet");
    assert!(code == 1 && is_told, "{complaint}");
    let number = joined["proposal"].as_u64().unwrap();
    assert_eq!(vote(&two, number, "--approve")["outcome"], "approved");
    wait_until_all_are_known(&lab);
    wait_for("the same at the first node", || {
        known(&harbour.data, &quinn.person)
    });

    // Cut off from the other validator, killed, and started alone: it still waits; then it goes on by itself.
    let change = value!({"kind": "admit_validator", "node": key_of(&one, "eastmoor-1")});
    let row = propose(&one, &change);
    vote(&two, row["number"].as_u64().unwrap(), "--approve");
    let seats = |count: u64| {
        wait_for("the seats", || {
            let status = json(["status", "--api", &one, "--json"]).1;
            (status["validators"] == count).then_some(())
        });
    };
    seats(2);
    second.kill();
    let desk = Desk::new(&one);
    let mut hanna = desk.add("hanna", "admin", &[]);
    desk.login_by_recovery(&mut hanna);
    waits(&desk, "");
    host.kill();
    let (host, one) = harbour.start();
    let desk = Desk::new(&one);
    desk.login_by_recovery(&mut hanna);
    waits(&desk, "still waiting to become final");
    assert_eq!(known(&harbour.data, &hanna.person), None);
    let (second, _) = eastmoor.start();
    wait_until_all_are_known(&desk);
    assert!(known(&harbour.data, &hanna.person).unwrap().is_active);

    for node in [host, second, third] {
        assert!(node.terminate().success());
    }
    assert_eq!(registrations(&harbour.data), 2);
    for place in &places {
        is_clean(&place.data);
    }
}
