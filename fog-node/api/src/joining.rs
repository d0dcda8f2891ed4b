//! Joining a consortium from a running node, catching up with it, and the nodes found nearby.

use serde::{Deserialize, Serialize};

/// An invitation, to be read: nothing is done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReadInvitation {
    /// Its text, as it was sent or as it is in the file; spaces and line breaks do not matter.
    pub invitation: String,
}

/// What an invitation says, and what becomes of this node if it is taken. Its token is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationView {
    /// The consortium's name.
    pub consortium: String,
    /// The chain's id: digest of its genesis.
    pub chain_id: String,
    /// Name of the organisation that invites.
    pub inviter: String,
    /// The admin key that signed it.
    pub signer: String,
    /// Whether this node becomes one of the inviter's organisation; no organisation's name is asked then.
    pub same_organisation: bool,
    /// When it ends.
    pub expires: u64,
    /// Where this node would knock, `host:port`.
    pub door: String,
    /// Nodes of the consortium and where they listen.
    pub peers: Vec<InvitedPeer>,
    /// Where this node listens for peers already, `ip:port`; `None` if joining must say it.
    pub listen: Option<String>,
    /// Name this node goes by unless another is given.
    pub node: String,
    /// What becomes of the chain this node is in now; `None` if it is the invited one already.
    pub own_chain: Option<OwnChain>,
    /// Why this node cannot take it, in words; `None` if it can.
    pub obstacle: Option<String>,
}

/// A node that an invitation names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitedPeer {
    /// The key it is reached under.
    pub key: String,
    /// Where it listens, `host:port`.
    pub address: String,
}

/// The chain that a joining node puts aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnChain {
    /// The consortium's name.
    pub name: String,
    /// The chain's id.
    pub chain_id: String,
    /// Its newest final height.
    pub height: u64,
    /// Readings anchored in it.
    pub readings: u64,
    /// Devices that are paired now, and must be paired anew.
    pub devices: u32,
    /// Other active nodes of that consortium, which this node would leave.
    pub other_nodes: u32,
    /// What happens, in plain words: where it goes, that it stays readable and provable.
    pub becomes: String,
}

/// Takes an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JoinConsortium {
    /// Its text.
    pub invitation: String,
    /// The organisation's name; not used where the node joins the inviter's.
    #[serde(default)]
    pub organisation: String,
    /// The node's name; as it is called now without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Where the node listens for its peers, `ip:port`; as now without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Where others reach it, `host:port`, if that is another address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Agrees that the chain this node is in goes aside. Must be true where there is one.
    #[serde(default)]
    pub leave_own_chain: bool,
}

/// How far joining is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinProgress {
    /// Where it is.
    pub stage: JoinStage,
    /// The same in plain words, with what is waited for or why it failed.
    pub words: String,
    /// The consortium that is joined.
    pub consortium: Option<String>,
    /// Number of the proposal to admit this node, once the door has said it.
    pub proposal: Option<u64>,
    /// Why it failed.
    pub error: Option<crate::ApiError>,
}

/// The steps of joining, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JoinStage {
    /// Nothing was asked.
    Idle,
    /// The node knocks at the inviter's door; up to a minute.
    Knocking,
    /// The door has answered and the answer is on disk; the node starts again by itself, in seconds.
    Restarting,
    /// The node follows as far as it may, and waits for the votes that admit it.
    Waiting,
    /// The node is admitted and catches up.
    CatchingUp,
    /// The node is a member and up to date.
    Joined,
    /// It was refused, or did not work; it may be asked again.
    Failed,
}

/// How far a node is that is behind the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatchUp {
    /// How.
    pub by: CatchUpWay,
    /// What it does now, in plain words.
    pub words: String,
    /// Newest final height here.
    pub height: u64,
    /// Height it goes to: the snapshot's, or the newest the others have.
    pub target: u64,
    /// How much is done, 0 to 100: bytes of the snapshot taken over, or blocks.
    pub percent: f64,
    /// Bytes of the snapshot that are taken over; 0 by blocks.
    pub bytes: u64,
    /// Bytes of the snapshot in all; 0 by blocks.
    pub of_bytes: u64,
    /// Bytes (by a snapshot) or blocks (by blocks) a second, over the last seconds.
    pub per_second: f64,
    /// Name of the peer it is got from now.
    pub from: Option<String>,
    /// Peers whose snapshot or chunk was refused, and why, in words.
    pub refused: Vec<String>,
}

/// How a node catches up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CatchUpWay {
    /// A verified snapshot of the state, then blocks for the rest.
    Snapshot,
    /// Every block.
    Blocks,
}

/// A node that announces itself on this network. Nothing it says is proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundNode {
    /// First digits of a digest of its chain's id.
    pub chain: String,
    /// Whether that fits this node's chain.
    pub same_chain: bool,
    /// Where it says that it listens for peers, `ip:port`.
    pub address: String,
    /// When it was last heard: milliseconds ago.
    pub heard_ms_ago: u64,
}
