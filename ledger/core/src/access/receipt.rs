//! Receipts: that what was granted was served, and a commitment to what that was.

use serde::{Deserialize, Serialize};

use super::AccessError;
use super::policies::is_node_of;
use super::request::{AccessState, access};
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::state::{ExecutionError, Overlay, StateKey, StateReadError, StateView, read};

/// Says that something was served under a grant; by the node that served it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// Under which request, by its handle.
    pub access: Digest,
    /// How many readings.
    pub readings: u64,
    /// A commitment to what was served; whoever got it can tell that it is what this receipt is for.
    pub disclosed: Digest,
}

/// What the ledger keeps of a request's receipts. What each held is in the blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Receipts {
    /// How many.
    pub count: u64,
    /// Readings served, counted each time.
    pub readings: u64,
    /// `tagged("fogward/receipts/1", previous ‖ disclosed)`, from zero on.
    pub accumulator: Digest,
}

/// The receipts of a request.
///
/// # Errors
/// [`StateReadError`].
pub fn receipts<V: StateView + ?Sized>(
    view: &V,
    access: &Digest,
) -> Result<Receipts, StateReadError> {
    Ok(read(view, &StateKey::receipts(access))?.unwrap_or_default())
}

pub(super) fn keep<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    sender: PublicKey,
    receipt: Receipt,
) -> Result<(), ExecutionError> {
    let found = access(state, &receipt.access)?.ok_or(AccessError::NoAccess)?;
    if !is_node_of(state, &sender, &found.asked.holder)? {
        return Err(AccessError::NotServing.into());
    }
    // What was served just before the grant ended is told of after it.
    if !matches!(found.state, AccessState::Granted | AccessState::Ended) || found.metrics.is_empty()
    {
        return Err(AccessError::NotGranted.into());
    }
    let before = receipts(state, &receipt.access)?;
    let next = Receipts {
        count: before
            .count
            .checked_add(1)
            .ok_or(ExecutionError::Overflow)?,
        readings: before
            .readings
            .checked_add(receipt.readings)
            .ok_or(ExecutionError::Overflow)?,
        accumulator: Digest::tagged(
            "fogward/receipts/1",
            &[&before.accumulator.0, &receipt.disclosed.0],
        ),
    };
    state.write(StateKey::receipts(&receipt.access), &next);
    Ok(())
}
