//! *Is it mine?*: a device shows which one it is, where it can.

use device_drivers::ble::{BleConfig, SHOWN_FOR, identify};
use device_drivers::profile::Profile;
use fog_api::{ApiError, DeviceSource, Identified, Identify};

use super::{address_of, parse_address, words_of};
use crate::failure::Failure;
use crate::node::Node;

impl Node {
    /// Lets a Bluetooth device blink or beep; answers once it has ended. A paired one is read on.
    ///
    /// # Errors
    /// [`Failure`] if there is no such device, or it cannot show itself, with the reason.
    pub async fn identify(&self, asked: &Identify) -> Result<Identified, Failure> {
        let (address, name) = match self.device(&asked.at) {
            Ok(device) => {
                let address = address_of(&device.path);
                let other = || other_source(device.source, &device.profile, &device.name);
                (address.ok_or_else(other)?, Some(device.name.clone()))
            }
            Err(_) => {
                let address = parse_address(&asked.at)?;
                let name = self.bluetooth.name_of(&address);
                (address, name)
            }
        };
        let config = BleConfig {
            name,
            adapter: self.bluetooth.adapter.clone(),
            ..BleConfig::new(address)
        };
        let shown = identify(&config).await;
        shown.map_err(|reason| Failure {
            status: 409,
            error: words_of(&reason),
        })?;
        let seconds = SHOWN_FOR.as_secs();
        Ok(Identified { seconds })
    }
}

/// Why a device without Bluetooth does not show itself.
fn other_source(source: DeviceSource, profile: &str, name: &str) -> Failure {
    let is_level0 = profile == Profile::FogwardLevel0.name();
    let why = match source {
        DeviceSource::Simulated => "It is simulated: there is nothing to be seen.",
        _ if is_level0 => "The fogward-level0 protocol has no request for it.",
        _ => "The protocol of its serial line has no request for it.",
    };
    let error = ApiError {
        code: "TEST-25".into(),
        what: format!("“{name}” cannot blink or beep on request."),
        why: why.into(),
        next: "Follow its cable, or take a measurement with it and see which device shows it."
            .into(),
    };
    Failure { status: 409, error }
}
