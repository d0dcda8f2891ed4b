//! The sentences for each way a link fails: what happened, why, what to do.
//!
//! They hold the port's path and the system's own words for an error, and nothing that was read.

use crate::device::SerialConfig;
use crate::link::{LinkReason, ReasonCode};

fn reason(code: ReasonCode, what: String, why: String, next: &str) -> LinkReason {
    LinkReason {
        code,
        what,
        why,
        next: next.to_owned(),
        retry_millis: None,
    }
}

pub(super) fn port_missing(path: &str) -> LinkReason {
    reason(
        ReasonCode::PortMissing,
        format!("{path} is not there."),
        "The device or its cable is not plugged in, or the port has another name now.".to_owned(),
        "Plug it in; it connects by itself. If it is plugged in, choose its port from the list again.",
    )
}

pub(super) fn permission_denied(path: &str) -> LinkReason {
    reason(
        ReasonCode::PermissionDenied,
        format!("{path} may not be opened."),
        "The user this program runs as has no right to use serial ports.".to_owned(),
        "Add the user to the group that owns the port (often dialout), and log in again.",
    )
}

pub(super) fn port_busy(path: &str) -> LinkReason {
    reason(
        ReasonCode::PortBusy,
        format!("{path} is in use."),
        "Another program, or another device of this node, has opened it for itself alone."
            .to_owned(),
        "Close the other program, or remove the other device. It connects by itself then.",
    )
}

pub(super) fn not_a_port(path: &str) -> LinkReason {
    reason(
        ReasonCode::NotASerialPort,
        format!("{path} is not a serial port."),
        "The path leads to something else, such as a file.".to_owned(),
        "Choose a port from the list, or correct the path.",
    )
}

pub(super) fn open_failed(path: &str, system: &str) -> LinkReason {
    reason(
        ReasonCode::OpenFailed,
        format!("{path} could not be opened."),
        format!("The system says: {system}."),
        "Unplug the device and plug it in again. It is tried again by itself.",
    )
}

pub(super) fn unplugged(path: &str) -> LinkReason {
    reason(
        ReasonCode::Unplugged,
        format!("{path} was unplugged."),
        "The port closed from the other side.".to_owned(),
        "Plug the device in again; it connects by itself.",
    )
}

pub(super) fn transfer_failed(path: &str, system: &str) -> LinkReason {
    reason(
        ReasonCode::TransferFailed,
        format!("{path} stopped working."),
        format!("The system says: {system}."),
        "Check the cable. It is tried again by itself.",
    )
}

pub(super) fn silent(config: &SerialConfig) -> LinkReason {
    reason(
        ReasonCode::Silent,
        format!("{} is open and nothing arrives.", config.path.display()),
        "The device is switched off, asleep, or not set to send.".to_owned(),
        "Switch it on and put the sensor on. Readings appear by themselves.",
    )
}

pub(super) fn unrecognised(config: &SerialConfig) -> LinkReason {
    reason(
        ReasonCode::Unrecognised,
        format!(
            "Bytes arrive on {} that are not {}.",
            config.path.display(),
            config.profile.title()
        ),
        format!(
            "The device is another model, or is not set to {}.",
            config.profile.line()
        ),
        "Check which device hangs on this port and choose its profile.",
    )
}

pub(super) fn wrong_key(config: &SerialConfig) -> LinkReason {
    reason(
        ReasonCode::WrongKey,
        format!(
            "Intact frames arrive on {} that the pairing key does not open.",
            config.path.display()
        ),
        "The key belongs to another device, or somebody else sends here.".to_owned(),
        "Compare the key with the one on the device's card and add the device again.",
    )
}
