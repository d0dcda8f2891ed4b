//! Goal: a device that speaks level-0 by Bluetooth is paired by its address and its key, in both ways there
//! are, and what cannot be is refused in words. Method: the real API of a node whose machine needs no radio:
//! what is paired is connected to later or never.

use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::served::Served;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

const CODE: &str = "000G-40R4-0M30-E209-185G-R38E-1W0H";

async fn post(served: &Served, path: &str, body: &Value) -> (StatusCode, Value) {
    let response = served.send("POST", path, body.to_string()).await;
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level0_device_is_paired_by_address_and_key() {
    let served = Served::with_demo(0).await;
    let add = |profile: &str, path: &str| json!({"profile": profile, "path": path, "key": KEY});
    let level0 = add("fogward-level0", "ble:c4:f2:17:1a:1d:bb");
    let both = json!({"profile": "fogward-level0", "path": "ble:C4:F2:17:1A:1D:BC", "key": KEY,
        "code": CODE});
    let mistyped = json!({"profile": "fogward-level0", "path": "ble:C4:F2:17:1A:1D:BC",
        "code": "000G"});
    let without_key = json!({"profile": "fogward-level0", "path": "ble:C4:F2:17:1A:1D:BC"});
    for (asked, code) in [
        (add("nonin-oem3", "ble:C4:F2:17:1A:1D:BB"), "DEV-14"),
        (add("fogward-level0", "ble:C4:F2:17"), "DEV-11"),
        (both, "DEV-21"),
        (mistyped, "DEV-20"),
        (without_key, "DEV-04"),
    ] {
        let (status, error) = post(&served, "/api/devices", &asked).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{error}");
        assert_eq!(error["code"], code, "{error}");
        assert!(!error.to_string().contains(KEY));
    }
    let (status, device) = post(&served, "/api/devices", &level0).await;
    assert!(status.is_success(), "{device}");
    assert_eq!(device["profile"], "fogward-level0");
    assert_eq!(device["path"], "ble:C4:F2:17:1A:1D:BB");
    assert_eq!(device["source"], "bluetooth");
    assert_eq!(device["authenticated"], true);
    let (_, error) = post(&served, "/api/devices", &level0).await;
    assert_eq!(error["code"], "DEV-02", "one device an address: {error}");

    let repaired = json!({"address": "C4:F2:17:1A:1D:BB", "repair": true, "key": KEY});
    let (_, error) = post(&served, "/api/bluetooth/pairings", &repaired).await;
    assert_eq!(error["code"], "DEV-02", "a key is given once: {error}");
    let wrong = json!({"address": "C4:F2:17:1A:1D:BD", "bond": false, "key": "00"});
    let (_, error) = post(&served, "/api/bluetooth/pairings", &wrong).await;
    assert_eq!(error["code"], "DEV-04", "{error}");
    let both = json!({"address": "C4:F2:17:1A:1D:BD", "bond": false, "key": KEY, "code": CODE});
    let (_, error) = post(&served, "/api/bluetooth/pairings", &both).await;
    assert_eq!(error["code"], "DEV-21", "{error}");
    let again = json!({"address": "C4:F2:17:1A:1D:BB", "repair": true, "code": CODE});
    let (_, error) = post(&served, "/api/bluetooth/pairings", &again).await;
    assert_eq!(error["code"], "DEV-02", "a key is given once: {error}");
    let unbonded = json!({"address": "C4:F2:17:1A:1D:BD", "bond": false, "key": KEY});
    let (_, pairing) = post(&served, "/api/bluetooth/pairings", &unbonded).await;
    let path = format!(
        "/api/bluetooth/pairings/{}",
        pairing["id"].as_str().unwrap()
    );
    let paired = loop {
        let pairing = served.json(&path).await;
        match pairing["stage"]["stage"].as_str() {
            Some("connecting") => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            Some("paired") => break pairing["stage"]["device"].as_str().unwrap().to_owned(),
            _ => panic!("{pairing}"),
        }
    };
    let device = served.json(&format!("/api/devices/{paired}")).await;
    assert_eq!(device["profile"], "fogward-level0");
    assert_eq!(device["path"], "ble:C4:F2:17:1A:1D:BD");
    served.end().await;
}
