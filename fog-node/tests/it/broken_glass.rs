//! Goal: that a glass was broken is told to those who review it, at once, until somebody has, over a restart, and to
//! nobody else; another organisation's node tells it within a block. Method: listeners of several roles at one node in
//! process; then the program itself at two nodes of two organisations, the notice timed against the asker's answer.

use std::time::{Duration, Instant};

use axum::body::Body;
use fog_api::{BrokenGlass, Event, Role};
use fog_node::people::sessions::SessionRules;
use serde_json::{Value, json as value};

use crate::access::{EMERGENCY, SATURATION, is_clean, staffed};
use crate::api::next_events;
use crate::consortium::Hospitals;
use crate::desk::Desk;
use crate::program::wait_for;
use crate::served::Served;

const SUBJECT: &str = "7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c";

/// A listener of the node's events.
struct Listener(Body);

impl Listener {
    async fn of(served: &Served, session: &str) -> Self {
        let asked = served
            .request("GET", "/api/events")
            .header("fogward-session", session);
        let response = served.raw(asked.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200);
        Self(response.into_body())
    }

    /// The next list of broken glasses; nothing if none is told in this time.
    async fn told(&mut self, within: Duration) -> Option<Vec<BrokenGlass>> {
        let told = async {
            loop {
                for event in next_events(&mut self.0).await {
                    if let Event::BrokenGlass(rows) = event {
                        return rows;
                    }
                }
            }
        };
        tokio::time::timeout(within, told).await.ok()
    }
}

const SOON: Duration = Duration::from_secs(10);
/// Longer than an event takes that is on its way.
const NEVER: Duration = Duration::from_millis(1_500);

/// Asks until the ledger knows who asks.
async fn until_known(served: &Served, session: &str, path: &str, body: &Value) -> Value {
    for _ in 0..100 {
        let asked = served.call("POST", path, Some(session), Some(body.clone()));
        let (status, code, said) = asked.await;
        if code != "ACC-02" {
            assert_eq!(status, 200, "{said}");
            return said;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the ledger never knew who asks");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reviews_is_told_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::at(folder, None, SessionRules::default()).await;
    let mut anna = served.register("anna", &[Role::Admin], None).await;
    let admin = anna.sign_in(&served).await;
    let mut sessions = Vec::new();
    for (login, role) in [("paul", Role::Physician), ("nina", Role::Nurse)] {
        let mut human = served.register(login, &[role], Some(&admin)).await;
        sessions.push(human.sign_in(&served).await);
    }
    let [physician, nurse] = &sessions[..] else {
        panic!("two")
    };
    let policy = value!({ "name": "emergency", "text": EMERGENCY });
    let done = served.call("POST", "/api/policies", Some(&admin), Some(policy));
    assert_eq!(done.await.0, 200);
    let mut listeners = Vec::new();
    for session in [&admin, physician, nurse] {
        listeners.push(Listener::of(&served, session).await);
    }
    let [admins, physicians, nurses] = &mut listeners[..] else {
        panic!("three")
    };
    assert_eq!(admins.told(SOON).await, Some(Vec::new()));
    assert_eq!(physicians.told(SOON).await, Some(Vec::new()));

    // The physician breaks it herself: the admin is told, she is not of her own, the nurse of none.
    let asked = value!({
        "asked": {
            "subject": SUBJECT, "metrics": [SATURATION], "from": 1, "until": 2,
            "resolution": "raw", "purpose": "treatment", "seconds": 3600
        },
        "reason": "Found unconscious."
    });
    let row = until_known(&served, physician, "/api/access/break-glass", &asked).await;
    let told = admins.told(SOON).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].handle, row["handle"].as_str().unwrap());
    assert_eq!(
        told[0].person.handle,
        row["person"]["handle"].as_str().unwrap()
    );
    let text = serde_json::to_string(&told).unwrap();
    for secret in [SUBJECT, "unconscious", SATURATION] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(physicians.told(SOON).await, Some(Vec::new()));
    assert_eq!(nurses.told(NEVER).await, None);
    drop(listeners);

    // It stays over a restart, and goes with the review.
    let folder = served.stop().await;
    let served = Served::at(folder, None, SessionRules::default()).await;
    let admin = anna.sign_in(&served).await;
    let mut admins = Listener::of(&served, &admin).await;
    let mut again = admins.told(SOON).await.unwrap();
    if again.is_empty() {
        // The node had not looked yet when she came.
        again = admins.told(SOON).await.unwrap();
    }
    assert_eq!(again, told);
    let review = format!("/api/access/{}/review", told[0].handle);
    until_known(&served, &admin, &review, &value!({ "is_justified": true })).await;
    assert_eq!(admins.told(SOON).await, Some(Vec::new()));
    drop(admins);
    served.end().await;
}

#[test]
fn whose_data_it_is_is_told_within_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let Hospitals {
        harbour,
        clinic,
        nodes: [host, guest],
        apis,
        holder,
    } = Hospitals::open(folder.path(), [116, 117], &[]);
    let [here, there] = staffed(&apis, &[("emergency", EMERGENCY)], &[]);
    let waiting = |desk: &Desk, who: &str| {
        let asked = ["access", "list", "--broken-glass", "--as", who];
        desk.ask(&asked).as_array().unwrap().clone()
    };
    let ordinary = [
        "access", "request", SUBJECT, "--metric", SATURATION, "--holder", &holder, "--as", "petra",
    ];
    assert_eq!(there.run(&ordinary).1["state"], "denied");
    assert_eq!(waiting(&here, "paul"), [Value::Null; 0]);

    let asked = [
        "access",
        "break-glass",
        SUBJECT,
        "--metric",
        SATURATION,
        "--holder",
        &holder,
        "--reason",
        "Found unconscious.",
        "--as",
        "petra",
    ];
    let row = there.ask(&asked);
    let answered = Instant::now();
    let told = wait_for("the notice", || waiting(&here, "paul").pop());
    let took = answered.elapsed();
    let height = here.ask(&["status", "--as", "paul"])["height"]
        .as_u64()
        .unwrap();
    assert_eq!(told["handle"], row["handle"]);
    let final_at = row["changed_height"].as_u64().unwrap();
    assert!(height <= final_at + 1, "{height} {final_at} {took:?}");
    eprintln!("told {took:?} after the answer, the command line's time in it");

    let handle = row["handle"].as_str().unwrap();
    here.ask(&["access", "review", handle, "--unjustified", "--as", "paul"]);
    assert_eq!(waiting(&here, "anna"), [Value::Null; 0]);
    for node in [host, guest] {
        assert!(node.terminate().success());
    }
    is_clean(&harbour.data);
    is_clean(&clinic.data);
}
