//! Questions to a state about organisations, proposals and what is due.

use super::error::GovernanceError;
use super::organisation::{KeyUse, Organisation, OrganisationIds, Standing};
use super::proposal::{Agenda, Change, Choice, Proposal, Tally};
use super::queue::queue;
use super::thresholds::{Rule, Thresholds};
use crate::genesis::Member;
use crate::ids::{OrganisationId, ProposalNumber};
use crate::key::PublicKey;
use crate::parameters::Parameters;
use crate::state::{ExecutionError, StateKey, StateReadError, StateView, read};

/// Most proposals one call of [`proposals`] returns.
pub const MAX_PROPOSALS: u32 = 1000;

/// When a block is due although no transaction waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wakeup {
    /// Now: validator changes wait for their turn.
    Now,
    /// At this block time in Unix milliseconds: a proposal expires.
    At(u64),
}

/// The rules in force.
///
/// # Errors
/// [`StateReadError`], also if the state holds none; so for all readers below.
pub fn parameters<V: StateView + ?Sized>(view: &V) -> Result<Parameters, StateReadError> {
    read(view, &StateKey::parameters())?.ok_or_else(|| StateReadError("no parameters".into()))
}

/// The thresholds in force.
///
/// # Errors
/// As [`parameters`].
pub fn thresholds<V: StateView + ?Sized>(view: &V) -> Result<Thresholds, StateReadError> {
    read(view, &StateKey::thresholds())?.ok_or_else(|| StateReadError("no thresholds".into()))
}

/// The ids of all organisations, those that were removed too.
///
/// # Errors
/// As [`parameters`], save that a state that holds none has none.
pub fn organisation_ids<V: StateView + ?Sized>(
    view: &V,
) -> Result<OrganisationIds, StateReadError> {
    Ok(read(view, &StateKey::organisations())?.unwrap_or_default())
}

/// One organisation, active or not.
///
/// # Errors
/// As [`organisation_ids`].
pub fn organisation<V: StateView + ?Sized>(
    view: &V,
    id: &OrganisationId,
) -> Result<Option<Organisation>, StateReadError> {
    read(view, &StateKey::organisation(id))
}

/// All organisations: the active ones, then the removed ones, each in the order of their ids.
///
/// # Errors
/// As [`organisation_ids`].
pub fn organisations<V: StateView + ?Sized>(view: &V) -> Result<Vec<Organisation>, StateReadError> {
    let ids = organisation_ids(view)?;
    let mut found = Vec::new();
    for id in ids.active.iter().chain(&ids.removed) {
        found.extend(organisation(view, id)?);
    }
    Ok(found)
}

/// The active nodes of an organisation, in the order of their keys.
///
/// # Errors
/// As [`organisation_ids`].
pub fn nodes<V: StateView + ?Sized>(
    view: &V,
    id: &OrganisationId,
) -> Result<Vec<Member>, StateReadError> {
    let keys: Vec<PublicKey> = read(view, &StateKey::nodes(id))?.unwrap_or_default();
    let mut found = Vec::new();
    for key in keys {
        found.extend(read::<Member, _>(view, &StateKey::member(&key))?);
    }
    Ok(found)
}

/// What a key is used for, and whose it is.
///
/// # Errors
/// As [`organisation_ids`].
pub fn key_use<V: StateView + ?Sized>(view: &V, key: &PublicKey) -> Result<KeyUse, StateReadError> {
    Ok(read(view, &StateKey::key_use(key))?.unwrap_or_default())
}

/// The active organisation this key may propose and vote for.
///
/// # Errors
/// As [`organisation_ids`].
pub fn admin_of<V: StateView + ?Sized>(
    view: &V,
    key: &PublicKey,
) -> Result<Option<OrganisationId>, StateReadError> {
    let found = key_use(view, key)?;
    Ok(found.organisation.filter(|_| found.is_admin))
}

/// The open proposals' numbers, and the next number.
///
/// # Errors
/// As [`organisation_ids`].
pub fn agenda<V: StateView + ?Sized>(view: &V) -> Result<Agenda, StateReadError> {
    Ok(read(view, &StateKey::agenda())?.unwrap_or_default())
}

/// One proposal, open or decided.
///
/// # Errors
/// As [`organisation_ids`].
pub fn proposal<V: StateView + ?Sized>(
    view: &V,
    number: ProposalNumber,
) -> Result<Option<Proposal>, StateReadError> {
    read(view, &StateKey::proposal(number))
}

/// Up to `limit` (at most [`MAX_PROPOSALS`]) proposals before a number, open or decided, the newest
/// first; without a number from the newest on.
///
/// # Errors
/// As [`organisation_ids`].
pub fn proposals<V: StateView + ?Sized>(
    view: &V,
    before: Option<ProposalNumber>,
    limit: u32,
) -> Result<Vec<Proposal>, StateReadError> {
    let next = agenda(view)?.next;
    let end = before.map_or(next, |before| before.min(next)).0;
    let start = end.saturating_sub(u64::from(limit.min(MAX_PROPOSALS)));
    let mut found = Vec::new();
    for number in (start..end).rev() {
        found.extend(proposal(view, ProposalNumber(number))?);
    }
    Ok(found)
}

/// The open proposals, in the order of their numbers.
///
/// # Errors
/// As [`organisation_ids`].
pub fn open_proposals<V: StateView + ?Sized>(view: &V) -> Result<Vec<Proposal>, StateReadError> {
    let mut found = Vec::new();
    for item in agenda(view)?.open {
        found.extend(proposal(view, item.number)?);
    }
    Ok(found)
}

/// How a proposal stands: the votes of organisations that are active now, under today's thresholds.
///
/// # Errors
/// As [`parameters`].
pub fn tally<V: StateView + ?Sized>(
    view: &V,
    proposal: &Proposal,
) -> Result<Tally, StateReadError> {
    let active = organisation_ids(view)?.active;
    let count = |choice| {
        let ballots = proposal.ballots.iter();
        let ballots = ballots.filter(|one| one.choice == choice);
        ballots
            .filter(|one| active.binary_search(&one.organisation).is_ok())
            .count() as u32
    };
    let voices = active.len() as u32;
    Ok(Tally {
        approvals: count(Choice::Approve),
        rejections: count(Choice::Reject),
        voices,
        needed: thresholds(view)?.needed(proposal.rule, voices),
    })
}

/// The rule a change falls under if `by` proposes it.
///
/// # Errors
/// As [`organisation_ids`].
pub fn rule_of<V: StateView + ?Sized>(
    view: &V,
    change: &Change,
    by: OrganisationId,
) -> Result<Rule, StateReadError> {
    let owner = |node| {
        let member: Option<Member> = read(view, &StateKey::member(node))?;
        Ok(member.map(|member| member.organisation))
    };
    let (owner, otherwise) = match change {
        Change::AdmitOrganisation(_) => (None, Rule::Organisations),
        Change::RemoveOrganisation { id } => (Some(*id), Rule::Organisations),
        Change::RotateAdmin { organisation, .. } => (Some(*organisation), Rule::Organisations),
        Change::AdmitNode { organisation, .. } => (Some(*organisation), Rule::Nodes),
        Change::RemoveNode { key } => (owner(key)?, Rule::Nodes),
        Change::RotateNode { old, .. } => (owner(old)?, Rule::Nodes),
        Change::AdmitValidator { .. } => (None, Rule::Validators),
        Change::RemoveValidator { node } => (owner(node)?, Rule::Validators),
        Change::SetParameters(_) => (None, Rule::Parameters),
        Change::SetThresholds(_) => (None, Rule::Thresholds),
        Change::MoveNode { key, .. } => (owner(key)?, Rule::Nodes),
    };
    Ok(if owner == Some(by) {
        Rule::Own
    } else {
        otherwise
    })
}

/// Whether the chain has something to do although nothing is submitted, and when.
///
/// # Errors
/// As [`organisation_ids`].
pub fn next_wakeup<V: StateView + ?Sized>(view: &V) -> Result<Option<Wakeup>, StateReadError> {
    if !queue(view)?.is_empty() {
        return Ok(Some(Wakeup::Now));
    }
    let open = agenda(view)?.open;
    Ok(open
        .iter()
        .map(|one| one.expires_millis)
        .min()
        .map(Wakeup::At))
}

/// An active node.
pub(super) fn active_member<V: StateView + ?Sized>(
    view: &V,
    key: &PublicKey,
) -> Result<Member, ExecutionError> {
    let found: Option<Member> = read(view, &StateKey::member(key))?;
    found
        .filter(|member| member.standing == Standing::Active)
        .ok_or_else(|| GovernanceError::UnknownNode.into())
}
