//! Why a pairing failed: a code, what happened, why, and what to do, in words a nurse can act on.
//!
//! The codes are a contract; the sentences are not. No passkey and no key is in any of them.

use crate::ble::BleConfig;
use core::fmt;
use serde::Serialize;

/// A pairing, or what was asked of a bond, failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{what} {why} {next} ({code})")]
pub struct PairingError {
    /// For programs and for the telephone.
    pub code: PairingCode,
    /// What happened.
    pub what: String,
    /// Why, as far as is known.
    pub why: &'static str,
    /// What to do next.
    pub next: &'static str,
}

/// The failure as a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub enum PairingCode {
    /// The system's Bluetooth service is missing or silent.
    #[serde(rename = "PAIR-01")]
    BluetoothUnavailable,
    /// There is no Bluetooth adapter, or not the chosen one.
    #[serde(rename = "PAIR-02")]
    AdapterMissing,
    /// The adapter is switched off.
    #[serde(rename = "PAIR-03")]
    AdapterOff,
    /// The device does not advertise.
    #[serde(rename = "PAIR-04")]
    NotFound,
    /// The device was heard and did not connect, or the connection broke.
    #[serde(rename = "PAIR-05")]
    ConnectionFailed,
    /// The passkey that was entered is not the one shown.
    #[serde(rename = "PAIR-06")]
    WrongPasskey,
    /// The device does not let itself be paired now.
    #[serde(rename = "PAIR-07")]
    RefusedByDevice,
    /// A person said that the numbers differ, or did not want the pairing.
    #[serde(rename = "PAIR-08")]
    RefusedHere,
    /// The pairing was cancelled here.
    #[serde(rename = "PAIR-09")]
    Cancelled,
    /// Nobody answered in time, here or on the device.
    #[serde(rename = "PAIR-10")]
    TimedOut,
    /// The system has a bond with this device already.
    #[serde(rename = "PAIR-11")]
    AlreadyBonded,
    /// Another pairing or connection to this device is under way.
    #[serde(rename = "PAIR-12")]
    Busy,
    /// The device paired and keeps no bond.
    #[serde(rename = "PAIR-13")]
    NotKept,
    /// The keys could not be agreed upon, and the system does not say why.
    #[serde(rename = "PAIR-14")]
    Failed,
    /// The system pairs by itself and lets no program ask about bonds.
    #[serde(rename = "PAIR-15")]
    SystemOnly,
}

impl PairingCode {
    /// Every code.
    pub const ALL: [PairingCode; 15] = [
        PairingCode::BluetoothUnavailable,
        PairingCode::AdapterMissing,
        PairingCode::AdapterOff,
        PairingCode::NotFound,
        PairingCode::ConnectionFailed,
        PairingCode::WrongPasskey,
        PairingCode::RefusedByDevice,
        PairingCode::RefusedHere,
        PairingCode::Cancelled,
        PairingCode::TimedOut,
        PairingCode::AlreadyBonded,
        PairingCode::Busy,
        PairingCode::NotKept,
        PairingCode::Failed,
        PairingCode::SystemOnly,
    ];

    /// The code as shown, `PAIR-01` and so on.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            PairingCode::BluetoothUnavailable => "PAIR-01",
            PairingCode::AdapterMissing => "PAIR-02",
            PairingCode::AdapterOff => "PAIR-03",
            PairingCode::NotFound => "PAIR-04",
            PairingCode::ConnectionFailed => "PAIR-05",
            PairingCode::WrongPasskey => "PAIR-06",
            PairingCode::RefusedByDevice => "PAIR-07",
            PairingCode::RefusedHere => "PAIR-08",
            PairingCode::Cancelled => "PAIR-09",
            PairingCode::TimedOut => "PAIR-10",
            PairingCode::AlreadyBonded => "PAIR-11",
            PairingCode::Busy => "PAIR-12",
            PairingCode::NotKept => "PAIR-13",
            PairingCode::Failed => "PAIR-14",
            PairingCode::SystemOnly => "PAIR-15",
        }
    }

    /// What happened to the device of this name, in a sentence.
    fn what(self, title: &str) -> String {
        match self {
            PairingCode::BluetoothUnavailable => "The system's Bluetooth does not answer.".into(),
            PairingCode::AdapterMissing => "There is no Bluetooth adapter to pair with.".into(),
            PairingCode::AdapterOff => "Bluetooth is switched off.".into(),
            PairingCode::NotFound => format!("{title} is not to be heard."),
            PairingCode::ConnectionFailed => format!("The connection to {title} failed."),
            PairingCode::WrongPasskey => format!("{title} did not accept the passkey."),
            PairingCode::RefusedByDevice => format!("{title} refused to be paired."),
            PairingCode::RefusedHere => format!("The pairing with {title} was refused here."),
            PairingCode::Cancelled => format!("The pairing with {title} was cancelled."),
            PairingCode::TimedOut => format!("The pairing with {title} took too long."),
            PairingCode::AlreadyBonded => format!("{title} is paired with this computer already."),
            PairingCode::Busy => format!("Something else is connecting to {title}."),
            PairingCode::NotKept => format!("{title} paired for this connection only."),
            PairingCode::Failed => format!("{title} could not be paired."),
            PairingCode::SystemOnly => format!("The bond with {title} is the system's own affair."),
        }
    }

    /// Why, and what to do.
    const fn why_and_next(self) -> (&'static str, &'static str) {
        match self {
            PairingCode::BluetoothUnavailable => (
                "Its service is not installed or not running (on Linux bluetoothd, package bluez).",
                "Install or start it and pair again.",
            ),
            PairingCode::AdapterMissing => (
                "It is not plugged in, or another one was chosen.",
                "Plug it in or choose another one, and pair again.",
            ),
            PairingCode::AdapterOff => (
                "It was switched off in the system's settings, or by a flight mode.",
                "Switch Bluetooth on and pair again.",
            ),
            PairingCode::NotFound => (
                "It is switched off, asleep, out of range, or connected to another host.",
                "Wake it, hold it near the adapter, and pair again.",
            ),
            PairingCode::ConnectionFailed => (
                "It went out of range or to sleep, or is bonded to another host such as a phone.",
                "Bring it near. If it is bonded to another host, hold its button for 5 s. Pair again.",
            ),
            PairingCode::WrongPasskey => (
                "The six digits entered were not those shown.",
                "Pair again and compare each digit. The digits are new each time.",
            ),
            PairingCode::RefusedByDevice => (
                "It is not in its pairing mode, or is bonded to another host.",
                "Hold its button for 5 s until it shows that it can be paired, and pair again.",
            ),
            PairingCode::RefusedHere => (
                "A person did not confirm it. Where two numbers differed, somebody else may have answered.",
                "Check that the right device is in your hand and pair again.",
            ),
            PairingCode::Cancelled => (
                "It was stopped here or on the device.",
                "Pair again when you are ready.",
            ),
            PairingCode::TimedOut => (
                "Nobody answered within half a minute, or the device went to sleep.",
                "Have the device at hand and pair again.",
            ),
            PairingCode::AlreadyBonded => (
                "It was paired before. The device itself may have forgotten it meanwhile.",
                "Connect it. If it does not connect, repair the pairing.",
            ),
            PairingCode::Busy => (
                "Another pairing, or another program, holds the device.",
                "Wait for it or close it, and pair again.",
            ),
            PairingCode::NotKept => (
                "It kept no keys; some devices pair anew for each measurement.",
                "Look in its manual for bonding, and repair the pairing.",
            ),
            PairingCode::Failed => (
                "The keys could not be agreed upon; a bond from before may be in the way.",
                "Delete this computer from the device's list, or hold its button for 5 s. Then repair.",
            ),
            PairingCode::SystemOnly => (
                "This system pairs when a device is first used and keeps bonds to itself.",
                "Use the system's Bluetooth settings.",
            ),
        }
    }

    pub(super) fn of(self, config: &BleConfig) -> PairingError {
        let (why, next) = self.why_and_next();
        PairingError {
            code: self,
            what: self.what(config.title()),
            why,
            next,
        }
    }
}

impl fmt::Display for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    //! Goal: codes are unique, the same to programs and people, and every sentence is one.
    //! Method: all codes.
    use super::PairingCode;
    use crate::ble::BleConfig;

    #[test]
    fn every_failure_has_a_code_and_sentences() {
        let config = BleConfig::new("C4:F2:17:1A:1D:BB".parse().unwrap());
        for (number, code) in (1..).zip(PairingCode::ALL) {
            assert_eq!(code.as_str(), format!("PAIR-{number:02}"));
            let error = code.of(&config);
            for sentence in [error.what.as_str(), error.why, error.next] {
                assert!(sentence.ends_with('.'), "{sentence}");
            }
        }
    }
}
