//! Goal: the bytes on the wire are those of `docs/level0-protocol.md`, for ever. Method: each
//! vector of the document is sealed by this code, found in the document, and opened again.

use crate::classes::{host_key, signing_key};
use crate::{DEVICE, frames, key};
use fogward_level0::{
    DeviceClass, DeviceKey, DeviceMessage, FrameReader, Hello, HmacKey, Host, HostKey, HostMessage,
    MAX_WIRE, MISSING_SAMPLE, Offer, Outgoing, PairingCode, Progress, Provisioning, Reading,
    Relayed, Sensor, Unpaired, metric, quality,
};

const DOCUMENT: &str = include_str!("../../../../docs/level0-protocol.md");

const HELLO: Hello = Hello {
    firmware: [1, 2, 3],
    class: DeviceClass::LowCost,
    readings_per_1000_s: 2_000,
    is_listening: true,
};

const READINGS: [Reading; 3] = [
    Reading {
        metric: metric::SPO2,
        quality: quality::GOOD,
        mantissa: 97,
        exponent: 0,
    },
    Reading {
        metric: metric::PULSE_RATE,
        quality: quality::SENSOR_OFF,
        mantissa: 0,
        exponent: 0,
    },
    Reading {
        metric: metric::BODY_TEMPERATURE,
        quality: quality::GOOD,
        mantissa: 3_642,
        exponent: -2,
    },
];

const SAMPLES: [i16; 5] = [0, 64, -64, MISSING_SAMPLE, 300];

fn messages() -> [Outgoing<'static>; 3] {
    [
        Outgoing::Hello(HELLO),
        Outgoing::Readings {
            time_millis: Some(1_770_000_000_000),
            readings: &READINGS,
        },
        Outgoing::Wave {
            metric: metric::PLETH_WAVE,
            time_millis: None,
            period_micros: 13_333,
            samples: &SAMPLES,
        },
    ]
}

#[track_caller]
fn check_documented(name: &str, wire: &[u8]) {
    let text: Vec<String> = wire.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = text.join(" ");
    let heading = format!("### {name}");
    let section = DOCUMENT
        .split(&heading)
        .nth(1)
        .unwrap_or_else(|| panic!("{name} is not in the document: {text}"));
    let block = section.split("```").nth(1).unwrap_or_default();
    let documented: Vec<&str> = block
        .split_whitespace()
        .filter(|word| *word != "text")
        .collect();
    assert_eq!(documented.join(" "), text, "{name}");
}

#[test]
fn device_frames_equal_the_document() {
    let mut sensor = Sensor::new(DEVICE, key(), 7);
    let names = ["Vector 1: Hello", "Vector 2: Readings", "Vector 3: Wave"];
    let mut host = Host::new(key(), None);
    let mut reader = FrameReader::default();
    for ((name, message), counter) in names.into_iter().zip(messages()).zip([0, 1, 4]) {
        let mut wire = [0; MAX_WIRE];
        let length = sensor.seal(&message, &mut wire).unwrap();
        check_documented(name, &wire[..length]);
        let found = frames(&mut reader, &wire[..length]);
        let [Some(frame)] = found.as_slice() else {
            panic!("{name}: one frame expected, {} found", found.len())
        };
        let accepted = host.open(&mut frame.clone()).unwrap();
        assert_eq!(accepted.device_id, DEVICE);
        assert_eq!(accepted.counter, (7 << 32) + counter);
        match (message, accepted.message.unwrap()) {
            (Outgoing::Hello(sent), DeviceMessage::Hello(heard)) => assert_eq!(sent, heard),
            (
                Outgoing::Readings {
                    time_millis,
                    readings,
                },
                DeviceMessage::Readings(heard),
            ) => {
                assert_eq!(
                    (time_millis, readings),
                    (heard.time_millis, heard.readings.as_slice())
                );
            }
            (
                Outgoing::Wave {
                    period_micros,
                    samples,
                    ..
                },
                DeviceMessage::Wave(heard),
            ) => {
                assert_eq!(
                    (period_micros, samples),
                    (heard.period_micros, heard.samples.as_slice())
                );
            }
            (sent, heard) => panic!("{sent:?} became {heard:?}"),
        }
    }
}

#[test]
fn host_frames_equal_the_document() {
    let mut sensor = Sensor::new(DEVICE, key(), 7);
    let mut host = Host::new(key(), None);
    let mut wire = [0; MAX_WIRE];
    assert_eq!(
        host.seal(&HostMessage::Identify, 1, &mut wire),
        None,
        "no device was heard yet"
    );
    let length = sensor.seal(&Outgoing::Hello(HELLO), &mut wire).unwrap();
    host.open(&mut wire[1..length - 1]).unwrap();

    let length = host
        .seal(&HostMessage::Identify, 1_770_000_000_000, &mut wire)
        .unwrap();
    check_documented("Vector 4: Identify", &wire[..length]);
    assert_eq!(
        sensor.open(&mut wire[1..length - 1]),
        Ok(HostMessage::Identify)
    );

    let ack = HostMessage::Ack {
        durable: (7 << 32) + 4,
    };
    let length = host.seal(&ack, 1_770_000_000_000, &mut wire).unwrap();
    check_documented("Vector 5: Ack", &wire[..length]);
    assert_eq!(sensor.open(&mut wire[1..length - 1]), Ok(ack));

    let upto = HostMessage::Final {
        upto: (7 << 32) + 4,
    };
    let now_millis = HostMessage::Time {
        now_millis: 1_770_000_000_000,
    };
    let relay = HostMessage::Relay(Relayed {
        source: [0xa1, 0xb2, 0xc3, 0xd4],
        is_simulated: false,
        time_millis: Some(1_770_000_000_000),
        reading: READINGS[2],
    });
    for (name, message) in [
        ("Vector 10: Final", upto),
        ("Vector 11: Time", now_millis),
        ("Vector 16: Relay", relay),
    ] {
        let length = host.seal(&message, 1_770_000_000_000, &mut wire).unwrap();
        check_documented(name, &wire[..length]);
        assert_eq!(sensor.open(&mut wire[1..length - 1]), Ok(message));
    }
}

/// A class seals and opens its two vectors; the sensor's first counter is used up before.
#[track_caller]
fn check_class<K: DeviceKey>(device: K, host: HostKey, readings: &str, ack: &str) {
    let mut sensor = Sensor::new(DEVICE, device, 7);
    let mut host = Host::new(host, None);
    let mut wire = [0; MAX_WIRE];
    let [hello, message, _] = messages();
    sensor.seal(&hello, &mut wire).unwrap();
    let length = sensor.seal(&message, &mut wire).unwrap();
    check_documented(readings, &wire[..length]);
    let accepted = host.open(&mut wire[1..length - 1]).unwrap();
    assert_eq!(accepted.counter, (7 << 32) + 1);
    let Some(DeviceMessage::Readings(heard)) = accepted.message else {
        panic!("{readings}: {:?}", accepted.message)
    };
    assert_eq!(heard.readings, READINGS);

    let durable = HostMessage::Ack {
        durable: (7 << 32) + 4,
    };
    let length = host.seal(&durable, 1_770_000_000_000, &mut wire).unwrap();
    check_documented(ack, &wire[..length]);
    assert_eq!(sensor.open(&mut wire[1..length - 1]), Ok(durable));
}

#[test]
fn frames_of_the_other_classes_equal_the_document() {
    check_class(
        HmacKey::new(&key()),
        HostKey::low_cost(key()),
        "Vector 6: Readings, low-cost",
        "Vector 7: Ack, low-cost",
    );
    check_class(
        signing_key(),
        host_key(),
        "Vector 8: Readings, signing",
        "Vector 9: Ack, signing",
    );
}

#[test]
fn the_pairing_equals_the_document() {
    let code = PairingCode::from_bytes(core::array::from_fn(|index| index as u8));
    let section = DOCUMENT.split("### Vector 12: Code").nth(1).unwrap();
    let documented = section.split("```").nth(1).unwrap();
    assert_eq!(documented.trim_start_matches("text").trim(), code.to_text());

    let mut wire = [0; MAX_WIRE];
    let mut device = Unpaired::new(DEVICE, &code, 7);
    let signer = Offer::Signature(signing_key().public_key());
    let length = device.offer(&signer, &mut wire).unwrap();
    check_documented("Vector 13: Offer, signing", &wire[..length]);
    let mut host = Provisioning::new(&code, key());
    let progress = host.open(&mut wire[1..length - 1]).unwrap();
    let Progress::Offered { device_id, key } = progress else {
        panic!("{progress:?}")
    };
    assert_eq!(device_id, DEVICE);
    assert_eq!(key.expose(), host_key().expose());

    let mut host = Provisioning::new(&code, crate::key());
    let mut offer = [0; MAX_WIRE];
    let length = device.offer(&Offer::HmacTag, &mut offer).unwrap();
    host.open(&mut offer[1..length - 1]).unwrap();
    let length = host.answer(1_770_000_000_000, &mut wire).unwrap();
    check_documented("Vector 14: Key, low-cost", &wire[..length]);
    let given = device.open(&mut wire[1..length - 1]).unwrap();
    assert_eq!(given, crate::key().expose());

    let mut host = Provisioning::resume(&code, host_key());
    let length = device.offer(&signer, &mut offer).unwrap();
    host.open(&mut offer[1..length - 1]).unwrap();
    let length = host.answer(1_770_000_000_000, &mut wire).unwrap();
    check_documented("Vector 15: Key, signing", &wire[..length]);
    let given = device.open(&mut wire[1..length - 1]).unwrap();
    assert_eq!(given, &crate::key().expose()[16..]);
}
