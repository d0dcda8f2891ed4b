//! The queue of validator changes: approved, and waiting for their block.
//!
//! Upon the end of a block, over the validators before it:
//! 1. take changes from the head as long as, together, they move at most three tenths of the power;
//!    the first is always taken;
//! 2. the set they lead to certifies the next height;
//! 3. a proposal none of whose changes waits any more is in force from that height on.
//!
//! One change moves the power of one seat: one that comes, goes, or passes to another key. What enters
//! the queue was checked against the set that all before it lead to, so it never empties the set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::GovernanceError;
use super::proposal::{Outcome, Proposal};
use crate::ids::{Height, ProposalNumber};
use crate::key::PublicKey;
use crate::state::{ExecutionError, Overlay, StateKey, StateReadError, StateView, read};
use crate::validators::{MAX_VALIDATORS, Validator, ValidatorSet};

/// Most changes that may wait.
pub const MAX_QUEUE: usize = 256;
/// Tenths of the power that may change in one block.
pub const POWER_TENTHS: u64 = 3;

/// A change of one seat among the validators.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Seat {
    /// A validator comes.
    Admit {
        /// Its key for votes.
        key: PublicKey,
        /// Its name.
        name: String,
    },
    /// A validator goes.
    Remove {
        /// Its key for votes.
        key: PublicKey,
    },
    /// A validator changes its key.
    Replace {
        /// Its key for votes until now.
        old: PublicKey,
        /// From now on.
        new: PublicKey,
    },
}

/// A waiting change and the proposal it is a part of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeatChange {
    /// The proposal.
    pub proposal: ProposalNumber,
    /// The change.
    pub seat: Seat,
}

/// Validators by their key for votes.
pub(super) type Seats = BTreeMap<PublicKey, Validator>;

/// The power a change moves, or none if it has become void.
fn power_moved(seats: &Seats, seat: &Seat) -> Option<u64> {
    match seat {
        Seat::Admit { key, .. } => {
            (!seats.contains_key(key) && seats.len() < MAX_VALIDATORS).then_some(1)
        }
        Seat::Remove { key } => seats
            .get(key)
            .filter(|_| seats.len() > 1)
            .map(|one| one.power),
        Seat::Replace { old, new } => {
            let moved = seats.get(old).filter(|_| !seats.contains_key(new));
            moved.map(|one| one.power)
        }
    }
}

/// Does a change that is not void.
fn take(seats: &mut Seats, seat: &Seat) {
    match seat {
        Seat::Admit { key, name } => {
            let validator = Validator {
                key: *key,
                power: 1,
                name: name.clone(),
            };
            seats.insert(*key, validator);
        }
        Seat::Remove { key } => {
            seats.remove(key);
        }
        Seat::Replace { old, new } => {
            if let Some(moved) = seats.remove(old) {
                seats.insert(*new, Validator { key: *new, ..moved });
            }
        }
    }
}

pub(super) fn seats_of(set: &ValidatorSet) -> Seats {
    let validators = set.as_slice().iter();
    validators.map(|one| (one.key, one.clone())).collect()
}

fn validators<V: StateView + ?Sized>(view: &V) -> Result<ValidatorSet, StateReadError> {
    read(view, &StateKey::validators())?.ok_or_else(|| StateReadError("no validators".into()))
}

/// The waiting changes, first the one whose turn is next.
///
/// # Errors
/// [`StateReadError`].
pub fn queue<V: StateView + ?Sized>(view: &V) -> Result<Vec<SeatChange>, StateReadError> {
    Ok(read(view, &StateKey::queue())?.unwrap_or_default())
}

/// The validators once nothing waits any more.
pub(super) fn expected<V: StateView + ?Sized>(view: &V) -> Result<Seats, StateReadError> {
    let mut seats = seats_of(&validators(view)?);
    for waiting in queue(view)? {
        if power_moved(&seats, &waiting.seat).is_some() {
            take(&mut seats, &waiting.seat);
        }
    }
    Ok(seats)
}

/// Appends a change that the validators allow once all before it are done.
pub(super) fn enqueue<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    proposal: ProposalNumber,
    seat: Seat,
) -> Result<(), ExecutionError> {
    let seats = expected(state)?;
    let refused = match &seat {
        Seat::Admit { key, .. } if seats.contains_key(key) => GovernanceError::ValidatorExists,
        Seat::Admit { .. } => GovernanceError::TooManyValidators,
        Seat::Remove { key } if seats.contains_key(key) => GovernanceError::LastValidator,
        Seat::Remove { .. } => GovernanceError::UnknownValidator,
        Seat::Replace { .. } => GovernanceError::KeyInUse,
    };
    power_moved(&seats, &seat).ok_or(refused)?;
    let mut waiting = queue(state)?;
    if waiting.len() >= MAX_QUEUE {
        return Err(GovernanceError::QueueFull.into());
    }
    waiting.push(SeatChange { proposal, seat });
    state.write(StateKey::queue(), &waiting);
    Ok(())
}

/// Takes what the block's turn is, and notes the height from which it is in force.
pub(super) fn advance<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    next: Height,
) -> Result<(), StateReadError> {
    let mut waiting = queue(state)?;
    if waiting.is_empty() {
        return Ok(());
    }
    let before = validators(state)?;
    let limit = before.total_power().saturating_mul(POWER_TENTHS) / 10;
    let (mut seats, mut moved, mut taken) = (seats_of(&before), 0u64, 0usize);
    for one in &waiting {
        if let Some(power) = power_moved(&seats, &one.seat) {
            let with_it = moved.saturating_add(power);
            if moved > 0 && with_it > limit {
                break;
            }
            take(&mut seats, &one.seat);
            moved = with_it;
        }
        taken += 1;
    }
    let done: Vec<_> = waiting.drain(..taken).map(|one| one.proposal).collect();
    let after = ValidatorSet::new(seats.into_values().collect())
        .map_err(|error| StateReadError(error.to_string()))?;
    if after != before {
        state.write(StateKey::validators(), &after);
    }
    state.write(StateKey::queue(), &waiting);
    for number in done {
        if !waiting.iter().any(|one| one.proposal == number) {
            note_in_force(state, number, next)?;
        }
    }
    Ok(())
}

fn note_in_force<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    number: ProposalNumber,
    next: Height,
) -> Result<(), StateReadError> {
    let key = StateKey::proposal(number);
    let Some(mut proposal) = state.read::<Proposal>(&key)? else {
        return Ok(());
    };
    if let Outcome::Approved { in_force, .. } = &mut proposal.outcome {
        *in_force = Some(next);
    }
    state.write(key, &proposal);
    Ok(())
}
