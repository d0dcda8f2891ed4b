//! Goal: the names and codes that other programs rely on, and the rule that an absent value is
//! no number. Method: tables.

use crate::NOW;
use device_drivers::serial::list_ports;
use device_drivers::{Measurement, Metric, Profile, Quality, Rate, Value};

#[test]
fn profile_names_are_a_contract() {
    let names = [
        "nonin-oem3",
        "nonin-ascii",
        "contec-cms50dplus",
        "contec-cms50d-115200",
        "fogward-level0",
    ];
    let lines = [
        "9600 baud, 8N1",
        "9600 baud, 8N1",
        "19200 baud, 8O1",
        "115200 baud, 8N1",
        "115200 baud, 8N1",
    ];
    for ((name, line), profile) in names.into_iter().zip(lines).zip(Profile::ALL) {
        assert_eq!(profile.to_string(), name);
        assert_eq!(name.parse(), Ok(profile));
        assert_eq!(profile.line().to_string(), line);
    }
    assert!("nonin".parse::<Profile>().is_err());
}

#[test]
fn codes_and_units() {
    let table = [
        (Metric::SpO2, "59408-5", "%"),
        (Metric::PulseRate, "8889-8", "/min"),
        (Metric::PlethWave, "76524-8", "1"),
        (Metric::PerfusionIndex, "61006-3", "%"),
        (Metric::BodyTemperature, "8310-5", "Cel"),
        (Metric::RespirationRate, "9279-1", "/min"),
        (Metric::HeartRate, "8867-4", "/min"),
        (Metric::BloodPressureSystolic, "8480-6", "mm[Hg]"),
        (Metric::BloodPressureDiastolic, "8462-4", "mm[Hg]"),
        (Metric::BloodPressureMean, "8478-0", "mm[Hg]"),
        (Metric::GlucoseMass, "2339-0", "mg/dL"),
        (Metric::GlucoseMolar, "15074-8", "mmol/L"),
        (Metric::BodyWeight, "29463-7", "kg"),
        (Metric::BodyHeight, "8302-2", "cm"),
        (Metric::BodyMassIndex, "39156-5", "kg/m2"),
        (Metric::BodyFat, "41982-0", "%"),
        (Metric::MusclePercentage, "73965-6", "%"),
        (Metric::MuscleMass, "73964-9", "kg"),
        (Metric::BodyWaterMass, "101683-1", "kg"),
        (Metric::RrInterval, "8637-1", "ms"),
        (Metric::EnergyExpended, "41981-2", "kJ"),
    ];
    for (metric, loinc, unit) in table {
        assert_eq!((metric.loinc(), metric.ucum()), (loinc, unit));
        assert_eq!(Metric::from_loinc(loinc), Some(metric));
        let (digits, check) = loinc.split_once('-').unwrap();
        assert_eq!(mod10(digits), check, "{loinc} has a wrong check digit");
    }
    assert_eq!(table.len(), Metric::ALL.len());
}

/// Readings are stored by a metric's place; places never change.
#[test]
fn metrics_keep_their_place() {
    for (place, metric) in Metric::ALL.into_iter().enumerate() {
        assert_eq!(metric as usize, place, "{metric}");
    }
    // A term of partition 2 (supervisory control, sensors) or 129 (health and fitness).
    for metric in Metric::ALL {
        let partition = metric.mdc().map(|code| code >> 16);
        assert!(matches!(partition, None | Some(2 | 129)), "{metric}");
    }
}

/// LOINC's check digit: Luhn's over the digits before the hyphen.
fn mod10(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            if place % 2 == 1 {
                digit
            } else {
                digit * 2 / 10 + digit * 2 % 10
            }
        })
        .sum();
    ((10 - sum % 10) % 10).to_string()
}

#[test]
fn an_absent_value_is_never_a_number() {
    for quality in [
        Quality::Searching,
        Quality::Missing,
        Quality::SensorOff,
        Quality::SensorFault,
    ] {
        let measured = Measurement::new(Metric::SpO2, Some(Value::whole(97)), quality, NOW);
        assert_eq!((measured.value, measured.quality), (Value::Absent, quality));
    }
    for quality in [Quality::Good, Quality::LowPerfusion, Quality::Questionable] {
        let measured = Measurement::new(Metric::SpO2, None, quality, NOW);
        assert_eq!(
            (measured.value, measured.quality),
            (Value::Absent, Quality::Missing)
        );
        let measured = Measurement::new(Metric::SpO2, Some(Value::whole(97)), quality, NOW);
        assert_eq!(
            (measured.value, measured.quality),
            (Value::whole(97), quality)
        );
    }
    let measured = Measurement::new(Metric::SpO2, Some(Value::whole(97)), Quality::Good, NOW);
    assert!(
        !format!("{measured:?}").contains("97"),
        "measurements do not reach a log"
    );
}

#[test]
fn rates() {
    let rate = Rate {
        readings: 7,
        per_millis: 1_000,
    };
    assert_eq!((rate.expected_in(999), rate.expected_in(2_000)), (6, 14));
    assert_eq!(
        Rate {
            readings: 1,
            per_millis: 0
        }
        .expected_in(3),
        3
    );
}

#[test]
fn ports_are_listed_in_order() {
    let ports = list_ports();
    assert!(ports.is_sorted_by(|left, right| left.path <= right.path));
    assert!(
        ports
            .iter()
            .all(|port| !port.title.is_empty() && !port.path.is_empty())
    );
}
