//! What each change does to the state, and what stands against it.
//!
//! The same code says whether a change may be proposed, does it once it is approved, and shows a
//! preflight what would follow: always tried on top of the state, and kept or dropped as a whole.

use super::error::GovernanceError;
use super::keys::{Role, claim, release};
use super::organisation::{
    MAX_ADMINS, MAX_NODES, MAX_ORGANISATIONS, MAX_ORGANISATIONS_EVER, Organisation,
    OrganisationIds, Standing, is_address, is_name,
};
use super::proposal::{Change, Node};
use super::queue::{self, Seat};
use super::read::active_member;
use crate::genesis::Member;
use crate::ids::{Height, OrganisationId, ProposalNumber};
use crate::key::PublicKey;
use crate::state::{AnchorHead, ExecutionError, Overlay, StateKey, StateView};

type Done = Result<(), ExecutionError>;

/// Does a change, for a proposal, in a block.
pub(super) fn enact<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    proposal: ProposalNumber,
    height: Height,
    change: &Change,
) -> Done {
    match change {
        Change::AdmitOrganisation(new) => {
            let (name, admins) = (new.name.clone(), new.admins.clone());
            let organisation = Organisation {
                id: new.id,
                name,
                admins,
                standing: Standing::Active,
            };
            add_organisation(state, &organisation)?;
            new.nodes
                .iter()
                .try_for_each(|node| add_node(state, new.id, node))
        }
        Change::RemoveOrganisation { id } => remove_organisation(state, proposal, height, *id),
        Change::RotateAdmin {
            organisation,
            old,
            new,
        } => rotate_admin(state, *organisation, *old, *new),
        Change::AdmitNode { organisation, node } => add_node(state, *organisation, node),
        Change::RemoveNode { key } => remove_node(state, proposal, height, key),
        Change::RotateNode {
            old,
            new,
            new_vote_key,
        } => rotate_node(state, proposal, height, (*old, *new, *new_vote_key)),
        Change::AdmitValidator { node } => {
            let member = active_member(state, node)?;
            let (key, name) = (member.vote_key, member.name);
            queue::enqueue(state, proposal, Seat::Admit { key, name })
        }
        Change::RemoveValidator { node } => {
            let key = active_member(state, node)?.vote_key;
            queue::enqueue(state, proposal, Seat::Remove { key })
        }
        Change::SetParameters(parameters) => {
            refuse_unless(parameters.may_be_voted(), GovernanceError::Parameters)?;
            set(state, StateKey::parameters(), parameters)
        }
        Change::SetThresholds(thresholds) => {
            refuse_unless(thresholds.are_valid(), GovernanceError::Thresholds)?;
            set(state, StateKey::thresholds(), thresholds)
        }
        Change::MoveNode { key, address } => move_node(state, key, address),
    }
}

pub(super) fn refuse_unless(holds: bool, why: GovernanceError) -> Result<(), GovernanceError> {
    if holds { Ok(()) } else { Err(why) }
}

/// Writes an entry that must differ from what is there.
fn set<V, T>(state: &mut Overlay<'_, V>, key: StateKey, value: &T) -> Done
where
    V: StateView + ?Sized,
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq,
{
    let is_new = state.read::<T>(&key)?.as_ref() != Some(value);
    refuse_unless(is_new, GovernanceError::NoChange)?;
    state.write(key, value);
    Ok(())
}

/// Reads an active organisation.
pub(super) fn active_organisation<V: StateView + ?Sized>(
    state: &Overlay<'_, V>,
    id: OrganisationId,
) -> Result<Organisation, ExecutionError> {
    let found: Option<Organisation> = state.read(&StateKey::organisation(&id))?;
    found
        .filter(|one| one.standing == Standing::Active)
        .ok_or_else(|| GovernanceError::UnknownOrganisation.into())
}

fn ids<V: StateView + ?Sized>(state: &Overlay<'_, V>) -> Result<OrganisationIds, ExecutionError> {
    Ok(state.read(&StateKey::organisations())?.unwrap_or_default())
}

fn nodes_of<V: StateView + ?Sized>(
    state: &Overlay<'_, V>,
    id: OrganisationId,
) -> Result<Vec<PublicKey>, ExecutionError> {
    Ok(state.read(&StateKey::nodes(&id))?.unwrap_or_default())
}

/// Puts an id where it belongs in an ordered list that does not hold it.
fn insert<T: Ord>(list: &mut Vec<T>, new: T) {
    let at = list.partition_point(|one| *one < new);
    list.insert(at, new);
}

/// A new organisation, without nodes.
pub(super) fn add_organisation<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    new: &Organisation,
) -> Done {
    refuse_unless(is_name(&new.name), GovernanceError::Name)?;
    let is_ordered = new.admins.array_windows().all(|[one, next]| one < next);
    let count = new.admins.len();
    refuse_unless(
        is_ordered && (1..=MAX_ADMINS).contains(&count),
        GovernanceError::Admins,
    )?;
    let mut all = ids(state)?;
    let is_known = all.active.contains(&new.id) || all.removed.contains(&new.id);
    refuse_unless(!is_known, GovernanceError::OrganisationExists)?;
    let has_room = all.active.len() < MAX_ORGANISATIONS
        && all.active.len() + all.removed.len() < MAX_ORGANISATIONS_EVER;
    refuse_unless(has_room, GovernanceError::TooManyOrganisations)?;
    for key in &new.admins {
        claim(state, key, Role::Admin, new.id)?;
    }
    insert(&mut all.active, new.id);
    state.write(StateKey::organisations(), &all);
    state.write(StateKey::organisation(&new.id), new);
    Ok(())
}

/// A new node of an active organisation.
pub(super) fn add_node<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    organisation: OrganisationId,
    node: &Node,
) -> Done {
    active_organisation(state, organisation)?;
    refuse_unless(is_name(&node.name), GovernanceError::Name)?;
    refuse_unless(is_address(&node.address), GovernanceError::Address)?;
    claim(state, &node.key, Role::Node, organisation)?;
    claim(state, &node.vote_key, Role::Vote, organisation)?;
    let mut nodes = nodes_of(state, organisation)?;
    refuse_unless(nodes.len() < MAX_NODES, GovernanceError::TooManyNodes)?;
    insert(&mut nodes, node.key);
    state.write(StateKey::nodes(&organisation), &nodes);
    let member = Member::of(node.clone(), organisation);
    state.write(StateKey::member(&node.key), &member);
    Ok(())
}

fn remove_organisation<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    proposal: ProposalNumber,
    height: Height,
    id: OrganisationId,
) -> Done {
    let mut organisation = active_organisation(state, id)?;
    let mut all = ids(state)?;
    all.active.retain(|one| *one != id);
    refuse_unless(!all.active.is_empty(), GovernanceError::LastOrganisation)?;
    insert(&mut all.removed, id);
    state.write(StateKey::organisations(), &all);
    for key in nodes_of(state, id)? {
        remove_node(state, proposal, height, &key)?;
    }
    for key in &organisation.admins {
        release(state, key, Role::Admin)?;
    }
    organisation.standing = Standing::Removed { height };
    state.write(StateKey::organisation(&id), &organisation);
    Ok(())
}

fn rotate_admin<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    id: OrganisationId,
    old: Option<PublicKey>,
    new: Option<PublicKey>,
) -> Done {
    let mut organisation = active_organisation(state, id)?;
    refuse_unless(old != new, GovernanceError::NoChange)?;
    if let Some(new) = new {
        claim(state, &new, Role::Admin, id)?;
        insert(&mut organisation.admins, new);
    }
    if let Some(old) = old {
        let at = organisation.admins.binary_search(&old);
        organisation
            .admins
            .remove(at.map_err(|_| GovernanceError::UnknownAdmin)?);
        release(state, &old, Role::Admin)?;
    }
    let count = organisation.admins.len();
    refuse_unless((1..=MAX_ADMINS).contains(&count), GovernanceError::Admins)?;
    state.write(StateKey::organisation(&id), &organisation);
    Ok(())
}

/// A node goes; a seat it has, or will have, goes with it.
fn remove_node<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    proposal: ProposalNumber,
    height: Height,
    key: &PublicKey,
) -> Done {
    let member = active_member(state, key)?;
    if queue::expected(state)?.contains_key(&member.vote_key) {
        let key = member.vote_key;
        queue::enqueue(state, proposal, Seat::Remove { key })?;
    }
    retire(state, height, member)
}

/// Ends a node's membership and frees its keys.
fn retire<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    height: Height,
    mut member: Member,
) -> Done {
    release(state, &member.key, Role::Node)?;
    release(state, &member.vote_key, Role::Vote)?;
    let mut nodes = nodes_of(state, member.organisation)?;
    nodes.retain(|one| *one != member.key);
    state.write(StateKey::nodes(&member.organisation), &nodes);
    member.standing = Standing::Removed { height };
    state.write(StateKey::member(&member.key), &member);
    Ok(())
}

fn move_node<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    key: &PublicKey,
    address: &str,
) -> Done {
    let mut member = active_member(state, key)?;
    refuse_unless(is_address(address), GovernanceError::Address)?;
    refuse_unless(member.address != address, GovernanceError::NoChange)?;
    address.clone_into(&mut member.address);
    state.write(StateKey::member(key), &member);
    Ok(())
}

fn rotate_node<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    proposal: ProposalNumber,
    height: Height,
    (old, new, new_vote_key): (PublicKey, PublicKey, PublicKey),
) -> Done {
    let member = active_member(state, &old)?;
    let (organisation, old_vote_key) = (member.organisation, member.vote_key);
    let is_new = new != old || new_vote_key != old_vote_key;
    refuse_unless(is_new, GovernanceError::NoChange)?;
    if new_vote_key != old_vote_key && queue::expected(state)?.contains_key(&old_vote_key) {
        let (old, new) = (old_vote_key, new_vote_key);
        queue::enqueue(state, proposal, Seat::Replace { old, new })?;
    }
    let node = Node {
        key: new,
        vote_key: new_vote_key,
        name: member.name.clone(),
        address: member.address.clone(),
    };
    retire(state, height, member)?;
    add_node(state, organisation, &node)?;
    // The node's batches are numbered without a hole, whichever key anchors them.
    let (from, to) = (StateKey::anchor(&old), StateKey::anchor(&new));
    if let (Some(head), None) = (
        state.read::<AnchorHead>(&from)?,
        state.read::<AnchorHead>(&to)?,
    ) {
        state.write(to, &head);
    }
    Ok(())
}
