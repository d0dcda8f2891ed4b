//! Four validators in one process, talking over loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use ledger_consortium::{Consortium, ConsortiumConfig, Peer};
use ledger_core::genesis::Parameters;
use ledger_core::{Block, ChainId, Digest, Genesis, Height};
use ledger_store::Replica;
use tempfile::TempDir;

use crate::fixture::{anchor, assert_clean, genesis, key, soon, until};

const NODES: u8 = 4;

struct Node {
    replica: Arc<Replica>,
    consortium: Consortium,
}

struct Ward {
    home: TempDir,
    genesis: Genesis,
    chain: ChainId,
    first_block: Block,
    addresses: Vec<SocketAddr>,
}

impl Ward {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let genesis = genesis(NODES, Parameters::default());
        let founder = Replica::open(home.path().join("founder.db")).unwrap();
        founder.found(&genesis, &key(0)).unwrap();
        let first_block = founder.read().unwrap().block(Height(0)).unwrap().unwrap();
        // Held together, so that all ports differ; free again before they are used.
        let listeners: Vec<_> = (0..NODES)
            .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
            .collect();
        let addresses = listeners.iter().map(|one| one.local_addr().unwrap());
        Self {
            addresses: addresses.collect(),
            chain: genesis.chain_id(),
            home,
            genesis,
            first_block,
        }
    }

    fn home_of(&self, number: u8) -> std::path::PathBuf {
        self.home.path().join(number.to_string())
    }

    async fn start(&self, number: u8) -> Node {
        let home = self.home_of(number);
        let replica = self.replica(&home);
        let peers = (0..NODES).filter(|other| *other != number);
        let peers = peers.map(|other| Peer {
            key: key(other).public(),
            address: self.addresses[usize::from(other)],
        });
        let consortium = Consortium::start(ConsortiumConfig {
            home: home.join("consensus"),
            replica: Arc::clone(&replica),
            validator_key: key(number),
            listen: Some(self.addresses[usize::from(number)]),
            peers: peers.collect(),
        });
        Node {
            replica,
            consortium: consortium.await.unwrap(),
        }
    }

    fn replica(&self, home: &Path) -> Arc<Replica> {
        std::fs::create_dir_all(home).unwrap();
        let replica = Replica::open(home.join("ledger.db")).unwrap();
        let new = replica.read().unwrap().tip().is_none();
        if new {
            replica.join(&self.genesis, &self.first_block).unwrap();
        }
        Arc::new(replica)
    }
}

fn has(node: &Node, id: &Digest) -> bool {
    node.replica
        .read()
        .unwrap()
        .transaction(id)
        .unwrap()
        .is_some()
}

/// Goal: what is submitted at any node becomes final at every node, also while one is down, and the
/// one that was down catches up; nobody forks. Method: three rounds over loopback, then compare all
/// replicas block by block and check each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_agree_while_one_is_away() {
    let ward = Ward::new();
    let mut nodes = Vec::new();
    for number in 0..NODES {
        nodes.push(ward.start(number).await);
    }
    let mut ids = Vec::new();
    for (number, node) in (0..NODES).zip(&nodes) {
        let transaction = anchor(ward.chain, &key(number), 0);
        ids.push(transaction.id());
        let submission = node.consortium.submit(transaction).await.unwrap();
        soon(submission).await.unwrap();
    }
    until("all transactions at all nodes", || {
        nodes.iter().all(|node| ids.iter().all(|id| has(node, id)))
    })
    .await;

    let away = nodes.remove(3);
    away.consortium.shutdown().await;
    drop(away);
    for nonce in 1..4 {
        let transaction = anchor(ward.chain, &key(1), nonce);
        ids.push(transaction.id());
        let submission = nodes[1].consortium.submit(transaction).await.unwrap();
        soon(submission).await.unwrap();
    }

    nodes.push(ward.start(3).await);
    until("the missed blocks at the node that was away", || {
        ids.iter().all(|id| has(&nodes[3], id))
    })
    .await;
    let transaction = anchor(ward.chain, &key(3), 1);
    let submission = nodes[3].consortium.submit(transaction).await.unwrap();
    let height = soon(submission).await.unwrap().height;
    until("the last block at all nodes", || {
        nodes
            .iter()
            .all(|node| node.consortium.status().height >= height)
    })
    .await;
    compare(&ward, &nodes, height);
    for node in nodes {
        node.consortium.shutdown().await;
    }
    for number in 0..NODES {
        assert_clean(&ward.home_of(number));
    }
}

fn compare(ward: &Ward, nodes: &[Node], height: Height) {
    let snapshots: Vec<_> = nodes
        .iter()
        .map(|node| node.replica.read().unwrap())
        .collect();
    for height in (1..=height.0).map(Height) {
        let block = snapshots[0].block(height).unwrap().unwrap();
        for snapshot in &snapshots {
            assert_eq!(snapshot.block(height).unwrap().as_ref(), Some(&block));
            let certificate = snapshot.certificate(height).unwrap().unwrap();
            certificate
                .verify(ward.chain, &ward.genesis.validators)
                .unwrap();
            assert!(certificate.signatures.len() >= 3);
        }
    }
}
