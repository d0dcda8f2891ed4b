//! Closing batches: what waits is put into Merkle batches, each with its signed anchor.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ledger_core::{BatchNumber, BatchTree, Nonce, Payload, SignedTransaction, TransactionBody};

use super::{Anchored, Outcome, Writer};
use crate::clock::now_millis;
use crate::ingest::DeviceIndex;
use crate::ingest::batching::{Part, plan_batches};
use crate::ingest::stream::Stream;
use crate::vault::gaps::Kind;
use crate::vault::{VaultError, batches, journal, outbox, payloads};

/// With so many own transactions that are not final the node counts as cut off from the consortium.
pub(crate) const CUT_OFF: u64 = 32;
/// How long the oldest reading of a batch waits then.
const CUT_OFF_AGE: Duration = Duration::from_secs(60);

impl Writer {
    /// How long the oldest reading of a batch waits. While the ledger does not go on, nobody waits for it to be
    /// anchored, and batches are let grow: what is cut off for days has fewer to make up for.
    pub(super) fn batch_age(&self) -> Duration {
        let behind = self.next_nonce
            - self
                .parts
                .final_nonce
                .load(Ordering::Relaxed)
                .min(self.next_nonce);
        match behind > CUT_OFF {
            true => self.parts.policy.age.max(CUT_OFF_AGE),
            false => self.parts.policy.age,
        }
    }

    /// Puts all that waits into batches and signs their anchors.
    pub(super) fn flush(
        &mut self,
        counts: &mut BTreeMap<(DeviceIndex, Kind, &'static str), u64>,
        outcome: &mut Outcome,
    ) -> Result<(), VaultError> {
        let waiting: Vec<_> = self
            .streams
            .iter()
            .map(Stream::waiting)
            .enumerate()
            .collect();
        let plan = plan_batches(&waiting, self.parts.policy.readings as usize);
        if !plan.is_empty() {
            journal::clear(&self.connection)?;
        }
        for parts in plan {
            let anchored = self.flush_batch(&parts)?;
            for (device, count) in &anchored.readings {
                if let Some(device) = device {
                    *counts.entry((*device, Kind::Anchored, "")).or_default() += count;
                }
            }
            outcome.anchored.push(anchored);
        }
        for stream in &mut self.streams {
            stream.clear();
        }
        self.oldest_waiting = None;
        let final_nonce = self.parts.final_nonce.load(Ordering::Relaxed);
        if final_nonce > self.pruned_nonce {
            outbox::delete_below(&self.connection, final_nonce)?;
            self.pruned_nonce = final_nonce;
        }
        Ok(())
    }

    fn flush_batch(&mut self, parts: &[Part]) -> Result<Anchored, VaultError> {
        let number = self.next_batch;
        let mut rows = Vec::with_capacity(parts.len());
        let mut leaves = Vec::with_capacity(parts.len());
        let mut readings: BTreeMap<Option<DeviceIndex>, u64> = BTreeMap::new();
        for part in parts {
            let Some(stream) = self.streams.get(part.stream) else {
                continue;
            };
            let (row, stream_leaves) = stream.batch_part(part, number)?;
            rows.push(row);
            leaves.push(stream_leaves);
            *readings.entry(Some(stream.device)).or_default() += part.len as u64;
        }
        let tree = BatchTree::build(leaves).map_err(|_| VaultError::Row { table: "batches" })?;
        let anchor = tree.anchor(BatchNumber(number));
        let transaction = self.sign(Payload::AnchorBatch(anchor), Some(number));
        batches::insert(
            &self.connection,
            &batches::BatchRow {
                number,
                tx: transaction.id,
                root: anchor.root,
                readings: anchor.readings,
                created: now_millis(),
            },
        )?;
        for row in &rows {
            payloads::insert(&self.connection, row)?;
        }
        outbox::insert(&self.connection, &transaction)?;
        self.next_batch += 1;
        Ok(Anchored {
            transaction,
            readings: readings.into_iter().collect(),
        })
    }

    pub(super) fn sign(&mut self, payload: Payload, batch: Option<u64>) -> outbox::OutboxRow {
        let nonce = self.next_nonce;
        self.next_nonce += 1;
        let body = TransactionBody {
            chain: self.parts.chain,
            nonce: Nonce(nonce),
            payload,
        };
        let signed = SignedTransaction::sign(&body, &self.parts.signer);
        outbox::OutboxRow {
            nonce,
            id: signed.id(),
            batch,
            bytes: signed.encode(),
        }
    }
}
