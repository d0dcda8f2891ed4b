//! Goal: a self-test on the command line ends in a record that verifies and that no flipped byte survives; it
//! costs the device's stream nothing unnamed, and a kill leaves nothing half.
//!
//! Method: the real program, a sensor on a pseudo terminal that sends two readings a second, a simulated
//! ward, and a node without Bluetooth.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use fogward_level0::{
    Chunk, DeviceClass, DeviceId, FrameReader, Hello, HostMessage, MAX_WIRE, Outgoing, PairingKey,
    Reading, Sensor, metric, quality,
};
use serde_json::{Value, json as value};

use crate::program::{Running, fogward, json, text, wait_for};
use crate::pty::Line;
use crate::served::Served;

/// A line of Nonin's text output (see the vectors in `device-drivers/tests/it/nonin.rs`), and a damaged one.
const SECOND: &[u8] = b"SPO2=097 HR=064\r\n";
const DAMAGED: &[u8] = b"SPO2=97 HR=064\r\n";

/// A sensor that plays until it is dropped.
struct Played {
    path: String,
    is_over: Arc<AtomicBool>,
    is_noisy: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Played {
    /// A line of text a second, and a damaged one with it while it is noisy.
    fn new() -> Self {
        Self::playing(|line, tick, is_noisy| {
            if tick.is_multiple_of(20) {
                line.send(SECOND);
                if is_noisy {
                    line.send(DAMAGED);
                }
            }
        })
    }

    /// A level-0 sensor that listens: two readings a second, and an introduction when it is asked for one.
    fn level0() -> Self {
        let key = PairingKey::from_bytes([5; 32]);
        let mut sensor = Sensor::new(DeviceId([7; 8]), key, 1);
        let mut reader = FrameReader::default();
        Self::playing(move |line, tick, _| {
            let mut is_asked = false;
            for byte in line.heard() {
                if let Some(Chunk::Frame(frame)) = reader.push(byte) {
                    is_asked |= matches!(sensor.open(frame), Ok(HostMessage::Identify));
                }
            }
            if is_asked {
                send(line, &mut sensor, &Outgoing::Hello(HELLO));
            }
            if tick.is_multiple_of(10) {
                let readings = &[READING];
                let time_millis = None;
                let message = Outgoing::Readings {
                    time_millis,
                    readings,
                };
                send(line, &mut sensor, &message);
            }
        })
    }

    /// Does this every 50 ms; hears how often it did, and whether it is to be noisy.
    fn playing(mut play: impl FnMut(&mut Line, u32, bool) + Send + 'static) -> Self {
        let mut line = Line::new();
        let path = line.path.clone();
        let (is_over, is_noisy) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let thread = thread::spawn({
            let (is_over, is_noisy) = (Arc::clone(&is_over), Arc::clone(&is_noisy));
            move || {
                let begun = Instant::now();
                for tick in 0_u32.. {
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    play(&mut line, tick, is_noisy.load(Ordering::Relaxed));
                    // By the clock, however busy the machine is: the rate is what is judged.
                    let next = Duration::from_millis(50) * (tick + 1);
                    thread::sleep(next.saturating_sub(begun.elapsed()));
                }
            }
        });
        Self {
            path,
            is_over,
            is_noisy,
            thread: Some(thread),
        }
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

const HELLO: Hello = Hello {
    firmware: [1, 0, 0],
    class: DeviceClass::LowCost,
    readings_per_1000_s: 2_000,
    is_listening: true,
};
const READING: Reading = Reading {
    metric: metric::HEART_RATE,
    quality: quality::GOOD,
    mantissa: 61,
    exponent: 0,
};

fn send(line: &mut Line, sensor: &mut Sensor, message: &Outgoing<'_>) {
    let mut wire = [0; MAX_WIRE];
    let length = sensor.seal(message, &mut wire).unwrap();
    line.send(&wire[..length]);
}

/// A node with the sensor paired and heard; its address and the device's id.
fn node_with(data: &Path, sensor: &Played) -> (Running, String, String) {
    let serial = format!("--serial={}=nonin-ascii", sensor.path);
    let node = Running::start(data, &[serial]);
    let address = node.address();
    let device = wait_for("the sensor", || {
        let device = the_device(&address);
        (device["gap"]["received"].as_u64()? > 1).then_some(device)
    });
    let id = device["id"].as_str().unwrap().to_owned();
    (node, address, id)
}

fn the_device(address: &str) -> Value {
    json(["devices", "--api", address, "--json"]).1[0].clone()
}

/// Exit code and record of a test.
fn tested(address: &str, device: &str, more: &[&str]) -> (i32, Value) {
    let asked = ["device", "selftest", device, "--api", address, "--json"];
    json(asked.iter().chain(more))
}

fn figure<'a>(record: &'a Value, check: &str) -> &'a Value {
    let figures = record["figures"].as_array().unwrap();
    let found = figures.iter().find(|figure| figure["check"] == check);
    found.unwrap_or_else(|| panic!("no {check} in {record}"))
}

fn verified(file: &Path, more: &[&str]) -> (i32, Value) {
    let asked = [
        "verify",
        file.to_str().unwrap(),
        "--commissioning",
        "--json",
    ];
    json(asked.iter().chain(more))
}

#[test]
fn a_sensor_on_a_line_is_tested_and_its_record_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let (data, sensor) = (folder.path().join("data"), Played::new());
    let (node, address, id) = node_with(&data, &sensor);
    let file = folder.path().join("record.json");
    let (code, record) = tested(&address, &id, &["--export", file.to_str().unwrap()]);
    assert_eq!(
        (code, &record["outcome"]),
        (0, &value!("passed")),
        "{record}"
    );
    assert_eq!(
        (&record["kind"], &record["simulated"]),
        (&value!("serial"), &value!(false))
    );
    assert_eq!(figure(&record, "port-opens")["value"], 1);
    assert_eq!(figure(&record, "frames-refused")["value"], 0);
    let none = figure(&record, "round-trip");
    assert_eq!(
        (&none["value"], &none["reason"]["code"]),
        (&Value::Null, &value!("TEST-09"))
    );
    let device = the_device(&address);
    assert_eq!(
        (&device["handle"], &device["state"]),
        (&record["subject"], &value!("streaming"))
    );

    check_record(&folder, &file, &record);

    let rate = &figure(&record, "rate")["value"];
    assert_eq!(*rate, 100, "counted to the reading: {record}");
    sensor.is_noisy.store(true, Ordering::Relaxed);
    let (code, worse) = tested(&address, &id, &["--seconds=6"]);
    assert_eq!((code, &worse["outcome"]), (1, &value!("failed")), "{worse}");
    assert!(
        figure(&worse, "frames-refused")["value"].as_u64().unwrap() >= 4,
        "{worse}"
    );
    assert!(node.terminate().success());
    let fsck = ["fsck", "--data", data.to_str().unwrap(), "--json"];
    let (_, report) = json(fsck);
    assert_eq!(report["clean"], true, "{report}");
    let vault = rusqlite::Connection::open(data.join("vault.db")).unwrap();
    let alter = "UPDATE commissionings SET signature = zeroblob(64) WHERE number = 2";
    vault.execute(alter, []).unwrap();
    let (code, report) = json(fsck);
    assert_eq!(
        (code, &report["problems"][0]["table"]),
        (1, &value!("commissionings")),
        "{report}"
    );
}

/// The exported file holds what was shown; no other does.
fn check_record(folder: &tempfile::TempDir, file: &Path, record: &Value) {
    let (code, said) = verified(file, &["--node", record["node"].as_str().unwrap()]);
    assert_eq!(
        (code, &said["valid"], &said["record"]),
        (0, &value!(true), record)
    );
    let (code, said) = verified(file, &["--node", &"0f".repeat(32)]);
    assert_eq!((code, &said["valid"]), (1, &value!(false)), "{said}");
    let whole: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let flipped = folder.path().join("flipped.json");
    for (part, at) in [("record", 3), ("record", 130), ("signature", 17)] {
        let mut bytes = hex::decode(whole[part].as_str().unwrap()).unwrap();
        bytes[at] ^= 1;
        let mut altered = whole.clone();
        altered[part] = hex::encode(bytes).into();
        std::fs::write(&flipped, altered.to_string()).unwrap();
        let (code, said) = verified(&flipped, &[]);
        assert_eq!(
            (code, &said["valid"]),
            (1, &value!(false)),
            "{part} {at}: {said}"
        );
    }
}

#[test]
fn a_simulated_device_is_marked_so_and_others_say_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let node = Running::start(&folder.path().join("data"), &["--demo=1".into()]);
    let address = node.address();
    let id = the_device(&address)["id"].as_str().unwrap().to_owned();
    let (_, record) = tested(&address, &id, &["--seconds=5"]);
    assert_eq!(
        (&record["kind"], &record["simulated"]),
        (&value!("simulated"), &value!(true))
    );
    assert!(figure(&record, "rate")["value"].is_u64(), "{record}");

    let refused = fogward(["device", "identify", &id, "--api", &address]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("TEST-25"),
        "{}",
        text(&refused.stderr)
    );
    let nobody = fogward(["device", "selftest", "nobody", "--api", &address]);
    assert_eq!(nobody.status.code(), Some(1), "{}", text(&nobody.stderr));
    let neither = fogward(["device", "selftest", "--api", &address]);
    assert_eq!(neither.status.code(), Some(2), "{}", text(&neither.stderr));
    assert!(node.terminate().success());
}

/// It says itself how many readings it promises, and how long it takes to say so is measured.
#[test]
fn a_level0_device_introduces_itself() {
    let folder = tempfile::tempdir().unwrap();
    let sensor = Played::level0();
    let node = Running::start(&folder.path().join("data"), &[]);
    let (address, key) = (node.address(), folder.path().join("key"));
    std::fs::write(&key, "05".repeat(32)).unwrap();
    let (path, key) = (sensor.path.as_str(), key.to_str().unwrap());
    let pair = [
        "device",
        "pair",
        path,
        "--profile",
        "fogward-level0",
        "--key-file",
        key,
    ];
    let (code, device) = json(pair.iter().chain(&["--api", &address, "--json"]));
    assert_eq!(code, 0, "{device}");
    let (code, record) = tested(&address, device["id"].as_str().unwrap(), &[]);
    assert_eq!(
        (code, &record["outcome"]),
        (0, &value!("passed")),
        "{record}"
    );
    for (check, bar) in [("round-trip", 0..=2_000), ("rate", 95..=200)] {
        let found = figure(&record, check)["value"].as_u64();
        assert!(
            found.is_some_and(|found| bar.contains(&found)),
            "{check}: {record}"
        );
    }
    assert!(node.terminate().success());
}

/// Killed (`kill -9`) while it measures: no record, no test, and the device is read again.
#[test]
fn a_kill_in_the_middle_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let (data, sensor) = (folder.path().join("data"), Played::new());
    let (node, address, id) = node_with(&data, &sensor);
    let asked = ["device", "selftest", &id, "--api", &address].map(str::to_owned);
    let aside = thread::spawn(move || drop(fogward(asked)));
    thread::sleep(Duration::from_secs(2));
    node.kill();
    aside.join().unwrap();
    let (_, report) = json(["fsck", "--data", data.to_str().unwrap(), "--json"]);
    assert_eq!(report["clean"], true, "{report}");

    let (node, address, again) = node_with(&data, &sensor);
    assert_eq!(again, id);
    let (code, record) = tested(&address, &id, &["--seconds=6"]);
    assert_eq!(code, 0, "{record}");
    assert!(node.terminate().success());
    let vault = rusqlite::Connection::open(data.join("vault.db")).unwrap();
    let kept = "SELECT count(*) FROM commissionings";
    let kept: u32 = vault.query_row(kept, [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1, "the test that was killed has left a record");
}

/// One at a time; cancelled, it leaves no record, and the device is read on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_is_cancelled_and_there_is_one_at_a_time() {
    let served = Served::with_demo(1).await;
    let devices = served.json("/api/devices").await;
    let id = devices[0]["id"].as_str().unwrap();
    let asked = value!({ "device": id }).to_string();
    let begun = served.send("POST", "/api/selftests", asked.clone()).await;
    assert_eq!(begun.status(), StatusCode::OK);
    let second = served.send("POST", "/api/selftests", asked).await;
    assert_eq!(second.status(), StatusCode::CONFLICT);
    for wrong in [
        value!({ "device": id, "seconds": 4 }),
        value!({ "device": id, "with": ["C4:F2:17:1A:1D:BB"] }),
        value!({ "with": ["nowhere"] }),
        value!({ "device": id, "patient": "x" }),
    ] {
        let refused = served.send("POST", "/api/selftests", wrong.to_string());
        assert_eq!(refused.await.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    let body = http_body_util::BodyExt::collect(begun.into_body())
        .await
        .unwrap();
    let begun: Value = serde_json::from_slice(&body.to_bytes()).unwrap();
    assert_eq!(begun["stage"]["stage"], "running", "{begun}");
    let path = format!("/api/selftests/{}", begun["id"].as_str().unwrap());
    let cancelled = served.send("DELETE", &path, "").await;
    assert_eq!(cancelled.status(), StatusCode::NO_CONTENT);
    for _ in 0..100 {
        if served.json(&path).await["stage"]["stage"] == "cancelled" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(served.json(&path).await["stage"]["stage"], "cancelled");
    let records = served
        .json(&format!("/api/commissionings?device={id}"))
        .await;
    assert_eq!(records, value!([]));
    let of_an_adapter = "/api/commissionings?adapter=AA:AA:AA:00:00:01";
    assert_eq!(served.json(of_an_adapter).await, value!([]));
    let of_both = format!("{of_an_adapter}&device={id}");
    let refused = served.send("GET", &of_both, "").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let before = served.json(&format!("/api/devices/{id}")).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = served.json(&format!("/api/devices/{id}")).await;
    assert!(
        after["gap"]["expected"].as_u64() > before["gap"]["expected"].as_u64(),
        "{after}"
    );
    served.end().await;
}
