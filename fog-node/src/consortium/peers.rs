//! Who may connect: the active nodes of the consortium, and nobody else. The ledger says who they are and
//! where they listen; a node that has moved says so on the ledger by itself.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ledger_consortium::{Consortium, Peer};
use ledger_core::PublicKey;
use ledger_core::genesis::Member;
use ledger_core::governance::Change;
use tokio::sync::broadcast::error::RecvError;

use super::settings::NetworkSettings;
use super::view::People;
use crate::node::Node;

/// Names of hosts are looked up again after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The peers whose addresses are known before the ledger is read: those of the invitation.
pub(crate) async fn known_peers(settings: &NetworkSettings) -> Vec<Peer> {
    resolved(settings.invited()).await
}

/// Keeps the network's list of peers in line with the ledger, until the node is gone.
pub(crate) async fn keep_peers(node: Weak<Node>, consortium: Arc<Consortium>) {
    let mut blocks = consortium.subscribe();
    let mut listed = Vec::new();
    let mut changes = match node.upgrade() {
        Some(node) => node.membership.changes.subscribe(),
        None => return,
    };
    loop {
        let Some(running) = node.upgrade() else {
            return;
        };
        running.follow_members(&consortium, &mut listed).await;
        drop(running);
        tokio::select! {
            block = blocks.recv() => match block {
                Ok(_) | Err(RecvError::Lagged(_)) => {
                    let Some(node) = node.upgrade() else { return };
                    if let Err(failure) = node.blocking(Node::count_attendance).await {
                        tracing::error!(%failure, "who signed could not be read");
                    }
                }
                Err(RecvError::Closed) => return,
            },
            changed = changes.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

impl Node {
    /// Where the nodes of the consortium listen; this one first.
    pub(super) fn addresses(&self, people: &People) -> Vec<(PublicKey, String)> {
        let me = self.vote_key;
        let mut known = addresses(people.members());
        known.retain(|(key, _)| *key != me);
        let own = self.membership.settings().advertised();
        own.map(|own| (me, own)).into_iter().chain(known).collect()
    }

    /// Makes the active nodes the peers. A node that listens nowhere has none, and reads nothing.
    async fn follow_members(
        self: &Arc<Self>,
        consortium: &Arc<Consortium>,
        listed: &mut Vec<Peer>,
    ) {
        let Some(address) = self.membership.settings().advertised() else {
            return;
        };
        let read = self.blocking(|node| People::read(&node.replica.read()?));
        let people = match read.await {
            Ok(people) => people,
            Err(failure) => {
                tracing::error!(%failure, "the list of peers could not be read");
                return;
            }
        };
        self.tell_where_it_listens(&people, address).await;
        let wanted = self.wanted_peers(&people).await;
        if wanted == *listed {
            return;
        }
        match consortium.set_peers(wanted.clone()).await {
            Ok(()) => *listed = wanted,
            Err(error) => tracing::warn!(%error, "the list of peers was not changed"),
        }
    }

    /// Tells the ledger where this node listens, if it says otherwise and the node holds a key that may.
    async fn tell_where_it_listens(self: &Arc<Self>, people: &People, address: String) {
        let mut members = people.members().iter();
        let is_elsewhere = members.any(|one| one.key == self.node_key && one.address != address);
        if !is_elsewhere || people.voice_of(&self.membership.admin()).is_none() {
            return;
        }
        let change = Change::MoveNode {
            key: self.node_key,
            address,
        };
        if let Err(failure) = self.propose_change(change, String::new(), 1).await {
            tracing::warn!(%failure, "the ledger was not told where this node listens");
        }
    }

    /// The other nodes of the consortium whose address is known. A node that waits to be admitted also
    /// keeps to those of its invitation.
    async fn wanted_peers(&self, people: &People) -> Vec<Peer> {
        let mut members = people.members().iter();
        let is_member = members.any(|member| member.key == self.node_key);
        let mut known = addresses(people.members());
        if !is_member {
            known.extend(self.membership.settings().invited());
        }
        known.retain(|(key, _)| *key != self.vote_key);
        resolved(known.into_iter()).await
    }
}

/// Where the nodes that can be reached listen, by the key they are reached under.
fn addresses(members: &[Member]) -> Vec<(PublicKey, String)> {
    let reached = members.iter().filter(|member| !member.address.is_empty());
    reached
        .map(|member| (member.vote_key, member.address.clone()))
        .collect()
}

/// Looks the names of hosts up; who is not found is left out until the next look.
async fn resolved(known: impl Iterator<Item = (PublicKey, String)>) -> Vec<Peer> {
    let mut peers: Vec<Peer> = Vec::new();
    for (key, address) in known {
        if peers.iter().any(|peer| peer.key == key) {
            continue;
        }
        match resolve(&address).await {
            Some(address) => peers.push(Peer { key, address }),
            None => tracing::debug!(peer = %key.short(), "a peer's address is not found"),
        }
    }
    peers.sort_by_key(|peer| peer.key);
    peers
}

pub(super) async fn resolve(address: &str) -> Option<SocketAddr> {
    if let Ok(address) = address.parse() {
        return Some(address);
    }
    tokio::net::lookup_host(address).await.ok()?.next()
}
