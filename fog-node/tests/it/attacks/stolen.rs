//! Goal: a session that was stolen is worth nothing without the node's token, and locks when its person says so; one that
//! an attacker chose becomes nobody's. Method: requests as the thief would send them.

use axum::body::Body;
use axum::http::{Request, header};
use fog_api::Role;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::served::{PORT, Served};

/// Asks who calls, with these headers alone; the status, and the state or the code.
async fn who(served: &Served, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = Request::builder()
        .uri("/api/status")
        .header(header::HOST, format!("127.0.0.1:{PORT}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = served.raw(request.body(Body::empty()).unwrap()).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    (status, said["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_session_needs_the_token_and_locks_with_its_person() {
    let served = Served::with_demo(0).await;
    let mut anna = served.register("anna", &[Role::Admin], None).await;
    let stolen = anna.sign_in(&served).await;
    let bearer = format!("Bearer {}", served.token);
    let token = ("authorization", bearer.as_str());
    let session = ("fogward-session", stolen.as_str());
    let as_token = format!("Bearer {stolen}");
    let as_cookie = format!("fogward-00000000={stolen}; fogward={stolen}");
    for (headers, expected) in [
        (&[token, session][..], (200, "")),
        // Without the node's token, in its place, or from another site's page.
        (&[session], (401, "API-01")),
        (&[("authorization", as_token.as_str())], (401, "API-01")),
        (
            &[token, session, ("origin", "http://evil.example")],
            (403, "API-03"),
        ),
        // Under the name of another node's cookie, or of none.
        (&[token, ("cookie", as_cookie.as_str())], (401, "AUTH-01")),
        // The token alone is no person.
        (&[token], (401, "AUTH-01")),
    ] {
        let (status, code) = who(&served, headers).await;
        assert_eq!((status, code.as_str()), expected, "{headers:?}");
    }
    // A session that an attacker chose does not become a person's by her signing in.
    let chosen = "5b".repeat(32);
    let code = anna.code().await;
    let mut asked = anna.with(&code);
    asked["program"] = json!(false);
    let request = served
        .request("POST", "/api/session")
        .header(header::COOKIE, format!("fogward-00000000={chosen}"))
        .header("fogward-session", &chosen)
        .header(header::CONTENT_TYPE, "application/json");
    let response = served
        .raw(request.body(Body::from(asked.to_string())).unwrap())
        .await;
    assert_eq!(response.status(), 200);
    let with = |session| [token, ("fogward-session", session)];
    assert_eq!(who(&served, &with(chosen.as_str())).await.1, "AUTH-01");
    // Who thinks that her session was stolen changes her passphrase: all of hers lock, and open by the new one only.
    let words = anna.passphrase.clone();
    let change = json!({ "passphrase": words, "new_passphrase": "four other words of hers" });
    let changed = served
        .call(
            "POST",
            "/api/session/passphrase",
            Some(&stolen),
            Some(change),
        )
        .await;
    assert_eq!(changed.0, 200, "{}", changed.2);
    assert_eq!(who(&served, &with(stolen.as_str())).await.1, "AUTH-03");
    let unlock = json!({ "passphrase": words });
    let opened = served
        .call("POST", "/api/session/unlock", Some(&stolen), Some(unlock))
        .await;
    assert_eq!(opened.1, "AUTH-02");
    served.end().await;
}
