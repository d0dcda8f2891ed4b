//! The start of a node that was restored from a backup: it signs nothing before it has seen that no other
//! copy of it does.
//!
//! Two nodes with one key can vote for two blocks at once, which is what consensus cannot bear. So a
//! restored node first watches its own key over some blocks; only when that stays silent is the mark of
//! the restore taken away, after its vault has followed what the ledger knows better ([`catch_up`]), and the node
//! starts as any other. Left out: a consortium of one, where nobody could be watched; its mark goes with a warning.

mod catch_up;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use ledger_consortium::{Consortium, ConsortiumConfig, OwnKey};
use ledger_store::RestoredMark;

pub(crate) use catch_up::catch_up;

/// How long a restored node watches at most.
const PATIENCE: Duration = Duration::from_secs(600);

/// Watches whether another copy of this node is at work, if it was restored; gives the mark of that.
///
/// # Errors
/// If consensus cannot start, if another copy of this node is at work, or if too few blocks were made to
/// tell.
pub(crate) async fn watch_others(
    data_dir: &Path,
    config: &ConsortiumConfig,
) -> anyhow::Result<Option<RestoredMark>> {
    let mark = RestoredMark::read(data_dir)
        .context("this node was restored, and the mark of it cannot be read")?;
    let Some(mark) = mark else { return Ok(None) };
    if is_alone(config)? {
        tracing::warn!(
            "this node was restored; make sure that the node the backup is of never runs again"
        );
    } else {
        tracing::warn!(
            heights = mark.watch_heights,
            "this node was restored: it watches whether its key signs elsewhere before it signs"
        );
        watch(config.clone(), mark.watch_heights).await?;
    }
    Ok(Some(mark))
}

fn is_alone(config: &ConsortiumConfig) -> anyhow::Result<bool> {
    let snapshot = config.replica.read()?;
    let validators = snapshot.validators_at(snapshot.next_height())?;
    let me = config.validator_key.public();
    let others = validators.map_or(0, |set| {
        set.as_slice().iter().filter(|one| one.key != me).count()
    });
    Ok(others == 0 && config.peers.is_empty())
}

async fn watch(config: ConsortiumConfig, heights: u64) -> anyhow::Result<()> {
    let watching = Consortium::start_watching(config)
        .await
        .context("cannot start consensus")?;
    let seen = watching.watch_own_key(heights, PATIENCE).await;
    watching.shutdown().await;
    match seen? {
        OwnKey::Silent => Ok(()),
        OwnKey::Signs(height) => bail!(
            "another copy of this node is at work elsewhere: it signed block {height}. Stop that one, or this \
             one for good; this one has signed nothing"
        ),
        OwnKey::Greets => bail!(
            "another copy of this node is at work elsewhere: the peers hear it. Stop that one, or this one for \
             good; this one has signed nothing"
        ),
        OwnKey::TooFew(made) => bail!(
            "this node was restored, and only {made} of {heights} blocks were made while it watched whether its \
             key signs elsewhere. It has signed nothing. Start it again while the other validators are at work; if \
             they cannot make blocks without it, and the node that the backup is of is gone for good, restore it \
             with --original-is-gone"
        ),
    }
}
