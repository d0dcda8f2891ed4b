//! `fsck`: is everything a stopped node keeps whole, unaltered, and accounted for?
//!
//! Trusts nothing stored, and re-derives what it compares with:
//!
//! | Where | Check |
//! |---|---|
//! | replica | the whole chain from its genesis, as `ledger_store::fsck` has it |
//! | vault file | SQLite's own integrity and references |
//! | devices, streams | every sealed key opens under the node's master key |
//! | payloads | every one opens; sequences of a stream follow without overlap, and without hole but behind a loss |
//! | losses | the lost batches are anchored, and hold as many readings as are noted |
//! | batches | numbers without a hole but noted losses; each root recomputed from the payloads is the row's and the chain's |
//! | anchors | each batch is on chain exactly once, or waits in the outbox |
//! | journal | every row opens and continues its stream |
//! | outbox | own transactions, signed, without a hole from the chain's next nonce on |
//! | gaps | received and anchored readings are those that are stored |
//! | people | every row opens; login names and handles are unique; credentials are signed; an admin is among them |
//! | patients, assignments | every row opens; a device is one patient's at a time, who is there |
//! | erasures | every certificate holds, its tombstone is told, and nothing is erased without one |
//! | clocks | each setting ends after it began; no device has too many |
//!
//! Where the replica is pruned, the state stands for the anchors that are gone: the number of batches and
//! readings, and a digest over all their roots.
//!
//! Reads only, apart from the lock that keeps a node from starting meanwhile. What it cannot tell:
//! whether this chain is the one others follow.

mod batches;
mod erasures;
mod outbox;
mod patients;
mod people;
mod waiting;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use ledger_core::{Digest, Payload, SignedTransaction};
use ledger_store::{FsckReport, MAX_PROBLEMS, Replica, fsck_each};
use rusqlite::Connection;
use serde::Serialize;

use crate::keystore::Keystore;
use crate::node::{LOCK_FILE, REPLICA_FILE, lock_data_dir};
use crate::vault::seal::MasterKey;
use crate::vault::{self, VAULT_FILE, VaultError, commissionings, devices, promises};

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// Whether nothing is wrong.
    pub clean: bool,
    /// What the replica holds and what is wrong with it.
    pub replica: FsckReport,
    /// What the vault holds.
    pub vault: VaultCounts,
    /// What is wrong in the vault, or between vault and chain; at most [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
}

/// What the vault holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct VaultCounts {
    /// Devices, the removed ones among them.
    pub devices: u64,
    /// Streams.
    pub streams: u64,
    /// Batches.
    pub batches: u64,
    /// Batches that are anchored on chain.
    pub final_batches: u64,
    /// Readings in batches.
    pub batched_readings: u64,
    /// Those of them of which nothing but what others' proofs need is left.
    pub erased_readings: u64,
    /// Readings that wait for a batch.
    pub waiting_readings: u64,
    /// Own transactions that are not final.
    pub pending_transactions: u64,
    /// Batches that the ledger has and the vault has not, since it is of before them.
    pub lost_batches: u64,
    /// How many readings they held.
    pub lost_readings: u64,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// The vault's table it is in.
    pub table: &'static str,
    /// What is wrong, as a sentence. Holds no measurement and no key.
    pub sentence: String,
}

impl Report {
    fn add(&mut self, table: &'static str, sentence: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                table,
                sentence: sentence.into(),
            });
        }
    }

    /// The report for a person.
    #[must_use]
    pub fn in_words(&self) -> String {
        let (replica, vault) = (&self.replica, &self.vault);
        let mut text = String::new();
        for problem in &replica.problems {
            let _ = writeln!(text, "replica {}: {}", problem.table, problem.sentence);
        }
        for problem in &self.problems {
            let _ = writeln!(text, "vault {}: {}", problem.table, problem.sentence);
        }
        let _ = writeln!(
            text,
            "replica: {} blocks ({} pruned), {} transactions, {} readings anchored",
            replica.blocks, replica.pruned_blocks, replica.transactions, replica.readings
        );
        let _ = writeln!(
            text,
            "vault: {} devices, {} streams, {} batches ({} final), {} readings in batches, {} waiting, {} transactions pending",
            vault.devices,
            vault.streams,
            vault.batches,
            vault.final_batches,
            vault.batched_readings,
            vault.waiting_readings,
            vault.pending_transactions
        );
        if vault.lost_batches > 0 {
            let _ = writeln!(
                text,
                "lost with a vault of before: {} readings in {} batches that are anchored",
                vault.lost_readings, vault.lost_batches
            );
        }
        text.push_str(if self.clean { "CLEAN\n" } else { "NOT CLEAN\n" });
        text
    }
}

/// Checks a stopped node's data folder.
///
/// # Errors
/// If nothing can be said: no node's folder, a node runs in it, or its keys are not there.
pub fn check(data_dir: &Path) -> anyhow::Result<Report> {
    if !data_dir.join(LOCK_FILE).exists() {
        bail!("{} is not a node's data folder", data_dir.display());
    }
    let _lock = lock_data_dir(data_dir)?;
    let keys = Keystore::open_existing(data_dir)?;
    let connection =
        vault::open_read_only(&data_dir.join(VAULT_FILE)).context("cannot open the vault")?;
    let mut report = Report::default();
    let replica = walk(data_dir, &keys, &connection, &mut report)?;
    report.clean = replica.is_clean() && report.problems.is_empty();
    report.replica = replica;
    Ok(report)
}

/// Walks the chain and, along with it, the batches it anchors; then what is not on chain yet.
fn walk(
    data_dir: &Path,
    keys: &Keystore,
    connection: &Connection,
    report: &mut Report,
) -> anyhow::Result<FsckReport> {
    check_file(connection, report)?;
    let node = keys.node.public();
    let mut outbox = outbox::Outbox::read(connection, node, report)?;
    let mut batches = batches::Batches::read(connection, &keys.vault, report)?;
    let mut failed: Option<VaultError> = None;
    let path = data_dir.join(REPLICA_FILE);
    let opened = Replica::open_read_only(&path).context("cannot open the replica")?;
    // A damaged replica is the report's, not ours.
    let is_pruned = opened.read().and_then(|snapshot| snapshot.whole_from());
    let is_pruned = is_pruned.is_ok_and(|whole| whole.0 > 0);
    let replica = fsck_each(&path, &mut |height, bytes| {
        let Ok(signed) = SignedTransaction::decode(bytes) else {
            return;
        };
        if *signed.sender() != node || failed.is_some() {
            return;
        }
        let (id, Ok(body)) = (signed.id(), signed.body()) else {
            return;
        };
        // The founding transaction never was in the outbox, and uses no nonce.
        if matches!(body.payload, Payload::Genesis(_)) {
            return;
        }
        outbox.executed(id, &body, report);
        if let Payload::AnchorBatch(anchor) = &body.payload {
            let place = format!("block {height}");
            let before = match is_pruned {
                true => batches.pruned_below(anchor.batch.0, report),
                false => Ok(()),
            };
            failed = before
                .and_then(|()| batches.check(anchor, id, &place, true, report))
                .err();
        }
    })
    .context("cannot open the replica")?;
    if let Some(error) = failed {
        return Err(error).context("cannot read the vault");
    }
    if replica.is_clean() {
        let snapshot = opened.read().context("cannot read the replica")?;
        // A device that was handed to this node was registered by another.
        for (_, handle) in devices::handles(connection)? {
            if snapshot.device(&handle)?.is_some() {
                outbox.handles.insert(handle);
            }
        }
        if is_pruned {
            outbox.expects(snapshot.account(&node)?.next_nonce);
            batches.lead_to(&snapshot.anchor_head(&node)?, report)?;
        }
    }
    for (id, anchor) in outbox.finish(report) {
        batches.check(&anchor, id, "the outbox", false, report)?;
    }
    waiting::check(connection, batches, &outbox, report)?;
    check_commissionings(connection, report)?;
    people::check(connection, &keys.vault, report)?;
    check_promises(connection, &keys.vault, report)?;
    patients::check(connection, &keys.vault, report)?;
    let waiting: BTreeSet<_> = vault::outbox::list(connection)?
        .into_iter()
        .map(|row| row.id)
        .collect();
    let is_final = |id: &Digest| {
        let snapshot = opened.read().ok();
        snapshot.is_some_and(|view| view.transaction(id).is_ok_and(|found| found.is_some()))
    };
    // Of what is pruned, and in what is damaged, nobody can tell.
    let is_told =
        |id: &Digest| waiting.contains(id) || is_pruned || !replica.is_clean() || is_final(id);
    erasures::check(connection, is_told, report)?;
    Ok(replica)
}

/// Every record holds, and is of what its row says. The keys that signed are those in the records: the
/// node's own may have been rotated since.
fn check_commissionings(connection: &Connection, report: &mut Report) -> Result<(), VaultError> {
    for (at, (subject, signed)) in (1..).zip(commissionings::all(connection)?) {
        match signed.verify() {
            Ok(record) if record.subject == subject => {}
            Ok(_) => report.add(
                "commissionings",
                format!("Record {at} is of something else."),
            ),
            Err(error) => report.add("commissionings", format!("Record {at}: {error}.")),
        }
    }
    Ok(())
}

/// Every promised receipt opens as what its row says.
fn check_promises(
    connection: &Connection,
    master: &MasterKey,
    report: &mut Report,
) -> Result<(), VaultError> {
    match promises::all(connection, master) {
        Ok(_) => Ok(()),
        Err(VaultError::Seal(_)) => {
            report.add("promises", "A promised receipt does not open.");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn check_file(connection: &Connection, report: &mut Report) -> Result<(), VaultError> {
    let mut integrity = connection.prepare("PRAGMA integrity_check(20)")?;
    for line in integrity.query_map([], |row| row.get::<_, String>(0))? {
        let line = line?;
        if line != "ok" {
            report.add("file", format!("SQLite says: {line}."));
        }
    }
    let mut references = connection.prepare("PRAGMA foreign_key_check")?;
    for table in references.query_map([], |row| row.get::<_, String>(0))? {
        report.add(
            "file",
            format!("A row of {} refers to one that is not there.", table?),
        );
    }
    Ok(())
}
