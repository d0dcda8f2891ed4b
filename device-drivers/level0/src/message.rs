//! The messages and their bodies.
//!
//! A body is the [postcard](https://postcard.jamesmunns.com/wire-format) encoding of one variant:
//! its number, then its fields in order. Numbers are never reused. Metrics and qualities are
//! plain bytes from the tables [`metric`] and [`quality`], so a host can skip what it does not
//! know. [`Outgoing`] borrows and is the device's, `DeviceMessage` owns and is the host's; both have the
//! same bytes.

#[cfg(feature = "relay")]
use crate::relay::Relayed;
#[cfg(feature = "host")]
use heapless::Vec;
#[cfg(feature = "host")]
use serde::{Deserialize, Serialize};

/// Readings in one frame, at most.
pub const MAX_READINGS: usize = 32;
/// Samples in one frame, at most.
pub const MAX_SAMPLES: usize = 200;
/// A sample that is not there.
pub const MISSING_SAMPLE: i16 = i16::MIN;

/// The metric numbers of the wire.
pub mod metric {
    /// Oxygen saturation, %.
    pub const SPO2: u8 = 0;
    /// Pulse rate by oximetry, /min.
    pub const PULSE_RATE: u8 = 1;
    /// Plethysmogram, no unit; waves only.
    pub const PLETH_WAVE: u8 = 2;
    /// Perfusion index, %.
    pub const PERFUSION_INDEX: u8 = 3;
    /// Body temperature, degrees Celsius.
    pub const BODY_TEMPERATURE: u8 = 4;
    /// Respiration rate, /min.
    pub const RESPIRATION_RATE: u8 = 5;
    /// Heart rate, /min.
    pub const HEART_RATE: u8 = 6;
}

/// The quality numbers of the wire; from [`quality::SEARCHING`] on there is no value.
pub mod quality {
    /// As promised.
    pub const GOOD: u8 = 0;
    /// From a weak pulse.
    pub const LOW_PERFUSION: u8 = 1;
    /// With motion or artefacts.
    pub const QUESTIONABLE: u8 = 2;
    /// Looking for a signal; no value.
    pub const SEARCHING: u8 = 3;
    /// No value for no stated reason.
    pub const MISSING: u8 = 4;
    /// Off the body; no value.
    pub const SENSOR_OFF: u8 = 5;
    /// Broken or disconnected; no value.
    pub const SENSOR_FAULT: u8 = 6;
}

/// What a device can do, by the budgets of constrained devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(Serialize, Deserialize))]
pub enum DeviceClass {
    /// 4 kB ROM, 256 B RAM.
    UltraLight,
    /// 4 kB ROM, 8 kB RAM.
    LowCost,
    /// 32 kB ROM, 8 kB RAM.
    Lightweight,
}

/// A device introduces itself: after its start, when asked, and at least once a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(Serialize, Deserialize))]
pub struct Hello {
    /// Firmware version: major, minor, patch.
    pub firmware: [u8; 3],
    /// What it can do.
    pub class: DeviceClass,
    /// How many readings it sends in 1000 seconds while it measures.
    pub readings_per_1000_s: u32,
    /// Whether it hears acknowledgements and keeps what was not acknowledged.
    pub is_listening: bool,
}

/// One numeric reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(Serialize, Deserialize))]
pub struct Reading {
    /// What, see [`metric`].
    pub metric: u8,
    /// How good, see [`quality`].
    pub quality: u8,
    /// The digits; 0 where the quality allows no value.
    pub mantissa: i32,
    /// The power of ten.
    pub exponent: i8,
}

/// Readings taken together.
#[cfg(feature = "host")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readings {
    /// When, in milliseconds since 1970, if the device has a clock that was set.
    pub time_millis: Option<u64>,
    /// The readings.
    pub readings: Vec<Reading, MAX_READINGS>,
}

/// A stretch of a waveform.
#[cfg(feature = "host")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// What, see [`metric`].
    pub metric: u8,
    /// When the first sample was taken, as in [`Readings`].
    pub time_millis: Option<u64>,
    /// Time between samples in microseconds.
    pub period_micros: u32,
    /// The samples; [`MISSING_SAMPLE`] where there is none.
    pub samples: Vec<i16, MAX_SAMPLES>,
}

/// What a host hears from a device.
#[cfg(feature = "host")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceMessage {
    /// 0: the device introduces itself.
    Hello(Hello),
    /// 1: numeric readings.
    Readings(Readings),
    /// 2: a stretch of a waveform.
    Wave(Wave),
}

#[cfg(feature = "host")]
impl DeviceMessage {
    /// How many counter values the message takes: one for each reading, at least one.
    #[must_use]
    pub fn span(&self) -> u32 {
        match self {
            DeviceMessage::Readings(body) => (body.readings.len() as u32).max(1),
            DeviceMessage::Hello(_) | DeviceMessage::Wave(_) => 1,
        }
    }
}

/// What a device says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outgoing<'a> {
    /// 0: the device introduces itself.
    Hello(Hello),
    /// 1: numeric readings.
    Readings {
        /// When, in milliseconds since 1970, if the device has a clock that was set.
        time_millis: Option<u64>,
        /// At most [`MAX_READINGS`].
        readings: &'a [Reading],
    },
    /// 2: a stretch of a waveform.
    Wave {
        /// What, see [`metric`].
        metric: u8,
        /// When the first sample was taken, as in [`Outgoing::Readings`].
        time_millis: Option<u64>,
        /// Time between samples in microseconds.
        period_micros: u32,
        /// At most [`MAX_SAMPLES`].
        samples: &'a [i16],
    },
}

impl Outgoing<'_> {
    /// How many counter values the message takes: one for each reading, at least one.
    #[must_use]
    pub fn span(&self) -> u32 {
        match self {
            Outgoing::Readings { readings, .. } => (readings.len() as u32).max(1),
            Outgoing::Hello(_) | Outgoing::Wave { .. } => 1,
        }
    }

    /// Whether a host would take it: within [`MAX_READINGS`] and [`MAX_SAMPLES`].
    pub(crate) const fn is_within_limits(&self) -> bool {
        match self {
            Outgoing::Hello(_) => true,
            Outgoing::Readings { readings, .. } => readings.len() <= MAX_READINGS,
            Outgoing::Wave { samples, .. } => samples.len() <= MAX_SAMPLES,
        }
    }
}

/// What a device hears from its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(Serialize, Deserialize))]
pub enum HostMessage {
    /// 0: introduce yourself.
    Identify,
    /// 1: every reading with a counter up to and including this one is durable; the device may
    /// forget it.
    Ack {
        /// The highest durable counter.
        durable: u64,
    },
    /// 2: every reading with a counter up to and including this one is final, in a block that can
    /// never change; the device may forget it, and show so.
    Final {
        /// The highest final counter.
        upto: u64,
    },
    /// 3: what time it is, for devices that stamp their readings.
    Time {
        /// The host's clock at sending, in milliseconds since 1970.
        now_millis: u64,
    },
    /// 4: what another device measured, while this one may hear it.
    #[cfg(feature = "relay")]
    Relay(Relayed),
}
