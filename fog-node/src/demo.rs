//! The simulated ward: devices without hardware, marked as simulated everywhere.

use std::sync::Arc;

use device_drivers::simulated::{ward, ward_of_all_kinds};
use fog_api::{Device, StartDemo};

use crate::clock::now_millis;
use crate::failure::Failure;
use crate::ingest::random_handle;
use crate::node::Node;
use crate::pairing::new_id;
use crate::sensor::{SIMULATED_PROFILE, simulated_path};
use crate::vault::devices::DeviceRow;

/// Most simulated devices.
const MAX_SIMULATED: u16 = 200;
/// The ward's seed: the same ward at every first start.
const WARD_SEED: u64 = 0x0f09;

impl Node {
    /// Adds a simulated ward, marked as simulated everywhere.
    ///
    /// # Errors
    /// [`Failure`] if there is one already, or the number is out of range.
    pub async fn start_demo(self: &Arc<Self>, request: StartDemo) -> Result<Vec<Device>, Failure> {
        if request.devices == 0 || request.devices > MAX_SIMULATED {
            return Err(Failure::new(
                400,
                "DEV-06",
                "The simulated ward was not added.",
                format!("It has between 1 and {MAX_SIMULATED} devices."),
                "Ask for a number in this range.",
            ));
        }
        if self.devices().iter().any(|device| device.simulated) {
            return Err(Failure::new(
                409,
                "DEV-07",
                "There is a simulated ward already.",
                "Its devices are in the list, marked as simulated.",
                "Unpair them first if you want another one.",
            ));
        }
        let mut devices = Vec::new();
        let count = usize::from(request.devices);
        let simulated = match request.every_profile {
            false => ward(WARD_SEED, count),
            true => ward_of_all_kinds(WARD_SEED, count),
        };
        for (at, config) in simulated.into_iter().enumerate() {
            devices.push(
                self.pair(DeviceRow {
                    id: new_id()?,
                    name: format!("{}, bed {:02}", config.kind.title(), at + 1),
                    profile: SIMULATED_PROFILE.into(),
                    path: simulated_path(&config),
                    simulated: true,
                    sealed_key: None,
                    handle: random_handle().map_err(Failure::internal)?,
                    added: now_millis(),
                    durable_sequence: None,
                    handovers: 0,
                })
                .await?,
            );
        }
        Ok(devices)
    }

    /// Unpairs all simulated devices.
    ///
    /// # Errors
    /// [`Failure`] if the node is stopping.
    pub async fn end_demo(&self) -> Result<(), Failure> {
        for device in self.devices().into_iter().filter(|device| device.simulated) {
            self.remove_device(&device.id).await?;
        }
        Ok(())
    }
}
