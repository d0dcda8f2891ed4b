//! The state of the way to a device, in words a person can act on.
//!
//! Each state that is not streaming carries a [`LinkReason`]: what happened, why, what to do, and
//! a short code for the telephone. No port data and no measurement is in any of them.

use core::fmt;
use serde::Serialize;

/// How the link is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "reason", rename_all = "kebab-case")]
pub enum LinkState {
    /// The port or connection is being opened, or was opened and nothing arrived yet.
    Opening,
    /// Frames arrive.
    Streaming,
    /// It is open and silent.
    NoData(LinkReason),
    /// It is open, bytes arrive, and none of them can be used.
    Garbage(LinkReason),
    /// It is not open; it is tried again by itself.
    Disconnected(LinkReason),
    /// Stopped on request; final.
    Stopped,
}

impl LinkState {
    /// The name for programs: `opening`, `streaming`, `no-data`, `garbage`, `disconnected`,
    /// `stopped`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            LinkState::Opening => "opening",
            LinkState::Streaming => "streaming",
            LinkState::NoData(_) => "no-data",
            LinkState::Garbage(_) => "garbage",
            LinkState::Disconnected(_) => "disconnected",
            LinkState::Stopped => "stopped",
        }
    }

    /// Why it is not streaming, where there is something to say.
    #[must_use]
    pub const fn reason(&self) -> Option<&LinkReason> {
        match self {
            LinkState::NoData(reason)
            | LinkState::Garbage(reason)
            | LinkState::Disconnected(reason) => Some(reason),
            LinkState::Opening | LinkState::Streaming | LinkState::Stopped => None,
        }
    }
}

/// What happened, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkReason {
    /// For programs and for the telephone.
    pub code: ReasonCode,
    /// What happened.
    pub what: String,
    /// Why, as far as is known.
    pub why: String,
    /// What to do next.
    pub next: String,
    /// When it is tried again by itself, where that is so.
    pub retry_millis: Option<u64>,
}

impl fmt::Display for LinkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} ({})",
            self.what, self.why, self.next, self.code
        )
    }
}

/// The reason as a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum ReasonCode {
    /// There is no such port.
    #[serde(rename = "SER-01")]
    PortMissing,
    /// This user may not open the port.
    #[serde(rename = "SER-02")]
    PermissionDenied,
    /// Another program holds the port.
    #[serde(rename = "SER-03")]
    PortBusy,
    /// The path is not a serial port, or cannot be set as the profile needs.
    #[serde(rename = "SER-04")]
    NotASerialPort,
    /// The port cannot be opened for another reason.
    #[serde(rename = "SER-05")]
    OpenFailed,
    /// The device or its cable was unplugged.
    #[serde(rename = "SER-06")]
    Unplugged,
    /// Reading or writing failed.
    #[serde(rename = "SER-07")]
    TransferFailed,
    /// Nothing arrives.
    #[serde(rename = "SER-08")]
    Silent,
    /// Bytes arrive that form no frame of this profile.
    #[serde(rename = "SER-09")]
    Unrecognised,
    /// Intact frames arrive that the pairing key does not open.
    #[serde(rename = "SER-10")]
    WrongKey,
    /// The system's Bluetooth service is missing or silent.
    #[serde(rename = "BLE-01")]
    BluetoothUnavailable,
    /// There is no Bluetooth adapter, or not the chosen one.
    #[serde(rename = "BLE-02")]
    AdapterMissing,
    /// The Bluetooth adapter is switched off.
    #[serde(rename = "BLE-03")]
    AdapterOff,
    /// The Bluetooth adapter went away during a connection.
    #[serde(rename = "BLE-04")]
    AdapterLost,
    /// The peripheral does not advertise.
    #[serde(rename = "BLE-05")]
    DeviceNotFound,
    /// The peripheral was heard and did not connect.
    #[serde(rename = "BLE-06")]
    ConnectFailed,
    /// The connection to the peripheral was lost.
    #[serde(rename = "BLE-07")]
    ConnectionLost,
    /// The peripheral's services could not be read.
    #[serde(rename = "BLE-08")]
    DiscoveryFailed,
    /// The peripheral has no characteristic that is known here.
    #[serde(rename = "BLE-09")]
    NoKnownProfile,
    /// The peripheral wants to be paired, or was and has forgotten it.
    #[serde(rename = "BLE-10")]
    PairingNeeded,
    /// The peripheral is connected and sends nothing.
    #[serde(rename = "BLE-11")]
    NothingMeasured,
    /// Values arrive that have not the form of their profile.
    #[serde(rename = "BLE-12")]
    ValuesUnusable,
    /// The Bluetooth library failed.
    #[serde(rename = "BLE-13")]
    BluetoothFault,
    /// Intact level-0 frames arrive over Bluetooth that the pairing key does not open.
    #[serde(rename = "BLE-14")]
    WrongKeyByRadio,
    /// The peripheral cannot show which one it is.
    #[serde(rename = "BLE-15")]
    NotIdentifiable,
}

impl ReasonCode {
    /// The code as shown: `SER-01` and so on for serial lines, `BLE-01` and so on for Bluetooth.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ReasonCode::PortMissing => "SER-01",
            ReasonCode::PermissionDenied => "SER-02",
            ReasonCode::PortBusy => "SER-03",
            ReasonCode::NotASerialPort => "SER-04",
            ReasonCode::OpenFailed => "SER-05",
            ReasonCode::Unplugged => "SER-06",
            ReasonCode::TransferFailed => "SER-07",
            ReasonCode::Silent => "SER-08",
            ReasonCode::Unrecognised => "SER-09",
            ReasonCode::WrongKey => "SER-10",
            ReasonCode::BluetoothUnavailable => "BLE-01",
            ReasonCode::AdapterMissing => "BLE-02",
            ReasonCode::AdapterOff => "BLE-03",
            ReasonCode::AdapterLost => "BLE-04",
            ReasonCode::DeviceNotFound => "BLE-05",
            ReasonCode::ConnectFailed => "BLE-06",
            ReasonCode::ConnectionLost => "BLE-07",
            ReasonCode::DiscoveryFailed => "BLE-08",
            ReasonCode::NoKnownProfile => "BLE-09",
            ReasonCode::PairingNeeded => "BLE-10",
            ReasonCode::NothingMeasured => "BLE-11",
            ReasonCode::ValuesUnusable => "BLE-12",
            ReasonCode::BluetoothFault => "BLE-13",
            ReasonCode::WrongKeyByRadio => "BLE-14",
            ReasonCode::NotIdentifiable => "BLE-15",
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
