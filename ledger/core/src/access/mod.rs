//! Who may see which part of whose data: people, policies, requests, grants and receipts on the ledger.
//!
//! ```text
//!                 ┌─ needs approval ─▶ waiting ─ refused ─▶ refused
//! ask ─▶ policies ┼─ permitted ──────▶ granted ◀─ allowed ─┘
//!                 └─ else ───────────▶ denied  ▲     │
//! grant ─▶ policies ─ permitted ───────────────┘     └─ ended, or the time is over
//! ```
//!
//! A *person* is a random handle with keys and roles, registered by an organisation. A *policy* is a text in Cedar
//! (`ledger-policy`) about the data that its organisation holds; one about a single subject is that subject's
//! consent. A *subject* is a handle too, which changes with the purpose and the time, so that requests about one
//! patient cannot be linked. A *request* is decided when its turn in a block comes, by every node alike, metric by
//! metric: what no policy permits is cut off. A *grant* is given by a person of the holder's, asked for or not. A *receipt* says that what was granted was served, a *tombstone* that keys
//! were destroyed.
//!
//! A grant holds only as long as the policies would decide so again ([`readable`]): who loses a role, or whose
//! consent is withdrawn, loses what was granted, from the next block on.
//!
//! | Key | Value | Changed by |
//! |---|---|---|
//! | `person/HANDLE` | [`Person`] | register and change person |
//! | `person-key/KEY` | the person's handle | register and change person |
//! | `policies/SCOPE` | the names of its policies | put policy |
//! | `policy/SCOPE/NAME` | [`Policy`] | put policy |
//! | `policy-revision/SCOPE` | digest of all that was put | put policy |
//! | `access/HANDLE` | [`Access`] | ask, decide and grant access |
//! | `receipts/HANDLE` | [`Receipts`] | receipt |
//! | `tombstone/ORGANISATION/NUMBER` | [`KeptTombstone`] | tombstone |
//! | `tombstones/ORGANISATION` | how many there are, `u64` | tombstone |
//! | `access-changes` | how many there were, `u64` | all of them |
//! | `access-log` | [`LogHead`] | all of them, and read log |
//!
//! A scope is an organisation's id, or that and a subject's handle. What makes no sense any more when its turn
//! comes is void: it stands in its block and changes nothing but its sender's nonce. [`check`] tells beforehand why.
//!
//! Each of them that is not void enters the access log ([`LogEntry`]), of which the state keeps the head, and which can
//! be shown to be complete ([`Trail`]); so does reading it.
//!
//! Left out: names, measurements, whose a handle is, and serving what was granted.

mod error;
mod grant;
mod log;
mod person;
mod policies;
mod receipt;
mod request;
mod subject;
mod tombstone;
mod trail;

use crate::governance;
use crate::ids::OrganisationId;
use crate::key::PublicKey;
use crate::state::{Clock, ExecutionError, Overlay, StateKey, StateReadError, StateView, read};
use crate::transaction::Payload;

pub use self::error::AccessError;
pub use self::grant::GrantAccess;
pub(crate) use self::log::enter;
pub use self::log::{
    LogEntry, LogHead, LogKind, LogPart, Logged, LoggedRequest, MAX_LOG_ENTRY_BYTES, ReadLog,
    log_head,
};
pub(crate) use self::person::is_taken;
pub use self::person::{
    ChangePerson, MAX_ROLES, Person, PersonChange, PersonKeys, RegisterPerson, person, person_of,
};
pub use self::policies::{
    MAX_CONSENTS, MAX_POLICIES, MAX_POLICY_NAME_BYTES, Policy, PutPolicy, Scope, is_policy_name,
    policies, policy, was_retracted,
};
pub use self::receipt::{Receipt, Receipts, receipts};
pub use self::request::{
    Access, AccessDecision, AccessState, AskAccess, Attestation, DecideAccess, MAX_GRANT_MILLIS,
    MAX_METRICS, MIN_GRANT_MILLIS, Review, access, readable,
};
pub use self::subject::{Period, subject_handle};
pub use self::tombstone::{KeptTombstone, Tombstone, erasure_handle, tombstone, tombstones};
pub use self::trail::{MAX_TRAIL_END_BYTES, Trail, TrailEnd, TrailError, TrailVerdict};
pub use ledger_policy::{ENGINE as POLICY_ENGINE, Purpose, Relation, Resolution, Role};

/// How many changes of people, policies and requests there were: while it stays, so does all that is told here,
/// save what time alone changes.
///
/// # Errors
/// [`StateReadError`].
pub fn changes<V: StateView + ?Sized>(view: &V) -> Result<u64, StateReadError> {
    Ok(read(view, &StateKey::access_changes())?.unwrap_or(0))
}

/// Why a transaction of these kinds would be void if it were executed at `clock`; for whoever is about to sign
/// one.
///
/// # Errors
/// [`ExecutionError::Access`] or [`ExecutionError::State`].
pub fn check<V: StateView + ?Sized>(
    view: &V,
    clock: Clock,
    sender: PublicKey,
    payload: &Payload,
) -> Result<(), ExecutionError> {
    apply(&mut Overlay::new(view), clock, sender, payload)
}

/// Executes a transaction of these kinds; others do nothing.
pub(crate) fn apply<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    payload: &Payload,
) -> Result<(), ExecutionError> {
    match payload {
        Payload::RegisterPerson(asked) => person::register(state, clock, sender, asked)?,
        Payload::ChangePerson(asked) => person::change(state, clock, sender, asked)?,
        Payload::PutPolicy(asked) => policies::put(state, clock, sender, asked)?,
        Payload::AskAccess(asked) => request::ask(state, clock, sender, asked)?,
        Payload::DecideAccess(decided) => request::decide(state, clock, sender, *decided)?,
        Payload::GrantAccess(given) => grant::grant(state, clock, sender, given)?,
        Payload::Receipt(receipt) => receipt::keep(state, sender, *receipt)?,
        // That somebody reads of it changes nothing of all this.
        Payload::ReadLog(asked) => return log::may_read(state, &sender, asked),
        Payload::Tombstone(tombstone) => tombstone::keep(state, clock, sender, *tombstone)?,
        _ => return Ok(()),
    }
    state.count_up(StateKey::access_changes())
}

/// The organisation that `sender` acts for as one of its admins.
fn admin<V: StateView + ?Sized>(
    view: &V,
    sender: &PublicKey,
) -> Result<OrganisationId, ExecutionError> {
    Ok(governance::admin_of(view, sender)?.ok_or(AccessError::NotAdmin)?)
}
