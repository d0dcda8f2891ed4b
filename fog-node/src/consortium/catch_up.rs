//! When this node is behind the others: by blocks, or, far behind, by a snapshot from them.
//!
//! Upon peers that are more than so many blocks further: rest, get a snapshot, ask to be started again with
//! it. While it is got, devices are read and readings become durable as ever. Upon a failure: go on by
//! blocks, and try again later. A peer that says it is further and is not costs one question a minute.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use fog_api::CatchUp;
use ledger_core::Height;

use super::settings::door_of;
use super::transfer::{Fetch, Source};
use super::view::People;
use crate::failure::Failure;
use crate::node::Node;

/// How often it is looked how far the others are.
const LOOK: Duration = Duration::from_millis(500);
/// A peer that was not heard for so long says nothing of the present.
const SILENCE_MILLIS: u64 = 10_000;
/// Time after a snapshot that could not be got.
const TRY_AGAIN: Duration = Duration::from_secs(15);
/// The same if no peer offered one that helps.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// Keeps this node from staying behind, until it is gone.
pub(crate) async fn keep_up(node: Weak<Node>) {
    let mut not_before = Instant::now();
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(running) = node.upgrade() else {
            return;
        };
        let (height, highest) = running.heights();
        running
            .membership
            .transfer
            .progress
            .blocks(height.0, highest.0);
        if Instant::now() < not_before || !running.wants_snapshot(height, highest) {
            continue;
        }
        let fetch = match running.fetch(height, highest) {
            Ok(Some(fetch)) => fetch,
            Ok(None) => continue,
            Err(failure) => {
                tracing::error!(%failure, "the peers could not be read");
                continue;
            }
        };
        let consortium = Arc::clone(&running.consortium);
        drop(running);
        consortium.rest(true);
        let got = Box::pin(fetch.run()).await;
        let Some(running) = node.upgrade() else {
            return;
        };
        match got {
            Ok(()) => {
                if !running.ask_restart() {
                    tracing::warn!("start the node again: it goes on from a snapshot then");
                }
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "a snapshot could not be got from the peers");
                running.membership.transfer.progress.end();
                consortium.rest(false);
                let is_begun = running.data_dir.join("catch-up/manifest.json").exists();
                let pause = if is_begun { TRY_AGAIN } else { ASK_AGAIN };
                not_before = Instant::now() + pause;
            }
        }
    }
}

impl Node {
    /// How this node catches up; `None` while it is up to date.
    pub(super) fn catch_up(&self) -> Option<CatchUp> {
        let height = self.consortium.status().height.0;
        self.membership.transfer.progress.view(height)
    }

    /// This node's height, and the highest that its peers say.
    fn heights(&self) -> (Height, Height) {
        let status = self.consortium.status();
        let heard = status.peers.iter().filter(|peer| {
            peer.heard_millis_ago
                .is_some_and(|millis| millis < SILENCE_MILLIS)
        });
        let highest = heard.filter_map(|peer| peer.height).max();
        (status.height, highest.unwrap_or(status.height))
    }

    /// Whether it is so far behind that a snapshot is better. A node that has begun from one lately gets
    /// the rest by blocks, however fast the others go on.
    fn wants_snapshot(&self, height: Height, highest: Height) -> bool {
        let Some(behind) = self.snapshot_behind else {
            return false;
        };
        if highest.0.saturating_sub(height.0) <= behind {
            return false;
        }
        let whole = self
            .replica
            .read()
            .and_then(|view| view.whole_from())
            .unwrap_or_default();
        whole.0 <= 1 || height.0.saturating_sub(whole.0) > behind
    }

    /// What to get from whom; `None` while no peer is known that has not lied.
    fn fetch(&self, height: Height, highest: Height) -> Result<Option<Fetch>, Failure> {
        let transfer = &self.membership.transfer;
        let people = People::read(&self.replica.read()?)?;
        let mut sources: Vec<_> = self
            .addresses(&people)
            .into_iter()
            .chain(self.membership.settings().invited())
            .filter(|(key, _)| *key != self.vote_key && !transfer.progress.is_liar(key))
            .filter_map(|(key, address)| {
                Some(Source {
                    key,
                    name: people.voter(&key),
                    address: door_of(&address)?,
                })
            })
            .collect();
        sources.sort_by_key(|source| source.key);
        sources.dedup_by_key(|source| source.key);
        if sources.is_empty() {
            return Ok(None);
        }
        Ok(Some(Fetch {
            data_dir: self.data_dir.clone(),
            genesis: self.genesis.clone(),
            own: transfer.vote.clone(),
            replica: Arc::clone(&self.replica),
            sources,
            at: highest.0,
            above: height.0,
            progress: Arc::clone(&transfer.progress),
        }))
    }
}
