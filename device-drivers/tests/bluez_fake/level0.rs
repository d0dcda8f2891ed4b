//! A level-0 device over GATT: the firmware's own code behind the two characteristics of the Nordic UART
//! Service, played by the fake.

use crate::bus::{HEART_RATE, HEART_RATE_MEASUREMENT, SENSOR, SOON, config, open, reason, state};
use bluez_fake::{Fake, lock};
use device_drivers::ble::{Discovered, Scanner};
use device_drivers::gatt::Service;
use device_drivers::{
    Device, Event, Grant, LinkState, Measurement, Metric, MissingCause, PairingKey, Quality,
    ReasonCode, RejectReason, SourceConfig, Value,
};
use fogward_level0::{
    Backlog, Chunk, DeviceClass, DeviceId, FrameReader, Hello, HostMessage, MAX_WIRE, Outgoing,
    Reading, Sensor, metric, quality,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const ADAPTER: &str = "AA:AA:AA:00:00:01";
const SERVICE: &str = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
const RX: &str = "6e400002-b5a3-f393-e0a9-e50e24dcca9e";
const TX: &str = "6e400003-b5a3-f393-e0a9-e50e24dcca9e";
/// The smallest MTU there is (Core Specification, Vol 3, Part G, 5.2.1).
const SMALLEST_MTU: u16 = 23;
/// A write's operation and handle.
const HEAD: u16 = 3;
const FIRST: u64 = 1 << 32;

fn key() -> PairingKey {
    PairingKey::from_bytes([0x5a; 32])
}

/// The firmware, in its first start.
struct Firmware {
    fake: Fake,
    sensor: Sensor,
    backlog: Backlog<16>,
    ears: FrameReader,
    mtu: u16,
    /// How many written pieces went through its ears.
    pieces: usize,
    heard: VecDeque<HostMessage>,
}

impl Firmware {
    async fn start(mtu: u16, rx_flag: &'static str) -> Firmware {
        let fake = Fake::start().await;
        fake.plug_in("hci0", ADAPTER, true).await;
        let characteristics = vec![
            (TX.to_owned(), vec!["notify"]),
            (RX.to_owned(), vec![rx_flag]),
        ];
        fake.appear_with("hci0", SENSOR, SERVICE.to_owned(), characteristics, mtu)
            .await;
        Firmware {
            fake,
            sensor: Sensor::new(DeviceId([8; 8]), key(), 1),
            backlog: Backlog::new(),
            ears: FrameReader::default(),
            mtu,
            pieces: 0,
            heard: VecDeque::new(),
        }
    }

    /// Waits until the host has subscribed so often.
    async fn subscribed(&self, times: u32) {
        let begun = Instant::now();
        while lock(&self.fake.script).subscriptions < times {
            assert!(begun.elapsed() < SOON, "nobody subscribes");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn send(&self, wire: &[u8]) {
        for piece in wire.chunks(usize::from(self.mtu - HEAD)) {
            self.fake.notify("hci0", SENSOR, piece).await;
        }
    }

    fn measure(&mut self, mantissa: i32) {
        let reading = Reading {
            metric: metric::SPO2,
            quality: quality::GOOD,
            mantissa,
            exponent: 0,
        };
        self.backlog.take(&mut self.sensor, None, reading).unwrap();
    }

    /// The next reading's frame.
    fn next_frame(&mut self) -> Option<Vec<u8>> {
        let mut wire = [0; MAX_WIRE];
        let length = self.backlog.seal_next(&self.sensor, &mut wire)?;
        Some(wire[..length].to_vec())
    }

    async fn send_due(&mut self) {
        while let Some(frame) = self.next_frame() {
            self.send(&frame).await;
        }
    }

    async fn say_hello(&mut self) {
        let hello = Outgoing::Hello(Hello {
            firmware: [1, 2, 3],
            class: DeviceClass::LowCost,
            readings_per_1000_s: 1_000,
            is_listening: true,
        });
        let mut wire = [0; MAX_WIRE];
        let length = self.sensor.seal(&hello, &mut wire).unwrap();
        self.send(&wire[..length]).await;
    }

    /// The host's next message but for the time, as the firmware opens it.
    async fn hear(&mut self) -> HostMessage {
        let begun = Instant::now();
        while self.heard.is_empty() {
            assert!(begun.elapsed() < SOON, "nothing is to be heard");
            sleep(Duration::from_millis(1)).await;
            let written = lock(&self.fake.script).written[self.pieces..].to_vec();
            self.pieces += written.len();
            for byte in written.into_iter().flat_map(|(.., piece)| piece) {
                if let Some(Chunk::Frame(frame)) = self.ears.push(byte) {
                    let message = self.sensor.open(frame).unwrap();
                    if !matches!(message, HostMessage::Time { .. }) {
                        self.heard.push_back(message);
                    }
                }
            }
        }
        self.heard.pop_front().unwrap()
    }
}

fn open_with(key: PairingKey, replay_floor: Option<u64>) -> Device {
    let mut config = config();
    config.key = Some(key.into());
    config.replay_floor = replay_floor;
    open(config)
}

async fn event(device: &mut Device) -> Event {
    let event = timeout(SOON, device.events.recv()).await;
    event.expect("an event").expect("an open device")
}

/// The number and value of the next reading.
async fn measured(device: &mut Device) -> (u64, Value) {
    loop {
        match event(device).await {
            Event::Measurement(measured) => {
                assert!(measured.authenticated && !measured.simulated);
                assert_eq!(measured.metric, Metric::SpO2);
                return (measured.sequence.unwrap(), measured.value);
            }
            Event::Device(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn refused(device: &mut Device) -> RejectReason {
    loop {
        match event(device).await {
            Event::Rejected(rejection) => return rejection.reason,
            Event::Device(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Goal: all that a serial level-0 line carries goes over GATT: readings up; identify, ack, final and another
/// device's reading down; in pieces that fit. Method: the smallest MTU and a usual one, both kinds of writes.
pub(crate) async fn a_level0_device_talks_over_gatt() {
    for (mtu, flag, kind) in [
        (SMALLEST_MTU, "write-without-response", "\"command\""),
        (247, "write", "\"request\""),
    ] {
        let mut firmware = Firmware::start(mtu, flag).await;
        let mut scanner = Scanner::start(None);
        let has_line = |found: &Discovered| found.services.contains(&Service::Uart);
        let found = scanner.devices.wait_for(|found| found.iter().any(has_line));
        timeout(SOON, found).await.expect("a line").unwrap();
        drop(scanner);
        let mut device = open_with(key(), Some(FIRST - 1));
        firmware.subscribed(1).await;
        firmware.measure(97);
        firmware.send_due().await;
        assert_eq!(firmware.hear().await, HostMessage::Identify);
        let durable = FIRST - 1;
        assert_eq!(firmware.hear().await, HostMessage::Ack { durable });
        firmware.say_hello().await;
        let first = measured(&mut device).await;
        assert_eq!(first, (FIRST, Value::whole(97)));
        state(&device, "streaming", |state| *state == LinkState::Streaming).await;

        device.handle.ack(FIRST);
        let durable = FIRST;
        assert_eq!(firmware.hear().await, HostMessage::Ack { durable });
        device.handle.finalized(FIRST);
        let upto = FIRST;
        assert_eq!(firmware.hear().await, HostMessage::Final { upto });

        let grant = Arc::new(Grant::new([1, 2, 3, 4]));
        grant.open_until(i64::MAX);
        let other = Measurement::new(Metric::PulseRate, Some(Value::whole(64)), Quality::Good, 0);
        let queue = device.handle.relay();
        assert!(queue.is_hearing());
        queue.send(&grant, &other, 0);
        let HostMessage::Relay(relayed) = firmware.hear().await else {
            panic!("something else")
        };
        assert_eq!(relayed.source, [1, 2, 3, 4]);
        assert_eq!(relayed.reading.metric, metric::PULSE_RATE);
        assert_eq!(relayed.reading.mantissa, 64);
        grant.close();
        queue.send(&grant, &other, 0);
        device.handle.ack(FIRST + 1);
        let durable = FIRST + 1;
        assert_eq!(firmware.hear().await, HostMessage::Ack { durable });

        let pieces = lock(&firmware.fake.script).written.clone();
        assert!(pieces.iter().all(|(_, of, _)| of == kind), "{pieces:?}");
        let longest = pieces.iter().map(|(.., piece)| piece.len()).max();
        assert!(longest <= Some(usize::from(mtu - HEAD)), "{longest:?}");
        device.handle.stop().await;
    }
}

/// Goal: what a stranger plays back or makes up counts for nothing, and a wrong key is told from a bad link.
/// Method: a frame twice, one from below what is durable, one of another key; a host with a wrong key.
pub(crate) async fn replays_and_forgeries_are_refused() {
    let mut firmware = Firmware::start(SMALLEST_MTU, "write").await;
    let mut device = open_with(key(), Some(FIRST));
    firmware.subscribed(1).await;
    for percent in [95, 96, 97] {
        firmware.measure(percent);
    }
    let durable_before = firmware.next_frame().unwrap();
    let frame = firmware.next_frame().unwrap();
    let mut stranger = Sensor::new(DeviceId([8; 8]), PairingKey::from_bytes([1; 32]), 9);
    let mut wire = [0; MAX_WIRE];
    let reading = Outgoing::Readings {
        time_millis: None,
        readings: &[],
    };
    let length = stranger.seal(&reading, &mut wire).unwrap();

    firmware.send(&durable_before).await;
    assert_eq!(refused(&mut device).await, RejectReason::Replayed);
    firmware.send(&frame).await;
    assert_eq!(measured(&mut device).await.0, FIRST + 1);
    firmware.send(&frame).await;
    assert_eq!(refused(&mut device).await, RejectReason::Replayed);
    firmware.send(&wire[..length]).await;
    assert_eq!(refused(&mut device).await, RejectReason::Forged);
    firmware.send_due().await;
    assert_eq!(measured(&mut device).await.0, FIRST + 2);
    device.handle.stop().await;

    let device = open_with(PairingKey::from_bytes([1; 32]), None);
    firmware.subscribed(2).await;
    firmware.backlog.send_again();
    firmware.send_due().await;
    reason(&device, ReasonCode::WrongKeyByRadio).await;
    device.handle.stop().await;
}

/// Goal: a link that falls in the middle of a frame costs no reading of a device that keeps them, and nothing
/// counts twice. Method: it falls, readings are taken meanwhile, the host connects again and asks.
pub(crate) async fn a_link_that_falls_costs_no_reading() {
    let mut firmware = Firmware::start(247, "write-without-response").await;
    let mut device = open_with(key(), None);
    firmware.subscribed(1).await;
    firmware.measure(91);
    firmware.measure(92);
    let mut piece = firmware.next_frame().unwrap();
    piece.extend(&firmware.next_frame().unwrap()[..20]);
    firmware.send(&piece).await;
    assert_eq!(measured(&mut device).await.0, FIRST);
    assert_eq!(firmware.hear().await, HostMessage::Identify);

    firmware.fake.drop_link("hci0", SENSOR).await;
    reason(&device, ReasonCode::ConnectionLost).await;
    assert_eq!(refused(&mut device).await, RejectReason::Incomplete);
    firmware.measure(93);
    firmware.subscribed(2).await;
    firmware.say_hello().await;
    assert_eq!(firmware.hear().await, HostMessage::Identify);
    firmware.backlog.send_again();
    firmware.send_due().await;

    let mut came = Vec::new();
    let (mut missing, mut recovered) = (0, 0);
    while came.len() < 2 {
        match event(&mut device).await {
            Event::Measurement(measured) => came.push(measured.sequence.unwrap() - FIRST),
            Event::Missing { readings, cause } => {
                assert_eq!(cause, MissingCause::SequenceGap);
                missing += readings;
            }
            Event::Recovered { readings } => recovered += readings,
            Event::Rejected(rejection) => assert_eq!(rejection.reason, RejectReason::Replayed),
            Event::Device(_) => {}
            other @ Event::Clock(_) => panic!("{other:?}"),
        }
    }
    assert_eq!(came, [1, 2]);
    assert_eq!(missing, recovered, "all that was missed has come");
    device.handle.stop().await;
}

/// Goal: a device that cannot be talked with is named, and no standard profile is read in its place. Method: a
/// heart rate strap paired as level-0; a line that may not be subscribed to; one that takes no writes.
pub(crate) async fn what_has_no_line_is_named() {
    let fake = Fake::start().await;
    fake.plug_in("hci0", ADAPTER, true).await;
    fake.appear("hci0", SENSOR, HEART_RATE, HEART_RATE_MEASUREMENT)
        .await;
    let device = open_with(key(), None);
    reason(&device, ReasonCode::NoKnownProfile).await;
    device.handle.stop().await;
    drop(fake);

    let mut firmware = Firmware::start(SMALLEST_MTU, "write").await;
    lock(&firmware.fake.script).refuses_notify = true;
    let device = open_with(key(), None);
    reason(&device, ReasonCode::PairingNeeded).await;
    lock(&firmware.fake.script).refuses_writes = true;
    lock(&firmware.fake.script).refuses_notify = false;
    firmware.subscribed(1).await;
    firmware.measure(97);
    firmware.send_due().await;
    state(&device, "streaming", |state| *state == LinkState::Streaming).await;
    reason(&device, ReasonCode::PairingNeeded).await;
    device.handle.stop().await;

    let mut config = config();
    assert!(!SourceConfig::Ble(config.clone()).can_hear());
    config.key = Some(key().into());
    assert!(SourceConfig::Ble(config).can_hear());
}
