//! Erasing: the vault's part of it is one commit, in which the tombstone is signed and its certificate stored; after
//! it the write-ahead log is emptied, for what it holds of before.

use std::time::Duration;

use ledger_core::Payload;
use ledger_core::access::{AccessDecision, DecideAccess, PutPolicy};
use ledger_core::device::{ChangeDevice, DeviceChange};

use super::{Outcome, Writer};
use crate::clock::unix_millis;
use crate::erasure::certificate::{Erasure, SignedErasure};
use crate::erasure::destroy::{Target, destroy};
use crate::erasure::{EraseOrder, Erased};
use crate::vault::VaultError;
use crate::vault::erasures::{self, ErasureRow};

impl Writer {
    /// Erases all of a patient or device; none if there is nobody of the kind. Nothing waits for a batch.
    pub(super) fn erase(
        &mut self,
        order: &EraseOrder,
        outcome: &mut Outcome,
    ) -> Result<Option<Erased>, VaultError> {
        let EraseOrder {
            target,
            requests,
            ended,
            disclosed,
            consents,
            in_force,
            backups,
            survey,
        } = order;
        let (vault, master, mut survey) = (&self.connection, &self.parts.master, survey.clone());
        let destroyed = destroy(vault, master, target, (requests, consents), &mut survey)?;
        let Some(destroyed) = destroyed else {
            return Ok(None);
        };
        let erasure = Erasure {
            chain: self.parts.chain,
            node: self.parts.signer.public(),
            handle: destroyed.handle,
            kind: target.kind(),
            erased_millis: unix_millis(),
            streams: destroyed.streams,
            assignments: destroyed.assignments,
            reasons: destroyed.reasons,
            ended: ended.clone(),
            disclosed: disclosed.clone(),
            backups: backups.clone(),
        };
        let signed = SignedErasure::sign(&erasure, &self.parts.signer)?;
        let tombstone = Payload::Tombstone(signed.tombstone(&erasure));
        let row = ErasureRow {
            device: match target {
                Target::Patient(_) => None,
                Target::Device(id) => Some(id.clone()),
            },
            tx: self.send_alone(tombstone, outcome)?,
            signed,
        };
        erasures::insert(&self.connection, &row)?;
        for access in ended {
            let decided = DecideAccess {
                access: *access,
                decision: AccessDecision::End,
            };
            self.send_alone(Payload::DecideAccess(decided), outcome)?;
        }
        for (scope, name) in in_force {
            let retracted = PutPolicy {
                scope: *scope,
                name: name.clone(),
                text: None,
                grounds: None,
            };
            self.send_alone(Payload::PutPolicy(retracted), outcome)?;
        }
        for handle in destroyed.worn_now {
            let change = ChangeDevice {
                handle,
                change: DeviceChange::Assign(None),
            };
            self.send_alone(Payload::ChangeDevice(change), outcome)?;
        }
        // Their keys are others now.
        self.reload_streams()?;
        Ok(Some(Erased { erasure, row }))
    }

    /// Empties the write-ahead log, if that is due. Once it waits for those who read, so that they end; where they do
    /// not, it is tried again after each commit, and at each start.
    pub(super) fn empty_log(&mut self, is_first: bool) {
        if !self.is_log_due {
            return;
        }
        let wait = match is_first {
            true => crate::vault::BUSY,
            false => Duration::ZERO,
        };
        let emptied = self
            .connection
            .busy_timeout(wait)
            .map_err(VaultError::from)
            .and_then(|()| crate::vault::empty_log(&self.connection));
        match emptied {
            Ok(is_empty) => self.is_log_due = !is_empty,
            Err(error) => tracing::warn!(%error, "the vault's log could not be emptied yet"),
        }
        if let Err(error) = self.connection.busy_timeout(crate::vault::BUSY) {
            tracing::warn!(%error, "the vault's patience could not be set");
        }
    }
}
