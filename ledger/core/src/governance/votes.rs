//! The life of a proposal: opened, voted on, decided.
//!
//! ```text
//! Propose ──▶ open ──▶ approved ──▶ in force, at once or in the queue's turn
//!              │ ├───▶ void       enough voices, but it had become impossible
//!              │ ├───▶ rejected   enough voices have become impossible
//!              │ └───▶ expired    block time reached its end
//!              └── Vote, or a vote changed
//! ```
//!
//! Upon the end of a block: what is out of time expires; if the block changed the organisations or the
//! thresholds, all open proposals are counted again, the lowest number first, until none is decided.

use super::enact::{enact, refuse_unless};
use super::error::GovernanceError;
use super::keys::reserve;
use super::proposal::{
    AgendaItem, Ballot, Change, Choice, MAX_OPEN, MAX_OPEN_EACH, MAX_OPEN_MILLIS, MAX_REASON_BYTES,
    MIN_OPEN_MILLIS, Outcome, Proposal, Propose, Vote,
};
use super::queue;
use super::read::{admin_of, agenda, rule_of, tally};
use super::thresholds::Rule;
use crate::canonical;
use crate::digest::Digest;
use crate::ids::{Height, OrganisationId, ProposalNumber};
use crate::key::PublicKey;
use crate::state::{Clock, ExecutionError, Overlay, StateKey, StateReadError, StateView};

/// Opens a proposal, with its proposer's voice for it.
pub(crate) fn propose<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    propose: &Propose,
) -> Result<(), ExecutionError> {
    let organisation = voice_of(state, &sender)?;
    let reason = &propose.reason;
    let is_sound = reason.len() <= MAX_REASON_BYTES && !reason.chars().any(char::is_control);
    refuse_unless(is_sound, GovernanceError::Reason)?;
    let open_for = propose.open_for_millis;
    let is_in_time = (MIN_OPEN_MILLIS..=MAX_OPEN_MILLIS).contains(&open_for);
    refuse_unless(is_in_time, GovernanceError::Duration)?;
    let expires_millis = clock.time_millis.checked_add(open_for);
    let expires_millis = expires_millis.ok_or(ExecutionError::Overflow)?;
    let mut agenda = agenda(state)?;
    let digest = digest_of(&propose.change);
    let is_known = agenda.open.iter().any(|one| one.change == digest);
    refuse_unless(!is_known, GovernanceError::AlreadyProposed)?;
    let number = agenda.next;
    // Whatever could not be done now is not worth a vote.
    enact(
        &mut Overlay::new(state),
        number,
        clock.height,
        &propose.change,
    )?;
    let rule = rule_of(state, &propose.change, organisation)?;
    let own = agenda.open.iter();
    let own = own.filter(|one| one.organisation == organisation).count();
    let has_room = agenda.open.len() < MAX_OPEN && own < MAX_OPEN_EACH;
    // Own affairs are decided at once and need no room.
    refuse_unless(has_room || rule == Rule::Own, GovernanceError::TooManyOpen)?;
    let proposal = Proposal {
        number,
        organisation,
        admin: sender,
        change: propose.change.clone(),
        reason: propose.reason.clone(),
        rule,
        height: clock.height,
        opened_millis: clock.time_millis,
        expires_millis,
        ballots: vec![Ballot {
            organisation,
            admin: sender,
            choice: Choice::Approve,
        }],
        outcome: Outcome::Open,
    };
    agenda.next = number.next().ok_or(ExecutionError::Overflow)?;
    agenda.open.push(AgendaItem {
        number,
        organisation,
        expires_millis,
        change: digest,
    });
    state.write(StateKey::agenda(), &agenda);
    reserve(state, &proposal.change.new_keys(), Some(number))?;
    count(state, clock.height, proposal)?;
    Ok(())
}

/// Casts or changes an organisation's vote.
pub(crate) fn vote<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    vote: Vote,
) -> Result<(), ExecutionError> {
    let organisation = voice_of(state, &sender)?;
    let found: Option<Proposal> = state.read(&StateKey::proposal(vote.proposal))?;
    let mut proposal = found.ok_or(GovernanceError::UnknownProposal)?;
    let is_open = proposal.outcome == Outcome::Open && clock.time_millis < proposal.expires_millis;
    refuse_unless(is_open, GovernanceError::Decided)?;
    let ballot = Ballot {
        organisation,
        admin: sender,
        choice: vote.choice,
    };
    let ballots = &mut proposal.ballots;
    match ballots.binary_search_by_key(&organisation, |one| one.organisation) {
        Ok(at) => {
            if let Some(cast) = ballots.get_mut(at) {
                refuse_unless(cast.choice != vote.choice, GovernanceError::SameVote)?;
                *cast = ballot;
            }
        }
        Err(at) => ballots.insert(at, ballot),
    }
    count(state, clock.height, proposal)?;
    Ok(())
}

/// What a block does after its transactions.
pub(crate) fn end_block<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
) -> Result<(), StateReadError> {
    expire(state, clock)?;
    let is_recount_due =
        state.has_changed(&StateKey::organisations()) || state.has_changed(&StateKey::thresholds());
    if is_recount_due {
        // Each round but the last decides one at least.
        while recount(state, clock.height)? {}
    }
    let next = clock.height.next().unwrap_or(clock.height);
    queue::advance(state, next)
}

fn voice_of<V: StateView + ?Sized>(
    state: &Overlay<'_, V>,
    sender: &PublicKey,
) -> Result<OrganisationId, ExecutionError> {
    admin_of(state, sender)?.ok_or_else(|| GovernanceError::NotAdmin.into())
}

pub(super) fn digest_of(change: &Change) -> Digest {
    Digest::tagged("fogward/change/1", &[&canonical::encode(change)])
}

fn expire<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
) -> Result<(), StateReadError> {
    let is_over = |one: &AgendaItem| one.expires_millis <= clock.time_millis;
    let over = agenda(state)?.open.into_iter().filter(is_over);
    for item in over {
        if let Some(proposal) = state.read(&StateKey::proposal(item.number))? {
            let height = clock.height;
            close(state, proposal, Outcome::Expired { height })?;
        }
    }
    Ok(())
}

/// Counts all open proposals; whether one was decided.
fn recount<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    height: Height,
) -> Result<bool, StateReadError> {
    for item in agenda(state)?.open {
        if let Some(proposal) = state.read(&StateKey::proposal(item.number))?
            && count(state, height, proposal)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Decides a proposal if its votes do, and keeps it; whether it is decided.
fn count<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    height: Height,
    proposal: Proposal,
) -> Result<bool, StateReadError> {
    let tally = tally(state, &proposal)?;
    if tally.has_passed() {
        approve(state, height, proposal)?;
    } else if tally.is_hopeless() {
        close(state, proposal, Outcome::Rejected { height })?;
    } else {
        state.write(StateKey::proposal(proposal.number), &proposal);
        return Ok(false);
    }
    Ok(true)
}

fn approve<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    height: Height,
    proposal: Proposal,
) -> Result<(), StateReadError> {
    let number = proposal.number;
    reserve(state, &proposal.change.new_keys(), None)?;
    let mut trial = Overlay::new(&*state);
    let outcome = match enact(&mut trial, number, height, &proposal.change) {
        Ok(()) => {
            let writes = trial.into_writes();
            state.keep(writes);
            let is_waiting = queue::queue(state)?
                .iter()
                .any(|one| one.proposal == number);
            let in_force = height.next().filter(|_| !is_waiting);
            Outcome::Approved { height, in_force }
        }
        Err(ExecutionError::Governance(why)) => Outcome::Void { height, why },
        Err(ExecutionError::State(error)) => return Err(error),
        Err(other) => return Err(StateReadError(other.to_string())),
    };
    close(state, proposal, outcome)
}

/// Takes a proposal off the agenda.
fn close<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    mut proposal: Proposal,
    outcome: Outcome,
) -> Result<(), StateReadError> {
    let number: ProposalNumber = proposal.number;
    let mut agenda = agenda(state)?;
    agenda.open.retain(|one| one.number != number);
    state.write(StateKey::agenda(), &agenda);
    if !matches!(outcome, Outcome::Approved { .. } | Outcome::Void { .. }) {
        reserve(state, &proposal.change.new_keys(), None)?;
    }
    proposal.outcome = outcome;
    state.write(StateKey::proposal(number), &proposal);
    Ok(())
}
