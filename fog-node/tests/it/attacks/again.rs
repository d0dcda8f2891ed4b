//! Goal: what was said before, said again, changes nothing, nor does what others say in somebody's name, nor a state of
//! before that is put back. Method: two nodes of two organisations; the very bytes of transactions from their blocks, and
//! transactions of the other one's admin; a copy of a replica.

use std::path::Path;

use ledger_core::access::{
    AccessDecision, ChangePerson, DecideAccess, PersonChange, PersonKeys, PutPolicy,
    RegisterPerson, Scope,
};
use ledger_core::{ChainId, Digest, Height, Payload, SecretKey, SignedTransaction};
use ledger_store::Replica;
use serde_json::{Value, json};

use crate::access::{is_clean, put, refused, register};
use crate::consortium::Hospitals;
use crate::desk::Desk;
use crate::interactions::push;
use crate::nodes_door::{Sender, key_in};
use crate::program::wait_for;

/// The bytes of the transactions with this kind of payload, oldest first.
fn said_before(data: &Path, kind: &str) -> Vec<Vec<u8>> {
    let replica = Replica::open_read_only(data.join("replica.db")).unwrap();
    let snapshot = replica.read().unwrap();
    let tip = snapshot.tip().unwrap().height();
    let blocks = (1..=tip.0).filter_map(|height| snapshot.block(Height(height)).unwrap());
    let all = blocks.flat_map(|block| block.transactions);
    all.filter(|bytes| {
        let transaction = SignedTransaction::decode(bytes).unwrap();
        transaction.body().unwrap().payload.kind() == kind
    })
    .collect()
}

const SUBJECT: &str = "7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b";
/// What was agreed to first, and what holds.
const AT_ONCE: &str = "permit(principal in Role::\"nurse\", action, resource);";
const IF_AGREED: &str =
    "@approval(\"needed\")\npermit(principal in Role::\"nurse\", action, resource);";

/// All that an attacker would change: policies, people as the ledger knows them, requests.
fn standing(desk: &Desk) -> Value {
    let mut requests = desk.ask(&["access", "list", "--as", "anna"]);
    for row in requests.as_array_mut().unwrap() {
        row["remaining_seconds"] = Value::Null;
    }
    let people = desk.ask(&["user", "list", "--as", "anna"]);
    let people: Vec<_> = people
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["ledger"].clone())
        .collect();
    json!({ "policies": desk.ask(&["policy", "list", "--as", "anna"]), "people": people, "requests": requests })
}

#[test]
fn what_was_said_before_or_by_others_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Hospitals {
        harbour,
        clinic,
        nodes,
        apis: [one, two],
        holder,
    } = Hospitals::open(folder.path(), [129, 130], &[]);
    let desk = Desk::new(&one);
    let humans = register(&desk, &[("anna", "admin"), ("nina", "nurse")]);
    let request = [
        "access", "request", SUBJECT, "--metric", "59408-5", "--as", "nina",
    ];
    put(&desk, Some("anna"), "nurses", AT_ONCE);
    let granted = desk.ask(&request);
    assert_eq!(granted["state"], "granted");
    let handle = granted["handle"].as_str().unwrap();
    desk.ask(&["access", "revoke", handle, "--as", "nina"]);
    put(&desk, Some("anna"), "nurses", IF_AGREED);
    let waiting = desk.ask(&request);
    assert_eq!(waiting["state"], "waiting");
    let before = standing(&desk);
    let status = desk.ask(&["status", "--as", "anna"]);
    let height = status["height"].as_u64().unwrap();

    // The very bytes, at both nodes: the policy of before, her registration, what she asked and gave back.
    for kind in [
        "put_policy",
        "register_person",
        "ask_access",
        "decide_access",
    ] {
        let all = said_before(&harbour.data, kind);
        assert!(!all.is_empty(), "{kind}");
        for bytes in all {
            for api in [&one, &two] {
                let (status, said) = push(api, &bytes);
                let is_old = status == 200 && said["height"].as_u64() <= Some(height);
                assert!(is_old || status == 409, "{kind}: {status} {said}");
                let mut changed = bytes.clone();
                changed[bytes.len() / 2] ^= 1;
                let (status, said) = push(api, &changed);
                assert_eq!((status, &said["code"]), (409, &json!("PUSH-01")), "{kind}");
            }
        }
    }
    assert_eq!(standing(&desk), before);

    // The clinic's admin, with all that her keys allow, and a physician whom she makes up.
    let chain = ChainId(status["chain_id"].as_str().unwrap().parse().unwrap());
    let mut admin = Sender::new(key_in(&clinic.data, "admin.key"), chain);
    let mallory = SecretKey::from_seed(&[66; 32]);
    let anna = desk.ask(&["user", "list", "--as", "anna"])[0]["ledger"]["handle"].clone();
    let anna: Digest = anna.as_str().unwrap().parse().unwrap();
    let scope = Scope::all_of(holder.parse().unwrap());
    let policy = |name: &str, text: Option<&str>| {
        Payload::PutPolicy(PutPolicy {
            scope,
            name: name.to_owned(),
            text: text.map(str::to_owned),
            grounds: None,
        })
    };
    let person = |handle| {
        Payload::RegisterPerson(RegisterPerson {
            handle,
            keys: PersonKeys {
                signing: mallory.public(),
                sealing: [9; 32],
            },
            roles: [ledger_core::access::Role::Physician].into(),
            credential: Digest::of(b"a credential of nobody"),
        })
    };
    for payload in [
        policy("nurses", Some(AT_ONCE)),
        policy("nurses", None),
        policy("another", Some(AT_ONCE)),
        Payload::ChangePerson(ChangePerson {
            handle: anna,
            change: PersonChange::Revoke,
        }),
        // Somebody else's handle, with keys of one's own.
        person(anna),
    ] {
        admin.try_send(&one, payload);
        assert_eq!(standing(&desk), before);
    }
    admin.try_send(&one, person(Digest::of(b"mallory")));
    let mut mallory = Sender::new(mallory, chain);
    for decision in [AccessDecision::Allow, AccessDecision::End] {
        let access = waiting["handle"].as_str().unwrap().parse().unwrap();
        let decided = Payload::DecideAccess(DecideAccess { access, decision });
        mallory.try_send(&one, decided);
        assert_eq!(standing(&desk), before);
    }
    assert_eq!(humans.len(), 2);
    for node in nodes {
        assert!(node.terminate().success());
    }
}

/// A replica of before, put back beside a newer vault, would bring a grant back that has ended.
#[test]
fn an_older_replica_that_is_put_back_gives_nothing_once_it_follows() {
    let folder = tempfile::tempdir().unwrap();
    let demo = ["--demo=1".to_owned(), "--batch-age-ms=200".to_owned()];
    let Hospitals {
        clinic,
        nodes: [host, guest],
        apis: [_, two],
        ..
    } = Hospitals::open(folder.path(), [129, 130], &demo);
    let desk = Desk::new(&two);
    let mut humans = register(&desk, &[("anna", "admin"), ("nina", "nurse")]);
    put(&desk, Some("anna"), "nurses", AT_ONCE);
    let request = [
        "access", "request", SUBJECT, "--metric", "59408-5", "--as", "nina",
    ];
    let row = desk.ask(&request);
    let handle = row["handle"].as_str().unwrap();
    assert!(guest.terminate().success());
    let (replica, kept) = (clinic.data.join("replica.db"), folder.path().join("kept"));
    std::fs::copy(&replica, &kept).unwrap();

    let (guest, two) = clinic.start();
    let desk = Desk::new(&two);
    let mut sign_in = |desk: &Desk| {
        humans
            .iter_mut()
            .for_each(|human| desk.login_by_recovery(human))
    };
    sign_in(&desk);
    let ended = desk.ask(&["access", "revoke", handle, "--as", "anna"]);
    assert_eq!(ended["state"], "ended");
    desk.ask(&["policy", "retract", "nurses", "--as", "anna"]);
    assert!(guest.terminate().success());
    std::fs::copy(&kept, &replica).unwrap();

    let (guest, two) = clinic.start();
    let desk = Desk::new(&two);
    sign_in(&desk);
    let show = ["access", "show", handle, "--as", "nina"];
    wait_for("what has ended", || {
        (desk.ask(&show)["state"] == "ended").then_some(())
    });
    refused(&desk, &["access", "read", handle, "--as", "nina"], "ACC-06");
    let again = desk.run(&request).1;
    assert_eq!(again["state"], "denied", "the policy is not in force");
    for node in [host, guest] {
        assert!(node.terminate().success());
    }
    is_clean(&clinic.data);
}
