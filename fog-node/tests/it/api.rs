//! Goal: the API answers its callers, refuses everybody else, and says why. Method: the real router over
//! a real node with a simulated ward, request by request.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use fog_api::{ApiError, Event};
use fog_node::http::{Access, router};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::served::{PORT, Served};

type Headers<'a> = &'a [(&'a str, &'a str)];

/// The refusal in a response; each of its sentences says something.
async fn refusal(response: Response<Body>) -> (u16, ApiError) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let error: ApiError = serde_json::from_slice(&body)
        .unwrap_or_else(|error| panic!("{status} {error}: {}", String::from_utf8_lossy(&body)));
    for words in [&error.code, &error.what, &error.why, &error.next] {
        assert!(!words.is_empty(), "{error:?}");
    }
    (status, error)
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused_and_the_shell_is_public() {
    let served = Served::with_demo(0).await;
    let host = format!("localhost:{PORT}");
    let ask = |path: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        served.raw(request.body(Body::empty()).unwrap())
    };
    let bearer = format!("Bearer {}", served.token);
    let with_token = format!("/api/status?token={}", served.token);
    let cases: [(&str, Headers<'_>, u16); 8] = [
        ("/api/status", &[("host", &host)], 401),
        ("/api/openapi.json", &[("host", &host)], 401),
        ("/api/nothing", &[("host", &host)], 401),
        ("/api/status?token=0", &[("host", &host)], 401),
        (
            "/api/status",
            &[("host", "rebound.example:7400"), ("authorization", &bearer)],
            403,
        ),
        ("/", &[("host", "rebound.example:7400")], 403),
        (
            "/api/status",
            &[
                ("host", &host),
                ("authorization", &bearer),
                ("origin", "http://127.0.0.1:8000"),
            ],
            403,
        ),
        (
            "/api/status",
            &[("host", &host), ("authorization", "Basic eA==")],
            401,
        ),
    ];
    for (path, headers, expected) in cases {
        let (status, error) = refusal(ask(path, headers).await).await;
        assert_eq!(status, expected, "{path} {headers:?}: {error:?}");
        assert!(!error.why.contains(&served.token));
    }
    let own = format!("http://{host}");
    let answer = ask(&with_token, &[("host", &host), ("origin", &own)]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let shell = ask("/", &[("host", &host)]).await;
    assert_eq!(
        shell.status(),
        StatusCode::OK,
        "with or without a console built in"
    );
    let headers = shell.headers();
    assert!(
        headers[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(
        headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .contains("default-src 'self'")
    );
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_process_nothing_is_checked() {
    let served = Served::with_demo(0).await;
    let router = router(Arc::clone(&served.node), Access::InProcess);
    let request = Request::builder()
        .uri("/api/status")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        router.oneshot(request).await.unwrap().status(),
        StatusCode::OK
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_described_route_answers() {
    let served = Served::with_demo(2).await;
    let devices = served.json("/api/devices").await;
    let device = devices[0]["id"].as_str().unwrap();
    let reading = served.final_reading(device).await;
    let described = r#"{"name":"Ana"}"#;
    let added = served.send("POST", "/api/patients", described).await;
    assert_eq!(added.status(), StatusCode::OK);
    let policy = r#"{"name":"nobody","text":"forbid(principal, action, resource);"}"#;
    let put = served.send("POST", "/api/policies", policy).await;
    assert_eq!(put.status(), StatusCode::OK);
    let patients = served.json("/api/patients").await;
    let patient = patients["patients"][0]["id"].as_str().unwrap();
    let description = served.json("/api/openapi.json").await;
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = description["paths"].as_object().unwrap();
    let mut answered = 0;
    for (path, methods) in paths {
        let is_of_something_begun = ["/previews/{id}", "/pairings/{id}", "/selftests/{id}"]
            .iter()
            .any(|end| path.ends_with(end));
        // Nobody is signed in here; `access.rs`, `audit.rs` and `oneself.rs` ask as somebody.
        let is_of_somebody = ["/api/access", "/api/audit", "/api/me"]
            .iter()
            .any(|begin| path.starts_with(begin))
            || path.ends_with("/audit")
            || path.ends_with("/decisions");
        if methods.get("get").is_none()
            || path == "/api/events"
            || is_of_something_begun
            || is_of_somebody
        {
            continue;
        }
        let id = match path.as_str() {
            "/api/readings/{id}" => reading["id"].as_str().unwrap(),
            path if path.starts_with("/api/patients/") => patient,
            "/api/transactions/{id}" => reading["tx"].as_str().unwrap(),
            _ => device,
        };
        let asked = path
            .replace("{id}", id)
            .replace("{name}", "nobody")
            .replace("{reading}", reading["id"].as_str().unwrap())
            .replace("{height}", &reading["height"].to_string());
        let question = match path.as_str() {
            "/api/readings" => format!("?device={device}"),
            "/api/light/state" => "?key=636c6f636b".to_owned(),
            "/api/devices/{id}/history" | "/api/patients/{id}/history" => {
                format!(
                    "?metric={}&from=0&to={}&points=100",
                    reading["code"].as_str().unwrap(),
                    i64::MAX
                )
            }
            _ => String::new(),
        };
        let (status, body) = served.get(&format!("{asked}{question}")).await;
        assert_eq!(
            status,
            StatusCode::OK,
            "{asked}: {}",
            String::from_utf8_lossy(&body)
        );
        assert!(!body.is_empty());
        answered += 1;
    }
    assert_eq!(
        (paths.len(), answered),
        (101, 37),
        "the table in fog-api lists them all"
    );
    let genesis = ledger_core::Genesis::from_file(&served.get("/api/genesis").await.1).unwrap();
    let proof = served
        .get(&format!("/api/proofs/{}", reading["id"].as_str().unwrap()))
        .await
        .1;
    assert!(
        ledger_core::Proof::from_file(&proof)
            .unwrap()
            .verify(&genesis)
            .valid
    );
    served.end().await;
}

/// A backup taken over the API restores to this very node; a short passphrase is refused and told nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_downloaded() {
    let served = Served::with_demo(1).await;
    let short = served.send("POST", "/api/backup", r#"{"passphrase":"tell nobody"}"#);
    let (status, error) = refusal(short.await).await;
    assert_eq!((status, error.code.as_str()), (400, "BAK-01"));
    assert!(!format!("{error:?}").contains("tell nobody"));
    let words = "five words that nobody knows";
    let asked = format!(r#"{{"passphrase":"{words}"}}"#);
    let one = served.send("POST", "/api/backup", asked.clone()).await;
    assert_eq!(one.status(), StatusCode::OK);
    let name = one.headers()[header::CONTENT_DISPOSITION]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(name.ends_with(".fwbackup\""), "{name}");
    let meanwhile = served.send("POST", "/api/backup", asked.clone()).await;
    assert_eq!(
        refusal(meanwhile).await.1.code,
        "BAK-02",
        "the first is not sent yet"
    );
    let bytes = one.into_body().collect().await.unwrap().to_bytes();
    assert!(bytes.starts_with(fog_node::backup::BACKUP_MAGIC));
    let again = served.send("POST", "/api/backup", asked).await;
    assert_eq!(
        again.status(),
        StatusCode::OK,
        "it is sent, the next may be made"
    );
    drop(again);

    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("file"), folder.path().join("data"));
    std::fs::write(&file, &bytes).unwrap();
    assert!(fog_node::backup::restore(&file, &data, "another passphrase", false).is_err());
    let about = fog_node::backup::restore(&file, &data, words, false).unwrap();
    assert_eq!(about.node_id, served.json("/api/status").await["node_id"]);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_come_and_go() {
    let served = Served::with_demo(0).await;
    let started = served.send("POST", "/api/demo", r#"{"devices":3}"#).await;
    assert_eq!(started.status(), StatusCode::OK);
    let (status, _) = refusal(served.send("POST", "/api/demo", r#"{"devices":3}"#).await).await;
    assert_eq!(status, 409);
    let body = r#"{"name":"Bed 4","profile":"nonin-ascii","path":"/dev/fogward-no-such-port"}"#;
    let added = served.send("POST", "/api/devices", body).await;
    assert_eq!(added.status(), StatusCode::OK);
    let devices = served.json("/api/devices").await;
    let serial = devices
        .as_array()
        .unwrap()
        .iter()
        .find(|device| device["name"] == "Bed 4")
        .unwrap();
    assert_eq!(
        (&serial["simulated"], &serial["profile"]),
        (&false.into(), &"nonin-ascii".into())
    );
    let path = format!("/api/devices/{}", serial["id"].as_str().unwrap());
    assert_eq!(
        served.send("DELETE", &path, Body::empty()).await.status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        refusal(served.send("GET", &path, Body::empty()).await)
            .await
            .0,
        404
    );
    let simulated = devices[0]["id"].as_str().unwrap();
    let reading = served.final_reading(simulated).await;
    assert_eq!(
        served
            .send("DELETE", "/api/demo", Body::empty())
            .await
            .status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(served.json("/api/devices").await, serde_json::json!([]));
    // What a removed device sent is kept, so it can be read.
    let kept = format!("/api/readings?device={simulated}&limit=10000");
    let kept = served.json(&kept).await;
    assert!(kept.as_array().unwrap().contains(&reading), "{kept}");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_why_and_next() {
    let served = Served::with_demo(0).await;
    let long = format!(
        r#"{{"name":"{}","profile":"x","path":"y"}}"#,
        "n".repeat(70_000)
    );
    let unknown = "0".repeat(64);
    let transaction = format!("/api/transactions/{unknown}");
    let reading = format!("/api/readings/{}.0", &unknown[..32]);
    let proof = format!("/api/proofs/{}.0", &unknown[..32]);
    let cases: [(&str, &str, &str, u16); 22] = [
        ("GET", "/nothing", "", 404),
        ("GET", "/api/nothing", "", 404),
        ("POST", "/", "", 404),
        ("PUT", "/api/status", "", 405),
        ("GET", "/api/devices/none", "", 404),
        ("DELETE", "/api/devices/none", "", 404),
        ("GET", "/api/previews/none", "", 404),
        ("GET", "/api/readings", "", 400),
        ("GET", "/api/readings?device=none", "", 404),
        ("GET", "/api/readings?device=x&limit=-1", "", 400),
        ("GET", "/api/blocks/-1", "", 400),
        ("GET", "/api/blocks/999999999", "", 404),
        ("GET", &transaction, "", 404),
        ("GET", &reading, "", 404),
        ("GET", &proof, "", 404),
        ("POST", "/api/devices", "", 400),
        ("POST", "/api/devices", "{", 400),
        (
            "POST",
            "/api/devices",
            r#"{"name":null,"profile":"pulse","path":"/dev/x"}"#,
            400,
        ),
        (
            "POST",
            "/api/devices",
            r#"{"profile":"nonin-ascii","path":"/dev/x","more":1}"#,
            400,
        ),
        ("POST", "/api/devices", &long, 413),
        ("POST", "/api/demo", r#"{"devices":0}"#, 400),
        (
            "POST",
            "/api/previews",
            r#"{"profile":"pulse","path":"/dev/x"}"#,
            400,
        ),
    ];
    for (method, path, body, expected) in cases {
        let (status, error) = refusal(served.send(method, path, body.to_owned()).await).await;
        assert_eq!(status, expected, "{method} {path} {error:?}");
    }
    let plain = served
        .request("POST", "/api/demo")
        .header("content-type", "text/plain");
    let (status, _) = refusal(
        served
            .raw(plain.body(Body::from(r#"{"devices":1}"#)).unwrap())
            .await,
    )
    .await;
    assert_eq!(status, 400, "a form of another site cannot send JSON");
    served.end().await;
}

/// The next events of a stream of server-sent events.
pub(crate) async fn next_events(body: &mut Body) -> Vec<Event> {
    let frame = tokio::time::timeout(Duration::from_secs(20), body.frame()).await;
    let bytes = frame
        .expect("an event")
        .unwrap()
        .unwrap()
        .into_data()
        .unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_begin_with_the_status_and_go_on() {
    let served = Served::with_demo(2).await;
    let devices = served.json("/api/devices").await;
    let device = devices[1]["id"].as_str().unwrap();
    let path = format!("/api/events?waves={device}");
    let response = served.send("GET", &path, Body::empty()).await;
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/event-stream"
    );
    let mut body = response.into_body();
    let first = next_events(&mut body).await;
    assert!(matches!(first.as_slice(), [Event::Status(_)]), "{first:?}");
    let (mut live, mut blocks, mut waves) = (false, false, false);
    while !(live && blocks && waves) {
        for event in next_events(&mut body).await {
            match event {
                Event::Live(devices) => live |= !devices.is_empty(),
                Event::Blocks(rows) => blocks |= !rows.is_empty(),
                Event::Wave(wave) => {
                    assert_eq!(wave.device, device, "only what was asked for");
                    waves = true;
                }
                _ => {}
            }
        }
    }
    drop(body);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_are_bounded() {
    let served = Served::with_demo(0).await;
    let mut listeners = Vec::new();
    for _ in 0..fog_node::http::MAX_LISTENERS {
        let response = served.send("GET", "/api/events", Body::empty()).await;
        assert_eq!(response.status(), StatusCode::OK);
        listeners.push(response);
    }
    let (status, _) = refusal(served.send("GET", "/api/events", Body::empty()).await).await;
    assert_eq!(status, 429);
    listeners.pop();
    assert_eq!(
        served
            .send("GET", "/api/events", Body::empty())
            .await
            .status(),
        StatusCode::OK
    );
    drop(listeners);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_compressed_for_those_who_ask() {
    let served = Served::with_demo(0).await;
    let request = served
        .request("GET", "/api/openapi.json")
        .header(header::ACCEPT_ENCODING, "gzip");
    let response = served.raw(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
    let request = served
        .request("GET", "/api/genesis")
        .header(header::ACCEPT_ENCODING, "gzip");
    let response = served.raw(request.body(Body::empty()).unwrap()).await;
    assert!(response.headers().get(header::CONTENT_ENCODING).is_none());
    served.end().await;
}
