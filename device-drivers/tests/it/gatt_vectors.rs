//! Goal: known values of real and worked examples mean what they are known to mean. Method: tables of
//! bytes with their meaning and source.
//!
//! Sources: *GSS*, worked by hand from the GATT Specification Supplement; *cuff*, the indication of a
//! blood pressure monitor that its owner published with a question, and which another program had
//! shown as 127.0 mmHg; *PLXS*, *GLS*, *CTS*, worked by hand from these services' tables.

use crate::NOW;
use device_drivers::gatt::{
    BloodPressureMeasurement, BodyComposition, BodySensorLocation, DateTime, Gatt, Service,
    TemperatureType, WeightMeasurement, uuid,
};
use device_drivers::{Event, Metric, Quality, RejectReason, Value};

/// A number as (mantissa, exponent).
type Number = Option<(i64, i8)>;

/// What a fresh decoder measures.
pub(crate) fn measured(characteristic: u16, hex: &str) -> Vec<(Metric, Number, Quality)> {
    values(&push(&mut Gatt::new(), characteristic, hex))
}

pub(crate) fn push(gatt: &mut Gatt, characteristic: u16, hex: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let value = hex::decode(hex.replace(' ', "")).unwrap();
    gatt.push(characteristic, &value, NOW, &mut events);
    events
}

pub(crate) fn values(events: &[Event]) -> Vec<(Metric, Number, Quality)> {
    let measured = events.iter().filter_map(|event| match event {
        Event::Measurement(measured) => Some(measured),
        _ => None,
    });
    measured
        .map(|measured| {
            let number = match measured.value {
                Value::Quantity { mantissa, exponent } => Some((mantissa, exponent)),
                _ => None,
            };
            (measured.metric, number, measured.quality)
        })
        .collect()
}

/// Times by the devices' clocks.
fn device_times(events: &[Event]) -> Vec<Option<i64>> {
    let times = events.iter().filter_map(|event| match event {
        Event::Measurement(measured) => Some(measured.device_time_millis),
        _ => None,
    });
    times.collect()
}

const GOOD: Quality = Quality::Good;

#[test]
fn heart_rate() {
    use Metric::{EnergyExpended, HeartRate, RrInterval};
    // GSS. 80 bpm, contact, RR intervals of 1,000 and 875 ms.
    assert_eq!(
        measured(uuid::HEART_RATE_MEASUREMENT, "16 50 0004 8003"),
        [
            (HeartRate, Some((80, 0)), GOOD),
            (RrInterval, Some((1_000, 0)), GOOD),
            (RrInterval, Some((875, 0)), GOOD),
        ]
    );
    // GSS. 16 bits, no contact detection, 258 kJ; an RR interval of 1 is 0.9765625 ms exactly.
    assert_eq!(
        measured(uuid::HEART_RATE_MEASUREMENT, "19 2c01 0201 0100"),
        [
            (HeartRate, Some((300, 0)), GOOD),
            (RrInterval, Some((9_765_625, -7)), GOOD),
            (EnergyExpended, Some((258, 0)), GOOD),
        ]
    );
    // The strap is off, or finds no beat; the energy counter is at its end.
    assert_eq!(
        measured(uuid::HEART_RATE_MEASUREMENT, "04 50"),
        [(HeartRate, None, Quality::SensorOff)]
    );
    assert_eq!(
        measured(uuid::HEART_RATE_MEASUREMENT, "0e 00 ffff"),
        [
            (HeartRate, None, Quality::Missing),
            (EnergyExpended, Some((65_535, 0)), Quality::Questionable),
        ]
    );
}

#[test]
fn temperature() {
    let table = [
        // GSS. 36.4 °C; with time 2020-01-20 08:43:00 and type; special values.
        ("00 6c0100ff", Some((364, -1)), GOOD),
        ("06 6c0100ff e4070114082b00 06", Some((364, -1)), GOOD),
        ("00 380e00fe", Some((3_640, -2)), GOOD),
        ("00 ffff7f00", None, Quality::Missing),
        ("00 00008000", None, Quality::Missing),
        ("00 feff7f00", None, Quality::Missing),
        // 98.6 °F is 37 °C; 99.5 °F is 37.5; 98.7 °F is 37.05…; 100 °F, sent as 1 × 10², is 37.77….
        ("01 da0300ff", Some((3_700, -2)), GOOD),
        ("01 e30300ff", Some((3_750, -2)), GOOD),
        ("01 db0300ff", Some((3_706, -2)), GOOD),
        ("01 01000002", Some((378, -1)), GOOD),
    ];
    for (hex, number, quality) in table {
        assert_eq!(
            measured(uuid::TEMPERATURE_MEASUREMENT, hex),
            [(Metric::BodyTemperature, number, quality)],
            "{hex}"
        );
    }
    // On its way to the measurement, it is not settled.
    assert_eq!(
        measured(uuid::INTERMEDIATE_TEMPERATURE, "00 6c0100ff"),
        [(
            Metric::BodyTemperature,
            Some((364, -1)),
            Quality::Questionable
        )]
    );
    let events = push(
        &mut Gatt::new(),
        uuid::TEMPERATURE_MEASUREMENT,
        "02 6c0100ff e4070114082b00",
    );
    assert_eq!(device_times(&events), [Some(1_579_509_780_000)]);
}

#[test]
fn pulse_oximeter() {
    use Metric::{PerfusionIndex, PulseRate, SpO2};
    // PLXS 3.6: 98 %, 64 bpm; with fast and slow averages (97/65, 99/63) that are not measured.
    for hex in ["00 6200 4000", "03 6200 4000 6100 4100 6300 3f00"] {
        assert_eq!(
            measured(uuid::PLX_CONTINUOUS_MEASUREMENT, hex),
            [
                (SpO2, Some((98, 0)), GOOD),
                (PulseRate, Some((64, 0)), GOOD)
            ]
        );
    }
    // PLXS 3.2: time, fully qualified, low perfusion, index 1.2 %.
    let spot = "0f 6200 4000 e4070114082b00 0001 200000 0cf0";
    let events = push(&mut Gatt::new(), uuid::PLX_SPOT_CHECK_MEASUREMENT, spot);
    assert_eq!(
        values(&events),
        [
            (SpO2, Some((98, 0)), Quality::LowPerfusion),
            (PulseRate, Some((64, 0)), Quality::LowPerfusion),
            (PerfusionIndex, Some((12, -1)), Quality::LowPerfusion),
        ]
    );
    assert_eq!(device_times(&events), [Some(1_579_509_780_000); 3]);
    // The same with bit 4: the clock is not set.
    let unset = spot.replacen("0f", "1f", 1);
    let events = push(&mut Gatt::new(), uuid::PLX_SPOT_CHECK_MEASUREMENT, &unset);
    assert_eq!(device_times(&events), [None; 3]);
}

#[test]
fn blood_pressure() {
    use Metric::{
        BloodPressureDiastolic as Diastolic, BloodPressureMean as Mean,
        BloodPressureSystolic as Systolic, HeartRate,
    };
    // GSS. 120/80, mean 93 mmHg, pulse 72.
    assert_eq!(
        measured(uuid::BLOOD_PRESSURE_MEASUREMENT, "04 7800 5000 5d00 4800"),
        [
            (Systolic, Some((120, 0)), GOOD),
            (Diastolic, Some((80, 0)), GOOD),
            (Mean, Some((93, 0)), GOOD),
            (HeartRate, Some((72, 0)), GOOD),
        ]
    );
    // Cuff. Reserved flags and a reserved status bit are set; the mean is NaN.
    let hex = "def6f416f3ff07e4070114082b00b2f2018000";
    let events = push(&mut Gatt::new(), uuid::BLOOD_PRESSURE_MEASUREMENT, hex);
    assert_eq!(
        values(&events),
        [
            (Systolic, Some((1_270, -1)), GOOD),
            (Diastolic, Some((790, -1)), GOOD),
            (Mean, None, Quality::Missing),
            (HeartRate, Some((690, -1)), GOOD),
        ]
    );
    assert_eq!(device_times(&events), [Some(1_579_509_780_000); 4]);
    // GSS. 16.0/10.7 kPa, mean 12.4: 120.0, 80.3 and 93.0 mmHg of 133.322 Pa, rounded to 0.01.
    assert_eq!(
        measured(uuid::BLOOD_PRESSURE_MEASUREMENT, "01 a0f0 6bf0 7cf0"),
        [
            (Systolic, Some((12_001, -2)), GOOD),
            (Diastolic, Some((8_026, -2)), GOOD),
            (Mean, Some((9_301, -2)), GOOD),
        ]
    );
    // The pressure in a cuff is decoded and is no blood pressure.
    let mut gatt = Gatt::new();
    let events = push(
        &mut gatt,
        uuid::INTERMEDIATE_CUFF_PRESSURE,
        "00 8c00 ff07 ff07",
    );
    assert_eq!((events.len(), gatt.frames()), (0, 1));
}

#[test]
fn glucose() {
    // GLS. Record 1, 2020-01-20 08:43:00 and 60 minutes; 95 × 10⁻⁵ kg/L, capillary, finger.
    let events = push(
        &mut Gatt::new(),
        uuid::GLUCOSE_MEASUREMENT,
        "0b 0100 e4070114082b00 3c00 5fb0 11 0000",
    );
    assert_eq!(
        values(&events),
        [(Metric::GlucoseMass, Some((95, 0)), GOOD)]
    );
    assert_eq!(device_times(&events), [Some(1_579_513_380_000)]);
    let Event::Measurement(measured_one) = &events[0] else {
        panic!("a measurement");
    };
    assert_eq!(measured_one.sequence, Some(1));
    let table = [
        // 5.3 mmol/L; above what the meter measures; a test that failed; a clock at fault.
        (
            "06 0200 e4070114082b00 35c0 11",
            Metric::GlucoseMolar,
            Some((53, -1)),
            GOOD,
        ),
        (
            "0a 0300 e4070114082b00 fe07 11 2000",
            Metric::GlucoseMass,
            None,
            Quality::Missing,
        ),
        (
            "08 0400 e4070114082b00 0200",
            Metric::GlucoseMass,
            None,
            Quality::SensorFault,
        ),
        (
            "0c 0400 e4070114082b00 0400",
            Metric::GlucoseMolar,
            None,
            Quality::Missing,
        ),
        (
            "0a 0500 e4070114082b00 5fb0 11 0008",
            Metric::GlucoseMass,
            Some((95, 0)),
            GOOD,
        ),
    ];
    for (hex, metric, number, quality) in table {
        assert_eq!(
            measured(uuid::GLUCOSE_MEASUREMENT, hex),
            [(metric, number, quality)],
            "{hex}"
        );
    }
}

#[test]
fn glucose_of_what() {
    // Control solution is nobody's, interstitial fluid has no metric; a reserved specimen is doubtful.
    let refused = [
        (
            "02 0600 e4070114082b00 5fb0 4a",
            RejectReason::NotFromBody,
            0,
        ),
        (
            "02 0700 e4070114082b00 5fb0 19",
            RejectReason::UnknownMessage,
            1,
        ),
    ];
    for (hex, reason, readings) in refused {
        let events = push(&mut Gatt::new(), uuid::GLUCOSE_MEASUREMENT, hex);
        assert_eq!(crate::refusals(&events), [(reason, 1, readings)], "{hex}");
    }
    assert_eq!(
        measured(uuid::GLUCOSE_MEASUREMENT, "02 0800 e4070114082b00 5fb0 10"),
        [(Metric::GlucoseMass, Some((95, 0)), Quality::Questionable)]
    );
}

#[test]
fn scales() {
    use Metric::{
        BodyFat, BodyHeight, BodyMassIndex, BodyWaterMass, BodyWeight, MuscleMass, MusclePercentage,
    };
    // GSS. 70.000 kg with BMI 22.9 and 1.750 m; 154.32 lb and 68.9 in; not weighed.
    assert_eq!(
        measured(uuid::WEIGHT_MEASUREMENT, "08 b036 e500 d606"),
        [
            (BodyWeight, Some((70_000, -3)), GOOD),
            (BodyMassIndex, Some((229, -1)), GOOD),
            (BodyHeight, Some((1_750, -1)), GOOD),
        ]
    );
    assert_eq!(
        measured(uuid::WEIGHT_MEASUREMENT, "09 483c e500 b102"),
        [
            (BodyWeight, Some((699_983_745_384, -10)), GOOD),
            (BodyMassIndex, Some((229, -1)), GOOD),
            (BodyHeight, Some((175_006, -3)), GOOD),
        ]
    );
    assert_eq!(
        measured(uuid::WEIGHT_MEASUREMENT, "00 ffff"),
        [(BodyWeight, None, Quality::Missing)]
    );
    // GSS. 21.5 % fat, 40.2 % and 28.000 kg muscle, 38.5 kg water, 500.0 Ω, 70.000 kg, 1.750 m.
    assert_eq!(
        measured(
            uuid::BODY_COMPOSITION_MEASUREMENT,
            "300f d700 9201 e015 141e 8813 b036 d606"
        ),
        [
            (BodyFat, Some((215, -1)), GOOD),
            (MusclePercentage, Some((402, -1)), GOOD),
            (MuscleMass, Some((28_000, -3)), GOOD),
            (BodyWaterMass, Some((38_500, -3)), GOOD),
            (BodyWeight, Some((70_000, -3)), GOOD),
            (BodyHeight, Some((1_750, -1)), GOOD),
        ]
    );
    // It failed; it failed and its other fields say so, too.
    assert_eq!(
        measured(uuid::BODY_COMPOSITION_MEASUREMENT, "0000 ffff"),
        [(BodyFat, None, Quality::Missing)]
    );
    let missing = [
        BodyFat,
        MusclePercentage,
        MuscleMass,
        BodyWeight,
        BodyHeight,
    ]
    .map(|metric| (metric, None, Quality::Missing));
    assert_eq!(
        measured(
            uuid::BODY_COMPOSITION_MEASUREMENT,
            "300c ffff ffff ffff ffff ffff"
        ),
        missing
    );
}

/// 255 is "unknown user" in all three profiles that have users.
#[test]
fn an_unknown_user_is_none() {
    for (id, user) in [(0xff, None), (0xfe, Some(0xfe)), (0, Some(0))] {
        let cuff = BloodPressureMeasurement::decode(&[0x08, 0x78, 0, 0x50, 0, 0x5d, 0, id]);
        assert_eq!(cuff.unwrap().user_id, user);
        let scale = WeightMeasurement::decode(&[0x04, 0xb0, 0x36, id]);
        assert_eq!(scale.unwrap().user_id, user);
        let body = BodyComposition::decode(&[0x04, 0x00, 0xd7, 0x00, id]);
        assert_eq!(body.unwrap().user_id, user);
    }
}

#[test]
fn enumerations_name_all_values() {
    for number in 0..=u8::MAX {
        let location = BodySensorLocation::decode(&[number]).unwrap();
        let is_reserved = matches!(location, BodySensorLocation::Reserved(same) if same == number);
        assert_eq!(is_reserved, number > 6, "{number}");
        let kind = TemperatureType::decode(&[number]).unwrap();
        let is_reserved = matches!(kind, TemperatureType::Reserved(same) if same == number);
        assert_eq!(is_reserved, number == 0 || number > 9, "{number}");
    }
}

#[test]
fn services_have_their_assigned_numbers() {
    let numbers = [
        0x180d, 0x1809, 0x1822, 0x1810, 0x1808, 0x181d, 0x181b, 0x180f, 0x180a, 0x1805, 0x1802,
    ];
    for (service, number) in Service::ALL.into_iter().zip(numbers) {
        let uuid = format!("0000{number:04x}00001000800000805f9b34fb");
        let uuid = u128::from_str_radix(&uuid, 16).unwrap();
        assert_eq!(service.uuid(), uuid, "{service:?}");
        assert_eq!(Service::from_uuid(uuid), Some(service));
    }
    // As Nordic Semiconductor has published it.
    let uart = u128::from_str_radix("6e400001b5a3f393e0a9e50e24dcca9e", 16).unwrap();
    assert_eq!(Service::from_uuid(uart), Some(Service::Uart));
    assert_eq!(Service::ALL.len(), numbers.len() + 1);
    assert!(Service::ALL.iter().all(|one| !one.title().is_empty()));
    assert_eq!(Service::from_uuid(0x1800), None);
    assert_eq!(
        Service::ALL
            .into_iter()
            .filter(|one| one.is_medical())
            .count(),
        7
    );
}

#[test]
fn the_clock_is_written_as_the_service_says() {
    // CTS: 2020-01-20 08:43:00.500, a Monday, set by an external reference.
    let written = device_drivers::gatt::CurrentTime::from_millis(1_579_509_780_500).encode();
    assert_eq!(hex::encode(written), "e4070114082b0001".to_owned() + "8002");
    assert_eq!(
        hex::encode(DateTime::from_millis(1_579_509_780_999).encode()),
        "e4070114082b00"
    );
}
