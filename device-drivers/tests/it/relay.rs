//! Goal: a level-0 device hears what others measure while it may, nothing else, and never to the cost of its
//! own readings; other devices hear nothing. Method: a test plays the firmware of the device that hears on a
//! pty; values by a table; queues filled before the device is heard, and a line that nobody reads.

use crate::pty::Sensor as Line;
use crate::{NOW, key};
use device_drivers::simulated::{SimulatedConfig, SimulatedKind};
use device_drivers::{
    Device, Event, Grant, Measurement, Metric, Profile, Quality, RelayCounts, SerialConfig,
    SourceConfig, Value,
};
use fogward_level0::{
    Chunk, DeviceClass, DeviceId, FrameReader, Hello, HostMessage, MAX_WIRE, Outgoing, Reading,
    Relayed, Sensor, metric, quality,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const SOURCE: [u8; 4] = [0xa1, 0xb2, 0xc3, 0xd4];
const SOON: Duration = Duration::from_secs(5);
const NEVER: i64 = i64::MAX;

/// A device that hears: its line, its firmware's end, the driver.
struct Asker {
    line: Line,
    sensor: Sensor,
    reader: FrameReader,
    device: Device,
}

impl Asker {
    fn open() -> Asker {
        let line = Line::plug_in();
        let mut config = SerialConfig::new(line.path(), Profile::FogwardLevel0);
        config.key = Some(key().into());
        Asker {
            line,
            sensor: Sensor::new(DeviceId([8; 8]), key(), 1),
            reader: FrameReader::default(),
            device: Device::open(SourceConfig::Serial(config)).unwrap(),
        }
    }

    fn say_hello(&mut self, is_listening: bool) {
        let hello = Hello {
            firmware: [1, 0, 0],
            class: DeviceClass::LowCost,
            readings_per_1000_s: 1_000,
            is_listening,
        };
        let mut wire = [0; MAX_WIRE];
        let length = self.sensor.seal(&Outgoing::Hello(hello), &mut wire);
        self.line.send(&wire[..length.unwrap()]);
    }

    /// What is relayed within a time, until there are `count`.
    async fn hear(&mut self, count: usize, within: Duration) -> Vec<Relayed> {
        let until = tokio::time::Instant::now() + within;
        let mut heard = Vec::new();
        while heard.len() < count && tokio::time::Instant::now() < until {
            let moment = Duration::from_millis(20);
            for byte in self.line.hear(moment, |bytes| !bytes.is_empty()).await {
                if let Some(Chunk::Frame(frame)) = self.reader.push(byte)
                    && let HostMessage::Relay(relayed) = self.sensor.open(frame).unwrap()
                {
                    heard.push(relayed);
                }
            }
        }
        heard
    }

    fn relay(&self, grant: &Arc<Grant>, measurement: &Measurement) {
        self.device.handle.relay().send(grant, measurement, NOW);
    }
}

fn open_grant() -> Arc<Grant> {
    let grant = Grant::new(SOURCE);
    grant.open_until(NEVER);
    Arc::new(grant)
}

fn measured(metric: Metric, mantissa: i64, exponent: i8) -> Measurement {
    let value = Value::Quantity { mantissa, exponent };
    Measurement::new(metric, Some(value), Quality::Good, NOW)
}

fn mantissas(heard: &[Relayed]) -> Vec<i32> {
    heard.iter().map(|heard| heard.reading.mantissa).collect()
}

fn counts(relayed: u64, dropped: u64, unsuited: u64) -> RelayCounts {
    RelayCounts {
        relayed,
        dropped,
        unsuited,
    }
}

#[tokio::test]
async fn values_arrive_as_they_were_measured() {
    let mut asker = Asker::open();
    asker.say_hello(true);
    let searching = Measurement::new(Metric::PulseRate, None, Quality::Searching, NOW);
    let timed = Measurement {
        device_time_millis: Some(NOW - 7),
        simulated: true,
        ..measured(Metric::BodyTemperature, -3_642, -2)
    };
    let wave = Value::Samples {
        period_micros: 10_000,
        samples: vec![Some(1); 100],
    };
    let table = [
        (
            measured(Metric::SpO2, 97, 0),
            Some((metric::SPO2, quality::GOOD, 97, 0)),
        ),
        (
            searching,
            Some((metric::PULSE_RATE, quality::SEARCHING, 0, 0)),
        ),
        (
            timed,
            Some((metric::BODY_TEMPERATURE, quality::GOOD, -3_642, -2)),
        ),
        (
            measured(Metric::HeartRate, i64::from(i32::MAX), 9),
            Some((metric::HEART_RATE, quality::GOOD, i32::MAX, 9)),
        ),
        (measured(Metric::HeartRate, 1 << 31, 0), None),
        (measured(Metric::HeartRate, 1, 10), None),
        (measured(Metric::BloodPressureMean, 90, 0), None),
        (
            Measurement::new(Metric::PlethWave, Some(wave), Quality::Good, NOW),
            None,
        ),
    ];
    let grant = open_grant();
    for (measurement, _) in &table {
        asker.relay(&grant, measurement);
    }
    let heard = asker.hear(4, SOON).await;
    let expected = table
        .iter()
        .filter_map(|row| row.1.map(|form| (&row.0, form)));
    let expected: Vec<_> = expected
        .map(
            |(measurement, (metric, quality, mantissa, exponent))| Relayed {
                source: SOURCE,
                is_simulated: measurement.simulated,
                time_millis: measurement.device_time_millis.map(|time| time as u64),
                reading: Reading {
                    metric,
                    quality,
                    mantissa,
                    exponent,
                },
            },
        )
        .collect();
    assert_eq!(heard, expected);
    assert_eq!(grant.counts(), counts(4, 0, 4));
}

#[tokio::test]
async fn a_full_queue_drops_the_oldest_and_counts_it() {
    let mut asker = Asker::open();
    let grant = open_grant();
    for number in 0..70 {
        asker.relay(&grant, &measured(Metric::SpO2, number, 0));
    }
    assert_eq!(grant.counts(), counts(0, 6, 0), "64 wait");
    asker.say_hello(true);
    let heard = asker.hear(64, SOON).await;
    assert_eq!(mantissas(&heard), (6..70).collect::<Vec<i32>>());
    assert_eq!(grant.counts(), counts(64, 6, 0));
}

#[tokio::test]
async fn a_grant_that_ends_stops_what_waits_too() {
    let mut asker = Asker::open();
    let (kept, ended) = (open_grant(), open_grant());
    let reading = measured(Metric::SpO2, 1, 0);
    for _ in 0..3 {
        asker.relay(&ended, &reading);
    }
    ended.close();
    asker.relay(&ended, &reading);
    asker.relay(&kept, &measured(Metric::SpO2, 2, 0));
    asker.say_hello(true);
    assert_eq!(mantissas(&asker.hear(1, SOON).await), [2]);
    assert_eq!(ended.counts(), counts(0, 3, 0));
    for (until, is_heard) in [(NOW, false), (NOW - 1, false), (NEVER, true)] {
        ended.open_until(until);
        assert_eq!(ended.holds(NOW), is_heard);
        asker.relay(&ended, &reading);
    }
    assert_eq!(mantissas(&asker.hear(1, SOON).await), [1]);
    assert_eq!(ended.counts(), counts(1, 3, 0));
}

#[tokio::test]
async fn what_waits_for_longer_than_a_second_is_not_told() {
    let mut asker = Asker::open();
    let grant = open_grant();
    asker.relay(&grant, &measured(Metric::SpO2, 1, 0));
    sleep(Duration::from_millis(1_100)).await;
    asker.relay(&grant, &measured(Metric::SpO2, 2, 0));
    asker.say_hello(true);
    assert_eq!(mantissas(&asker.hear(1, SOON).await), [2]);
    assert_eq!(grant.counts(), counts(1, 1, 0));
}

#[tokio::test]
async fn what_waits_when_the_device_is_stopped_is_counted() {
    let asker = Asker::open();
    let grant = open_grant();
    for _ in 0..2 {
        asker.relay(&grant, &measured(Metric::SpO2, 97, 0));
    }
    asker.device.handle.stop().await;
    assert_eq!(grant.counts(), counts(0, 2, 0));
}

#[tokio::test]
async fn a_line_that_nobody_reads_costs_the_device_no_reading() {
    let mut asker = Asker::open();
    asker.say_hello(true);
    asker.hear(1, Duration::from_millis(300)).await;
    let grant = open_grant();
    let mut sent = 0;
    while grant.counts().dropped == 0 && sent < 10_000 {
        for _ in 0..50 {
            asker.relay(&grant, &measured(Metric::SpO2, 97, 0));
            sent += 1;
        }
        sleep(Duration::from_millis(5)).await;
    }
    assert!(grant.counts().dropped > 0, "the line has no end");
    let reading = Reading {
        metric: metric::SPO2,
        quality: quality::GOOD,
        mantissa: 95,
        exponent: 0,
    };
    let message = Outgoing::Readings {
        time_millis: None,
        readings: &[reading],
    };
    let mut wire = [0; MAX_WIRE];
    let length = asker.sensor.seal(&message, &mut wire).unwrap();
    asker.line.send(&wire[..length]);
    loop {
        let event = timeout(SOON, asker.device.events.recv()).await.unwrap();
        if matches!(event.unwrap(), Event::Measurement(_)) {
            break;
        }
    }
}

#[tokio::test]
async fn what_cannot_hear_says_so_and_is_sent_nothing() {
    let line = Line::plug_in();
    let simulated = SimulatedConfig {
        seed: 1,
        kind: SimulatedKind::Thermometer,
    };
    let serial = Profile::ALL.map(|profile| {
        let mut config = SerialConfig::new(line.path(), profile);
        config.key = Some(key().into());
        SourceConfig::Serial(config)
    });
    let grant = open_grant();
    for config in [SourceConfig::Simulated(simulated)]
        .into_iter()
        .chain(serial)
    {
        let is_level0 = matches!(&config, SourceConfig::Serial(serial) if serial.profile == Profile::FogwardLevel0);
        let relay = Device::open(config).unwrap().handle.relay();
        assert_eq!(relay.is_hearing(), is_level0);
        if !is_level0 {
            relay.send(&grant, &measured(Metric::SpO2, 97, 0), NOW);
        }
    }
    assert_eq!(grant.counts(), counts(0, 0, 0));

    let mut asker = Asker::open();
    asker.say_hello(false);
    let relay = asker.device.handle.relay();
    timeout(SOON, async {
        while relay.is_hearing() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("a device that does not listen cannot hear");
}
