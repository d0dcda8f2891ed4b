//! The consortium as this node sees it: organisations, nodes, proposals, invitations, and what may be
//! asked of it.

use serde::{Deserialize, Serialize};

use crate::joining::{CatchUp, FoundNode};

/// The consortium's page in one answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsortiumView {
    /// Its name.
    pub name: String,
    /// The chain's id: digest of its genesis.
    pub chain_id: String,
    /// Newest final height here.
    pub height: u64,
    /// Signatures that make a block final.
    pub needed: u32,
    /// Validators heard now, this node included.
    pub present: u32,
    /// In plain words: whether blocks can become final, and who is missing.
    pub quorum: String,
    /// What this node is in it.
    pub me: Me,
    /// The organisations, the active ones first.
    pub organisations: Vec<OrganisationRow>,
    /// All active nodes, validators first.
    pub nodes: Vec<NodeRow>,
    /// Proposals that may be voted on, oldest first.
    pub open: Vec<ProposalRow>,
    /// Proposals decided before, newest first, at most 20.
    pub decided: Vec<ProposalRow>,
    /// Approved changes of validators that wait for their block, in order.
    pub queue: Vec<SeatRow>,
    /// Invitations of this node that may still be used.
    pub invitations: Vec<InvitationRow>,
    /// Validators that this node has seen to sign two different things, newest first.
    #[serde(default)]
    pub evidence: Vec<EvidenceRow>,
    /// How this node catches up with the others; `None` while it is up to date.
    #[serde(default)]
    pub catch_up: Option<CatchUp>,
    /// Nodes that announce themselves on this network; found, not trusted.
    #[serde(default)]
    pub found: Vec<FoundNode>,
    /// The rules in force.
    pub parameters: ParametersView,
    /// How many voices each kind of change needs.
    pub thresholds: ThresholdsView,
}

/// What this node is in the consortium.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// Its key.
    pub node: String,
    /// Its part.
    pub role: NodeRole,
    /// Id of its organisation; `None` while it waits to be admitted.
    pub organisation: Option<String>,
    /// Whether this node holds a key that votes for its organisation.
    pub can_vote: bool,
    /// Where peers reach it; `None` if it listens nowhere, so that nobody can join it.
    pub address: Option<String>,
}

/// A node's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum NodeRole {
    /// It signs blocks.
    Validator,
    /// It follows, and may send transactions.
    Observer,
    /// It follows as far as it may; the consortium has not admitted it.
    Waiting,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganisationRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its admin keys.
    pub admins: Vec<String>,
    /// Height at which it was removed.
    pub removed: Option<u64>,
}

/// A node of the consortium.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeRow {
    /// The key it is known by on chain.
    pub key: String,
    /// The key it votes with and is reached under.
    pub vote_key: String,
    /// Its name.
    pub name: String,
    /// Id of its organisation.
    pub organisation: String,
    /// Whether it is a validator of the next height.
    pub validator: bool,
    /// Whether it is this node.
    pub here: bool,
    /// Where it listens; `None` if others cannot open connections to it.
    pub address: Option<String>,
    /// Whether this node hears it now.
    pub heard: bool,
    /// When it was last heard: milliseconds ago.
    pub heard_ms_ago: Option<u64>,
    /// Its newest final block, as it says.
    pub height: Option<u64>,
    /// The way to it, one direction, in milliseconds.
    pub delay_ms: Option<f64>,
    /// How far its clock is ahead of this node's, in milliseconds.
    pub clock_ms: Option<f64>,
    /// Share of the last blocks it signed while it was a validator, 0 to 1; `None` if it was none.
    pub signed: Option<f64>,
    /// The same in slices of the last 24 hours, oldest first; `None` where there was no block to sign.
    pub participation: Vec<Option<f64>>,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProposalRow {
    /// Its number.
    pub number: u64,
    /// What it changes, in words.
    pub title: String,
    /// What it changes.
    pub change: Change,
    /// Name of the organisation that made it.
    pub by: String,
    /// Why, in its words.
    pub reason: String,
    /// When it was made.
    pub opened: u64,
    /// When it ends undecided.
    pub expires: u64,
    /// Voices for it.
    pub approvals: u32,
    /// Voices against it.
    pub rejections: u32,
    /// Voices there are.
    pub voices: u32,
    /// Voices it needs.
    pub needed: u32,
    /// How this node's organisation voted: `approve`, `reject`, or not yet.
    pub mine: Option<String>,
    /// `open`, `approved`, `rejected`, `expired` or `void`.
    pub outcome: String,
    /// Height at which it was decided.
    pub decided: Option<u64>,
    /// First height at which an approved change is in force; `None` while it waits in the queue.
    pub in_force: Option<u64>,
    /// Why an approved change became void.
    pub why: Option<String>,
}

/// Proof, kept on this node, that a validator signed two different things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EvidenceRow {
    /// The key it votes with.
    pub vote_key: String,
    /// Its name; its key's first digits if it is no node any more.
    pub name: String,
    /// What it did, in words.
    pub what: String,
    /// The height it was done at.
    pub height: u64,
    /// The round it was done in.
    pub round: u32,
    /// When this node noticed.
    pub noticed: u64,
}

/// An approved change of validators that waits for its block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeatRow {
    /// What happens, in words.
    pub title: String,
    /// The proposal it comes from.
    pub proposal: Option<u64>,
}

/// A change that organisations vote on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// A new organisation with its first nodes.
    AdmitOrganisation {
        /// Its id, 32 hex digits.
        id: String,
        /// Its name.
        name: String,
        /// Its admin keys.
        admins: Vec<String>,
        /// Its nodes.
        nodes: Vec<NewNode>,
    },
    /// An organisation leaves, with its nodes.
    RemoveOrganisation {
        /// Its id.
        id: String,
    },
    /// An organisation's admin key comes, goes, or is replaced.
    RotateAdmin {
        /// The organisation.
        organisation: String,
        /// The key that goes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        old: Option<String>,
        /// The key that comes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        new: Option<String>,
    },
    /// A node of an organisation.
    AdmitNode {
        /// The organisation.
        organisation: String,
        /// The node.
        node: NewNode,
    },
    /// A node goes, and its seat among the validators with it.
    RemoveNode {
        /// Its key.
        key: String,
    },
    /// A node gets new keys; its seat moves with it.
    RotateNode {
        /// Its key.
        old: String,
        /// Its new key.
        new: String,
        /// Its new voting key.
        new_vote_key: String,
    },
    /// A node becomes a validator.
    AdmitValidator {
        /// Its key.
        node: String,
    },
    /// A validator becomes an observer.
    RemoveValidator {
        /// Its key.
        node: String,
    },
    /// The rules.
    SetParameters(ParametersView),
    /// How many voices a change needs.
    SetThresholds(ThresholdsView),
    /// A node listens at another address.
    MoveNode {
        /// Its key.
        key: String,
        /// Where it listens now, `host:port`.
        address: String,
    },
}

/// A node that is to be admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewNode {
    /// The key it signs transactions with.
    pub key: String,
    /// The key it votes with and is reached under.
    pub vote_key: String,
    /// Its name.
    pub name: String,
    /// Where it listens for its peers, `host:port`; empty if they cannot open connections to it.
    #[serde(default)]
    pub address: String,
}

/// The rules of the ledger that a vote changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParametersView {
    /// Most bytes of transactions in a block.
    pub max_block_bytes: u32,
    /// Agreed bound on the time to finality, in milliseconds.
    pub finality_limit_ms: u32,
    /// Longest time without a block, in seconds.
    pub heartbeat_seconds: u32,
    /// Days that transactions are kept; 0 keeps all.
    pub retention_days: u32,
    /// Bytes of transactions that are kept; 0 keeps all.
    pub retention_bytes: u64,
}

/// How many voices a change needs: more than `numerator / denominator` of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FractionView {
    /// Above the line.
    pub numerator: u16,
    /// Below it.
    pub denominator: u16,
}

/// Voices by kind of change. An organisation's own affairs need only its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ThresholdsView {
    /// Organisations come, go, and their admins.
    pub organisations: FractionView,
    /// Validators come and go.
    pub validators: FractionView,
    /// Nodes of other organisations.
    pub nodes: FractionView,
    /// The rules.
    pub parameters: FractionView,
    /// This table.
    pub thresholds: FractionView,
}

/// Asks for a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProposeChange {
    /// What is to change.
    pub change: Change,
    /// Why, at most 500 bytes.
    #[serde(default)]
    pub reason: String,
    /// Hours it may be voted on, 1 to 720; 72 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_hours: Option<u32>,
    /// Propose it although the preflight says that the ledger would halt.
    #[serde(default)]
    pub force: bool,
}

/// A vote on a proposal; it may be changed until the proposal is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CastVote {
    /// For or against.
    pub approve: bool,
}

/// What a change would do, before anybody votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreflightFinding {
    /// `breaks`, `changes` or `holds`.
    pub severity: String,
    /// A short code.
    pub code: String,
    /// What happens.
    pub what: String,
    /// What to do about it; empty where nothing is to do.
    pub next: String,
    /// Whether the ledger would halt at once; such a change is proposed only with `force`.
    pub halts: bool,
}

/// Asks for an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MakeInvitation {
    /// Hours it is valid, 1 to 720; 72 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_hours: Option<u32>,
    /// For another node of the own organisation, which needs no other's vote.
    #[serde(default)]
    pub same_organisation: bool,
}

/// A new invitation. Its text admits whoever holds it to the door, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationMade {
    /// Its id.
    pub id: String,
    /// Its text, to be sent or saved as a file.
    pub text: String,
    /// The text as a QR code: an SVG image.
    pub qr: String,
    /// When it ends.
    pub expires: u64,
}

/// An invitation that is out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationRow {
    /// Its id.
    pub id: String,
    /// When it ends.
    pub expires: u64,
    /// For another node of the own organisation.
    pub same_organisation: bool,
}
