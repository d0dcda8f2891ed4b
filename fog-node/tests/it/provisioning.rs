//! Goal: a device that has only its one-time code ends with one key, the node's, whatever is killed in
//! between; and what cannot be paired is told by its code. The same on a port and by Bluetooth.
//!
//! Method: the real program on its command line, killed (`kill -9`) at chosen and at random moments, and a
//! device of the protocol's device side on a pseudo terminal or behind a fake BlueZ.

#[cfg(target_os = "linux")]
mod air;
mod played;

use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use fog_api::{Event, ProvisioningStage};
use fogward_level0::PairingCode;
use serde_json::{Value, json as value};

use crate::program::{Running, fogward, json, text, wait_for};
use crate::served::Served;
use played::{CODE, Played};

/// A folder with a node's data and files with codes.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn file(&self, code: &str) -> PathBuf {
        let path = self.folder.path().join(code);
        std::fs::write(&path, format!("{code}\n")).unwrap();
        path
    }

    fn start(&self, device: &Played) -> (Running, String) {
        let node = match &device.bus {
            None => Running::start(&self.data(), &[]),
            Some(bus) => Running::start_on_bus(&self.data(), &["--ble".into()], bus),
        };
        let address = node.address();
        (node, address)
    }

    fn is_clean(&self) {
        let data = self.data();
        let (code, report) = json(["fsck", "--data", data.to_str().unwrap(), "--json"]);
        assert_eq!(
            (code, &report["clean"]),
            (0, &Value::Bool(true)),
            "{report}"
        );
    }
}

fn asking(address: &str, path: &str, code_file: &Path) -> Vec<String> {
    let code_file = code_file.to_str().unwrap();
    [
        "device",
        "provision",
        path,
        "--api",
        address,
        "--code-file",
        code_file,
        "--json",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn devices(address: &str) -> Vec<Value> {
    let (_, devices) = json(["devices", "--api", address, "--json"]);
    devices.as_array().unwrap().clone()
}

/// The one device once it is read, with nothing refused for its key.
fn streams(address: &str) -> Value {
    wait_for("a reading under the new key", || {
        let [device] = devices(address).try_into().unwrap();
        let gap = &device["gap"];
        // A frame that was on its way when a node was killed may be seen from its middle on; nothing else is refused.
        let mut refused = device["rejected_reasons"].as_array().unwrap().iter();
        let is_cut = refused.all(|one| one["reason"] == "incomplete");
        assert!(is_cut, "{device}");
        (gap["received"].as_u64().unwrap() > 10).then_some(device)
    })
}

/// What the program says when it refuses; its code stands at the end.
fn refused(arguments: &[String]) -> String {
    let output = fogward(arguments);
    assert!(!output.status.success(), "{}", text(&output.stdout));
    let said = text(&output.stderr);
    assert!(!said.contains("R38E"), "it repeats the code: {said}");
    said
}

fn is_paired_once(device: &Played) {
    let bench = Bench::new();
    let (node, address) = bench.start(device);
    let right = bench.file(CODE);
    let other = PairingCode::from_bytes([1; 16]).to_text();
    for (code, says) in [
        ("000G-40R4-0M30-E209-185G-R38E-1W0J", "DEV-20"),
        (&other, "DEV-22"),
    ] {
        let said = refused(&asking(&address, &device.at, &bench.file(code)));
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(device.keys_sent(), 0);
    let (code, paired) = json(asking(&address, &device.at, &right));
    assert_eq!(code, 0, "{paired}");
    assert_eq!(paired["authenticated"], true, "{paired}");
    let read = streams(&address);
    assert_eq!(read["id"], paired["id"]);
    let taken = refused(&asking(&address, &device.at, &right));
    assert!(taken.contains("DEV-02"), "{taken}");
    let id = paired["id"].as_str().unwrap();
    let (code, _) = json(["device", "unpair", id, "--api", &address, "--json"]);
    assert_eq!(code, 0);
    let spent = refused(&asking(&address, &device.at, &right));
    assert!(spent.contains("DEV-23"), "{spent}");
    assert_eq!(device.keys_sent(), 1);
    assert!(node.terminate().success());
    bench.is_clean();
}

#[test]
fn a_device_on_a_port_is_paired_with_its_code_once() {
    is_paired_once(&Played::on_a_port());
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_in_the_air_is_paired_with_its_code_once() {
    is_paired_once(&Played::in_the_air());
}

#[cfg(target_os = "linux")]
#[test]
fn a_link_that_falls_with_the_key_costs_nothing() {
    let (bench, device) = (Bench::new(), Played::in_the_air());
    let code = bench.file(CODE);
    device.set(|flash| flash.drops_with_key = true);
    let (node, address) = bench.start(&device);
    let fallen = refused(&asking(&address, &device.at, &code));
    assert!(fallen.contains("BLE-07"), "{fallen}");
    assert!(fallen.contains("the same code"), "{fallen}");
    assert!(devices(&address).is_empty(), "paired without a proof");
    let (code, paired) = json(asking(&address, &device.at, &code));
    assert_eq!(code, 0, "{paired}");
    streams(&address);
    assert_eq!(device.keys_sent(), 1, "one code, one key");
    assert!(node.terminate().success());
    bench.is_clean();
}

/// Asks beside the test, for a program whose node is about to be killed.
fn ask_aside(address: &str, device: &Played, code_file: &Path) -> JoinHandle<()> {
    let arguments = asking(address, &device.at, code_file);
    thread::spawn(move || drop(fogward(arguments)))
}

#[test]
fn a_kill_after_the_key_was_sent_costs_nothing() {
    for is_stored in [false, true] {
        killed_after_the_key(&Played::on_a_port(), is_stored);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_kill_after_the_key_was_sent_by_radio_costs_nothing() {
    for is_stored in [false, true] {
        killed_after_the_key(&Played::in_the_air(), is_stored);
    }
}

fn killed_after_the_key(device: &Played, is_stored: bool) {
    let bench = Bench::new();
    let code = bench.file(CODE);
    device.set(|flash| (flash.is_full, flash.mutes_with_key) = (!is_stored, is_stored));
    let (node, address) = bench.start(device);
    let asked = ask_aside(&address, device, &code);
    wait_for("the key", || (device.keys_sent() == 1).then_some(()));
    node.kill();
    asked.join().unwrap();
    device.set(|flash| (flash.is_full, flash.is_mute) = (false, false));

    let (node, address) = bench.start(device);
    assert!(devices(&address).is_empty(), "paired without a proof");
    let (code, paired) = json(asking(&address, &device.at, &code));
    assert_eq!(code, 0, "{paired}");
    streams(&address);
    assert_eq!(device.keys_sent(), 1, "one code, one key");
    assert!(node.terminate().success());
    bench.is_clean();
}

#[test]
fn kills_at_any_moment_leave_one_device_with_one_key() {
    killed_at_any_moment(&Played::on_a_port(), 150);
}

#[cfg(target_os = "linux")]
#[test]
fn kills_at_any_moment_leave_one_device_in_the_air_with_one_key() {
    killed_at_any_moment(&Played::in_the_air(), 700);
}

/// Each kill comes within so many milliseconds.
fn killed_at_any_moment(device: &Played, within_millis: u64) {
    let bench = Bench::new();
    let code = bench.file(CODE);
    let mut random = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
    let seed = random;
    // The device takes nothing at first, so that every kill falls into the exchange.
    device.set(|flash| flash.is_full = true);
    for round in 0..12 {
        let (node, address) = bench.start(device);
        if round == 6 {
            device.set(|flash| flash.is_full = false);
        }
        if !devices(&address).is_empty() {
            break;
        }
        let asked = ask_aside(&address, device, &code);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        thread::sleep(Duration::from_millis(random % within_millis));
        node.kill();
        asked.join().unwrap();
    }
    let (node, address) = bench.start(device);
    if devices(&address).is_empty() {
        let (code, paired) = json(asking(&address, &device.at, &code));
        assert_eq!(code, 0, "seed {seed}: {paired}");
    }
    streams(&address);
    assert_eq!(device.keys_sent(), 1, "seed {seed}: a code had two keys");
    assert!(node.terminate().success());
    bench.is_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_are_told_how_far_it_is() {
    let (served, device) = (Served::with_demo(0).await, Played::on_a_port());
    let checked = value!({ "code": CODE.to_lowercase().replace('-', " ") }).to_string();
    let checked = served.send("POST", "/api/codes/check", checked).await;
    assert_eq!(checked.status(), StatusCode::OK);
    let mut events = served.node.events();
    let asked = value!({ "profile": "fogward-level0", "path": device.at, "code": CODE });
    let both = value!({
        "profile": "fogward-level0", "path": device.at, "code": CODE, "key": "00".repeat(32)
    });
    let refused = served.send("POST", "/api/devices", both.to_string()).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let paired = served.send("POST", "/api/devices", asked.to_string()).await;
    assert_eq!(paired.status(), StatusCode::OK);
    let mut stages = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let Event::Provisioning(told) = &*event {
            assert_eq!(told.path, device.at);
            stages.push(told.stage);
        }
    }
    use ProvisioningStage::{Answered, Listening, Proven};
    assert_eq!(stages, [Listening, Answered, Proven]);
    served.end().await;
}
