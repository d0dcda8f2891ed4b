//! This node's part in the consortium: who is in it, what is voted on, who is invited, who may connect.
//!
//! ```text
//! create / invite ──text──▶ join ──knock──▶ door ──proposal──▶ votes ──▶ final ──▶ peers ──▶ connected
//! ```
//!
//! What counts is on the ledger: organisations, nodes, votes. This module brings it there and reads it
//! back. What it keeps itself is the addresses peers listen at, the invitations that are out, and
//! proposals and votes that are not final yet.

mod actions;
mod attendance;
mod catch_up;
mod change;
mod devices;
mod door;
mod findings;
mod found;
pub(crate) mod invitation;
mod invite;
mod issued;
mod join;
mod joining;
mod nearby;
mod noise;
mod online;
mod outbox;
mod peers;
mod pending;
mod series;
pub(crate) mod settings;
mod transfer;
mod view;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger_core::{PublicKey, SecretKey};
use tokio::sync::watch;

pub(crate) use catch_up::keep_up;
pub(crate) use door::keep_door;
pub use found::{Founding, found};
pub(crate) use found::{Names, found_in};
pub use join::{JoinOptions, Joined, join};
pub use nearby::Announce;
pub(crate) use nearby::keep_nearby;
pub(crate) use peers::{keep_peers, known_peers};
pub(crate) use pending::finish_joining;
pub(crate) use transfer::take_over;

pub(crate) use series::LoadLog;

use attendance::Attendance;
use issued::IssuedList;
use nearby::Nearby;
use online::Joining;
use outbox::GovernanceOutbox;
use settings::{FOLDER, NetworkSettings};
use transfer::Transfer;

use crate::people::credential::{Credential, CredentialBody};
use crate::vault::seal::SealError;

/// What the node keeps of its part in the consortium.
pub(crate) struct Membership {
    /// Votes for the organisation.
    admin: SecretKey,
    settings: Mutex<NetworkSettings>,
    issued: Mutex<IssuedList>,
    outbox: GovernanceOutbox,
    attendance: Mutex<Attendance>,
    joining: Mutex<Joining>,
    transfer: Arc<Transfer>,
    nearby: Arc<Nearby>,
    /// One proposal or vote at a time: their nonces follow each other.
    turn: tokio::sync::Mutex<()>,
    /// One joiner at a time.
    door: tokio::sync::Mutex<()>,
    /// Counts changes of the invitations, for who waits for them.
    changes: watch::Sender<u64>,
    /// Whether the door is open.
    is_open: watch::Sender<bool>,
    /// Counts transactions that were taken off the outbox.
    settled: watch::Sender<u64>,
}

impl Membership {
    /// Opens what a data folder holds.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn open(
        data_dir: &Path,
        admin: SecretKey,
        vote: SecretKey,
        settings: NetworkSettings,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            admin,
            nearby: Arc::default(),
            transfer: Arc::new(Transfer::open(data_dir, vote)?),
            settings: Mutex::new(settings),
            issued: Mutex::new(IssuedList::open(data_dir)?),
            outbox: GovernanceOutbox::open(data_dir.join(FOLDER).join("outbox"))?,
            attendance: Mutex::default(),
            joining: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            door: tokio::sync::Mutex::default(),
            changes: watch::Sender::new(0),
            is_open: watch::Sender::new(false),
            settled: watch::Sender::new(0),
        })
    }

    /// The key that votes for the organisation.
    pub(crate) fn admin(&self) -> PublicKey {
        self.admin.public()
    }

    /// Signs who somebody is, in the organisation's name.
    ///
    /// # Errors
    /// [`SealError`] without randomness.
    pub(crate) fn vouch(&self, body: CredentialBody) -> Result<Credential, SealError> {
        Credential::sign(body, &self.admin)
    }

    pub(crate) fn settings(&self) -> MutexGuard<'_, NetworkSettings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issued(&self) -> MutexGuard<'_, IssuedList> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attendance(&self) -> MutexGuard<'_, Attendance> {
        self.attendance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn joining(&self) -> MutexGuard<'_, Joining> {
        self.joining.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}
