//! The Bluetooth driver against the real BlueZ: `bluez-rig`'s guest and its virtual sensors.
//!
//! One guest serves one test, which is a list of steps: booting it for each would cost minutes.
//! A step that fails does not keep the next from running; the test names all that failed. The driver
//! reads the bus's address from the environment, so this program sets it before any thread runs.

#[cfg(target_os = "linux")]
mod links;
#[cfg(target_os = "linux")]
mod pairings;
#[cfg(target_os = "linux")]
mod self_tests;
#[cfg(target_os = "linux")]
mod steps;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    steps::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), Vec::new()).exit();
}
