//! Assigned numbers: the 16-bit UUIDs of the services and characteristics this crate decodes.
//!
//! Source: Bluetooth SIG, *Assigned Numbers*, 3.4 (services) and 3.8 (characteristics). A 16-bit
//! UUID `x` is short for `0000xxxx-0000-1000-8000-00805f9b34fb`. One service beside them is Nordic
//! Semiconductor's. It leaves out descriptors, which
//! are the transport's.

/// What the 16 bits are put into, at bit 96 (Core Specification, Vol 3, Part B, 2.5.1).
pub const BASE: u128 = 0x0000_0000_0000_1000_8000_0080_5f9b_34fb;

/// Services.
pub mod service {
    /// Immediate Alert Service.
    pub const IMMEDIATE_ALERT: u16 = 0x1802;
    /// Current Time Service.
    pub const CURRENT_TIME: u16 = 0x1805;
    /// Glucose Service.
    pub const GLUCOSE: u16 = 0x1808;
    /// Health Thermometer Service.
    pub const HEALTH_THERMOMETER: u16 = 0x1809;
    /// Device Information Service.
    pub const DEVICE_INFORMATION: u16 = 0x180a;
    /// Heart Rate Service.
    pub const HEART_RATE: u16 = 0x180d;
    /// Battery Service.
    pub const BATTERY: u16 = 0x180f;
    /// Blood Pressure Service.
    pub const BLOOD_PRESSURE: u16 = 0x1810;
    /// Body Composition Service.
    pub const BODY_COMPOSITION: u16 = 0x181b;
    /// Weight Scale Service.
    pub const WEIGHT_SCALE: u16 = 0x181d;
    /// Pulse Oximeter Service.
    pub const PULSE_OXIMETER: u16 = 0x1822;
    /// Nordic UART Service, all 128 bits.
    pub const NORDIC_UART: u128 = 0x6e40_0001_b5a3_f393_e0a9_e50e_24dc_ca9e;
}

/// Alert Level.
pub const ALERT_LEVEL: u16 = 0x2a06;
/// Date Time.
pub const DATE_TIME: u16 = 0x2a08;
/// Glucose Measurement.
pub const GLUCOSE_MEASUREMENT: u16 = 0x2a18;
/// Battery Level.
pub const BATTERY_LEVEL: u16 = 0x2a19;
/// Temperature Measurement.
pub const TEMPERATURE_MEASUREMENT: u16 = 0x2a1c;
/// Temperature Type.
pub const TEMPERATURE_TYPE: u16 = 0x2a1d;
/// Intermediate Temperature.
pub const INTERMEDIATE_TEMPERATURE: u16 = 0x2a1e;
/// System ID.
pub const SYSTEM_ID: u16 = 0x2a23;
/// Model Number String.
pub const MODEL_NUMBER: u16 = 0x2a24;
/// Serial Number String.
pub const SERIAL_NUMBER: u16 = 0x2a25;
/// Firmware Revision String.
pub const FIRMWARE_REVISION: u16 = 0x2a26;
/// Hardware Revision String.
pub const HARDWARE_REVISION: u16 = 0x2a27;
/// Software Revision String.
pub const SOFTWARE_REVISION: u16 = 0x2a28;
/// Manufacturer Name String.
pub const MANUFACTURER_NAME: u16 = 0x2a29;
/// Current Time.
pub const CURRENT_TIME: u16 = 0x2a2b;
/// Glucose Measurement Context.
pub const GLUCOSE_MEASUREMENT_CONTEXT: u16 = 0x2a34;
/// Blood Pressure Measurement.
pub const BLOOD_PRESSURE_MEASUREMENT: u16 = 0x2a35;
/// Intermediate Cuff Pressure.
pub const INTERMEDIATE_CUFF_PRESSURE: u16 = 0x2a36;
/// Heart Rate Measurement.
pub const HEART_RATE_MEASUREMENT: u16 = 0x2a37;
/// Body Sensor Location.
pub const BODY_SENSOR_LOCATION: u16 = 0x2a38;
/// Blood Pressure Feature.
pub const BLOOD_PRESSURE_FEATURE: u16 = 0x2a49;
/// PnP ID.
pub const PNP_ID: u16 = 0x2a50;
/// Glucose Feature.
pub const GLUCOSE_FEATURE: u16 = 0x2a51;
/// Record Access Control Point.
pub const RECORD_ACCESS_CONTROL_POINT: u16 = 0x2a52;
/// PLX Spot-Check Measurement.
pub const PLX_SPOT_CHECK_MEASUREMENT: u16 = 0x2a5e;
/// PLX Continuous Measurement.
pub const PLX_CONTINUOUS_MEASUREMENT: u16 = 0x2a5f;
/// PLX Features.
pub const PLX_FEATURES: u16 = 0x2a60;
/// Body Composition Feature.
pub const BODY_COMPOSITION_FEATURE: u16 = 0x2a9b;
/// Body Composition Measurement.
pub const BODY_COMPOSITION_MEASUREMENT: u16 = 0x2a9c;
/// Weight Measurement.
pub const WEIGHT_MEASUREMENT: u16 = 0x2a9d;
/// Weight Scale Feature.
pub const WEIGHT_SCALE_FEATURE: u16 = 0x2a9e;

/// What to read on connecting where it is present, in this order. The clock comes first: a device
/// may send what it stored, and hang up, as soon as it is subscribed to.
pub const READ: &[u16] = &[
    CURRENT_TIME,
    DATE_TIME,
    BLOOD_PRESSURE_FEATURE,
    GLUCOSE_FEATURE,
    PLX_FEATURES,
    WEIGHT_SCALE_FEATURE,
    BODY_COMPOSITION_FEATURE,
    BODY_SENSOR_LOCATION,
    TEMPERATURE_TYPE,
    BATTERY_LEVEL,
    MANUFACTURER_NAME,
    MODEL_NUMBER,
    SERIAL_NUMBER,
    HARDWARE_REVISION,
    FIRMWARE_REVISION,
    SOFTWARE_REVISION,
    SYSTEM_ID,
    PNP_ID,
];

/// What to subscribe to where it is present, after [`READ`], in this order. A glucose meter sends a
/// record only upon a request, and refuses the request of a client that would not hear the records
/// (GLS 1.0.1, error *CCCD improperly configured*), so its control point comes last.
pub const SUBSCRIBE: &[u16] = &[
    CURRENT_TIME,
    BATTERY_LEVEL,
    HEART_RATE_MEASUREMENT,
    PLX_CONTINUOUS_MEASUREMENT,
    PLX_SPOT_CHECK_MEASUREMENT,
    INTERMEDIATE_TEMPERATURE,
    TEMPERATURE_MEASUREMENT,
    INTERMEDIATE_CUFF_PRESSURE,
    BLOOD_PRESSURE_MEASUREMENT,
    WEIGHT_MEASUREMENT,
    BODY_COMPOSITION_MEASUREMENT,
    GLUCOSE_MEASUREMENT_CONTEXT,
    GLUCOSE_MEASUREMENT,
    RECORD_ACCESS_CONTROL_POINT,
];
