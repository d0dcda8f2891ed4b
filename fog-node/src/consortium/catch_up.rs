//! When this node is behind the others: by blocks, or, far behind, by a snapshot from them.
//!
//! Upon peers that are more than so many blocks further: ask for a snapshot, rest once one is chosen that
//! validators have certified, get it, ask to be started again with it. While it is got, devices are read
//! and readings become durable as ever. Upon a failure: go on by blocks, and try again later. A peer that
//! says it is further and is not costs one question a minute, and no validator rests for its word.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use fog_api::CatchUp;
use ledger_core::Height;
use ledger_store::SNAPSHOT_MANIFEST_FILE;

use super::settings::door_of;
use super::transfer::{CATCH_UP, Fetch, NobodyAnswers, Source};
use super::view::People;
use crate::failure::Failure;
use crate::node::Node;

/// How often it is looked how far the others are.
const LOOK: Duration = Duration::from_millis(250);
/// How long an observer that starts waits for a peer's word before it gets blocks.
const FIRST_WORD: Duration = Duration::from_secs(5);
/// How long a node far behind waits for a peer that serves snapshots before it gets blocks: a door opens
/// seconds after its node has heard of others.
const DOORS: Duration = Duration::from_secs(15);
/// A peer that was not heard for so long says nothing of the present.
const SILENCE_MILLIS: u64 = 10_000;
/// Time after a snapshot that could not be got.
const TRY_AGAIN: Duration = Duration::from_secs(15);
/// The same if no peer offered one that helps.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// Keeps this node from staying behind, until it is gone.
pub(crate) async fn keep_up(node: Weak<Node>) {
    let Some(running) = node.upgrade() else {
        return;
    };
    let mut rest = Rest::begin(&running);
    drop(running);
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(running) = node.upgrade() else {
            return;
        };
        let (height, highest) = running.heights();
        let progress = &running.membership.transfer.progress;
        progress.blocks(height.0, highest.0);
        let now = Instant::now();
        if now < rest.not_before || !running.wants_snapshot(height, highest) {
            rest.end(&running, now);
            continue;
        }
        let fetch = match running.fetch(height, highest) {
            Ok(Some(fetch)) => fetch,
            Ok(None) => {
                rest.end(&running, now);
                continue;
            }
            Err(failure) => {
                tracing::error!(%failure, "the peers could not be read");
                continue;
            }
        };
        if !running.consortium.status().is_validator {
            running.consortium.rest(true);
        }
        drop(running);
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
            Err(error) => rest.failed(&running, &error),
        }
    }
}

/// When this node gets no blocks, although there are some.
struct Rest {
    /// While it waits for a peer, until then.
    until: Option<Instant>,
    /// No snapshot is asked for before.
    not_before: Instant,
}

impl Rest {
    /// An observer that knows others hears how far they are before it gets the first block: a validator
    /// may be needed at once.
    fn begin(node: &Node) -> Self {
        let now = Instant::now();
        let is_observer = !node.consortium.status().is_validator;
        let waits = is_observer && node.snapshot_behind.is_some();
        node.consortium.rest(waits);
        Self {
            until: waits.then_some(now + FIRST_WORD),
            not_before: now,
        }
    }

    /// No snapshot is to be got now: the rest ends, unless it is not known yet how far the others are.
    /// Only observers rest before a snapshot is chosen.
    fn end(&mut self, node: &Node, now: Instant) {
        let Some(until) = self.until else { return };
        let status = node.consortium.status();
        let is_told = status.peers.iter().any(|peer| peer.height.is_some());
        if is_told || now >= until {
            node.consortium.rest(false);
            self.until = None;
        }
    }

    /// A snapshot was not got: by blocks, for now.
    fn failed(&mut self, node: &Node, error: &anyhow::Error) {
        let now = Instant::now();
        node.membership.transfer.progress.end();
        let is_observer = !node.consortium.status().is_validator;
        if error.is::<NobodyAnswers>() && now < *self.until.get_or_insert(now + DOORS) {
            node.consortium.rest(is_observer);
            return;
        }
        tracing::warn!(%error, "a snapshot could not be got from the peers");
        let begun = node.data_dir.join(CATCH_UP).join(SNAPSHOT_MANIFEST_FILE);
        let pause = if begun.exists() { TRY_AGAIN } else { ASK_AGAIN };
        self.not_before = now + pause;
        self.until = None;
        node.consortium.rest(false);
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
        let consortium = Arc::clone(&self.consortium);
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
            above: height
                .0
                .saturating_add(self.snapshot_behind.unwrap_or_default() / 2),
            progress: Arc::clone(&transfer.progress),
            chosen: Arc::new(move || consortium.rest(true)),
        }))
    }
}
