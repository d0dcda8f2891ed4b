//! Bluetooth: what is nearby, and pairing with it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ApiError;

/// What the node sees of Bluetooth now. It scans while this is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BluetoothView {
    /// The adapters of this machine.
    pub adapters: Vec<BluetoothAdapter>,
    /// The adapter in use, by name or address, if one was chosen.
    pub chosen: Option<String>,
    /// Why it cannot scan, where that is so.
    pub trouble: Option<ApiError>,
    /// The devices nearby; those that measure come first, the nearest first.
    pub found: Vec<FoundDevice>,
}

/// A Bluetooth adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BluetoothAdapter {
    /// The system's name of it, such as `hci0`.
    pub name: String,
    /// Its own address, where the system tells it.
    pub address: Option<String>,
    /// Whether it is switched on.
    pub is_on: bool,
}

/// A device that advertises nearby.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundDevice {
    /// Its address.
    pub address: String,
    /// What it calls itself.
    pub name: Option<String>,
    /// What it says it does, for people.
    pub services: Vec<String>,
    /// Whether it measures something this node records.
    pub measures: bool,
    /// Whether it offers a line (Nordic UART Service), over which a level-0 device speaks; others have one, too.
    #[serde(default)]
    pub has_line: bool,
    /// Whether it is known to have the Immediate Alert service, so that it can blink or beep on request.
    /// Others may have it, too: what a device has besides what it advertises is seen once connected.
    pub can_show_itself: bool,
    /// Strength of its signal in dBm.
    pub signal_dbm: Option<i16>,
    /// When it was first heard.
    pub first_seen: i64,
    /// When it was last heard.
    pub last_seen: i64,
    /// Its name here, if it is paired.
    pub paired_as: Option<String>,
}

/// Asks to pair with a Bluetooth device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StartBluetoothPairing {
    /// Its address.
    pub address: String,
    /// Name for its users, 1 to 80 characters; as it calls itself without one.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether to bond. Without a bond only what the device shows to everybody is read.
    #[serde(default = "yes")]
    pub bond: bool,
    /// Whether to remove the bond there is first: for a device that has forgotten this machine.
    #[serde(default)]
    pub repair: bool,
    /// The pairing key of a device that speaks `fogward-level0`, as for [`crate::AddDevice::key`]; without one
    /// the standard profiles are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The one-time code of such a device that has no key yet, as for [`crate::AddDevice::code`]: it is given
    /// one after it is bonded with, if it is to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Says nothing of the key and the code.
impl fmt::Debug for StartBluetoothPairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartBluetoothPairing")
            .field("address", &self.address)
            .field("name", &self.name)
            .field("bond", &self.bond)
            .field("repair", &self.repair)
            .finish_non_exhaustive()
    }
}

const fn yes() -> bool {
    true
}

/// A pairing under way, or how it ended.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BluetoothPairing {
    /// Its id.
    pub id: String,
    /// The device's address.
    pub address: String,
    /// Where it stands.
    pub stage: PairingStage,
}

/// Where a pairing stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum PairingStage {
    /// The device is found and connected, or its keys are agreed upon.
    Connecting,
    /// Type these digits on the device.
    ShowPasskey {
        /// Six digits.
        passkey: String,
        /// How many were typed so far.
        entered: u16,
    },
    /// Answer with the digits that the device shows.
    EnterPasskey,
    /// Answer whether the device shows these digits.
    Compare {
        /// Six digits.
        passkey: String,
    },
    /// Answer whether to pair with it; it can neither show nor take digits.
    Confirm,
    /// It is paired, and read from now on.
    Paired {
        /// The device's id here.
        device: String,
    },
    /// It did not work.
    Failed {
        /// What happened, why, and what to do.
        error: ApiError,
    },
}

/// Shows no digits: they are secret while a pairing goes on.
impl std::fmt::Debug for PairingStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connecting => "Connecting",
            Self::ShowPasskey { .. } => "ShowPasskey(…)",
            Self::EnterPasskey => "EnterPasskey",
            Self::Compare { .. } => "Compare(…)",
            Self::Confirm => "Confirm",
            Self::Paired { .. } => "Paired",
            Self::Failed { .. } => "Failed",
        })
    }
}

impl std::fmt::Debug for BluetoothPairing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BluetoothPairing({}, {:?})", self.id, self.stage)
    }
}

impl PairingStage {
    /// Whether it waits for a person.
    #[must_use]
    pub const fn is_question(&self) -> bool {
        matches!(
            self,
            Self::EnterPasskey | Self::Compare { .. } | Self::Confirm
        )
    }

    /// Whether it has ended.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(self, Self::Paired { .. } | Self::Failed { .. })
    }
}

/// A person's answer to a pairing's question.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum AnswerPairing {
    /// The digits that the device shows.
    Passkey {
        /// Six digits.
        passkey: String,
    },
    /// The digits are the same, or: yes, pair with it.
    Yes,
    /// They are not, or: no.
    No,
}

/// Shows no digits.
impl std::fmt::Debug for AnswerPairing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Passkey { .. } => "Passkey(…)",
            Self::Yes => "Yes",
            Self::No => "No",
        })
    }
}
