//! Bluetooth at this node: the inbox of what is nearby, and pairings.
//!
//! Nothing of it runs until somebody looks: the scan begins with the first look at the inbox and ends some
//! seconds after the last one. A device's row says `bluetooth` and its address; what it measures is told by
//! the standard profiles it has. The row of a device that speaks level-0 by Bluetooth says `fogward-level0`
//! instead and has its key, as on a serial line.

mod identify;
mod pairings;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use device_drivers::ble::{BleConfig, PeripheralAddress, Scanner, list_adapters, pairing};
use device_drivers::gatt::Service;
use device_drivers::profile::Profile;
use device_drivers::{HostKey, LinkReason};
use fog_api::{ApiError, BluetoothAdapter, BluetoothView, FoundDevice};

use crate::clock::now_millis;
use crate::failure::Failure;
use crate::node::Node;
use crate::vault::devices::DeviceRow;

pub(crate) use pairings::{Pairings, parse_address};

/// Profile name of devices that speak the Bluetooth SIG's profiles.
pub const BLUETOOTH_PROFILE: &str = "bluetooth";
/// How a row's path begins that is a Bluetooth address.
const SCHEME: &str = "ble:";
/// What was heard within this time is heard lately, in milliseconds: medical devices advertise at least once in
/// about a second.
const HEARD_LATELY_MILLIS: i64 = 10_000;
/// The scan ends when nobody has looked for so long.
const LEASE: Duration = Duration::from_secs(20);

/// What the node holds of Bluetooth.
#[derive(Default)]
pub(crate) struct Bluetooth {
    /// The adapter to use, by name or address; the first that is on without one.
    pub(crate) adapter: Option<String>,
    scan: Mutex<Option<Scan>>,
    pub(crate) pairings: Pairings,
}

struct Scan {
    scanner: Scanner,
    looked: Instant,
}

impl Bluetooth {
    /// Through this adapter.
    pub(crate) fn through(adapter: Option<String>) -> Self {
        Self {
            adapter,
            ..Self::default()
        }
    }

    fn scan(&self) -> MutexGuard<'_, Option<Scan>> {
        self.scan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that somebody looks; true if the scan begins with it.
    fn look(&self) -> bool {
        let mut scan = self.scan();
        if let Some(scan) = scan.as_mut() {
            scan.looked = Instant::now();
            return false;
        }
        *scan = Some(Scan {
            scanner: Scanner::start(self.adapter.clone()),
            looked: Instant::now(),
        });
        true
    }

    /// Ends the scan if nobody has looked for long; true if there is none any more.
    fn rest(&self) -> bool {
        let mut scan = self.scan();
        if scan
            .as_ref()
            .is_some_and(|scan| scan.looked.elapsed() >= LEASE)
        {
            *scan = None;
        }
        scan.is_none()
    }

    /// Ends the scan and the pairings.
    pub(crate) fn end(&self) {
        *self.scan() = None;
        self.pairings.cancel_all();
    }

    /// What the device at this address calls itself, if it was heard lately.
    pub(crate) fn name_of(&self, address: &PeripheralAddress) -> Option<String> {
        let scan = self.scan();
        let found = scan.as_ref()?.scanner.devices.borrow();
        let mut found = found.iter();
        found
            .find(|device| device.address == *address)?
            .name
            .clone()
    }

    /// The devices heard lately, by their paths, and how strongly in dBm; the strongest first.
    pub(crate) fn heard(&self) -> Vec<(String, i16)> {
        let oldest = now_millis() - HEARD_LATELY_MILLIS;
        let scan = self.scan();
        let found = scan
            .as_ref()
            .map(|scan| scan.scanner.devices.borrow().clone());
        let lately = found.into_iter().flatten();
        let lately = lately.filter(|device| device.last_seen_millis >= oldest);
        let mut heard: Vec<_> = lately
            .filter_map(|device| Some((path_of(&device.address), device.rssi_dbm?)))
            .collect();
        heard.sort_by_key(|(_, dbm)| std::cmp::Reverse(*dbm));
        heard
    }

    /// How to reach the device at a path; `None` if that is no Bluetooth address.
    pub(crate) fn config_at(&self, path: &str) -> Option<BleConfig> {
        Some(BleConfig {
            adapter: self.adapter.clone(),
            ..BleConfig::new(address_of(path)?)
        })
    }

    /// How to reach the device of a row; `key`: its pairing key, where the row has one.
    ///
    /// # Errors
    /// If its path is no Bluetooth address, or its profile is not one that is spoken there, with a key where it
    /// needs one and only there.
    pub(crate) fn config(
        &self,
        row: &DeviceRow,
        key: Option<HostKey>,
    ) -> anyhow::Result<BleConfig> {
        let address = row.path.strip_prefix(SCHEME).unwrap_or_default();
        let is_spoken = match &key {
            None => row.profile == BLUETOOTH_PROFILE,
            Some(_) => row.profile == Profile::FogwardLevel0.name(),
        };
        anyhow::ensure!(is_spoken, "not a profile of Bluetooth: {}", row.profile);
        Ok(BleConfig {
            key,
            name: Some(row.name.clone()),
            adapter: self.adapter.clone(),
            replay_floor: row
                .durable_sequence
                .and_then(|sequence| u64::try_from(sequence).ok()),
            ..BleConfig::new(address.parse()?)
        })
    }
}

/// The path of the device at this address, in its row.
pub(crate) fn path_of(address: &PeripheralAddress) -> String {
    format!("{SCHEME}{}", address.as_str())
}

/// The address in a path such as `ble:C4:F2:17:1A:1D:BB`; `None` in the path of a port.
///
/// # Errors
/// [`Failure`] if it is no address.
pub(crate) fn address_in(path: &str) -> Option<Result<PeripheralAddress, Failure>> {
    path.strip_prefix(SCHEME).map(pairings::parse_address)
}

/// The address of a row's path, if it is one.
pub(crate) fn address_of(path: &str) -> Option<PeripheralAddress> {
    path.strip_prefix(SCHEME)?.parse().ok()
}

/// Whether a row's path is a Bluetooth address.
pub(crate) fn is_bluetooth(path: &str) -> bool {
    path.starts_with(SCHEME)
}

impl Node {
    /// Scans for a while longer.
    pub(crate) fn keep_scanning(self: &std::sync::Arc<Self>) {
        if self.bluetooth.look() {
            let node = std::sync::Arc::downgrade(self);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(LEASE / 4).await;
                    let Some(node) = node.upgrade() else { return };
                    if node.bluetooth.rest() {
                        return;
                    }
                }
            });
        }
    }

    /// What is nearby. Scans while this is asked for now and then.
    pub async fn bluetooth_view(self: &std::sync::Arc<Self>) -> BluetoothView {
        self.keep_scanning();
        let listed = list_adapters().await;
        let (found, state) = match &*self.bluetooth.scan() {
            None => return BluetoothView::default(),
            Some(scan) => (
                scan.scanner.devices.borrow().clone(),
                scan.scanner.state.borrow().clone(),
            ),
        };
        let paired = self.devices();
        let (adapters, missing) = match listed {
            Ok(adapters) => (adapters, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        BluetoothView {
            adapters: adapters
                .into_iter()
                .map(|adapter| BluetoothAdapter {
                    name: adapter.name,
                    address: adapter.address,
                    is_on: adapter.is_on,
                })
                .collect(),
            chosen: self.bluetooth.adapter.clone(),
            trouble: missing.as_ref().or(state.reason()).map(words_of),
            found: found
                .into_iter()
                .map(|device| {
                    let path = path_of(&device.address);
                    let here = paired.iter().find(|here| here.path == path);
                    FoundDevice {
                        address: device.address.as_str().to_owned(),
                        name: device.name,
                        measures: device.services.iter().any(|service| service.is_medical()),
                        has_line: device.services.contains(&Service::Uart),
                        services: device
                            .services
                            .iter()
                            .map(|service| service.title().to_owned())
                            .collect(),
                        can_show_itself: device.services.contains(&Service::ImmediateAlert),
                        signal_dbm: device.rssi_dbm,
                        first_seen: device.first_seen_millis,
                        last_seen: device.last_seen_millis,
                        paired_as: here.map(|here| here.name.clone()),
                    }
                })
                .collect(),
        }
    }

    /// Removes the system's bond with a device that was unpaired. A bond that stays is no harm: it is
    /// removed again when the device is paired anew with *repair*.
    pub(crate) async fn remove_bond(&self, path: &str) {
        let Some(config) = self.bluetooth.config_at(path) else {
            return;
        };
        if let Err(error) = pairing::unpair(&config).await {
            tracing::warn!(code = %error.code, "a bond could not be removed");
        }
    }
}

pub(crate) fn words_of(reason: &LinkReason) -> ApiError {
    ApiError {
        code: reason.code.to_string(),
        what: reason.what.clone(),
        why: reason.why.clone(),
        next: reason.next.clone(),
    }
}

#[cfg(test)]
mod tests {
    //! Goal: a row is read as what it is and as nothing else. Method: every pairing of profile and key.

    use super::*;
    use device_drivers::PairingKey;
    use device_drivers::SourceConfig;
    use ledger_core::Digest;

    #[test]
    fn a_key_stands_for_level_0_and_nothing_else() {
        let row = |profile: &str, path: &str| DeviceRow {
            id: "0".into(),
            name: "Pod".into(),
            profile: profile.into(),
            path: path.into(),
            simulated: false,
            sealed_key: None,
            handle: Digest([0; 32]),
            added: 0,
            durable_sequence: Some(7),
            handovers: 0,
        };
        let key = || Some(PairingKey::from_bytes([1; 32]).into());
        let bluetooth = Bluetooth::default();
        for (profile, path, key, hears) in [
            ("bluetooth", "ble:C4:F2:17:1A:1D:BB", None, Some(false)),
            ("fogward-level0", "ble:C4:F2:17:1A:1D:BB", key(), Some(true)),
            ("bluetooth", "ble:C4:F2:17:1A:1D:BB", key(), None),
            ("fogward-level0", "ble:C4:F2:17:1A:1D:BB", None, None),
            ("nonin-oem3", "ble:C4:F2:17:1A:1D:BB", None, None),
            ("bluetooth", "ble:", None, None),
        ] {
            let config = bluetooth.config(&row(profile, path), key);
            let heard = config.ok().map(|config| {
                assert_eq!(config.replay_floor, Some(7));
                SourceConfig::Ble(config).can_hear()
            });
            assert_eq!(heard, hears, "{profile} at {path}");
        }
    }
}
