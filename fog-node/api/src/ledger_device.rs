//! Devices as the ledger knows them, of all nodes: who serves them, which sign for themselves, and which may
//! hear which.

use serde::{Deserialize, Serialize};

use crate::DeviceStanding;

/// A device on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerDevice {
    /// Its handle.
    pub handle: String,
    /// Its name here, if it is paired with this node.
    pub name: Option<String>,
    /// The node that serves it.
    pub node: String,
    /// That node's organisation.
    pub organisation: String,
    /// Whether its data count.
    pub standing: DeviceStanding,
    /// Whether it is simulated.
    pub simulated: bool,
    /// Whether it is assigned to somebody; to whom is not on the ledger.
    pub assigned: bool,
    /// How often it was handed over from node to node.
    #[serde(default)]
    pub handovers: u32,
    /// Name of the node that handed it over last; none if nobody did.
    #[serde(default)]
    pub handed_by: Option<String>,
    /// Height of its registration.
    pub registered_height: u64,
    /// Height of its last change; none if there was none.
    pub changed_height: Option<u64>,
    /// Its own key and what it did with it, if it signs for itself.
    pub signer: Option<Signer>,
}

/// A device that signs for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Signer {
    /// Its public key.
    pub key: String,
    /// The nonce its next transaction must carry.
    pub next_nonce: u64,
    /// The number its next batch must carry.
    pub next_batch: u64,
    /// Readings it has anchored.
    pub readings: u64,
}

/// Registers a device that signs for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterSigner {
    /// Its Ed25519 public key, 64 hex digits.
    pub key: String,
    /// Whether its data are simulated.
    #[serde(default)]
    pub simulated: bool,
}

/// A transaction that a program or device signed is final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pushed {
    /// Its id.
    pub id: String,
    /// Height of its block.
    pub height: u64,
    /// Its place in the block.
    pub index: u32,
}

/// Where an interaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InteractionState {
    /// The source's organisation has not decided.
    Asked,
    /// The asker may hear the source.
    Granted,
    /// The source's organisation said no.
    Refused,
    /// One side ended it.
    Ended,
    /// Its time is over.
    Over,
}

/// One device may hear another, or wants to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interaction {
    /// Its id.
    pub id: String,
    /// Handle of the device that hears.
    pub asker: String,
    /// Its name, if it is paired here.
    pub asker_name: Option<String>,
    /// Handle of the device that is heard.
    pub source: String,
    /// Its name, if it is paired here.
    pub source_name: Option<String>,
    /// Where it stands.
    pub state: InteractionState,
    /// When it ends by itself, in block time.
    pub until: u64,
    /// Height of its last change.
    pub changed_height: u64,
    /// Whether this node may grant or refuse it.
    pub may_grant: bool,
    /// Whether this node may end it.
    pub may_end: bool,
    /// How this node carries it out.
    pub relay: Relay,
}

/// What a node does about an interaction, and what came of it since it was granted, at most since the node's
/// start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Relay {
    /// Whether readings go from one device to the other.
    pub state: RelayState,
    /// Readings written to the line of the device that hears.
    pub relayed: u64,
    /// Readings dropped: its line was slower than they came, was down, or the grant ended while they waited.
    pub dropped: u64,
    /// Readings for which its protocol has no form, such as waves.
    pub unsuited: u64,
}

/// Whether readings go from one device to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RelayState {
    /// They do, as they come.
    Open,
    /// They do not: it is not granted, it is over, or a device is not in service.
    Closed,
    /// The device that asks cannot hear: its protocol has no message for it, or it does not listen.
    CannotHear,
    /// This node does not read the device that hears, or does not reach the node that reads the other one.
    Elsewhere,
}

/// Asks that one device may hear another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AskInteraction {
    /// The device that wants to hear: its id here, or its handle.
    pub asker: String,
    /// The device that is to be heard: its id here, or its handle.
    pub source: String,
    /// For how long, in seconds.
    pub seconds: u64,
}

/// Hands a device over to another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// The node's name, or its key.
    pub to: String,
}

/// Takes a device that was handed to this node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TakeDevice {
    /// The port it is on here, or `ble:` and its Bluetooth address; as at the other node without it.
    #[serde(default)]
    pub path: Option<String>,
}

/// Grants, refuses or ends an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DecideInteraction {
    /// Whether it may be.
    pub allow: bool,
}
