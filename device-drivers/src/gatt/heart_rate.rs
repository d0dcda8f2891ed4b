//! Heart Rate Service 1.0: Heart Rate Measurement 2A37 and Body Sensor Location 2A38 (GATT
//! Specification Supplement, "Heart Rate Measurement", "Body Sensor Location").
//!
//! ```text
//! 2A37   flags · heart rate u8 or u16 · [energy u16] · [RR interval u16]…
//! flags  bit 0  the heart rate is a u16           bit 3  energy expended follows
//!        bit 1  contact with the skin detected    bit 4  RR intervals follow, the oldest first
//!        bit 2  contact is something it detects   bits 5 to 7 reserved
//! ```
//!
//! The RR intervals of one value all get the host time at which it came; what they are apart, they say
//! themselves. Resetting the energy (2A39) is left out.

use crate::gatt::convert::Decimal;
use crate::gatt::reader::{DecodeError, Reader, optional, redacted};
use crate::gatt::report::Report;
use crate::measurement::{Metric, Quality};

const RATE_IS_U16: u8 = 0x01;
const CONTACT: u8 = 0x02;
const CONTACT_IS_DETECTED: u8 = 0x04;
const ENERGY: u8 = 0x08;
const RR_INTERVALS: u8 = 0x10;
const RESERVED: u8 = 0xe0;

/// Heart Rate Measurement 2A37.
#[derive(Clone, PartialEq, Eq)]
pub struct HeartRateMeasurement {
    /// Beats per minute; 0 is none.
    pub rate_bpm: u16,
    /// Whether the sensor touches the skin; `None` when it cannot tell.
    pub contact: Option<bool>,
    /// Energy expended since it was last reset, in kilojoules; stays at 65,535 when there.
    pub energy_kilojoules: Option<u16>,
    /// Times between two heart beats in 1/1,024 s, the oldest first; empty when not sent.
    pub rr_ticks: Vec<u16>,
}

redacted!(HeartRateMeasurement);

impl HeartRateMeasurement {
    /// Decodes 2A37.
    ///
    /// # Errors
    /// The value ends early, or bytes follow that no flag announces.
    pub fn decode(value: &[u8]) -> Result<HeartRateMeasurement, DecodeError> {
        let mut reader = Reader::new(value);
        let flags = reader.u8("flags")?;
        let rate_bpm = if flags & RATE_IS_U16 == 0 {
            u16::from(reader.u8("heart rate")?)
        } else {
            reader.u16("heart rate")?
        };
        let energy_kilojoules = optional!(flags, ENERGY, reader.u16("energy expended")?);
        let rr_ticks = optional!(flags, RR_INTERVALS, reader.rest_u16("RR interval")?);
        reader.end(u32::from(flags & RESERVED))?;
        Ok(HeartRateMeasurement {
            rate_bpm,
            contact: optional!(flags, CONTACT_IS_DETECTED, flags & CONTACT != 0),
            energy_kilojoules,
            rr_ticks: rr_ticks.unwrap_or_default(),
        })
    }

    pub(crate) fn report(&self, report: &mut Report<'_>) {
        let quality = if self.contact == Some(false) {
            Quality::SensorOff
        } else {
            Quality::Good
        };
        let rate = Decimal::whole(i64::from(self.rate_bpm));
        report.quantity(Metric::HeartRate, Some(rate), quality);
        for &interval in &self.rr_ticks {
            let interval = Decimal::millis_of_ticks(interval);
            report.quantity(Metric::RrInterval, Some(interval), quality);
        }
        if let Some(energy) = self.energy_kilojoules {
            // The counter at its end: at least so much.
            let quality = if energy == u16::MAX {
                Quality::Questionable
            } else {
                Quality::Good
            };
            let energy = Decimal::whole(i64::from(energy));
            report.quantity(Metric::EnergyExpended, Some(energy), quality);
        }
    }
}

/// Body Sensor Location 2A38: where a heart rate sensor is worn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodySensorLocation {
    /// Elsewhere.
    Other,
    /// Chest.
    Chest,
    /// Wrist.
    Wrist,
    /// Finger.
    Finger,
    /// Hand.
    Hand,
    /// Ear lobe.
    EarLobe,
    /// Foot.
    Foot,
    /// A value kept for later (7 to 255).
    Reserved(u8),
}

impl BodySensorLocation {
    /// Decodes 2A38.
    ///
    /// # Errors
    /// The value is not one byte.
    pub fn decode(value: &[u8]) -> Result<BodySensorLocation, DecodeError> {
        let mut reader = Reader::new(value);
        let location = match reader.u8("location")? {
            0 => BodySensorLocation::Other,
            1 => BodySensorLocation::Chest,
            2 => BodySensorLocation::Wrist,
            3 => BodySensorLocation::Finger,
            4 => BodySensorLocation::Hand,
            5 => BodySensorLocation::EarLobe,
            6 => BodySensorLocation::Foot,
            reserved => BodySensorLocation::Reserved(reserved),
        };
        reader.end(0)?;
        Ok(location)
    }
}
