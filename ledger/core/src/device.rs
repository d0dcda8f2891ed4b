//! Devices on the ledger: who serves them, whether they are in service, and which may hear which.
//!
//! A device is a random handle. Its node registers it; from then on the node's organisation decides what
//! becomes of it, and every node of the consortium can tell whether data under the handle count:
//!
//! ```text
//!               suspend                 retire
//!  in service ──────────▶ suspended ─────────────▶ retired        (for good)
//!      ▲  └──────────────────│───────────────────────▲
//!      └────────resume───────┘
//! ```
//!
//! *Hand over* names another node of the consortium as the one that serves it; only the serving node says so,
//! since only it can pass on the pairing key. *Assign* keeps a salted commitment to whose device it is: nobody
//! can tell a person, or that two periods are the same person's, from it.
//!
//! A device that signs for itself registers its key and then sends its own anchors, under the same rules as a
//! node's; nothing else.
//!
//! Devices never talk to each other. One that wants another's data has its node ask (*ask interaction*). Where
//! one organisation serves both, the ledger grants at once; otherwise the source's organisation decides. Either
//! side ends it. What is relayed is not on the ledger, only that it may be, from when and until when.
//!
//! A registration, a change or an interaction that makes no sense any more when its turn comes is void: it stands in its block
//! and changes nothing. [`check`] tells beforehand why.
//!
//! Left out: what a device measures, and whose it is.

use serde::{Deserialize, Serialize};

use crate::access;
use crate::digest::Digest;
use crate::genesis::Member;
use crate::governance;
use crate::ids::{Height, OrganisationId};
use crate::key::PublicKey;
use crate::state::{
    Clock, Device, ExecutionError, Overlay, StateKey, StateReadError, StateView, read,
};
use crate::transaction::{Payload, RegisterDevice};

/// Shortest time an interaction may be asked for, in milliseconds.
pub const MIN_INTERACTION_MILLIS: u64 = 1_000;
/// Longest time an interaction may be asked for: thirty days, in milliseconds.
pub const MAX_INTERACTION_MILLIS: u64 = 30 * 24 * 3_600_000;

/// Whether a device's data count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DeviceStanding {
    /// They do.
    InService,
    /// They do not, for now.
    Suspended,
    /// They do not any more.
    Retired,
}

/// What became of a device since it was registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeviceLife {
    /// The node that serves it.
    pub node: PublicKey,
    /// Whether its data count.
    pub standing: DeviceStanding,
    /// A salted commitment to whose device it is; none while it is nobody's.
    pub assignment: Option<Digest>,
    /// The device's own key, if it signs for itself.
    pub key: Option<PublicKey>,
    /// The block that changed it last.
    pub changed: Height,
    /// The node that handed it over last, and knows its pairing key.
    pub handed_by: Option<PublicKey>,
    /// How often it was handed over: a node serves it under the pairing of this hand-over only.
    pub handovers: u32,
}

impl DeviceLife {
    /// A device that was registered and not changed since.
    const fn of(device: &Device) -> Self {
        Self {
            node: device.registrar,
            standing: DeviceStanding::InService,
            assignment: None,
            key: device.registration.key,
            changed: device.height,
            handed_by: None,
            handovers: 0,
        }
    }
}

/// Changes a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangeDevice {
    /// The device.
    pub handle: Digest,
    /// The change.
    pub change: DeviceChange,
}

/// What can become of a device. New variants go to the end: the bytes are on chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DeviceChange {
    /// It is somebody's from now on, by a salted commitment; `None` if it is nobody's.
    Assign(Option<Digest>),
    /// Its data do not count until it is resumed.
    Suspend,
    /// They count again.
    Resume,
    /// They do not count any more. Cannot be undone.
    Retire,
    /// It signs with another key from now on. Only of a device that signs for itself.
    RotateKey(PublicKey),
    /// Another node of the consortium serves it from now on.
    HandOver(PublicKey),
}

impl DeviceChange {
    /// The change's name, for tables and screens.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Assign(Some(_)) => "assign",
            Self::Assign(None) => "unassign",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Retire => "retire",
            Self::RotateKey(_) => "rotate_key",
            Self::HandOver(_) => "hand_over",
        }
    }
}

/// The commitment to whose device it is: `subject` is a pseudonym, `salt` fresh for each assignment, so that
/// two assignments to the same person have nothing in common on chain.
#[must_use]
pub fn assignment(salt: &[u8; 32], subject: &[u8]) -> Digest {
    Digest::tagged("fogward/assignment/1", &[salt, subject])
}

/// Asks that one device may hear another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AskInteraction {
    /// The device that wants to hear.
    pub asker: Digest,
    /// The device that is heard.
    pub source: Digest,
    /// For how long, in milliseconds from the block on that takes it.
    pub for_millis: u64,
}

impl AskInteraction {
    /// Under which the ledger keeps it: one interaction of two devices at a time.
    #[must_use]
    pub fn id(&self) -> Digest {
        Digest::tagged("fogward/interaction/1", &[&self.asker.0, &self.source.0])
    }
}

/// Grants, refuses or ends an interaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DecideInteraction {
    /// Which, by [`AskInteraction::id`].
    pub interaction: Digest,
    /// Whether it may be.
    pub allow: bool,
}

/// Where an interaction stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum InteractionState {
    /// The source's organisation has not decided.
    Asked,
    /// The asker may hear the source until the time is over.
    Granted,
    /// The source's organisation said no.
    Refused,
    /// One of the two sides ended it before its time.
    Ended,
}

/// What the ledger keeps of an interaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Interaction {
    /// What was asked.
    pub asked: AskInteraction,
    /// Where it stands.
    pub state: InteractionState,
    /// When it ends by itself, in Unix milliseconds of block time.
    pub until_millis: u64,
    /// The block that changed it last.
    pub changed: Height,
}

impl Interaction {
    /// Whether it waits or is granted, and its time is not over.
    #[must_use]
    pub const fn is_open_at(&self, time_millis: u64) -> bool {
        matches!(
            self.state,
            InteractionState::Asked | InteractionState::Granted
        ) && time_millis < self.until_millis
    }
}

/// Why the ledger does not take a change of a device or an interaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DeviceError {
    /// No such handle.
    #[error("no device is registered under this handle")]
    Unknown,
    /// Not its organisation.
    #[error("the device is served by another organisation's node")]
    NotYours,
    /// Not its node.
    #[error("only the node that serves the device hands it over")]
    NotServing,
    /// Retired.
    #[error("the device is retired")]
    Retired,
    /// Suspended or retired.
    #[error("the device is not in service")]
    NotInService,
    /// Nothing would change.
    #[error("the device is so already")]
    NothingNew,
    /// Not a node to hand it to.
    #[error("the device can only be handed to an active node of the consortium")]
    NotANode,
    /// The key is in use.
    #[error("the key is in use already")]
    KeyTaken,
    /// A bad key.
    #[error("the key is none that a signature could hold of")]
    BadKey,
    /// It has no key.
    #[error("the device does not sign for itself, so it has no key to rotate")]
    NoKey,
    /// The time asked for.
    #[error("an interaction is asked for at least a second and at most thirty days")]
    Duration,
    /// A device and itself.
    #[error("a device does not ask for its own data")]
    Itself,
    /// Asked or granted already.
    #[error("the two devices have an open interaction already")]
    AlreadyOpen,
    /// No such interaction, or not open any more.
    #[error("there is no such open interaction")]
    NoInteraction,
}

/// What became of a device; `None` if no such handle is registered.
///
/// # Errors
/// [`StateReadError`].
pub fn life<V: StateView + ?Sized>(
    view: &V,
    handle: &Digest,
) -> Result<Option<DeviceLife>, StateReadError> {
    if let Some(life) = read(view, &StateKey::device_life(handle))? {
        return Ok(Some(life));
    }
    let device: Option<Device> = read(view, &StateKey::device(handle))?;
    Ok(device.as_ref().map(DeviceLife::of))
}

/// An interaction, open or not.
///
/// # Errors
/// [`StateReadError`].
pub fn interaction<V: StateView + ?Sized>(
    view: &V,
    id: &Digest,
) -> Result<Option<Interaction>, StateReadError> {
    read(view, &StateKey::interaction(id))
}

/// How many changes of devices and interactions there were: while it stays, so does all that is told here.
///
/// # Errors
/// [`StateReadError`].
pub fn changes<V: StateView + ?Sized>(view: &V) -> Result<u64, StateReadError> {
    Ok(read(view, &StateKey::device_changes())?.unwrap_or(0))
}

/// Whether the asker may hear the source at `time_millis` of block time: granted, not over, both in service.
///
/// # Errors
/// [`StateReadError`].
pub fn may_hear<V: StateView + ?Sized>(
    view: &V,
    id: &Digest,
    time_millis: u64,
) -> Result<bool, StateReadError> {
    let Some(found) = interaction(view, id)? else {
        return Ok(false);
    };
    let holds = found.state == InteractionState::Granted && found.is_open_at(time_millis);
    Ok(holds
        && is_in_service(view, &found.asked.asker)?
        && is_in_service(view, &found.asked.source)?)
}

fn is_in_service<V: StateView + ?Sized>(view: &V, handle: &Digest) -> Result<bool, StateReadError> {
    let life = life(view, handle)?;
    Ok(life.is_some_and(|life| life.standing == DeviceStanding::InService))
}

/// Whether `key` is of a device in service that signs for itself.
///
/// # Errors
/// [`StateReadError`].
pub fn signs_for_itself<V: StateView + ?Sized>(
    view: &V,
    key: &PublicKey,
) -> Result<bool, StateReadError> {
    let handle: Option<Digest> = read(view, &StateKey::device_key(key))?;
    let Some(handle) = handle else {
        return Ok(false);
    };
    let life = life(view, &handle)?;
    Ok(life
        .is_some_and(|life| life.standing == DeviceStanding::InService && life.key == Some(*key)))
}

/// Why a registration, a change or an interaction would be void if it were executed at `clock`; for whoever is
/// about to sign one.
///
/// # Errors
/// [`ExecutionError::Device`], [`ExecutionError::DeviceExists`], or [`ExecutionError::State`].
pub fn check<V: StateView + ?Sized>(
    view: &V,
    clock: Clock,
    sender: PublicKey,
    payload: &Payload,
) -> Result<(), ExecutionError> {
    apply(&mut Overlay::new(view), clock, sender, payload)
}

/// Executes a registration, a change or an interaction.
pub(crate) fn apply<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    payload: &Payload,
) -> Result<(), ExecutionError> {
    match payload {
        Payload::ChangeDevice(asked) => change(state, clock, sender, *asked)?,
        Payload::AskInteraction(asked) => ask(state, clock, sender, *asked)?,
        Payload::DecideInteraction(decided) => decide(state, clock, sender, *decided)?,
        Payload::RegisterDevice(registration) => {
            return register(state, clock, sender, *registration);
        }
        _ => return Ok(()),
    }
    state.count_up(StateKey::device_changes())
}

/// Makes a device known.
fn register<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    registrar: PublicKey,
    registration: RegisterDevice,
) -> Result<(), ExecutionError> {
    let key = StateKey::device(&registration.handle);
    if state.read::<Device>(&key)?.is_some() {
        return Err(ExecutionError::DeviceExists);
    }
    if let Some(own) = registration.key {
        take_key(state, own, registration.handle)?;
    }
    let device = Device {
        registrar,
        registration,
        height: clock.height,
    };
    state.write(key, &device);
    Ok(())
}

/// Changes a device, if the sender may.
fn change<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    asked: ChangeDevice,
) -> Result<(), ExecutionError> {
    let mut life = served_by(state, &asked.handle, &sender)?;
    let before = life;
    if life.standing == DeviceStanding::Retired {
        return Err(DeviceError::Retired.into());
    }
    match asked.change {
        DeviceChange::Assign(assignment) => life.assignment = assignment,
        DeviceChange::Suspend => life.standing = DeviceStanding::Suspended,
        DeviceChange::Resume => life.standing = DeviceStanding::InService,
        DeviceChange::Retire => {
            life.standing = DeviceStanding::Retired;
            life.assignment = None;
        }
        DeviceChange::RotateKey(key) => {
            life.key.ok_or(DeviceError::NoKey)?;
            if life.key != Some(key) {
                take_key(state, key, asked.handle)?;
            }
            life.key = Some(key);
        }
        DeviceChange::HandOver(node) => {
            if life.node != sender {
                return Err(DeviceError::NotServing.into());
            }
            if node != sender && organisation_of(state, &node, true)?.is_none() {
                return Err(DeviceError::NotANode.into());
            }
            if node != sender {
                life.handed_by = Some(sender);
                let next = life.handovers.checked_add(1);
                life.handovers = next.ok_or(ExecutionError::Overflow)?;
            }
            life.node = node;
        }
    }
    if life == before {
        return Err(DeviceError::NothingNew.into());
    }
    life.changed = clock.height;
    state.write(StateKey::device_life(&asked.handle), &life);
    Ok(())
}

/// Asks for an interaction; grants it where one organisation serves both devices.
fn ask<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    asked: AskInteraction,
) -> Result<(), ExecutionError> {
    if !(MIN_INTERACTION_MILLIS..=MAX_INTERACTION_MILLIS).contains(&asked.for_millis) {
        return Err(DeviceError::Duration.into());
    }
    if asked.asker == asked.source {
        return Err(DeviceError::Itself.into());
    }
    let asker = served_by(state, &asked.asker, &sender)?;
    let source = life(state, &asked.source)?.ok_or(DeviceError::Unknown)?;
    if [asker, source].map(|life| life.standing) != [DeviceStanding::InService; 2] {
        return Err(DeviceError::NotInService.into());
    }
    let id = asked.id();
    let earlier = interaction(state, &id)?;
    if earlier.is_some_and(|earlier| earlier.is_open_at(clock.time_millis)) {
        return Err(DeviceError::AlreadyOpen.into());
    }
    let is_own = is_served_by(state, &asked.source, &sender)?;
    let until_millis = clock
        .time_millis
        .checked_add(asked.for_millis)
        .ok_or(DeviceError::Duration)?;
    let new = Interaction {
        asked,
        state: match is_own {
            true => InteractionState::Granted,
            false => InteractionState::Asked,
        },
        until_millis,
        changed: clock.height,
    };
    state.write(StateKey::interaction(&id), &new);
    Ok(())
}

/// Grants, refuses or ends an open interaction.
fn decide<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    decided: DecideInteraction,
) -> Result<(), ExecutionError> {
    let found = interaction(state, &decided.interaction)?;
    let mut found = found
        .filter(|found| found.is_open_at(clock.time_millis))
        .ok_or(DeviceError::NoInteraction)?;
    let by_source = is_served_by(state, &found.asked.source, &sender)?;
    let by_asker = is_served_by(state, &found.asked.asker, &sender)?;
    found.state = match (decided.allow, found.state) {
        (true, InteractionState::Asked) if by_source => InteractionState::Granted,
        (true, _) if by_source => return Err(DeviceError::NothingNew.into()),
        (false, InteractionState::Asked) if by_source => InteractionState::Refused,
        (false, _) if by_source || by_asker => InteractionState::Ended,
        _ => return Err(DeviceError::NotYours.into()),
    };
    found.changed = clock.height;
    state.write(StateKey::interaction(&decided.interaction), &found);
    Ok(())
}

/// The device, if a node of the sender's organisation serves it.
fn served_by<V: StateView + ?Sized>(
    view: &V,
    handle: &Digest,
    sender: &PublicKey,
) -> Result<DeviceLife, ExecutionError> {
    let life = life(view, handle)?.ok_or(DeviceError::Unknown)?;
    match is_served_by(view, handle, sender)? {
        true => Ok(life),
        false => Err(DeviceError::NotYours.into()),
    }
}

/// Whether a node of the sender's organisation serves a device. The node may be gone from the consortium,
/// the sender may not.
fn is_served_by<V: StateView + ?Sized>(
    view: &V,
    handle: &Digest,
    sender: &PublicKey,
) -> Result<bool, StateReadError> {
    let Some(life) = life(view, handle)? else {
        return Ok(false);
    };
    let of_sender = organisation_of(view, sender, true)?;
    Ok(of_sender.is_some() && of_sender == organisation_of(view, &life.node, false)?)
}

/// The organisation of a node: of an active one, or of one that ever was.
fn organisation_of<V: StateView + ?Sized>(
    view: &V,
    node: &PublicKey,
    active: bool,
) -> Result<Option<OrganisationId>, StateReadError> {
    let member: Option<Member> = read(view, &StateKey::member(node))?;
    let member = member.filter(|member| !active || member.standing == governance::Standing::Active);
    Ok(member.map(|member| member.organisation))
}

/// Gives a key to a device; a key has one owner for good.
fn take_key<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    key: PublicKey,
    handle: Digest,
) -> Result<(), ExecutionError> {
    if !key.is_valid() {
        return Err(DeviceError::BadKey.into());
    }
    let is_of_organisation = governance::key_use(state, &key)?.organisation.is_some();
    if access::is_taken(state, &key)? || is_of_organisation {
        return Err(DeviceError::KeyTaken.into());
    }
    state.write(StateKey::device_key(&key), &handle);
    Ok(())
}
