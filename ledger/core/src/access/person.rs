//! People: handles with keys and roles, registered by their organisations.

use std::collections::BTreeSet;

use ledger_policy::Role;
use serde::{Deserialize, Serialize};

use super::{AccessError, admin};
use crate::digest::{Digest, fixed_bytes};
use crate::governance;
use crate::ids::{Height, OrganisationId};
use crate::key::PublicKey;
use crate::state::{Clock, ExecutionError, Overlay, StateKey, StateReadError, StateView, read};

/// Most roles of a person: all there are.
pub const MAX_ROLES: usize = Role::ALL.len();

/// What a person signs with, and what is sealed to her.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PersonKeys {
    /// Ed25519.
    pub signing: PublicKey,
    /// X25519 (RFC 7748), for HPKE.
    #[serde(with = "fixed_bytes")]
    pub sealing: [u8; 32],
}

/// Makes a person known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegisterPerson {
    /// A random name for the ledger.
    pub handle: Digest,
    /// Her keys.
    pub keys: PersonKeys,
    /// What she is in her organisation.
    pub roles: BTreeSet<Role>,
    /// A salted commitment to the credential by which her organisation says who she is.
    pub credential: Digest,
}

/// Changes a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangePerson {
    /// Who.
    pub handle: Digest,
    /// The change.
    pub change: PersonChange,
}

/// What can become of a person. New variants go to the end: the bytes are on chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum PersonChange {
    /// She is this from now on.
    Roles(BTreeSet<Role>),
    /// She has these keys from now on; said by herself, or by an admin where hers are lost.
    Rotate(PersonKeys),
    /// She does not take part any more. Cannot be undone.
    Revoke,
}

impl PersonChange {
    /// The change's name, for tables and screens.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Roles(_) => "roles",
            Self::Rotate(_) => "rotate",
            Self::Revoke => "revoke",
        }
    }
}

/// What the ledger keeps of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Person {
    /// What was registered, with the keys and roles of now.
    pub registered: RegisterPerson,
    /// By which organisation.
    pub organisation: OrganisationId,
    /// Whether she takes part.
    pub is_active: bool,
    /// The block that changed her last.
    pub changed: Height,
}

/// A person, active or not.
///
/// # Errors
/// [`StateReadError`].
pub fn person<V: StateView + ?Sized>(
    view: &V,
    handle: &Digest,
) -> Result<Option<Person>, StateReadError> {
    read(view, &StateKey::person(handle))
}

/// The person who signs with this key and takes part, in an organisation that does.
///
/// # Errors
/// [`StateReadError`].
pub fn person_of<V: StateView + ?Sized>(
    view: &V,
    key: &PublicKey,
) -> Result<Option<Person>, StateReadError> {
    let Some(handle) = read::<Digest, _>(view, &StateKey::person_key(key))? else {
        return Ok(None);
    };
    let found = person(view, &handle)?;
    let Some(found) = found.filter(|found| found.registered.keys.signing == *key) else {
        return Ok(None);
    };
    Ok(takes_part(view, &found)?.then_some(found))
}

/// Whether a person and her organisation take part.
pub(super) fn takes_part<V: StateView + ?Sized>(
    view: &V,
    person: &Person,
) -> Result<bool, StateReadError> {
    let organisation = governance::organisation(view, &person.organisation)?;
    let is_active = |of: governance::Organisation| of.standing == governance::Standing::Active;
    Ok(person.is_active && organisation.is_some_and(is_active))
}

pub(super) fn register<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    asked: &RegisterPerson,
) -> Result<(), ExecutionError> {
    let organisation = admin(state, &sender)?;
    refuse_roles(&asked.roles)?;
    if person(state, &asked.handle)?.is_some() {
        return Err(AccessError::Taken.into());
    }
    take_keys(state, &asked.keys, asked.handle)?;
    let new = Person {
        registered: asked.clone(),
        organisation,
        is_active: true,
        changed: clock.height,
    };
    state.write(StateKey::person(&asked.handle), &new);
    Ok(())
}

pub(super) fn change<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    asked: &ChangePerson,
) -> Result<(), ExecutionError> {
    let mut found = person(state, &asked.handle)?.ok_or(AccessError::NoPerson)?;
    let is_herself = found.registered.keys.signing == sender && takes_part(state, &found)?;
    let may_herself = matches!(asked.change, PersonChange::Rotate(_));
    if !(is_herself && may_herself) && admin(state, &sender)? != found.organisation {
        return Err(AccessError::NoPerson.into());
    }
    if !found.is_active {
        return Err(AccessError::Revoked.into());
    }
    let before = found.clone();
    match &asked.change {
        PersonChange::Roles(roles) => {
            refuse_roles(roles)?;
            found.registered.roles = roles.clone();
        }
        PersonChange::Rotate(keys) => {
            if keys.signing == found.registered.keys.signing {
                return Err(AccessError::NothingNew.into());
            }
            take_keys(state, keys, asked.handle)?;
            found.registered.keys = *keys;
        }
        PersonChange::Revoke => found.is_active = false,
    }
    if found == before {
        return Err(AccessError::NothingNew.into());
    }
    found.changed = clock.height;
    state.write(StateKey::person(&asked.handle), &found);
    Ok(())
}

fn refuse_roles(roles: &BTreeSet<Role>) -> Result<(), AccessError> {
    match roles.is_empty() {
        true => Err(AccessError::Roles),
        false => Ok(()),
    }
}

/// Gives keys to a person. A signing key has one owner for good.
fn take_keys<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    keys: &PersonKeys,
    handle: Digest,
) -> Result<(), ExecutionError> {
    // X25519 takes any bytes; those of zero are the one key that everybody knows.
    if !keys.signing.is_valid() || keys.sealing == [0; 32] {
        return Err(AccessError::BadKey.into());
    }
    let is_of_organisation = governance::key_use(state, &keys.signing)?
        .organisation
        .is_some();
    if is_of_organisation || is_taken(state, &keys.signing)? {
        return Err(AccessError::KeyTaken.into());
    }
    state.write(StateKey::person_key(&keys.signing), &handle);
    Ok(())
}

/// Whether a key is or was a device's or a person's.
pub(crate) fn is_taken<V: StateView + ?Sized>(
    view: &V,
    key: &PublicKey,
) -> Result<bool, StateReadError> {
    let of_device = view.get(&StateKey::device_key(key))?;
    let of_person = view.get(&StateKey::person_key(key))?;
    Ok(of_device.is_some() || of_person.is_some())
}
