//! Goal: on every route with an id in its path, an id that nobody has and one of any form are refused in words, and an
//! id of something that the caller may not know of is answered like one that nobody has. Method: the routes are those
//! of the API's description; a node with people of all roles, and two nodes of two organisations, each asked for what
//! the other one has.

use std::collections::BTreeMap;
use std::time::Duration;

use fog_api::Role;
use serde_json::{Value, json};

use crate::consortium::{Place, create};
use crate::permissions::described;
use crate::served::{Served, fresh};
use crate::signing::Human;

/// Each route with an id: a body that it takes, with `ID` for the id, and what it says to an id that nobody has.
const NAMED: &[(&str, &str, &str, &str)] = &[
    ("GET", "/api/devices/{id}", "", "404 API-04"),
    ("DELETE", "/api/devices/{id}", "", "404 API-04"),
    (
        "POST",
        "/api/devices/{id}/changes",
        r#"{"change":"suspend"}"#,
        "404 API-04",
    ),
    (
        "POST",
        "/api/devices/{id}/place",
        r#"{"place":null}"#,
        "404 API-04",
    ),
    (
        "POST",
        "/api/devices/{id}/handover",
        r#"{"to":"none"}"#,
        "404 API-04",
    ),
    (
        "GET",
        "/api/devices/{id}/history?metric=8889-8&from=0&to=1&points=9",
        "",
        "404 API-04",
    ),
    (
        "POST",
        "/api/devices/{id}/erase",
        r#"{"confirm":"ID"}"#,
        "404 API-04",
    ),
    ("POST", "/api/handovers/{handle}", "{}", "409 HAND-01"),
    (
        "POST",
        "/api/interactions/{id}/decision",
        r#"{"allow":true}"#,
        "409 LIFE-01",
    ),
    ("GET", "/api/readings/{id}", "", "404 API-04"),
    ("GET", "/api/proofs/{reading}", "", "404 API-04"),
    ("GET", "/api/bluetooth/pairings/{id}", "", "404 API-04"),
    ("DELETE", "/api/bluetooth/pairings/{id}", "", "404 API-04"),
    (
        "POST",
        "/api/bluetooth/pairings/{id}/answer",
        r#"{"answer":"yes"}"#,
        "404 API-04",
    ),
    ("GET", "/api/selftests/{id}", "", "404 API-04"),
    ("DELETE", "/api/selftests/{id}", "", "404 API-04"),
    ("GET", "/api/previews/{id}", "", "404 API-04"),
    ("DELETE", "/api/previews/{id}", "", "404 API-04"),
    ("GET", "/api/blocks/{height}", "", "404 API-04"),
    ("GET", "/api/transactions/{id}", "", "404 API-04"),
    ("GET", "/api/light/blocks/{height}", "", "404 API-04"),
    (
        "POST",
        "/api/consortium/proposals/{number}/vote",
        r#"{"approve":true}"#,
        "404 API-04",
    ),
    (
        "DELETE",
        "/api/consortium/invitations/{id}",
        "",
        "404 API-04",
    ),
    ("DELETE", "/api/policies/{name}", "", "404 API-04"),
    ("GET", "/api/policies/{name}/history", "", "404 API-04"),
    ("GET", "/api/policies/{name}/decisions", "", "404 API-04"),
    ("GET", "/api/access/{handle}", "", "404 API-04"),
    ("GET", "/api/access/{handle}/live", "", "404 API-04"),
    (
        "POST",
        "/api/access/{handle}/decision",
        r#"{"allow":true}"#,
        "404 API-04",
    ),
    ("POST", "/api/access/{handle}/end", "", "404 API-04"),
    ("POST", "/api/access/{handle}/read", "{}", "404 API-04"),
    (
        "GET",
        "/api/access/{handle}/reads/{read}/proofs/{reading}",
        "",
        "404 API-04",
    ),
    (
        "POST",
        "/api/access/{handle}/review",
        r#"{"is_justified":true}"#,
        "404 API-04",
    ),
    ("GET", "/api/patients/{id}", "", "404 API-04"),
    (
        "POST",
        "/api/patients/{id}",
        r#"{"name":"Another"}"#,
        "404 API-04",
    ),
    ("GET", "/api/patients/{id}/readings", "", "404 API-04"),
    (
        "GET",
        "/api/patients/{id}/history?metric=8889-8&from=0&to=1&points=9",
        "",
        "404 API-04",
    ),
    ("GET", "/api/patients/{id}/consents", "", "404 API-04"),
    ("POST", "/api/patients/{id}/consents", CONSENT, "404 API-04"),
    (
        "POST",
        "/api/patients/{id}/consents/{consent}/withdraw",
        "",
        "404 API-04",
    ),
    (
        "POST",
        "/api/patients/{id}/erase",
        r#"{"confirm":"ID"}"#,
        "404 API-04",
    ),
    ("GET", "/api/patients/{id}/audit", "", "404 API-04"),
    (
        "POST",
        "/api/audit/promises/{transaction}/settle",
        r#"{"reason":"Restored."}"#,
        "404 API-04",
    ),
    (
        "POST",
        "/api/patients/{id}/person",
        r#"{"login":null}"#,
        "404 API-04",
    ),
    (
        "POST",
        "/api/patients/{id}/team",
        r#"{"person":"ID","relation":"treating"}"#,
        "404 API-04",
    ),
    (
        "POST",
        "/api/patients/{id}/team/end",
        r#"{"person":"ID","relation":"treating"}"#,
        "404 API-04",
    ),
    (
        "POST",
        "/api/me/consents/{consent}/withdraw",
        "",
        "404 PAT-06",
    ),
    (
        "POST",
        "/api/people/{id}/roles",
        r#"{"roles":["admin"]}"#,
        "404 API-04",
    ),
    ("POST", "/api/people/{id}/revoke", "", "404 API-04"),
    (
        "POST",
        "/api/people/{id}/enrolment",
        r#"{"passphrase":"four words nobody knows"}"#,
        "404 API-04",
    ),
];
const CONSENT: &str = r#"{"words":"Nurses may see it.","witness":"Otto","text":
    "permit(principal in Role::\"nurse\", action, resource);"}"#;
/// Names of no form that is one.
const MALFORMED: [&str; 9] = [
    "none",
    "%2e%2e%2f%2e%2e%2fapi.token",
    "%00",
    "%ff%fe",
    "%27%20OR%20%271%27=%271",
    "-1",
    "18446744073709551616",
    "00000000000000000000000000000000.18446744073709551616",
    "%F0%9F%92%8A",
];

/// Asks a route for this id; status, code, and the whole answer without the id.
async fn ask(
    served: &Served,
    session: &str,
    (method, path, body): (&str, &str, &str),
    id: &str,
) -> (String, String) {
    let (path, question) = path.split_once('?').unwrap_or((path, ""));
    let parts = path
        .split('/')
        .map(|part| if part.starts_with('{') { id } else { part });
    let path = format!("{}?{question}", parts.collect::<Vec<_>>().join("/"));
    let body = match body {
        "" => None,
        body => Some(serde_json::from_str(&body.replace("ID", id)).unwrap()),
    };
    let (status, code, said) = served.call(method, &path, Some(session), body).await;
    let said = said.to_string().replace(id, "ID");
    (format!("{status} {code}"), said)
}

/// Somebody with these roles, and her session.
async fn somebody(
    served: &Served,
    login: &str,
    roles: &[Role],
    by: Option<&str>,
) -> (Human, String) {
    let mut human = served.register(login, roles, by).await;
    let session = human.sign_in(served).await;
    (human, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_nobody_has_are_refused_in_words() {
    let served = Served::at(tempfile::tempdir().unwrap(), None, fresh()).await;
    let described = described(&served).await;
    let mut with_id: Vec<_> = described
        .iter()
        .filter(|(_, path)| path.contains('{'))
        .map(|(method, path)| (method.as_str(), path.as_str()))
        .collect();
    let named = NAMED.iter().map(|(method, path, ..)| {
        let path = path.split('?').next().unwrap();
        (*method, path)
    });
    let mut named: Vec<_> = named.collect();
    with_id.sort_unstable();
    named.sort_unstable();
    assert_eq!(with_id, named);

    let (_, session) = somebody(&served, "everything", &Role::ALL, None).await;
    let long = "9".repeat(4_096);
    let mut wrong = Vec::new();
    for (method, path, body, expected) in NAMED {
        let unknown = match path {
            path if path.contains("{height}") || path.contains("{number}") => {
                "999999999".to_owned()
            }
            path if path.contains("{reading}") || path.contains("/readings/{id}") => {
                format!("{}.7", "5b".repeat(16))
            }
            _ => "5b".repeat(32),
        };
        let (said, _) = ask(&served, &session, (method, path, body), &unknown).await;
        if said != *expected {
            wrong.push(format!("{method} {path}: {said}, not {expected}"));
        }
        for id in MALFORMED.into_iter().chain([long.as_str()]) {
            let (said, _) = ask(&served, &session, (method, path, body), id).await;
            let is_refused = ["400 API-06", "400 READ-01", "404 API-04", expected];
            if !is_refused.contains(&said.as_str()) {
                wrong.push(format!("{method} {path} of {id:.40}: {said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    served.end().await;
}

/// An id of the same form that nobody has.
fn another(id: &str) -> String {
    let next = |digit: char| match digit {
        '9' => '0',
        'f' => 'a',
        '0'..='8' | 'a'..='e' => char::from(digit as u8 + 1),
        other => other,
    };
    id.chars().map(next).collect()
}

/// Two nodes of two organisations in this process.
struct Two {
    harbour: Served,
    clinic: Served,
}

impl Two {
    async fn open() -> Self {
        let homes = [124, 125].map(|number| {
            let home = tempfile::tempdir().unwrap();
            let listen = Place::new(home.path(), number).listen;
            let data = home.path().to_owned();
            (home, Place { data, listen })
        });
        let [(home, place), (other_home, other)] = homes;
        create(&place);
        let harbour = Served::at(home, Some(1), fresh()).await;
        let asked = Some(json!({}));
        let made = harbour
            .call("POST", "/api/consortium/invitations", None, asked)
            .await;
        let text = made.2["text"].as_str().unwrap().to_owned();
        tokio::task::spawn_blocking(move || other.join(&text, "Clinic", "clinic-1"))
            .await
            .unwrap();
        let clinic = Served::at(other_home, Some(1), fresh()).await;
        until("the clinic to follow", async || {
            let view = clinic.json("/api/consortium").await;
            (view["me"]["role"] == "observer").then_some(())
        })
        .await;
        Self { harbour, clinic }
    }
}

/// Asks again and again until the answer is there.
async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..300 {
        if let Some(seen) = look().await {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what} did not come");
}

/// Says something that must be done; the answer.
async fn tell(served: &Served, path: &str, session: Option<&str>, body: Value) -> Value {
    let (status, _, said) = served.call("POST", path, session, Some(body)).await;
    assert_eq!(status, 200, "{path}: {said}");
    said
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What a node has that others may not know of, by the first parts of the paths that name it.
async fn things(served: &Served) -> BTreeMap<&'static str, String> {
    let device = text(&served.json("/api/devices").await[0]["id"]);
    until("the registration", async || {
        let device = served.json(&format!("/api/devices/{device}")).await;
        device["registered_height"].as_u64()
    })
    .await;
    let patient = tell(
        served,
        "/api/patients",
        None,
        json!({ "name": "Ana Brook" }),
    )
    .await;
    let patient = text(&patient["id"]);
    let assign = json!({ "change": "assign", "patient": patient });
    tell(
        served,
        &format!("/api/devices/{device}/changes"),
        None,
        assign,
    )
    .await;
    let reading = text(&served.final_reading(&device).await["id"]);
    let invitation = tell(served, "/api/consortium/invitations", None, json!({})).await;
    BTreeMap::from([
        ("/api/devices/", device),
        ("/api/patients/", patient),
        ("/api/readings/", reading.clone()),
        ("/api/proofs/", reading),
        ("/api/consortium/invitations/", text(&invitation["id"])),
    ])
}

/// Asks for a part of somebody's data; the request's handle.
async fn request(served: &Served, session: &str) -> String {
    let asked = json!({ "subject": "7b".repeat(32), "metrics": ["8889-8"], "from": 0, "until": 1_000,
        "resolution": "raw", "purpose": "treatment", "seconds": 60 });
    let row = until("a request", async || {
        // The ledger has to know her first.
        let (status, _, row) = served
            .call("POST", "/api/access", Some(session), Some(asked.clone()))
            .await;
        (status == 200).then_some(row)
    });
    text(&row.await["handle"])
}

/// On each of these routes, this id is answered like one that nobody has.
async fn is_unknown(served: &Served, who: &str, session: &str, begin: &str, id: &str) {
    let mut asked = 0;
    for (method, path, body, _) in NAMED {
        if !path.starts_with(begin) {
            continue;
        }
        asked += 1;
        let (real, whole) = ask(served, session, (method, path, body), id).await;
        let unknown = ask(served, session, (method, path, body), &another(id)).await;
        assert_eq!(
            (&real, &whole),
            (&unknown.0, &unknown.1),
            "{who} {method} {path}"
        );
        assert!(!real.starts_with('2'), "{who} {method} {path}: {whole}");
    }
    assert!(asked > 0, "{begin}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_may_not_know_of_is_answered_as_if_it_were_not_there() {
    let Two { harbour, clinic } = Two::open().await;
    let mut things = things(&harbour).await;
    let (anna, by) = somebody(&harbour, "anna", &Role::ALL, None).await;
    let (_, nina) = somebody(&harbour, "nina", &[Role::Nurse], Some(&by)).await;
    let (_, carl) = somebody(&clinic, "carl", &Role::ALL, None).await;
    things.insert("/api/people/", anna.person.id.clone());
    let hers = request(&harbour, &nina).await;
    let theirs = request(&clinic, &carl).await;

    // Another node's things, though its organisation shares the ledger.
    things.insert("/api/access/", hers.clone());
    for (begin, id) in &things {
        is_unknown(&clinic, "carl", &carl, begin, id).await;
    }
    // Another organisation's request, for somebody who may do everything here.
    is_unknown(&harbour, "anna", &by, "/api/access/", &theirs).await;
    // Another person's request, for those who have no say in it.
    for role in [
        Role::Nurse,
        Role::Technician,
        Role::Researcher,
        Role::Patient,
    ] {
        let login = format!("other-{}", role.name());
        let (_, other) = somebody(&harbour, &login, &[role], Some(&by)).await;
        is_unknown(&harbour, &login, &other, "/api/access/", &hers).await;
    }
    // Who asked, and who has a say, are told that it is there.
    for (who, session) in [("nina", &nina), ("anna", &by)] {
        let path = format!("/api/access/{hers}");
        let (status, ..) = harbour.call("GET", &path, Some(session), None).await;
        assert_eq!(status, 200, "{who}");
    }
    // All of it is still there: nothing of it was changed by who may not know of it.
    for begin in ["/api/devices/", "/api/patients/", "/api/readings/"] {
        let path = format!("{begin}{}", things[begin]);
        let (status, _, said) = harbour.call("GET", &path, Some(&by), None).await;
        assert_eq!(status, 200, "{path}: {said}");
    }
    harbour.end().await;
    clinic.end().await;
}
