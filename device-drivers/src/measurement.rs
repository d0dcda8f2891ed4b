//! What a sensor said, with its code, unit, quality and times.
//!
//! Values are integers with a decimal exponent, as in IEEE 11073: a reading is hashed and
//! signed later, and floating point has more than one encoding of a number. A value that is
//! missing, searching, or taken with the finger out is [`Value::Absent`] and its [`Quality`]
//! says why; it is never a number. This file leaves out patients, storage and signatures.

use core::fmt;
use serde::{Deserialize, Serialize};

/// What is measured.
///
/// LOINC codes and UCUM units are those of the HL7 vital-signs profiles; the ISO/IEEE
/// 11073-10101 code ([`Metric::mdc`]) names the same term in the device world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Metric {
    /// Oxygen saturation in arterial blood by pulse oximetry.
    SpO2,
    /// Pulse rate by oximetry.
    PulseRate,
    /// The plethysmogram: the pulse wave as an oximeter sees it, without a unit.
    PlethWave,
    /// Ratio of the pulsating to the steady part of the oximeter's signal.
    PerfusionIndex,
    /// Body temperature.
    BodyTemperature,
    /// Breaths per minute.
    RespirationRate,
    /// Heart beats per minute, not by oximetry.
    HeartRate,
    /// Systolic blood pressure, measured with a cuff.
    BloodPressureSystolic,
    /// Diastolic blood pressure, measured with a cuff.
    BloodPressureDiastolic,
    /// Mean arterial pressure, measured with a cuff.
    BloodPressureMean,
    /// Glucose in blood as mass per volume.
    GlucoseMass,
    /// Glucose in blood as substance per volume. Not converted to [`Metric::GlucoseMass`]: there is no
    /// molar mass that all meters agree on, and a record keeps what was measured.
    GlucoseMolar,
    /// Body weight.
    BodyWeight,
    /// Body height.
    BodyHeight,
    /// Body mass index.
    BodyMassIndex,
    /// Body fat as part of the weight.
    BodyFat,
    /// Muscle as part of the weight.
    MusclePercentage,
    /// Muscle mass.
    MuscleMass,
    /// Body water as mass.
    BodyWaterMass,
    /// Time between two heart beats.
    RrInterval,
    /// Energy expended since the device's counter was last reset.
    EnergyExpended,
}

impl Metric {
    /// Every metric, in a fixed order.
    pub const ALL: [Metric; 21] = [
        Metric::SpO2,
        Metric::PulseRate,
        Metric::PlethWave,
        Metric::PerfusionIndex,
        Metric::BodyTemperature,
        Metric::RespirationRate,
        Metric::HeartRate,
        Metric::BloodPressureSystolic,
        Metric::BloodPressureDiastolic,
        Metric::BloodPressureMean,
        Metric::GlucoseMass,
        Metric::GlucoseMolar,
        Metric::BodyWeight,
        Metric::BodyHeight,
        Metric::BodyMassIndex,
        Metric::BodyFat,
        Metric::MusclePercentage,
        Metric::MuscleMass,
        Metric::BodyWaterMass,
        Metric::RrInterval,
        Metric::EnergyExpended,
    ];

    /// The LOINC code.
    #[must_use]
    pub const fn loinc(self) -> &'static str {
        match self {
            Metric::SpO2 => "59408-5",
            Metric::PulseRate => "8889-8",
            Metric::PlethWave => "76524-8",
            Metric::PerfusionIndex => "61006-3",
            Metric::BodyTemperature => "8310-5",
            Metric::RespirationRate => "9279-1",
            Metric::HeartRate => "8867-4",
            Metric::BloodPressureSystolic => "8480-6",
            Metric::BloodPressureDiastolic => "8462-4",
            Metric::BloodPressureMean => "8478-0",
            Metric::GlucoseMass => "2339-0",
            Metric::GlucoseMolar => "15074-8",
            Metric::BodyWeight => "29463-7",
            Metric::BodyHeight => "8302-2",
            Metric::BodyMassIndex => "39156-5",
            Metric::BodyFat => "41982-0",
            Metric::MusclePercentage => "73965-6",
            Metric::MuscleMass => "73964-9",
            Metric::BodyWaterMass => "101683-1",
            Metric::RrInterval => "8637-1",
            Metric::EnergyExpended => "41981-2",
        }
    }

    /// The UCUM unit.
    #[must_use]
    pub const fn ucum(self) -> &'static str {
        match self {
            Metric::SpO2 | Metric::PerfusionIndex | Metric::BodyFat | Metric::MusclePercentage => {
                "%"
            }
            Metric::PulseRate | Metric::RespirationRate | Metric::HeartRate => "/min",
            Metric::PlethWave => "1",
            Metric::BodyTemperature => "Cel",
            Metric::BloodPressureSystolic
            | Metric::BloodPressureDiastolic
            | Metric::BloodPressureMean => "mm[Hg]",
            Metric::GlucoseMass => "mg/dL",
            Metric::GlucoseMolar => "mmol/L",
            Metric::BodyWeight | Metric::MuscleMass | Metric::BodyWaterMass => "kg",
            Metric::BodyHeight => "cm",
            Metric::BodyMassIndex => "kg/m2",
            Metric::RrInterval => "ms",
            Metric::EnergyExpended => "kJ",
        }
    }

    /// The 32-bit ISO/IEEE 11073-10101 code (`urn:iso:std:iso:11073:10101`): the partition times 65,536
    /// plus the term. `None` where no public source confirms one.
    #[must_use]
    pub const fn mdc(self) -> Option<u32> {
        Some(match self {
            Metric::SpO2 => 150_456,
            Metric::PulseRate => 149_530,
            Metric::PlethWave => 150_452,
            Metric::PerfusionIndex => 150_488,
            Metric::BodyTemperature => 150_364,
            Metric::RespirationRate => 151_562,
            Metric::HeartRate => 147_842,
            Metric::BloodPressureSystolic => 150_021,
            Metric::BloodPressureDiastolic => 150_022,
            Metric::BloodPressureMean => 150_023,
            Metric::GlucoseMass | Metric::GlucoseMolar => 160_020,
            Metric::BodyWeight => 188_736,
            Metric::BodyHeight => 188_740,
            Metric::BodyMassIndex => 188_752,
            Metric::BodyFat => 188_748,
            Metric::BodyWaterMass => 188_764,
            Metric::RrInterval => 147_240,
            Metric::EnergyExpended => 8_454_263,
            Metric::MusclePercentage | Metric::MuscleMass => return None,
        })
    }

    /// A person's word for it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Metric::SpO2 => "SpO₂",
            Metric::PulseRate => "Pulse",
            Metric::PlethWave => "Pleth wave",
            Metric::PerfusionIndex => "Perfusion",
            Metric::BodyTemperature => "Temperature",
            Metric::RespirationRate => "Respiration",
            Metric::HeartRate => "Heart rate",
            Metric::BloodPressureSystolic => "Systolic",
            Metric::BloodPressureDiastolic => "Diastolic",
            Metric::BloodPressureMean => "Mean pressure",
            Metric::GlucoseMass | Metric::GlucoseMolar => "Glucose",
            Metric::BodyWeight => "Weight",
            Metric::BodyHeight => "Height",
            Metric::BodyMassIndex => "BMI",
            Metric::BodyFat => "Body fat",
            Metric::MusclePercentage => "Muscle",
            Metric::MuscleMass => "Muscle mass",
            Metric::BodyWaterMass => "Body water",
            Metric::RrInterval => "RR interval",
            Metric::EnergyExpended => "Energy",
        }
    }

    /// Whether values are [`Value::Samples`] and not [`Value::Quantity`].
    #[must_use]
    pub const fn is_waveform(self) -> bool {
        matches!(self, Metric::PlethWave)
    }

    /// The metric with this LOINC code.
    #[must_use]
    pub fn from_loinc(code: &str) -> Option<Metric> {
        Metric::ALL
            .into_iter()
            .find(|metric| metric.loinc() == code)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// A value, without floating point.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// `mantissa × 10^exponent`, in the metric's unit.
    Quantity {
        /// The digits.
        mantissa: i64,
        /// The power of ten.
        exponent: i8,
    },
    /// A stretch of a waveform, at most about one second (FHIR `SampledData`).
    Samples {
        /// Time between two samples, in microseconds.
        period_micros: u32,
        /// The samples; `None` where one was lost or the sensor saw nothing.
        samples: Vec<Option<i16>>,
    },
    /// There is no value; the quality says why.
    Absent,
}

impl Value {
    /// A whole number.
    #[must_use]
    pub const fn whole(number: i64) -> Value {
        Value::Quantity {
            mantissa: number,
            exponent: 0,
        }
    }

    /// Whether there is no value.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Value::Absent)
    }
}

/// Measurements belong in no log, so `Debug` shows the shape of a value and not the value.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Quantity { .. } => f.write_str("Quantity(…)"),
            Value::Samples { samples, .. } => write!(f, "Samples({} samples)", samples.len()),
            Value::Absent => f.write_str("Absent"),
        }
    }
}

/// How far a value can be trusted, or why there is none. Ordered from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Quality {
    /// As the device promises.
    Good,
    /// A value, taken from a weak pulse.
    LowPerfusion,
    /// A value, but the device saw motion, a beat that did not fit, or another reason to doubt it, or
    /// it is still measuring, or samples were lost.
    Questionable,
    /// No value: the device looks for a pulse.
    Searching,
    /// No value: the device sent its "missing" mark and no reason.
    Missing,
    /// No value: the sensor is off the body (finger out).
    SensorOff,
    /// No value: the sensor is disconnected from the device or broken.
    SensorFault,
}

impl Quality {
    /// Whether a number may accompany this quality.
    #[must_use]
    pub const fn has_value(self) -> bool {
        matches!(
            self,
            Quality::Good | Quality::LowPerfusion | Quality::Questionable
        )
    }

    /// A person's word for it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Quality::Good => "Good",
            Quality::LowPerfusion => "Low perfusion",
            Quality::Questionable => "Questionable",
            Quality::Searching => "Searching",
            Quality::Missing => "Missing",
            Quality::SensorOff => "Sensor off",
            Quality::SensorFault => "Sensor fault",
        }
    }

    /// The name for programs: `good`, `low-perfusion`, `questionable`, `searching`, `missing`,
    /// `sensor-off`, `sensor-fault`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Quality::Good => "good",
            Quality::LowPerfusion => "low-perfusion",
            Quality::Questionable => "questionable",
            Quality::Searching => "searching",
            Quality::Missing => "missing",
            Quality::SensorOff => "sensor-off",
            Quality::SensorFault => "sensor-fault",
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// One measurement, as the driver hands it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// What is measured.
    pub metric: Metric,
    /// The value, or its absence.
    pub value: Value,
    /// How far to trust it, or why it is absent.
    pub quality: Quality,
    /// When, by the device's clock, in milliseconds since 1970; `None` when it has no clock.
    pub device_time_millis: Option<i64>,
    /// When, by this host's clock, in milliseconds since 1970. Of a waveform: its first sample.
    pub host_time_millis: i64,
    /// The device's own number of this reading, where the protocol has one. What is
    /// acknowledged with `DeviceHandle::ack`, and the `replay_floor` of the next connection.
    pub sequence: Option<u64>,
    /// Whether the device proved that it sent this (a verified authentication tag).
    pub authenticated: bool,
    /// Whether this comes from a simulated device and not from a person's body.
    pub simulated: bool,
}

impl Measurement {
    /// A measurement that keeps the rule that an absent value has no number: where `quality`
    /// allows none, `value` is dropped; where there is none, the quality is at least
    /// [`Quality::Missing`]. Not authenticated, not simulated, without device time.
    #[must_use]
    pub fn new(
        metric: Metric,
        value: Option<Value>,
        quality: Quality,
        host_time_millis: i64,
    ) -> Measurement {
        let (value, quality) = match value {
            Some(value) if quality.has_value() && !value.is_absent() => (value, quality),
            _ if quality.has_value() => (Value::Absent, Quality::Missing),
            _ => (Value::Absent, quality),
        };
        Measurement {
            metric,
            value,
            quality,
            device_time_millis: None,
            host_time_millis,
            sequence: None,
            authenticated: false,
            simulated: false,
        }
    }
}
