//! What pruning has freed: one line a run, for people who find a block without its transactions.
//!
//! Beside the replica and not in it: nothing proves these numbers, and each cell of the replica is
//! checked. Losing the file loses words only. Bounded; the oldest runs go first.

use std::path::Path;

use ledger_store::Pruned;
use serde::{Deserialize, Serialize};

use crate::keystore::write_private_bytes;

/// Name of the file in the data folder.
const FILE: &str = "prunings.json";
/// Most runs kept.
const MAX_RUNS: usize = 500;
/// Longest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// One run that deleted something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// When, in Unix milliseconds.
    pub(crate) time: u64,
    /// The newest block then.
    pub(crate) height: u64,
    /// The last block whose transactions were let go.
    pub(crate) up_to: u64,
    /// Transactions deleted.
    pub(crate) transactions: u64,
    /// Bytes given back to the disk.
    pub(crate) bytes_freed: u64,
}

/// Notes what a run did, if it deleted anything.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn note(data: &Path, pruned: &Pruned, height: u64, time: u64) -> anyhow::Result<()> {
    let (Some(up_to), true) = (pruned.up_to, pruned.transactions > 0) else {
        return Ok(());
    };
    let mut runs = runs(data);
    runs.push(Run {
        time,
        height,
        up_to,
        transactions: pruned.transactions,
        bytes_freed: pruned.bytes_freed,
    });
    let surplus = runs.len().saturating_sub(MAX_RUNS);
    runs.drain(..surplus);
    write_private_bytes(&data.join(FILE), &serde_json::to_vec(&runs)?)
}

/// The run that first let go of a block's transactions, as far as it is known.
pub(crate) fn run_of(data: &Path, height: u64) -> Option<Run> {
    runs(data).into_iter().find(|run| run.up_to >= height)
}

/// All runs, the oldest first; none where the file is missing or no such list.
fn runs(data: &Path) -> Vec<Run> {
    let path = data.join(FILE);
    let is_short = std::fs::metadata(&path).is_ok_and(|file| file.len() <= MAX_FILE_BYTES);
    let bytes = is_short.then(|| std::fs::read(&path).ok()).flatten();
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    //! Goal: a block is told the run that let it go, and the file stays bounded. Method: runs made up.

    use super::*;

    fn pruned(up_to: Option<u64>, transactions: u64) -> Pruned {
        Pruned {
            up_to,
            blocks: transactions,
            transactions,
            bytes_freed: transactions * 4096,
            ..Pruned::default()
        }
    }

    #[test]
    fn a_block_is_told_the_run_that_let_it_go() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(run_of(folder.path(), 1), None);
        note(folder.path(), &pruned(Some(10), 7), 40, 1_000).unwrap();
        note(folder.path(), &pruned(None, 0), 50, 2_000).unwrap();
        note(folder.path(), &pruned(Some(20), 9), 60, 3_000).unwrap();
        let of = |height| run_of(folder.path(), height).map(|run| (run.height, run.bytes_freed));
        assert_eq!(of(3), Some((40, 7 * 4096)));
        assert_eq!(of(11), Some((60, 9 * 4096)));
        assert_eq!(of(21), None);
    }

    #[test]
    fn the_file_is_bounded_and_may_be_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let many: Vec<_> = (0..MAX_RUNS as u64 + 3)
            .map(|at| Run {
                time: u64::MAX,
                height: u64::MAX,
                up_to: at,
                transactions: u64::MAX,
                bytes_freed: u64::MAX,
            })
            .collect();
        let path = folder.path().join(FILE);
        std::fs::write(&path, serde_json::to_vec(&many).unwrap()).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < MAX_FILE_BYTES);
        note(folder.path(), &pruned(Some(900), 1), 1000, 1).unwrap();
        assert_eq!(runs(folder.path()).len(), MAX_RUNS);
        assert_eq!(run_of(folder.path(), 900).map(|run| run.height), Some(1000));
        std::fs::write(&path, "[{").unwrap();
        assert_eq!(run_of(folder.path(), 900), None);
    }
}
