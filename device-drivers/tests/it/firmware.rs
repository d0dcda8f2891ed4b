//! Goal: the driver and the firmware of each class understand each other, and replay, reset, a cut
//! line and a wrong key do what the protocol says. Method: the real firmware in QEMU, the real
//! driver on a pty, and this test on the line between them.

use crate::machine::Machine;
use device_drivers::{
    Device, Event, HostKey, LinkState, Measurement, Metric, MissingCause, Profile, ReasonCode,
    RejectReason, SerialConfig, SourceConfig, Value,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

/// A class as its firmware is named, and the key that its example device was made with.
struct Class {
    name: &'static str,
    key: String,
    is_listening: bool,
}

fn hex(bytes: std::ops::Range<u8>) -> String {
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

fn ultra_light() -> Class {
    Class {
        name: "ultra-light",
        key: hex(0..32),
        is_listening: false,
    }
}

fn low_cost() -> Class {
    Class {
        name: "low-cost",
        key: format!("hmac {}", hex(0..32)),
        is_listening: true,
    }
}

fn signing() -> Class {
    let public = "29acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7";
    Class {
        name: "signing",
        key: format!("sign {public} {}", hex(16..32)),
        is_listening: true,
    }
}

fn open(machine: &Machine, key: &str, replay_floor: Option<u64>) -> Device {
    let mut config = SerialConfig::new(machine.path(), Profile::FogwardLevel0);
    config.key = Some(key.parse::<HostKey>().unwrap());
    config.replay_floor = replay_floor;
    Device::open(SourceConfig::Serial(config)).unwrap()
}

/// The next event that `pick` wants; the others are passed over.
async fn next<T>(device: &mut Device, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
    let picked = timeout(SOON, async {
        loop {
            let event = device.events.recv().await.expect("an open device");
            if let Some(picked) = pick(&event) {
                return picked;
            }
        }
    });
    picked.await.expect("an event in time")
}

fn measured(event: &Event) -> Option<Measurement> {
    match event {
        Event::Measurement(measurement) => Some(measurement.clone()),
        _ => None,
    }
}

/// What the firmware makes up: 95 to 98 %, in a circle.
fn check_simulated(measurement: &Measurement, offset: u64) {
    let sequence = measurement.sequence.unwrap();
    let number = (sequence & 0xffff_ffff) - offset;
    let expected = Value::whole(95 + i64::try_from(number % 4).unwrap());
    assert_eq!(
        (measurement.metric, &measurement.value),
        (Metric::SpO2, &expected)
    );
    assert!(measurement.authenticated);
}

fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Readings in order, a replay refused, a reset with a new epoch, what was cut off named.
async fn check_life(class: Class) {
    let mut machine = Machine::load(class.name);
    let floor = Some((1 << 32) - 1);
    let mut device = open(&machine, &class.key, floor);
    machine.run();
    let firmware = next(&mut device, |event| match event {
        Event::Device(info) => info.firmware.clone(),
        _ => None,
    });
    assert_eq!(firmware.await, "0.1.0");

    // The Hello of the start takes counter 0; others are answers and come between readings.
    let first = next(&mut device, measured).await;
    check_simulated(&first, 1);
    assert_eq!(first.sequence, Some((1 << 32) + 1));

    let frame = machine.frames().last().unwrap().clone();
    machine.inject(&[&[0], &frame[..], &[0]].concat());
    let reason = next(&mut device, |event| match event {
        Event::Rejected(rejection) => Some((rejection.reason, rejection.readings)),
        _ => None,
    });
    assert_eq!(reason.await, (RejectReason::Replayed, 0));

    // Once it has the time it has heard all that a host says at first, so nothing of it comes late.
    next(&mut device, |event| {
        let measured = measured(event)?;
        (!class.is_listening || measured.device_time_millis.is_some()).then_some(())
    })
    .await;
    machine.mute(true);
    let before = machine.frames().len();
    machine.reset();
    // A Hello and three readings at least that the host does not hear.
    machine.sends(before + 4).await;
    machine.mute(false);
    let (first, missing) = {
        let mut missing = None;
        let first = next(&mut device, |event| {
            if let Event::Missing { readings, cause } = event {
                assert_eq!(*cause, MissingCause::SequenceGap);
                missing = Some(*readings);
            }
            assert!(!matches!(event, Event::Rejected(rejection) if rejection.readings > 0));
            measured(event).filter(|measured| measured.sequence.unwrap() >> 32 > 1)
        });
        (first.await, missing)
    };
    let sequence = first.sequence.unwrap();
    assert_eq!(sequence >> 32, 2, "the second start");
    assert_eq!(
        Some(sequence & 0xffff_ffff),
        missing.map(u64::from),
        "the hole"
    );
    check_simulated(&first, 1);
    device.handle.stop().await;
}

/// A key that is not the device's, and the right bytes as a key of another class.
async fn check_wrong_keys(class: Class) {
    let machine = Machine::load(class.name);
    machine.run();
    let others = [hex(1..33), format!("hmac {}", hex(1..33))];
    let of_other_class = [ultra_light(), low_cost()].map(|class| class.key);
    for key in others.iter().chain(&of_other_class) {
        if *key == class.key {
            continue;
        }
        let mut device = open(&machine, key, None);
        let state = device.state.wait_for(|state| state.code() == "garbage");
        let state = timeout(SOON, state).await.unwrap().unwrap().clone();
        let LinkState::Garbage(reason) = state else {
            panic!("{state:?}")
        };
        assert_eq!(reason.code, ReasonCode::WrongKey, "{key}");
        device.handle.stop().await;
        while let Some(event) = device.events.recv().await {
            let Event::Rejected(rejection) = &event else {
                panic!("{event:?}")
            };
            let line_noise = [
                RejectReason::Incomplete,
                RejectReason::Checksum,
                RejectReason::Garbage,
            ];
            assert!(
                rejection.reason == RejectReason::Forged || line_noise.contains(&rejection.reason),
                "{rejection:?}"
            );
        }
    }
}

/// A device that listens is told the time, and keeps what it measured before its host came.
async fn check_listening(class: Class) {
    assert!(class.is_listening);
    let machine = Machine::load(class.name);
    machine.mute(true);
    machine.run();
    // A Hello and four readings, of the sixteen that it can keep.
    machine.sends(5).await;
    let floor = Some((1 << 32) - 1);
    let mut device = open(&machine, &class.key, floor);
    machine.mute(false);
    let (mut missing, mut recovered) = (0, 0);
    let mut sequences = std::collections::BTreeSet::new();
    let stamped = next(&mut device, |event| {
        match event {
            Event::Missing { readings, .. } => missing += readings,
            Event::Recovered { readings } => recovered += readings,
            Event::Rejected(rejection) => assert_eq!(rejection.readings, 0, "{rejection:?}"),
            _ => {}
        }
        let measured = measured(event)?;
        assert!(
            sequences.insert(measured.sequence.unwrap()),
            "counted twice"
        );
        measured.device_time_millis.map(|stamp| (stamp, measured))
    })
    .await;
    let (stamp, measured) = stamped;
    let late = now_millis() - stamp;
    assert!((-100..2_000).contains(&late), "{late} ms late");
    // All that the host did not hear but the two Hellos, and what it heard of them.
    assert!(missing >= 4, "{missing} missing");
    assert!(
        missing - recovered <= 2,
        "{recovered} of {missing} recovered"
    );
    assert!(sequences.contains(&((1 << 32) + 1)), "the first reading");

    device.handle.ack(measured.sequence.unwrap());
    device.handle.finalized(measured.sequence.unwrap());
    let after = next(&mut device, self::measured).await;
    assert!(after.device_time_millis.is_some());
    device.handle.stop().await;
}

#[tokio::test]
async fn an_ultra_light_device_lives() {
    check_life(ultra_light()).await;
}

#[tokio::test]
async fn a_low_cost_device_lives() {
    check_life(low_cost()).await;
}

#[tokio::test]
async fn a_signing_device_lives() {
    check_life(signing()).await;
}

#[tokio::test]
async fn a_wrong_key_opens_no_ultra_light_device() {
    check_wrong_keys(ultra_light()).await;
}

#[tokio::test]
async fn a_wrong_key_opens_no_low_cost_device() {
    check_wrong_keys(low_cost()).await;
}

#[tokio::test]
async fn a_wrong_key_opens_no_signing_device() {
    check_wrong_keys(signing()).await;
}

#[tokio::test]
async fn a_low_cost_device_keeps_what_nobody_heard() {
    check_listening(low_cost()).await;
}

#[tokio::test]
async fn a_signing_device_keeps_what_nobody_heard() {
    check_listening(signing()).await;
}
