//! Goal: what a line or an attacker does to frames is refused for the right reason, nothing
//! panics, and the frame after any garbage is taken. Method: mutate sealed frames.

use crate::{DEVICE, frames, key};
use fogward_level0::{
    DeviceId, FrameReader, Host, HostMessage, MAX_BODY, MAX_SAMPLES, MAX_WIRE, Outgoing,
    PairingKey, Reading, Refusal, Sensor, metric, quality,
};
use proptest::prelude::*;

const READING: [Reading; 1] = [Reading {
    metric: metric::SPO2,
    quality: quality::GOOD,
    mantissa: 97,
    exponent: 0,
}];
const MESSAGE: Outgoing<'static> = Outgoing::Readings {
    time_millis: None,
    readings: &READING,
};

fn sealed(sensor: &mut Sensor) -> Vec<u8> {
    let mut wire = [0; MAX_WIRE];
    let length = sensor.seal(&MESSAGE, &mut wire).unwrap();
    wire[..length].to_vec()
}

fn sensor() -> Sensor {
    Sensor::new(DEVICE, key(), 1)
}

fn inner(wire: &[u8]) -> Vec<u8> {
    wire[1..wire.len() - 1].to_vec()
}

#[test]
fn a_frame_is_taken_once() {
    let frame = inner(&sealed(&mut sensor()));
    let mut host = Host::new(key(), None);
    assert!(host.open(&mut frame.clone()).is_ok());
    assert_eq!(host.open(&mut frame.clone()), Err(Refusal::Replayed));
    let mut restarted = Host::new(key(), Some(1 << 32));
    assert_eq!(
        restarted.open(&mut frame.clone()),
        Err(Refusal::Replayed),
        "durable before the restart"
    );
}

#[test]
fn another_key_and_another_device_are_told_apart() {
    let mut host = Host::new(key(), None);
    let mut stranger = Sensor::new(DEVICE, PairingKey::from_bytes([9; 32]), 1);
    assert_eq!(
        host.open(&mut inner(&sealed(&mut stranger))),
        Err(Refusal::Forged)
    );
    assert_eq!(host.device_id(), None);
    assert!(host.open(&mut inner(&sealed(&mut sensor()))).is_ok());
    let mut twin = Sensor::new(DeviceId([7; 8]), key(), 2);
    assert_eq!(
        host.open(&mut inner(&sealed(&mut twin))),
        Err(Refusal::WrongDevice)
    );
}

#[test]
fn a_frame_is_never_reflected() {
    let mut device = sensor();
    let mut host = Host::new(key(), None);
    let frame = inner(&sealed(&mut device));
    host.open(&mut frame.clone()).unwrap();
    assert_eq!(
        device.open(&mut frame.clone()),
        Err(Refusal::Unknown),
        "a device's frame sent back to it"
    );
    let mut wire = [0; MAX_WIRE];
    let length = host.seal(&HostMessage::Identify, 5, &mut wire).unwrap();
    assert_eq!(
        host.open(&mut inner(&wire[..length])),
        Err(Refusal::Unknown),
        "a host's frame sent back to it"
    );
    assert_eq!(
        device.open(&mut inner(&wire[..length])),
        Ok(HostMessage::Identify)
    );
    assert_eq!(
        device.open(&mut inner(&wire[..length])),
        Err(Refusal::Replayed)
    );
}

#[test]
fn a_message_too_long_is_refused_and_uses_no_counter() {
    let mut device = sensor();
    let samples = [i16::MAX; MAX_SAMPLES];
    let wave = |samples| Outgoing::Wave {
        metric: 2,
        time_millis: None,
        period_micros: 5_000,
        samples,
    };
    let mut wire = [0; MAX_WIRE];
    assert!(
        device.seal(&wave(&samples), &mut wire).is_err(),
        "{} bytes do not fit {MAX_BODY}",
        samples.len() * 3
    );
    assert!(device.seal(&wave(&samples[..70]), &mut wire).is_ok());
    assert_eq!(device.next_counter(), (1 << 32) + 1);
}

#[test]
fn keys_are_read_from_hex_and_never_shown() {
    let text = "000102030405060708090a0b0c0d0e0f 10111213-14151617:18191a1b1c1d1e1F";
    let parsed: PairingKey = text.parse().unwrap();
    assert_eq!(parsed.expose(), key().expose());
    for wrong in [
        "",
        "00",
        &text[1..],
        "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    ] {
        assert!(wrong.parse::<PairingKey>().is_err());
    }
    let shown = format!("{:?} {:?} {:?}", parsed, sensor(), Host::new(key(), None));
    assert!(!shown.contains("31"), "{shown}");
    assert_eq!(shown.matches("secret)").count(), 3);
}

proptest! {
    #[test]
    fn any_flipped_byte_is_refused(at in 0usize..1_000, flip in 1u8..) {
        let mut frame = inner(&sealed(&mut sensor()));
        let at = at % frame.len();
        frame[at] ^= flip;
        prop_assume!(frame[at] != 0);
        let refusal = Host::new(key(), None).open(&mut frame).unwrap_err();
        prop_assert!(matches!(refusal, Refusal::Garbage | Refusal::Incomplete | Refusal::Checksum), "{}", refusal);
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut host = Host::new(key(), None);
        let mut device = sensor();
        for frame in frames(&mut FrameReader::default(), &bytes).into_iter().flatten() {
            prop_assert!(host.open(&mut frame.clone()).is_err());
            prop_assert!(device.open(&mut frame.clone()).is_err());
        }
    }

    #[test]
    fn the_frame_after_garbage_is_taken(garbage in proptest::collection::vec(any::<u8>(), 0..700)) {
        let mut reader = FrameReader::default();
        let mut host = Host::new(key(), None);
        let mut bytes = garbage;
        bytes.extend(sealed(&mut sensor()));
        let taken = frames(&mut reader, &bytes).into_iter().flatten().filter_map(|mut frame| host.open(&mut frame).ok());
        prop_assert_eq!(taken.count(), 1);
    }
}
