//! Health Thermometer Service 1.0: Temperature Measurement 2A1C, Temperature Type 2A1D, Intermediate
//! Temperature 2A1E (GATT Specification Supplement under these names).
//!
//! ```text
//! 2A1C, 2A1E   flags · temperature FLOAT · [Date Time] · [type u8]
//! flags        bit 0  in °F, not °C     bit 1  time follows     bit 2  type follows
//!              bits 3 to 7 reserved
//! ```
//!
//! An intermediate temperature is one on its way to the measurement: a value, but
//! [`Quality::Questionable`]. The measurement interval (2A21) is left out.

use crate::gatt::Float;
use crate::gatt::convert::Decimal;
use crate::gatt::reader::{DecodeError, Reader, optional, redacted};
use crate::gatt::report::Report;
use crate::gatt::time::DateTime;
use crate::measurement::{Metric, Quality};

const FAHRENHEIT: u8 = 0x01;
const TIME: u8 = 0x02;
const TYPE: u8 = 0x04;
const RESERVED: u8 = 0xf8;

/// A unit of temperature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TemperatureUnit {
    /// °C.
    Celsius,
    /// °F.
    Fahrenheit,
}

/// Temperature Measurement 2A1C, or Intermediate Temperature 2A1E.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TemperatureMeasurement {
    /// The temperature, in `unit`.
    pub temperature: Float,
    /// The unit the device sent.
    pub unit: TemperatureUnit,
    /// When it was measured, by the device's clock.
    pub time: Option<DateTime>,
    /// Where it was measured; when absent, [`TemperatureType`] may be read once.
    pub kind: Option<TemperatureType>,
}

redacted!(TemperatureMeasurement);

impl TemperatureMeasurement {
    /// Decodes 2A1C and 2A1E.
    ///
    /// # Errors
    /// The value ends early, has a time that does not exist, or bytes follow that no flag announces.
    pub fn decode(value: &[u8]) -> Result<TemperatureMeasurement, DecodeError> {
        let mut reader = Reader::new(value);
        let flags = reader.u8("flags")?;
        let measurement = TemperatureMeasurement {
            temperature: reader.float("temperature")?,
            unit: if flags & FAHRENHEIT == 0 {
                TemperatureUnit::Celsius
            } else {
                TemperatureUnit::Fahrenheit
            },
            time: optional!(flags, TIME, DateTime::read(&mut reader)?),
            kind: optional!(
                flags,
                TYPE,
                TemperatureType::of(reader.u8("temperature type")?)
            ),
        };
        reader.end(u32::from(flags & RESERVED))?;
        Ok(measurement)
    }

    pub(crate) fn report(&self, is_intermediate: bool, report: &mut Report<'_>) {
        report.device_time_millis = self.time.and_then(DateTime::millis);
        let quality = if is_intermediate {
            Quality::Questionable
        } else {
            Quality::Good
        };
        match self.unit {
            TemperatureUnit::Celsius => {
                report.float(Metric::BodyTemperature, self.temperature, quality);
            }
            TemperatureUnit::Fahrenheit => report.converted(
                Metric::BodyTemperature,
                self.temperature,
                quality,
                Decimal::celsius_of_fahrenheit,
            ),
        }
    }
}

/// Temperature Type 2A1D: where on the body a thermometer measures (IEEE 11073-10408).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TemperatureType {
    /// Armpit.
    Armpit,
    /// Body, in general.
    Body,
    /// Ear, usually its lobe.
    Ear,
    /// Finger.
    Finger,
    /// Gastrointestinal tract.
    GastrointestinalTract,
    /// Mouth.
    Mouth,
    /// Rectum.
    Rectum,
    /// Toe.
    Toe,
    /// Ear drum.
    Tympanum,
    /// A value kept for later (0, and 10 to 255).
    Reserved(u8),
}

impl TemperatureType {
    /// Decodes 2A1D.
    ///
    /// # Errors
    /// The value is not one byte.
    pub fn decode(value: &[u8]) -> Result<TemperatureType, DecodeError> {
        let mut reader = Reader::new(value);
        let kind = TemperatureType::of(reader.u8("temperature type")?);
        reader.end(0)?;
        Ok(kind)
    }

    const fn of(number: u8) -> TemperatureType {
        match number {
            1 => TemperatureType::Armpit,
            2 => TemperatureType::Body,
            3 => TemperatureType::Ear,
            4 => TemperatureType::Finger,
            5 => TemperatureType::GastrointestinalTract,
            6 => TemperatureType::Mouth,
            7 => TemperatureType::Rectum,
            8 => TemperatureType::Toe,
            9 => TemperatureType::Tympanum,
            reserved => TemperatureType::Reserved(reserved),
        }
    }
}
