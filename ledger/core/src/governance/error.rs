//! Why a proposal, a vote or a genesis is not accepted.
//!
//! The state keeps the reason of a void proposal, so variants are only ever added at the end.

use serde::{Deserialize, Serialize};

use super::organisation::{
    MAX_ADDRESS_BYTES, MAX_ADMINS, MAX_NAME_CHARS, MAX_NODES, MAX_ORGANISATIONS,
};
use super::proposal::{MAX_OPEN, MAX_OPEN_EACH, MAX_REASON_BYTES};
use super::queue::MAX_QUEUE;
use crate::validators::MAX_VALIDATORS;

/// Why a proposal, a vote or a genesis is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
pub enum GovernanceError {
    /// Not a voice.
    #[error("the key is not an admin key of an active organisation")]
    NotAdmin,
    /// The text of a proposal.
    #[error("a reason has at most {MAX_REASON_BYTES} bytes and no control characters")]
    Reason,
    /// The time of a proposal.
    #[error("a proposal is open for at least a second and at most thirty days")]
    Duration,
    /// The agenda is full.
    #[error(
        "at most {MAX_OPEN} proposals are open at a time, {MAX_OPEN_EACH} of them one organisation's"
    )]
    TooManyOpen,
    /// On the agenda already.
    #[error("an open proposal asks for just this; vote on that one")]
    AlreadyProposed,
    /// No such number.
    #[error("there is no proposal of this number")]
    UnknownProposal,
    /// Too late.
    #[error("the proposal takes no votes any more")]
    Decided,
    /// Nothing new.
    #[error("the organisation has cast this very vote already")]
    SameVote,
    /// No such organisation.
    #[error("no active organisation has this id")]
    UnknownOrganisation,
    /// An id that is taken.
    #[error("an organisation of the consortium has or had this id")]
    OrganisationExists,
    /// Too many.
    #[error("a consortium has at most {MAX_ORGANISATIONS} organisations, and none without end")]
    TooManyOrganisations,
    /// Nobody would be left.
    #[error("the last organisation cannot be removed")]
    LastOrganisation,
    /// Not fit for a screen.
    #[error("a name has 1 to {MAX_NAME_CHARS} characters and no control characters")]
    Name,
    /// A bad list of keys.
    #[error("an organisation has 1 to {MAX_ADMINS} admin keys, in ascending order, each once")]
    Admins,
    /// No such admin.
    #[error("the key that should go is not an admin key of the organisation")]
    UnknownAdmin,
    /// Everything is so already.
    #[error("the change would change nothing")]
    NoChange,
    /// Too many.
    #[error("an organisation has at most {MAX_NODES} nodes")]
    TooManyNodes,
    /// No such node.
    #[error("no active node of the consortium has this key")]
    UnknownNode,
    /// Not the owner's only place for it.
    #[error("a key is in use in the consortium already, or an open proposal would put it to use")]
    KeyInUse,
    /// Not a key.
    #[error("a key is not a valid Ed25519 public key")]
    BadKey,
    /// It is one.
    #[error("the node is a validator already, or will be")]
    ValidatorExists,
    /// It is none.
    #[error("the node is not a validator, or will not be one any more")]
    UnknownValidator,
    /// Nobody would be left.
    #[error("the last validator cannot be removed")]
    LastValidator,
    /// Too many.
    #[error("a consortium has at most {MAX_VALIDATORS} validators")]
    TooManyValidators,
    /// Too much at once.
    #[error("at most {MAX_QUEUE} changes of validators may wait at a time")]
    QueueFull,
    /// Out of bounds.
    #[error("a rule is out of its bounds")]
    Parameters,
    /// Out of bounds.
    #[error("a threshold is a fraction from one half up to, not including, one")]
    Thresholds,
    /// Founding validators.
    #[error("validators have one unit of power each")]
    Power,
    /// Founding members.
    #[error("what founds a consortium is active")]
    Standing,
    /// Nowhere.
    #[error("an address is a host and a port, in at most {MAX_ADDRESS_BYTES} characters")]
    Address,
    /// Another language.
    #[error("the genesis wants policies decided by another engine than this program has")]
    PolicyEngine,
}
