//! The Bluetooth driver against a fake `org.bluez`: adapters that come and go, links that fall at the
//! wrong moment, pairings that fail in every way BlueZ names.
//!
//! The fake and the driver share a private D-Bus daemon. The driver reads the bus's address from
//! the environment, so this program sets it before any thread runs; the tests run one after another,
//! each with a fake of its own, in one runtime, in which the driver's shared connection lives.

#[cfg(target_os = "linux")]
mod adapters;
#[cfg(target_os = "linux")]
mod bus;
#[cfg(target_os = "linux")]
mod level0;
#[cfg(target_os = "linux")]
mod links;
#[cfg(target_os = "linux")]
mod pairings;
#[cfg(target_os = "linux")]
mod provisioning;
#[cfg(target_os = "linux")]
mod self_tests;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    bus::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), Vec::new()).exit();
}
