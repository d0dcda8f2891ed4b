//! What simulated devices pretend to be: their names, rates and metrics.

use crate::measurement::Metric;
use crate::profile::Rate;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a simulated device pretends to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SimulatedKind {
    /// A pulse oximeter: SpO₂ and pulse once a second, plethysmogram at 75 Hz.
    Oximeter1Hz,
    /// A pulse oximeter with vitals three times a second, as a Nonin OEM III.
    Oximeter3Hz,
    /// A pulse oximeter with vitals four times a second and perfusion index.
    Oximeter4Hz,
    /// A skin thermometer, one reading in ten seconds.
    Thermometer,
    /// A heart rate strap: heart rate and the newest interval between two beats, once a second.
    HeartRateStrap,
    /// An upper arm cuff that measures by itself every three minutes: systolic, diastolic and mean pressure, and
    /// the heart rate.
    BloodPressureCuff,
    /// A glucose meter, one measurement in five minutes, by a clock of its own that is wrong until somebody sets
    /// it. What it measures out of range it keeps, and sends when it is back.
    GlucoseMeter,
    /// A body composition scale that is stepped on every ten minutes: weight, body mass index, fat, muscle, water.
    Scale,
}

impl SimulatedKind {
    /// Every kind, so that a few of them in this order are of different profiles.
    pub const ALL: [SimulatedKind; 8] = [
        SimulatedKind::Oximeter1Hz,
        SimulatedKind::HeartRateStrap,
        SimulatedKind::BloodPressureCuff,
        SimulatedKind::GlucoseMeter,
        SimulatedKind::Scale,
        SimulatedKind::Thermometer,
        SimulatedKind::Oximeter3Hz,
        SimulatedKind::Oximeter4Hz,
    ];

    /// The name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            SimulatedKind::Oximeter1Hz => "oximeter-1hz",
            SimulatedKind::Oximeter3Hz => "oximeter-3hz",
            SimulatedKind::Oximeter4Hz => "oximeter-4hz",
            SimulatedKind::Thermometer => "thermometer",
            SimulatedKind::HeartRateStrap => "heart-rate-strap",
            SimulatedKind::BloodPressureCuff => "blood-pressure-cuff",
            SimulatedKind::GlucoseMeter => "glucose-meter",
            SimulatedKind::Scale => "scale",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<SimulatedKind> {
        SimulatedKind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// What to show a person.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            SimulatedKind::Oximeter1Hz
            | SimulatedKind::Oximeter3Hz
            | SimulatedKind::Oximeter4Hz => "Simulated pulse oximeter",
            SimulatedKind::Thermometer => "Simulated skin thermometer",
            SimulatedKind::HeartRateStrap => "Simulated heart rate strap",
            SimulatedKind::BloodPressureCuff => "Simulated blood pressure cuff",
            SimulatedKind::GlucoseMeter => "Simulated glucose meter",
            SimulatedKind::Scale => "Simulated body composition scale",
        }
    }

    /// The rate at which it sends readings; of a glucose meter, at which it measures.
    #[must_use]
    pub const fn rate(self) -> Rate {
        let (readings, per_millis) = match self {
            SimulatedKind::Oximeter1Hz => (3, 1_000),
            SimulatedKind::Oximeter3Hz => (7, 1_000),
            SimulatedKind::Oximeter4Hz => (13, 1_000),
            SimulatedKind::Thermometer => (1, 10_000),
            SimulatedKind::HeartRateStrap => (2, 1_000),
            SimulatedKind::BloodPressureCuff => (4, 180_000),
            SimulatedKind::GlucoseMeter => (1, 300_000),
            SimulatedKind::Scale => (5, 600_000),
        };
        Rate {
            readings,
            per_millis,
        }
    }

    /// How long one interval of its story is.
    #[must_use]
    pub const fn interval(self) -> Duration {
        match self {
            SimulatedKind::Oximeter1Hz | SimulatedKind::HeartRateStrap => Duration::from_secs(1),
            SimulatedKind::Oximeter3Hz => Duration::from_millis(333),
            SimulatedKind::Oximeter4Hz => Duration::from_millis(250),
            SimulatedKind::Thermometer => Duration::from_secs(10),
            SimulatedKind::BloodPressureCuff => Duration::from_secs(180),
            SimulatedKind::GlucoseMeter => Duration::from_secs(60),
            SimulatedKind::Scale => Duration::from_secs(600),
        }
    }

    /// What it measures.
    #[must_use]
    pub const fn metrics(self) -> &'static [Metric] {
        match self {
            SimulatedKind::Oximeter1Hz | SimulatedKind::Oximeter3Hz => {
                &[Metric::SpO2, Metric::PulseRate, Metric::PlethWave]
            }
            SimulatedKind::Oximeter4Hz => &[
                Metric::SpO2,
                Metric::PulseRate,
                Metric::PerfusionIndex,
                Metric::PlethWave,
            ],
            SimulatedKind::Thermometer => &[Metric::BodyTemperature],
            SimulatedKind::HeartRateStrap => &[Metric::HeartRate, Metric::RrInterval],
            SimulatedKind::BloodPressureCuff => &[
                Metric::BloodPressureSystolic,
                Metric::BloodPressureDiastolic,
                Metric::BloodPressureMean,
                Metric::HeartRate,
            ],
            SimulatedKind::GlucoseMeter => &[Metric::GlucoseMass],
            SimulatedKind::Scale => &[
                Metric::BodyWeight,
                Metric::BodyMassIndex,
                Metric::BodyFat,
                Metric::MusclePercentage,
                Metric::BodyWaterMass,
            ],
        }
    }

    /// How many times in ten seconds a device that is worn measures.
    pub(super) const fn ticks_in_ten_seconds(self) -> i64 {
        match self {
            SimulatedKind::Oximeter3Hz => 30,
            SimulatedKind::Oximeter4Hz => 40,
            SimulatedKind::Thermometer => 1,
            _ => 10,
        }
    }

    /// Whether it has a plethysmogram.
    pub(super) const fn is_oximeter(self) -> bool {
        matches!(
            self,
            SimulatedKind::Oximeter1Hz | SimulatedKind::Oximeter3Hz | SimulatedKind::Oximeter4Hz
        )
    }
}
