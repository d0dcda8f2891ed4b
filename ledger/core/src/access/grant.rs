//! Grants that nobody asked for: a person of the holder's gives somebody a part of a subject's data.
//!
//! Upon a grant: the policies are asked as if the receiver had asked for the part when its turn in a block comes. What
//! they permit, with a person's agreement or without, is granted, and the giver is who agreed. What no policy permits
//! she cannot give: a grant is a decision within the policies, not beside them. From then on it is a request like any
//! other: read, ended, given back, and held only while the policies would decide so again.
//!
//! Left out: breaking the glass for somebody else. Who does it says so herself.

use ledger_policy::Role;
use serde::{Deserialize, Serialize};

use super::AccessError;
use super::person::{person, person_of, takes_part};
use super::request::{
    Access, AccessState, AskAccess, access, permitted, refuse_malformed, refuse_unattested,
};
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::state::{Clock, ExecutionError, Overlay, StateKey, StateView};

/// Gives somebody a part of a subject's data; signed with the key of a person of the holder's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GrantAccess {
    /// What is given, as it would have been asked for; no emergency.
    pub asked: AskAccess,
    /// To whom: a person's handle, of any organisation.
    pub person: Digest,
}

pub(super) fn grant<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    given: &GrantAccess,
) -> Result<(), ExecutionError> {
    let asked = &given.asked;
    let giver = person_of(state, &sender)?.ok_or(AccessError::NotAPerson)?;
    let by = giver.registered.handle;
    let roles = &giver.registered.roles;
    let decides = roles.contains(&Role::Physician) || roles.contains(&Role::Admin);
    let may = decides && giver.organisation == asked.holder && by != given.person;
    if !may || asked.emergency.is_some() {
        return Err(AccessError::MayNotDecide.into());
    }
    refuse_malformed(asked)?;
    let receiver = person(state, &given.person)?.ok_or(AccessError::NoPerson)?;
    if !takes_part(state, &receiver)? {
        return Err(AccessError::Revoked.into());
    }
    if access(state, &asked.handle)?.is_some() {
        return Err(AccessError::Taken.into());
    }
    refuse_unattested(state, asked, &given.person)?;
    let part = permitted(state, asked, &receiver, clock.time_millis)?;
    if part.metrics.is_empty() {
        return Err(AccessError::NotPermitted.into());
    }
    let until = clock.time_millis.checked_add(asked.for_millis);
    let new = Access {
        asked: asked.clone(),
        person: given.person,
        state: AccessState::Granted,
        metrics: part.metrics,
        by: part.by,
        until_millis: until.ok_or(AccessError::Duration)?,
        decided_by: Some(by),
        review: None,
        changed: clock.height,
    };
    state.write(StateKey::access(&asked.handle), &new);
    Ok(())
}
