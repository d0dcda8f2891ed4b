//! Goal: who signs in is who they say, and what is locked stays locked. Method: the
//! real router over a real node, with people whose apps show the codes of the day.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, header};
use fog_api::{Role, SessionState, SessionView};
use fog_node::http::{Access, router};
use fog_node::people::sessions::SessionRules;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::served::Served;
use crate::signing::{Human, registration};

async fn view(served: &Served, token: &str) -> SessionView {
    let (_, _, body) = served.call("GET", "/api/session", Some(token), None).await;
    serde_json::from_value(body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_is_an_admin_and_one_admin_stays() {
    let served = Served::with_demo(0).await;
    let none = served.call("GET", "/api/session", None, None).await.2;
    assert_eq!(none["state"], "set_up");
    let words = "four words nobody knows";
    let early = json!({ "login": "anna", "passphrase": words, "code": "000000" });
    let tried = served.call("POST", "/api/session", None, Some(early)).await;
    assert_eq!((tried.0, tried.1.as_str()), (409, "AUTH-08"));
    let nurse = registration("nina", &[Role::Nurse], words);
    let refused = served
        .call("POST", "/api/people", None, Some(nurse.clone()))
        .await;
    assert_eq!((refused.0, refused.1.as_str()), (409, "PPL-03"));
    let short = registration("anna", &[Role::Admin], "too short");
    let refused = served.call("POST", "/api/people", None, Some(short)).await;
    assert_eq!((refused.0, refused.1.as_str()), (400, "PPL-01"));
    assert!(!refused.2.to_string().contains("too short"));

    let mut anna = served.register("anna", &[Role::Admin], None).await;
    let refused = served
        .call("POST", "/api/people", None, Some(nurse.clone()))
        .await;
    assert_eq!(
        (refused.0, refused.1.as_str()),
        (401, "AUTH-01"),
        "the door is shut behind her"
    );
    let session = anna.sign_in(&served).await;
    let (status, _, enrolment) = served
        .call("POST", "/api/people", Some(&session), Some(nurse.clone()))
        .await;
    assert_eq!(status, 200);
    assert!(enrolment["qr"].as_str().unwrap().starts_with("<svg"));
    let nina = Human::of(serde_json::from_value(enrolment).unwrap(), words);
    let refused = served
        .call("POST", "/api/people", Some(&session), Some(nurse))
        .await;
    assert_eq!((refused.0, refused.1.as_str()), (409, "PPL-02"));
    let people = served
        .call("GET", "/api/people", Some(&session), None)
        .await
        .2;
    let logins: Vec<_> = people
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["login"])
        .collect();
    assert_eq!(logins, ["anna", "nina"]);

    let own = format!("/api/people/{}", anna.person.id);
    let other = format!("/api/people/{}", nina.person.id);
    let roles = |roles: &[Role]| Some(json!({ "roles": roles }));
    let refused = served
        .call("POST", &format!("{own}/revoke"), Some(&session), None)
        .await;
    assert_eq!((refused.0, refused.1.as_str()), (409, "PPL-04"));
    let path = format!("{own}/roles");
    let refused = served
        .call("POST", &path, Some(&session), roles(&[Role::Auditor]))
        .await;
    assert_eq!((refused.0, refused.1.as_str()), (409, "PPL-04"));
    let given = served
        .call(
            "POST",
            &format!("{other}/roles"),
            Some(&session),
            roles(&[Role::Admin]),
        )
        .await;
    assert_eq!(given.2["roles"], json!(["admin"]));
    let given = served
        .call("POST", &path, Some(&session), roles(&[Role::Auditor]))
        .await;
    assert_eq!(given.0, 200, "another admin is there");
    assert_eq!(
        view(&served, &session).await.state,
        SessionState::Locked,
        "under the new roles"
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_session_shows_nothing_and_opens_by_passphrase() {
    let rules = SessionRules {
        lock_after: Duration::from_millis(1_500),
        ..SessionRules::default()
    };
    let served = Served::at(tempfile::tempdir().unwrap(), Some(1), rules).await;
    let before = served.send("GET", "/api/events", Body::empty()).await;
    let mut anna = served.register("anna", &[Role::Admin], None).await;
    ends(before, "nobody is anonymous any more").await;
    let token = anna.sign_in(&served).await;
    let listen = async || {
        let request = served
            .request("GET", "/api/events")
            .header("fogward-session", &token);
        served.raw(request.body(Body::empty()).unwrap()).await
    };
    let listening = listen().await;
    assert_eq!(listening.status(), 200);
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let there = served
            .call("POST", "/api/session/active", Some(&token), None)
            .await;
        assert_eq!(there.0, 204, "somebody is there");
    }
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        served.call("GET", "/api/status", Some(&token), None).await;
    }
    let locked = served.call("GET", "/api/status", Some(&token), None).await;
    assert_eq!(locked.1, "AUTH-03", "asking is no act");
    ends(listening, "locked").await;

    let unlock = |words: &str| Some(json!({ "passphrase": words }));
    let wrong = served
        .call(
            "POST",
            "/api/session/unlock",
            Some(&token),
            unlock("other words"),
        )
        .await;
    assert_eq!(wrong.1, "AUTH-02");
    let right = served
        .call(
            "POST",
            "/api/session/unlock",
            Some(&token),
            unlock(&anna.passphrase),
        )
        .await;
    assert_eq!((right.0, &right.2["state"]), (200, &json!("open")));
    let listening = listen().await;
    let out = served
        .call("DELETE", "/api/session", Some(&token), None)
        .await;
    assert_eq!(out.0, 204);
    ends(listening, "signed out").await;
    let gone = served
        .call(
            "POST",
            "/api/session/unlock",
            Some(&token),
            unlock(&anna.passphrase),
        )
        .await;
    assert_eq!(gone.1, "AUTH-01");
    served.end().await;
}

/// Waits until a stream has ended.
async fn ends(stream: Response<Body>, why: &str) {
    let all = tokio::time::timeout(Duration::from_secs(5), stream.into_body().collect());
    assert!(all.await.is_ok(), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_holds_several_people_and_one_is_open() {
    let served = Served::with_demo(0).await;
    let mut anna = served.register("anna", &[Role::Admin], None).await;
    let session = anna.sign_in(&served).await;
    let mut nina = served
        .register("nina", &[Role::Nurse], Some(&session))
        .await;
    let mut jar = String::new();
    let mut browse = async |method: &str, path: &str, body: Value| {
        let request = served
            .request(method, path)
            .header(header::COOKIE, format!("other=1; {jar}"))
            .header(header::CONTENT_TYPE, "application/json");
        let response = served
            .raw(request.body(Body::from(body.to_string())).unwrap())
            .await;
        if let Some(cookie) = response.headers().get(header::SET_COOKIE) {
            let (pair, how) = cookie.to_str().unwrap().split_once("; ").unwrap();
            assert!(
                how.starts_with("Path=/api; HttpOnly; SameSite=Strict"),
                "{how}"
            );
            jar = pair.to_owned();
        }
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice::<Value>(&bytes).unwrap_or_default()
    };
    for human in [&mut nina, &mut anna] {
        let code = human.code().await;
        let mut asked = human.with(&code);
        asked["program"] = false.into();
        let signed = browse("POST", "/api/session", asked).await;
        assert_eq!(signed["token"], Value::Null, "no page sees it: {signed}");
        assert_eq!(signed["session"]["state"], "open");
    }
    let seen = browse("GET", "/api/session", Value::Null).await;
    assert_eq!(seen["person"]["login"], "anna");
    assert_eq!(seen["others"][0]["name"], "Name nina");
    let nobody = browse("POST", "/api/session/switch", json!({ "person": "none" })).await;
    assert_eq!(nobody["code"], "AUTH-09");
    let switch = json!({ "person": nina.person.id });
    let seen = browse("POST", "/api/session/switch", switch).await;
    assert_eq!(
        (&seen["person"]["login"], &seen["state"]),
        (&json!("nina"), &json!("locked"))
    );
    let open = json!({ "passphrase": nina.passphrase });
    let seen = browse("POST", "/api/session/unlock", open).await;
    assert_eq!(seen["state"], "open");
    assert_eq!(
        seen["may"],
        json!([
            "see_devices",
            "change_devices",
            "assign",
            "read_records",
            "read_consortium"
        ])
    );
    assert_eq!(seen["others"][0]["name"], "Name anna");
    browse("DELETE", "/api/session", Value::Null).await;
    let seen = browse("GET", "/api/session", Value::Null).await;
    assert_eq!(
        (&seen["person"]["login"], &seen["state"]),
        (&json!("anna"), &json!("locked"))
    );
    // The window of this very process needs no token, but a session all the same.
    let router = router(Arc::clone(&served.node), Access::InProcess);
    for (token, expected) in [(None, 401), (Some(session.as_str()), 200)] {
        let mut request = axum::http::Request::builder().uri("/api/status");
        if let Some(token) = token {
            request = request.header("fogward-session", token);
        }
        let answer = router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status(), expected);
    }
    drop(router);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_enrolled_anew_leaves_the_old_behind() {
    let served = Served::with_demo(0).await;
    let mut anna = served.register("anna", &[Role::Admin], None).await;
    let session = anna.sign_in(&served).await;
    let mut nina = served
        .register("nina", &[Role::Nurse], Some(&session))
        .await;
    let token = nina.sign_in(&served).await;
    let change = json!({ "passphrase": nina.passphrase, "new_passphrase": "another four words" });
    let (status, _, person) = served
        .call(
            "POST",
            "/api/session/passphrase",
            Some(&token),
            Some(change),
        )
        .await;
    assert_eq!(
        (status, &person["signing_key"]),
        (200, &json!(nina.person.signing_key))
    );
    let unlock = |words: &str| Some(json!({ "passphrase": words }));
    let old = served
        .call(
            "POST",
            "/api/session/unlock",
            Some(&token),
            unlock(&nina.passphrase),
        )
        .await;
    assert_eq!(old.1, "AUTH-02");
    let new = served
        .call(
            "POST",
            "/api/session/unlock",
            Some(&token),
            unlock("another four words"),
        )
        .await;
    assert_eq!(new.2["state"], "open");
    let forgot = json!({ "passphrase": "words she will remember" });
    let path = format!("/api/people/{}/enrolment", nina.person.id);
    let (status, _, enrolment) = served
        .call("POST", &path, Some(&session), Some(forgot))
        .await;
    assert_eq!(status, 200);
    assert_ne!(
        enrolment["person"]["signing_key"],
        json!(nina.person.signing_key)
    );
    assert_eq!(view(&served, &token).await.state, SessionState::SignedOut);
    let code = nina.code().await;
    let stale = nina.with(&code);
    let old = served.call("POST", "/api/session", None, Some(stale)).await;
    assert_eq!(old.1, "AUTH-02");
    let mut nina = Human::of(
        serde_json::from_value(enrolment).unwrap(),
        "words she will remember",
    );
    nina.sign_in(&served).await;
    let (status, _, own) = served
        .call("POST", "/api/session/enrolment", Some(&session), None)
        .await;
    assert_eq!(
        (status, own["recovery_codes"].as_array().unwrap().len()),
        (200, 10)
    );
    assert_eq!(
        view(&served, &session).await.state,
        SessionState::Open,
        "her own goes on"
    );
    served.end().await;
}

/// People are in a backup, sealed, and sign in at the node made of it.
#[tokio::test(flavor = "multi_thread")]
async fn people_outlive_their_node() {
    let served = Served::with_demo(0).await;
    let mut anna = served.register("zenobia", &[Role::Admin], None).await;
    let stale = served
        .call(
            "POST",
            "/api/session",
            None,
            Some(json!({ "login": "x", "passphrase": "x", "code": "" })),
        )
        .await;
    assert_eq!(
        stale.1, "AUTH-02",
        "a row for nobody is written, and is nobody"
    );
    let folder = served.stop().await;
    let words = "the backup's own passphrase";
    let (file, other) = (folder.path().join("b"), tempfile::tempdir().unwrap());
    fog_node::backup::backup(folder.path(), &file, words).unwrap();
    let data = other.path().join("data");
    fog_node::backup::restore(&file, &data, words, false).unwrap();
    for folder in [folder.path(), &data] {
        let report = fog_node::fsck::check(folder).unwrap();
        assert!(report.clean, "{}", report.in_words());
        for part in std::fs::read_dir(folder).unwrap() {
            let path = part.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_file() && name.starts_with("vault") {
                let bytes = std::fs::read(&path).unwrap();
                assert!(!bytes.windows(7).any(|part| part == b"zenobia"), "{name}");
            }
        }
    }
    let vault = rusqlite::Connection::open(data.join("vault.db")).unwrap();
    vault
        .execute(
            "UPDATE people SET sealed = zeroblob(200) WHERE id != zeroblob(16)",
            [],
        )
        .unwrap();
    drop(vault);
    let report = fog_node::fsck::check(&data).unwrap();
    assert_eq!(report.problems.len(), 1, "{}", report.in_words());
    assert_eq!(report.problems[0].table, "people");
    let served = Served::at(folder, None, SessionRules::default()).await;
    anna.sign_in(&served).await;
    served.end().await;
}
