//! Goal: status bits become the right qualities, the device is told once, clocks coincide, packets find
//! each other, and nothing is counted twice. Method: tables and sequences of values into one decoder.

use crate::gatt_vectors::{push, values};
use crate::{NOW, refusals};
use device_drivers::gatt::{Gatt, MAX_VALUE_BYTES, READ, SUBSCRIBE, uuid};
use device_drivers::{CoincidentTime, DeviceInfo, Event, Metric, Quality, RejectReason};

/// The qualities of SpO₂ under each bit of a status field of 2A5F.
fn plx_qualities(flags: u8, width: usize, bits: std::ops::Range<u32>) -> Vec<Quality> {
    bits.map(|bit| {
        let status = &(1u32 << bit).to_le_bytes()[..width];
        let hex = format!("{flags:02x} 6200 4000 {}", hex::encode(status));
        let events = push(&mut Gatt::new(), uuid::PLX_CONTINUOUS_MEASUREMENT, &hex);
        values(&events)[0].2
    })
    .collect()
}

#[test]
fn each_bit_of_an_oximeters_status_has_its_quality() {
    use Quality::{Good, LowPerfusion, Missing, Questionable, Searching, SensorFault, SensorOff};
    // Bits 0 to 4 reserved, ongoing, estimate, validated, qualified, stored; then calibration on.
    let measurement = [
        Good,
        Good,
        Good,
        Good,
        Good,
        Questionable,
        Questionable,
        Good,
        Good,
        Good,
    ];
    assert_eq!(plx_qualities(0x04, 2, 0..10), measurement);
    let rest = [Questionable, Missing, Questionable, Missing];
    assert_eq!(plx_qualities(0x04, 2, 12..16), rest);
    let device = [
        Questionable,
        SensorFault,
        Questionable,
        Missing,
        Questionable,
        LowPerfusion,
        Questionable,
        Searching,
        Questionable,
        Searching,
        Questionable,
        SensorOff,
        SensorFault,
        SensorOff,
        SensorFault,
        SensorFault,
        Good,
        Good,
    ];
    assert_eq!(plx_qualities(0x08, 3, 0..18), device);
    for demonstration in ["04 6200 4000 0004", "04 6200 4000 0008"] {
        let events = push(
            &mut Gatt::new(),
            uuid::PLX_CONTINUOUS_MEASUREMENT,
            demonstration,
        );
        assert_eq!(refusals(&events), [(RejectReason::NotFromBody, 1, 0)]);
        assert_eq!(values(&events), []);
    }
}

#[test]
fn each_bit_of_a_cuffs_status_has_its_quality() {
    use Quality::{Good, Questionable};
    for bit in 0..16 {
        let status = hex::encode((1u16 << bit).to_le_bytes());
        let hex = format!("14 7800 5000 5d00 4800 {status}");
        let events = push(&mut Gatt::new(), uuid::BLOOD_PRESSURE_MEASUREMENT, &hex);
        let qualities: Vec<Quality> = values(&events).iter().map(|value| value.2).collect();
        let pressure = if [0, 1, 2, 5].contains(&bit) {
            Questionable
        } else {
            Good
        };
        let pulse = if bit < 6 { Questionable } else { Good };
        assert_eq!(
            qualities,
            [pressure, pressure, pressure, pulse],
            "bit {bit}"
        );
    }
}

#[test]
fn each_bit_of_a_glucose_meters_status_has_its_quality() {
    for bit in 0..16 {
        let status = hex::encode((1u16 << bit).to_le_bytes());
        let hex = format!("0a 0100 e4070114082b00 5fb0 11 {status}");
        let events = push(&mut Gatt::new(), uuid::GLUCOSE_MEASUREMENT, &hex);
        let quality = match bit {
            1 | 10 => Quality::SensorFault,
            2..=9 => Quality::Questionable,
            _ => Quality::Good,
        };
        assert_eq!(values(&events)[0].2, quality, "bit {bit}");
        let Event::Measurement(measured) = &events[0] else {
            panic!("a measurement");
        };
        assert_eq!(
            measured.device_time_millis.is_none(),
            bit == 11,
            "bit {bit}"
        );
    }
}

#[test]
fn what_no_body_can_have_is_refused() {
    let table = [
        (uuid::PLX_CONTINUOUS_MEASUREMENT, "00 6500 4000", 1), // 101 %
        (uuid::PLX_CONTINUOUS_MEASUREMENT, "00 6200 ff0f", 1), // −1 /min
        (uuid::HEART_RATE_MEASUREMENT, "01 e803", 1),          // 1,000 /min
        (uuid::TEMPERATURE_MEASUREMENT, "00 01000002 ", 0),    // 100 °C: a wide limit
        (uuid::TEMPERATURE_MEASUREMENT, "00 65000000", 1),     // 101 °C
        (uuid::TEMPERATURE_MEASUREMENT, "00 ffffffff", 1),     // −0.1 °C
        (uuid::TEMPERATURE_MEASUREMENT, "00 0100007f", 1),     // 10^127 °C
        (uuid::TEMPERATURE_MEASUREMENT, "01 0100007f", 1),
        (uuid::TEMPERATURE_MEASUREMENT, "00 01000080", 1), // 10^−128 °C
        (uuid::WEIGHT_MEASUREMENT, "08 b036 8913 c20b", 2), // BMI 500.1, 301.0 cm
        (uuid::WEIGHT_MEASUREMENT, "08 b036 8813 b80b", 0), // BMI 500.0, 300.0 cm
        (
            uuid::GLUCOSE_MEASUREMENT,
            "02 0100 e4070114082b00 f5c1 11",
            1,
        ), // 5,010 mg/dL
        (
            uuid::GLUCOSE_MEASUREMENT,
            "06 0100 e4070114082b00 2dd1 11",
            1,
        ), // 301 mmol/L
        (uuid::BODY_COMPOSITION_MEASUREMENT, "0000 e903", 1), // 100.1 %
        (uuid::BLOOD_PRESSURE_MEASUREMENT, "01 0170 0170 0170", 3), // 10⁷ kPa
    ];
    for (characteristic, hex, refused) in table {
        let events = push(&mut Gatt::new(), characteristic, hex);
        let readings: u32 = refusals(&events)
            .into_iter()
            .map(|(reason, frames, readings)| {
                assert_eq!((reason, frames), (RejectReason::Implausible, 1), "{hex}");
                readings
            })
            .sum();
        assert_eq!(readings, refused, "{hex}");
    }
}

#[test]
fn values_that_do_not_decode_are_counted() {
    let mut gatt = Gatt::new();
    let table = [
        (0x2a00, "41", RejectReason::UnknownMessage, 0),
        (
            uuid::HEART_RATE_MEASUREMENT,
            "",
            RejectReason::Incomplete,
            1,
        ),
        (
            uuid::BLOOD_PRESSURE_MEASUREMENT,
            "00 7800",
            RejectReason::Incomplete,
            3,
        ),
        (
            uuid::PLX_CONTINUOUS_MEASUREMENT,
            "00 6200 4000 00",
            RejectReason::TooLong,
            2,
        ),
        (uuid::BATTERY_LEVEL, "65", RejectReason::Implausible, 0),
        (
            uuid::RECORD_ACCESS_CONTROL_POINT,
            "07 00",
            RejectReason::Implausible,
            0,
        ),
    ];
    for (characteristic, hex, reason, readings) in table {
        let events = push(&mut gatt, characteristic, hex);
        assert_eq!(refusals(&events), [(reason, 1, readings)], "{hex}");
    }
    let long = "00".repeat(MAX_VALUE_BYTES + 1);
    let events = push(&mut gatt, uuid::MODEL_NUMBER, &long);
    assert_eq!(refusals(&events), [(RejectReason::TooLong, 1, 0)]);
    assert_eq!(gatt.frames(), 0);
}

/// The only device told.
fn told(events: &[Event]) -> Option<&DeviceInfo> {
    match events {
        [] => None,
        [Event::Device(info)] => Some(info),
        _ => panic!("one event at most, of the device"),
    }
}

#[test]
fn a_device_is_told_when_it_changes() {
    let mut gatt = Gatt::new();
    let events = push(&mut gatt, uuid::MODEL_NUMBER, &hex::encode("HEM-7600T\0"));
    assert_eq!(told(&events).unwrap().model.as_deref(), Some("HEM-7600T"));
    let events = push(&mut gatt, uuid::MODEL_NUMBER, &hex::encode("HEM-7600T"));
    assert_eq!(told(&events), None, "nothing new");
    // Not UTF-8, a terminal's escape, and longer than any name.
    let events = push(&mut gatt, uuid::MANUFACTURER_NAME, "41 ff 1b5b326a 42");
    let name = told(&events).unwrap().manufacturer.clone().unwrap();
    assert_eq!(name, "A\u{fffd}[2jB");
    let events = push(&mut gatt, uuid::SERIAL_NUMBER, &"c3a9".repeat(200));
    let serial = told(&events).unwrap().serial_number.clone().unwrap();
    assert_eq!(serial, "é".repeat(64));
    // A mark that turns the direction of reading, and nothing but such marks.
    let events = push(&mut gatt, uuid::HARDWARE_REVISION, "31 e280ae 32");
    assert_eq!(told(&events).unwrap().hardware.as_deref(), Some("12"));
    let events = push(&mut gatt, uuid::HARDWARE_REVISION, "e280ae 00");
    assert_eq!(told(&events).unwrap().hardware, None);
    // The octets of an EUI-64 are sent with the last first.
    let events = push(&mut gatt, uuid::SYSTEM_ID, "efcdab feff 221100");
    let info = told(&events).unwrap();
    assert_eq!(info.device_id.as_deref(), Some("001122fffeabcdef"));
    let events = push(&mut gatt, uuid::BATTERY_LEVEL, "64");
    assert_eq!(told(&events).unwrap().battery_percent, Some(100));
    assert_eq!(gatt.info().model.as_deref(), Some("HEM-7600T"));
    let events = push(&mut gatt, uuid::PNP_ID, "01 0d00 1001 0002");
    assert_eq!(told(&events), None);
    let product = gatt.facts().product.unwrap();
    assert_eq!(
        (product.vendor, product.product, product.version),
        (0x000d, 0x0110, 0x0200)
    );
}

#[test]
fn features_are_kept() {
    let mut gatt = Gatt::new();
    for (characteristic, hex) in [
        (uuid::PLX_FEATURES, "0300 e0ff ffff00"),
        (uuid::BLOOD_PRESSURE_FEATURE, "1f00"),
        (uuid::GLUCOSE_FEATURE, "ff07"),
        (uuid::WEIGHT_SCALE_FEATURE, "b8010000"),
        (uuid::BODY_COMPOSITION_FEATURE, "00b80100"),
        (uuid::BODY_SENSOR_LOCATION, "01"),
        (uuid::TEMPERATURE_TYPE, "06"),
    ] {
        assert!(push(&mut gatt, characteristic, hex).is_empty(), "{hex}");
    }
    let facts = gatt.facts();
    let oximeter = facts.pulse_oximeter.unwrap();
    assert_eq!(
        (oximeter.measurement_status, oximeter.device_status),
        (Some(0xffe0), Some(0xffff))
    );
    assert_eq!(facts.blood_pressure.unwrap().0, 0x1f);
    assert_eq!(facts.glucose.unwrap().0, 0x07ff);
    // Weight steps of 0.005 kg (7), height steps of 0.001 m (3), in both forms of the field.
    let (weight, body) = (facts.weight_scale.unwrap(), facts.body_composition.unwrap());
    assert_eq!(weight.weight_resolution, body.weight_resolution);
    assert_eq!(weight.height_resolution, body.height_resolution);
    assert_eq!(
        format!("{:?}", weight.weight_resolution),
        "Steps { grams: 5, centipounds: 1 }"
    );
    assert_eq!((weight.supported, body.supported), (0, 0));
    assert_eq!(gatt.frames(), 7);
}

/// A meter whose clock was wrong for days is set: what it stored is placed by the first pair, what
/// follows by the second.
#[test]
fn clocks_coincide_before_and_after_they_are_set() {
    let mut gatt = Gatt::new();
    let clock = |events: Vec<Event>| match events[..] {
        [Event::Clock(time)] => time,
        _ => panic!("one coincident time"),
    };
    let before = clock(push(
        &mut gatt,
        uuid::CURRENT_TIME,
        "e4070114082b00 01 00 00",
    ));
    assert_eq!(
        before,
        CoincidentTime {
            device_time_millis: 1_579_509_780_000,
            host_time_millis: NOW,
        }
    );
    let set = device_drivers::gatt::CurrentTime::from_millis(NOW).encode();
    let after = clock(push(&mut gatt, uuid::CURRENT_TIME, &hex::encode(set)));
    assert_eq!(after.device_time_millis, after.host_time_millis);
    let after = clock(push(&mut gatt, uuid::DATE_TIME, "e4070114082b00"));
    assert_eq!(after.device_time_millis, 1_579_509_780_000);
    // A clock that does not know the date places nothing.
    assert!(push(&mut gatt, uuid::CURRENT_TIME, "00000114082b00 00 00 00").is_empty());
    assert_eq!(gatt.frames(), 4);
}

#[test]
fn two_packets_make_one_body_composition() {
    use Metric::{BodyFat, BodyWeight};
    const FIRST: &str = "0210 d700 e4070114082b00";
    const SECOND: &str = "0014 d700 b036";
    let fat = (BodyFat, Some((215, -1)), Quality::Good);
    let other_fat = (BodyFat, Some((216, -1)), Quality::Good);
    let weight = (BodyWeight, Some((70_000, -3)), Quality::Good);
    let mut gatt = Gatt::new();
    assert_eq!(
        values(&push(&mut gatt, uuid::BODY_COMPOSITION_MEASUREMENT, FIRST)),
        [fat]
    );
    let events = push(&mut gatt, uuid::BODY_COMPOSITION_MEASUREMENT, SECOND);
    assert_eq!(values(&events), [weight]);
    let Event::Measurement(measured) = &events[0] else {
        panic!("a measurement");
    };
    assert_eq!(measured.device_time_millis, Some(1_579_509_780_000));
    // After the pair, and after a first packet whose second never comes, a packet is a first again.
    assert_eq!(
        values(&push(&mut gatt, uuid::BODY_COMPOSITION_MEASUREMENT, FIRST)),
        [fat]
    );
    let mut events = Vec::new();
    gatt.reset(&mut events);
    assert_eq!(refusals(&events), [(RejectReason::Incomplete, 1, 0)]);
    assert_eq!(
        values(&push(&mut gatt, uuid::BODY_COMPOSITION_MEASUREMENT, FIRST)),
        [fat]
    );
    let whole = push(
        &mut gatt,
        uuid::BODY_COMPOSITION_MEASUREMENT,
        "0004 d700 b036",
    );
    assert_eq!(values(&whole), [fat, weight]);
    assert_eq!(refusals(&whole), [(RejectReason::Incomplete, 1, 0)]);
    let mut events = Vec::new();
    gatt.reset(&mut events);
    assert!(events.is_empty());
    // After a first packet whose second was lost, neither the next first packet, nor a second of another
    // measurement, nor one an hour later makes a pair.
    let late = NOW + 3_600_000;
    for (next, came_millis, expected) in [
        (FIRST, NOW, vec![fat]),
        ("0014 d800 b036", NOW, vec![other_fat, weight]),
        (SECOND, late, vec![fat, weight]),
    ] {
        let mut gatt = Gatt::new();
        push(&mut gatt, uuid::BODY_COMPOSITION_MEASUREMENT, FIRST);
        let value = hex::decode(next.replace(' ', "")).unwrap();
        let mut events = Vec::new();
        gatt.push(
            uuid::BODY_COMPOSITION_MEASUREMENT,
            &value,
            came_millis,
            &mut events,
        );
        assert_eq!(values(&events), expected, "{next}");
        assert_eq!(refusals(&events), [(RejectReason::Incomplete, 1, 0)]);
    }
}

#[test]
fn a_record_counts_once() {
    let mut gatt = Gatt::new();
    gatt.resume_after(3);
    let record = |number: u8| format!("02 {number:02x}00 e4070114082b00 5fb0 11");
    for (number, is_new) in [(2, false), (3, false), (4, true), (4, false), (9, true)] {
        let events = push(&mut gatt, uuid::GLUCOSE_MEASUREMENT, &record(number));
        assert_eq!(values(&events).len(), usize::from(is_new), "{number}");
        if !is_new {
            assert_eq!(refusals(&events), [(RejectReason::Replayed, 1, 0)]);
        }
    }
    let mut events = Vec::new();
    gatt.reset(&mut events);
    let events = push(&mut gatt, uuid::GLUCOSE_MEASUREMENT, &record(9));
    assert_eq!(values(&events), [], "a drop does not forget");
}

#[test]
fn what_is_read_and_subscribed_to_is_known() {
    for &characteristic in READ.iter().chain(SUBSCRIBE) {
        let mut events = Vec::new();
        Gatt::new().push(characteristic, &[], NOW, &mut events);
        let is_unknown = refusals(&events)
            .iter()
            .any(|(reason, ..)| *reason == RejectReason::UnknownMessage);
        assert!(!is_unknown, "{characteristic:04x}");
    }
    let place = |characteristic| SUBSCRIBE.iter().position(|one| *one == characteristic);
    assert!(place(uuid::GLUCOSE_MEASUREMENT) < place(uuid::RECORD_ACCESS_CONTROL_POINT));
}
