//! Batches: rebuilds each one's tree from its sealed payloads and compares it with the row and with the
//! anchor, in the order of their numbers, so that streams can be followed without a hole.

use std::collections::BTreeMap;

use ledger_core::state::AnchorHead;
use ledger_core::{AnchorBatch, BatchNumber, BatchTree, Digest};
use rusqlite::Connection;

use super::Report;
use crate::vault::losses::{self, Loss};
use crate::vault::open_stream::OpenStream;
use crate::vault::payloads::PayloadRow;
use crate::vault::seal::MasterKey;
use crate::vault::{VaultError, batches, devices, payloads, provisionings, streams};

/// One stream, as far as it was followed.
pub(super) struct Followed {
    pub(super) device: String,
    pub(super) next_sequence: u64,
    /// Readings in batches.
    pub(super) batched: u64,
    /// `None` if its keys do not open, which is in the report.
    pub(super) open: Option<OpenStream>,
}

impl Followed {
    /// Whether readings from `sequence` on are due. Behind `lost` readings at most, a stream goes on under new keys.
    pub(super) fn is_due(&self, sequence: u64, lost: u64) -> bool {
        let left_out = sequence.checked_sub(self.next_sequence);
        let begin = self.open.as_ref().map(|open| open.epoch_begin(sequence));
        left_out.is_some_and(|left_out| {
            left_out == 0 || (left_out <= lost && begin.is_none_or(|begin| begin == sequence))
        })
    }
}

/// All batches, as far as they were followed.
pub(super) struct Batches<'a> {
    connection: &'a Connection,
    pub(super) streams: BTreeMap<i64, Followed>,
    losses: Vec<Loss>,
    /// Readings of lost batches whose anchors were seen.
    lost_readings: u64,
    next: u64,
    payload_rows: u64,
}

impl<'a> Batches<'a> {
    /// Opens the keys of all devices and streams.
    pub(super) fn read(
        connection: &'a Connection,
        master: &MasterKey,
        report: &mut Report,
    ) -> Result<Self, VaultError> {
        for device in devices::active(connection)? {
            if let Some(sealed) = &device.sealed_key
                && master.open(device.id.as_bytes(), sealed).is_err()
            {
                report.add(
                    "devices",
                    format!("The key of device {} does not open.", device.id),
                );
            }
        }
        for kept in provisionings::all(connection)? {
            if kept.open(master).is_err() {
                let code = kept.code;
                let what = format!("The key kept for the code of digest {code} does not open.");
                report.add("provisionings", what);
            }
        }
        let mut followed = BTreeMap::new();
        for row in streams::list(connection, None)? {
            let open = OpenStream::new(&row, master);
            if let Err(error) = &open {
                report.add(
                    "streams",
                    format!("The keys of stream {} do not open: {error}.", row.id),
                );
            }
            let stream = Followed {
                device: row.device,
                next_sequence: 0,
                batched: 0,
                open: open.ok(),
            };
            followed.insert(row.number, stream);
        }
        report.vault.streams = followed.len() as u64;
        let losses = losses::all(connection)?;
        report.vault.lost_batches = losses.iter().map(Loss::batches).sum();
        report.vault.lost_readings = losses.iter().map(|loss| loss.readings).sum();
        Ok(Self {
            connection,
            streams: followed,
            losses,
            lost_readings: 0,
            next: 0,
            payload_rows: 0,
        })
    }

    /// Checks the batch that `anchor`, found at `place`, anchors.
    pub(super) fn check(
        &mut self,
        anchor: &AnchorBatch,
        tx: Digest,
        place: &str,
        is_final: bool,
        report: &mut Report,
    ) -> Result<(), VaultError> {
        let number = anchor.batch.0;
        if number != self.next {
            report.add(
                "batches",
                format!(
                    "In {place}, batch {number} is anchored where batch {} is due.",
                    self.next
                ),
            );
        }
        self.next = self.next.max(number.saturating_add(1));
        if self.losses.iter().any(|loss| loss.holds(number)) {
            self.lost_readings += u64::from(anchor.readings);
            return Ok(());
        }
        let Some(row) = batches::find(self.connection, number)? else {
            report.add(
                "batches",
                format!("Batch {number}, anchored in {place}, is missing."),
            );
            return Ok(());
        };
        report.vault.batches += 1;
        report.vault.final_batches += u64::from(is_final);
        if row.tx != tx {
            report.add(
                "batches",
                format!("Batch {number} is anchored by another transaction than its row says."),
            );
        }
        if (row.root, row.readings) != (anchor.root, anchor.readings) {
            report.add(
                "batches",
                format!("Batch {number} and its anchor in {place} differ."),
            );
        }
        let rebuilt = self.rebuild(number, report)?;
        if rebuilt.is_some_and(|rebuilt| rebuilt != *anchor) {
            report.add(
                "payloads",
                format!(
                    "The payloads of batch {number} do not lead to the root anchored in {place}."
                ),
            );
        }
        Ok(())
    }

    /// Checks the batches below `number` whose anchors were pruned, against their own payloads; what the
    /// chain says of them is in [`Batches::lead_to`].
    pub(super) fn pruned_below(
        &mut self,
        number: u64,
        report: &mut Report,
    ) -> Result<(), VaultError> {
        while self.next < number {
            let number = self.next;
            if let Some(loss) = self.losses.iter().find(|loss| loss.holds(number)) {
                self.lost_readings += loss.readings;
                self.next = loss.head.next_batch.0;
                continue;
            }
            self.next += 1;
            let Some(row) = batches::find(self.connection, number)? else {
                report.add("batches", format!("Batch {number}, final, is missing."));
                continue;
            };
            report.vault.batches += 1;
            report.vault.final_batches += 1;
            let rebuilt = self.rebuild(number, report)?;
            if rebuilt.is_some_and(|own| (own.root, own.readings) != (row.root, row.readings)) {
                report.add(
                    "payloads",
                    format!("The payloads of batch {number} do not lead to its root."),
                );
            }
        }
        Ok(())
    }

    /// Whether the final batches lead to what the state keeps of the node's anchors: how many readings,
    /// and a digest over all roots.
    pub(super) fn lead_to(
        &mut self,
        head: &AnchorHead,
        report: &mut Report,
    ) -> Result<(), VaultError> {
        self.pruned_below(head.next_batch.0, report)?;
        let mut own = AnchorHead::default();
        for number in 0..head.next_batch.0 {
            if let Some(loss) = self.losses.iter().find(|loss| loss.holds(number)) {
                // What was lost is the ledger's to tell.
                own = loss.head;
                continue;
            }
            let Some(row) = batches::find(self.connection, number)? else {
                continue;
            };
            own.readings += u64::from(row.readings);
            own.accumulator =
                Digest::tagged("fogward/anchors/1", &[&own.accumulator.0, &row.root.0]);
        }
        if (own.readings, own.accumulator) != (head.readings, head.accumulator) {
            report.add(
                "batches",
                "The batches do not lead to what the chain keeps of this node's anchors.",
            );
        }
        Ok(())
    }

    /// The anchor that the payloads lead to; `None` if some cannot be opened, which is in the report.
    fn rebuild(
        &mut self,
        number: u64,
        report: &mut Report,
    ) -> Result<Option<AnchorBatch>, VaultError> {
        let mut rows = payloads::of_batch(self.connection, number)?;
        // A stream may not be parted within a batch; if it is, building the tree fails.
        rows.sort_by_key(|row| (row.stream, row.first_sequence));
        self.payload_rows += rows.len() as u64;
        let mut parts = Vec::with_capacity(rows.len());
        for row in &rows {
            report.vault.batched_readings += u64::from(row.count);
            let Some(stream) = self.streams.get_mut(&row.stream) else {
                report.add(
                    "payloads",
                    format!("A payload of batch {number} is of an unknown stream."),
                );
                continue;
            };
            follow(stream, row, report);
            let Some(open) = &stream.open else { continue };
            let opened = match open.open(row.first_sequence, row.count, &row.sealed) {
                Ok(opened) => opened,
                Err(error) => {
                    report.add(
                        "payloads",
                        format!("A payload of batch {number} does not open: {error}."),
                    );
                    continue;
                }
            };
            report.vault.erased_readings += opened.erased();
            if opened.newest().is_some_and(|newest| newest != row.newest) {
                report.add(
                    "payloads",
                    format!("A payload of batch {number} has another newest time than its row."),
                );
            }
            parts.push(opened.part());
        }
        if parts.len() < rows.len() {
            return Ok(None);
        }
        match BatchTree::rebuild(parts) {
            Ok(tree) => Ok(Some(tree.anchor(BatchNumber(number)))),
            Err(error) => {
                report.add(
                    "payloads",
                    format!("Batch {number} cannot be rebuilt: {error}."),
                );
                Ok(None)
            }
        }
    }

    /// Looks for rows that no anchor led to.
    pub(super) fn finish(&self, report: &mut Report) -> Result<(), VaultError> {
        let next = batches::next_number(self.connection)?;
        if next > self.next {
            report.add(
                "batches",
                format!(
                    "Batches {} to {} are neither on chain nor in the outbox.",
                    self.next,
                    next - 1
                ),
            );
        }
        let count = |table: &str| {
            let question = format!("SELECT count(*) FROM {table}");
            self.connection
                .query_row(&question, [], |row| row.get::<_, i64>(0))
        };
        if self.lost_readings != report.vault.lost_readings {
            report.add(
                "losses",
                format!(
                    "{} readings count as lost, and the lost batches hold {}.",
                    report.vault.lost_readings, self.lost_readings
                ),
            );
        }
        if count("batches")? as u64 != report.vault.batches {
            report.add(
                "batches",
                "There are batches that were not reached by their numbers.",
            );
        }
        if count("payloads")? as u64 != self.payload_rows {
            report.add(
                "payloads",
                "There are payloads that belong to no batch that was reached.",
            );
        }
        Ok(())
    }
}

fn follow(stream: &mut Followed, row: &PayloadRow, report: &mut Report) {
    if !stream.is_due(row.first_sequence, report.vault.lost_readings) {
        report.add(
            "payloads",
            format!(
                "Stream number {} goes on at {} in batch {}, where {} is due.",
                row.stream, row.first_sequence, row.batch, stream.next_sequence
            ),
        );
    }
    stream.next_sequence = row.first_sequence.saturating_add(u64::from(row.count));
    stream.batched += u64::from(row.count);
}
