//! Devices: the sensors paired with this node.

use std::fmt;

use ledger_core::Quality;
use serde::{Deserialize, Serialize};

/// Where a device's bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceSource {
    /// A serial port, pty or symlink to one.
    Serial,
    /// Bluetooth Low Energy.
    Bluetooth,
    /// A simulated device: not from a person's body.
    Simulated,
}

/// How a device's link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// The port is being opened.
    Connecting,
    /// Values arrive.
    Streaming,
    /// The sensor speaks but has no value: finger out or searching.
    NoContact,
    /// The port is open and nothing is heard.
    Silent,
    /// Bytes arrive that are not this profile's: wrong profile, baud rate or parity.
    Garbled,
    /// The port is gone or refused.
    Disconnected,
}

impl DeviceState {
    /// Whether readings may be arriving.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Streaming | Self::NoContact)
    }
}

/// Whether a device's data count, as the ledger says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceStanding {
    /// They do.
    #[default]
    InService,
    /// They do not, for now: what the device sends is refused and counted.
    Suspended,
    /// They do not any more.
    Retired,
    /// Another node of the consortium serves it.
    HandedOver,
}

impl DeviceStanding {
    /// Why data are refused, for the gap ledger; `None` while they count.
    #[must_use]
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::InService => None,
            Self::Suspended => Some("suspended"),
            Self::Retired => Some("retired"),
            Self::HandedOver => Some("handed-over"),
        }
    }
}

/// What becomes of a device on the ledger.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum ChangeDevice {
    /// It is this patient's from now on. Whose it is stays in the vault, sealed; the ledger gets a salted
    /// commitment.
    Assign {
        /// The patient's id.
        patient: String,
    },
    /// It is nobody's from now on.
    Unassign,
    /// Its data are refused until it is resumed.
    Suspend,
    /// Its data count again.
    Resume,
    /// Its data do not count any more; it is unpaired. Cannot be undone.
    Retire,
}

/// Names no patient.
impl std::fmt::Debug for ChangeDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Assign { .. } => "Assign(…)",
            Self::Unassign => "Unassign",
            Self::Suspend => "Suspend",
            Self::Resume => "Resume",
            Self::Retire => "Retire",
        })
    }
}

/// Where a device's readings are between the sensor and finality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// Readings the device should have sent by now, by its rate and sequence numbers.
    pub expected: u64,
    /// Readings that arrived and are durable.
    pub received: u64,
    /// Frames refused: damaged, replayed or forged.
    pub rejected: u64,
    /// Readings sealed in the vault.
    pub sealed: u64,
    /// Readings whose anchor transaction is durable and submitted.
    pub anchored: u64,
    /// Readings whose anchor is in a final block.
    #[serde(rename = "final")]
    pub finalized: u64,
}

/// How many frames were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectedCount {
    /// The reason, such as `checksum`.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// The newest value of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Vital {
    /// LOINC code.
    pub code: String,
    /// The metric's name, for people.
    pub label: String,
    /// UCUM unit.
    pub unit: String,
    /// The value, exactly as recorded, or `None` with a quality that says why.
    pub value: Option<String>,
    /// Its quality.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub quality: Quality,
    /// When the node received it.
    pub time: i64,
}

/// A paired device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Device {
    /// The node's own id of the device.
    pub id: String,
    /// The name its users gave it.
    pub name: String,
    /// Profile name, such as `nonin-oem3`.
    pub profile: String,
    /// Where its bytes come from.
    pub source: DeviceSource,
    /// The port's path; the simulation's seed for a simulated device.
    pub path: String,
    /// How its link is.
    pub state: DeviceState,
    /// Why the state is what it is, in words, where it is not `streaming`.
    pub reason: Option<String>,
    /// What to do about it, in words.
    pub next_step: Option<String>,
    /// Code of the reason, such as `SER-02`.
    pub reason_code: Option<String>,
    /// Whether its data is simulated.
    pub simulated: bool,
    /// Whether its frames are authenticated.
    pub authenticated: bool,
    /// Handle under which the ledger knows it.
    pub handle: String,
    /// Height at which its registration became final.
    pub registered_height: Option<u64>,
    /// Strength of its signal in dBm, while it is connected by radio.
    pub signal_dbm: Option<i16>,
    /// What it says of itself.
    pub about: DeviceAbout,
    /// Whether its data count.
    pub standing: DeviceStanding,
    /// The id of the patient it is assigned to.
    pub assigned_to: Option<String>,
    /// The bed it is used at, where somebody has said so.
    pub place: Option<crate::Place>,
    /// Height at which its standing or assignment was changed last; none if never.
    pub changed_height: Option<u64>,
    /// When it was paired.
    pub added: u64,
    /// When something was last heard.
    pub last_heard: Option<i64>,
    /// Newest values, one a metric, waves left out.
    pub vitals: Vec<Vital>,
    /// LOINC codes of its waves.
    pub waves: Vec<String>,
    /// Where its readings are.
    pub gap: Gap,
    /// Why frames were refused.
    pub rejected_reasons: Vec<RejectedCount>,
    /// Readings expected a second, all metrics together.
    pub readings_per_second: f64,
}

/// What a device says of itself; nothing where its protocol has no word for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceAbout {
    /// Who made it.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// The maker's serial number.
    pub serial_number: Option<String>,
    /// Version of its firmware.
    pub firmware: Option<String>,
    /// What it can compute.
    pub class: Option<DeviceClass>,
    /// How it proves its frames.
    pub authentication: Option<DeviceAuthentication>,
    /// Charge of its battery in percent.
    pub battery_percent: Option<u8>,
}

/// What a device can compute: the classes of constrained devices in Romashkova et al. (IEEE Access 9, 2021).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceClass {
    /// 4 kB of program memory and 256 B of RAM.
    UltraLight,
    /// 4 kB and 8 kB.
    LowCost,
    /// 32 kB and 8 kB.
    Lightweight,
}

/// How a device proves its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceAuthentication {
    /// By a tag of Ascon-AEAD128.
    AsconTag,
    /// By a tag of HMAC-SHA256.
    HmacTag,
    /// By a signature, Ed25519.
    Signature,
}

/// Asks for a device to be paired.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddDevice {
    /// Name for its users, 1 to 80 characters; `None` for one made from the profile.
    pub name: Option<String>,
    /// Profile name.
    pub profile: String,
    /// Path of the port; of a `fogward-level0` device by Bluetooth `ble:` and its address.
    pub path: String,
    /// The device's pairing key as 64 hex digits, for profiles that authenticate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// In its place the one-time code of a `fogward-level0` device that has no key yet: 28 letters; blanks
    /// and hyphens may stand between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Says nothing of the key and the code.
impl fmt::Debug for AddDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddDevice")
            .field("name", &self.name)
            .field("profile", &self.profile)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Asks whether a one-time code is typed right, and is answered with it as it is printed. Nothing is done
/// with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckCode {
    /// The code, as for [`AddDevice::code`].
    pub code: String,
}

/// Says nothing of the code.
impl fmt::Debug for CheckCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckCode").finish_non_exhaustive()
    }
}

/// Where the pairing of a device by its one-time code stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Provisioning {
    /// Path of the port.
    pub path: String,
    /// How far it is.
    pub stage: ProvisioningStage,
}

/// What the node does to a device that has only a one-time code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProvisioningStage {
    /// It listens for the device.
    Listening,
    /// It has heard the device, stored a key for it and sent it, and waits for its proof.
    Answered,
    /// The device has proven the key.
    Proven,
}

/// Asks for simulated devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StartDemo {
    /// How many, 1 to 200.
    pub devices: u16,
    /// Whether of all profiles in turn: heart rate, blood pressure, glucose, scale, thermometer, oximeters. Without
    /// it mostly oximeters, and thermometers.
    #[serde(default)]
    pub every_profile: bool,
}

/// A profile the node can read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProfileInfo {
    /// Its name, such as `nonin-oem3`.
    pub name: String,
    /// What it is, for people.
    pub label: String,
    /// Line settings in words, such as `9600 8N1`.
    pub line: String,
    /// Labels of what it measures.
    pub measures: Vec<String>,
    /// Whether it needs a pairing key.
    pub needs_key: bool,
}

/// A serial port of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Port {
    /// Path to open.
    pub path: String,
    /// What is known of it, for people.
    pub label: String,
    /// The device that holds it already, if any.
    pub used_by: Option<String>,
}

/// Asks to look at a port without recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StartPreview {
    /// Path of the port.
    pub path: String,
    /// Profile name.
    pub profile: String,
    /// Pairing key as 64 hex digits, for profiles that authenticate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What a port shows while nothing is recorded. Ends by itself after two minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Preview {
    /// The preview's id.
    pub id: String,
    /// Path of the port.
    pub path: String,
    /// Profile name.
    pub profile: String,
    /// How the link is.
    pub state: DeviceState,
    /// Why, in words, where it is not `streaming`.
    pub reason: Option<String>,
    /// What to do about it.
    pub next_step: Option<String>,
    /// Code of the reason.
    pub reason_code: Option<String>,
    /// Newest values.
    pub vitals: Vec<Vital>,
    /// Good readings seen.
    pub received: u64,
    /// Frames refused.
    pub rejected: u64,
    /// Newest second of the wave, if the profile has one.
    pub wave: Option<crate::Wave>,
}
