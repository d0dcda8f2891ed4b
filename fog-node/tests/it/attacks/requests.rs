//! Goal: a caller who is slow or silent keeps nobody out; a body of any size, depth or kind is refused in words; no path
//! leads to a file of the node's, or to the API without its token. Method: as many connections as there is room for;
//! each route of the API's description that takes a body; spellings of paths.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, header};
use fog_api::Role;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::permissions::{described, filled};
use crate::program::{Running, ask};
use crate::served::{PORT, Served, fresh};

/// Longest body, as `docs/api.md` says.
const MAX_BODY: usize = 64 * 1024;
/// As many as there is room for.
const CONNECTIONS: usize = 256;
/// Longest that a silent caller may keep a place, and some more for a machine that does other things as well.
const HUNG_UP: Duration = Duration::from_secs(25);

/// Where a node listens on this machine.
fn socket(api: &str) -> &str {
    let address = api.strip_prefix("http://").unwrap();
    address.split('/').next().unwrap()
}

/// Another user of the machine holds every connection and says nothing, or only half of a request.
#[test]
fn silent_and_slow_callers_on_this_machine_keep_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let node = Running::start(&folder.path().join("data"), &[]);
    let api = node.address();
    let host = socket(&api);
    let token = api.split_once("token=").unwrap().1;
    let halves = [
        String::new(),
        format!("GET /api/status HTTP/1.1\r\nHost: {host}\r\nX-Slow: "),
        format!(
            "POST /api/policies/check HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
        ),
    ];
    let mut held: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let mut stream = TcpStream::connect(host).unwrap();
            stream.write_all(halves[number % 3].as_bytes()).unwrap();
            stream.set_read_timeout(Some(HUNG_UP)).unwrap();
            stream
        })
        .collect();
    let since = Instant::now();
    let status = ask(&["status", "--api", &api]);
    assert!(status["height"].is_u64(), "{status}");
    assert!(since.elapsed() < HUNG_UP, "{:?}", since.elapsed());
    for stream in &mut held {
        let mut said = Vec::new();
        // Hung up on, with or without a word; only a place that is still held ends in a timeout.
        let ended = stream.read_to_end(&mut said);
        let is_held = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!is_held && !said.starts_with(b"HTTP/1.1 200"));
    }
    assert!(node.terminate().success());
}

/// What a body is, its content type, its bytes, and status and code of the refusal.
type Sent = (&'static str, &'static str, Vec<u8>, (u16, &'static str));

/// Sends a body to a route; its status, and the code of a refusal.
async fn send(
    served: &Served,
    session: &str,
    (method, path): (&str, &str),
    (kind, body): (&str, Vec<u8>),
) -> (u16, String) {
    let request = served
        .request(method, path)
        .header("fogward-session", session)
        .header(header::CONTENT_TYPE, kind);
    let response = served.raw(request.body(Body::from(body)).unwrap()).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    (status, said["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_any_size_depth_and_kind_are_refused() {
    let served = Served::at(tempfile::tempdir().unwrap(), None, fresh()).await;
    let description = served.json("/api/openapi.json").await;
    let routes = described(&served).await;
    let mut human = served.register("everything", &Role::ALL, None).await;
    let session = human.sign_in(&served).await;
    let deep = |open: &str, close: &str, depth| [open.repeat(depth), close.repeat(depth)].concat();
    let json = "application/json";
    let bodies: [Sent; 7] = [
        ("too large", json, vec![b' '; MAX_BODY + 1], (413, "API-07")),
        (
            "lists in lists",
            json,
            deep("[", "]", 30_000).into(),
            (400, "API-06"),
        ),
        (
            "never closed",
            json,
            deep("[", "", MAX_BODY).into(),
            (400, "API-06"),
        ),
        (
            "objects in objects",
            json,
            deep("{\"a\":", "}", 9_000).into(),
            (400, "API-06"),
        ),
        ("no text", json, vec![0xff; 99], (400, "API-06")),
        ("nothing", json, Vec::new(), (400, "API-06")),
        (
            "a form",
            "application/x-www-form-urlencoded",
            b"a=b".to_vec(),
            (400, "API-06"),
        ),
    ];
    let mut asked = 0;
    for (method, path) in &routes {
        let operation = &description["paths"][path][method.to_lowercase()];
        let kinds = &operation["requestBody"]["content"];
        if kinds[json].is_null() {
            continue;
        }
        asked += 1;
        for (what, kind, body, (status, code)) in &bodies {
            let path = filled(path, "none");
            let said = send(&served, &session, (method, &path), (kind, body.clone())).await;
            assert_eq!(
                said,
                (*status, (*code).to_owned()),
                "{method} {path}: {what}"
            );
        }
    }
    assert!(asked > 30, "{asked}");
    // Texts of policies nest, too: read to their depth, and refused in words.
    for (open, close) in [
        ("(", ")"),
        ("!", ""),
        ("[", "]"),
        ("{a:", "}"),
        ("if true then ", ""),
    ] {
        let depth = 4_000 / (open.len() + close.len());
        let text = format!(
            "permit(principal, action, resource) when {{ {}true{} }};",
            open.repeat(depth),
            close.repeat(depth)
        );
        let body = json!({ "text": text });
        let route = "/api/policies/check";
        let (status, _, said) = served.call("POST", route, Some(&session), Some(body)).await;
        assert_eq!(status, 200, "{open}");
        assert_ne!(said["faults"], json!([]), "{open}: {said}");
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_to_a_file_or_around_the_token() {
    let served = Served::with_demo(0).await;
    let secret = std::fs::read_to_string(served.data().join("keys/node.key")).unwrap();
    let secrets = [secret.trim(), served.token.as_str(), "root:"];
    for path in [
        "/api.token",
        "/../api.token",
        "/%2e%2e/api.token",
        "/..%2fapi.token",
        "/..%5capi.token",
        "/fonts/../../api.token",
        "/fonts/..%2f..%2fkeys/node.key",
        "/./keys/node.key",
        "//keys/node.key",
        "/keys/node.key%00.html",
        "/../../../../../../etc/passwd",
        "/%252e%252e/%252e%252e/etc/passwd",
        "/.made-from",
        // The API under another spelling of its name is not there, and is not public either.
        "//api/status",
        "/./api/status",
        "/x/../api/status",
        "/%61pi/status",
        "/api%2fstatus",
        "/API/status",
        "/api/../api/status",
        "/api//status",
        "/api/status/",
        "/api;/status",
    ] {
        let request = Request::builder()
            .uri(path)
            .header(header::HOST, format!("127.0.0.1:{PORT}"));
        let response = served.raw(request.body(Body::empty()).unwrap()).await;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let said = String::from_utf8_lossy(&bytes);
        assert!(matches!(status, 401 | 404), "{path}: {status} {said}");
        assert!(
            !secrets.iter().any(|secret| said.contains(secret)),
            "{path}"
        );
        assert!(!said.contains("tip_hash"), "{path}: {said}");
    }
    served.end().await;
}
