//! The access log: all that ever happened about people, policies, requests, decisions and receipts, and who read of
//! it, in one chain of digests, out of which nothing can be taken afterwards.
//!
//! ```text
//! entry digest = tagged("fogward/access-log-entry/1", postcard(LogEntry))
//! accumulator  = tagged("fogward/access-log/1", accumulator before ‖ entry digest), from zero on
//! state        : access-log → LogHead { count, accumulator }
//! ```
//!
//! Upon a transaction of these kinds that is executed and not void: what it was about and what the state makes of it
//! is an entry, made by every node alike. The state keeps the head alone. An entry is the preimage of a digest, so the
//! head of one block fixes all entries before it, their number and their order, whoever keeps them.
//!
//! Who reads the log says so first ([`ReadLog`]), signed with her own key: that is an entry, too. What she asked
//! stays off the chain, which has a salted commitment to it and one coarse word.
//!
//! Left out: keeping entries (`ledger-store`), and showing a part of them to a stranger ([`super::trail`]). What is
//! void is not logged: it changed nothing, and stands in its block.

use ledger_policy::{Purpose, Role};
use serde::{Deserialize, Serialize};

use super::person::{person, person_of};
use super::request::{AccessDecision, AccessState, access};
use super::{AccessError, admin};
use crate::canonical::{self, DecodeError};
use crate::digest::Digest;
use crate::genesis::Member;
use crate::ids::{Height, OrganisationId};
use crate::key::PublicKey;
use crate::state::{Clock, ExecutionError, Overlay, StateKey, StateReadError, StateView, read};
use crate::transaction::{Payload, VerifiedTransaction};

/// Longest entry in bytes: sixteen metrics and eight names of policies fit in.
pub const MAX_LOG_ENTRY_BYTES: usize = 2_048;

/// Says that a person reads the log; signed with her key, and final before she is told anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReadLog {
    /// Whose log: her own organisation.
    pub organisation: OrganisationId,
    /// How much of it.
    pub part: LogPart,
    /// A salted commitment to what she asked.
    pub question: Digest,
}

/// How much of the log somebody reads. New variants go to the end: the bytes are on chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LogPart {
    /// What concerns the organisation; for its auditors and admins.
    Organisation,
    /// What concerns one subject; for the organisation's people.
    Subject,
    /// A file for somebody else; for its auditors and admins.
    Bundle,
}

/// What the state keeps of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LogHead {
    /// How many entries there are; the next one has this number.
    pub count: u64,
    /// The accumulator over all of them.
    pub accumulator: Digest,
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its place in the log: 0, 1, 2 … without holes.
    pub number: u64,
    /// The block that executed the transaction.
    pub height: Height,
    /// That block's time in Unix milliseconds.
    pub time_millis: u64,
    /// Id of the transaction, which is a digest over its exact bytes.
    pub transaction: Digest,
    /// What it did.
    pub kind: LogKind,
    /// Whose data, people or log it is about.
    pub organisation: OrganisationId,
    /// The person whose key signed it; none where an organisation's admin key or a node signed.
    pub signer: Option<Digest>,
    /// The person it is about: who asked, is registered, changed, served or given to.
    pub person: Option<Digest>,
    /// The subject it is about; of an erasure, the name under which it is told.
    pub subject: Option<Digest>,
    /// The request it is about, as it stands after the transaction.
    pub request: Option<LoggedRequest>,
}

/// What a transaction of the log did. New variants go to the end: entries are digested on chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LogKind {
    /// Registered a person.
    Registered,
    /// Changed a person.
    Changed,
    /// Put a policy in force, or out of it.
    Policy,
    /// Asked for access.
    Asked,
    /// Granted, refused or ended it.
    Decided,
    /// Said whether there was reason to break the glass.
    Reviewed,
    /// Told that something was served.
    Served,
    /// Told that somebody reads the log.
    Read,
    /// Told that keys were destroyed.
    Erased,
    /// Granted access that nobody had asked for.
    Granted,
}

/// What a transaction left a request as.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LoggedRequest {
    /// Its handle.
    pub handle: Digest,
    /// What for.
    pub purpose: Purpose,
    /// Whether the glass is broken.
    pub is_emergency: bool,
    /// Where it stands.
    pub state: AccessState,
    /// The metrics that are permitted.
    pub metrics: Vec<String>,
    /// The policies that decided, by name.
    pub by: Vec<String>,
    /// When it ends by itself, in Unix milliseconds of block time.
    pub until_millis: u64,
}

/// An entry and what it was added to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logged {
    /// The accumulator before it.
    pub before: Digest,
    /// The entry.
    pub entry: LogEntry,
}

impl LogHead {
    /// The head after one more entry with this digest; none where counting ends.
    #[must_use]
    pub fn after(self, entry: &Digest) -> Option<Self> {
        Some(Self {
            count: self.count.checked_add(1)?,
            accumulator: Digest::tagged("fogward/access-log/1", &[&self.accumulator.0, &entry.0]),
        })
    }
}

impl LogEntry {
    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::tagged("fogward/access-log-entry/1", &[&self.encode()])
    }

    /// Its canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::encode(self)
    }

    /// Reads an entry's canonical bytes; nothing is verified yet.
    ///
    /// # Errors
    /// [`DecodeError`] if they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        canonical::decode(bytes, MAX_LOG_ENTRY_BYTES)
    }
}

/// How many entries there are, and what they lead to.
///
/// # Errors
/// [`StateReadError`].
pub fn log_head<V: StateView + ?Sized>(view: &V) -> Result<LogHead, StateReadError> {
    Ok(read(view, &StateKey::access_log())?.unwrap_or_default())
}

/// Looks whether a person may read what she says that she reads; changes nothing, for the entry is made of it as of
/// every other transaction.
pub(super) fn may_read<V: StateView + ?Sized>(
    view: &V,
    sender: &PublicKey,
    asked: &ReadLog,
) -> Result<(), ExecutionError> {
    let reader = person_of(view, sender)?.ok_or(AccessError::NotAPerson)?;
    let audits = [Role::Auditor, Role::Admin];
    let has_role = audits
        .iter()
        .any(|role| reader.registered.roles.contains(role));
    let may = has_role || asked.part == LogPart::Subject;
    match may && reader.organisation == asked.organisation {
        true => Ok(()),
        false => Err(AccessError::MayNotRead.into()),
    }
}

/// Adds the entry of a transaction that was just executed; transactions of other kinds have none.
pub(crate) fn enter<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    transaction: &VerifiedTransaction,
) -> Result<Option<Logged>, ExecutionError> {
    let sender = transaction.sender();
    let Some(about) = about(state, &sender, &transaction.body().payload)? else {
        return Ok(None);
    };
    let head = log_head(state)?;
    let entry = LogEntry {
        number: head.count,
        height: clock.height,
        time_millis: clock.time_millis,
        transaction: transaction.id(),
        kind: about.kind,
        organisation: about.organisation,
        // A person who has just changed her key is known by the old one, too.
        signer: read(state, &StateKey::person_key(&sender))?,
        person: about.person,
        subject: about.subject,
        request: about.request,
    };
    let next = head
        .after(&entry.digest())
        .ok_or(ExecutionError::Overflow)?;
    state.write(StateKey::access_log(), &next);
    let before = head.accumulator;
    Ok(Some(Logged { before, entry }))
}

/// What a transaction is about.
struct About {
    kind: LogKind,
    organisation: OrganisationId,
    person: Option<Digest>,
    subject: Option<Digest>,
    request: Option<LoggedRequest>,
}

impl About {
    const fn person(kind: LogKind, organisation: OrganisationId, person: Digest) -> Self {
        Self {
            kind,
            organisation,
            person: Some(person),
            subject: None,
            request: None,
        }
    }
}

/// What a transaction that was executed is about, by the state after it; none where it is of another kind.
fn about<V: StateView + ?Sized>(
    state: &Overlay<'_, V>,
    sender: &PublicKey,
    payload: &Payload,
) -> Result<Option<About>, ExecutionError> {
    let about = match payload {
        Payload::RegisterPerson(asked) => {
            About::person(LogKind::Registered, admin(state, sender)?, asked.handle)
        }
        Payload::ChangePerson(asked) => {
            let changed = person(state, &asked.handle)?.ok_or(AccessError::NoPerson)?;
            About::person(LogKind::Changed, changed.organisation, asked.handle)
        }
        Payload::PutPolicy(put) => About {
            kind: LogKind::Policy,
            organisation: put.scope.holder,
            person: None,
            subject: put.scope.subject,
            request: None,
        },
        Payload::AskAccess(asked) => about_request(state, LogKind::Asked, &asked.handle)?,
        Payload::DecideAccess(decided) => {
            let kind = match decided.decision {
                AccessDecision::Review { .. } => LogKind::Reviewed,
                AccessDecision::Allow | AccessDecision::End => LogKind::Decided,
            };
            about_request(state, kind, &decided.access)?
        }
        Payload::GrantAccess(given) => about_request(state, LogKind::Granted, &given.asked.handle)?,
        Payload::Receipt(receipt) => about_request(state, LogKind::Served, &receipt.access)?,
        Payload::ReadLog(asked) => {
            let reader = person_of(state, sender)?.ok_or(AccessError::NotAPerson)?;
            About::person(LogKind::Read, asked.organisation, reader.registered.handle)
        }
        Payload::Tombstone(tombstone) => {
            let node: Option<Member> = read(state, &StateKey::member(sender))?;
            About {
                kind: LogKind::Erased,
                organisation: node.ok_or(AccessError::NotServing)?.organisation,
                person: None,
                subject: Some(tombstone.handle),
                request: None,
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(about))
}

fn about_request<V: StateView + ?Sized>(
    state: &Overlay<'_, V>,
    kind: LogKind,
    handle: &Digest,
) -> Result<About, ExecutionError> {
    let found = access(state, handle)?.ok_or(AccessError::NoAccess)?;
    Ok(About {
        kind,
        organisation: found.asked.holder,
        person: Some(found.person),
        subject: Some(found.asked.subject),
        request: Some(LoggedRequest {
            handle: *handle,
            purpose: found.asked.purpose,
            is_emergency: found.asked.emergency.is_some(),
            state: found.state,
            metrics: found.metrics,
            by: found.by,
            until_millis: found.until_millis,
        }),
    })
}
