//! Requests: asked for, decided by the policies or by a person, and what holds of them at a time.

use std::collections::BTreeSet;

use ledger_policy::{Decision, Purpose, Question, Relation, Resolution, Role, decide as decided};
use serde::{Deserialize, Serialize};

use super::person::{Person, person, person_of, takes_part};
use super::policies::{contract, is_node_of};
use super::{AccessError, Scope};
use crate::canonical;
use crate::digest::Digest;
use crate::governance::{self, Standing};
use crate::ids::{Height, OrganisationId};
use crate::key::{PublicKey, SecretKey, Signature};
use crate::state::{Clock, ExecutionError, Overlay, StateKey, StateReadError, StateView, read};

/// Most metrics of a request.
pub const MAX_METRICS: usize = 16;
/// Longest LOINC code in bytes.
const MAX_METRIC_BYTES: usize = 16;
/// Shortest time that access is asked for: a minute, in milliseconds.
pub const MIN_GRANT_MILLIS: u64 = 60_000;
/// Longest time that access is asked for: a year, in milliseconds.
pub const MAX_GRANT_MILLIS: u64 = 366 * 24 * 3_600_000;
/// So many of the policies that decided are named.
const MAX_NAMED: usize = 8;
/// What a node signs to attest a relation.
const ATTESTATION_TAG: &[u8] = b"fogward/relation/1";

/// What a person is to a subject, said by a node of the organisation that holds the subject's data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attestation {
    /// What she is.
    pub relations: BTreeSet<Relation>,
    /// Until when it may be relied on, in Unix milliseconds.
    pub until_millis: u64,
    /// Who says so.
    pub node: PublicKey,
    /// Its signature over all that, the person and the subject.
    pub signature: Signature,
}

impl Attestation {
    /// Attests what the person with this handle is to a subject.
    #[must_use]
    pub fn sign(
        node: &SecretKey,
        person: &Digest,
        subject: &Digest,
        relations: BTreeSet<Relation>,
        until_millis: u64,
    ) -> Self {
        let signed = Self::signed(person, subject, &relations, until_millis);
        Self {
            signature: node.sign(&signed),
            node: node.public(),
            relations,
            until_millis,
        }
    }

    fn signed(
        person: &Digest,
        subject: &Digest,
        relations: &BTreeSet<Relation>,
        until_millis: u64,
    ) -> Vec<u8> {
        let body = canonical::encode(&(person, subject, relations, until_millis));
        [ATTESTATION_TAG, &body].concat()
    }

    fn holds(&self, person: &Digest, subject: &Digest) -> bool {
        let signed = Self::signed(person, subject, &self.relations, self.until_millis);
        self.node.verify(&signed, &self.signature).is_ok()
    }
}

/// Asks for a part of a subject's data; signed with the person's key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AskAccess {
    /// A random name for the request.
    pub handle: Digest,
    /// Who holds the data.
    pub holder: OrganisationId,
    /// Whose data they are.
    pub subject: Digest,
    /// Which metrics: LOINC codes in ascending order, each once.
    pub metrics: Vec<String>,
    /// The period's begin in Unix milliseconds.
    pub from_millis: u64,
    /// The period's end in Unix milliseconds, itself not in it.
    pub until_millis: u64,
    /// How finely.
    pub resolution: Resolution,
    /// What for.
    pub purpose: Purpose,
    /// For how long, in milliseconds from the block on that grants it.
    pub for_millis: u64,
    /// What the asker is to the subject, if she is anything.
    pub attestation: Option<Attestation>,
    /// That the glass is broken: a salted commitment to the reason.
    pub emergency: Option<Digest>,
}

/// Where a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AccessState {
    /// For a person of the holder's to decide.
    Waiting,
    /// The person may read, until the time is over.
    Granted,
    /// The policies permit nothing of it.
    Denied,
    /// A person of the holder's said no.
    Refused,
    /// The holder or the asker ended it before its time.
    Ended,
}

/// What somebody said of a request afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Review {
    /// Who: a person of the holder's.
    pub by: Digest,
    /// Whether there was reason to break the glass.
    pub is_justified: bool,
}

/// What the ledger keeps of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Access {
    /// What was asked.
    pub asked: AskAccess,
    /// Who asked.
    pub person: Digest,
    /// Where it stands.
    pub state: AccessState,
    /// The metrics that are permitted: some, all or none of those asked for.
    pub metrics: Vec<String>,
    /// The policies that decided, by name; at most eight.
    pub by: Vec<String>,
    /// When it ends by itself, in Unix milliseconds of block time; of a waiting one, when it is not waited for any
    /// more.
    pub until_millis: u64,
    /// The person who decided, if one did.
    pub decided_by: Option<Digest>,
    /// What was said of a broken glass.
    pub review: Option<Review>,
    /// The block that changed it last.
    pub changed: Height,
}

/// Decides about a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DecideAccess {
    /// Which, by its handle.
    pub access: Digest,
    /// What.
    pub decision: AccessDecision,
}

/// What can be decided. New variants go to the end: the bytes are on chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AccessDecision {
    /// Grants what waits. By a person of the holder's who is not the asker.
    Allow,
    /// Refuses what waits, or ends what is granted. By the holder's people, admins and nodes; the asker may give
    /// back what is hers.
    End,
    /// Whether there was reason to break the glass. By a person of the holder's who is not the asker.
    Review {
        /// Whether there was.
        is_justified: bool,
    },
}

/// A request, open or not.
///
/// # Errors
/// [`StateReadError`].
pub fn access<V: StateView + ?Sized>(
    view: &V,
    handle: &Digest,
) -> Result<Option<Access>, StateReadError> {
    read(view, &StateKey::access(handle))
}

/// The metrics that may be read at `time_millis` under a request: granted, not over, and the policies of now would
/// not decide otherwise for the person as she is now.
///
/// # Errors
/// [`StateReadError`].
pub fn readable<V: StateView + ?Sized>(
    view: &V,
    handle: &Digest,
    time_millis: u64,
) -> Result<Vec<String>, StateReadError> {
    let Some(found) = access(view, handle)? else {
        return Ok(Vec::new());
    };
    if found.state != AccessState::Granted || time_millis >= found.until_millis {
        return Ok(Vec::new());
    }
    let Some(person) = person(view, &found.person)? else {
        return Ok(Vec::new());
    };
    if !takes_part(view, &person)? {
        return Ok(Vec::new());
    }
    let part = permitted(view, &found.asked, &person, time_millis)?;
    let granted = found.metrics.into_iter();
    Ok(granted
        .filter(|metric| part.metrics.contains(metric))
        .collect())
}

/// What the policies permit of a request.
pub(super) struct Part {
    pub(super) metrics: Vec<String>,
    pub(super) by: Vec<String>,
    pub(super) needs_approval: bool,
}

/// Asks the policies, metric by metric.
pub(super) fn permitted<V: StateView + ?Sized>(
    view: &V,
    asked: &AskAccess,
    person: &Person,
    time_millis: u64,
) -> Result<Part, StateReadError> {
    let about = Scope {
        holder: asked.holder,
        subject: Some(asked.subject),
    };
    let rules = contract(view, &Scope::all_of(asked.holder))?;
    let consent = contract(view, &about)?;
    let attested = asked.attestation.as_ref();
    let attested = attested.filter(|attested| time_millis < attested.until_millis);
    let none = BTreeSet::new();
    let [holder, organisation] = [asked.holder, person.organisation].map(|id| id.to_string());
    let [asker, subject] = [person.registered.handle, asked.subject].map(|id| id.to_string());
    let mut part = Part {
        metrics: Vec::new(),
        by: Vec::new(),
        needs_approval: false,
    };
    let (mut permits, mut others) = (BTreeSet::new(), BTreeSet::new());
    for metric in &asked.metrics {
        let question = Question {
            person: &asker,
            organisation: &organisation,
            roles: &person.registered.roles,
            subject: &subject,
            holder: &holder,
            metric,
            purpose: asked.purpose,
            relations: attested.map_or(&none, |attested| &attested.relations),
            resolution: asked.resolution,
            emergency: asked.emergency.is_some(),
            now_millis: time_millis,
            from_millis: asked.from_millis,
            until_millis: asked.until_millis,
        };
        match decided(&[&rules, &consent], &question) {
            Decision::Permitted { by, needs_approval } => {
                part.metrics.push(metric.clone());
                part.needs_approval |= needs_approval;
                permits.extend(by);
            }
            Decision::Forbidden { by } | Decision::Failed { by } => others.extend(by),
            Decision::NotPermitted => {}
        }
    }
    // Who is granted something is told by what; who is denied everything, by what that was.
    let named = if part.metrics.is_empty() {
        others
    } else {
        permits
    };
    part.by = named.into_iter().take(MAX_NAMED).collect();
    Ok(part)
}

pub(super) fn ask<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    asked: &AskAccess,
) -> Result<(), ExecutionError> {
    let person = person_of(state, &sender)?.ok_or(AccessError::NotAPerson)?;
    refuse_malformed(asked)?;
    let holder = governance::organisation(state, &asked.holder)?;
    holder
        .filter(|holder| holder.standing == Standing::Active)
        .ok_or(AccessError::NoHolder)?;
    if access(state, &asked.handle)?.is_some() {
        return Err(AccessError::Taken.into());
    }
    refuse_unattested(state, asked, &person.registered.handle)?;
    let part = permitted(state, asked, &person, clock.time_millis)?;
    let until = clock.time_millis.checked_add(asked.for_millis);
    let new = Access {
        asked: asked.clone(),
        person: person.registered.handle,
        state: match (part.metrics.is_empty(), part.needs_approval) {
            (true, _) => AccessState::Denied,
            (false, true) => AccessState::Waiting,
            (false, false) => AccessState::Granted,
        },
        metrics: part.metrics,
        by: part.by,
        until_millis: until.ok_or(AccessError::Duration)?,
        decided_by: None,
        review: None,
        changed: clock.height,
    };
    state.write(StateKey::access(&asked.handle), &new);
    Ok(())
}

/// Refuses a relation of a person that no node of the holder's attests.
pub(super) fn refuse_unattested<V: StateView + ?Sized>(
    view: &V,
    asked: &AskAccess,
    person: &Digest,
) -> Result<(), ExecutionError> {
    let Some(attested) = &asked.attestation else {
        return Ok(());
    };
    let is_known = is_node_of(view, &attested.node, &asked.holder)?;
    match is_known && attested.holds(person, &asked.subject) {
        true => Ok(()),
        false => Err(AccessError::Attestation.into()),
    }
}

pub(super) fn refuse_malformed(asked: &AskAccess) -> Result<(), AccessError> {
    let is_code = |metric: &String| {
        (1..=MAX_METRIC_BYTES).contains(&metric.len())
            && metric.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let are_fit = (1..=MAX_METRICS).contains(&asked.metrics.len())
        && asked.metrics.iter().all(is_code)
        && asked.metrics.is_sorted_by(|one, next| one < next);
    if !are_fit {
        return Err(AccessError::Metrics);
    }
    if asked.from_millis >= asked.until_millis {
        return Err(AccessError::Period);
    }
    if !(MIN_GRANT_MILLIS..=MAX_GRANT_MILLIS).contains(&asked.for_millis) {
        return Err(AccessError::Duration);
    }
    Ok(())
}

/// Who decides.
enum Decider {
    /// A person of the holder's who is not the asker.
    Person(Digest),
    /// An admin's key or a node of the holder's.
    Holder,
    /// Whoever asked.
    Asker,
}

fn decider<V: StateView + ?Sized>(
    state: &Overlay<'_, V>,
    sender: &PublicKey,
    found: &Access,
) -> Result<Decider, ExecutionError> {
    let holder = found.asked.holder;
    let is_of_holder =
        is_node_of(state, sender, &holder)? || governance::admin_of(state, sender)? == Some(holder);
    if is_of_holder {
        return Ok(Decider::Holder);
    }
    let person = person_of(state, sender)?.ok_or(AccessError::NotAPerson)?;
    if person.registered.handle == found.person {
        return Ok(Decider::Asker);
    }
    let roles = &person.registered.roles;
    let may = roles.contains(&Role::Physician) || roles.contains(&Role::Admin);
    match person.organisation == holder && may {
        true => Ok(Decider::Person(person.registered.handle)),
        false => Err(AccessError::MayNotDecide.into()),
    }
}

pub(super) fn decide<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    asked: DecideAccess,
) -> Result<(), ExecutionError> {
    let mut found = access(state, &asked.access)?.ok_or(AccessError::NoAccess)?;
    let is_open = clock.time_millis < found.until_millis;
    let decider = decider(state, &sender, &found)?;
    found.state = match (asked.decision, found.state, &decider) {
        (AccessDecision::Allow, AccessState::Waiting, Decider::Person(_)) if is_open => {
            let until = clock.time_millis.checked_add(found.asked.for_millis);
            found.until_millis = until.ok_or(AccessError::Duration)?;
            AccessState::Granted
        }
        (AccessDecision::End, AccessState::Waiting, Decider::Asker) if is_open => {
            AccessState::Ended
        }
        (AccessDecision::End, AccessState::Waiting, _) if is_open => AccessState::Refused,
        (AccessDecision::End, AccessState::Granted, _) if is_open => AccessState::Ended,
        (AccessDecision::Review { is_justified }, state, Decider::Person(by)) => {
            let was_broken = found.asked.emergency.is_some() && state != AccessState::Denied;
            if !was_broken || found.review.is_some() {
                return Err(AccessError::NotOpen.into());
            }
            let by = *by;
            found.review = Some(Review { by, is_justified });
            state
        }
        (
            AccessDecision::Allow | AccessDecision::Review { .. },
            _,
            Decider::Holder | Decider::Asker,
        ) => {
            return Err(AccessError::MayNotDecide.into());
        }
        _ => return Err(AccessError::NotOpen.into()),
    };
    if let Decider::Person(by) = decider
        && !matches!(asked.decision, AccessDecision::Review { .. })
    {
        found.decided_by = Some(by);
    }
    found.changed = clock.height;
    state.write(StateKey::access(&asked.access), &found);
    Ok(())
}
