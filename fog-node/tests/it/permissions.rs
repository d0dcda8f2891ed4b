//! Goal: each role may do what it may and nothing else, on every route, and nobody without an open session
//! may do anything. Method: the routes are those of the API's own description; what is expected stands here,
//! written down by hand; every cell is asked for over the real router.

use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use fog_api::{ApiError, Role};
use fog_node::people::sessions::SessionRules;
use http_body_util::BodyExt as _;

use crate::served::Served;
use crate::signing::Human;

/// Who may, by first letter: admin, physician, nurse, technician, researcher, aUditor, patient (`z`).
const EVERYBODY: &str = "apntruz";
const READERS: &str = "apntru";
const WARD: &str = "apnt";
const HANDS: &str = "ant";
const CARE: &str = "pn";
const ONESELF: &str = "z";

/// Method, path, who may, and whether a fresh code is asked for.
pub(crate) const EXPECTED: &[(&str, &str, &str, bool)] = &[
    ("GET", "/api/openapi.json", EVERYBODY, false),
    ("GET", "/api/status", READERS, false),
    ("GET", "/api/events", WARD, false),
    ("POST", "/api/backup", "a", true),
    ("GET", "/api/devices", WARD, false),
    ("POST", "/api/devices", HANDS, false),
    ("GET", "/api/devices/{id}", WARD, false),
    ("DELETE", "/api/devices/{id}", HANDS, false),
    ("POST", "/api/devices/{id}/changes", WARD, false),
    ("POST", "/api/devices/{id}/place", HANDS, false),
    ("POST", "/api/devices/{id}/handover", HANDS, false),
    ("GET", "/api/devices/{id}/history", CARE, false),
    ("GET", "/api/handovers", WARD, false),
    ("POST", "/api/handovers/{handle}", HANDS, false),
    ("GET", "/api/roaming", WARD, false),
    ("GET", "/api/ledger/devices", WARD, false),
    ("POST", "/api/ledger/devices", HANDS, false),
    ("GET", "/api/interactions", WARD, false),
    ("POST", "/api/interactions", HANDS, false),
    ("POST", "/api/interactions/{id}/decision", HANDS, false),
    ("GET", "/api/readings", CARE, false),
    ("GET", "/api/readings/{id}", CARE, false),
    ("GET", "/api/profiles", WARD, false),
    ("POST", "/api/codes/check", HANDS, false),
    ("GET", "/api/ports", WARD, false),
    ("GET", "/api/bluetooth", WARD, false),
    ("POST", "/api/bluetooth/pairings", HANDS, false),
    ("GET", "/api/bluetooth/pairings/{id}", HANDS, false),
    ("DELETE", "/api/bluetooth/pairings/{id}", HANDS, false),
    ("POST", "/api/bluetooth/pairings/{id}/answer", HANDS, false),
    ("POST", "/api/selftests", HANDS, false),
    ("GET", "/api/selftests/{id}", WARD, false),
    ("DELETE", "/api/selftests/{id}", HANDS, false),
    ("GET", "/api/commissionings", WARD, false),
    ("POST", "/api/identify", HANDS, false),
    ("POST", "/api/previews", HANDS, false),
    ("GET", "/api/previews/{id}", HANDS, false),
    ("DELETE", "/api/previews/{id}", HANDS, false),
    ("POST", "/api/demo", HANDS, false),
    ("DELETE", "/api/demo", HANDS, false),
    ("GET", "/api/blocks", READERS, false),
    ("GET", "/api/blocks/{height}", READERS, false),
    ("GET", "/api/transactions/{id}", READERS, false),
    ("GET", "/api/finality", READERS, false),
    ("GET", "/api/light/blocks", READERS, false),
    ("GET", "/api/light/blocks/{height}", READERS, false),
    ("GET", "/api/light/state", READERS, false),
    ("GET", "/api/proofs/{reading}", CARE, false),
    ("GET", "/api/genesis", READERS, false),
    ("GET", "/api/consortium", READERS, false),
    ("GET", "/api/consortium/series", READERS, false),
    ("POST", "/api/consortium/preflight", READERS, false),
    ("POST", "/api/consortium/proposals", "a", true),
    ("POST", "/api/consortium/proposals/{number}/vote", "a", true),
    ("POST", "/api/consortium/invitations", "a", true),
    ("DELETE", "/api/consortium/invitations/{id}", "a", false),
    ("POST", "/api/consortium/join/invitation", "a", false),
    ("POST", "/api/consortium/join", "a", true),
    ("GET", "/api/consortium/join", READERS, false),
    ("GET", "/api/policies", READERS, false),
    ("POST", "/api/policies", "a", true),
    ("DELETE", "/api/policies/{name}", "a", true),
    ("GET", "/api/retracted-policies", READERS, false),
    ("GET", "/api/policies/{name}/history", READERS, false),
    ("GET", "/api/policies/{name}/decisions", "au", false),
    ("POST", "/api/policies/check", READERS, false),
    ("POST", "/api/policies/simulate", READERS, false),
    ("GET", "/api/access", EVERYBODY, false),
    ("POST", "/api/access", EVERYBODY, false),
    ("POST", "/api/access/break-glass", CARE, true),
    ("POST", "/api/access/grant", "ap", false),
    ("GET", "/api/access/{handle}", EVERYBODY, false),
    ("POST", "/api/access/{handle}/decision", "ap", false),
    ("POST", "/api/access/{handle}/end", EVERYBODY, false),
    ("POST", "/api/access/{handle}/read", EVERYBODY, false),
    ("GET", "/api/access/{handle}/live", EVERYBODY, false),
    (
        "GET",
        "/api/access/{handle}/reads/{read}/proofs/{reading}",
        EVERYBODY,
        false,
    ),
    ("POST", "/api/access/{handle}/review", "ap", false),
    ("GET", "/api/patients", CARE, false),
    ("POST", "/api/patients", CARE, false),
    ("GET", "/api/patients/{id}", CARE, false),
    ("POST", "/api/patients/{id}", CARE, false),
    ("GET", "/api/patients/{id}/readings", CARE, false),
    ("GET", "/api/patients/{id}/history", CARE, false),
    ("GET", "/api/patients/{id}/consents", CARE, false),
    ("POST", "/api/patients/{id}/consents", CARE, false),
    (
        "POST",
        "/api/patients/{id}/consents/{consent}/withdraw",
        CARE,
        false,
    ),
    ("POST", "/api/patients/{id}/person", CARE, false),
    ("POST", "/api/patients/{id}/team", CARE, false),
    ("POST", "/api/patients/{id}/team/end", CARE, false),
    ("GET", "/api/me", ONESELF, false),
    ("GET", "/api/me/readings", ONESELF, false),
    ("GET", "/api/me/history", ONESELF, false),
    ("GET", "/api/me/consents", ONESELF, false),
    ("POST", "/api/me/consents", ONESELF, false),
    (
        "POST",
        "/api/me/consents/{consent}/withdraw",
        ONESELF,
        false,
    ),
    ("GET", "/api/me/audit", ONESELF, false),
    ("POST", "/api/patients/{id}/erase", "a", true),
    ("POST", "/api/devices/{id}/erase", "a", true),
    ("GET", "/api/erasures", "au", false),
    ("GET", "/api/patients/{id}/audit", CARE, false),
    ("GET", "/api/audit", "au", false),
    ("GET", "/api/audit/bundle", "au", true),
    (
        "POST",
        "/api/audit/promises/{transaction}/settle",
        "au",
        false,
    ),
    ("GET", "/api/people", "au", false),
    ("POST", "/api/people", "a", true),
    ("POST", "/api/people/{id}/roles", "a", true),
    ("POST", "/api/people/{id}/revoke", "a", true),
    ("POST", "/api/people/{id}/enrolment", "a", true),
    ("POST", "/api/session/active", EVERYBODY, false),
    ("POST", "/api/session/step-up", EVERYBODY, false),
    ("POST", "/api/session/passphrase", EVERYBODY, true),
    ("POST", "/api/session/enrolment", EVERYBODY, true),
];

/// What signing in needs, so that nobody need be signed in; `people.rs` looks at each. And what proves by itself who
/// says it.
pub(crate) const OPEN: &[(&str, &str)] = &[
    ("POST", "/api/transactions"),
    ("GET", "/api/session"),
    ("POST", "/api/session"),
    ("DELETE", "/api/session"),
    ("POST", "/api/session/lock"),
    ("POST", "/api/session/unlock"),
    ("POST", "/api/session/switch"),
];

pub(crate) fn letter(role: Role) -> char {
    match role {
        Role::Admin => 'a',
        Role::Physician => 'p',
        Role::Nurse => 'n',
        Role::Technician => 't',
        Role::Researcher => 'r',
        Role::Auditor => 'u',
        Role::Patient => 'z',
    }
}

/// A route's path with this name in the place of each of its parameters, and numbers where it takes numbers.
pub(crate) fn filled(path: &str, name: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{height}" => "999999999",
        "{number}" => "7",
        _ if part.starts_with('{') => name,
        _ => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The description's routes: method and path.
pub(crate) async fn described(served: &Served) -> Vec<(String, String)> {
    let description = served.json("/api/openapi.json").await;
    let mut described = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "delete", "patch"] {
            if methods.get(method).is_some() {
                described.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    described.sort();
    described
}

/// Asks with a body that no route accepts; the refusal, if its code begins with `AUTH`.
async fn gate(
    served: &Served,
    method: &str,
    path: &str,
    session: Option<&str>,
) -> Option<(u16, ApiError)> {
    let path = filled(path, "none");
    let mut request = served
        .request(method, &path)
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(session) = session {
        request = request.header("fogward-session", session);
    }
    let response = served.raw(request.body(Body::from("{")).unwrap()).await;
    let status = response.status().as_u16();
    if response.status().is_success() {
        return None;
    }
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let error: ApiError = serde_json::from_slice(&bytes).unwrap();
    error.code.starts_with("AUTH").then_some((status, error))
}

/// Every route answers this session with this refusal.
async fn all_refused(served: &Served, session: Option<&str>, expected: (u16, &str)) {
    for (method, path, ..) in EXPECTED {
        let refused = gate(served, method, path, session).await;
        let (status, error) = refused.unwrap_or_else(|| panic!("{method} {path} let it pass"));
        assert_eq!((status, error.code.as_str()), expected, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_has_its_expectation() {
    let served = Served::with_demo(0).await;
    let own = EXPECTED.iter().map(|(method, path, ..)| (*method, *path));
    let mut expected: Vec<_> = own
        .chain(OPEN.iter().copied())
        .filter(|(_, path)| *path != "/api/openapi.json")
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    expected.sort();
    assert_eq!(described(&served).await, expected);
    // Nobody is registered: all is open to who has the token, but what somebody does in her own name.
    for (method, path, ..) in EXPECTED {
        let signs = ["/api/session/", "/api/access", "/api/audit", "/api/me"]
            .iter()
            .any(|begin| path.starts_with(begin))
            || path.ends_with("/audit")
            || path.ends_with("/decisions")
            || path.ends_with("/person")
            || (*method == "POST" && path.contains("/consents"));
        let refused = gate(&served, method, path, None).await;
        assert!(refused.is_none() || signs, "{method} {path} {refused:?}");
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_what_it_may_and_nobody_else_anything() {
    let served = Served::with_demo(0).await;
    let mut keeper = served.register("keeper", &[Role::Admin], None).await;
    let session = keeper.sign_in(&served).await;
    let mut humans: Vec<(Role, Human)> = Vec::new();
    for role in Role::ALL {
        let human = served.register(role.name(), &[role], Some(&session)).await;
        humans.push((role, human));
    }
    all_refused(&served, None, (401, "AUTH-01")).await;
    all_refused(&served, Some("no token"), (401, "AUTH-01")).await;
    all_refused(&served, Some(&"0".repeat(64)), (401, "AUTH-01")).await;
    for (role, human) in &mut humans {
        let token = human.sign_in(&served).await;
        for (method, path, who, _) in EXPECTED {
            let refused = gate(&served, method, path, Some(&token)).await;
            match (refused, who.contains(letter(*role))) {
                (None, true) => {}
                (Some((403, error)), false) if error.code == "AUTH-04" => {
                    for other in Role::ALL {
                        let is_named = error
                            .why
                            .split(". You are")
                            .next()
                            .unwrap()
                            .contains(other.name());
                        assert_eq!(
                            is_named,
                            who.contains(letter(other)),
                            "{path}: {}",
                            error.why
                        );
                    }
                }
                (refused, may) => panic!("{role} {method} {path}: {refused:?}, and may: {may}"),
            }
        }
        let locked = served
            .call("POST", "/api/session/lock", Some(&token), None)
            .await;
        assert_eq!(locked.2["state"], "locked");
        all_refused(&served, Some(&token), (401, "AUTH-03")).await;
        let revoke = format!("/api/people/{}/revoke", human.person.id);
        let (status, ..) = served.call("POST", &revoke, Some(&session), None).await;
        assert_eq!(status, 200);
        all_refused(&served, Some(&token), (401, "AUTH-01")).await;
    }
    // Asked after the others: a revoked person cannot come back either.
    for (_, human) in &mut humans {
        let code = human.code().await;
        let tried = served
            .call("POST", "/api/session", None, Some(human.with(&code)))
            .await;
        assert_eq!((tried.0, tried.1.as_str()), (401, "AUTH-02"));
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_over_and_codes_that_are_old_open_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let stale = SessionRules {
        fresh_for: Duration::ZERO,
        ..SessionRules::default()
    };
    let served = Served::at(folder, None, stale).await;
    // Whoever is everything may all but what needs a fresh code.
    let mut human = served.register("everything", &Role::ALL, None).await;
    let token = human.sign_in(&served).await;
    for (method, path, _, needs_fresh) in EXPECTED {
        let refused = gate(&served, method, path, Some(&token)).await;
        let code = refused.map(|(status, error)| (status, error.code));
        let expected = needs_fresh.then(|| (403, "AUTH-05".to_owned()));
        assert_eq!(code, expected, "{method} {path}");
    }
    let folder = served.stop().await;
    let over = SessionRules {
        lasts: Duration::from_millis(1),
        ..SessionRules::default()
    };
    let served = Served::at(folder, None, over).await;
    all_refused(&served, Some(&token), (401, "AUTH-01")).await;
    let token = human.sign_in(&served).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    all_refused(&served, Some(&token), (401, "AUTH-01")).await;
    served.end().await;
}

/// Whose a device is and what becomes of it are asked for at one address, and are two things.
#[tokio::test(flavor = "multi_thread")]
async fn who_assigns_need_not_change_and_the_other_way_round() {
    let served = Served::with_demo(1).await;
    let device = served.json("/api/devices").await[0]["id"].clone();
    let path = format!("/api/devices/{}/changes", device.as_str().unwrap());
    let mut admin = served.register("admin", &[Role::Admin], None).await;
    let session = admin.sign_in(&served).await;
    let assign = serde_json::json!({ "change": "assign", "patient": "none" });
    let unassign = serde_json::json!({ "change": "unassign" });
    let suspend = serde_json::json!({ "change": "suspend" });
    for (role, may_assign, may_change) in [
        (Role::Physician, true, false),
        (Role::Technician, false, true),
    ] {
        let mut human = served.register(role.name(), &[role], Some(&session)).await;
        let token = human.sign_in(&served).await;
        for (change, may) in [
            (&assign, may_assign),
            (&unassign, may_assign),
            (&suspend, may_change),
        ] {
            let answered = served
                .call("POST", &path, Some(&token), Some(change.clone()))
                .await;
            assert_eq!(
                answered.1 != "AUTH-04",
                may,
                "{role} {change}: {answered:?}"
            );
        }
    }
    served.end().await;
}
