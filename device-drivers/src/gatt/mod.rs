//! Codecs of the Bluetooth SIG's medical profiles: characteristic values and time in, events out.
//!
//! Nothing here knows a radio, a clock or a task. A transport reads what is in [`READ`], subscribes to
//! what is in [`SUBSCRIBE`], and hands every value to [`Gatt::push`]; [`RecordFetch`] says what to write
//! so that a glucose meter sends what it stored. Each characteristic also has a plain decoder of all of
//! its fields, a type with a function `decode`.
//!
//! | service | characteristics | measured |
//! |---|---|---|
//! | heart rate | 2A37, 2A38 | heart rate, RR intervals, energy expended |
//! | health thermometer | 2A1C, 2A1D, 2A1E | body temperature |
//! | pulse oximeter | 2A5E, 2A5F, 2A60 | SpO₂, pulse rate, perfusion index |
//! | blood pressure | 2A35, 2A36, 2A49 | systolic, diastolic and mean pressure, heart rate |
//! | glucose | 2A18, 2A34, 2A51, 2A52 | glucose, in the unit it was measured in |
//! | weight scale | 2A9D, 2A9E | weight, body mass index, height |
//! | body composition | 2A9B, 2A9C | body fat, muscle, water, weight, height |
//! | battery, device information | 2A19, 2A23 to 2A29, 2A50 | nothing: [`Event::Device`](crate::Event::Device) |
//! | current time | 2A08, 2A2B | nothing: [`Event::Clock`](crate::Event::Clock) |
//!
//! Every decoder is total: a value of any bytes is decoded or refused, and needs no more memory than its
//! own length times a constant. Flags and values that are reserved are kept apart and never guessed at.
//! A stored measurement keeps the time of the device's clock; its host time is the time it came.
//!
//! The layouts are those of the *GATT Specification Supplement* and of the service specifications
//! named in each module.

mod blood_pressure;
mod body_composition;
mod convert;
mod decoder;
pub mod device_information;
mod float;
mod glucose;
pub mod glucose_context;
mod heart_rate;
mod pulse_oximeter;
mod reader;
mod record_access;
mod record_fetch;
mod report;
mod scale;
mod service;
mod thermometer;
mod time;
pub mod uuid;

pub use blood_pressure::{
    BloodPressureFeature, BloodPressureMeasurement, PressureUnit,
    feature as blood_pressure_feature, measurement_status as blood_pressure_status,
};
pub use body_composition::{BodyComposition, BodyCompositionFeature};
pub use decoder::{Facts, Gatt, MAX_VALUE_BYTES};
pub use device_information::{BatteryLevel, PnpId, SystemId, VendorIdSource};
pub use float::Float;
pub use glucose::{
    Concentration, ConcentrationUnit, GlucoseFeature, GlucoseMeasurement, SampleLocation, Specimen,
    sensor_status as glucose_status,
};
pub use glucose_context::GlucoseContext;
pub use heart_rate::{BodySensorLocation, HeartRateMeasurement};
pub use pulse_oximeter::{
    PlxContinuous, PlxFeatures, PlxSpotCheck, SpO2PulseRate, device_status as plx_device_status,
    measurement_status as plx_measurement_status,
};
pub use reader::DecodeError;
pub use record_access::{Indication, Records, Request, ResponseCode};
pub use record_fetch::{FetchError, Fetched, RecordFetch, Step, TIMEOUT_MILLIS};
pub use scale::{
    HeightResolution, ScaleUnits, WeightMeasurement, WeightResolution, WeightScaleFeature,
};
pub use service::Service;
pub use thermometer::{TemperatureMeasurement, TemperatureType, TemperatureUnit};
pub use time::{CurrentTime, DateTime, adjust_reason};
pub use uuid::{READ, SUBSCRIBE};
