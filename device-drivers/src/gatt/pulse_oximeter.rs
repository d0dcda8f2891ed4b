//! Pulse Oximeter Service 1.0.1: PLX Spot-Check Measurement 2A5E (tables 3.2 to 3.5), PLX Continuous
//! Measurement 2A5F (3.6, 3.7), PLX Features 2A60 (3.8).
//!
//! ```text
//! 2A5E   flags · SpO₂ SFLOAT · pulse SFLOAT · [Date Time] · [measurement status u16]
//!        · [device and sensor status u24] · [pulse amplitude index SFLOAT]
//! flags  bit 0  time    bit 1  measurement status    bit 2  device and sensor status
//!        bit 3  pulse amplitude index    bit 4  the device's clock is not set    5 to 7 reserved
//!
//! 2A5F   flags · SpO₂, pulse · [fast SpO₂, pulse] · [slow SpO₂, pulse] · [measurement status]
//!        · [device and sensor status] · [pulse amplitude index]
//! flags  bit 0  fast    bit 1  slow    bit 2  measurement status    bit 3  device and sensor status
//!        bit 4  pulse amplitude index    5 to 7 reserved
//! ```
//!
//! The fast and slow averages say the same as the normal one over other times; they are decoded and
//! not measured, or a stream would mix them. What is marked as a demonstration or test is nobody's
//! reading and is refused.

use crate::event::RejectReason;
use crate::gatt::Float;
use crate::gatt::reader::{DecodeError, Reader, optional, redacted};
use crate::gatt::report::Report;
use crate::gatt::time::DateTime;
use crate::measurement::{Metric, Quality};

const RESERVED: u8 = 0xe0;

/// The bits of Measurement Status (PLXS table 3.4); bits 0 to 4 are reserved.
pub mod measurement_status {
    /// The measurement goes on.
    pub const ONGOING: u16 = 0x0020;
    /// An early estimate.
    pub const EARLY_ESTIMATE: u16 = 0x0040;
    /// Validated.
    pub const VALIDATED: u16 = 0x0080;
    /// Fully qualified.
    pub const FULLY_QUALIFIED: u16 = 0x0100;
    /// From the device's storage.
    pub const FROM_STORAGE: u16 = 0x0200;
    /// For demonstration.
    pub const DEMONSTRATION: u16 = 0x0400;
    /// For testing.
    pub const TESTING: u16 = 0x0800;
    /// Calibration goes on.
    pub const CALIBRATING: u16 = 0x1000;
    /// There is no measurement.
    pub const UNAVAILABLE: u16 = 0x2000;
    /// Questionable.
    pub const QUESTIONABLE: u16 = 0x4000;
    /// Invalid.
    pub const INVALID: u16 = 0x8000;
}

/// The bits of Device and Sensor Status (PLXS table 3.5); bits 16 to 23 are reserved.
pub mod device_status {
    /// The display shows an older value.
    pub const EXTENDED_DISPLAY_UPDATE: u32 = 0x0001;
    /// The equipment is broken.
    pub const EQUIPMENT_MALFUNCTION: u32 = 0x0002;
    /// Irregularity in processing the signal.
    pub const PROCESSING_IRREGULARITY: u32 = 0x0004;
    /// The signal is inadequate.
    pub const INADEQUATE_SIGNAL: u32 = 0x0008;
    /// The signal is poor.
    pub const POOR_SIGNAL: u32 = 0x0010;
    /// Low perfusion.
    pub const LOW_PERFUSION: u32 = 0x0020;
    /// The signal is erratic.
    pub const ERRATIC_SIGNAL: u32 = 0x0040;
    /// The signal does not pulsate.
    pub const NON_PULSATILE: u32 = 0x0080;
    /// The pulse is questionable.
    pub const QUESTIONABLE_PULSE: u32 = 0x0100;
    /// The signal is being analysed.
    pub const ANALYSIS_ONGOING: u32 = 0x0200;
    /// Interference at the sensor, such as ambient light.
    pub const INTERFERENCE: u32 = 0x0400;
    /// The sensor is not on a body.
    pub const UNCONNECTED_TO_USER: u32 = 0x0800;
    /// An unknown sensor is connected.
    pub const UNKNOWN_SENSOR: u32 = 0x1000;
    /// The sensor is displaced.
    pub const DISPLACED: u32 = 0x2000;
    /// The sensor is broken.
    pub const SENSOR_MALFUNCTION: u32 = 0x4000;
    /// The sensor is disconnected.
    pub const SENSOR_DISCONNECTED: u32 = 0x8000;
}

/// An SpO₂ and pulse rate averaged over the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SpO2PulseRate {
    /// Oxygen saturation, in percent.
    pub spo2: Float,
    /// Pulse rate, in beats per minute.
    pub pulse_rate: Float,
}

/// PLX Spot-Check Measurement 2A5E.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PlxSpotCheck {
    /// The measurement.
    pub normal: SpO2PulseRate,
    /// When it was measured, by the device's clock.
    pub time: Option<DateTime>,
    /// Whether the device says that its clock is not set.
    pub clock_is_unset: bool,
    /// [`measurement_status`].
    pub measurement_status: Option<u16>,
    /// [`device_status`].
    pub device_status: Option<u32>,
    /// Pulse amplitude index, in percent.
    pub pulse_amplitude_index: Option<Float>,
}

/// PLX Continuous Measurement 2A5F.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PlxContinuous {
    /// The measurement.
    pub normal: SpO2PulseRate,
    /// Averaged over a shorter time.
    pub fast: Option<SpO2PulseRate>,
    /// Averaged over a longer time.
    pub slow: Option<SpO2PulseRate>,
    /// [`measurement_status`].
    pub measurement_status: Option<u16>,
    /// [`device_status`].
    pub device_status: Option<u32>,
    /// Pulse amplitude index, in percent.
    pub pulse_amplitude_index: Option<Float>,
}

redacted!(SpO2PulseRate, PlxSpotCheck, PlxContinuous);

impl SpO2PulseRate {
    fn read(reader: &mut Reader<'_>) -> Result<SpO2PulseRate, DecodeError> {
        Ok(SpO2PulseRate {
            spo2: reader.sfloat("SpO₂")?,
            pulse_rate: reader.sfloat("pulse rate")?,
        })
    }
}

impl PlxSpotCheck {
    /// Decodes 2A5E.
    ///
    /// # Errors
    /// The value ends early, has a time that does not exist, or bytes follow that no flag announces.
    pub fn decode(value: &[u8]) -> Result<PlxSpotCheck, DecodeError> {
        let mut reader = Reader::new(value);
        let flags = reader.u8("flags")?;
        let measurement = PlxSpotCheck {
            normal: SpO2PulseRate::read(&mut reader)?,
            time: optional!(flags, 0x01, DateTime::read(&mut reader)?),
            measurement_status: optional!(flags, 0x02, reader.u16("measurement status")?),
            device_status: optional!(flags, 0x04, reader.u24("device and sensor status")?),
            pulse_amplitude_index: optional!(flags, 0x08, reader.sfloat("pulse amplitude index")?),
            clock_is_unset: flags & 0x10 != 0,
        };
        reader.end(u32::from(flags & RESERVED))?;
        Ok(measurement)
    }

    pub(crate) fn report(&self, report: &mut Report<'_>) {
        report.device_time_millis = self
            .time
            .filter(|_| !self.clock_is_unset)
            .and_then(DateTime::millis);
        measure(
            self.normal,
            self.pulse_amplitude_index,
            self.measurement_status.unwrap_or(0),
            self.device_status.unwrap_or(0),
            report,
        );
    }
}

impl PlxContinuous {
    /// Decodes 2A5F.
    ///
    /// # Errors
    /// The value ends early, or bytes follow that no flag announces.
    pub fn decode(value: &[u8]) -> Result<PlxContinuous, DecodeError> {
        let mut reader = Reader::new(value);
        let flags = reader.u8("flags")?;
        let measurement = PlxContinuous {
            normal: SpO2PulseRate::read(&mut reader)?,
            fast: optional!(flags, 0x01, SpO2PulseRate::read(&mut reader)?),
            slow: optional!(flags, 0x02, SpO2PulseRate::read(&mut reader)?),
            measurement_status: optional!(flags, 0x04, reader.u16("measurement status")?),
            device_status: optional!(flags, 0x08, reader.u24("device and sensor status")?),
            pulse_amplitude_index: optional!(flags, 0x10, reader.sfloat("pulse amplitude index")?),
        };
        reader.end(u32::from(flags & RESERVED))?;
        Ok(measurement)
    }

    pub(crate) fn report(&self, report: &mut Report<'_>) {
        measure(
            self.normal,
            self.pulse_amplitude_index,
            self.measurement_status.unwrap_or(0),
            self.device_status.unwrap_or(0),
            report,
        );
    }
}

fn measure(
    normal: SpO2PulseRate,
    pulse_amplitude_index: Option<Float>,
    of_measurement: u16,
    of_device: u32,
    report: &mut Report<'_>,
) {
    if of_measurement & (measurement_status::DEMONSTRATION | measurement_status::TESTING) != 0 {
        report.refuse(RejectReason::NotFromBody, 0);
        return;
    }
    let quality = measurement_quality(of_measurement).max(device_quality(of_device));
    report.float(Metric::SpO2, normal.spo2, quality);
    report.float(Metric::PulseRate, normal.pulse_rate, quality);
    if let Some(index) = pulse_amplitude_index {
        report.float(Metric::PerfusionIndex, index, quality);
    }
}

/// What Measurement Status means for a value; the worst that is said counts.
const fn measurement_quality(bits: u16) -> Quality {
    use measurement_status as status;
    const DOUBTFUL: u16 =
        status::ONGOING | status::EARLY_ESTIMATE | status::CALIBRATING | status::QUESTIONABLE;
    if bits & (status::UNAVAILABLE | status::INVALID) != 0 {
        Quality::Missing
    } else if bits & DOUBTFUL != 0 {
        Quality::Questionable
    } else {
        Quality::Good
    }
}

/// What Device and Sensor Status means for a value; the worst that is said counts.
const fn device_quality(bits: u32) -> Quality {
    use device_status as status;
    const FAULT: u32 = status::EQUIPMENT_MALFUNCTION
        | status::UNKNOWN_SENSOR
        | status::SENSOR_MALFUNCTION
        | status::SENSOR_DISCONNECTED;
    const OFF: u32 = status::UNCONNECTED_TO_USER | status::DISPLACED;
    const SEARCHING: u32 = status::ANALYSIS_ONGOING | status::NON_PULSATILE;
    const DOUBTFUL: u32 = status::EXTENDED_DISPLAY_UPDATE
        | status::PROCESSING_IRREGULARITY
        | status::POOR_SIGNAL
        | status::ERRATIC_SIGNAL
        | status::QUESTIONABLE_PULSE
        | status::INTERFERENCE;
    if bits & FAULT != 0 {
        Quality::SensorFault
    } else if bits & OFF != 0 {
        Quality::SensorOff
    } else if bits & status::INADEQUATE_SIGNAL != 0 {
        Quality::Missing
    } else if bits & SEARCHING != 0 {
        Quality::Searching
    } else if bits & DOUBTFUL != 0 {
        Quality::Questionable
    } else if bits & status::LOW_PERFUSION != 0 {
        Quality::LowPerfusion
    } else {
        Quality::Good
    }
}

/// PLX Features 2A60. Bits of the first field: 0 and 1 the two status fields, 2 storage of
/// spot-checks, 3 their time, 4 fast, 5 slow, 6 pulse amplitude index, 7 several bonds; 8 to 15
/// reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlxFeatures {
    /// The bits above.
    pub supported: u16,
    /// Which bits of [`measurement_status`] it uses.
    pub measurement_status: Option<u16>,
    /// Which bits of [`device_status`] it uses.
    pub device_status: Option<u32>,
}

impl PlxFeatures {
    /// Decodes 2A60.
    ///
    /// # Errors
    /// The value ends early, or bytes follow that no bit announces.
    pub fn decode(value: &[u8]) -> Result<PlxFeatures, DecodeError> {
        let mut reader = Reader::new(value);
        let supported = reader.u16("features")?;
        let features = PlxFeatures {
            supported,
            measurement_status: optional!(supported, 0x01, reader.u16("measurement status")?),
            device_status: optional!(supported, 0x02, reader.u24("device and sensor status")?),
        };
        reader.end(u32::from(supported & 0xff00))?;
        Ok(features)
    }
}
