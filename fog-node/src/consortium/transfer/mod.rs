//! Snapshots between the nodes of a consortium: a node that is far behind gets one from its peers.
//!
//! ```text
//! asker ──channel──▶ door's port of a peer ── Offer ─▶ manifest, trust ─┐   each checked from the genesis
//!       ── Chunk, from several peers in turn ───────▶ chunk ────────────┴▶ DATA/catch-up/half.db
//! all there, root right ─▶ own blocks put back ─▶ DATA/replica.next ─▶ start again ─▶ DATA/replica.db
//! ```
//!
//! `ledger-store` decides what a snapshot proves; here it travels. What came from whom is known, so a
//! peer that lies is named and not asked again. Left out: when a snapshot is wanted (`catch_up.rs`).

mod channel;
mod fetch;
mod messages;
mod offers;
mod packages;
mod progress;
mod serve;
mod sources;
mod swap;
#[cfg(test)]
mod tests;
mod turns;

use std::path::Path;
use std::sync::Arc;

use ledger_core::{PublicKey, SecretKey};
use tokio::sync::Semaphore;

use super::settings::FOLDER;
use offers::Offers;
use packages::Packages;
use serve::Pace;
use turns::Turns;

pub(super) use channel::MAGIC;
pub(super) use fetch::{Fetch, NobodyAnswers};
pub(super) use messages::Answer;
pub(super) use progress::Progress;
pub(super) use serve::serve;
pub(crate) use sources::Connected;
pub(super) use sources::Source;
pub(crate) use swap::take_over;

/// Folder below the data folder for a snapshot on its way.
pub(super) const CATCH_UP: &str = "catch-up";

/// Connections to one node for what was granted; who wants more waits.
const ASKED_AT_ONCE: usize = 8;

/// What a node needs to serve and to get snapshots.
pub(super) struct Transfer {
    /// The key it proves to its peers.
    pub(super) vote: SecretKey,
    pub(super) offers: Arc<Offers>,
    pub(super) packages: Packages,
    pub(super) pace: Pace,
    /// Of those that are asked for what was granted.
    asked: Turns,
    pub(super) progress: Arc<Progress>,
}

impl Transfer {
    /// The turns of asking this node, which are fewer than it keeps connections.
    pub(super) fn turns(&self, node: &PublicKey) -> Arc<Semaphore> {
        self.asked.of(node)
    }

    pub(super) fn open(data_dir: &Path, vote: SecretKey) -> anyhow::Result<Self> {
        Ok(Self {
            vote,
            offers: Arc::new(Offers::open(data_dir.join(FOLDER).join("offered"))?),
            packages: Packages::default(),
            pace: Pace::default(),
            asked: Turns::new(ASKED_AT_ONCE),
            progress: Arc::default(),
        })
    }
}
