//! The services this crate knows: what a peripheral advertises, and what a person calls it.

use crate::gatt::uuid;

/// A service of the Bluetooth SIG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Heart Rate Service (HRS 1.0).
    HeartRate,
    /// Health Thermometer Service (HTS 1.0).
    HealthThermometer,
    /// Pulse Oximeter Service (PLXS 1.0.1).
    PulseOximeter,
    /// Blood Pressure Service (BLS 1.1.1).
    BloodPressure,
    /// Glucose Service (GLS 1.0.1).
    Glucose,
    /// Weight Scale Service (WSS 1.0.1).
    WeightScale,
    /// Body Composition Service (BCS 1.0.1).
    BodyComposition,
    /// Battery Service (BAS).
    Battery,
    /// Device Information Service (DIS).
    DeviceInformation,
    /// Current Time Service (CTS).
    CurrentTime,
    /// Immediate Alert Service (IAS 1.0): it can show which one it is.
    ImmediateAlert,
}

impl Service {
    /// Every service: those that measure first.
    pub const ALL: [Service; 11] = [
        Service::HeartRate,
        Service::HealthThermometer,
        Service::PulseOximeter,
        Service::BloodPressure,
        Service::Glucose,
        Service::WeightScale,
        Service::BodyComposition,
        Service::Battery,
        Service::DeviceInformation,
        Service::CurrentTime,
        Service::ImmediateAlert,
    ];

    /// The assigned number.
    #[must_use]
    pub const fn uuid16(self) -> u16 {
        match self {
            Service::HeartRate => uuid::service::HEART_RATE,
            Service::HealthThermometer => uuid::service::HEALTH_THERMOMETER,
            Service::PulseOximeter => uuid::service::PULSE_OXIMETER,
            Service::BloodPressure => uuid::service::BLOOD_PRESSURE,
            Service::Glucose => uuid::service::GLUCOSE,
            Service::WeightScale => uuid::service::WEIGHT_SCALE,
            Service::BodyComposition => uuid::service::BODY_COMPOSITION,
            Service::Battery => uuid::service::BATTERY,
            Service::DeviceInformation => uuid::service::DEVICE_INFORMATION,
            Service::CurrentTime => uuid::service::CURRENT_TIME,
            Service::ImmediateAlert => uuid::service::IMMEDIATE_ALERT,
        }
    }

    /// The service with this assigned number.
    #[must_use]
    pub fn from_uuid16(uuid: u16) -> Option<Service> {
        Service::ALL
            .into_iter()
            .find(|service| service.uuid16() == uuid)
    }

    /// A person's word for a device that has it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Service::HeartRate => "Heart rate",
            Service::HealthThermometer => "Thermometer",
            Service::PulseOximeter => "Pulse oximeter",
            Service::BloodPressure => "Blood pressure",
            Service::Glucose => "Glucose meter",
            Service::WeightScale => "Weight scale",
            Service::BodyComposition => "Body composition",
            Service::Battery => "Battery",
            Service::DeviceInformation => "Device information",
            Service::CurrentTime => "Clock",
            Service::ImmediateAlert => "Can show itself",
        }
    }

    /// Whether it measures a body.
    #[must_use]
    pub const fn is_medical(self) -> bool {
        !matches!(
            self,
            Service::Battery
                | Service::DeviceInformation
                | Service::CurrentTime
                | Service::ImmediateAlert
        )
    }
}
