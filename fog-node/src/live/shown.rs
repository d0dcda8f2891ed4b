//! What drivers report, in the words of the API.

use device_drivers::event::DeviceInfo;
use device_drivers::link::LinkState;
use device_drivers::measurement::{Measurement, Value};
use fog_api::{DeviceAbout, DeviceAuthentication, DeviceClass, DeviceState, Vital, Wave};
use fogward_level0 as level0;
use ledger_core::Decimal;

use crate::ingest::quality_of;

/// What a device says of itself.
pub(super) fn about_of(info: &DeviceInfo) -> DeviceAbout {
    DeviceAbout {
        manufacturer: info.manufacturer.clone(),
        model: info.model.clone(),
        serial_number: info.serial_number.clone(),
        firmware: info.firmware.clone(),
        class: info.class.map(|class| match class {
            level0::DeviceClass::UltraLight => DeviceClass::UltraLight,
            level0::DeviceClass::LowCost => DeviceClass::LowCost,
            level0::DeviceClass::Lightweight => DeviceClass::Lightweight,
        }),
        authentication: info.authentication.and_then(|proof| match proof {
            level0::Authentication::AsconTag => Some(DeviceAuthentication::AsconTag),
            level0::Authentication::HmacTag => Some(DeviceAuthentication::HmacTag),
            level0::Authentication::Signature => Some(DeviceAuthentication::Signature),
            // No reading is ever proven by it.
            level0::Authentication::PairingCode => None,
        }),
        battery_percent: info.battery_percent,
    }
}

/// The API's word for a link's state.
#[must_use]
pub fn state_of(link: &LinkState) -> DeviceState {
    match link {
        LinkState::Opening => DeviceState::Connecting,
        LinkState::Streaming => DeviceState::Streaming,
        LinkState::NoData(_) => DeviceState::Silent,
        LinkState::Garbage(_) => DeviceState::Garbled,
        LinkState::Disconnected(_) | LinkState::Stopped => DeviceState::Disconnected,
    }
}

/// A measurement as the newest value of its metric.
#[must_use]
pub fn vital_of(measurement: &Measurement) -> Vital {
    let value = match measurement.value {
        Value::Quantity { mantissa, exponent } => Some(Decimal { mantissa, exponent }.to_string()),
        Value::Samples { .. } | Value::Absent => None,
    };
    Vital {
        code: measurement.metric.loinc().into(),
        label: measurement.metric.label().into(),
        unit: measurement.metric.ucum().into(),
        value,
        quality: quality_of(measurement.quality),
        time: measurement.host_time_millis,
    }
}

/// A measurement as a wave, if its metric is one.
#[must_use]
pub fn wave_of(device: &str, measurement: &Measurement) -> Option<Wave> {
    if !measurement.metric.is_waveform() {
        return None;
    }
    let (period_micros, samples) = match &measurement.value {
        Value::Samples {
            period_micros,
            samples,
        } => (*period_micros, samples.clone()),
        Value::Quantity { .. } | Value::Absent => (0, Vec::new()),
    };
    Some(Wave {
        device: device.into(),
        code: measurement.metric.loinc().into(),
        time: measurement.host_time_millis,
        period_micros,
        samples,
    })
}
