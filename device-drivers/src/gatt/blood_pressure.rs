//! Blood Pressure Service 1.1.1: Blood Pressure Measurement 2A35, Intermediate Cuff Pressure 2A36,
//! Blood Pressure Feature 2A49 (GATT Specification Supplement under these names).
//!
//! ```text
//! 2A35, 2A36   flags · systolic · diastolic · mean arterial, each SFLOAT · [Date Time]
//!              · [pulse rate SFLOAT] · [user id u8] · [measurement status u16]
//! flags        bit 0  in kPa, not mmHg   bit 1  time   bit 2  pulse rate   bit 3  user id
//!              bit 4  measurement status   bits 5 to 7 reserved
//! ```
//!
//! 2A36 has the same form: its systolic field is the pressure in the cuff, the other two are NaN. The
//! pressure in a cuff that is being filled is no blood pressure; it is decoded and not measured.
//! The Enhanced Blood Pressure Measurement (2B34) is left out.

use crate::gatt::Float;
use crate::gatt::convert::Decimal;
use crate::gatt::reader::{DecodeError, Reader, optional, redacted};
use crate::gatt::report::Report;
use crate::gatt::time::DateTime;
use crate::measurement::{Metric, Quality};

const KILOPASCAL: u8 = 0x01;
const TIME: u8 = 0x02;
const PULSE_RATE: u8 = 0x04;
const USER_ID: u8 = 0x08;
const STATUS: u8 = 0x10;
const RESERVED: u8 = 0xe0;

/// The user id that means "unknown user".
const UNKNOWN_USER: u8 = 0xff;

/// The bits of Measurement Status; bits 6 to 15 are reserved.
pub mod measurement_status {
    /// The body moved.
    pub const BODY_MOVEMENT: u16 = 0x0001;
    /// The cuff is too loose.
    pub const CUFF_TOO_LOOSE: u16 = 0x0002;
    /// The pulse is irregular.
    pub const IRREGULAR_PULSE: u16 = 0x0004;
    /// The pulse rate, two bits: see [`PULSE_ABOVE`] and [`PULSE_BELOW`]; both together are reserved.
    pub const PULSE_RANGE: u16 = 0x0018;
    /// The pulse rate is above the upper limit.
    pub const PULSE_ABOVE: u16 = 0x0008;
    /// The pulse rate is below the lower limit.
    pub const PULSE_BELOW: u16 = 0x0010;
    /// The body is in an improper position.
    pub const IMPROPER_POSITION: u16 = 0x0020;
}

/// The bits of Blood Pressure Feature 2A49; bits 9 to 15 are reserved.
pub mod feature {
    /// Detects movement of the body.
    pub const BODY_MOVEMENT: u16 = 0x0001;
    /// Detects how the cuff fits.
    pub const CUFF_FIT: u16 = 0x0002;
    /// Detects an irregular pulse.
    pub const IRREGULAR_PULSE: u16 = 0x0004;
    /// Detects a pulse rate out of range.
    pub const PULSE_RANGE: u16 = 0x0008;
    /// Detects an improper position.
    pub const POSITION: u16 = 0x0010;
    /// Several bonds.
    pub const MULTIPLE_BONDS: u16 = 0x0020;
    /// A checksum from end to end.
    pub const E2E_CRC: u16 = 0x0040;
    /// User Data Service.
    pub const USER_DATA: u16 = 0x0080;
    /// A time that the user sees, beside the clock.
    pub const USER_FACING_TIME: u16 = 0x0100;
}

/// A unit of pressure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PressureUnit {
    /// mmHg.
    MillimetresOfMercury,
    /// kPa.
    Kilopascals,
}

/// Blood Pressure Measurement 2A35, or Intermediate Cuff Pressure 2A36.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BloodPressureMeasurement {
    /// The unit of the pressures.
    pub unit: PressureUnit,
    /// Systolic pressure; of 2A36 the pressure in the cuff.
    pub systolic: Float,
    /// Diastolic pressure; of 2A36 NaN.
    pub diastolic: Float,
    /// Mean arterial pressure; of 2A36 NaN.
    pub mean: Float,
    /// When it was measured, by the device's clock.
    pub time: Option<DateTime>,
    /// Pulse rate, in beats per minute.
    pub pulse_rate: Option<Float>,
    /// The device's number of the user; `None` when not sent or sent as "unknown user".
    pub user_id: Option<u8>,
    /// [`measurement_status`].
    pub status: Option<u16>,
}

redacted!(BloodPressureMeasurement);

impl BloodPressureMeasurement {
    /// Decodes 2A35 and 2A36.
    ///
    /// # Errors
    /// The value ends early, has a time that does not exist, or bytes follow that no flag announces.
    pub fn decode(value: &[u8]) -> Result<BloodPressureMeasurement, DecodeError> {
        let mut reader = Reader::new(value);
        let flags = reader.u8("flags")?;
        let measurement = BloodPressureMeasurement {
            unit: if flags & KILOPASCAL == 0 {
                PressureUnit::MillimetresOfMercury
            } else {
                PressureUnit::Kilopascals
            },
            systolic: reader.sfloat("systolic pressure")?,
            diastolic: reader.sfloat("diastolic pressure")?,
            mean: reader.sfloat("mean arterial pressure")?,
            time: optional!(flags, TIME, DateTime::read(&mut reader)?),
            pulse_rate: optional!(flags, PULSE_RATE, reader.sfloat("pulse rate")?),
            user_id: optional!(flags, USER_ID, reader.u8("user id")?)
                .filter(|&id| id != UNKNOWN_USER),
            status: optional!(flags, STATUS, reader.u16("measurement status")?),
        };
        reader.end(u32::from(flags & RESERVED))?;
        Ok(measurement)
    }

    pub(crate) fn report(&self, report: &mut Report<'_>) {
        use measurement_status as status;
        const DOUBTFUL: u16 = status::BODY_MOVEMENT
            | status::CUFF_TOO_LOOSE
            | status::IRREGULAR_PULSE
            | status::IMPROPER_POSITION;
        report.device_time_millis = self.time.and_then(DateTime::millis);
        let bits = self.status.unwrap_or(0);
        let of = |doubtful: u16| {
            if bits & doubtful != 0 {
                Quality::Questionable
            } else {
                Quality::Good
            }
        };
        for (metric, pressure) in [
            (Metric::BloodPressureSystolic, self.systolic),
            (Metric::BloodPressureDiastolic, self.diastolic),
            (Metric::BloodPressureMean, self.mean),
        ] {
            match self.unit {
                PressureUnit::MillimetresOfMercury => report.float(metric, pressure, of(DOUBTFUL)),
                PressureUnit::Kilopascals => {
                    report.converted(metric, pressure, of(DOUBTFUL), Decimal::mmhg_of_kilopascals)
                }
            }
        }
        if let Some(rate) = self.pulse_rate {
            report.float(Metric::HeartRate, rate, of(DOUBTFUL | status::PULSE_RANGE));
        }
    }
}

/// Blood Pressure Feature 2A49: the bits of [`feature`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BloodPressureFeature(pub u16);

impl BloodPressureFeature {
    /// Decodes 2A49.
    ///
    /// # Errors
    /// The value is not two bytes.
    pub fn decode(value: &[u8]) -> Result<BloodPressureFeature, DecodeError> {
        let mut reader = Reader::new(value);
        let bits = reader.u16("features")?;
        reader.end(0)?;
        Ok(BloodPressureFeature(bits))
    }
}
