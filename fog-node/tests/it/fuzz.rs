//! Goal: no request makes the node panic or fail; it answers or refuses. Method: random paths, questions
//! and bodies, near the real ones, against a real node.

use axum::body::Body;
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::served::Served;

const PATHS: [&str; 14] = [
    "/api/devices",
    "/api/demo",
    "/api/previews",
    "/api/readings",
    "/api/readings/",
    "/api/blocks",
    "/api/blocks/",
    "/api/transactions/",
    "/api/proofs/",
    "/api/finality",
    "/api/devices/",
    "/api/events",
    "/api/patients",
    "/api/patients/",
];

/// A body that is JSON, nearly JSON, or anything; none pairs a device that exists.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let field = "(name|number|born|profile|path|key|devices|x)";
    let value = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "\"[a-z0-9/ -]{0,70}\"",
        Just("[[[[]]]]".to_owned()),
        Just("\"nonin-oem3\"".to_owned()),
    ];
    let object = proptest::collection::vec((field, value), 0..5).prop_map(|fields| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(",")).into_bytes()
    });
    prop_oneof![object, proptest::collection::vec(any::<u8>(), 0..300)]
}

#[test]
fn any_request_is_answered_or_refused() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let served = runtime.block_on(Served::with_demo(0));
    let method = proptest::sample::select(vec!["GET", "POST", "DELETE", "PUT"]);
    let path = proptest::sample::select(PATHS.to_vec());
    let tail = "[a-zA-Z0-9.%-]{0,70}";
    let question = "(|\\?[a-z=&0-9%-]{0,60}|\\?(device|from|limit|minutes|before|search|wearing)=-?[0-9]{0,25})";
    let mut runner = TestRunner::new(ProptestConfig::with_cases(400));
    runner
        .run(
            &(method, path, tail, question, body()),
            |(method, path, tail, question, body)| {
                let tail = if path.ends_with('/') {
                    tail
                } else {
                    String::new()
                };
                let asked = format!("{path}{tail}{question}");
                if asked.parse::<axum::http::Uri>().is_err() {
                    return Ok(());
                }
                let status = runtime.block_on(async {
                    let response = served.send(method, &asked, Body::from(body)).await;
                    let status = response.status().as_u16();
                    let is_stream = asked.starts_with("/api/events");
                    if !is_stream {
                        response.into_body().collect().await.unwrap();
                    }
                    status
                });
                prop_assert!(status < 500, "{method} {asked}: {status}");
                Ok(())
            },
        )
        .unwrap();
    runtime.block_on(served.end());
}
