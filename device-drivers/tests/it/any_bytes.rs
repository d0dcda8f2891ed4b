//! Goal: decoders are total and bounded, the cut of the bytes does not matter, and a valid frame
//! after any garbage is decoded. Method: arbitrary bytes into every profile.

use crate::{NOW, decoder, key};
use device_drivers::codec::nonin_oem3::{PacketContent, encode_packet, status};
use device_drivers::codec::{Decoder, contec_cms50d, contec_cms50dplus, nonin_ascii};
use device_drivers::gatt::{Gatt, READ, RecordFetch, SUBSCRIBE, TIMEOUT_MILLIS};
use device_drivers::{Event, Profile, Value};
use fogward_level0::{DeviceId, MAX_WIRE, Outgoing, Sensor};
use proptest::prelude::*;

/// Valid frames of a profile, one after the other.
fn frames(profile: Profile) -> Vec<Vec<u8>> {
    match profile {
        Profile::NoninOem3 => {
            let content = PacketContent {
                pulse: Some(70),
                spo2: Some(97),
                status: status::SYNC,
                pleth: [99; 25],
            };
            encode_packet(&content)
                .chunks(5)
                .map(<[u8]>::to_vec)
                .collect()
        }
        Profile::NoninAscii => vec![nonin_ascii::encode_line(Some(97), Some(70)).into_bytes(); 3],
        Profile::ContecCms50dPlus => {
            let content = contec_cms50dplus::FrameContent {
                wave: 9,
                pulse: Some(70),
                spo2: Some(97),
                ..Default::default()
            };
            vec![contec_cms50dplus::encode_frame(&content).to_vec(); 45]
        }
        Profile::ContecCms50d115200 => {
            let content = contec_cms50d::FrameContent {
                wave: 9,
                pulse: Some(70),
                spo2: Some(97),
                ..Default::default()
            };
            vec![contec_cms50d::encode_frame(&content).to_vec(); 45]
        }
        Profile::FogwardLevel0 => {
            let mut sensor = Sensor::new(DeviceId([3; 8]), key(), 1);
            let mut wire = [0; MAX_WIRE];
            (0..3)
                .map(|_| {
                    let message = Outgoing::Readings {
                        time_millis: None,
                        readings: &[],
                    };
                    let length = sensor.seal(&message, &mut wire).unwrap();
                    wire[..length].to_vec()
                })
                .collect()
        }
    }
}

/// How many of a profile's frames garbage before them may cost: those that share bytes with it.
/// A text line runs from one line end to the next; a Nonin frame can be hidden by garbage whose
/// end makes a right checksum with the frame's beginning. A Contec's are believed a quarter of a
/// second together, so garbage can cost those of the quarter it began.
fn cost(profile: Profile) -> u64 {
    match profile {
        Profile::NoninOem3 | Profile::NoninAscii => 1,
        Profile::ContecCms50dPlus | Profile::ContecCms50d115200 => 15,
        Profile::FogwardLevel0 => 0,
    }
}

fn profiles() -> impl Strategy<Value = Profile> {
    proptest::sample::select(&Profile::ALL[..])
}

/// Garbage that looks like frames often: bytes of the formats' own alphabets.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        any::<u8>(),
        proptest::sample::select(&b"\x00\x01\x81\x80\x7f\xff0123456789SPOHR= -\r\n"[..]),
    ];
    proptest::collection::vec(byte, 0..600)
}

fn push(decoder: &mut Decoder, bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    decoder.push(bytes, NOW, &mut events);
    events
}

/// A characteristic that is decoded, or any number.
fn characteristics() -> impl Strategy<Value = u16> {
    let known: Vec<u16> = READ.iter().chain(SUBSCRIBE).copied().collect();
    prop_oneof![9 => proptest::sample::select(known), 1 => any::<u16>()]
}

proptest! {
    #[test]
    fn any_characteristic_value_is_survived_and_counted_once(
        values in proptest::collection::vec(
            (characteristics(), proptest::collection::vec(any::<u8>(), 0..600)), 1..8
        ),
    ) {
        let mut gatt = Gatt::new();
        for (characteristic, value) in values {
            let (before, mut events) = (gatt.frames(), Vec::new());
            gatt.push(characteristic, &value, NOW, &mut events);
            prop_assert!(events.len() <= value.len() + 2);
            let refused = events.iter().any(|event| matches!(event, Event::Rejected(_)));
            let taken = gatt.frames() - before;
            prop_assert!(taken == 1 || (taken == 0 && refused && events.len() == 1));
            for event in &events {
                if let Event::Measurement(measured) = event {
                    prop_assert_eq!(measured.value.is_absent(), !measured.quality.has_value());
                }
            }
        }
        let mut events = Vec::new();
        gatt.reset(&mut events);
        prop_assert!(events.len() <= 1);
    }

    #[test]
    fn any_value_of_a_meter_is_survived_by_a_fetch(
        steps in proptest::collection::vec(
            (characteristics(), proptest::collection::vec(any::<u8>(), 0..8), 0i64..40_000), 1..40
        ),
    ) {
        let mut fetch = RecordFetch::new(None);
        let mut now = NOW;
        for (characteristic, value, later) in steps {
            now += later;
            fetch.start(now);
            fetch.take(characteristic, &value, now);
            fetch.poll(now);
        }
        // Whatever came, two timeouts of silence end it.
        fetch.poll(now + TIMEOUT_MILLIS);
        fetch.poll(now + 2 * TIMEOUT_MILLIS);
        prop_assert!(!fetch.is_running());
    }

    #[test]
    fn any_bytes_are_survived_and_bounded(profile in profiles(), bytes in garbage()) {
        let mut decoder = decoder(profile);
        let mut events = push(&mut decoder, &bytes);
        decoder.reset(&mut events);
        prop_assert!(events.len() <= bytes.len() + 4);
        for event in &events {
            if let Event::Measurement(measured) = event {
                prop_assert_eq!(measured.value.is_absent(), !measured.quality.has_value());
                if let Value::Samples { samples, .. } = &measured.value {
                    prop_assert!(samples.len() <= 75);
                }
            }
        }
    }

    #[test]
    fn the_cut_does_not_matter(profile in profiles(), bytes in garbage(), cut in 1usize..40) {
        let mut stream = bytes;
        stream.extend(frames(profile).concat());
        let whole = push(&mut decoder(profile), &stream);
        let mut pieces = Vec::new();
        let mut decoder = decoder(profile);
        for piece in stream.chunks(cut) {
            decoder.push(piece, NOW, &mut pieces);
        }
        prop_assert_eq!(whole, pieces);
    }

    #[test]
    fn a_frame_after_garbage_is_decoded(profile in profiles(), bytes in garbage()) {
        let mut decoder = decoder(profile);
        push(&mut decoder, &bytes);
        let before = decoder.frames();
        let frames = frames(profile);
        push(&mut decoder, &frames.concat());
        prop_assert!(decoder.frames() - before >= frames.len() as u64 - cost(profile));
    }
}
