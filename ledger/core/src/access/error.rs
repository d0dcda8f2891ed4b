//! Why a transaction about people, policies or access is void.

use super::person::MAX_ROLES;
use super::policies::{MAX_CONSENTS, MAX_POLICIES, MAX_POLICY_NAME_BYTES};
use super::request::MAX_METRICS;

/// Why the ledger does not take a change of people, policies or access.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AccessError {
    /// Not an admin's key.
    #[error("only an organisation's admin key does this")]
    NotAdmin,
    /// A handle that is taken.
    #[error("the handle is taken; draw another")]
    Taken,
    /// No such person, or one of another organisation.
    #[error("the organisation has no such person")]
    NoPerson,
    /// Not a person who takes part.
    #[error("the key is not of a person who takes part")]
    NotAPerson,
    /// Revoked.
    #[error("the person was revoked")]
    Revoked,
    /// Bad keys.
    #[error("the signing key or the sealing key is none that could be used")]
    BadKey,
    /// Keys in use.
    #[error("the key is in use already")]
    KeyTaken,
    /// Too few or too many.
    #[error("a person has 1 to {MAX_ROLES} roles")]
    Roles,
    /// Nothing would change.
    #[error("it is so already")]
    NothingNew,
    /// A bad name.
    #[error(
        "a policy's name has 1 to {MAX_POLICY_NAME_BYTES} of the characters a to z, 0 to 9 and -"
    )]
    PolicyName,
    /// A text with faults.
    #[error("the policy has faults; check it to see them")]
    PolicyText,
    /// Too many.
    #[error(
        "an organisation has at most {MAX_POLICIES} policies, and {MAX_CONSENTS} about one subject"
    )]
    TooManyPolicies,
    /// Of another organisation.
    #[error("an organisation decides about the data that it holds")]
    NotYours,
    /// No such organisation.
    #[error("no active organisation of the consortium holds these data")]
    NoHolder,
    /// Bad metrics.
    #[error("a request is about 1 to {MAX_METRICS} metrics, in ascending order, each once")]
    Metrics,
    /// A bad period.
    #[error("the period ends before it begins")]
    Period,
    /// A bad duration.
    #[error("access is asked for at least a minute and at most a year")]
    Duration,
    /// A bad attestation.
    #[error("the relation is not attested by a node of the organisation that holds the data")]
    Attestation,
    /// No such request.
    #[error("there is no such request")]
    NoAccess,
    /// Decided already.
    #[error("the request does not wait for this decision")]
    NotOpen,
    /// Not her decision.
    #[error("this person may not decide about this request")]
    MayNotDecide,
    /// Nothing of it can be given.
    #[error("no policy permits any of it, so that nobody can grant it")]
    NotPermitted,
    /// Served without a grant.
    #[error("nothing was granted that could have been served")]
    NotGranted,
    /// Not her organisation's log, or not for her role.
    #[error(
        "the access log is read by its organisation's auditors and admins; what concerns one subject, by its people"
    )]
    MayNotRead,
    /// Not a node of the holder.
    #[error("only a node of the organisation that holds the data gives receipts")]
    NotServing,
    /// Not a node that takes part.
    #[error("only a node that takes part says that it has destroyed keys")]
    NotANode,
}
