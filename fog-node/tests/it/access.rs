//! Goal: people ask for a part of somebody's data, the policies and people decide, and what was decided, cut off,
//! ended, reviewed or denied is told and stays; who may not know of a request is not told that there is one. Method:
//! the program itself, as several people at one node and at two nodes of two organisations; what may be read is also
//! asked of the replica, by the ledger's own rule.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use fog_api::Role;
use ledger_core::access;
use ledger_store::Replica;
use serde_json::{Value, json as value};

use crate::consortium::Hospitals;
use crate::desk::Desk;
use crate::program::{Running, json, wait_for};
use crate::served::Served;
use crate::signing::Human;

pub(crate) const HEART_RATE: &str = "8867-4";
pub(crate) const SATURATION: &str = "59408-5";
const SUBJECT: &str = "7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b";

/// Nurses who treat the patient see the heart rate; whoever breaks the glass sees everything.
pub(crate) const NURSES: &str = "permit(principal in Role::\"nurse\", action, resource)\nwhen { \
     context.relations.contains(Relation::\"treating\") && resource.metric == \"8867-4\" };";
pub(crate) const EMERGENCY: &str =
    "permit(principal, action, resource) when { context.emergency };";
const ASKED_FOR: &str =
    "@approval(\"needed\")\npermit(principal in Role::\"physician\", action, resource);";

/// Puts a policy, as an admin.
pub(crate) fn put(desk: &Desk, admin: Option<&str>, name: &str, text: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let mut asked = vec!["policy", "put", name, file.path().to_str().unwrap()];
    asked.extend(admin.into_iter().flat_map(|admin| ["--as", admin]));
    desk.ask(&asked);
}

/// Registers people with a role each, signs them in, and waits until the ledger knows them.
pub(crate) fn register(desk: &Desk, people: &[(&str, &str)]) -> Vec<Human> {
    let mut humans = Vec::new();
    for (login, role) in people {
        let name = format!("{login} Featherstone");
        let mut more = vec!["--name", &name];
        if !humans.is_empty() {
            more.extend(["--as", people[0].0]);
        }
        let mut human = desk.add(login, role, &more);
        desk.login_by_recovery(&mut human);
        humans.push(human);
    }
    wait_for("everybody on the ledger", || {
        let all = desk.ask(&["user", "list", "--as", people[0].0]);
        let mut all = all.as_array().unwrap().iter();
        all.all(|one| one["ledger"]["standing"] == "on_ledger")
            .then_some(())
    });
    humans
}

fn texts(value: &Value) -> Vec<&str> {
    let all = value.as_array().unwrap().iter();
    all.map(|one| one.as_str().unwrap()).collect()
}

/// The desks of two hospitals: policies of the first, anna (admin) and paul (physician) there; carl (admin), petra
/// (physician) and more people at the second one.
pub(crate) fn staffed(
    apis: &[String; 2],
    policies: &[(&str, &str)],
    more: &[(&str, &str)],
) -> [Desk; 2] {
    let [here, there] = apis.each_ref().map(|api| Desk::new(api));
    for (name, text) in policies {
        put(&here, None, name, text);
    }
    register(&here, &[("anna", "admin"), ("paul", "physician")]);
    let people = [("carl", "admin"), ("petra", "physician")];
    register(&there, &[&people[..], more].concat());
    wait_for("the policies at the clinic", || {
        let known = there.ask(&["policy", "list", "--as", "carl"])["policies"].take();
        (known.as_array()?.len() == policies.len()).then_some(())
    });
    [here, there]
}

/// What may be read now by the ledger's own rule.
pub(crate) fn readable(data: &Path, row: &Value) -> Vec<String> {
    let replica = Replica::open_read_only(data.join("replica.db")).unwrap();
    let handle = row["handle"].as_str().unwrap().parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = u64::try_from(now.as_millis()).unwrap();
    access::readable(&replica.read().unwrap(), &handle, now).unwrap()
}

/// What a command that is refused complains about.
pub(crate) fn refused(desk: &Desk, arguments: &[&str], code: &str) {
    let (exit, _, complaint) = desk.run(arguments);
    assert!(
        exit == 1 && complaint.contains(&format!("({code})")),
        "{arguments:?}: {exit} {complaint}"
    );
}

#[test]
fn a_part_is_granted_and_ended_and_denials_stay() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &[]);
    let desk = Desk::new(&node.address());
    let people = [
        ("anna", "admin"),
        ("nina", "nurse"),
        ("nora", "nurse"),
        ("tom", "technician"),
    ];
    register(&desk, &people);
    put(&desk, Some("anna"), "nurses", NURSES);
    let both = ["--metric", SATURATION, "--metric", HEART_RATE];
    let request = |who: &str, more: &[&str]| {
        let asked = ["access", "request", SUBJECT, "--as", who];
        desk.run(&[&asked[..], &both, more].concat())
    };

    // A part is granted: what is not permitted is cut off, and that is told in words.
    let (code, row, complaint) = request("nina", &["--relation", "treating"]);
    assert_eq!(
        (code, &row["state"]),
        (0, &value!("granted")),
        "{complaint}"
    );
    assert_eq!(texts(&row["readable"]), [HEART_RATE]);
    assert_eq!(texts(&row["cut_off"]), [SATURATION]);
    assert_eq!(texts(&row["by"]), ["nurses"]);
    assert_eq!(row["relations"], value!(["treating"]));
    let words = row["words"].as_str().unwrap();
    assert!(
        words.starts_with("nina Featherstone (") && words.contains("may see 8867-4 until"),
        "{words}"
    );
    let left = row["remaining_seconds"].as_u64().unwrap();
    assert!((3_500..=3_600).contains(&left), "{left}");
    assert_eq!(readable(&data, &row), [HEART_RATE]);

    // Nobody else may know of it, but those of the organisation who decide.
    let handle = row["handle"].as_str().unwrap().to_owned();
    refused(
        &desk,
        &["access", "show", &handle, "--as", "nora"],
        "API-04",
    );
    refused(
        &desk,
        &["access", "revoke", &handle, "--as", "nora"],
        "API-04",
    );
    assert_eq!(desk.ask(&["access", "list", "--as", "nora"]), value!([]));
    let seen = desk.ask(&["access", "list", "--as", "anna"]);
    assert_eq!(
        (&seen[0]["handle"], &seen[0]["may_end"]),
        (&row["handle"], &value!(true))
    );
    refused(
        &desk,
        &["access", "approve", &handle, "--as", "anna"],
        "ACC-03",
    );
    refused(
        &desk,
        &["access", "approve", &handle, "--as", "nina"],
        "AUTH-04",
    );

    // An admin ends it, and nothing may be read any more.
    let ended = desk.ask(&["access", "revoke", &handle, "--as", "anna"]);
    assert_eq!(ended["state"], "ended");
    assert_eq!(ended["decided_by"]["name"], "anna Featherstone");
    assert_eq!(readable(&data, &row), [""; 0]);
    refused(
        &desk,
        &["access", "revoke", &handle, "--as", "nina"],
        "ACC-03",
    );

    // Without the relation nothing is permitted; that stays on record.
    let (code, denied, _) = request("nina", &[]);
    assert_eq!((code, &denied["state"]), (1, &value!("denied")));
    let (code, of_technician, complaint) = request("tom", &["--relation", "treating"]);
    assert_eq!((code, of_technician), (1, Value::Null));
    assert!(complaint.contains("(ACC-05)"), "{complaint}");
    let states = |who: &str| {
        let all = desk.ask(&["access", "list", "--as", who]);
        let states = all
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["state"].clone());
        states.collect::<Vec<_>>()
    };
    assert_eq!(states("nina"), ["denied", "ended"]);

    // A grant ends with what it rests on, and is there again with it.
    let (_, row, _) = request("nora", &["--relation", "treating"]);
    let handle = row["handle"].as_str().unwrap();
    desk.ask(&["policy", "retract", "nurses", "--as", "anna"]);
    let shown = desk.ask(&["access", "show", handle, "--as", "nora"]);
    assert_eq!(shown["state"], "suspended");
    assert_eq!(readable(&data, &row), [""; 0]);
    let given_back = desk.ask(&["access", "revoke", handle, "--as", "nora"]);
    assert_eq!(
        (&given_back["state"], &given_back["decided_by"]),
        (&value!("ended"), &Value::Null)
    );

    // What makes no sense is refused before anybody hears of it.
    for wrong in [
        &["--purpose", "curiosity"][..],
        &["--resolution", "finer"],
        &["--for", "59"],
        &["--from", "2", "--until", "2"],
        &["--holder", "none"],
        &["--holder", "00000000000000000000000000000000"],
    ] {
        let (code, _, complaint) = request("nina", wrong);
        assert!(
            code == 1 && complaint.contains("(ACC-01)"),
            "{wrong:?}: {complaint}"
        );
    }
    let short = [
        "access", "request", "7b", "--metric", HEART_RATE, "--as", "nina",
    ];
    refused(&desk, &short, "ACC-01");
    refused(&desk, &["access", "show", "none", "--as", "nina"], "API-04");
    assert_eq!(states("nina").len(), 2);
    assert!(node.terminate().success());
    is_clean(&data);
}

#[test]
fn a_broken_glass_is_reviewed_and_its_reason_stays_in_the_vault() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &[]);
    let desk = Desk::new(&node.address());
    let people = [("anna", "admin"), ("nina", "nurse"), ("tom", "technician")];
    register(&desk, &people);
    let why = "Found unconscious in corridor seven";
    let breaks = |who: &str| {
        let asked = [
            "access",
            "break-glass",
            SUBJECT,
            "--metric",
            SATURATION,
            "--reason",
            why,
            "--as",
            who,
        ];
        desk.run(&asked)
    };
    let (code, denied, complaint) = breaks("nina");
    assert_eq!(
        (code, &denied["state"]),
        (1, &value!("denied")),
        "{complaint}"
    );
    put(&desk, Some("anna"), "emergency", EMERGENCY);
    let (code, _, complaint) = breaks("tom");
    assert!(code == 1 && complaint.contains("(AUTH-04)"), "{complaint}");
    let (code, row, complaint) = breaks("nina");
    assert_eq!(
        (code, &row["state"]),
        (0, &value!("granted")),
        "{complaint}"
    );
    assert_eq!(readable(&data, &row), [SATURATION]);
    assert_eq!(
        (&row["reason"], &row["may_review"]),
        (&value!(why), &value!(false))
    );

    // It waits for somebody else's review, first in the list, with its reason.
    let handle = row["handle"].as_str().unwrap();
    let seen = desk.ask(&["access", "list", "--as", "anna"]);
    assert_eq!(
        (&seen[0]["handle"], &seen[0]["may_review"]),
        (&row["handle"], &value!(true))
    );
    assert_eq!(seen[0]["reason"], why);
    refused(
        &desk,
        &["access", "review", handle, "--justified", "--as", "nina"],
        "AUTH-04",
    );
    let reviewed = desk.ask(&["access", "review", handle, "--unjustified", "--as", "anna"]);
    assert_eq!(reviewed["review"]["is_justified"], false);
    assert_eq!(reviewed["review"]["by"]["name"], "anna Featherstone");
    let words = reviewed["words"].as_str().unwrap();
    assert!(
        words.contains("; anna Featherstone (") && words.ends_with("that there was no reason to."),
        "{words}"
    );
    refused(
        &desk,
        &["access", "review", handle, "--justified", "--as", "anna"],
        "ACC-03",
    );
    let denied = denied["handle"].as_str().unwrap();
    refused(
        &desk,
        &["access", "review", denied, "--justified", "--as", "anna"],
        "ACC-03",
    );

    // Neither reason nor name is anywhere on disk in clear, over a kill as well.
    node.kill();
    let files = files_below(&data);
    assert!(files.len() > 4, "{files:?}");
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        for word in ["Featherstone", "unconscious"] {
            let is_there = bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes());
            assert!(!is_there, "{word} in {}", path.display());
        }
    }
    is_clean(&data);
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| match path.is_dir() {
        true => files_below(&path),
        false => vec![path],
    };
    paths.flat_map(below).collect()
}

/// Who may know a node's patients asks about them by id or number; from others, and of nobody, that is no subject.
#[test]
fn a_patient_is_named_by_who_may_know_her() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &[]);
    let desk = Desk::new(&node.address());
    let added = desk.ask(&["patient", "add", "Ana Brook", "--number", "P-4417"]);
    let id = added["id"].as_str().unwrap();
    let people = [("anna", "admin"), ("nina", "nurse"), ("tom", "technician")];
    register(&desk, &people);
    let view = desk.ask(&["patient", "show", id, "--as", "nina"]);
    let mut handles = view["handles"].as_array().unwrap().iter();
    let expected = handles.find(|one| one["purpose"] == "quality");
    let expected = &expected.unwrap()["handle"];
    let request = |who: &str, subject: &str| {
        let asked = ["access", "request", subject, "--metric", HEART_RATE];
        let why = ["--purpose", "quality", "--as", who];
        desk.run(&[&asked[..], &why].concat())
    };
    for subject in [id, "P-4417", &expected.as_str().unwrap().to_uppercase()] {
        let (_, row, complaint) = request("nina", subject);
        assert_eq!(&row["subject"], expected, "{complaint}");
    }
    for (who, subject) in [("tom", "P-4417"), ("tom", id), ("nina", "P-9999")] {
        let (code, _, complaint) = request(who, subject);
        assert!(code == 1 && complaint.contains("(ACC-01)"), "{complaint}");
        assert!(!complaint.contains(subject), "{complaint}");
    }
    assert!(node.terminate().success());
    is_clean(&data);
}

/// The data's organisation decides about what another's people ask, each at her own node.
#[test]
fn a_person_of_the_holder_decides_about_another_organisations_request() {
    let folder = tempfile::tempdir().unwrap();
    let Hospitals {
        harbour,
        clinic,
        nodes: [host, guest],
        apis,
        holder,
    } = Hospitals::open(folder.path(), [95, 96], &[]);
    let [here, there] = staffed(&apis, &[("on-request", ASKED_FOR)], &[]);
    let request = |more: &[&str]| {
        let asked = [
            "access", "request", SUBJECT, "--metric", HEART_RATE, "--as", "petra",
        ];
        there.run(&[&asked[..], &["--holder", &holder], more].concat())
    };
    // What petra is to the patient only Harbour could say.
    let (code, _, complaint) = request(&["--relation", "treating"]);
    assert!(code == 1 && complaint.contains("(ACC-05)"), "{complaint}");
    wait_for("the policy at the clinic", || {
        let policies = there.ask(&["policy", "list", "--as", "carl"])["policies"].take();
        (!policies.as_array()?.is_empty()).then_some(())
    });
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let (code, row, complaint) = request(&[]);
        assert_eq!(
            (code, &row["state"]),
            (0, &value!("waiting")),
            "{complaint}"
        );
        assert_eq!(
            (&row["may_decide"], &row["may_end"]),
            (&value!(false), &value!(true))
        );
        let handle = row["handle"].as_str().unwrap().to_owned();
        refused(
            &there,
            &["access", "approve", &handle, "--as", "carl"],
            "API-04",
        );
        waiting.push((handle, row));
    }
    let [(first, row), (second, _)] = &waiting[..] else {
        panic!("two requests")
    };
    let inbox = wait_for("both requests at Harbour", || {
        let inbox = here.ask(&["access", "list", "--as", "paul"]);
        (inbox.as_array()?.len() == 2).then_some(inbox)
    });
    assert_eq!(inbox[0]["may_decide"], true);
    assert_eq!(inbox[0]["person"]["organisation"], "Clinic");
    assert_eq!(
        inbox[0]["person"]["name"],
        Value::Null,
        "her name stays at her clinic"
    );
    assert_eq!(
        here.ask(&["access", "approve", first, "--as", "paul"])["state"],
        "granted"
    );
    assert_eq!(
        here.ask(&["access", "deny", second, "--as", "anna"])["state"],
        "refused"
    );
    let at_clinic = |handle: &str, state: &str| {
        wait_for("the decision at the clinic", || {
            let row = there.ask(&["access", "show", handle, "--as", "petra"]);
            (row["state"] == state).then_some(row)
        })
    };
    assert_eq!(
        texts(&at_clinic(first, "granted")["readable"]),
        [HEART_RATE]
    );
    at_clinic(second, "refused");
    assert_eq!(readable(&clinic.data, row), [HEART_RATE]);

    // Who is revoked loses what was granted, at every node.
    there.ask(&["user", "revoke", "petra", "--as", "carl"]);
    wait_for("the revocation at Harbour", || {
        readable(&harbour.data, row).is_empty().then_some(())
    });
    for node in [host, guest] {
        assert!(node.terminate().success());
    }
    is_clean(&harbour.data);
    is_clean(&clinic.data);
}

/// What one person says at the same moment is signed one after the other, and none of it is lost or refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_ask_many_things_at_once() {
    let served = Served::with_demo(0).await;
    let mut anna = served.register("anna", &[Role::Admin], None).await;
    let session = anna.sign_in(&served).await;
    wait_for("anna on the ledger", || {
        let handle = anna.person.ledger.handle.as_ref()?.parse().unwrap();
        let replica = Replica::open_read_only(served.data().join("replica.db")).unwrap();
        access::person(&replica.read().unwrap(), &handle).unwrap()
    });
    let asked = value!({
        "subject": SUBJECT,
        "metrics": [SATURATION, HEART_RATE, SATURATION],
        "from": 1, "until": 2, "resolution": "aggregate", "purpose": "quality", "seconds": 60,
    });
    let asks =
        (0..8).map(|_| served.call("POST", "/api/access", Some(&session), Some(asked.clone())));
    let mut handles = BTreeSet::new();
    for (status, _, row) in futures_util::future::join_all(asks).await {
        assert_eq!((status, &row["state"]), (200, &value!("denied")), "{row}");
        assert_eq!(texts(&row["metrics"]), [SATURATION, HEART_RATE]);
        handles.insert(row["handle"].as_str().unwrap().to_owned());
    }
    assert_eq!(handles.len(), 8);
    served.end().await;
}

pub(crate) fn is_clean(data: &Path) {
    let (code, report) = json(["fsck", "--data", data.to_str().unwrap(), "--json"]);
    assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
}
