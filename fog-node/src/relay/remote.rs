//! Hearing devices that another node reads: one channel for each device that hears and each such node.
//!
//! ```text
//! asker's node ──Relay(asker)──▶ source's node      looks at its replica: may it? does that node serve it?
//!              ◀──reading─────── its queue there    as if it were a line of that node's
//! the asker's line ◀── under this node's own grant
//! ```
//!
//! Both nodes look at their own replicas and close their own grants, so that an end that is final at either stops
//! it. A channel that falls is opened again, after a second, then ever more rarely, while the ledger says so.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use device_drivers::RelayQueue;
use fogward_level0::Relayed;
use ledger_core::{Digest, PublicKey};
use tokio::task::JoinHandle;

use super::{Afar, Relays, name_on_wire, serving};
use crate::clock::now_millis;
use crate::node::Node;

/// Wait before a channel is opened again, at first and at most.
const RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(15);
/// Channels to other nodes' devices at a time.
const MAX_CHANNELS: usize = 64;

/// What goes to another node's device.
pub(crate) struct Relaying {
    asker: Digest,
    node: PublicKey,
    /// Stands for its line.
    pub(crate) queue: Arc<RelayQueue>,
}

impl Relays {
    /// Lets a device of another node hear through this queue.
    fn attach_afar(&self, asker: Digest) -> Option<Arc<RelayQueue>> {
        let mut held = self.held();
        held.lines.retain(|_, line| line.strong_count() > 0);
        if held.lines.len() >= MAX_CHANNELS + crate::pairing::MAX_DEVICES {
            return None;
        }
        let queue = Arc::new(RelayQueue::new(true));
        held.lines.insert(asker, Arc::downgrade(&queue));
        Some(queue)
    }

    /// Whether a device may hear any here.
    fn has_route_to(&self, asker: &Digest) -> bool {
        let held = self.held();
        let mut routes = held.routes.values().flatten();
        routes.any(|(hearing, grant)| hearing == asker && grant.holds(now_millis()))
    }

    /// Passes on to a device here what another node relays to it.
    fn pass(&self, asker: &Digest, relayed: Relayed) {
        let held = self.held();
        let line = held.lines.get(asker).and_then(Weak::upgrade);
        let of_source = held
            .routes
            .iter()
            .filter(|(source, _)| name_on_wire(source) == relayed.source);
        let mut grants = of_source.flat_map(|(_, askers)| askers);
        let grant = grants.find(|(hearing, _)| hearing == asker);
        let found = line.zip(grant.map(|(_, grant)| Arc::clone(grant)));
        drop(held);
        if let Some((line, grant)) = found {
            line.pass(&grant, relayed, now_millis());
        }
    }
}

impl Node {
    /// What goes to a device that the node with this voting key serves, if it may hear any here.
    pub(crate) fn relay_to(
        &self,
        asker: &Digest,
        peer: &PublicKey,
    ) -> io::Result<Option<Relaying>> {
        let node = {
            let snapshot = self.replica.read().map_err(io::Error::other)?;
            serving(&snapshot, asker).map_err(io::Error::other)?
        };
        let members = self.active_members().map_err(io::Error::other)?;
        let member = members.iter().find(|member| Some(member.key) == node);
        let Some(member) = member.filter(|member| member.vote_key == *peer) else {
            return Ok(None);
        };
        if member.key == self.node_key || !self.relays.has_route_to(asker) {
            return Ok(None);
        }
        let queue = self.relays.attach_afar(*asker);
        Ok(queue.map(|queue| Relaying {
            asker: *asker,
            node: member.key,
            queue,
        }))
    }

    /// Whether that goes on: the device may hear, and the same node serves it.
    pub(crate) fn may_relay(&self, relaying: &Relaying) -> bool {
        let serves = || {
            let snapshot = self.replica.read().ok()?;
            serving(&snapshot, &relaying.asker).ok()?
        };
        self.relays.has_route_to(&relaying.asker) && serves() == Some(relaying.node)
    }

    async fn listen_afar(&self, of: Afar) -> io::Result<()> {
        let (asker, node) = of;
        let members = self.active_members().map_err(io::Error::other)?;
        let member = members.iter().find(|member| member.key == node);
        let member = member.ok_or(io::ErrorKind::NotFound)?;
        let heard = self.ask_node(member, async |node| {
            if !node.hear(asker).await? {
                return Ok(());
            }
            self.relays.held().reached.insert(of);
            loop {
                self.relays.pass(&asker, node.heard().await?);
            }
        });
        let heard = heard.await;
        self.relays.held().reached.remove(&of);
        heard
    }
}

/// Keeps a channel for each device that hears one of another node, as long as this node is there.
pub(crate) async fn keep(node: Weak<Node>) {
    let Some(mut wanted) = node
        .upgrade()
        .map(|node| node.relays.held().afar.subscribe())
    else {
        return;
    };
    let mut channels: BTreeMap<Afar, Channel> = BTreeMap::new();
    loop {
        let afar = wanted.borrow_and_update().clone();
        channels.retain(|of, _| afar.contains(of));
        for of in afar {
            let open = || Channel(tokio::spawn(listen(node.clone(), of)));
            channels.entry(of).or_insert_with(open);
        }
        if wanted.changed().await.is_err() {
            return;
        }
    }
}

/// A channel that is kept. Dropping it closes it.
struct Channel(JoinHandle<()>);

impl Drop for Channel {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn listen(node: Weak<Node>, of: Afar) {
    let mut wait = RETRY;
    loop {
        let since = tokio::time::Instant::now();
        let Some(node) = node.upgrade() else { return };
        if let Err(error) = node.listen_afar(of).await {
            tracing::debug!(%error, "a device of another node cannot be heard now");
        }
        drop(node);
        wait = if since.elapsed() > LAST_RETRY {
            RETRY
        } else {
            (wait * 2).min(LAST_RETRY)
        };
        tokio::time::sleep(wait).await;
    }
}
