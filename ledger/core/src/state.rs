//! The state machine: which transactions a state accepts, and the state they lead to.
//!
//! `execute(state, transactions) → (writes, outcomes)`: deterministic, over ordered maps and checked
//! integers, with the block's own height and time and no other clock.
//!
//! | Key | Value | Changed by |
//! |---|---|---|
//! | `clock` | [`Clock`] | every block |
//! | `genesis` | [`crate::genesis::Genesis`] | height 0 |
//! | `parameters` | [`crate::parameters::Parameters`] | height 0, votes |
//! | `validators` | [`ValidatorSet`] | height 0, the queue at the end of a block |
//! | `member/KEY` | [`crate::genesis::Member`] | height 0, votes |
//! | `account/KEY` | [`Account`] | every transaction of this sender |
//! | `device/HANDLE` | [`Device`] | register device |
//! | `device-life/HANDLE` | [`crate::device::DeviceLife`] | change device |
//! | `device-changes` | how many there were, `u64` | change device, ask and decide interaction |
//! | `device-key/KEY` | the device's handle | register device, change device |
//! | `interaction/ID` | [`crate::device::Interaction`] | ask and decide interaction |
//! | `anchor/KEY` | [`AnchorHead`] | anchor batch, votes that rotate the node's key |
//!
//! The entries of organisations, votes and the queue are listed in [`crate::governance`], those of people, policies
//! and requests in [`crate::access`].
//!
//! A sender's anchors are kept as one entry of constant size: how many, and a digest over all their
//! roots. What each held is in the blocks.

mod overlay;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::access::{self, AccessError, Logged, Scope};
use crate::batch::{AnchorBatch, MAX_READINGS, MAX_STREAMS};
use crate::canonical;
use crate::device::{self, DeviceError};
use crate::digest::Digest;
use crate::genesis::Member;
use crate::governance::{self, GovernanceError, Standing};
use crate::ids::{BatchNumber, Height, Nonce, OrganisationId, ProposalNumber};
use crate::key::PublicKey;
use crate::transaction::{Payload, RegisterDevice, VerifiedTransaction};
use crate::validators::ValidatorSet;

pub use self::overlay::Overlay;

/// Longest value of a state entry in bytes.
pub const MAX_STATE_VALUE_BYTES: usize = 2 << 20;

/// Name of a state entry.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StateKey(pub Vec<u8>);

impl StateKey {
    /// Height and time of the last block.
    #[must_use]
    pub fn clock() -> Self {
        Self(b"clock".to_vec())
    }

    /// The genesis document.
    #[must_use]
    pub fn genesis() -> Self {
        Self(b"genesis".to_vec())
    }

    /// The rules in force.
    #[must_use]
    pub fn parameters() -> Self {
        Self(b"parameters".to_vec())
    }

    /// How many voices each kind of change needs.
    #[must_use]
    pub fn thresholds() -> Self {
        Self(b"thresholds".to_vec())
    }

    /// The ids of all organisations.
    #[must_use]
    pub fn organisations() -> Self {
        Self(b"organisations".to_vec())
    }

    /// The open proposals and the next number.
    #[must_use]
    pub fn agenda() -> Self {
        Self(b"agenda".to_vec())
    }

    /// Approved changes of validators that wait for their block.
    #[must_use]
    pub fn queue() -> Self {
        Self(b"queue".to_vec())
    }

    /// An organisation.
    #[must_use]
    pub fn organisation(id: &OrganisationId) -> Self {
        Self::under(b"organisation/", &id.0)
    }

    /// The keys of an organisation's active nodes.
    #[must_use]
    pub fn nodes(id: &OrganisationId) -> Self {
        Self::under(b"nodes/", &id.0)
    }

    /// What a key is used for in the consortium.
    #[must_use]
    pub fn key_use(key: &PublicKey) -> Self {
        Self::under(b"key/", &key.0)
    }

    /// A proposal, open or decided.
    #[must_use]
    pub fn proposal(number: ProposalNumber) -> Self {
        Self::under(b"proposal/", &number.0.to_be_bytes())
    }

    /// The validators of the next height.
    #[must_use]
    pub fn validators() -> Self {
        Self(b"validators".to_vec())
    }

    /// A node that may send transactions.
    #[must_use]
    pub fn member(key: &PublicKey) -> Self {
        Self::under(b"member/", &key.0)
    }

    /// A sender's nonce.
    #[must_use]
    pub fn account(key: &PublicKey) -> Self {
        Self::under(b"account/", &key.0)
    }

    /// A registered device.
    #[must_use]
    pub fn device(handle: &Digest) -> Self {
        Self::under(b"device/", &handle.0)
    }

    /// What became of a device since.
    #[must_use]
    pub fn device_life(handle: &Digest) -> Self {
        Self::under(b"device-life/", &handle.0)
    }

    /// How many changes of devices and interactions there were.
    #[must_use]
    pub fn device_changes() -> Self {
        Self(b"device-changes".to_vec())
    }

    /// Whose a device's own key is.
    #[must_use]
    pub fn device_key(key: &PublicKey) -> Self {
        Self::under(b"device-key/", &key.0)
    }

    /// Whether one device may hear another.
    #[must_use]
    pub fn interaction(id: &Digest) -> Self {
        Self::under(b"interaction/", &id.0)
    }

    /// A person.
    #[must_use]
    pub fn person(handle: &Digest) -> Self {
        Self::under(b"person/", &handle.0)
    }

    /// Whose a person's key is or was.
    #[must_use]
    pub fn person_key(key: &PublicKey) -> Self {
        Self::under(b"person-key/", &key.0)
    }

    /// The names of a scope's policies.
    #[must_use]
    pub fn policies(scope: &Scope) -> Self {
        Self::under(b"policies/", &scope.bytes())
    }

    /// A policy.
    #[must_use]
    pub fn policy(scope: &Scope, name: &str) -> Self {
        Self::under(
            b"policy/",
            &[&scope.bytes()[..], b"/", name.as_bytes()].concat(),
        )
    }

    /// All that was put in force or out of it in a scope.
    #[must_use]
    pub fn policy_revision(scope: &Scope) -> Self {
        Self::under(b"policy-revision/", &scope.bytes())
    }

    /// A request.
    #[must_use]
    pub fn access(handle: &Digest) -> Self {
        Self::under(b"access/", &handle.0)
    }

    /// What was served under a request.
    #[must_use]
    pub fn receipts(access: &Digest) -> Self {
        Self::under(b"receipts/", &access.0)
    }

    /// How many tombstones an organisation has.
    #[must_use]
    pub fn tombstones(organisation: &OrganisationId) -> Self {
        Self::under(b"tombstones/", &organisation.0)
    }

    /// One of an organisation's tombstones.
    #[must_use]
    pub fn tombstone(organisation: &OrganisationId, number: u64) -> Self {
        let name = [&organisation.0[..], b"/", &number.to_be_bytes()].concat();
        Self::under(b"tombstone/", &name)
    }

    /// How many changes of people, policies and requests there were.
    #[must_use]
    pub fn access_changes() -> Self {
        Self(b"access-changes".to_vec())
    }

    /// The head of the access log.
    #[must_use]
    pub fn access_log() -> Self {
        Self(b"access-log".to_vec())
    }

    /// A sender's anchors.
    #[must_use]
    pub fn anchor(key: &PublicKey) -> Self {
        Self::under(b"anchor/", &key.0)
    }

    fn under(prefix: &[u8], key: &[u8]) -> Self {
        Self([prefix, key].concat())
    }
}

/// Height and time of the last block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Clock {
    /// Its height.
    pub height: Height,
    /// Its time in Unix milliseconds.
    pub time_millis: u64,
}

/// What the ledger keeps of a sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Account {
    /// The nonce its next transaction must carry.
    pub next_nonce: Nonce,
}

/// What the ledger keeps of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Device {
    /// Who registered it.
    pub registrar: PublicKey,
    /// What was registered.
    pub registration: RegisterDevice,
    /// At which height.
    pub height: Height,
}

/// What the ledger keeps of a node's anchors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AnchorHead {
    /// The number its next batch must carry.
    pub next_batch: BatchNumber,
    /// Readings anchored so far.
    pub readings: u64,
    /// `tagged("fogward/anchors/1", previous ‖ batch root)`, from zero on.
    pub accumulator: Digest,
}

/// Reads the state that a block starts from.
pub trait StateView {
    /// The value under `key`, if there is one.
    ///
    /// # Errors
    /// A message for the log if the store cannot be read.
    fn get(&self, key: &StateKey) -> Result<Option<Vec<u8>>, StateReadError>;
}

/// The state could not be read; not the fault of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the state could not be read: {0}")]
pub struct StateReadError(pub String);

/// Why the state does not accept a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecutionError {
    /// The store failed; says nothing about the transaction.
    #[error(transparent)]
    State(#[from] StateReadError),
    /// The sender may not send such transactions.
    #[error("the sender is not a member of the consortium")]
    NotMember,
    /// A proposal or a vote the consortium's rules do not allow, or a genesis that could not found one.
    #[error(transparent)]
    Governance(#[from] GovernanceError),
    /// Executed before, or one before it is missing.
    #[error("the sender's next nonce is {expected}, not {actual}")]
    Nonce {
        /// What the state expects.
        expected: Nonce,
        /// What the transaction carries.
        actual: Nonce,
    },
    /// Anchored before, or one before it is missing.
    #[error("the node's next batch is {expected}, not {actual}")]
    Batch {
        /// What the state expects.
        expected: BatchNumber,
        /// What the transaction carries.
        actual: BatchNumber,
    },
    /// A batch without readings, or with more than allowed.
    #[error("a batch needs at least one stream, no more streams than readings, and has limits")]
    BatchSize,
    /// The handle is taken.
    #[error("a device is registered under this handle already")]
    DeviceExists,
    /// Not as the rules of devices want it. Of a change or an interaction only [`device::check`] says so.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Not as the rules of people, policies and access want it. Only [`access::check`] says so.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A genesis outside height 0, or of another chain, or something else at height 0.
    #[error("the genesis of this chain stands alone at height 0, and nothing else does")]
    Genesis,
    /// Larger than a whole block may be.
    #[error("the transaction is larger than the genesis allows a block to be")]
    TooLarge,
    /// A counter would overflow.
    #[error("a counter of the ledger is at its end")]
    Overflow,
}

/// The entries a block changes, in order.
pub type Writes = BTreeMap<StateKey, Vec<u8>>;

/// Executes the transactions of one block over the state before it.
pub struct Executor<'a, V: StateView + ?Sized> {
    state: Overlay<'a, V>,
    clock: Clock,
    logged: Option<Logged>,
}

impl<'a, V: StateView + ?Sized> Executor<'a, V> {
    /// Starts a block at `height` and `time_millis`.
    pub const fn new(view: &'a V, height: Height, time_millis: u64) -> Self {
        Self {
            state: Overlay::new(view),
            clock: Clock {
                height,
                time_millis,
            },
            logged: None,
        }
    }

    /// Executes one transaction. A refused one changes nothing.
    ///
    /// # Errors
    /// [`ExecutionError`].
    pub fn apply(&mut self, transaction: &VerifiedTransaction) -> Result<(), ExecutionError> {
        self.logged = None;
        let (sender, body) = (transaction.sender(), transaction.body());
        let at_start = self.clock.height == Height(0);
        if let Payload::Genesis(genesis) = &body.payload {
            let own = body.chain == genesis.chain_id();
            if !at_start || !self.state.is_unchanged() || !own {
                return Err(ExecutionError::Genesis);
            }
            return self.tried(|state, _| governance::found(state, genesis));
        }
        if at_start {
            return Err(ExecutionError::Genesis);
        }
        let may_send = match body.payload {
            Payload::Propose(_) | Payload::Vote(_) => true,
            Payload::AnchorBatch(_) => may_anchor(&self.state, &sender)?,
            Payload::RegisterPerson(_)
            | Payload::ChangePerson(_)
            | Payload::PutPolicy(_)
            | Payload::AskAccess(_)
            | Payload::DecideAccess(_)
            | Payload::GrantAccess(_)
            | Payload::Receipt(_)
            | Payload::ReadLog(_) => may_send(&self.state, &sender)?,
            _ => is_active_member(&self.state, &sender)?,
        };
        if !may_send {
            return Err(ExecutionError::NotMember);
        }
        let next_nonce = self.next_nonce(&sender, body.nonce)?;
        match &body.payload {
            Payload::Genesis(_) => return Err(ExecutionError::Genesis),
            Payload::AnchorBatch(anchor) => self.anchor(sender, anchor)?,
            Payload::Propose(propose) => {
                self.tried(|state, clock| governance::propose(state, clock, sender, propose))?;
            }
            Payload::Vote(vote) => {
                self.tried(|state, clock| governance::vote(state, clock, sender, *vote))?;
            }
            payload => {
                let mut logged = None;
                let tried = self.tried(|state, clock| {
                    device::apply(state, clock, sender, payload)?;
                    access::apply(state, clock, sender, payload)?;
                    logged = access::enter(state, clock, transaction)?;
                    Ok(())
                });
                // What makes no sense any more when its turn comes changes nothing, but its nonce is used:
                // the anchors of the same node behind it must not wait for ever.
                match tried {
                    Ok(()) => self.logged = logged,
                    Err(ExecutionError::Device(_) | ExecutionError::Access(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        self.state
            .write(StateKey::account(&sender), &Account { next_nonce });
        Ok(())
    }

    /// What the last transaction that was applied has entered in the access log, once.
    pub const fn take_logged(&mut self) -> Option<Logged> {
        self.logged.take()
    }

    /// Ends the block: expires and counts proposals, applies what the queue's turn is, and gives all
    /// entries the block changes.
    ///
    /// # Errors
    /// [`StateReadError`] if the state before the block cannot be read.
    pub fn finish(mut self) -> Result<Writes, StateReadError> {
        let clock = self.clock;
        if clock.height != Height(0) {
            governance::end_block(&mut self.state, clock)?;
        }
        self.state.write(StateKey::clock(), &clock);
        Ok(self.state.into_writes())
    }

    /// Does `work`, keeping its changes only if it succeeds.
    fn tried(
        &mut self,
        work: impl FnOnce(&mut Overlay<'_, Overlay<'a, V>>, Clock) -> Result<(), ExecutionError>,
    ) -> Result<(), ExecutionError> {
        let mut trial = Overlay::new(&self.state);
        work(&mut trial, self.clock)?;
        let writes = trial.into_writes();
        self.state.keep(writes);
        Ok(())
    }

    /// The nonce after `actual`, if that is the sender's next.
    fn next_nonce(&self, sender: &PublicKey, actual: Nonce) -> Result<Nonce, ExecutionError> {
        let account: Option<Account> = self.state.read(&StateKey::account(sender))?;
        let expected = account.unwrap_or_default().next_nonce;
        if actual != expected {
            return Err(ExecutionError::Nonce { expected, actual });
        }
        actual.next().ok_or(ExecutionError::Overflow)
    }

    fn anchor(&mut self, sender: PublicKey, anchor: &AnchorBatch) -> Result<(), ExecutionError> {
        let key = StateKey::anchor(&sender);
        let head: AnchorHead = self.state.read(&key)?.unwrap_or_default();
        if anchor.batch != head.next_batch {
            return Err(ExecutionError::Batch {
                expected: head.next_batch,
                actual: anchor.batch,
            });
        }
        let sizes = anchor.streams >= 1
            && anchor.streams <= anchor.readings
            && anchor.streams <= MAX_STREAMS
            && anchor.readings <= MAX_READINGS;
        if !sizes {
            return Err(ExecutionError::BatchSize);
        }
        let next = AnchorHead {
            next_batch: head.next_batch.next().ok_or(ExecutionError::Overflow)?,
            readings: head
                .readings
                .checked_add(u64::from(anchor.readings))
                .ok_or(ExecutionError::Overflow)?,
            accumulator: Digest::tagged(
                "fogward/anchors/1",
                &[&head.accumulator.0, &anchor.root.0],
            ),
        };
        self.state.write(key, &next);
        Ok(())
    }
}

/// Whether `sender` may send transactions of some kind: an active node, an admin of an active organisation,
/// a device in service that signs for itself, or a person who takes part. For mempools; the executor is stricter
/// and asks for the kind.
///
/// # Errors
/// [`StateReadError`].
pub fn may_send<V: StateView + ?Sized>(
    view: &V,
    sender: &PublicKey,
) -> Result<bool, StateReadError> {
    Ok(may_anchor(view, sender)?
        || governance::admin_of(view, sender)?.is_some()
        || access::person_of(view, sender)?.is_some())
}

/// Whether `sender` may anchor readings.
fn may_anchor<V: StateView + ?Sized>(view: &V, sender: &PublicKey) -> Result<bool, StateReadError> {
    Ok(is_active_member(view, sender)? || device::signs_for_itself(view, sender)?)
}

fn is_active_member<V: StateView + ?Sized>(
    view: &V,
    key: &PublicKey,
) -> Result<bool, StateReadError> {
    let member: Option<Member> = read(view, &StateKey::member(key))?;
    Ok(member.is_some_and(|member| member.standing == Standing::Active))
}

/// Reads one typed entry.
///
/// # Errors
/// [`StateReadError`] if the store fails or holds something else under `key`.
pub fn read<T: Serialize + DeserializeOwned, V: StateView + ?Sized>(
    view: &V,
    key: &StateKey,
) -> Result<Option<T>, StateReadError> {
    view.get(key)?.map(|bytes| decode_entry(&bytes)).transpose()
}

fn decode_entry<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, StateReadError> {
    canonical::decode(bytes, MAX_STATE_VALUE_BYTES)
        .map_err(|error| StateReadError(error.to_string()))
}

/// The validators of the next height: what this block wrote, else what the state holds.
///
/// # Errors
/// [`StateReadError`] if neither is there.
pub fn next_validators<V: StateView + ?Sized>(
    view: &V,
    writes: &Writes,
) -> Result<ValidatorSet, StateReadError> {
    let key = StateKey::validators();
    let found = match writes.get(&key) {
        Some(bytes) => Some(decode_entry(bytes)?),
        None => read(view, &key)?,
    };
    found.ok_or_else(|| StateReadError("no validators".into()))
}
