//! Tombstones: that the keys of somebody's readings, or of a device's, were destroyed.
//!
//! ```text
//! handle = HMAC-SHA256(secret, "fogward/erasure-handle/1")
//! ```
//!
//! The secret is a patient's, or a key of the device's first stream, and is destroyed with the rest. Who still has it
//! (another node of the organisation, one restored from a backup) finds the tombstone by it and erases, too; to
//! everybody else, and to all once it is gone, the handle is as random. An organisation's tombstones are numbered, so
//! that none is overlooked by who was away. Nobody can be kept from telling one, and it changes nothing else: what was
//! destroyed is destroyed before it is told.
//!
//! Left out: whether it is true. A node that says so and keeps the keys is not found out by the ledger.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::AccessError;
use crate::digest::Digest;
use crate::genesis::Member;
use crate::governance::Standing;
use crate::ids::{Height, OrganisationId};
use crate::key::PublicKey;
use crate::state::{Clock, ExecutionError, Overlay, StateKey, StateReadError, StateView, read};

const TAG: &[u8] = b"fogward/erasure-handle/1";

/// Says that keys were destroyed; by the node that destroyed them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tombstone {
    /// Of what, by [`erasure_handle`].
    pub handle: Digest,
    /// How many readings nobody can read any more.
    pub readings: u64,
    /// A salted commitment to the certificate of it.
    pub certificate: Digest,
}

/// What the ledger keeps of a tombstone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeptTombstone {
    /// What was said.
    pub tombstone: Tombstone,
    /// By which node.
    pub node: PublicKey,
    /// In which block.
    pub height: Height,
}

/// The name under which it is told that what this secret stands for was erased.
#[must_use]
pub fn erasure_handle(secret: &[u8; 32]) -> Digest {
    // HMAC takes keys of every length.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(TAG);
    Digest(mac.finalize().into_bytes().into())
}

/// How many tombstones an organisation has; they are numbered from zero on.
///
/// # Errors
/// [`StateReadError`].
pub fn tombstones<V: StateView + ?Sized>(
    view: &V,
    organisation: &OrganisationId,
) -> Result<u64, StateReadError> {
    Ok(read(view, &StateKey::tombstones(organisation))?.unwrap_or(0))
}

/// One of an organisation's tombstones.
///
/// # Errors
/// [`StateReadError`].
pub fn tombstone<V: StateView + ?Sized>(
    view: &V,
    organisation: &OrganisationId,
    number: u64,
) -> Result<Option<KeptTombstone>, StateReadError> {
    read(view, &StateKey::tombstone(organisation, number))
}

pub(super) fn keep<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    node: PublicKey,
    tombstone: Tombstone,
) -> Result<(), ExecutionError> {
    let member: Option<Member> = state.read(&StateKey::member(&node))?;
    let member = member.filter(|member| member.standing == Standing::Active);
    let organisation = member.ok_or(AccessError::NotANode)?.organisation;
    let number = tombstones(state, &organisation)?;
    let kept = KeptTombstone {
        tombstone,
        node,
        height: clock.height,
    };
    state.write(StateKey::tombstone(&organisation, number), &kept);
    state.count_up(StateKey::tombstones(&organisation))
}
