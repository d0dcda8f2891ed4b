//! Whose keys are whose: a key has one owner, and each use of it one place in the consortium.

use super::error::GovernanceError;
use super::organisation::KeyUse;
use crate::access;
use crate::ids::{OrganisationId, ProposalNumber};
use crate::key::PublicKey;
use crate::state::{ExecutionError, Overlay, StateKey, StateReadError, StateView};

/// A use of a key.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Admin,
    Node,
    Vote,
}

fn role(of: &mut KeyUse, role: Role) -> &mut bool {
    match role {
        Role::Admin => &mut of.is_admin,
        Role::Node => &mut of.is_node,
        Role::Vote => &mut of.is_vote,
    }
}

fn key_use<V: StateView + ?Sized>(
    state: &Overlay<'_, V>,
    key: &PublicKey,
) -> Result<KeyUse, StateReadError> {
    Ok(state.read(&StateKey::key_use(key))?.unwrap_or_default())
}

/// Puts a key to use.
pub(super) fn claim<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    key: &PublicKey,
    as_role: Role,
    owner: OrganisationId,
) -> Result<(), ExecutionError> {
    if !key.is_valid() {
        return Err(GovernanceError::BadKey.into());
    }
    let mut found = key_use(state, key)?;
    let is_foreign =
        found.organisation.is_some_and(|other| other != owner) || access::is_taken(state, key)?;
    if is_foreign || found.proposal.is_some() || *role(&mut found, as_role) {
        return Err(GovernanceError::KeyInUse.into());
    }
    found.organisation = Some(owner);
    *role(&mut found, as_role) = true;
    state.write(StateKey::key_use(key), &found);
    Ok(())
}

/// Ends a use of a key; without any use left it is free.
pub(super) fn release<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    key: &PublicKey,
    as_role: Role,
) -> Result<(), StateReadError> {
    let mut found = key_use(state, key)?;
    *role(&mut found, as_role) = false;
    if !(found.is_admin || found.is_node || found.is_vote) {
        found.organisation = None;
    }
    state.write(StateKey::key_use(key), &found);
    Ok(())
}

/// Keeps keys for an open proposal, or frees those it kept, so that no two proposals want the same.
pub(super) fn reserve<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    keys: &[PublicKey],
    proposal: Option<ProposalNumber>,
) -> Result<(), StateReadError> {
    for key in keys {
        let mut found = key_use(state, key)?;
        found.proposal = proposal;
        state.write(StateKey::key_use(key), &found);
    }
    Ok(())
}
