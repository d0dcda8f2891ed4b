//! The last steps of a catch-up: the node's own blocks go into the replica that was got, and that takes
//! the place of the node's at the next start.

use std::path::Path;

use anyhow::{Context as _, bail};
use ledger_core::Height;
use ledger_store::{ArchiveError, Replica};

use super::CATCH_UP;
use crate::node::REPLICA_FILE;

/// Name of a replica that is to take the place of the node's.
pub(super) const NEXT_FILE: &str = "replica.next";
/// Name of the replica below the catch-up folder, before the node's blocks are in it.
pub(super) const GOT_FILE: &str = "replica.db";
const OWN_BLOCKS: &str = "own";

/// Puts the blocks that the node's replica holds into the one that was got, so that what it proves can be
/// proven on. Works anew after an interruption.
pub(super) fn put_own_blocks_back(own: &Replica, catch_up: &Path) -> anyhow::Result<()> {
    let archive = catch_up.join(OWN_BLOCKS);
    if archive.exists() {
        std::fs::remove_dir_all(&archive)?;
    }
    if own
        .read()?
        .tip()
        .is_none_or(|tip| tip.height() == Height(0))
    {
        return Ok(());
    }
    match own.read()?.export_archive(&archive, None, None) {
        // All its blocks are pruned: there is nothing to put back.
        Err(ArchiveError::NoBlocks { .. }) => return Ok(()),
        exported => exported.context("cannot read the node's own blocks")?,
    };
    let got = Replica::open(catch_up.join(GOT_FILE))?;
    got.restore_archive(&archive)
        .context("the node's own blocks are not those of the snapshot")?;
    drop(got);
    fold(&catch_up.join(GOT_FILE))
}

/// Folds a replica's log back into its file, which can be renamed then.
fn fold(path: &Path) -> anyhow::Result<()> {
    // The only connection folds the log back when it closes.
    drop(Replica::open(path)?);
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    match std::fs::metadata(&log) {
        Ok(left) if left.len() > 0 => bail!("{} is in use", path.display()),
        _ => Ok(()),
    }
}

/// Makes the replica that was got the next one. Durable when this returns.
pub(super) fn make_next(data_dir: &Path) -> anyhow::Result<()> {
    let catch_up = data_dir.join(CATCH_UP);
    std::fs::rename(catch_up.join(GOT_FILE), data_dir.join(NEXT_FILE))?;
    std::fs::File::open(data_dir)?.sync_all()?;
    std::fs::remove_dir_all(&catch_up)?;
    Ok(())
}

/// Puts a replica that was got in the place of the node's, if there is one. The folder must be locked.
/// Returns whether there was one.
///
/// # Errors
/// In words for a person; nothing is lost then.
pub(crate) fn take_over(data_dir: &Path) -> anyhow::Result<bool> {
    let (next, own) = (data_dir.join(NEXT_FILE), data_dir.join(REPLICA_FILE));
    if !next.exists() {
        return Ok(false);
    }
    if own.exists() && !is_further(&next, &own)? {
        tracing::warn!("a snapshot that was got is behind this node; it is thrown away");
        remove(&next)?;
        return Ok(false);
    }
    fold(&next)?;
    // The log of the old file must not be taken for one of the new. From here on the old one is not whole,
    // and the new one takes its place at the next start if not now.
    for suffix in ["-wal", "-shm"] {
        remove(&data_dir.join(format!("{REPLICA_FILE}{suffix}")))?;
    }
    std::fs::rename(&next, &own).context("cannot put the snapshot in its place")?;
    std::fs::File::open(data_dir)?.sync_all()?;
    Ok(true)
}

/// Whether `next` is a replica of the same chain that goes further.
fn is_further(next: &Path, own: &Path) -> anyhow::Result<bool> {
    let next = Replica::open(next).context("the snapshot that was got cannot be opened")?;
    let next = next.read()?;
    // An own file that was half removed before a kill cannot be read any more; the new one was checked.
    let Ok(own) = Replica::open(own) else {
        return Ok(true);
    };
    let Ok(own) = own.read() else {
        return Ok(true);
    };
    if own.tip().is_some() && own.chain()?.0 != next.chain()?.0 {
        bail!("{NEXT_FILE} in the data folder is of another chain; remove it, and start again");
    }
    Ok(next.next_height() > own.next_height())
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
