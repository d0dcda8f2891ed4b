//! Bench `sync`: nodes that were never there before catch up with a long chain, one by blocks alone, one
//! by a snapshot and the blocks after it.
//!
//! The one that starts is timed from its process to the block that was the newest. The chain lies on one
//! validator's disk already, made by `history.rs`.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use ledger_core::Height;

use super::history::{self, ANCHORS_PER_BLOCK};
use super::town::Town;

/// Longest wait for a node to catch up.
const PATIENCE: Duration = Duration::from_secs(900);
/// The validator.
const SOURCE: usize = 0;
/// Who catches up by blocks.
const ARCHIVE: usize = 1;
/// Who catches up by a snapshot.
const LATE: usize = 2;

pub(super) fn measure(folder: &Path, blocks: u32) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let mut town = Town::found(folder, 3, 1, 1)?;
    let transactions = u64::from(blocks) * ANCHORS_PER_BLOCK;
    history::make(&town, transactions, 0)?;
    town.start(SOURCE)?;
    town.wait_ready(SOURCE)?;
    let archive = catch_up(&mut town, ARCHIVE, Town::start_archive)?;
    let snapshot = catch_up(&mut town, LATE, Town::start)?;
    let restart = restart(&mut town)?;
    let roots = [SOURCE, ARCHIVE, LATE].map(|number| town.measure(number));
    let roots = roots.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(
        roots.iter().all(
            |one| one.state_root == roots[0].state_root && one.transactions == transactions + 1
        ),
        "a node that caught up is not where the others are"
    );
    town.stop()?;
    for (number, is_by_snapshot) in [(ARCHIVE, false), (LATE, true)] {
        let whole_from = town.replica(number)?.read()?.whole_from()?;
        ensure!(
            (whole_from > Height(1)) == is_by_snapshot,
            "a node caught up in another way than it was to"
        );
    }
    Ok(vec![
        ("transactions", transactions as f64),
        ("snapshot_seconds", snapshot),
        ("archive_seconds", archive),
        ("archive_tx_per_second", transactions as f64 / archive),
        ("restart_ms", restart),
    ])
}

/// Starts a node that has block 0 only. Returns the seconds until it is where the validator is.
fn catch_up(
    town: &mut Town,
    number: usize,
    start: fn(&mut Town, usize) -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let height = town.measure(SOURCE)?.height;
    let since = Instant::now();
    start(town, number)?;
    loop {
        if town.measure(number)?.height >= height {
            return Ok(since.elapsed().as_secs_f64());
        }
        ensure!(since.elapsed() < PATIENCE, "a node does not catch up");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Kills the node with the whole chain and starts it again. Returns the milliseconds until it takes part.
fn restart(town: &mut Town) -> anyhow::Result<f64> {
    town.kill(SOURCE)?;
    let since = Instant::now();
    town.start(SOURCE)?;
    town.wait_ready(SOURCE)?;
    Ok(since.elapsed().as_secs_f64() * 1e3)
}
