//! The services this crate knows: what a peripheral advertises, and what a person calls it.

use crate::gatt::uuid;

/// A service of the Bluetooth SIG, or the one that carries level-0 frames.
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
    /// Nordic UART Service: the line of a level-0 device, or of anything else with one.
    Uart,
    /// Immediate Alert Service (IAS 1.0): it can show which one it is.
    ImmediateAlert,
}

impl Service {
    /// Every service: those that measure first.
    pub const ALL: [Service; 12] = [
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
        Service::Uart,
    ];

    /// Its UUID.
    #[must_use]
    pub const fn uuid(self) -> u128 {
        let number = match self {
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
            Service::Uart => return uuid::service::NORDIC_UART,
        };
        (number as u128) << 96 | uuid::BASE
    }

    /// The service with this UUID.
    #[must_use]
    pub fn from_uuid(uuid: u128) -> Option<Service> {
        Service::ALL
            .into_iter()
            .find(|service| service.uuid() == uuid)
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
            Service::Uart => "Line (level-0, with its key)",
            Service::ImmediateAlert => "Can show itself",
        }
    }

    /// Whether it measures a body. What comes over a line is known only once it is paired.
    #[must_use]
    pub const fn is_medical(self) -> bool {
        !matches!(
            self,
            Service::Battery
                | Service::DeviceInformation
                | Service::CurrentTime
                | Service::Uart
                | Service::ImmediateAlert
        )
    }
}
