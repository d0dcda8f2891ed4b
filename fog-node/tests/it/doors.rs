//! Goal: who has no open session gets nothing, on no route, at no door; who has one may the same at each. Method: every route of the API's description is
//! asked for in every such state (nobody, a made-up session, one that is locked, signed out, revoked, over, or another
//! node's) at each of the three doors: loopback, the window in the same process, other machines. Whose session it was
//! may do everything. Each cell is asserted.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header, request};
use fog_api::Role;
use fog_node::http::{Access, SESSION_HEADER, Token, router};
use fog_node::people::sessions::SessionRules;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::permissions::{EXPECTED, OPEN, filled, letter};
use crate::served::{PORT, Served, fresh};
use crate::signing::Human;

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// What is open to everybody: content type, body, and what it says to whom nobody knows and to whose session is locked,
/// as status and the word that tells. The last ends the session.
type Said = (u16, &'static str);
const ANSWERS: [(&str, &str, &str, &str, Said, Said); 7] = [
    (
        "POST",
        "/api/transactions",
        BYTES,
        "x",
        (409, "PUSH-01"),
        (409, "PUSH-01"),
    ),
    (
        "GET",
        "/api/session",
        JSON,
        "",
        (200, "signed_out"),
        (200, "locked"),
    ),
    (
        "POST",
        "/api/session",
        JSON,
        "{}",
        (400, "API-06"),
        (400, "API-06"),
    ),
    (
        "POST",
        "/api/session/unlock",
        JSON,
        "{\"passphrase\":\"\"}",
        (401, "AUTH-01"),
        (401, "AUTH-02"),
    ),
    (
        "POST",
        "/api/session/lock",
        JSON,
        "",
        (401, "AUTH-01"),
        (200, "locked"),
    ),
    (
        "POST",
        "/api/session/switch",
        JSON,
        "{\"person\":\"none\"}",
        (404, "AUTH-09"),
        (404, "AUTH-09"),
    ),
    ("DELETE", "/api/session", JSON, "", (204, ""), (204, "")),
];

/// A way to the node.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Door {
    Loopback,
    Window,
    Afar,
}

const DOORS: [Door; 3] = [Door::Loopback, Door::Window, Door::Afar];

impl Door {
    fn router(self, served: &Served) -> Router {
        let access = match self {
            Self::Loopback => Access::Loopback {
                token: Token::load_or_make(served.data()).unwrap(),
                port: PORT,
            },
            Self::Window => Access::InProcess,
            Self::Afar => Access::Afar {
                names: vec!["ward.example".to_owned()],
                port: 7443,
            },
        };
        router(Arc::clone(&served.node), access)
    }

    fn request(self, served: &Served, method: &str, path: &str) -> request::Builder {
        let request = Request::builder().method(method).uri(path);
        match self {
            Self::Loopback => served.request(method, path),
            Self::Window => request,
            Self::Afar => request.header(header::HOST, "ward.example:7443"),
        }
    }

    /// Status and what tells: the code of a refusal, or the state of a session.
    async fn ask(
        self,
        served: &Served,
        (method, path): (&str, &str),
        session: Option<&str>,
        (kind, body): (&str, &str),
    ) -> (u16, String) {
        let mut request = self
            .request(served, method, path)
            .header(header::CONTENT_TYPE, kind);
        if let Some(session) = session {
            request = request.header(SESSION_HEADER, session);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router(served).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let kind = response.headers().get(header::CONTENT_TYPE);
        if kind.is_some_and(|kind| kind == "text/event-stream") {
            // It never ends by itself.
            return (status, String::new());
        }
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let word = said["code"].as_str().or(said["state"].as_str());
        (status, word.unwrap_or_default().to_owned())
    }

    /// Every route that is not open to everybody refuses this session with this code.
    async fn is_shut(self, served: &Served, state: &str, session: Option<&str>, code: &str) {
        for (method, path, ..) in EXPECTED {
            let path = filled(path, "none");
            let said = self
                .ask(served, (method, &path), session, (JSON, "{"))
                .await;
            let cell = format!("{method} {path}, {state}, {self:?}");
            assert_eq!(said, (401, code.to_owned()), "{cell}");
        }
    }

    /// What is open to everybody says no more than it should.
    async fn says_little(self, served: &Served, state: &str, session: Option<&str>) {
        for (method, path, kind, body, to_nobody, to_locked) in ANSWERS {
            let said = self
                .ask(served, (method, path), session, (kind, body))
                .await;
            let (status, word) = match state {
                "locked" => to_locked,
                _ => to_nobody,
            };
            let cell = format!("{method} {path}, {state}, {self:?}");
            assert_eq!(said, (status, word.to_owned()), "{cell}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_the_same_at_every_door() {
    let served = Served::at(tempfile::tempdir().unwrap(), None, fresh()).await;
    let (_, by) = everything(&served, "keeper", None).await;
    for role in Role::ALL {
        let mut human = served.register(role.name(), &[role], Some(&by)).await;
        let session = human.sign_in(&served).await;
        for door in DOORS {
            for (method, path, who, _) in EXPECTED {
                let route = filled(path, "none");
                let said = door
                    .ask(&served, (method, &route), Some(&session), (JSON, "{"))
                    .await;
                let cell = format!("{role} {method} {path}, {door:?}: {said:?}");
                match who.contains(letter(role)) {
                    true => assert!(!said.1.starts_with("AUTH"), "{cell}"),
                    false => assert_eq!(said, (403, "AUTH-04".to_owned()), "{cell}"),
                }
            }
        }
    }
    served.end().await;
}

#[test]
fn what_is_open_to_everybody_has_its_answer() {
    let mut answered = ANSWERS.map(|(method, path, ..)| (method, path)).to_vec();
    let mut open = OPEN.to_vec();
    answered.sort_unstable();
    open.sort_unstable();
    assert_eq!(answered, open);
}

/// Somebody who may do everything, and her session.
async fn everything(served: &Served, login: &str, by: Option<&str>) -> (Human, String) {
    let mut human = served.register(login, &Role::ALL, by).await;
    let session = human.sign_in(served).await;
    (human, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_open_session_every_route_is_shut_at_every_door() {
    let served = Served::at(tempfile::tempdir().unwrap(), None, fresh()).await;
    // Another machine is nobody even while nobody is registered.
    Door::Afar.is_shut(&served, "set up", None, "AUTH-01").await;
    let asked = Door::Afar.request(&served, "GET", "/api/session");
    let asked = asked.body(Body::empty()).unwrap();
    let told = Door::Afar.router(&served).oneshot(asked).await.unwrap();
    let told = told.into_body().collect().await.unwrap().to_bytes();
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["state"], "set_up");
    assert_eq!(told["may"], Value::Array(Vec::new()));
    let (mut keeper, by) = everything(&served, "keeper", None).await;
    let elsewhere = Served::with_demo(0).await;
    let (_, foreign) = everything(&elsewhere, "keeper", None).await;
    let made_up = "5b".repeat(32);
    for (number, door) in DOORS.into_iter().enumerate() {
        // While it is open this door opens for it, so what is refused below is refused for its state.
        let (human, session) = everything(&served, &format!("person{number}"), Some(&by)).await;
        let status = ("GET", "/api/status");
        let said = door.ask(&served, status, Some(&session), (JSON, "")).await;
        assert_eq!(said.0, 200, "{said:?}");
        let states = [
            ("nobody", None),
            ("no token", Some("no token")),
            ("made up", Some(made_up.as_str())),
            ("another node's", Some(foreign.as_str())),
        ];
        for (state, session) in states {
            door.is_shut(&served, state, session, "AUTH-01").await;
            door.says_little(&served, state, session).await;
        }
        let session = Some(session.as_str());
        let lock = served
            .call("POST", "/api/session/lock", session, None)
            .await;
        assert_eq!(lock.2["state"], "locked");
        door.is_shut(&served, "locked", session, "AUTH-03").await;
        // The last of these ends it.
        door.says_little(&served, "locked", session).await;
        door.is_shut(&served, "signed out", session, "AUTH-01")
            .await;
        door.says_little(&served, "signed out", session).await;

        let revoked = human.with(&human.recovery_codes[0]);
        let again = served
            .call("POST", "/api/session", None, Some(revoked))
            .await;
        let session = again.2["token"].as_str();
        assert!(session.is_some(), "{again:?}");
        let revoke = format!("/api/people/{}/revoke", human.person.id);
        let (status, ..) = served.call("POST", &revoke, Some(&by), None).await;
        assert_eq!(status, 200);
        door.is_shut(&served, "revoked", session, "AUTH-01").await;
        door.says_little(&served, "revoked", session).await;
    }
    elsewhere.end().await;
    let rules = SessionRules {
        lasts: Duration::from_millis(1),
        ..SessionRules::default()
    };
    let served = Served::at(served.stop().await, None, rules).await;
    let session = keeper.sign_in(&served).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    for door in DOORS {
        for (state, session) in [("over", session.as_str()), ("of before", by.as_str())] {
            door.is_shut(&served, state, Some(session), "AUTH-01").await;
            door.says_little(&served, state, Some(session)).await;
        }
    }
    served.end().await;
}
