//! Goal: a ward of all profiles goes the whole way, each kind with its own metrics, marked as simulated; and what a
//! meter's clock stamped is placed by this host's clock. Method: the real API of a node with one device of each
//! kind; the first values of every kind come at once.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::Value;

use crate::served::Served;

/// The LOINC codes of each profile, from the tables of the HL7 vital signs profiles.
const KINDS: [(&str, &[&str]); 6] = [
    ("heart rate strap", &["8867-4", "8637-1"]),
    (
        "blood pressure cuff",
        &["8480-6", "8462-4", "8478-0", "8867-4"],
    ),
    ("glucose meter", &["2339-0"]),
    (
        "body composition scale",
        &["29463-7", "39156-5", "41982-0", "73965-6", "101683-1"],
    ),
    ("skin thermometer", &["8310-5"]),
    ("pulse oximeter", &["59408-5", "8889-8"]),
];

async fn readings(served: &Served, device: &Value) -> Vec<Value> {
    let id = device["id"].as_str().unwrap();
    let path = format!("/api/readings?device={id}&limit=100");
    let rows = served.json(&path).await;
    rows.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ward_of_all_profiles_goes_the_whole_way() {
    let served = Served::with_demo(0).await;
    let asked = r#"{"devices":8,"every_profile":true}"#;
    let started = served.send("POST", "/api/demo", asked).await;
    assert_eq!(started.status(), StatusCode::OK);
    let devices = served.json("/api/devices").await;
    let devices = devices.as_array().unwrap();
    assert_eq!(devices.len(), 8);
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = KINDS
        .iter()
        .map(|(kind, codes)| (*kind, codes.iter().copied().collect()))
        .collect();
    for _ in 0..100 {
        for device in devices {
            let name = device["name"].as_str().unwrap();
            let kind = KINDS.iter().find(|(kind, _)| name.contains(kind));
            let (kind, _) = kind.unwrap_or_else(|| panic!("{name} is of no kind"));
            for row in readings(&served, device).await {
                assert_eq!(row["simulated"], true);
                let code = row["code"].as_str().unwrap();
                // Nothing, once the kind has shown all its codes.
                if let Some(codes) = missing.get_mut(kind) {
                    codes.remove(code);
                }
            }
        }
        missing.retain(|_, codes| !codes.is_empty());
        if missing.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(missing.is_empty(), "{missing:?}");

    let has_clock = |name: &str| name.contains("glucose");
    for device in devices {
        for row in readings(&served, device).await {
            if !has_clock(device["name"].as_str().unwrap()) {
                assert!(row["device_time"].is_null() && row.get("corrected_time").is_none());
                continue;
            }
            let time = |name: &str| row[name].as_i64().unwrap();
            let off = time("device_time").abs_diff(time("host_time"));
            assert!(off > 60_000, "its clock is wrong: by {off} ms");
            let off = time("corrected_time").abs_diff(time("host_time"));
            assert!(off <= 1_000, "measured and sent at once: {off} ms apart");
        }
    }
    served.end().await;
}
