//! Glucose Service 1.0.1: Glucose Measurement 2A18 and Glucose Feature 2A51 (GATT Specification
//! Supplement under these names).
//!
//! ```text
//! 2A18   flags · sequence number u16 · base time Date Time · [time offset i16, minutes]
//!        · [concentration SFLOAT · type and location u8] · [sensor status u16]
//! flags  bit 0  time offset   bit 1  concentration   bit 2  it is in mol/L, not kg/L
//!        bit 3  sensor status   bit 4  a context (2A34) follows   bits 5 to 7 reserved
//! ```
//!
//! Base time and offset together are the time that the meter showed its user. A concentration is sent
//! in kg/L or mol/L and moved to mg/dL (×10⁵) and mmol/L (×10³), which is a change of the exponent.
//! A test of control solution is nobody's reading; glucose of interstitial fluid has no metric here,
//! and both are refused by name. A result above or below what the meter measures comes as a special
//! float, thus without a number.

use crate::event::RejectReason;
use crate::gatt::Float;
use crate::gatt::reader::{DecodeError, Reader, optional, redacted};
use crate::gatt::report::Report;
use crate::gatt::time::DateTime;
use crate::measurement::{Metric, Quality};

const TIME_OFFSET: u8 = 0x01;
const CONCENTRATION: u8 = 0x02;
const MOLAR: u8 = 0x04;
const STATUS: u8 = 0x08;
const CONTEXT: u8 = 0x10;
const RESERVED: u8 = 0xe0;

const MINUTE_MILLIS: i64 = 60_000;

/// The bits of Sensor Status Annunciation; bits 12 to 15 are reserved.
pub mod sensor_status {
    /// The battery was low.
    pub const BATTERY_LOW: u16 = 0x0001;
    /// The sensor was broken.
    pub const MALFUNCTION: u16 = 0x0002;
    /// Too little blood or control solution.
    pub const SAMPLE_INSUFFICIENT: u16 = 0x0004;
    /// The strip was not inserted correctly.
    pub const STRIP_INSERTION: u16 = 0x0008;
    /// The strip was of a wrong type.
    pub const STRIP_TYPE: u16 = 0x0010;
    /// The result is higher than the device can process.
    pub const TOO_HIGH: u16 = 0x0020;
    /// The result is lower than the device can process.
    pub const TOO_LOW: u16 = 0x0040;
    /// It was too warm for a valid result.
    pub const TOO_WARM: u16 = 0x0080;
    /// It was too cold for a valid result.
    pub const TOO_COLD: u16 = 0x0100;
    /// The strip was pulled too soon.
    pub const INTERRUPTED: u16 = 0x0200;
    /// A general fault of the device.
    pub const GENERAL_FAULT: u16 = 0x0400;
    /// The clock is wrong.
    pub const TIME_FAULT: u16 = 0x0800;
}

/// What was tested (Type of 2A18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Specimen {
    /// Capillary whole blood.
    CapillaryWholeBlood,
    /// Capillary plasma.
    CapillaryPlasma,
    /// Venous whole blood.
    VenousWholeBlood,
    /// Venous plasma.
    VenousPlasma,
    /// Arterial whole blood.
    ArterialWholeBlood,
    /// Arterial plasma.
    ArterialPlasma,
    /// Whole blood of a place that is not determined.
    UndeterminedWholeBlood,
    /// Plasma of a place that is not determined.
    UndeterminedPlasma,
    /// Interstitial fluid.
    InterstitialFluid,
    /// Control solution.
    ControlSolution,
    /// A value kept for later (0, and 11 to 15).
    Reserved(u8),
}

/// Where a specimen is from (Sample Location of 2A18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SampleLocation {
    /// Finger.
    Finger,
    /// Alternate site.
    AlternateSite,
    /// Earlobe.
    Earlobe,
    /// Control solution.
    ControlSolution,
    /// Not available.
    NotAvailable,
    /// A value kept for later (0, and 5 to 14).
    Reserved(u8),
}

/// A unit of concentration as 2A18 sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConcentrationUnit {
    /// kg/L.
    KilogramsPerLitre,
    /// mol/L.
    MolesPerLitre,
}

/// A concentration with its specimen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Concentration {
    /// The concentration, in the unit of the measurement.
    pub value: Float,
    /// What was tested.
    pub specimen: Specimen,
    /// Where it is from.
    pub location: SampleLocation,
}

/// Glucose Measurement 2A18.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GlucoseMeasurement {
    /// The meter's number of this record; it counts up.
    pub sequence: u16,
    /// The meter's own clock.
    pub base_time: DateTime,
    /// What the user's time was ahead of it, in minutes.
    pub offset_minutes: Option<i16>,
    /// The unit the meter measures in; said of a test without a result, too.
    pub unit: ConcentrationUnit,
    /// The result.
    pub concentration: Option<Concentration>,
    /// [`sensor_status`].
    pub status: Option<u16>,
    /// Whether a Glucose Measurement Context with the same number follows.
    pub has_context: bool,
}

redacted!(Concentration, GlucoseMeasurement);

impl GlucoseMeasurement {
    /// Decodes 2A18.
    ///
    /// # Errors
    /// The value ends early, has a time that does not exist, or bytes follow that no flag announces.
    pub fn decode(value: &[u8]) -> Result<GlucoseMeasurement, DecodeError> {
        let mut reader = Reader::new(value);
        let flags = reader.u8("flags")?;
        let measurement = GlucoseMeasurement {
            sequence: reader.u16("sequence number")?,
            base_time: DateTime::read(&mut reader)?,
            offset_minutes: optional!(flags, TIME_OFFSET, reader.i16("time offset")?),
            unit: if flags & MOLAR == 0 {
                ConcentrationUnit::KilogramsPerLitre
            } else {
                ConcentrationUnit::MolesPerLitre
            },
            concentration: optional!(flags, CONCENTRATION, Concentration::read(&mut reader)?),
            status: optional!(flags, STATUS, reader.u16("sensor status")?),
            has_context: flags & CONTEXT != 0,
        };
        reader.end(u32::from(flags & RESERVED))?;
        Ok(measurement)
    }

    /// Milliseconds since 1970 by the time the meter showed, as if it were UTC; `None` when its date is
    /// not known or its clock was at fault.
    #[must_use]
    pub fn device_time_millis(&self) -> Option<i64> {
        let offset = i64::from(self.offset_minutes.unwrap_or(0)) * MINUTE_MILLIS;
        self.base_time
            .millis()
            .filter(|_| self.status.unwrap_or(0) & sensor_status::TIME_FAULT == 0)
            .map(|millis| millis + offset)
    }

    pub(crate) fn report(&self, report: &mut Report<'_>) {
        report.device_time_millis = self.device_time_millis();
        report.sequence = Some(u64::from(self.sequence));
        let mut quality = quality_of(self.status.unwrap_or(0));
        let (metric, power) = match self.unit {
            ConcentrationUnit::KilogramsPerLitre => (Metric::GlucoseMass, 5),
            ConcentrationUnit::MolesPerLitre => (Metric::GlucoseMolar, 3),
        };
        let Some(concentration) = self.concentration else {
            // A test that failed.
            report.quantity(metric, None, quality);
            return;
        };
        match concentration.specimen {
            Specimen::ControlSolution => return report.refuse(RejectReason::NotFromBody, 0),
            Specimen::InterstitialFluid => return report.refuse(RejectReason::UnknownMessage, 1),
            Specimen::Reserved(_) => quality = quality.max(Quality::Questionable),
            _ => {}
        }
        let value = match concentration.value {
            Float::Number { mantissa, exponent } => Float::Number {
                mantissa,
                exponent: exponent + power,
            },
            special => special,
        };
        report.float(metric, value, quality);
    }
}

impl Concentration {
    fn read(reader: &mut Reader<'_>) -> Result<Concentration, DecodeError> {
        let value = reader.sfloat("concentration")?;
        let nibbles = reader.u8("type and location")?;
        Ok(Concentration {
            value,
            specimen: match nibbles & 0x0f {
                1 => Specimen::CapillaryWholeBlood,
                2 => Specimen::CapillaryPlasma,
                3 => Specimen::VenousWholeBlood,
                4 => Specimen::VenousPlasma,
                5 => Specimen::ArterialWholeBlood,
                6 => Specimen::ArterialPlasma,
                7 => Specimen::UndeterminedWholeBlood,
                8 => Specimen::UndeterminedPlasma,
                9 => Specimen::InterstitialFluid,
                10 => Specimen::ControlSolution,
                reserved => Specimen::Reserved(reserved),
            },
            location: match nibbles >> 4 {
                1 => SampleLocation::Finger,
                2 => SampleLocation::AlternateSite,
                3 => SampleLocation::Earlobe,
                4 => SampleLocation::ControlSolution,
                15 => SampleLocation::NotAvailable,
                reserved => SampleLocation::Reserved(reserved),
            },
        })
    }
}

/// What Sensor Status Annunciation means for a value.
const fn quality_of(bits: u16) -> Quality {
    use sensor_status as status;
    const FAULT: u16 = status::MALFUNCTION | status::GENERAL_FAULT;
    const DOUBTFUL: u16 = status::SAMPLE_INSUFFICIENT
        | status::STRIP_INSERTION
        | status::STRIP_TYPE
        | status::TOO_HIGH
        | status::TOO_LOW
        | status::TOO_WARM
        | status::TOO_COLD
        | status::INTERRUPTED;
    if bits & FAULT != 0 {
        Quality::SensorFault
    } else if bits & DOUBTFUL != 0 {
        Quality::Questionable
    } else {
        Quality::Good
    }
}

/// Glucose Feature 2A51. Bits: 0 low battery, 1 malfunction, 2 sample size, 3 strip insertion, 4 strip
/// type, 5 result too high or low, 6 temperature, 7 interruption, 8 general fault, 9 time fault: that it
/// detects them; 10 several bonds; 11 to 15 reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlucoseFeature(pub u16);

impl GlucoseFeature {
    /// Decodes 2A51.
    ///
    /// # Errors
    /// The value is not two bytes.
    pub fn decode(value: &[u8]) -> Result<GlucoseFeature, DecodeError> {
        let mut reader = Reader::new(value);
        let bits = reader.u16("features")?;
        reader.end(0)?;
        Ok(GlucoseFeature(bits))
    }
}
