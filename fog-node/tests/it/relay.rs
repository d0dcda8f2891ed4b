//! Goal: a device hears another one through the node as soon as it may, and not a reading longer; a burst costs
//! nobody else anything and each reading of it is relayed or counted. Method: a real node, two authenticated
//! sensors on pseudo terminals, the command line; each reading's value is its own number. How long a reading
//! takes from one line to the other is measured with the clock of the test, which plays both sensors.

use std::time::{Duration, Instant};

use fogward_level0::{
    Chunk, DeviceClass, DeviceId, FrameReader, Hello, HostMessage, MAX_READINGS, MAX_WIRE,
    Outgoing, PairingKey, Reading, Relayed, Sensor, metric, quality,
};
use serde_json::{Value, json as value};

use crate::program::{Running, ask, json, wait_for};
use crate::pty::Line;

/// Time in which whatever is relayed has long arrived.
const LONG: Duration = Duration::from_millis(400);
/// Time in which it must have arrived on any machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// A sensor that numbers its readings, on its line.
pub(crate) struct Numbered {
    pub(crate) line: Line,
    sensor: Sensor,
    reader: FrameReader,
    sent: i32,
}

impl Numbered {
    pub(crate) fn new(number: u8) -> Self {
        let key = PairingKey::from_bytes([number; 32]);
        Self {
            line: Line::new(),
            sensor: Sensor::new(DeviceId([number; 8]), key, 1),
            reader: FrameReader::default(),
            sent: 0,
        }
    }

    pub(crate) fn say_hello(&mut self) {
        self.seal(&Outgoing::Hello(Hello {
            firmware: [1, 0, 0],
            class: DeviceClass::Lightweight,
            readings_per_1000_s: 1_000,
            is_listening: true,
        }));
    }

    fn seal(&mut self, message: &Outgoing<'_>) {
        let mut wire = [0; MAX_WIRE];
        let length = self.sensor.seal(message, &mut wire).unwrap();
        self.line.send(&wire[..length]);
    }

    /// Sends the next readings in one frame.
    pub(crate) fn send(&mut self, count: usize) {
        let readings: Vec<_> = (self.sent..).take(count).map(numbered).collect();
        self.sent += i32::try_from(count).unwrap();
        self.seal(&Outgoing::Readings {
            time_millis: Some(1_770_000_000_000),
            readings: &readings,
        });
    }

    /// What is relayed to it within a time, until there are `count`.
    fn hear(&mut self, count: usize, within: Duration) -> Vec<Relayed> {
        let since = Instant::now();
        let mut heard = Vec::new();
        while heard.len() < count && since.elapsed() < within {
            let bytes = self.line.heard();
            if bytes.is_empty() {
                std::thread::sleep(Duration::from_micros(100));
            }
            for byte in bytes {
                if let Some(Chunk::Frame(frame)) = self.reader.push(byte)
                    && let Ok(HostMessage::Relay(relayed)) = self.sensor.open(frame)
                {
                    heard.push(relayed);
                }
            }
        }
        heard
    }

    pub(crate) fn hears(&mut self, numbers: std::ops::Range<i32>) -> Vec<Relayed> {
        let heard = self.hear(numbers.len(), PATIENCE);
        assert_eq!(mantissas(&heard), numbers.collect::<Vec<i32>>());
        heard
    }

    pub(crate) fn hears_nothing(&mut self) {
        assert_eq!(self.hear(1, LONG), []);
    }
}

fn numbered(mantissa: i32) -> Reading {
    Reading {
        metric: metric::HEART_RATE,
        quality: quality::GOOD,
        mantissa,
        exponent: -1,
    }
}

fn mantissas(heard: &[Relayed]) -> Vec<i32> {
    heard.iter().map(|heard| heard.reading.mantissa).collect()
}

/// A node with two sensors: who hears, and who is heard; with their ids and the handle of the second. There is
/// a simulated device, too.
struct Ward {
    asker: Numbered,
    source: Numbered,
    ids: [String; 2],
    handle: String,
    api: String,
    node: Running,
    folder: tempfile::TempDir,
}

impl Ward {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [mut asker, mut source] = [3, 4].map(Numbered::new);
        let mut arguments = vec!["--demo=1".to_owned()];
        for (sensor, number) in [(&asker, 3), (&source, 4)] {
            let key = folder.path().join(number.to_string());
            std::fs::write(&key, hex::encode([number; 32])).unwrap();
            let path = &sensor.line.path;
            arguments.push(format!("--serial={path}=fogward-level0"));
            arguments.push(format!("--serial-key={path}={}", key.display()));
        }
        let node = Running::start(&folder.path().join("node"), &arguments);
        let api = node.address();
        let [first, second] = [&mut asker, &mut source].map(|sensor| {
            wait_for("a registered device that streams", || {
                sensor.say_hello();
                let devices = ask(&["device", "list", "--api", &api]);
                let mut rows = devices.as_array()?.iter();
                let row = rows.find(|row| {
                    row["path"] == sensor.line.path.as_str()
                        && row["state"] == "streaming"
                        && row["registered_height"].is_u64()
                });
                row.cloned()
            })
        });
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            asker,
            source,
            ids: [text(&first["id"]), text(&second["id"])],
            handle: text(&second["handle"]),
            api,
            node,
            folder,
        }
    }

    fn tell(&self, command: &str, arguments: &[&str]) -> Value {
        let all = [&["device", command], arguments, &["--api", &self.api]].concat();
        ask(&all)
    }

    /// Lets the one hear the other for a time; the interaction's id.
    fn ask(&self, seconds: &str) -> String {
        let [asker, source] = &self.ids;
        let asked = self.tell("ask", &[asker, source, "--for", seconds]);
        assert_eq!(asked["state"], "granted");
        assert_eq!(asked["relay"]["state"], "open", "{asked}");
        asked["id"].as_str().unwrap().to_owned()
    }

    fn relay(&self, id: &str) -> Value {
        let rows = self.tell("interactions", &[]);
        let mut rows = rows.as_array().unwrap().iter();
        rows.find(|row| row["id"] == id).unwrap()["relay"].clone()
    }

    /// Stops the node and checks what it has left.
    fn close(self) {
        assert!(self.node.terminate().success());
        let data = self.folder.path().join("node");
        let (code, report) = json(["fsck", "--data", data.to_str().unwrap(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}

fn counted(state: &str, relayed: u64, dropped: u64) -> Value {
    value!({"state": state, "relayed": relayed, "dropped": dropped, "unsuited": 0})
}

#[test]
fn a_device_hears_another_while_it_may_and_not_a_reading_longer() {
    let mut ward = Ward::open();
    ward.source.send(2);
    ward.asker.hears_nothing();

    let id = ward.ask("600");
    ward.source.send(3);
    let heard = ward.asker.hears(2..5);
    for (heard, number) in heard.iter().zip(2..) {
        let expected = Relayed {
            source: hex::decode(&ward.handle[..8]).unwrap().try_into().unwrap(),
            is_simulated: false,
            time_millis: Some(1_770_000_000_000),
            reading: numbered(number),
        };
        assert_eq!(*heard, expected);
    }
    ward.asker.send(1);
    assert_eq!(ward.source.hear(1, LONG), [], "one direction");

    // Either device out of service, and back.
    for (device, numbers) in [(0, 6..7), (1, 8..9)] {
        let device = ward.ids[device].clone();
        ward.tell("suspend", &[&device]);
        ward.source.send(1);
        ward.asker.hears_nothing();
        assert_eq!(ward.relay(&id)["state"], "closed");
        ward.tell("resume", &[&device]);
        ward.source.send(1);
        ward.asker.hears(numbers);
    }
    assert_eq!(ward.relay(&id), counted("open", 5, 0));

    ward.tell("deny", &[&id]);
    ward.source.send(1);
    ward.asker.hears_nothing();
    assert_eq!(ward.relay(&id), counted("closed", 5, 0));

    // Over by the clock, while the ledger rests.
    assert_eq!(ward.ask("3"), id);
    ward.source.send(1);
    ward.asker.hears(10..11);
    std::thread::sleep(Duration::from_secs(3));
    ward.source.send(1);
    ward.asker.hears_nothing();
    assert_eq!(ward.relay(&id), counted("closed", 1, 0));

    // The record has all that counted: all but the one sent while the source was suspended.
    wait_for("the readings", || {
        let source = ward.tell("show", &[&ward.ids[1]]);
        (source["gap"]["received"] == 11).then_some(())
    });
    ward.close();
}

#[test]
fn a_burst_is_relayed_or_counted_and_what_cannot_hear_says_so() {
    let mut ward = Ward::open();
    let id = ward.ask("600");
    let mut heard = Vec::new();
    for _ in 0..40 {
        ward.source.send(MAX_READINGS);
        heard.extend(ward.asker.hear(usize::MAX, Duration::from_millis(2)));
    }
    let sent = u64::try_from(ward.source.sent).unwrap();
    let relay = wait_for("the burst's end", || {
        heard.extend(ward.asker.hear(usize::MAX, Duration::from_millis(50)));
        let relay = ward.relay(&id);
        let done = relay["relayed"].as_u64()? + relay["dropped"].as_u64()?;
        assert!(done <= sent, "{relay}");
        (done == sent).then_some(relay)
    });
    heard.extend(ward.asker.hear(usize::MAX, LONG));
    assert_eq!(relay["relayed"], heard.len());
    assert!(mantissas(&heard).is_sorted_by(|one, next| one < next));
    wait_for("the record of the burst", || {
        let source = ward.tell("show", &[&ward.ids[1]]);
        (source["gap"]["received"] == sent).then_some(())
    });

    // A simulated device has no ears.
    let [_, source] = ward.ids.clone();
    let simulated = wait_for("the simulated device's registration", || {
        let devices = ward.tell("list", &[]);
        let mut rows = devices.as_array()?.iter();
        let row = rows.find(|row| row["simulated"] == true && row["registered_height"].is_u64());
        Some(row?["id"].as_str()?.to_owned())
    });
    let asked = ward.tell("ask", &[&simulated, &source]);
    ward.source.send(1);
    ward.asker.hear(1, PATIENCE);
    let id = asked["id"].as_str().unwrap();
    assert_eq!(ward.relay(id), counted("cannot_hear", 0, 0));
    ward.close();
}

#[expect(clippy::print_stdout, reason = "the measured time is for a person")]
#[test]
fn a_reading_is_relayed_before_it_is_durable() {
    let mut ward = Ward::open();
    ward.ask("600");
    let mut millis = Vec::new();
    for number in 0..500 {
        let since = Instant::now();
        ward.source.send(1);
        ward.asker.hears(number..number + 1);
        millis.push(since.elapsed().as_secs_f64() * 1e3);
        ward.source.line.heard();
    }
    millis.sort_by(f64::total_cmp);
    let [median, p99] = [250, 495].map(|rank| millis[rank]);
    println!("line to line, 500 readings: median {median:.2} ms, p99 {p99:.2} ms");
    // The vault commits after up to 100 ms: what waited for it would be as late.
    assert!(median < 50.0, "{median} ms");
    ward.close();
}
