//! How this node reaches the others, and the network of a node that listens nowhere: none.
//!
//! A validator alone needs no peers, so without an address to listen at nothing is dialled and no timer
//! ticks: [`Alone`] tells consensus that the network is up and drops whatever is to be sent. With an
//! address, Malachite's libp2p network takes its place from the start, also for a consortium of one, so
//! that a second validator can join without a restart: Noise over TCP, the validator's key as identity,
//! connections only from and to the listed peers.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use arc_malachitebft_app_channel::app::config::{
    ConsensusConfig, NodeConfig, ValuePayload, ValueSyncConfig,
};
use arc_malachitebft_app_channel::app::engine::network::{
    Msg, NetworkEvent, NetworkRef, PersistentPeerError,
};
use arc_malachitebft_app_channel::app::metrics::SharedRegistry;
use arc_malachitebft_app_channel::app::net::Multiaddr;
use arc_malachitebft_app_channel::app::types::{Keypair, PeerId};
use arc_malachitebft_app_channel::spawn::spawn_network_actor;
use arc_malachitebft_app_channel::{NetworkIdentity, NetworkMsg as PublishRequest};
use async_trait::async_trait;
use ledger_core::block::MAX_BLOCK_BYTES;
use ledger_core::{PublicKey, SecretKey};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::mpsc;

use crate::adapter::{Chain, PostcardCodec};
use crate::config::{ConsortiumConfig, Peer};
use crate::error::StartError;
use crate::keeper::MAX_PEERS;

/// Bytes of blocks in one answer to a node that catches up, save that one block always fits.
pub(crate) const SYNC_ANSWER_BYTES: usize = 8 << 20;

/// A network without anybody in it.
pub(crate) struct Alone;

#[async_trait]
impl Actor for Alone {
    type Msg = Msg<Chain>;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Self::Msg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        message: Self::Msg,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match message {
            // "Listening" is what consensus starts upon; nobody listens at this address.
            Msg::Subscribe(subscriber) => {
                subscriber.send(NetworkEvent::Listening(Multiaddr::empty()));
            }
            Msg::DumpState(reply) => {
                let _ = reply.send(None);
            }
            Msg::UpdatePersistentPeers(_, reply) => {
                let _ = reply.send(Err(PersistentPeerError::NetworkStopped));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Starts the network of a consortium of one.
pub(crate) async fn start_alone()
-> Result<(NetworkRef<Chain>, mpsc::Sender<PublishRequest<Chain>>), StartError> {
    let (network, _) = Actor::spawn(None, Alone, ())
        .await
        .map_err(|error| StartError::Engine(error.to_string()))?;
    let (publish, mut requests) = mpsc::channel(1);
    tokio::spawn(async move { while requests.recv().await.is_some() {} });
    Ok((network, publish))
}

/// Starts the network of `settings` under `identity`.
pub(crate) async fn start(
    settings: &Settings,
    identity: NetworkIdentity,
) -> Result<(NetworkRef<Chain>, mpsc::Sender<PublishRequest<Chain>>), StartError> {
    let registry = SharedRegistry::global().with_moniker(settings.moniker());
    spawn_network_actor(
        identity,
        &settings.consensus,
        &settings.sync,
        &registry,
        PostcardCodec,
    )
    .await
    .map_err(|error| StartError::Engine(format!("{error:#}")))
}

/// The settings Malachite asks for.
#[derive(Clone)]
pub(crate) struct Settings {
    moniker: String,
    consensus: ConsensusConfig,
    sync: ValueSyncConfig,
}

impl NodeConfig for Settings {
    fn moniker(&self) -> &str {
        &self.moniker
    }

    fn consensus(&self) -> &ConsensusConfig {
        &self.consensus
    }

    fn consensus_mut(&mut self) -> &mut ConsensusConfig {
        &mut self.consensus
    }

    fn value_sync(&self) -> &ValueSyncConfig {
        &self.sync
    }

    fn value_sync_mut(&mut self) -> &mut ValueSyncConfig {
        &mut self.sync
    }
}

impl Settings {
    /// Settings of the node that is known by `key`.
    pub(crate) fn new(key: &PublicKey, config: &ConsortiumConfig) -> Result<Self, StartError> {
        let mut consensus = ConsensusConfig {
            value_payload: ValuePayload::ProposalAndParts,
            ..ConsensusConfig::default()
        };
        let p2p = &mut consensus.p2p;
        if let Some(listen) = config.listen {
            p2p.listen_addr = multiaddr(listen)?;
        }
        let others = config.peers.iter().filter(|peer| peer.key != *key);
        let dialled = others.map(dial_address);
        p2p.persistent_peers = dialled.collect::<Result<_, _>>()?;
        p2p.persistent_peers_only = true;
        // Hospitals sit behind one address: limit by key, not by address.
        p2p.discovery.max_connections_per_ip = 256;
        p2p.discovery.ip_throttle_duration = Duration::from_millis(100);
        p2p.discovery.num_inbound_peers = MAX_PEERS;
        p2p.discovery.num_outbound_peers = MAX_PEERS;
        // A peer that is away is dialled every second, not ever more rarely: it is back within a second.
        p2p.discovery.dial_max_retries = 0;
        let mut sync = ValueSyncConfig {
            enabled: config.listen.is_some(),
            status_update_interval: Duration::from_secs(2),
            request_timeout: Duration::from_secs(5),
            ..ValueSyncConfig::default()
        };
        // One block of the largest kind with its certificate must fit into an answer, whatever limit is
        // voted for later.
        let answer = (MAX_BLOCK_BYTES * 2 + SYNC_ANSWER_BYTES) as u64;
        if let Ok(size) = format!("{answer} B").parse() {
            consensus.p2p.rpc_max_size = size;
            sync.max_response_size = size;
        }
        Ok(Self {
            moniker: key.short(),
            consensus,
            sync,
        })
    }
}

fn multiaddr(address: SocketAddr) -> Result<Multiaddr, StartError> {
    let port = address.port();
    let text = match address.ip() {
        IpAddr::V4(ip) => format!("/ip4/{ip}/tcp/{port}"),
        IpAddr::V6(ip) => format!("/ip6/{ip}/tcp/{port}"),
    };
    text.parse().map_err(|_| StartError::Address(address))
}

/// Where a peer is dialled, and under which key only.
pub(crate) fn dial_address(peer: &Peer) -> Result<Multiaddr, StartError> {
    let id = peer_id(&peer.key)?;
    let address = format!("{}/p2p/{id}", multiaddr(peer.address)?);
    address.parse().map_err(|_| StartError::PeerKey(peer.key))
}

/// The network identity of a validator's key.
pub(crate) fn identity(key: &SecretKey) -> Result<Keypair, StartError> {
    Keypair::ed25519_from_bytes(key.seed()).map_err(|_| StartError::PeerKey(key.public()))
}

/// The network's name for the node with this key.
pub fn peer_id(key: &PublicKey) -> Result<PeerId, StartError> {
    // libp2p names a small key by itself: protobuf { type: Ed25519, data: key } in an identity hash.
    let encoded = [&[0x08, 0x01, 0x12, 0x20][..], &key.0[..]].concat();
    let multihash = [&[0x00, encoded.len() as u8][..], &encoded[..]].concat();
    PeerId::from_bytes(&multihash).map_err(|_| StartError::PeerKey(*key))
}

/// The key of the node with this name, if its name is its key.
pub(crate) fn key_of(peer: &PeerId) -> Option<PublicKey> {
    let bytes = peer.to_bytes();
    let key = bytes.strip_prefix(&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20])?;
    key.try_into().map(PublicKey).ok()
}
