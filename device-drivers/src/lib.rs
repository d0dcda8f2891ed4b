//! Sensor drivers: bytes to measurements, over serial ports and Bluetooth, and simulated devices.
//!
//! [`device::Device::open`] is the door. Behind it, [`codec`] turns bytes into [`event::Event`]s
//! and knows no I/O and no clock, and so does [`gatt`] with the values of Bluetooth's medical
//! profiles; [`serial`] moves bytes and survives what cables do; [`ble`] does the same for radio links,
//! and pairs; [`simulated`] is a driver like the others. The crate knows no patient, no store, no
//! ledger.

pub mod ble;
pub mod codec;
pub mod device;
pub mod event;
pub mod gatt;
mod line;
pub mod link;
pub mod measurement;
pub mod profile;
pub mod relay;
pub mod self_test;
pub mod serial;
pub mod simulated;

pub use ble::{BleConfig, PeripheralAddress};
pub use device::{Device, DeviceHandle, Introduction, OpenError, SerialConfig, SourceConfig};
pub use event::{CoincidentTime, DeviceInfo, Event, MissingCause, RejectReason, Rejection};
pub use fogward_level0::{HostKey, KeyError, PairingKey};
pub use line::provision::{ProvisionError, Provisioned};
pub use link::{LinkReason, LinkState, ReasonCode};
pub use measurement::{Measurement, Metric, Quality, Value};
pub use profile::{LineSettings, Profile, Rate};
pub use relay::{Grant, RelayCounts, RelayQueue, Waiting};
