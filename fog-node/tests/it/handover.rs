//! Goal: a sensor goes from one hospital's node to another's and back: registered once, its stream goes on,
//! each reading it sent is received once or named as missing; whose it is goes with it within a hospital and to no
//! other. Method: two real
//! nodes on one ledger and an authenticated sensor that moves between two pseudo terminals; each reading's
//! value is its own number.

use std::collections::BTreeSet;
use std::time::Duration;

use fogward_level0::{
    Chunk, DeviceId, FrameReader, HostMessage, MAX_WIRE, Outgoing, PairingKey, Reading, Sensor,
    metric, quality,
};
use serde_json::{Value, json as value};

use crate::consortium::{Place, create, invite};
use crate::program::{Running, ask, fogward, json, text, wait_for};
use crate::pty::Line;

pub(crate) const KEY: [u8; 32] = [0x5a; 32];
/// When both clocks were first seen, what the device's showed, and when last.
const CLOCK: &str = "1770000000000, 1769996400000, 1770000600000";

/// A sensor that numbers its readings, and remembers its frames.
pub(crate) struct Numbered {
    sensor: Sensor,
    frames: Vec<Vec<u8>>,
}

impl Numbered {
    pub(crate) fn new() -> Self {
        let key = PairingKey::from_bytes(KEY);
        Self {
            sensor: Sensor::new(DeviceId([7; 8]), key, 1),
            frames: Vec::new(),
        }
    }

    /// Sends the next readings, one in a frame.
    pub(crate) fn send(&mut self, line: &mut Line, count: usize) {
        for _ in 0..count {
            let reading = Reading {
                metric: metric::HEART_RATE,
                quality: quality::GOOD,
                mantissa: self.frames.len() as i32,
                exponent: 0,
            };
            let message = Outgoing::Readings {
                time_millis: None,
                readings: &[reading],
            };
            let mut wire = [0; MAX_WIRE];
            let length = self.sensor.seal(&message, &mut wire).unwrap();
            self.frames.push(wire[..length].to_vec());
            line.send(&wire[..length]);
            std::thread::sleep(Duration::from_millis(4));
        }
    }

    fn replay(&self, line: &mut Line, number: usize) {
        line.send(&self.frames[number]);
    }
}

fn device(api: &str, id: &str) -> Value {
    ask(&["device", "show", id, "--api", api])
}

fn devices(api: &str) -> usize {
    ask(&["device", "list", "--api", api])
        .as_array()
        .unwrap()
        .len()
}

pub(crate) fn received(api: &str, id: &str, count: u64) -> Value {
    wait_for("readings", || {
        let device = device(api, id);
        let received = device["gap"]["received"].as_u64()?;
        assert!(received <= count, "{received} of {count}");
        (received == count).then_some(device)
    })
}

fn replays(device: &Value) -> u64 {
    let mut reasons = device["rejected_reasons"].as_array().unwrap().iter();
    let found = reasons.find(|row| row["reason"] == "replayed");
    found.map_or(0, |row| row["count"].as_u64().unwrap())
}

/// The values of all stored readings of a device, each once.
pub(crate) fn values(api: &str, id: &str) -> BTreeSet<i64> {
    let rows = ask(&["readings", "--api", api, "--device", id, "--limit", "10000"]);
    let rows = rows.as_array().unwrap();
    let values: BTreeSet<i64> = rows
        .iter()
        .map(|row| row["value"].as_f64().unwrap() as i64)
        .collect();
    assert_eq!(values.len(), rows.len(), "nothing twice");
    values
}

fn take(api: &str, handle: &str, line: &Line) -> Value {
    wait_for("the device on its way", || {
        let incoming = ask(&["device", "incoming", "--api", api]);
        let mut rows = incoming.as_array()?.iter();
        rows.any(|row| row["handle"] == handle).then_some(())
    });
    ask(&["device", "take", handle, "--path", &line.path, "--api", api])
}

fn two_hospitals(folder: &std::path::Path, line: &Line) -> [(Place, Running, String); 2] {
    let [harbour, clinic] = [61, 62].map(|number| Place::new(folder, number));
    create(&harbour);
    let key = folder.join("key");
    std::fs::write(&key, hex::encode(KEY)).unwrap();
    let (host, one) = harbour.start_with(&[
        format!("--serial={}=fogward-level0", line.path),
        format!("--serial-key={}={}", line.path, key.display()),
    ]);
    clinic.join(&invite(&one, &[]), "Clinic", "clinic-1");
    let (other, two) = clinic.start();
    [(harbour, host, one), (clinic, other, two)]
}

#[test]
fn a_sensor_moves_to_another_hospital_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let (mut here, mut there) = (Line::new(), Line::new());
    let [harbour, clinic] = two_hospitals(folder.path(), &here);
    let (one, two) = (harbour.2.as_str(), clinic.2.as_str());
    let paired = wait_for("the registration", || {
        let devices = ask(&["device", "list", "--api", one]);
        let first = devices[0].clone();
        first["registered_height"].is_u64().then_some(first)
    });
    let id = paired["id"].as_str().unwrap();
    let handle = paired["handle"].as_str().unwrap();
    let mut sensor = Numbered::new();
    sensor.send(&mut here, 100);
    received(one, id, 100);
    hears_of_finality(&mut here, &mut sensor);
    ask(&["patient", "add", "Zacharias Quint", "--api", one]);
    ask(&["patient", "assign", "Zacharias Quint", id, "--api", one]);
    let noted = format!("INSERT INTO clocks SELECT id, 1, {CLOCK} FROM devices");
    let noted = vault(&harbour.0).execute(&noted, []);
    assert_eq!(noted.unwrap(), 1);

    let refused = fogward(["device", "take", handle, "--api", two]);
    assert!(
        text(&refused.stderr).contains("(HAND-01)"),
        "nobody just takes it"
    );
    let handed = ask(&["device", "handover", id, "--to", "clinic-1", "--api", one]);
    assert_eq!(handed["standing"], "handed_over");
    here.until_left();
    sensor.send(&mut here, 10);
    let taken = take(two, handle, &there);
    assert_eq!(taken["handle"], handle);
    assert_eq!(taken["assigned_to"], Value::Null, "not her patient there");
    assert_eq!(ask(&["patient", "list", "--api", two])["all"], 0);
    let clock = "SELECT format('%d, %d, %d', host_time, device_time, until) FROM clocks";
    let clock: String = vault(&clinic.0)
        .query_row(clock, [], |row| row.get(0))
        .unwrap();
    assert_eq!(clock, CLOCK, "how its clock is set goes with it");
    assert_eq!(devices(one), 0, "its key is destroyed there");
    assert_eq!(take_again(two, handle), taken["id"], "taken once");
    for number in [5, 99] {
        sensor.replay(&mut there, number);
    }
    sensor.send(&mut there, 90);
    let at_clinic = taken["id"].as_str().unwrap();
    let moved = received(two, at_clinic, 90);
    assert_eq!(replays(&moved), 2, "{moved}");
    assert_eq!(moved["gap"]["expected"], 100, "ten are named as missing");
    assert_eq!(values(one, id), (0..100).collect());
    assert_eq!(values(two, at_clinic), (110..200).collect());
    let registry = ask(&["device", "registry", "--api", one]);
    let rows = registry.as_array().unwrap();
    assert_eq!(rows.len(), 1, "registered once");
    assert_eq!(
        (&rows[0]["node"], &rows[0]["assigned"]),
        (&value!("clinic-1"), &value!(true))
    );

    // Back again: the same device as before, with its streams.
    ask(&[
        "device",
        "handover",
        at_clinic,
        "--to",
        "harbour-1",
        "--api",
        two,
    ]);
    let back = take(one, handle, &here);
    assert_eq!(back["id"], id);
    sensor.replay(&mut here, 150);
    sensor.send(&mut here, 50);
    let returned = received(one, id, 150);
    // The ten that nobody heard waited in the line; what is named as missing stays so.
    assert_eq!(replays(&returned), 11);
    let stored = (0..100).chain(200..250).collect();
    assert_eq!(values(one, id), stored);

    let [(first, host, _), (second, other, _)] = [harbour, clinic];
    assert!(host.terminate().success());
    an_old_pairing_is_not_read_under(&first, id, &mut here, &mut sensor);
    assert!(other.terminate().success());
    for place in [first, second] {
        let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}

/// Within a hospital the patient goes with her sensor: the other node knows her, by her newest name and the same
/// handles, and what it hears of the sensor is hers without a gap.
#[test]
fn a_sensor_moves_within_a_hospital_and_stays_its_patients() {
    let folder = tempfile::tempdir().unwrap();
    let (mut here, mut there) = (Line::new(), Line::new());
    let [first, second] = [63, 64].map(|number| Place::new(folder.path(), number));
    create(&first);
    let key = folder.path().join("key");
    std::fs::write(&key, hex::encode(KEY)).unwrap();
    let (host, one) = first.start_with(&[
        format!("--serial={}=fogward-level0", here.path),
        format!("--serial-key={}={}", here.path, key.display()),
    ]);
    let invitation = invite(&one, &["--same-organisation"]);
    second.join(&invitation, "Harbour General", "ward-b");
    let (other, two) = second.start();
    let paired = wait_for("the registration", || {
        let devices = ask(&["device", "list", "--api", &one]);
        let first = devices[0].clone();
        first["registered_height"].is_u64().then_some(first)
    });
    let [id, handle] = ["id", "handle"].map(|field| paired[field].as_str().unwrap());
    let mut sensor = Numbered::new();
    sensor.send(&mut here, 20);
    received(&one, id, 20);
    let show = |api: &str| ask(&["patient", "show", "P-4417", "--api", api]);
    ask(&[
        "patient",
        "add",
        "Zacharias",
        "--number",
        "P-4417",
        "--api",
        &one,
    ]);
    ask(&["patient", "assign", "P-4417", id, "--api", &one]);
    sensor.send(&mut here, 30);
    received(&one, id, 50);
    let rows = |api: &str| {
        let rows = ask(&[
            "patient", "readings", "P-4417", "--limit", "1000", "--api", api,
        ]);
        rows.as_array().unwrap().len()
    };
    assert_eq!(rows(&one), 30, "hers since she wears it");

    ask(&["device", "handover", id, "--to", "ward-b", "--api", &one]);
    let taken = take(&two, handle, &there);
    let (left, came) = (show(&one), show(&two));
    assert_eq!(taken["assigned_to"], left["patient"]["id"]);
    assert_eq!(came["patient"]["name"], "Zacharias");
    assert_eq!(came["handles"], left["handles"]);
    assert_eq!(came["worn"][0]["since"], left["worn"][0]["since"]);
    assert_eq!(left["patient"]["devices"], value!([]));
    sensor.send(&mut there, 40);
    received(&two, taken["id"].as_str().unwrap(), 40);
    assert_eq!((rows(&one), rows(&two)), (30, 40));

    // Back under another name: the later one holds, and her first time with it goes on.
    ask(&[
        "patient",
        "change",
        "P-4417",
        "--name",
        "Zacharias Q.",
        "--api",
        &two,
    ]);
    let back = taken["id"].as_str().unwrap();
    ask(&[
        "device",
        "handover",
        back,
        "--to",
        "harbour-1",
        "--api",
        &two,
    ]);
    take(&one, handle, &here);
    let returned = show(&one);
    assert_eq!(returned["patient"]["name"], "Zacharias Q.");
    assert_eq!(returned["worn"].as_array().unwrap().len(), 1);
    assert_eq!(returned["worn"][0]["until"], Value::Null);
    for (node, place) in [(host, first), (other, second)] {
        assert!(node.terminate().success());
        let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}

fn vault(place: &Place) -> rusqlite::Connection {
    rusqlite::Connection::open(place.data.join("vault.db")).unwrap()
}

/// A node whose pairing is of an earlier hand-over, since nobody told it that the device was taken: what is
/// durable at the other node would count twice.
fn an_old_pairing_is_not_read_under(
    place: &Place,
    id: &str,
    line: &mut Line,
    sensor: &mut Numbered,
) {
    let vault = vault(place);
    let set = |handovers: u32| {
        let changed = vault.execute("UPDATE devices SET handovers = ?1", [handovers]);
        assert_eq!(changed.unwrap(), 1);
    };
    set(0);
    let (node, api) = place.start();
    let before = device(&api, id);
    assert_eq!(before["standing"], "handed_over");
    sensor.send(line, 10);
    assert_eq!(device(&api, id)["gap"], before["gap"]);
    let incoming = ask(&["device", "incoming", "--api", &api]);
    assert_eq!(incoming.as_array().unwrap().len(), 1, "it can be taken");
    assert!(node.terminate().success());
    set(2);
}

/// A device that listens is told up to which of its readings all are final, so that it may forget them.
fn hears_of_finality(line: &mut Line, sensor: &mut Numbered) {
    let mut reader = FrameReader::default();
    let newest = sensor.sensor.next_counter() - 1;
    wait_for("finality, told to the sensor", || {
        let heard = line.heard();
        heard.into_iter().find_map(|byte| {
            let Some(Chunk::Frame(frame)) = reader.push(byte) else {
                return None;
            };
            match sensor.sensor.open(frame) {
                Ok(HostMessage::Final { upto }) if upto == newest => Some(()),
                _ => None,
            }
        })
    });
}

/// A device that is here already is given as it is.
fn take_again(api: &str, handle: &str) -> Value {
    ask(&["device", "take", handle, "--api", api])["id"].clone()
}
