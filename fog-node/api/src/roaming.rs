//! Which node of an organisation serves which wireless device, and which could.

use serde::{Deserialize, Serialize};

/// Who could serve the wireless devices of this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoamingView {
    /// Whether this node hands devices over by itself.
    pub is_on: bool,
    /// This node, and those of its organisation that were heard of within 15 s.
    pub hosts: Vec<RoamingNode>,
    /// The devices without a wire that this node serves.
    pub devices: Vec<RoamingDevice>,
}

/// A node, as far as it matters to where devices go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoamingNode {
    /// Its name.
    pub node: String,
    /// Devices without a wire that it serves.
    pub served: u16,
    /// For how many it has places.
    pub places: u16,
    /// Charge of its battery in percent; none on mains.
    pub on_battery_percent: Option<u8>,
    /// Whether it may be given one more.
    pub takes_more: bool,
}

/// A device without a wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoamingDevice {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How well each node would serve it, this one first.
    pub offers: Vec<RoamingOffer>,
    /// The node that is enough better to hand it over to.
    pub better: Option<String>,
    /// Whether this machine's system keeps a bond with it: it stays here then.
    pub is_bonded: bool,
}

/// How well a node would serve a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoamingOffer {
    /// The node's name.
    pub node: String,
    /// How strongly it hears the device; none of a simulated device, and where it does not hear it.
    pub signal_dbm: Option<i16>,
    /// Its signal less what load and battery cost, in dB; none where it does not reach the device.
    pub merit_db: Option<i32>,
}
