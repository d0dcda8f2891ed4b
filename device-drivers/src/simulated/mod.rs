//! Simulated devices, a supported driver: the same events as a sensor, in real time, always
//! marked as simulated.

use crate::profile::Rate;
use serde::{Deserialize, Serialize};

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
}

impl SimulatedKind {
    /// What to show a person.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            SimulatedKind::Oximeter1Hz | SimulatedKind::Oximeter3Hz | SimulatedKind::Oximeter4Hz => {
                "Simulated pulse oximeter"
            }
            SimulatedKind::Thermometer => "Simulated skin thermometer",
        }
    }

    /// The rate at which it sends readings.
    #[must_use]
    pub const fn rate(self) -> Rate {
        match self {
            SimulatedKind::Oximeter1Hz => Rate { readings: 3, per_millis: 1_000 },
            SimulatedKind::Oximeter3Hz => Rate { readings: 7, per_millis: 1_000 },
            SimulatedKind::Oximeter4Hz => Rate { readings: 13, per_millis: 1_000 },
            SimulatedKind::Thermometer => Rate { readings: 1, per_millis: 10_000 },
        }
    }
}

/// One simulated device: the same seed and kind always tell the same story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulatedConfig {
    /// The seed of everything random in it.
    pub seed: u64,
    /// What it pretends to be.
    pub kind: SimulatedKind,
}

/// A ward of `count` devices from one seed: mostly oximeters of all rates, every sixth a
/// thermometer.
#[must_use]
pub fn ward(seed: u64, count: usize) -> Vec<SimulatedConfig> {
    (0..count)
        .map(|index| SimulatedConfig {
            seed: seed.wrapping_add((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            kind: match index % 6 {
                0 | 3 => SimulatedKind::Oximeter1Hz,
                1 => SimulatedKind::Oximeter3Hz,
                2 | 4 => SimulatedKind::Oximeter4Hz,
                _ => SimulatedKind::Thermometer,
            },
        })
        .collect()
}

/// Devices in a ward unless told otherwise.
pub const WARD_DEVICES: usize = 6;
