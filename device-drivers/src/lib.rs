//! Sensor drivers: bytes to measurements, over serial ports, and simulated devices.
//!
//! [`device::Device::open`] is the door. Behind it, [`codec`] turns bytes into [`event::Event`]s
//! and knows no I/O and no clock; [`serial`] moves bytes and survives what cables do;
//! [`simulated`] is a driver like the others. The crate knows no patient, no store, no ledger.

pub mod event;
pub mod link;
pub mod measurement;
pub mod profile;
pub mod simulated;
