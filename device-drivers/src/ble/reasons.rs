//! The sentences for each way a Bluetooth link fails: what happened, why, what to do.
//!
//! They name the device as a person knows it and hold nothing that was read from it.

use crate::ble::BleConfig;
use crate::link::{LinkReason, ReasonCode};

fn reason(code: ReasonCode, what: impl Into<String>, why: &str, next: &str) -> LinkReason {
    LinkReason {
        code,
        what: what.into(),
        why: why.to_owned(),
        next: next.to_owned(),
        retry_millis: None,
    }
}

pub(super) fn service_missing() -> LinkReason {
    reason(
        ReasonCode::BluetoothUnavailable,
        "The system's Bluetooth does not answer.",
        "Its service is not installed or not running (on Linux bluetoothd, the package bluez).",
        "Install or start it. It is tried again by itself.",
    )
}

pub(super) fn adapter_missing(wanted: Option<&str>) -> LinkReason {
    let what = match wanted {
        None => "This computer has no Bluetooth adapter.".to_owned(),
        Some(name) => format!("The Bluetooth adapter {name} is not there."),
    };
    reason(
        ReasonCode::AdapterMissing,
        what,
        "It is not plugged in, or the system does not know it.",
        "Plug the adapter in, or choose another one. It connects by itself then.",
    )
}

pub(super) fn adapter_off(name: &str) -> LinkReason {
    reason(
        ReasonCode::AdapterOff,
        format!("The Bluetooth adapter {name} is switched off."),
        "Bluetooth was switched off in the system's settings, or by a flight mode.",
        "Switch Bluetooth on. It connects by itself then.",
    )
}

pub(super) fn adapter_lost(name: &str) -> LinkReason {
    reason(
        ReasonCode::AdapterLost,
        format!("The Bluetooth adapter {name} went away."),
        "It was unplugged or switched off while devices were connected through it.",
        "Plug it in or switch it on again. Everything reconnects by itself.",
    )
}

pub(super) fn not_found(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::DeviceNotFound,
        format!("{} is not to be heard.", config.title()),
        "It is switched off, asleep, out of range, or connected to another host such as a phone.",
        "Switch it on, bring it near, and end its connection elsewhere. It connects by itself.",
    )
}

pub(super) fn connect_failed(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::ConnectFailed,
        format!("{} was heard and did not connect.", config.title()),
        "The signal is too weak, it went to sleep, or it serves another host already.",
        "Bring it nearer to the adapter and wake it. It is tried again by itself.",
    )
}

pub(super) fn link_lost(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::ConnectionLost,
        format!("The connection to {} was lost.", config.title()),
        "It went out of range, was switched off, or ended the connection to save its battery.",
        "Bring it back into range. It reconnects by itself.",
    )
}

pub(super) fn discovery_failed(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::DiscoveryFailed,
        format!(
            "{} connected and did not say what it measures.",
            config.title()
        ),
        "The connection broke, or the device stopped answering, while its services were read.",
        "Bring it nearer and wait. If it goes on, switch it off and on.",
    )
}

pub(super) fn nothing_to_measure(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::NoKnownProfile,
        format!(
            "{} offers no measurement that is known here.",
            config.title()
        ),
        "It uses its maker's own protocol, or it shows its measurements only in another mode.",
        "Look in its manual for Bluetooth profiles, or choose another device.",
    )
}

pub(super) fn no_line(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::NoKnownProfile,
        format!("{} offers no line for level-0 frames.", config.title()),
        "It is paired as a fogward-level0 device and has no Nordic UART Service with both characteristics.",
        "Check that this is the device the key belongs to, and that its firmware has the service.",
    )
}

pub(super) fn pairing_needed(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::PairingNeeded,
        format!(
            "{} does not give its measurements to this computer.",
            config.title()
        ),
        "It wants to be paired first, or it has forgotten this computer.",
        "Pair it. If it is paired already, repair the pairing.",
    )
}

pub(super) fn silent(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::NothingMeasured,
        format!("{} is connected and sends nothing.", config.title()),
        "A cuff, scale, meter or thermometer sends when it has measured; others are off the body.",
        "Take a measurement, or put the sensor on. Readings appear by themselves.",
    )
}

pub(super) fn unusable(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::ValuesUnusable,
        format!("What {} sends cannot be used.", config.title()),
        "Its values do not have the form that its profile prescribes.",
        "Ask its maker for newer firmware, or choose another device.",
    )
}

pub(super) fn wrong_key(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::WrongKeyByRadio,
        format!(
            "{} sends intact frames that the pairing key does not open.",
            config.title()
        ),
        "The key belongs to another device, or another device has its address.",
        "Compare the key with the one on the device's card, unpair the device and pair it again.",
    )
}

pub(super) fn driver_failed(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::BluetoothFault,
        format!("The connection to {} ended by a fault.", config.title()),
        "The Bluetooth library of this program failed; the device is not to blame.",
        "It is tried again by itself. If it goes on, restart the program and report it.",
    )
}

pub(super) fn not_identifiable(config: &BleConfig) -> LinkReason {
    reason(
        ReasonCode::NotIdentifiable,
        format!("{} cannot blink or beep on request.", config.title()),
        "It has no Immediate Alert service, or does not let it be used.",
        "Tell it by its name and its signal: hold it next to the adapter and see which one is nearest.",
    )
}
