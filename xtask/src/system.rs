//! What the machine itself must have: Debian packages and Rust components.
//!
//! Installs what is missing on Debian and its kin (as root or through sudo) and
//! prints what to install everywhere else. It touches nothing that is already
//! there, so the second call costs a few milliseconds.

use crate::process;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// Needed to build and run the console and the node.
const BUILD_PACKAGES: &[&str] = &[
    "build-essential",
    "pkg-config",
    "libwebkit2gtk-4.1-dev",
    "libudev-dev",
    // The Bluetooth driver speaks to BlueZ through it.
    "libdbus-1-dev",
    // The tray icon loads this at run time.
    "libayatana-appindicator3-1",
];

/// Needed on top to test both forms of the console without a screen.
const TEST_PACKAGES: &[&str] = &[
    "xvfb",
    "dbus",
    // A desktop's keyring, on a bus of the test's own.
    "gnome-keyring",
    "libgl1-mesa-dri",
    "webkit2gtk-driver",
    "chromium",
    "chromium-driver",
    "python3-venv",
    // Hosts of their own on this machine, with poor lines between them.
    "iproute2",
    "nftables",
    // The real BlueZ in a virtual machine.
    "qemu-system-x86",
    "bluez",
    "busybox-static",
    "cpio",
    "kmod",
    "socat",
    // A microcontroller to run the example firmware on, and what measures its size.
    "qemu-system-arm",
    "binutils-arm-none-eabi",
];

/// Those of them that the chore `firmware` needs alone.
const FIRMWARE_PACKAGES: &[&str] = &["qemu-system-arm", "binutils-arm-none-eabi"];
const FIRMWARE_TARGET: &str = "thumbv7m-none-eabi";
const CONSOLE_TARGET: &str = "wasm32-unknown-unknown";

/// What the machine is asked to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Building and running.
    Run,
    /// Building, running and testing.
    Test,
}

impl Purpose {
    fn packages(self) -> Vec<&'static str> {
        let mut packages = BUILD_PACKAGES.to_vec();
        if self == Self::Test {
            packages.extend(TEST_PACKAGES);
        }
        packages
    }
}

/// Makes sure that the machine has what `purpose` needs.
pub fn prepare(purpose: Purpose) -> Result<()> {
    packages(&purpose.packages())?;
    target(CONSOLE_TARGET)?;
    if purpose == Purpose::Test {
        target(FIRMWARE_TARGET)?;
        component("clippy", &["clippy", "--version"])?;
        component("rustfmt", &["fmt", "--version"])?;
    }
    Ok(())
}

/// Makes sure that the machine has what building and measuring the firmware needs, and no more.
pub fn prepare_firmware() -> Result<()> {
    packages(FIRMWARE_PACKAGES)?;
    target(FIRMWARE_TARGET)
}

fn packages(wanted: &[&str]) -> Result<()> {
    if !Path::new("/usr/bin/dpkg-query").exists() {
        println!(
            "      This is not Debian or one of its kin. Please see that you have what these\n      \
             Debian packages hold: {}",
            wanted.join(" ")
        );
        return Ok(());
    }
    // dpkg-query ends with 1 as soon as one package is unknown, so its text counts, not its code.
    let listing = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .args(wanted)
        .output()
        .context("cannot ask dpkg what is installed")?;
    let missing = missing(wanted, &String::from_utf8_lossy(&listing.stdout));
    if missing.is_empty() {
        return Ok(());
    }
    println!("      Installing system packages: {}", missing.join(" "));
    let install: Vec<&str> = ["install", "--yes", "--no-install-recommends"]
        .into_iter()
        .chain(missing.iter().copied())
        .collect();
    apt(&["update"], &missing)?;
    apt(&install, &missing)
}

/// Those of `wanted` that dpkg does not list as installed.
fn missing<'a>(wanted: &[&'a str], listing: &str) -> Vec<&'a str> {
    let installed = |name: &str| {
        listing
            .lines()
            .any(|line| line.split_once(' ') == Some((name, "installed")))
    };
    wanted
        .iter()
        .copied()
        .filter(|name| !installed(name))
        .collect()
}

fn apt(arguments: &[&str], missing: &[&str]) -> Result<()> {
    let by_hand = || {
        format!(
            "please install these packages and start again:\n  apt-get install {}",
            missing.join(" ")
        )
    };
    let root = process::output(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = if root {
        Command::new("apt-get")
    } else if process::succeeds(Command::new("sudo").arg("--version")) {
        let mut sudo = Command::new("sudo");
        sudo.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    } else {
        bail!("neither root nor sudo: {}", by_hand());
    };
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .arg("--quiet")
        .args(arguments);
    process::run(&mut command).with_context(by_hand)
}

/// Adds the standard library of a target.
fn target(target: &str) -> Result<()> {
    let library = process::output(Command::new("rustc").args([
        "--print",
        "target-libdir",
        "--target",
        target,
    ]))?;
    if Path::new(library.trim()).exists() {
        return Ok(());
    }
    println!("      Adding the Rust target {target}");
    process::run(Command::new("rustup").args(["target", "add", target]))
        .context("without rustup, please install the Rust standard library for this target by hand")
}

fn component(name: &str, probe: &[&str]) -> Result<()> {
    if process::succeeds(Command::new("cargo").args(probe)) {
        return Ok(());
    }
    println!("      Adding the Rust component {name}");
    process::run(Command::new("rustup").args(["component", "add", name]))
}

#[cfg(test)]
mod tests {
    //! What counts as missing, from dpkg's own words.
    use super::*;

    #[test]
    fn only_installed_packages_count_as_there() {
        let listing = "xvfb installed\npkg-config config-files\nlibudev-dev installed\n";
        let wanted = ["xvfb", "pkg-config", "libudev-dev", "dbus"];
        assert_eq!(missing(&wanted, listing), ["pkg-config", "dbus"]);
        assert_eq!(missing(&wanted, ""), wanted);
    }

    #[test]
    fn testing_needs_everything_that_running_needs() {
        let test = Purpose::Test.packages();
        assert!(
            Purpose::Run
                .packages()
                .iter()
                .all(|name| test.contains(name))
        );
    }
}
