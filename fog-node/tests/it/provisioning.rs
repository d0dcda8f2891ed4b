//! Goal: a device that has only its one-time code ends with one key, the node's, whatever is killed in
//! between; and what cannot be paired is told by its code.
//!
//! Method: the real program on its command line, killed (`kill -9`) at chosen and at random moments, and a
//! device of the protocol's device side on a pseudo terminal, whose flash is what it has stored.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use fog_api::{Event, ProvisioningStage};
use fogward_level0::{
    Chunk, DeviceId, FrameReader, MAX_WIRE, Offer, Outgoing, PairingCode, PairingKey, Reading,
    Sensor, Unpaired, metric, quality,
};
use serde_json::{Value, json as value};

use crate::program::{Running, fogward, json, text, wait_for};
use crate::pty::Line;
use crate::served::Served;

/// Vector 12 of the protocol.
const CODE: &str = "000G-40R4-0M30-E209-185G-R38E-1W0H";
const DEVICE: DeviceId = DeviceId([7; 8]);

/// What the device's flash holds, and what its line does.
#[derive(Default)]
struct Flash {
    key: Option<[u8; 32]>,
    /// Every key it was ever sent.
    sent: BTreeSet<[u8; 32]>,
    epoch: u32,
    /// Does not store what it hears.
    is_full: bool,
    /// Says nothing.
    is_mute: bool,
    /// Falls silent with the key it stores, before it could prove it.
    mutes_with_key: bool,
}

/// A device that plays until it is dropped.
struct Played {
    path: String,
    flash: Arc<Mutex<Flash>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Played {
    fn new() -> Self {
        let line = Line::new();
        let (flash, is_over) = (Arc::<Mutex<Flash>>::default(), Arc::<AtomicBool>::default());
        let path = line.path.clone();
        let thread = thread::spawn({
            let (flash, is_over) = (Arc::clone(&flash), Arc::clone(&is_over));
            move || play(line, &flash, &is_over)
        });
        let thread = Some(thread);
        Self {
            path,
            flash,
            is_over,
            thread,
        }
    }

    fn set(&self, change: impl FnOnce(&mut Flash)) {
        change(&mut self.flash.lock().unwrap());
    }

    fn keys_sent(&self) -> usize {
        self.flash.lock().unwrap().sent.len()
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A device that failed says so itself.
            let _ = thread.join();
        }
    }
}

/// Offers itself until it has a key, then sends readings under it; all at fifty a second.
fn play(mut line: Line, flash: &Mutex<Flash>, is_over: &AtomicBool) {
    let code: PairingCode = CODE.parse().unwrap();
    let mut reader = FrameReader::default();
    let mut unpaired = Unpaired::new(DEVICE, &code, 1);
    let mut sensor: Option<Sensor> = None;
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(20));
        let mut flash = flash.lock().unwrap();
        for byte in line.heard() {
            if flash.key.is_none()
                && let Some(Chunk::Frame(frame)) = reader.push(byte)
                && let Ok(key) = unpaired.open(frame)
            {
                let key: [u8; 32] = key.try_into().unwrap();
                flash.sent.insert(key);
                flash.key = (!flash.is_full).then_some(key);
                flash.is_mute = flash.key.is_some() && flash.mutes_with_key;
            }
        }
        if flash.is_mute {
            continue;
        }
        let mut wire = [0; MAX_WIRE];
        let length = match flash.key {
            None => unpaired.offer(&Offer::AsconTag, &mut wire).unwrap(),
            Some(key) => {
                let sensor = sensor.get_or_insert_with(|| {
                    flash.epoch += 1;
                    Sensor::new(DEVICE, PairingKey::from_bytes(key), flash.epoch)
                });
                let reading = Reading {
                    metric: metric::HEART_RATE,
                    quality: quality::GOOD,
                    mantissa: 61,
                    exponent: 0,
                };
                let message = Outgoing::Readings {
                    time_millis: None,
                    readings: &[reading],
                };
                sensor.seal(&message, &mut wire).unwrap()
            }
        };
        line.send(&wire[..length]);
    }
}

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

    fn start(&self) -> (Running, String) {
        let node = Running::start(&self.data(), &[]);
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

/// The one device once it is read, with nothing refused and nothing missing.
fn streams(address: &str) -> Value {
    wait_for("a reading under the new key", || {
        let [device] = devices(address).try_into().unwrap();
        let gap = &device["gap"];
        assert_eq!(gap["rejected"], 0, "{device}");
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

#[test]
fn a_device_is_paired_with_its_code_once() {
    let (bench, device) = (Bench::new(), Played::new());
    let (node, address) = bench.start();
    let right = bench.file(CODE);
    let other = PairingCode::from_bytes([1; 16]).to_text();
    for (code, says) in [
        ("000G-40R4-0M30-E209-185G-R38E-1W0J", "DEV-20"),
        (&other, "DEV-22"),
    ] {
        let said = refused(&asking(&address, &device.path, &bench.file(code)));
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(device.keys_sent(), 0);
    let (code, paired) = json(asking(&address, &device.path, &right));
    assert_eq!(code, 0, "{paired}");
    assert_eq!(paired["authenticated"], true, "{paired}");
    let read = streams(&address);
    assert_eq!(read["id"], paired["id"]);
    let taken = refused(&asking(&address, &device.path, &right));
    assert!(taken.contains("DEV-02"), "{taken}");
    let id = paired["id"].as_str().unwrap();
    let (code, _) = json(["device", "unpair", id, "--api", &address, "--json"]);
    assert_eq!(code, 0);
    let spent = refused(&asking(&address, &device.path, &right));
    assert!(spent.contains("DEV-23"), "{spent}");
    assert_eq!(device.keys_sent(), 1);
    assert!(node.terminate().success());
    bench.is_clean();
}

/// Asks beside the test, for a program whose node is about to be killed.
fn ask_aside(address: &str, device: &Played, code_file: &Path) -> JoinHandle<()> {
    let arguments = asking(address, &device.path, code_file);
    thread::spawn(move || drop(fogward(arguments)))
}

#[test]
fn a_kill_after_the_key_was_sent_costs_nothing() {
    for is_stored in [false, true] {
        let (bench, device) = (Bench::new(), Played::new());
        let code = bench.file(CODE);
        device.set(|flash| (flash.is_full, flash.mutes_with_key) = (!is_stored, is_stored));
        let (node, address) = bench.start();
        let asked = ask_aside(&address, &device, &code);
        wait_for("the key", || (device.keys_sent() == 1).then_some(()));
        node.kill();
        asked.join().unwrap();
        device.set(|flash| (flash.is_full, flash.is_mute) = (false, false));

        let (node, address) = bench.start();
        assert!(devices(&address).is_empty(), "paired without a proof");
        let (code, paired) = json(asking(&address, &device.path, &code));
        assert_eq!(code, 0, "{paired}");
        streams(&address);
        assert_eq!(device.keys_sent(), 1, "one code, one key");
        assert!(node.terminate().success());
        bench.is_clean();
    }
}

#[test]
fn kills_at_any_moment_leave_one_device_with_one_key() {
    let (bench, device) = (Bench::new(), Played::new());
    let code = bench.file(CODE);
    let mut random = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
    let seed = random;
    // The device takes nothing at first, so that every kill falls into the exchange.
    device.set(|flash| flash.is_full = true);
    for round in 0..12 {
        let (node, address) = bench.start();
        if round == 6 {
            device.set(|flash| flash.is_full = false);
        }
        if !devices(&address).is_empty() {
            break;
        }
        let asked = ask_aside(&address, &device, &code);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        thread::sleep(Duration::from_millis(random % 150));
        node.kill();
        asked.join().unwrap();
    }
    let (node, address) = bench.start();
    if devices(&address).is_empty() {
        let (code, paired) = json(asking(&address, &device.path, &code));
        assert_eq!(code, 0, "seed {seed}: {paired}");
    }
    streams(&address);
    assert_eq!(device.keys_sent(), 1, "seed {seed}: a code had two keys");
    assert!(node.terminate().success());
    bench.is_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_are_told_how_far_it_is() {
    let (served, device) = (Served::with_demo(0).await, Played::new());
    let checked = value!({ "code": CODE.to_lowercase().replace('-', " ") }).to_string();
    let checked = served.send("POST", "/api/codes/check", checked).await;
    assert_eq!(checked.status(), StatusCode::OK);
    let mut events = served.node.events();
    let asked = value!({ "profile": "fogward-level0", "path": device.path, "code": CODE });
    let both = value!({
        "profile": "fogward-level0", "path": device.path, "code": CODE, "key": "00".repeat(32)
    });
    let refused = served.send("POST", "/api/devices", both.to_string()).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let paired = served.send("POST", "/api/devices", asked.to_string()).await;
    assert_eq!(paired.status(), StatusCode::OK);
    let mut stages = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let Event::Provisioning(told) = &*event {
            assert_eq!(told.path, device.path);
            stages.push(told.stage);
        }
    }
    use ProvisioningStage::{Answered, Listening, Proven};
    assert_eq!(stages, [Listening, Answered, Proven]);
    served.end().await;
}
