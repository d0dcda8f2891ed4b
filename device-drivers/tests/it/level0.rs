//! Goal: level-0 messages become numbered, authenticated measurements, and holes, replays and
//! forgeries become named events. Method: frames sealed by the sensor's side.

use crate::{NOW, decoder, key, refusals};
use device_drivers::codec::Decoder;
use device_drivers::{
    Event, Measurement, Metric, MissingCause, OpenError, PairingKey, Profile, Quality,
    RejectReason, SerialConfig, Value,
};
use fogward_level0::{
    DeviceClass, DeviceId, Hello, MAX_WIRE, MISSING_SAMPLE, Outgoing, Reading, Sensor, metric,
    quality,
};

const LEVEL0: Profile = Profile::FogwardLevel0;

fn sensor(epoch: u32) -> Sensor {
    Sensor::new(DeviceId(*b"\x00\x01sensor"), key(), epoch)
}

fn seal(sensor: &mut Sensor, message: &Outgoing<'_>) -> Vec<u8> {
    let mut wire = [0; MAX_WIRE];
    let length = sensor.seal(message, &mut wire).unwrap();
    wire[..length].to_vec()
}

fn spo2(percent: i32) -> Reading {
    Reading {
        metric: metric::SPO2,
        quality: quality::GOOD,
        mantissa: percent,
        exponent: 0,
    }
}

fn readings(readings: &[Reading]) -> Outgoing<'_> {
    Outgoing::Readings {
        time_millis: Some(1_000),
        readings,
    }
}

fn push(decoder: &mut Decoder, bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    decoder.push(bytes, NOW, &mut events);
    events
}

fn measured(events: &[Event]) -> Vec<&Measurement> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Measurement(measurement) => Some(measurement),
            _ => None,
        })
        .collect()
}

#[test]
fn readings_are_numbered_and_authenticated() {
    let mut sensor = sensor(3);
    let mut decoder = decoder(LEVEL0);
    let off = Reading {
        metric: metric::PULSE_RATE,
        quality: quality::SENSOR_OFF,
        mantissa: 77,
        exponent: 0,
    };
    let warm = Reading {
        metric: metric::BODY_TEMPERATURE,
        quality: quality::GOOD,
        mantissa: 3_642,
        exponent: -2,
    };
    let events = push(
        &mut decoder,
        &seal(&mut sensor, &readings(&[spo2(97), off, warm])),
    );
    let measured = measured(&events);
    let values: Vec<(Metric, &Value, Quality, u64)> = measured
        .iter()
        .map(|measured| {
            (
                measured.metric,
                &measured.value,
                measured.quality,
                measured.sequence.unwrap(),
            )
        })
        .collect();
    let first = 3 << 32;
    assert_eq!(
        values,
        [
            (Metric::SpO2, &Value::whole(97), Quality::Good, first),
            (
                Metric::PulseRate,
                &Value::Absent,
                Quality::SensorOff,
                first + 1
            ),
            (
                Metric::BodyTemperature,
                &Value::Quantity {
                    mantissa: 3_642,
                    exponent: -2
                },
                Quality::Good,
                first + 2
            ),
        ]
    );
    assert!(
        measured
            .iter()
            .all(|measured| measured.authenticated && measured.device_time_millis == Some(1_000))
    );
}

#[test]
fn a_wave_is_one_segment() {
    let samples = [5, 6, MISSING_SAMPLE, 8];
    let message = Outgoing::Wave {
        metric: metric::PLETH_WAVE,
        time_millis: None,
        period_micros: 250_000,
        samples: &samples,
    };
    let events = push(&mut decoder(LEVEL0), &seal(&mut sensor(1), &message));
    let [wave] = measured(&events).try_into().unwrap();
    let expected = Value::Samples {
        period_micros: 250_000,
        samples: vec![Some(5), Some(6), None, Some(8)],
    };
    assert_eq!(
        (&wave.value, wave.quality, wave.host_time_millis),
        (&expected, Quality::Questionable, NOW - 1_000)
    );
    let long = Outgoing::Wave {
        metric: metric::PLETH_WAVE,
        time_millis: None,
        period_micros: 900_000,
        samples: &samples,
    };
    let events = push(&mut decoder(LEVEL0), &seal(&mut sensor(1), &long));
    assert_eq!(refusals(&events), [(RejectReason::Implausible, 1, 1)]);
}

#[test]
fn a_hello_tells_the_rate() {
    let hello = Hello {
        firmware: [1, 2, 3],
        class: DeviceClass::UltraLight,
        readings_per_1000_s: 500,
        is_listening: false,
    };
    let events = push(
        &mut decoder(LEVEL0),
        &seal(&mut sensor(1), &Outgoing::Hello(hello)),
    );
    let [Event::Device(info)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(info.device_id.as_deref(), Some("000173656e736f72"));
    assert_eq!(info.firmware.as_deref(), Some("1.2.3"));
    assert_eq!(
        info.rate.map(|rate| rate.per_second()).as_deref(),
        Some("0.5")
    );
}

#[test]
fn holes_replays_and_forgeries_have_names() {
    let mut sensor = sensor(1);
    let mut decoder = decoder(LEVEL0);
    let first = seal(&mut sensor, &readings(&[spo2(97)]));
    let lost = seal(&mut sensor, &readings(&[spo2(96), spo2(95)]));
    let third = seal(&mut sensor, &readings(&[spo2(94)]));
    push(&mut decoder, &first);
    assert_eq!(
        refusals(&push(&mut decoder, &first)),
        [(RejectReason::Replayed, 1, 0)]
    );
    let events = push(&mut decoder, &third);
    assert_eq!(
        events[0],
        Event::Missing {
            readings: 2,
            cause: MissingCause::SequenceGap
        }
    );
    let events = push(&mut decoder, &lost);
    assert_eq!(events[0], Event::Recovered { readings: 2 });
    assert_eq!(measured(&events).len(), 2);

    let mut damaged = seal(&mut sensor, &readings(&[spo2(93)]));
    damaged[12] ^= 0x01;
    assert_eq!(
        refusals(&push(&mut decoder, &damaged))[0].0,
        RejectReason::Checksum
    );
    let mut stranger = Sensor::new(DeviceId([1; 8]), PairingKey::from_bytes([1; 32]), 9);
    let forged = seal(&mut stranger, &readings(&[spo2(93)]));
    assert_eq!(
        refusals(&push(&mut decoder, &forged)),
        [(RejectReason::Forged, 1, 0)]
    );
    let mut twin = Sensor::new(DeviceId([1; 8]), key(), 9);
    let twin = seal(&mut twin, &readings(&[spo2(93)]));
    assert_eq!(
        refusals(&push(&mut decoder, &twin)),
        [(RejectReason::WrongDevice, 1, 0)]
    );
}

#[test]
fn what_was_durable_is_not_taken_again() {
    let frame = seal(&mut sensor(1), &readings(&[spo2(97), spo2(97)]));
    let mut config = SerialConfig::new("unused", LEVEL0);
    assert_eq!(Decoder::new(&config).unwrap_err(), OpenError::KeyMissing);
    config.key = Some(key().into());
    config.replay_floor = Some((1 << 32) + 1);
    let mut decoder = Decoder::new(&config).unwrap();
    assert_eq!(
        refusals(&push(&mut decoder, &frame)),
        [(RejectReason::Replayed, 1, 0)]
    );
    assert!(
        !format!("{config:?}").contains("90"),
        "the key is not shown"
    );
}

#[test]
fn unknown_numbers_are_refused_one_by_one() {
    let odd_metric = Reading {
        metric: 200,
        ..spo2(1)
    };
    let odd_quality = Reading {
        quality: 99,
        ..spo2(1)
    };
    let wave = Reading {
        metric: metric::PLETH_WAVE,
        ..spo2(1)
    };
    let odd_exponent = Reading {
        exponent: 100,
        ..spo2(1)
    };
    let message = [odd_metric, odd_quality, wave, odd_exponent, spo2(97)];
    let events = push(
        &mut decoder(LEVEL0),
        &seal(&mut sensor(1), &readings(&message)),
    );
    let reasons: Vec<RejectReason> = refusals(&events)
        .iter()
        .map(|(reason, _, _)| *reason)
        .collect();
    use RejectReason::{Implausible, UnknownMessage};
    assert_eq!(
        reasons,
        [UnknownMessage, UnknownMessage, UnknownMessage, Implausible]
    );
    assert_eq!(measured(&events).len(), 1);
}
