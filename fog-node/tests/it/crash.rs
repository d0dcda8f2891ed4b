//! Goal: `kill -9` at any moment loses no durable reading, anchors none twice, and leaves no hole that
//! the gap ledger does not name.
//!
//! Method: two sensors send without a pause while the real program is killed 60 times at random moments,
//! some of them while it starts. One sensor is of level 0; each of its readings carries its own number as
//! its value, so that what is stored tells which readings are there. Afterwards all must be final, and
//! `fsck` clean.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use device_drivers::codec::nonin_oem3::{PacketContent, encode_packet};
use fogward_level0::{
    Chunk, DeviceId, FrameReader, HostMessage, MAX_WIRE, Outgoing, PairingKey, Reading, Sensor,
    metric, quality,
};
use serde_json::Value;

use crate::program::{Running, json, wait_for};
use crate::pty::Line;

const KILLS: u32 = 60;
const KEY: [u8; 32] = [0x5a; 32];
/// LOINC codes of the metrics the numbered sensor sends, in turn.
const METRICS: [(u8, &str); 3] = [
    (metric::PERFUSION_INDEX, "61006-3"),
    (metric::RESPIRATION_RATE, "9279-1"),
    (metric::HEART_RATE, "8867-4"),
];

#[test]
fn sixty_kills_lose_nothing_durable_and_anchor_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let key_file = folder.path().join("key");
    std::fs::write(&key_file, hex::encode(KEY)).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let (numbered, nonin) = (Line::new(), Line::new());
    let arguments: Vec<String> = [
        format!("--serial={}=fogward-level0", numbered.path),
        format!("--serial-key={}={}", numbered.path, key_file.display()),
        format!("--serial={}=nonin-oem3", nonin.path),
        "--batch-age-ms=100".into(),
        "--batch-readings=64".into(),
    ]
    .into();
    let sensors = [
        thread::spawn({
            let (stop, acknowledged) = (Arc::clone(&stop), Arc::clone(&acknowledged));
            move || send_numbers(numbered, &stop, &acknowledged)
        }),
        thread::spawn({
            let stop = Arc::clone(&stop);
            move || send_packets(nonin, &stop)
        }),
    ];

    let seed = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
    let mut random = Random(seed);
    for round in 0..KILLS {
        let node = Running::start(&data, &arguments);
        if round.is_multiple_of(3) {
            random.sleep_up_to(900);
        } else {
            node.ready();
            random.sleep_up_to(1_000);
        }
        node.kill();
    }
    let node = Running::start(&data, &arguments);
    let address = node.address();
    // Some readings after the last kill, then silence, so that everything can become final.
    thread::sleep(Duration::from_millis(500));
    stop.store(true, Ordering::Relaxed);
    let sent_and_open = sensors.map(|sensor| sensor.join().unwrap());
    let mut settled = Settled::default();
    let device = wait_for("finality of every reading", || {
        settled.look(all_final(&address))
    });
    check_numbers(&address, &device, &acknowledged.lock().unwrap(), seed);
    check_blocks(&address);
    drop(sent_and_open);
    assert!(node.terminate().success());

    let data = data.to_str().unwrap();
    let (code, report) = json(["fsck", "--data", data, "--json"]);
    assert_eq!(
        (code, &report["clean"]),
        (0, &Value::Bool(true)),
        "seed {seed}: {report}"
    );
    assert_eq!(report["vault"]["waiting_readings"], 0);
    assert_eq!(report["vault"]["pending_transactions"], 0);
}

/// Tells apart "all final" from "all final for now": the last bytes may still be on their way.
#[derive(Default)]
struct Settled {
    received: u64,
    since: Option<Instant>,
}

impl Settled {
    /// The numbered sensor's device, once nothing has arrived for two seconds.
    fn look(&mut self, all_final: Option<(u64, Value)>) -> Option<Value> {
        let Some((received, device)) = all_final else {
            self.since = None;
            return None;
        };
        if self.since.is_none() || self.received != received {
            (self.received, self.since) = (received, Some(Instant::now()));
        }
        (self.since?.elapsed() > Duration::from_secs(2)).then_some(device)
    }
}

/// How many readings came and the numbered sensor's device, if all of both sensors' readings are final.
fn all_final(address: &str) -> Option<(u64, Value)> {
    let (_, devices) = json(["devices", "--api", address, "--json"]);
    let devices = devices.as_array().unwrap();
    assert_eq!(devices.len(), 2, "a restart pairs nothing anew");
    let is_final = |device: &Value| {
        let gap = &device["gap"];
        gap["received"].as_u64().unwrap() > 0 && gap["received"] == gap["final"]
    };
    let is_numbered = |device: &&Value| device["profile"] == "fogward-level0";
    let received = |device: &Value| device["gap"]["received"].as_u64().unwrap();
    devices.iter().all(is_final).then(|| {
        (
            devices.iter().map(received).sum(),
            devices.iter().find(is_numbered).unwrap().clone(),
        )
    })
}

/// What is stored of the numbered sensor, against its own numbers.
fn check_numbers(address: &str, device: &Value, acknowledged: &BTreeSet<u64>, seed: u64) {
    let mut numbers = BTreeSet::new();
    let mut stored = 0;
    for (_, code) in METRICS {
        let id = device["id"].as_str().unwrap();
        let limit = ["--limit", "10000", "--json"];
        let question = [
            "readings", "--api", address, "--device", id, "--metric", code,
        ];
        let (_, readings) = json(question.into_iter().chain(limit));
        let mut sequences = BTreeSet::new();
        for reading in readings.as_array().unwrap() {
            assert_eq!(reading["final"], true, "{reading}");
            let (_, sequence) = reading["id"].as_str().unwrap().split_once('.').unwrap();
            assert!(
                sequences.insert(sequence.parse::<u64>().unwrap()),
                "two of one name: {reading}"
            );
            numbers.insert(reading["value"].as_f64().unwrap() as u64);
            stored += 1;
        }
        let expected: BTreeSet<u64> = (0..sequences.len() as u64).collect();
        assert_eq!(
            sequences, expected,
            "seed {seed}: a stream's sequence has a hole"
        );
    }
    assert!(stored > 1_000, "only {stored} readings came through");
    assert_eq!(
        numbers.len(),
        stored,
        "seed {seed}: a reading is stored twice"
    );
    assert!(
        acknowledged.len() > 100,
        "only {} acknowledgements",
        acknowledged.len()
    );
    let lost: Vec<_> = acknowledged.difference(&numbers).collect();
    assert!(
        lost.is_empty(),
        "seed {seed}: acknowledged and not stored: {lost:?}"
    );

    let (first, last) = (numbers.first().unwrap(), numbers.last().unwrap());
    let holes = last - first + 1 - stored as u64;
    let gap = &device["gap"];
    assert_eq!(gap["received"], stored as u64, "{gap}");
    let named = gap["expected"].as_u64().unwrap() - gap["received"].as_u64().unwrap();
    assert!(
        holes > 0,
        "the kills cost nothing, so the gap ledger was not put to the test"
    );
    assert_eq!(
        named, holes,
        "seed {seed}: the gap ledger names {named} of {holes} lost readings"
    );
}

/// What the chain says it anchors is what both devices received: nothing twice, nothing missing.
fn check_blocks(address: &str) {
    let (_, status) = json(["status", "--api", address, "--json"]);
    let (mut anchored, mut from) = (0, status["height"].as_u64());
    while let Some(height) = from {
        let height = height.to_string();
        let question = [
            "blocks", "--api", address, "--from", &height, "--limit", "1000", "--json",
        ];
        let (_, blocks) = json(question);
        let blocks = blocks.as_array().unwrap();
        anchored += blocks
            .iter()
            .map(|block| block["readings"].as_u64().unwrap())
            .sum::<u64>();
        from = blocks.last().unwrap()["height"]
            .as_u64()
            .unwrap()
            .checked_sub(1);
    }
    assert_eq!(status["gap"]["received"], anchored);
}

/// Plays a level-0 sensor; notes what the node acknowledges. When told to stop it listens until its last
/// reading is acknowledged, and keeps the line open.
fn send_numbers(mut line: Line, stop: &AtomicBool, acknowledged: &Mutex<BTreeSet<u64>>) -> Line {
    let mut sensor = Sensor::new(DeviceId([7; 8]), PairingKey::from_bytes(KEY), 0);
    let mut reader = FrameReader::default();
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let first = sensor.next_counter();
        let readings = METRICS.map(|(metric, _)| metric).into_iter().zip(first..);
        let readings: Vec<_> = readings
            .map(|(metric, number)| Reading {
                metric,
                quality: quality::GOOD,
                mantissa: i32::try_from(number).unwrap(),
                exponent: 0,
            })
            .collect();
        let mut wire = [0; MAX_WIRE];
        let message = Outgoing::Readings {
            time_millis: None,
            readings: &readings,
        };
        let length = sensor.seal(&message, &mut wire).unwrap();
        line.send(&wire[..length]);
        listen(&mut line, &mut reader, &mut sensor, acknowledged);
        due += Duration::from_millis(20);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let last = sensor.next_counter() - 1;
    wait_for("acknowledgement of the last reading", || {
        listen(&mut line, &mut reader, &mut sensor, acknowledged);
        acknowledged.lock().unwrap().contains(&last).then_some(())
    });
    line
}

/// Notes the acknowledgements that have arrived since.
fn listen(
    line: &mut Line,
    reader: &mut FrameReader,
    sensor: &mut Sensor,
    acknowledged: &Mutex<BTreeSet<u64>>,
) {
    for byte in line.heard() {
        let Some(Chunk::Frame(frame)) = reader.push(byte) else {
            continue;
        };
        if let Ok(HostMessage::Ack { durable }) = sensor.open(frame) {
            acknowledged.lock().unwrap().insert(durable);
        }
    }
}

/// Plays a Nonin OEM III: three packets a second.
fn send_packets(mut line: Line, stop: &AtomicBool) -> Line {
    let mut count = 0u8;
    while !stop.load(Ordering::Relaxed) {
        count = count.wrapping_add(1);
        line.send(&encode_packet(&PacketContent {
            pulse: Some(60 + u16::from(count % 40)),
            spo2: Some(90 + count % 10),
            status: 0,
            pleth: [count; 25],
        }));
        thread::sleep(Duration::from_millis(333));
    }
    line
}

/// xorshift64: moments need no better randomness.
struct Random(u64);

impl Random {
    fn sleep_up_to(&mut self, millis: u64) {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        thread::sleep(Duration::from_millis(self.0 % millis));
    }
}
