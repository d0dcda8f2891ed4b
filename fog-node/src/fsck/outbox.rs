//! The outbox: the node's own transactions from the chain's next nonce on, whole and signed.

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::{
    AnchorBatch, Digest, Nonce, Payload, PublicKey, SignedTransaction, TransactionBody,
};
use rusqlite::Connection;

use super::Report;
use crate::vault::VaultError;
use crate::vault::outbox::{self, OutboxRow};

/// The outbox beside what the chain has executed of this node.
pub(super) struct Outbox {
    node: PublicKey,
    rows: BTreeMap<u64, OutboxRow>,
    next_nonce: u64,
    /// The nonce the chain expects next of this node.
    chain_next: u64,
    /// Handles of devices that are registered on chain or will be.
    pub(super) handles: BTreeSet<Digest>,
}

impl Outbox {
    pub(super) fn read(
        connection: &Connection,
        node: PublicKey,
        report: &mut Report,
    ) -> Result<Self, VaultError> {
        let rows: BTreeMap<_, _> = outbox::list(connection)?
            .into_iter()
            .map(|row| (row.nonce, row))
            .collect();
        let next_nonce = outbox::next_nonce(connection)?;
        if let Some(beyond) = rows
            .keys()
            .next_back()
            .filter(|nonce| **nonce >= next_nonce)
        {
            report.add(
                "outbox",
                format!("Nonce {beyond} is used, though {next_nonce} is the next."),
            );
        }
        Ok(Self {
            node,
            rows,
            next_nonce,
            chain_next: 0,
            handles: BTreeSet::new(),
        })
    }

    /// What the state says where own transactions may have been pruned.
    pub(super) fn expects(&mut self, next_nonce: Nonce) {
        self.chain_next = self.chain_next.max(next_nonce.0);
    }

    /// A transaction of this node that is on chain.
    pub(super) fn executed(&mut self, id: Digest, body: &TransactionBody, report: &mut Report) {
        let nonce = body.nonce.0;
        self.chain_next = self.chain_next.max(nonce.saturating_add(1));
        if self.rows.get(&nonce).is_some_and(|row| row.id != id) {
            report.add(
                "outbox",
                format!("Nonce {nonce} was executed with another transaction."),
            );
        }
    }

    /// Checks what is not on chain yet; gives back the anchors among it, in order.
    pub(super) fn finish(&mut self, report: &mut Report) -> Vec<(Digest, AnchorBatch)> {
        if self.chain_next > self.next_nonce {
            report.add(
                "outbox",
                format!(
                    "The chain expects nonce {} next, the vault would give {}.",
                    self.chain_next, self.next_nonce
                ),
            );
        }
        let mut anchors = Vec::new();
        for nonce in self.chain_next..self.next_nonce {
            let Some(row) = self.rows.get(&nonce) else {
                report.add(
                    "outbox",
                    format!("The transaction with nonce {nonce} is neither on chain nor here."),
                );
                continue;
            };
            report.vault.pending_transactions += 1;
            match self.read_row(row) {
                Ok(Payload::AnchorBatch(anchor)) => anchors.push((row.id, anchor)),
                Ok(Payload::RegisterDevice(device)) => {
                    self.handles.insert(device.handle);
                }
                Ok(Payload::Genesis(_)) => {
                    report.add(
                        "outbox",
                        format!("The transaction with nonce {nonce} is a genesis."),
                    );
                }
                Ok(
                    Payload::Propose(_)
                    | Payload::Vote(_)
                    | Payload::ChangeDevice(_)
                    | Payload::AskInteraction(_)
                    | Payload::DecideInteraction(_)
                    | Payload::RegisterPerson(_)
                    | Payload::ChangePerson(_)
                    | Payload::PutPolicy(_)
                    | Payload::AskAccess(_)
                    | Payload::DecideAccess(_)
                    | Payload::Receipt(_)
                    | Payload::ReadLog(_)
                    | Payload::Tombstone(_)
                    | Payload::GrantAccess(_),
                ) => {}
                Err(why) => report.add(
                    "outbox",
                    format!("The transaction with nonce {nonce} {why}."),
                ),
            }
        }
        anchors
    }

    fn read_row(&self, row: &OutboxRow) -> Result<Payload, String> {
        let signed = SignedTransaction::decode(&row.bytes)
            .map_err(|error| format!("cannot be read: {error}"))?;
        let chain = signed
            .body()
            .map_err(|error| format!("cannot be read: {error}"))?
            .chain;
        let verified = signed
            .verify(chain)
            .map_err(|error| format!("does not hold: {error}"))?;
        let payload = verified.body().payload.clone();
        let batch = match &payload {
            Payload::AnchorBatch(anchor) => Some(anchor.batch.0),
            _ => None,
        };
        let is_as_stored = verified.id() == row.id
            && verified.sender() == self.node
            && verified.body().nonce.0 == row.nonce
            && batch == row.batch;
        if is_as_stored {
            Ok(payload)
        } else {
            Err("is not the one its row names".to_owned())
        }
    }
}
