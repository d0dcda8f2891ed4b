//! Nodes in one process, each connection between two of them through a [`Relay`] of its own.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger_consortium::{Consortium, ConsortiumConfig, Peer};
use ledger_core::genesis::Parameters;
use ledger_core::{Block, ChainId, Digest, Genesis, Height, SignedTransaction};
use ledger_store::Replica;
use tempfile::TempDir;

use crate::fixture::{assert_clean, genesis, key, soon, until};
use crate::relay::Relay;

/// A running node.
pub struct Node {
    pub number: u8,
    pub replica: Arc<Replica>,
    pub consortium: Consortium,
}

impl Node {
    /// Whether it has this transaction in a block.
    pub fn has(&self, id: &Digest) -> bool {
        let snapshot = self.replica.read().unwrap();
        snapshot.transaction(id).unwrap().is_some()
    }

    /// Its newest block, from where [`Node::has`] looks: the status follows a moment later.
    pub fn height(&self) -> Height {
        let snapshot = self.replica.read().unwrap();
        snapshot.tip().unwrap().height()
    }

    /// Submits here, and waits until it is final here. Returns how long that took.
    pub async fn submit(&self, transaction: SignedTransaction) -> Duration {
        let since = Instant::now();
        let submission = self.consortium.submit(transaction).await.unwrap();
        soon(submission).await.unwrap();
        since.elapsed()
    }
}

/// The nodes' homes, their addresses, and the links between them.
pub struct Town {
    home: TempDir,
    pub chain: ChainId,
    genesis: Genesis,
    first_block: Block,
    addresses: Vec<SocketAddr>,
    links: BTreeMap<(u8, u8), Relay>,
}

impl Town {
    /// Homes for `nodes` nodes of a chain with `validators` validators.
    pub async fn new(nodes: u8, validators: u8) -> Self {
        Self::of(nodes, genesis(validators, Parameters::default())).await
    }

    /// Homes for `nodes` nodes of the chain of `genesis`.
    pub async fn of(nodes: u8, genesis: Genesis) -> Self {
        let home = tempfile::tempdir().unwrap();
        let founder = Replica::open(home.path().join("founder.db")).unwrap();
        founder.found(&genesis, &key(0)).unwrap();
        let first_block = founder.read().unwrap().block(Height(0)).unwrap().unwrap();
        // Held together, so that all ports differ; free again before they are used.
        let listeners: Vec<_> = (0..nodes)
            .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
            .collect();
        let addresses = listeners.iter().map(|one| one.local_addr().unwrap());
        let addresses: Vec<_> = addresses.collect();
        let mut links = BTreeMap::new();
        for from in 0..nodes {
            for to in (0..nodes).filter(|to| *to != from) {
                let relay = Relay::start(addresses[usize::from(to)]).await;
                links.insert((from, to), relay);
            }
        }
        Self {
            chain: genesis.chain_id(),
            home,
            genesis,
            first_block,
            addresses,
            links,
        }
    }

    fn home_of(&self, number: u8) -> PathBuf {
        self.home.path().join(number.to_string())
    }

    /// The others, as `number` dials them.
    pub fn peers_of(&self, number: u8, others: impl IntoIterator<Item = u8>) -> Vec<Peer> {
        let others = others.into_iter().filter(|other| *other != number);
        others
            .map(|other| Peer {
                key: key(other).public(),
                address: self.links[&(number, other)].address,
            })
            .collect()
    }

    /// Starts `number` with all others as peers.
    pub async fn start(&self, number: u8) -> Node {
        let all = 0..self.addresses.len() as u8;
        self.start_with(number, all).await
    }

    /// Starts `number` with these peers.
    pub async fn start_with(&self, number: u8, peers: impl IntoIterator<Item = u8>) -> Node {
        let config = self.config(number, peers);
        Node {
            number,
            replica: Arc::clone(&config.replica),
            consortium: Consortium::start(config).await.unwrap(),
        }
    }

    /// What `number` is started with.
    fn config(&self, number: u8, peers: impl IntoIterator<Item = u8>) -> ConsortiumConfig {
        self.config_in(self.home_of(number), number, peers)
    }

    /// A copy of `number` that has lost everything but its key.
    pub fn config_of_copy(&self, number: u8) -> ConsortiumConfig {
        let all = 0..self.addresses.len() as u8;
        let home = self.home.path().join("copy");
        ConsortiumConfig {
            listen: Some((Ipv4Addr::LOCALHOST, 0).into()),
            ..self.config_in(home, number, all)
        }
    }

    fn config_in(
        &self,
        home: PathBuf,
        number: u8,
        peers: impl IntoIterator<Item = u8>,
    ) -> ConsortiumConfig {
        std::fs::create_dir_all(&home).unwrap();
        let replica = Replica::open(home.join("ledger.db")).unwrap();
        let new = replica.read().unwrap().tip().is_none();
        if new {
            replica.join(&self.genesis, &self.first_block).unwrap();
        }
        ConsortiumConfig {
            home: home.join("consensus"),
            replica: Arc::new(replica),
            validator_key: key(number),
            listen: Some(self.addresses[usize::from(number)]),
            peers: self.peers_of(number, peers),
        }
    }

    /// Starts `numbers`.
    pub async fn start_all(&self, numbers: std::ops::Range<u8>) -> Vec<Node> {
        let mut nodes = Vec::new();
        for number in numbers {
            nodes.push(self.start(number).await);
        }
        nodes
    }

    /// The links between `one` and everybody else, both ways.
    pub fn links_of(&self, one: u8) -> impl Iterator<Item = &Relay> {
        let own = move |(from, to): &(u8, u8)| *from == one || *to == one;
        let links = self.links.iter().filter(move |(ends, _)| own(ends));
        links.map(|(_, relay)| relay)
    }

    /// The links between two groups, both ways.
    pub fn links_between(&self, one: &[u8], other: &[u8]) -> impl Iterator<Item = &Relay> {
        let links = self.links.iter().filter(|((from, to), _)| {
            (one.contains(from) && other.contains(to)) || (other.contains(from) && one.contains(to))
        });
        links.map(|(_, relay)| relay)
    }

    /// All links.
    pub fn links(&self) -> impl Iterator<Item = &Relay> {
        self.links.values()
    }

    /// Waits until all nodes have the block of the highest, then compares all blocks, verifies all
    /// certificates, stops the nodes and checks their replicas.
    pub async fn finish(self, nodes: Vec<Node>) {
        let height = nodes.iter().map(Node::height).max().unwrap();
        until("the last block at all nodes", || {
            nodes.iter().all(|node| node.height() >= height)
        })
        .await;
        self.compare(&nodes, height);
        for node in &nodes {
            node.consortium.shutdown().await;
        }
        let numbers: Vec<_> = nodes.iter().map(|node| node.number).collect();
        drop(nodes);
        for number in numbers {
            assert_clean(&self.home_of(number));
        }
    }

    fn compare(&self, nodes: &[Node], height: Height) {
        let snapshots: Vec<_> = nodes
            .iter()
            .map(|node| node.replica.read().unwrap())
            .collect();
        for height in (1..=height.0).map(Height) {
            let block = snapshots[0].block(height).unwrap().unwrap();
            for snapshot in &snapshots {
                assert_eq!(snapshot.block(height).unwrap().as_ref(), Some(&block));
                let certificate = snapshot.certificate(height).unwrap().unwrap();
                let validators = snapshot.validators_at(height).unwrap().unwrap();
                certificate.verify(self.chain, &validators).unwrap();
            }
        }
    }
}
