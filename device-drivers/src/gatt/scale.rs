//! Weight Scale Service 1.0.1: Weight Measurement 2A9D and Weight Scale Feature 2A9E (GATT
//! Specification Supplement under these names).
//!
//! ```text
//! 2A9D   flags · weight u16 · [Date Time] · [user id u8] · [BMI u16 · height u16]
//! flags  bit 0  imperial: steps of 0.01 lb and 0.1 in, not of 0.005 kg and 0.001 m
//!        bit 1  time   bit 2  user id   bit 3  BMI (steps of 0.1 kg/m²) and height   4 to 7 reserved
//! ```
//!
//! A scale sends the weight FFFF when it could not weigh. Whose weight it is, the user id says to the
//! scale alone; it is decoded and left to whoever assigns devices to persons.

use crate::gatt::convert::Decimal;
use crate::gatt::reader::{DecodeError, Reader, optional, redacted};
use crate::gatt::report::Report;
use crate::gatt::time::DateTime;
use crate::measurement::{Metric, Quality};

const IMPERIAL: u8 = 0x01;
const TIME: u8 = 0x02;
const USER_ID: u8 = 0x04;
const BMI_AND_HEIGHT: u8 = 0x08;
const RESERVED: u8 = 0xf0;

/// The user id that means "unknown user".
const UNKNOWN_USER: u8 = 0xff;

/// The weight that means "measurement unsuccessful".
pub(crate) const UNSUCCESSFUL: u16 = 0xffff;

/// The units of a scale's weights and lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScaleUnits {
    /// Steps of 0.005 kg and of 0.001 m.
    Si,
    /// Steps of 0.01 lb and of 0.1 in.
    Imperial,
}

impl ScaleUnits {
    pub(crate) const fn of(is_imperial: bool) -> ScaleUnits {
        if is_imperial {
            ScaleUnits::Imperial
        } else {
            ScaleUnits::Si
        }
    }

    /// A weight or mass, exactly; `None` for the value that says it is none.
    pub(crate) fn kilograms(self, steps: u16) -> Option<Decimal> {
        match self {
            _ if steps == UNSUCCESSFUL => None,
            ScaleUnits::Si => Decimal::new(i64::from(steps) * 5, -3),
            ScaleUnits::Imperial => Some(Decimal::kilograms_of_centipounds(steps)),
        }
    }

    /// A length, exactly; `None` for the value that says it is none.
    pub(crate) fn centimetres(self, steps: u16) -> Option<Decimal> {
        match self {
            _ if steps == UNSUCCESSFUL => None,
            ScaleUnits::Si => Decimal::new(i64::from(steps), -1),
            ScaleUnits::Imperial => Some(Decimal::centimetres_of_tenth_inches(steps)),
        }
    }
}

/// Weight Measurement 2A9D.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WeightMeasurement {
    /// The unit of weight and height.
    pub units: ScaleUnits,
    /// Weight in steps of `units`; 65,535 when the scale could not weigh.
    pub weight: u16,
    /// When it was measured, by the device's clock.
    pub time: Option<DateTime>,
    /// The device's number of the user; `None` when not sent or sent as "unknown user".
    pub user_id: Option<u8>,
    /// Body mass index in steps of 0.1 kg/m².
    pub bmi: Option<u16>,
    /// Height in steps of `units`, as the scale was told.
    pub height: Option<u16>,
}

redacted!(WeightMeasurement);

impl WeightMeasurement {
    /// Decodes 2A9D.
    ///
    /// # Errors
    /// The value ends early, has a time that does not exist, or bytes follow that no flag announces.
    pub fn decode(value: &[u8]) -> Result<WeightMeasurement, DecodeError> {
        let mut reader = Reader::new(value);
        let flags = reader.u8("flags")?;
        let measurement = WeightMeasurement {
            units: ScaleUnits::of(flags & IMPERIAL != 0),
            weight: reader.u16("weight")?,
            time: optional!(flags, TIME, DateTime::read(&mut reader)?),
            user_id: optional!(flags, USER_ID, reader.u8("user id")?)
                .filter(|&id| id != UNKNOWN_USER),
            bmi: optional!(flags, BMI_AND_HEIGHT, reader.u16("body mass index")?),
            height: optional!(flags, BMI_AND_HEIGHT, reader.u16("height")?),
        };
        reader.end(u32::from(flags & RESERVED))?;
        Ok(measurement)
    }

    pub(crate) fn report(&self, report: &mut Report<'_>) {
        report.device_time_millis = self.time.and_then(DateTime::millis);
        let weight = self.units.kilograms(self.weight);
        report.quantity(Metric::BodyWeight, weight, Quality::Good);
        if let Some(bmi) = self.bmi {
            let bmi = Decimal::new(i64::from(bmi), -1);
            report.quantity(Metric::BodyMassIndex, bmi, Quality::Good);
        }
        if let Some(height) = self.height {
            let height = self.units.centimetres(height);
            report.quantity(Metric::BodyHeight, height, Quality::Good);
        }
    }
}

/// Weight Scale Feature 2A9E.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WeightScaleFeature {
    /// Bits: 0 time, 1 several users, 2 BMI; 10 to 31 reserved.
    pub supported: u32,
    /// The smallest step of a weight.
    pub weight_resolution: WeightResolution,
    /// The smallest step of a height.
    pub height_resolution: HeightResolution,
}

impl WeightScaleFeature {
    /// Decodes 2A9E.
    ///
    /// # Errors
    /// The value is not four bytes.
    pub fn decode(value: &[u8]) -> Result<WeightScaleFeature, DecodeError> {
        let mut reader = Reader::new(value);
        let bits = reader.u32("features")?;
        reader.end(0)?;
        Ok(WeightScaleFeature {
            supported: bits & !0x03f8,
            weight_resolution: WeightResolution::of(bits >> 3),
            height_resolution: HeightResolution::of(bits >> 7),
        })
    }
}

/// The smallest step of a weight that a scale shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WeightResolution {
    /// Not specified.
    Unspecified,
    /// This many grams, or this many hundredths of a pound.
    Steps {
        /// Grams, when the scale is set to SI units.
        grams: u16,
        /// Hundredths of a pound, when it is set to imperial units.
        centipounds: u16,
    },
    /// A value kept for later (8 to 15).
    Reserved(u8),
}

impl WeightResolution {
    /// The lowest four of `bits`.
    pub(crate) const fn of(bits: u32) -> WeightResolution {
        let (grams, centipounds) = match bits & 0x0f {
            0 => return WeightResolution::Unspecified,
            1 => (500, 100),
            2 => (200, 50),
            3 => (100, 20),
            4 => (50, 10),
            5 => (20, 5),
            6 => (10, 2),
            7 => (5, 1),
            reserved => return WeightResolution::Reserved(reserved as u8),
        };
        WeightResolution::Steps { grams, centipounds }
    }
}

/// The smallest step of a height that a scale takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeightResolution {
    /// Not specified.
    Unspecified,
    /// This many millimetres, or this many tenths of an inch.
    Steps {
        /// Millimetres, when the scale is set to SI units.
        millimetres: u8,
        /// Tenths of an inch, when it is set to imperial units.
        tenth_inches: u8,
    },
    /// A value kept for later (4 to 7).
    Reserved(u8),
}

impl HeightResolution {
    /// The lowest three of `bits`.
    pub(crate) const fn of(bits: u32) -> HeightResolution {
        let (millimetres, tenth_inches) = match bits & 0x07 {
            0 => return HeightResolution::Unspecified,
            1 => (10, 10),
            2 => (5, 5),
            3 => (1, 1),
            reserved => return HeightResolution::Reserved(reserved as u8),
        };
        HeightResolution::Steps {
            millimetres,
            tenth_inches,
        }
    }
}
