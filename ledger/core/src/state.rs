//! The state machine: which transactions a state accepts, and the state they lead to.
//!
//! `execute(state, transactions) → (writes, outcomes)`: deterministic, over ordered maps and checked
//! integers, with the block's own height and time and no other clock.
//!
//! | Key | Value | Changed by |
//! |---|---|---|
//! | `clock` | [`Clock`] | every block |
//! | `genesis` | [`Genesis`] | height 0 |
//! | `validators` | [`ValidatorSet`] | height 0 |
//! | `member/KEY` | [`Member`] | height 0 |
//! | `account/KEY` | [`Account`] | every transaction of this sender |
//! | `device/HANDLE` | [`Device`] | register device |
//! | `anchor/KEY` | [`AnchorHead`] | anchor batch |
//!
//! A sender's anchors are kept as one entry of constant size: how many, and a digest over all their
//! roots. What each held is in the blocks.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::batch::{AnchorBatch, MAX_READINGS, MAX_STREAMS};
use crate::canonical;
use crate::digest::Digest;
use crate::genesis::{Genesis, Member};
use crate::ids::{BatchNumber, Height, Nonce};
use crate::key::PublicKey;
use crate::transaction::{Payload, RegisterDevice, VerifiedTransaction};
use crate::validators::ValidatorSet;

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
    /// The sender may not send transactions.
    #[error("the sender is not a member of the consortium")]
    NotMember,
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

/// Executes the transactions of one block over the state before it.
pub struct Executor<'a, V: StateView + ?Sized> {
    view: &'a V,
    clock: Clock,
    writes: Writes,
}

/// The entries a block changes, in order.
pub type Writes = BTreeMap<StateKey, Vec<u8>>;

impl<'a, V: StateView + ?Sized> Executor<'a, V> {
    /// Starts a block at `height` and `time_millis`.
    pub fn new(view: &'a V, height: Height, time_millis: u64) -> Self {
        Self {
            view,
            clock: Clock {
                height,
                time_millis,
            },
            writes: Writes::new(),
        }
    }

    /// Executes one transaction. A refused one changes nothing.
    ///
    /// # Errors
    /// [`ExecutionError`].
    pub fn apply(&mut self, transaction: &VerifiedTransaction) -> Result<(), ExecutionError> {
        let sender = transaction.sender();
        let at_start = self.clock.height == Height(0);
        if let Payload::Genesis(genesis) = &transaction.body().payload {
            let own = transaction.body().chain == genesis.chain_id();
            if !at_start || !self.writes.is_empty() || !own {
                return Err(ExecutionError::Genesis);
            }
            self.found(genesis);
            return Ok(());
        }
        if at_start {
            return Err(ExecutionError::Genesis);
        }
        if self.get::<Member>(&StateKey::member(&sender))?.is_none() {
            return Err(ExecutionError::NotMember);
        }
        let account: Account = self.get(&StateKey::account(&sender))?.unwrap_or_default();
        let actual = transaction.body().nonce;
        if actual != account.next_nonce {
            return Err(ExecutionError::Nonce {
                expected: account.next_nonce,
                actual,
            });
        }
        let next_nonce = actual.next().ok_or(ExecutionError::Overflow)?;
        match &transaction.body().payload {
            Payload::Genesis(_) => return Err(ExecutionError::Genesis),
            Payload::RegisterDevice(device) => self.register(sender, *device)?,
            Payload::AnchorBatch(anchor) => self.anchor(sender, anchor)?,
        }
        self.put(StateKey::account(&sender), &Account { next_nonce });
        Ok(())
    }

    /// Ends the block: all entries it changes.
    #[must_use]
    pub fn finish(mut self) -> Writes {
        let clock = self.clock;
        self.put(StateKey::clock(), &clock);
        self.writes
    }

    fn found(&mut self, genesis: &Genesis) {
        self.put(StateKey::genesis(), genesis);
        self.put(StateKey::validators(), &genesis.validators);
        for member in &genesis.members {
            self.put(StateKey::member(&member.key), member);
        }
    }

    fn register(
        &mut self,
        registrar: PublicKey,
        registration: RegisterDevice,
    ) -> Result<(), ExecutionError> {
        let key = StateKey::device(&registration.handle);
        if self.get::<Device>(&key)?.is_some() {
            return Err(ExecutionError::DeviceExists);
        }
        let device = Device {
            registrar,
            registration,
            height: self.clock.height,
        };
        self.put(key, &device);
        Ok(())
    }

    fn anchor(&mut self, sender: PublicKey, anchor: &AnchorBatch) -> Result<(), ExecutionError> {
        let key = StateKey::anchor(&sender);
        let head: AnchorHead = self.get(&key)?.unwrap_or_default();
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
        self.put(key, &next);
        Ok(())
    }

    fn get<T: Serialize + DeserializeOwned>(
        &self,
        key: &StateKey,
    ) -> Result<Option<T>, StateReadError> {
        match self.writes.get(key) {
            Some(bytes) => decode_entry(bytes).map(Some),
            None => read(self.view, key),
        }
    }

    fn put<T: Serialize>(&mut self, key: StateKey, value: &T) {
        self.writes.insert(key, canonical::encode(value));
    }
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
