//! Goal: a level-0 sensor on a line is asked who it is, told what is durable and what is final, and
//! refused with a wrong key. Method: a test plays the sensor's firmware on a pty.

use crate::key;
use crate::pty::Sensor as Line;
use device_drivers::{
    Device, Event, LinkState, PairingKey, Profile, ReasonCode, RejectReason, SerialConfig,
    SourceConfig,
};
use fogward_level0::{
    Chunk, DeviceClass, DeviceId, FrameReader, Hello, HostMessage, MAX_WIRE, Outgoing, Reading,
    Sensor, metric, quality,
};
use std::time::Duration;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);

fn open(line: &Line, key: PairingKey, replay_floor: Option<u64>) -> Device {
    let mut config = SerialConfig::new(line.path(), Profile::FogwardLevel0);
    config.key = Some(key.into());
    config.replay_floor = replay_floor;
    Device::open(SourceConfig::Serial(config)).unwrap()
}

fn reading(sensor: &mut Sensor) -> Vec<u8> {
    let reading = Reading {
        metric: metric::SPO2,
        quality: quality::GOOD,
        mantissa: 97,
        exponent: 0,
    };
    let mut wire = [0; MAX_WIRE];
    let message = Outgoing::Readings {
        time_millis: None,
        readings: &[reading],
    };
    let length = sensor.seal(&message, &mut wire).unwrap();
    wire[..length].to_vec()
}

/// The host's next messages, as the firmware reads them; but for the time, which comes when it is due.
async fn hear(line: &mut Line, sensor: &mut Sensor, count: usize) -> Vec<HostMessage> {
    let mut reader = FrameReader::default();
    let mut messages = Vec::new();
    while messages.len() < count {
        let heard = line.hear(SOON, |heard| heard.len() > 1 && heard.ends_with(&[0]));
        let heard = heard.await;
        assert!(!heard.is_empty(), "{messages:?} and nothing more");
        for byte in heard {
            if let Some(Chunk::Frame(frame)) = reader.push(byte) {
                messages.push(sensor.open(frame).unwrap());
            }
        }
        messages.retain(|message| !matches!(message, HostMessage::Time { .. }));
    }
    messages
}

#[tokio::test]
async fn a_sensor_is_asked_and_acknowledged() {
    let mut line = Line::plug_in();
    let mut sensor = Sensor::new(DeviceId([8; 8]), key(), 1);
    let floor = (1 << 32) - 1;
    let mut device = open(&line, key(), Some(floor));
    line.send(&reading(&mut sensor));
    let messages = hear(&mut line, &mut sensor, 2).await;
    assert_eq!(
        messages,
        [HostMessage::Identify, HostMessage::Ack { durable: floor }]
    );

    let durable = loop {
        match timeout(SOON, device.events.recv()).await.unwrap().unwrap() {
            Event::Measurement(measured) => break measured.sequence.unwrap(),
            Event::Device(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(durable, 1 << 32);
    device.handle.ack(durable);
    device.handle.ack(0);
    assert_eq!(
        hear(&mut line, &mut sensor, 1).await,
        [HostMessage::Ack { durable }]
    );
    device.handle.finalized(durable);
    device.handle.finalized(0);
    assert_eq!(
        hear(&mut line, &mut sensor, 1).await,
        [HostMessage::Final { upto: durable }]
    );
}

#[tokio::test]
async fn a_wrong_key_is_told_from_a_bad_line() {
    let mut line = Line::plug_in();
    let mut sensor = Sensor::new(DeviceId([8; 8]), key(), 1);
    let mut device = open(&line, PairingKey::from_bytes([1; 32]), None);
    for _ in 0..4 {
        line.send(&reading(&mut sensor));
    }
    let state = timeout(
        SOON,
        device.state.wait_for(|state| state.code() == "garbage"),
    )
    .await
    .unwrap()
    .unwrap()
    .clone();
    let LinkState::Garbage(reason) = state else {
        panic!("{state:?}")
    };
    assert_eq!(reason.code, ReasonCode::WrongKey);
    let event = device.events.recv().await.unwrap();
    assert!(
        matches!(event, Event::Rejected(rejection) if rejection.reason == RejectReason::Forged)
    );
}

fn hello(sensor: &mut Sensor, is_listening: bool) -> Vec<u8> {
    let message = Outgoing::Hello(Hello {
        firmware: [1, 2, 3],
        class: DeviceClass::LowCost,
        readings_per_1000_s: 1_000,
        is_listening,
    });
    let mut wire = [0; MAX_WIRE];
    let length = sensor.seal(&message, &mut wire).unwrap();
    wire[..length].to_vec()
}

/// Goal: how long an introduction took is told of the answer to the request, and not of what the device says by
/// itself before. Method: a sensor that introduces itself at its start, is asked, and answers 300 ms later.
#[tokio::test]
async fn an_introduction_is_timed_from_the_request() {
    let mut line = Line::plug_in();
    let mut sensor = Sensor::new(DeviceId([8; 8]), key(), 1);
    let device = open(&line, key(), None);
    let mut introduction = device.handle.introduction();
    line.send(&hello(&mut sensor, true));
    let asked = hear(&mut line, &mut sensor, 1).await;
    assert_eq!(asked, [HostMessage::Identify]);
    assert_eq!(*introduction.borrow(), None, "it was not asked yet");
    let pause = Duration::from_millis(300);
    tokio::time::sleep(pause).await;
    line.send(&reading(&mut sensor));
    line.send(&hello(&mut sensor, true));
    let told = timeout(SOON, introduction.wait_for(Option::is_some)).await;
    let told = told.unwrap().unwrap().unwrap();
    assert!(told.is_listening && told.after >= pause, "{told:?}");
    line.send(&hello(&mut sensor, false));
    tokio::time::sleep(pause).await;
    let kept = device.handle.introduction().borrow().unwrap();
    assert_eq!(kept, told, "the first one after the request counts");
    device.handle.stop().await;
}
