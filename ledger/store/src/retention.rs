//! Mini-chains: old transactions are deleted; headers, certificates and the state stay.
//!
//! ```text
//! height   0          1 … last pruned          … tip
//!          genesis    header, certificate,     everything
//!                     ids of transactions
//! ```
//!
//! Upon [`Replica::prune`]: choose the last height whose transactions may go; delete them in slices, one
//! SQLite transaction each, which notes their ids in `pruned`; give the freed pages back to the disk in
//! slices; fold the log into the file and cut it off. Killed anywhere between, the next call goes on.
//! Between two slices a block can be appended, so a running node prunes without stalling.
//!
//! What was proven before still verifies: a proof file carries its transaction and its path. What can no
//! longer be made is a new proof of what a deleted transaction anchors, until it is restored from an
//! archive. The genesis is never pruned, and left out is any clock: the caller says what time it is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger_core::digest::Digest;
use ledger_core::ids::Height;
use ledger_core::key::PublicKey;
use rusqlite::Connection;
use serde::Serialize;

use crate::error::{Doing as _, StoreError};
use crate::replica::Replica;
use crate::snapshot::Snapshot;
use crate::table::pruned::PrunedRow;
use crate::table::{self, headers, pruned, transactions};

/// Blocks at the tip that are never pruned unless a policy says otherwise: what a peer that was away
/// for a moment asks for.
pub const KEPT_BLOCKS: u64 = 128;
/// A slice ends with the block in which it has deleted this many transactions.
const SLICE_TRANSACTIONS: u64 = 1000;
/// Pages given back to the disk at once.
const SLICE_PAGES: u32 = 256;
/// What a slice leaves to those who wait for the writer.
const PAUSE: Duration = Duration::from_millis(1);

/// Which transactions may go. Without an age or a size, none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Those of blocks made longer ago than this, in milliseconds.
    pub older_than_millis: Option<u64>,
    /// The oldest beyond this many bytes of transactions.
    pub keep_bytes: Option<u64>,
    /// But none of the newest blocks, so many; at least 1.
    pub keep_blocks: u64,
    /// But none of this block or a later one: somebody waits for what is in it.
    pub keep_from: Option<Height>,
    /// But none of this sender, so that proofs of what it anchored can always be made.
    pub keep_sender: Option<PublicKey>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            older_than_millis: None,
            keep_bytes: None,
            keep_blocks: KEPT_BLOCKS,
            keep_from: None,
            keep_sender: None,
        }
    }
}

/// What pruning did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Pruned {
    /// The last height whose transactions the policy lets go; absent if it lets none go.
    pub up_to: Option<u64>,
    /// Blocks whose transactions were deleted.
    pub blocks: u64,
    /// Transactions deleted.
    pub transactions: u64,
    /// Size of the replica on disk before, its log included, in bytes.
    pub bytes_before: u64,
    /// Size after.
    pub bytes_after: u64,
    /// Bytes given back to the disk.
    pub bytes_freed: u64,
}

/// One bounded piece of pruning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Slice {
    /// Blocks whose transactions were deleted.
    pub blocks: u64,
    /// Transactions deleted.
    pub transactions: u64,
    /// How far it came; the next slice goes on after it. Absent if nothing was left to delete.
    pub reached: Option<Height>,
}

impl Replica {
    /// Deletes what `policy` lets go at `now_millis` (Unix), and gives the space back to the disk.
    /// Blocks can be appended meanwhile.
    ///
    /// # Errors
    /// [`StoreError`]; a failed write halts the replica. What was deleted before stays deleted.
    pub fn prune(&self, policy: &Policy, now_millis: u64) -> Result<Pruned, StoreError> {
        // Else the log, which is folded back at the end, would be counted as freed.
        self.fold_back_log()?;
        let bytes_before = self.bytes_on_disk();
        let Some(last) = self.read()?.prunable(policy, now_millis)? else {
            return Ok(Pruned {
                bytes_before,
                bytes_after: bytes_before,
                ..Pruned::default()
            });
        };
        let (mut blocks, mut deleted, mut after) = (0, 0, Height(0));
        loop {
            let slice = self.prune_slice(after, last, policy.keep_sender.as_ref())?;
            blocks += slice.blocks;
            deleted += slice.transactions;
            let Some(reached) = slice.reached else { break };
            after = reached;
            std::thread::sleep(PAUSE);
        }
        self.give_back_space()?;
        let bytes_after = self.bytes_on_disk();
        Ok(Pruned {
            up_to: Some(last.0),
            blocks,
            transactions: deleted,
            bytes_before,
            bytes_after,
            bytes_freed: bytes_before.saturating_sub(bytes_after),
        })
    }

    /// Deletes the transactions of the next blocks above `after` and up to `last`, a bounded number of
    /// them, in one SQLite transaction. Never the tip's, nor the genesis.
    ///
    /// # Errors
    /// A failed write halts the replica.
    pub fn prune_slice(
        &self,
        after: Height,
        last: Height,
        keep: Option<&PublicKey>,
    ) -> Result<Slice, StoreError> {
        self.write(|transaction| {
            let tip = headers::last(transaction)?.ok_or(StoreError::Unfounded)?;
            let last = last.min(Height(tip.height.0.saturating_sub(1)));
            let held = transactions::held(transaction, (after, last), keep, SLICE_TRANSACTIONS)?;
            let mut slice = Slice::default();
            for (height, _) in held {
                note(transaction, height)?;
                slice.transactions += transactions::delete(transaction, height, keep)?;
                slice.blocks += 1;
                slice.reached = Some(height);
            }
            Ok(slice)
        })
    }

    /// Size of the replica's file and its log, in bytes.
    #[must_use]
    pub fn bytes_on_disk(&self) -> u64 {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
        size(self.path()) + size(&log_of(self.path()))
    }

    /// Hands free pages to the file system, in slices.
    fn give_back_space(&self) -> Result<(), StoreError> {
        // A file from before layout 2 does not know which pages can move; one rewrite teaches it.
        self.maintain(|connection| {
            let mode: i64 = connection
                .pragma_query_value(None, "auto_vacuum", |row| row.get(0))
                .doing("free disk space")?;
            if mode == 0 {
                connection
                    .execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
                    .doing("free disk space")?;
            }
            Ok(())
        })?;
        let mut free = u64::MAX;
        loop {
            let left = self.maintain(|connection| free_pages(connection))?;
            if left == 0 || left >= free {
                break;
            }
            free = left;
            std::thread::sleep(PAUSE);
        }
        self.fold_back_log()
    }

    /// Moves what the log holds into the file and cuts the log off, and the file where it has shrunk. A
    /// reader may hold a part of the log back; the next call takes it along.
    fn fold_back_log(&self) -> Result<(), StoreError> {
        self.maintain(|connection| {
            connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .doing("fold back its log")
        })
    }
}

/// Frees some pages; returns how many are left to free.
fn free_pages(connection: &Connection) -> Result<u64, StoreError> {
    let doing = "free disk space";
    // One step frees one page.
    let mut vacuum = connection
        .prepare(&format!("PRAGMA incremental_vacuum({SLICE_PAGES})"))
        .doing(doing)?;
    let mut steps = vacuum.query([]).doing(doing)?;
    while steps.next().doing(doing)?.is_some() {}
    connection
        .pragma_query_value(None, "freelist_count", |row| table::number(row, 0))
        .doing(doing)
}

fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Notes that a block is pruned, unless it was noted before.
fn note(connection: &Connection, height: Height) -> Result<(), StoreError> {
    if pruned::is(connection, height)? {
        return Ok(());
    }
    let readings = |at: Height| -> Result<u64, StoreError> {
        Ok(headers::at(connection, at)?.map_or(0, |row| row.readings_total))
    };
    let before = readings(Height(height.0.saturating_sub(1)))?;
    let row = PrunedRow {
        height,
        readings: readings(height)?.saturating_sub(before),
        ids: transactions::ids_at(connection, height)?,
    };
    pruned::insert(connection, &row)
}

impl Snapshot<'_> {
    /// Whether transactions of this block were deleted, or never fetched.
    ///
    /// # Errors
    /// [`StoreError`] if the replica cannot be read.
    pub fn is_pruned(&self, height: Height) -> Result<bool, StoreError> {
        pruned::is(self.connection()?, height)
    }

    /// The ids of a pruned block's transactions, in order; empty if they were never here, as on a replica
    /// that started from a snapshot; `None` if the block is whole.
    ///
    /// # Errors
    /// As [`Snapshot::is_pruned`].
    pub fn pruned_ids(&self, height: Height) -> Result<Option<Vec<Digest>>, StoreError> {
        Ok(pruned::at(self.connection()?, height)?.map(|row| row.ids))
    }

    /// The pruned block that held a transaction, as far as its ids are here. Looks through all of them.
    ///
    /// # Errors
    /// As [`Snapshot::is_pruned`].
    pub fn pruned_height_of(&self, id: &Digest) -> Result<Option<Height>, StoreError> {
        pruned::holding(self.connection()?, id)
    }

    /// The height from which on every block is whole: what a peer can be served.
    ///
    /// # Errors
    /// As [`Snapshot::is_pruned`].
    pub fn whole_from(&self) -> Result<Height, StoreError> {
        let last = pruned::last(self.connection()?)?;
        Ok(last.map_or(Height(0), |last| Height(last.0.saturating_add(1))))
    }

    /// The last height whose transactions `policy` lets go at `now_millis`, if there is any above 0.
    ///
    /// # Errors
    /// As [`Snapshot::is_pruned`].
    pub fn prunable(&self, policy: &Policy, now_millis: u64) -> Result<Option<Height>, StoreError> {
        let Some(tip) = self.tip() else {
            return Ok(None);
        };
        let by_age = match policy.older_than_millis {
            Some(age) => self.last_before(tip.height(), now_millis.saturating_sub(age))?,
            None => 0,
        };
        let by_size = match policy.keep_bytes {
            Some(bytes) => self.last_beyond(tip.height(), bytes)?,
            None => 0,
        };
        let floor = tip.height().0.saturating_sub(policy.keep_blocks.max(1));
        let wanted = policy.keep_from.map_or(u64::MAX, |height| height.0);
        let last = by_age.max(by_size).min(floor).min(wanted.saturating_sub(1));
        Ok((last > 0).then_some(Height(last)))
    }

    /// The last height whose block is older than `time_millis`. Times only grow, so it is searched for
    /// by halving.
    fn last_before(&self, tip: Height, time_millis: u64) -> Result<u64, StoreError> {
        let (mut older, mut newer) = (0, tip.0.saturating_add(1));
        while newer - older > 1 {
            let middle = older + (newer - older) / 2;
            let row = headers::at(self.connection()?, Height(middle))?;
            if row.is_some_and(|row| row.time_millis < time_millis) {
                older = middle;
            } else {
                newer = middle;
            }
        }
        Ok(older)
    }

    /// The last height such that the blocks above it hold at most `bytes` of transactions, or 0 if all
    /// do. Reads no more than a little beyond `bytes`.
    fn last_beyond(&self, tip: Height, bytes: u64) -> Result<u64, StoreError> {
        const STEP: u64 = 64;
        let (mut upper, mut left) = (tip.0, bytes);
        while upper > 0 {
            let lower = upper.saturating_sub(STEP).saturating_add(1);
            let connection = self.connection()?;
            let sum = transactions::bytes_between(connection, Height(lower), Height(upper))?;
            if sum > left {
                break;
            }
            left -= sum;
            upper = lower - 1;
        }
        while upper > 0 {
            let own =
                transactions::bytes_between(self.connection()?, Height(upper), Height(upper))?;
            if own > left {
                break;
            }
            left -= own;
            upper -= 1;
        }
        Ok(upper)
    }
}
