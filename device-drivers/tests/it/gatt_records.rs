//! Records of every profile as strategies: every combination of flags, every value of every field.

use crate::gatt_encode as encode;
use device_drivers::gatt::*;
use proptest::option;
use proptest::prelude::*;

fn any_float(
    mantissas: std::ops::Range<i32>,
    exponents: std::ops::RangeInclusive<i8>,
) -> impl Strategy<Value = Float> {
    // Five mantissas at the ends are special under exponent 0.
    let (low, high) = (mantissas.start + 3, mantissas.end - 3);
    let number = (mantissas, exponents)
        .prop_filter("special", move |&(mantissa, exponent)| {
            exponent != 0 || (low..=high).contains(&mantissa)
        })
        .prop_map(|(mantissa, exponent)| Float::Number { mantissa, exponent });
    prop_oneof![
        8 => number,
        1 => proptest::sample::select(vec![
            Float::NaN, Float::NRes, Float::Reserved, Float::PositiveInfinity, Float::NegativeInfinity,
        ]),
    ]
}

pub(crate) fn sfloat() -> impl Strategy<Value = Float> {
    any_float(-2_048..2_048, -8..=7)
}

fn float() -> impl Strategy<Value = Float> {
    any_float(-(1 << 23)..(1 << 23), i8::MIN..=i8::MAX)
}

pub(crate) fn date_time() -> impl Strategy<Value = DateTime> {
    let date = (prop_oneof![Just(0), 1582u16..=9999], 0u8..=12, 0u8..=28);
    (date, 0u8..24, 0u8..60, 0u8..60).prop_map(|((year, month, day), hours, minutes, seconds)| {
        DateTime {
            year,
            month,
            day,
            hours,
            minutes,
            seconds,
        }
    })
}

/// A record of any profile.
#[derive(Clone, PartialEq)]
pub(crate) enum Record {
    HeartRate(HeartRateMeasurement),
    Temperature(TemperatureMeasurement),
    SpotCheck(PlxSpotCheck),
    Continuous(PlxContinuous),
    BloodPressure(BloodPressureMeasurement),
    Glucose(GlucoseMeasurement),
    Weight(WeightMeasurement),
    BodyComposition(BodyComposition),
}

/// The name alone, as of the records.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.debug())
    }
}

impl Record {
    pub(crate) fn characteristic(&self) -> u16 {
        match self {
            Record::HeartRate(_) => uuid::HEART_RATE_MEASUREMENT,
            Record::Temperature(_) => uuid::TEMPERATURE_MEASUREMENT,
            Record::SpotCheck(_) => uuid::PLX_SPOT_CHECK_MEASUREMENT,
            Record::Continuous(_) => uuid::PLX_CONTINUOUS_MEASUREMENT,
            Record::BloodPressure(_) => uuid::BLOOD_PRESSURE_MEASUREMENT,
            Record::Glucose(_) => uuid::GLUCOSE_MEASUREMENT,
            Record::Weight(_) => uuid::WEIGHT_MEASUREMENT,
            Record::BodyComposition(_) => uuid::BODY_COMPOSITION_MEASUREMENT,
        }
    }

    /// What the record says of itself in a log.
    pub(crate) fn debug(&self) -> String {
        match self {
            Record::HeartRate(record) => format!("{record:?}"),
            Record::Temperature(record) => format!("{record:?}"),
            Record::SpotCheck(record) => format!("{record:?}"),
            Record::Continuous(record) => format!("{record:?}"),
            Record::BloodPressure(record) => format!("{record:?}"),
            Record::Glucose(record) => format!("{record:?}"),
            Record::Weight(record) => format!("{record:?}"),
            Record::BodyComposition(record) => format!("{record:?}"),
        }
    }

    /// Decodes `value` as a record of the same kind.
    pub(crate) fn decode_same(&self, value: &[u8]) -> Result<Record, DecodeError> {
        Ok(match self {
            Record::HeartRate(_) => Record::HeartRate(HeartRateMeasurement::decode(value)?),
            Record::Temperature(_) => Record::Temperature(TemperatureMeasurement::decode(value)?),
            Record::SpotCheck(_) => Record::SpotCheck(PlxSpotCheck::decode(value)?),
            Record::Continuous(_) => Record::Continuous(PlxContinuous::decode(value)?),
            Record::BloodPressure(_) => {
                Record::BloodPressure(BloodPressureMeasurement::decode(value)?)
            }
            Record::Glucose(_) => Record::Glucose(GlucoseMeasurement::decode(value)?),
            Record::Weight(_) => Record::Weight(WeightMeasurement::decode(value)?),
            Record::BodyComposition(_) => Record::BodyComposition(BodyComposition::decode(value)?),
        })
    }

    /// The value a device would send; `reserved` sets those of its bits that are reserved flags.
    pub(crate) fn encode(&self, reserved: u16) -> Vec<u8> {
        match self {
            Record::HeartRate(record) => encode::heart_rate(record, reserved),
            Record::Temperature(record) => encode::temperature(record, reserved),
            Record::SpotCheck(record) => encode::spot_check(record, reserved),
            Record::Continuous(record) => encode::continuous(record, reserved),
            Record::BloodPressure(record) => encode::blood_pressure(record, reserved),
            Record::Glucose(record) => encode::glucose(record, reserved),
            Record::Weight(record) => encode::weight(record, reserved),
            Record::BodyComposition(record) => encode::body_composition(record, reserved),
        }
    }
}

fn pairs() -> impl Strategy<Value = SpO2PulseRate> {
    (sfloat(), sfloat()).prop_map(|(spo2, pulse_rate)| SpO2PulseRate { spo2, pulse_rate })
}

fn units() -> impl Strategy<Value = ScaleUnits> {
    prop_oneof![Just(ScaleUnits::Si), Just(ScaleUnits::Imperial)]
}

/// Any record: every combination of flags, every value of every field.
pub(crate) fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        heart_rates(),
        temperatures(),
        spot_checks(),
        continuous_measurements(),
        blood_pressures(),
        glucoses(),
        weights(),
        body_compositions(),
    ]
}

fn heart_rates() -> impl Strategy<Value = Record> {
    let rr = proptest::collection::vec(any::<u16>(), 0..9);
    (
        any::<u16>(),
        any::<Option<bool>>(),
        option::of(any::<u16>()),
        rr,
    )
        .prop_map(|(rate_bpm, contact, energy_kilojoules, rr_ticks)| {
            Record::HeartRate(HeartRateMeasurement {
                rate_bpm,
                contact,
                energy_kilojoules,
                rr_ticks,
            })
        })
}

fn temperatures() -> impl Strategy<Value = Record> {
    let unit = prop_oneof![
        Just(TemperatureUnit::Celsius),
        Just(TemperatureUnit::Fahrenheit)
    ];
    let kind = prop_oneof![
        Just(TemperatureType::Armpit),
        Just(TemperatureType::Tympanum),
        prop_oneof![Just(0u8), 10u8..].prop_map(TemperatureType::Reserved),
    ];
    (float(), unit, option::of(date_time()), option::of(kind)).prop_map(
        |(temperature, unit, time, kind)| {
            Record::Temperature(TemperatureMeasurement {
                temperature,
                unit,
                time,
                kind,
            })
        },
    )
}

fn spot_checks() -> impl Strategy<Value = Record> {
    (
        pairs(),
        option::of(date_time()),
        any::<bool>(),
        option::of(any::<u16>()),
        option::of(0u32..1 << 24),
        option::of(sfloat()),
    )
        .prop_map(|(normal, time, clock_is_unset, status, device, index)| {
            Record::SpotCheck(PlxSpotCheck {
                normal,
                time,
                clock_is_unset,
                measurement_status: status,
                device_status: device,
                pulse_amplitude_index: index,
            })
        })
}

fn continuous_measurements() -> impl Strategy<Value = Record> {
    (
        pairs(),
        option::of(pairs()),
        option::of(pairs()),
        option::of(any::<u16>()),
        option::of(0u32..1 << 24),
        option::of(sfloat()),
    )
        .prop_map(|(normal, fast, slow, status, device, index)| {
            Record::Continuous(PlxContinuous {
                normal,
                fast,
                slow,
                measurement_status: status,
                device_status: device,
                pulse_amplitude_index: index,
            })
        })
}

fn blood_pressures() -> impl Strategy<Value = Record> {
    let unit = prop_oneof![
        Just(PressureUnit::MillimetresOfMercury),
        Just(PressureUnit::Kilopascals)
    ];
    (
        unit,
        (sfloat(), sfloat(), sfloat()),
        option::of(date_time()),
        option::of(sfloat()),
        option::of(0u8..255),
        option::of(any::<u16>()),
    )
        .prop_map(
            |(unit, (systolic, diastolic, mean), time, rate, user, status)| {
                Record::BloodPressure(BloodPressureMeasurement {
                    unit,
                    systolic,
                    diastolic,
                    mean,
                    time,
                    pulse_rate: rate,
                    user_id: user,
                    status,
                })
            },
        )
}

fn glucoses() -> impl Strategy<Value = Record> {
    let unit = prop_oneof![
        Just(ConcentrationUnit::KilogramsPerLitre),
        Just(ConcentrationUnit::MolesPerLitre)
    ];
    let specimen = prop_oneof![
        Just(Specimen::CapillaryWholeBlood),
        Just(Specimen::ControlSolution),
        prop_oneof![Just(0u8), 11u8..16].prop_map(Specimen::Reserved),
    ];
    let location = prop_oneof![
        Just(SampleLocation::Finger),
        Just(SampleLocation::NotAvailable),
        prop_oneof![Just(0u8), 5u8..15].prop_map(SampleLocation::Reserved),
    ];
    let concentration =
        (sfloat(), specimen, location).prop_map(|(value, specimen, location)| Concentration {
            value,
            specimen,
            location,
        });
    (
        (any::<u16>(), date_time(), option::of(any::<i16>())),
        unit,
        option::of(concentration),
        option::of(any::<u16>()),
        any::<bool>(),
    )
        .prop_map(|(when, unit, concentration, status, has_context)| {
            let (sequence, base_time, offset_minutes) = when;
            Record::Glucose(GlucoseMeasurement {
                sequence,
                base_time,
                offset_minutes,
                unit,
                concentration,
                status,
                has_context,
            })
        })
}

fn weights() -> impl Strategy<Value = Record> {
    (
        units(),
        any::<u16>(),
        option::of(date_time()),
        option::of(0u8..255),
        option::of((any::<u16>(), any::<u16>())),
    )
        .prop_map(|(units, weight, time, user_id, both)| {
            Record::Weight(WeightMeasurement {
                units,
                weight,
                time,
                user_id,
                bmi: both.map(|(bmi, _)| bmi),
                height: both.map(|(_, height)| height),
            })
        })
}

fn body_compositions() -> impl Strategy<Value = Record> {
    (
        units(),
        any::<u16>(),
        option::of(date_time()),
        option::of(0u8..255),
        any::<[Option<u16>; 9]>(),
        any::<bool>(),
    )
        .prop_map(|(units, body_fat, time, user_id, fields, is_multiple)| {
            let [
                metabolism,
                percentage,
                muscle,
                fat_free,
                lean,
                water,
                impedance,
                weight,
                height,
            ] = fields;
            Record::BodyComposition(BodyComposition {
                units,
                body_fat,
                time,
                user_id,
                basal_metabolism: metabolism,
                muscle_percentage: percentage,
                muscle_mass: muscle,
                fat_free_mass: fat_free,
                soft_lean_mass: lean,
                body_water_mass: water,
                impedance,
                weight,
                height,
                is_multiple_packet: is_multiple,
            })
        })
}
