//! Body Composition Service 1.0.1: Body Composition Measurement 2A9C and Body Composition Feature 2A9B
//! (GATT Specification Supplement under these names).
//!
//! ```text
//! 2A9C   flags u16 · body fat u16 · [Date Time] · [user id u8] · [basal metabolism u16]
//!        · [muscle percentage u16] · [muscle mass u16] · [fat free mass u16] · [soft lean mass u16]
//!        · [body water mass u16] · [impedance u16] · [weight u16] · [height u16]
//! flags  bit 0  imperial   bits 1 to 11  the fields in brackets   bit 12  one of two packets
//!        bits 13 to 15 reserved
//! ```
//!
//! Percentages come in steps of 0.1 %, metabolism in kJ, impedance in steps of 0.1 Ω, masses and
//! lengths as a weight scale's. A body fat of FFFF says that the measurement failed; scales send it in
//! place of other fields, too.
//!
//! A measurement that does not fit into one packet comes as two, each with bit 12: time and user are in
//! the first only, body fat in both. Each packet is measured when it comes; the second takes over the
//! first's time and leaves body fat out, so nothing waits and nothing is counted twice. Without a
//! metric here, for want of a LOINC code that could be verified: basal metabolism, fat free mass, soft
//! lean mass, impedance.

use crate::gatt::convert::Decimal;
use crate::gatt::reader::{DecodeError, Reader, optional, redacted};
use crate::gatt::report::Report;
use crate::gatt::scale::{HeightResolution, ScaleUnits, UNSUCCESSFUL, WeightResolution};
use crate::gatt::time::DateTime;
use crate::measurement::{Metric, Quality};

const IMPERIAL: u16 = 0x0001;
const TIME: u16 = 0x0002;
const USER_ID: u16 = 0x0004;
const BASAL_METABOLISM: u16 = 0x0008;
const MUSCLE_PERCENTAGE: u16 = 0x0010;
const MUSCLE_MASS: u16 = 0x0020;
const FAT_FREE_MASS: u16 = 0x0040;
const SOFT_LEAN_MASS: u16 = 0x0080;
const BODY_WATER_MASS: u16 = 0x0100;
const IMPEDANCE: u16 = 0x0200;
const WEIGHT: u16 = 0x0400;
const HEIGHT: u16 = 0x0800;
const MULTIPLE_PACKETS: u16 = 0x1000;
const RESERVED: u16 = 0xe000;

/// The user id that means "unknown user".
const UNKNOWN_USER: u8 = 0xff;

/// Body Composition Measurement 2A9C: one packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BodyComposition {
    /// The unit of masses, weight and height.
    pub units: ScaleUnits,
    /// Body fat in steps of 0.1 %; 65,535 when the measurement failed.
    pub body_fat: u16,
    /// When it was measured, by the device's clock.
    pub time: Option<DateTime>,
    /// The device's number of the user; `None` when not sent or sent as "unknown user".
    pub user_id: Option<u8>,
    /// Basal metabolism, in kJ (a day).
    pub basal_metabolism: Option<u16>,
    /// Muscle in steps of 0.1 % of the weight.
    pub muscle_percentage: Option<u16>,
    /// Muscle mass, in steps of `units`.
    pub muscle_mass: Option<u16>,
    /// Fat free mass, in steps of `units`.
    pub fat_free_mass: Option<u16>,
    /// Soft lean mass, in steps of `units`.
    pub soft_lean_mass: Option<u16>,
    /// Body water mass, in steps of `units`.
    pub body_water_mass: Option<u16>,
    /// Impedance, in steps of 0.1 Ω.
    pub impedance: Option<u16>,
    /// Weight, in steps of `units`.
    pub weight: Option<u16>,
    /// Height, in steps of `units`.
    pub height: Option<u16>,
    /// Whether this is one of two packets.
    pub is_multiple_packet: bool,
}

redacted!(BodyComposition);

impl BodyComposition {
    /// Decodes 2A9C.
    ///
    /// # Errors
    /// The value ends early, has a time that does not exist, or bytes follow that no flag announces.
    pub fn decode(value: &[u8]) -> Result<BodyComposition, DecodeError> {
        let mut reader = Reader::new(value);
        let flags = reader.u16("flags")?;
        let measurement = BodyComposition {
            units: ScaleUnits::of(flags & IMPERIAL != 0),
            body_fat: reader.u16("body fat")?,
            time: optional!(flags, TIME, DateTime::read(&mut reader)?),
            user_id: optional!(flags, USER_ID, reader.u8("user id")?)
                .filter(|&id| id != UNKNOWN_USER),
            basal_metabolism: optional!(flags, BASAL_METABOLISM, reader.u16("basal metabolism")?),
            muscle_percentage: optional!(
                flags,
                MUSCLE_PERCENTAGE,
                reader.u16("muscle percentage")?
            ),
            muscle_mass: optional!(flags, MUSCLE_MASS, reader.u16("muscle mass")?),
            fat_free_mass: optional!(flags, FAT_FREE_MASS, reader.u16("fat free mass")?),
            soft_lean_mass: optional!(flags, SOFT_LEAN_MASS, reader.u16("soft lean mass")?),
            body_water_mass: optional!(flags, BODY_WATER_MASS, reader.u16("body water mass")?),
            impedance: optional!(flags, IMPEDANCE, reader.u16("impedance")?),
            weight: optional!(flags, WEIGHT, reader.u16("weight")?),
            height: optional!(flags, HEIGHT, reader.u16("height")?),
            is_multiple_packet: flags & MULTIPLE_PACKETS != 0,
        };
        reader.end(u32::from(flags & RESERVED))?;
        Ok(measurement)
    }

    /// Reports the packet; `is_second` when it is the second of two, whose time the caller has set.
    pub(crate) fn report(&self, is_second: bool, report: &mut Report<'_>) {
        if !is_second {
            report.device_time_millis = self.time.and_then(DateTime::millis);
            report.quantity(Metric::BodyFat, percent(self.body_fat), Quality::Good);
        }
        let units = self.units;
        let kilograms = |steps| units.kilograms(steps);
        let fields = [
            (
                Metric::MusclePercentage,
                self.muscle_percentage.map(percent),
            ),
            (Metric::MuscleMass, self.muscle_mass.map(kilograms)),
            (Metric::BodyWaterMass, self.body_water_mass.map(kilograms)),
            (Metric::BodyWeight, self.weight.map(kilograms)),
            (
                Metric::BodyHeight,
                self.height.map(|steps| units.centimetres(steps)),
            ),
        ];
        for (metric, field) in fields {
            if let Some(value) = field {
                report.quantity(metric, value, Quality::Good);
            }
        }
    }
}

/// A percentage in steps of 0.1 %; `None` for the value that says it is none.
fn percent(steps: u16) -> Option<Decimal> {
    Decimal::new(i64::from(steps), -1).filter(|_| steps != UNSUCCESSFUL)
}

/// Body Composition Feature 2A9B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BodyCompositionFeature {
    /// Bits: 0 time, 1 several users, 2 to 10 the fields of 2A9C from basal metabolism to height; 18
    /// to 31 reserved.
    pub supported: u32,
    /// The smallest step of a weight or mass.
    pub weight_resolution: WeightResolution,
    /// The smallest step of a height.
    pub height_resolution: HeightResolution,
}

impl BodyCompositionFeature {
    /// Decodes 2A9B.
    ///
    /// # Errors
    /// The value is not four bytes.
    pub fn decode(value: &[u8]) -> Result<BodyCompositionFeature, DecodeError> {
        let mut reader = Reader::new(value);
        let bits = reader.u32("features")?;
        reader.end(0)?;
        Ok(BodyCompositionFeature {
            supported: bits & !0x0003_f800,
            weight_resolution: WeightResolution::of(bits >> 11),
            height_resolution: HeightResolution::of(bits >> 15),
        })
    }
}
