//! What a decoder or a source reports, in readings that can be counted.
//!
//! A device's *gap ledger* follows from these events alone. For every device:
//!
//! ```text
//! received = number of Measurement events
//! rejected = sum of Rejected.frames                       (shown with their reasons)
//! expected = received + Σ Rejected.readings + Σ Missing.readings − Σ Recovered.readings
//! ```
//!
//! so each expected reading is either received, or was refused for a named reason, or is missing
//! for a named cause. It leaves out what happens to a reading after it was received.

use crate::measurement::Measurement;
use crate::profile::Rate;
use core::fmt;
use fogward_level0::{Authentication, DeviceClass};
use serde::{Deserialize, Serialize};

/// Something a device did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A reading.
    Measurement(Measurement),
    /// Bytes that were refused.
    Rejected(Rejection),
    /// Readings that should have come and did not.
    Missing {
        /// How many.
        readings: u32,
        /// How it is known.
        cause: MissingCause,
    },
    /// Readings reported as missing that came later after all (a device's retransmission).
    Recovered {
        /// How many.
        readings: u32,
    },
    /// What the device says of itself; sent when it is first known and when it changes.
    Device(DeviceInfo),
    /// What the device's clock and this host's clock showed at one moment.
    Clock(CoincidentTime),
}

/// Two clocks read at the same moment (the *coincident time stamp* of HL7's Personal Health Device
/// guide). It places what a device measured while nobody listened:
///
/// ```text
/// host time of a measurement = its device time + (host_time_millis − device_time_millis)
/// ```
///
/// with the first coincident time received *after* the measurement was taken by the same setting of the
/// clock: the one sent before a clock is set belongs to what is stored, the one sent after to what
/// follows. The distance holds drift, a wrong setting and, of a clock that shows local time, the time
/// zone. Both are milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoincidentTime {
    /// By the device's clock, read as if it showed UTC.
    pub device_time_millis: i64,
    /// By this host's clock.
    pub host_time_millis: i64,
}

/// Bytes that were refused, and what that cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Why.
    pub reason: RejectReason,
    /// How many frames (or runs of bytes that could have been one) were refused.
    pub frames: u32,
    /// How many expected readings are lost by it; 0 for a replay, whose reading was received.
    pub readings: u32,
}

/// Why bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RejectReason {
    /// Bytes that belong to no frame: noise, a wrong speed, the rest of a half frame.
    Garbage,
    /// A frame whose checksum does not match.
    Checksum,
    /// A frame or packet that ended early.
    Incomplete,
    /// Longer than any frame can be.
    TooLong,
    /// Well formed, but no body can have this value.
    Implausible,
    /// Intact, but not proved as the paired device does: a wrong key, another class of
    /// authentication, or a forgery.
    Forged,
    /// Authentic, but seen before or older than what was acknowledged.
    Replayed,
    /// Authentic, from a device other than the one that was paired.
    WrongDevice,
    /// A version or message of the protocol that this host does not speak.
    UnknownMessage,
    /// Intact, but of no body: control solution, a demonstration or a test.
    NotFromBody,
}

impl RejectReason {
    /// The name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            RejectReason::Garbage => "garbage",
            RejectReason::Checksum => "checksum",
            RejectReason::Incomplete => "incomplete",
            RejectReason::TooLong => "too-long",
            RejectReason::Implausible => "implausible",
            RejectReason::Forged => "forged",
            RejectReason::Replayed => "replayed",
            RejectReason::WrongDevice => "wrong-device",
            RejectReason::UnknownMessage => "unknown-message",
            RejectReason::NotFromBody => "not-from-body",
        }
    }

    /// A person's words for it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            RejectReason::Garbage => "bytes that form no frame",
            RejectReason::Checksum => "damaged frame",
            RejectReason::Incomplete => "frame cut short",
            RejectReason::TooLong => "frame too long",
            RejectReason::Implausible => "impossible value",
            RejectReason::Forged => "not from the paired device",
            RejectReason::Replayed => "replay",
            RejectReason::WrongDevice => "another device's frame",
            RejectReason::UnknownMessage => "unknown message",
            RejectReason::NotFromBody => "control, demonstration or test",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// How it is known that readings are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MissingCause {
    /// The device's sequence numbers have a hole.
    SequenceGap,
    /// The link was open and nothing usable arrived for a while: counted by the expected rate.
    Silence,
    /// The link was down: counted by the expected rate.
    Disconnected,
}

impl MissingCause {
    /// The name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            MissingCause::SequenceGap => "sequence-gap",
            MissingCause::Silence => "silence",
            MissingCause::Disconnected => "disconnected",
        }
    }
}

/// What a device says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// The device's own identity as hex, where the protocol has one.
    pub device_id: Option<String>,
    /// Who made it, where known.
    pub manufacturer: Option<String>,
    /// A model name, where known.
    pub model: Option<String>,
    /// The maker's serial number, where known.
    pub serial_number: Option<String>,
    /// The version of the hardware, where known.
    pub hardware: Option<String>,
    /// The firmware version, where known.
    pub firmware: Option<String>,
    /// The version of the software beside the firmware, where known.
    pub software: Option<String>,
    /// What it can compute, where it says so.
    pub class: Option<DeviceClass>,
    /// How it proves its frames, if it does.
    pub authentication: Option<Authentication>,
    /// Charge of the battery in percent, where the device says it.
    pub battery_percent: Option<u8>,
    /// The rate at which this device says it sends readings, where it says so.
    pub rate: Option<Rate>,
    /// Whether this device is simulated.
    pub simulated: bool,
}
