//! The serial profiles: which protocol a device speaks and how its line is set.
//!
//! The names are a contract (`Display` and `FromStr`); commands and configurations use them. The
//! protocols themselves are in [`crate::codec`].

use crate::measurement::Metric;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// A serial protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Nonin OEM III and Xpod, serial data format 2.
    #[serde(rename = "nonin-oem3")]
    NoninOem3,
    /// Nonin's real-time ASCII lines.
    NoninAscii,
    /// Contec CMS50D+ up to firmware 4.x: 5-byte frames.
    #[serde(rename = "contec-cms50dplus")]
    ContecCms50dPlus,
    /// Newer Contec CMS50D/E: 9-byte frames that must be asked for.
    #[serde(rename = "contec-cms50d-115200")]
    ContecCms50d115200,
    /// This project's own authenticated protocol.
    #[serde(rename = "fogward-level0")]
    FogwardLevel0,
}

impl Profile {
    /// Every profile, in the order a person chooses from.
    pub const ALL: [Profile; 5] = [
        Profile::NoninOem3,
        Profile::NoninAscii,
        Profile::ContecCms50dPlus,
        Profile::ContecCms50d115200,
        Profile::FogwardLevel0,
    ];

    /// The contract name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Profile::NoninOem3 => "nonin-oem3",
            Profile::NoninAscii => "nonin-ascii",
            Profile::ContecCms50dPlus => "contec-cms50dplus",
            Profile::ContecCms50d115200 => "contec-cms50d-115200",
            Profile::FogwardLevel0 => "fogward-level0",
        }
    }

    /// What to show a person who has the device in the hand.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Profile::NoninOem3 => "Nonin OEM III or Xpod (format 2)",
            Profile::NoninAscii => "Nonin, text output",
            Profile::ContecCms50dPlus => "Contec CMS50D+ (older, 19 200 baud)",
            Profile::ContecCms50d115200 => "Contec CMS50D or CMS50E (newer, 115 200 baud)",
            Profile::FogwardLevel0 => "Fogward level-0 sensor",
        }
    }

    /// How the line is set.
    #[must_use]
    pub const fn line(self) -> LineSettings {
        match self {
            Profile::NoninOem3 | Profile::NoninAscii => LineSettings {
                baud: 9_600,
                parity: Parity::None,
            },
            Profile::ContecCms50dPlus => LineSettings {
                baud: 19_200,
                parity: Parity::Odd,
            },
            Profile::ContecCms50d115200 | Profile::FogwardLevel0 => LineSettings {
                baud: 115_200,
                parity: Parity::None,
            },
        }
    }

    /// How many readings to expect while the device streams; `None` until the device says so.
    ///
    /// Numeric vitals at most 4 times a second, waveforms as one-second segments:
    /// Nonin OEM III 3 × (SpO₂, pulse) + 1 pleth; Nonin ASCII 1 × (SpO₂, pulse);
    /// Contec 4 × (SpO₂, pulse) + 1 pleth.
    #[must_use]
    pub const fn readings_per_second(self) -> Option<Rate> {
        match self {
            Profile::NoninOem3 => Some(Rate {
                readings: 7,
                per_millis: 1_000,
            }),
            Profile::NoninAscii => Some(Rate {
                readings: 2,
                per_millis: 1_000,
            }),
            Profile::ContecCms50dPlus | Profile::ContecCms50d115200 => Some(Rate {
                readings: 9,
                per_millis: 1_000,
            }),
            Profile::FogwardLevel0 => None,
        }
    }

    /// What it measures, as far as the protocol alone says.
    #[must_use]
    pub const fn metrics(self) -> &'static [Metric] {
        match self {
            Profile::NoninAscii => &[Metric::SpO2, Metric::PulseRate],
            Profile::NoninOem3 | Profile::ContecCms50dPlus | Profile::ContecCms50d115200 => {
                &[Metric::SpO2, Metric::PulseRate, Metric::PlethWave]
            }
            Profile::FogwardLevel0 => &[],
        }
    }

    /// Whether a pairing key must be given.
    #[must_use]
    pub const fn needs_key(self) -> bool {
        matches!(self, Profile::FogwardLevel0)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Profile, UnknownProfile> {
        Profile::ALL
            .into_iter()
            .find(|profile| profile.name() == name)
            .ok_or(UnknownProfile)
    }
}

/// The name is none of the known profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such profile; known are nonin-oem3, nonin-ascii, contec-cms50dplus, contec-cms50d-115200 and fogward-level0"
)]
pub struct UnknownProfile;

/// Readings in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    /// How many readings…
    pub readings: u32,
    /// …in so many milliseconds (never 0).
    pub per_millis: u32,
}

impl Rate {
    /// How many readings are due in a span, rounded down.
    #[must_use]
    pub fn expected_in(self, millis: u64) -> u64 {
        millis.saturating_mul(u64::from(self.readings)) / u64::from(self.per_millis.max(1))
    }

    /// Readings per second as text with at most one decimal, for people.
    #[must_use]
    pub fn per_second(self) -> String {
        let tenths = self.expected_in(10_000);
        if tenths.is_multiple_of(10) {
            format!("{}", tenths / 10)
        } else {
            format!("{}.{}", tenths / 10, tenths % 10)
        }
    }
}

/// Speed and parity; 8 data bits, one stop bit, no flow control throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSettings {
    /// Bits per second.
    pub baud: u32,
    /// Parity bit.
    pub parity: Parity,
}

impl fmt::Display for LineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Odd => 'O',
        };
        write!(f, "{} baud, 8{parity}1", self.baud)
    }
}

/// The parity bit of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Parity {
    /// No parity bit.
    None,
    /// Odd parity.
    Odd,
}
