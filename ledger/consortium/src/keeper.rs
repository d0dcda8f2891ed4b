//! Keeps the connections: says hello every two seconds, renews connections that have gone silent, and
//! changes the list of peers while the node runs.
//!
//! A cable that is pulled closes no connection: TCP waits for minutes and repeats ever more slowly, so
//! that a node would stay cut off long after the cable is back. Whoever has not been heard for
//! [`crate::peers::SILENCE`] over a connection that stands is therefore taken off the list and put on
//! it again, which closes the connection and dials anew. Left out: finding peers; the list is given.

use std::collections::BTreeMap;
use std::time::Duration;

use arc_malachitebft_app_channel::app::net::Multiaddr;
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::{NetworkMsg, NetworkRequest};
use ledger_core::PublicKey;
use tokio::sync::{Mutex, mpsc, watch};

use crate::adapter::{Chain, ProposalPart};
use crate::config::Peer;
use crate::error::PeersError;
use crate::finality::{EngineState, Progress};
use crate::network;
use crate::peers::{Now, Peers};

/// How often a node says hello.
const HELLO_INTERVAL: Duration = Duration::from_secs(2);
/// Most peers a node may have.
pub(crate) const MAX_PEERS: usize = 128;
/// How long the network may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The list of peers of a running network.
pub(crate) struct Keeper {
    me: PublicKey,
    peers: Peers,
    requests: mpsc::Sender<NetworkRequest>,
    listed: Mutex<BTreeMap<PublicKey, Multiaddr>>,
}

impl Keeper {
    /// Of a network that was started with these peers.
    pub(crate) fn new(
        me: PublicKey,
        table: Peers,
        requests: mpsc::Sender<NetworkRequest>,
        peers: &[Peer],
    ) -> Result<Self, PeersError> {
        Ok(Self {
            me,
            peers: table,
            requests,
            listed: Mutex::new(addresses(&me, peers)?),
        })
    }

    /// Makes `peers` the list: connections to others are closed and none is accepted from them.
    pub(crate) async fn set(&self, peers: &[Peer]) -> Result<(), PeersError> {
        let wanted = addresses(&self.me, peers)?;
        // Held until the end, so that two changes at a time come one after the other.
        let mut listed = self.listed.lock().await;
        self.peers.list(peers);
        let gone = listed
            .iter()
            .filter(|(key, address)| wanted.get(*key) != Some(*address));
        for (_, address) in gone {
            self.remove(address).await?;
        }
        let new = wanted
            .iter()
            .filter(|(key, address)| listed.get(*key) != Some(*address));
        for (_, address) in new {
            self.add(address).await?;
        }
        *listed = wanted;
        Ok(())
    }

    /// Closes the connections to `silent` and opens them anew.
    async fn renew(&self, silent: &[Peer]) -> Result<(), PeersError> {
        let listed = self.listed.lock().await;
        for peer in silent {
            if let Some(address) = listed.get(&peer.key) {
                tracing::info!(peer = %peer.key.short(), "connected but silent: connecting anew");
                self.remove(address).await?;
                self.add(address).await?;
            }
        }
        Ok(())
    }

    async fn add(&self, address: &Multiaddr) -> Result<(), PeersError> {
        let added = NetworkRequest::add_persistent_peer(&self.requests, address.clone());
        // What is listed already needs no adding.
        soon(added).await
    }

    async fn remove(&self, address: &Multiaddr) -> Result<(), PeersError> {
        let removed = NetworkRequest::remove_persistent_peer(&self.requests, address.clone());
        soon(removed).await
    }

    /// Says hello and renews until the engine has stopped.
    pub(crate) async fn keep(
        &self,
        publish: mpsc::Sender<NetworkMsg<Chain>>,
        mut progress: watch::Receiver<Progress>,
    ) {
        let mut tick = tokio::time::interval(HELLO_INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                ended = progress.wait_for(|now| now.engine != EngineState::Running) => {
                    drop(ended);
                    return;
                }
            }
            let now = Now::read();
            let height = progress.borrow().height;
            if self.peers.any_connected() {
                let hello = self.peers.say_hello(height, now);
                let stream = StreamId::new(now.micros.to_be_bytes().to_vec().into());
                let content = StreamContent::Data(ProposalPart::Hello(hello));
                let message = StreamMessage::new(stream, 0, content);
                // A network that is gone is noticed by the application.
                let _ = publish.send(NetworkMsg::PublishProposalPart(message)).await;
            }
            let silent = self.peers.silent(now);
            if let Err(error) = self.renew(&silent).await {
                tracing::debug!(%error, "a silent connection was not renewed");
            }
        }
    }
}

/// An answer of the network; that a peer was listed, or was not, is as good as done.
async fn soon<T, E>(answer: impl Future<Output = Result<T, E>>) -> Result<(), PeersError> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(PeersError::Stopped),
    }
}

fn addresses(me: &PublicKey, peers: &[Peer]) -> Result<BTreeMap<PublicKey, Multiaddr>, PeersError> {
    if peers.len() > MAX_PEERS {
        return Err(PeersError::TooMany(peers.len()));
    }
    let others = peers.iter().filter(|peer| peer.key != *me);
    others
        .map(|peer| {
            let address =
                network::dial_address(peer).map_err(|_| PeersError::Unusable(peer.key))?;
            Ok((peer.key, address))
        })
        .collect()
}
