//! What is proposed, how it is voted on, and what became of it.

use serde::{Deserialize, Serialize};

use super::error::GovernanceError;
use super::thresholds::{Rule, Thresholds};
use crate::ids::{Height, OrganisationId, ProposalNumber};
use crate::key::PublicKey;
use crate::parameters::Parameters;

/// Longest reason in bytes.
pub const MAX_REASON_BYTES: usize = 500;
/// Longest time a proposal may be open, in milliseconds: thirty days.
pub const MAX_OPEN_MILLIS: u64 = 30 * 86_400_000;
/// Shortest time a proposal may be open, in milliseconds.
pub const MIN_OPEN_MILLIS: u64 = 1000;
/// Most proposals open at a time.
pub const MAX_OPEN: usize = 64;
/// Most proposals of one organisation open at a time.
pub const MAX_OPEN_EACH: usize = 8;

/// A node as it is proposed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Node {
    /// The key it signs transactions with.
    pub key: PublicKey,
    /// The key it is known to its peers by, and votes with as a validator; may be the same.
    pub vote_key: PublicKey,
    /// Its name, for people.
    pub name: String,
    /// Where it listens for its peers, `host:port`; empty if they cannot open connections to it.
    pub address: String,
}

impl Node {
    /// A node that has one key for everything.
    #[must_use]
    pub const fn with_one_key(key: PublicKey, name: String) -> Self {
        Self {
            key,
            vote_key: key,
            name,
            address: String::new(),
        }
    }
}

/// An organisation as it is proposed, with its first nodes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewOrganisation {
    /// A random id that no organisation has or had.
    pub id: OrganisationId,
    /// Its name, for people.
    pub name: String,
    /// Its admin keys, in ascending order, each once.
    pub admins: Vec<PublicKey>,
    /// Its first nodes; none of them a validator yet.
    pub nodes: Vec<Node>,
}

/// What a vote is about. Nodes are named by the key they sign transactions with, validators too.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Change {
    /// Another organisation takes part.
    AdmitOrganisation(NewOrganisation),
    /// An organisation loses its voice and its nodes at once, its validators in the queue's turn.
    RemoveOrganisation {
        /// Which.
        id: OrganisationId,
    },
    /// An organisation's admin key is added, removed or replaced.
    RotateAdmin {
        /// Whose.
        organisation: OrganisationId,
        /// The key that goes.
        old: Option<PublicKey>,
        /// The key that comes.
        new: Option<PublicKey>,
    },
    /// Another node takes part, as an observer.
    AdmitNode {
        /// Whose.
        organisation: OrganisationId,
        /// The node.
        node: Node,
    },
    /// A node goes; its seat as a validator too, in the queue's turn.
    RemoveNode {
        /// The node.
        key: PublicKey,
    },
    /// A node changes its keys; the batches it anchors go on counting, its seat moves with it.
    RotateNode {
        /// The node.
        old: PublicKey,
        /// Its key for transactions from now on; may be the old one.
        new: PublicKey,
        /// Its key for votes from now on; may be the old one.
        new_vote_key: PublicKey,
    },
    /// An active node becomes a validator, in the queue's turn.
    AdmitValidator {
        /// The node.
        node: PublicKey,
    },
    /// A validator becomes an observer, in the queue's turn.
    RemoveValidator {
        /// The node.
        node: PublicKey,
    },
    /// Other rules.
    SetParameters(Parameters),
    /// Other thresholds.
    SetThresholds(Thresholds),
    /// A node listens for its peers at another address.
    MoveNode {
        /// The node's key.
        key: PublicKey,
        /// Where it listens now; see [`Node::address`].
        address: String,
    },
}

impl Change {
    /// The kind's name, for tables and screens.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AdmitOrganisation(_) => "admit_organisation",
            Self::RemoveOrganisation { .. } => "remove_organisation",
            Self::RotateAdmin { .. } => "rotate_admin",
            Self::AdmitNode { .. } => "admit_node",
            Self::RemoveNode { .. } => "remove_node",
            Self::RotateNode { .. } => "rotate_node",
            Self::AdmitValidator { .. } => "admit_validator",
            Self::RemoveValidator { .. } => "remove_validator",
            Self::SetParameters(_) => "set_parameters",
            Self::SetThresholds(_) => "set_thresholds",
            Self::MoveNode { .. } => "move_node",
        }
    }

    /// The keys it would put to use.
    #[must_use]
    pub fn new_keys(&self) -> Vec<PublicKey> {
        match self {
            Self::AdmitOrganisation(new) => {
                let nodes = new.nodes.iter();
                let nodes = nodes.flat_map(|node| [node.key, node.vote_key]);
                new.admins.iter().copied().chain(nodes).collect()
            }
            Self::RotateAdmin { new, .. } => new.iter().copied().collect(),
            Self::AdmitNode { node, .. } => vec![node.key, node.vote_key],
            Self::RotateNode {
                new, new_vote_key, ..
            } => vec![*new, *new_vote_key],
            _ => Vec::new(),
        }
    }
}

/// Proposes a change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Propose {
    /// What.
    pub change: Change,
    /// Why, for people: at most [`MAX_REASON_BYTES`] bytes, no control characters; may be empty.
    pub reason: String,
    /// How long votes are taken, counted from the block's time, in milliseconds.
    pub open_for_millis: u64,
}

/// Votes on a proposal, or changes an earlier vote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Vote {
    /// Which proposal.
    pub proposal: ProposalNumber,
    /// How.
    pub choice: Choice,
}

/// The two answers to a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// For it.
    Approve,
    /// Against it.
    Reject,
}

/// One organisation's vote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ballot {
    /// Whose voice.
    pub organisation: OrganisationId,
    /// The admin key that cast it.
    pub admin: PublicKey,
    /// How.
    pub choice: Choice,
}

/// What became of a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// Votes are taken.
    Open,
    /// Enough voices were for it.
    Approved {
        /// The block that decided.
        height: Height,
        /// The first height at which it is in force; none while a part of it waits in the queue.
        in_force: Option<Height>,
    },
    /// So many voices were against it that it could not be approved any more.
    Rejected {
        /// The block that decided.
        height: Height,
    },
    /// Its time ran out first.
    Expired {
        /// The first block after its time.
        height: Height,
    },
    /// Enough voices were for it, but it had become impossible meanwhile.
    Void {
        /// The block that decided.
        height: Height,
        /// What stood against it.
        why: GovernanceError,
    },
}

/// A proposal and its votes, as the state keeps it for good.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proposal {
    /// Its number.
    pub number: ProposalNumber,
    /// The organisation that proposes.
    pub organisation: OrganisationId,
    /// The admin key that proposed.
    pub admin: PublicKey,
    /// What.
    pub change: Change,
    /// Why.
    pub reason: String,
    /// The rule it falls under, as it was when proposed.
    pub rule: Rule,
    /// The block that opened it.
    pub height: Height,
    /// That block's time, in Unix milliseconds.
    pub opened_millis: u64,
    /// From this block time on it takes no votes, in Unix milliseconds.
    pub expires_millis: u64,
    /// One vote an organisation, in the order of their ids.
    pub ballots: Vec<Ballot>,
    /// What became of it.
    pub outcome: Outcome,
}

/// An open proposal on the agenda.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgendaItem {
    /// Its number.
    pub number: ProposalNumber,
    /// Who proposed it.
    pub organisation: OrganisationId,
    /// From this block time on it takes no votes, in Unix milliseconds.
    pub expires_millis: u64,
    /// `tagged("fogward/change/1", change)`, so that nothing is proposed twice at a time.
    pub change: crate::digest::Digest,
}

/// The open proposals, in the order of their numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Agenda {
    /// The next proposal's number.
    pub next: ProposalNumber,
    /// Those that take votes.
    pub open: Vec<AgendaItem>,
}

/// How a proposal stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tally {
    /// Active organisations for it.
    pub approvals: u32,
    /// Active organisations against it.
    pub rejections: u32,
    /// Active organisations.
    pub voices: u32,
    /// Approvals it needs.
    pub needed: u32,
}

impl Tally {
    /// Whether enough are for it.
    #[must_use]
    pub const fn has_passed(&self) -> bool {
        self.approvals >= self.needed
    }

    /// Whether so many are against it that enough cannot be for it any more.
    #[must_use]
    pub const fn is_hopeless(&self) -> bool {
        self.voices.saturating_sub(self.rejections) < self.needed
    }
}
