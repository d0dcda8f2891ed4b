//! Peers, validators and rules that change while everything runs.

use std::time::{Duration, Instant};

use ledger_consortium::{Consortium, ConsortiumConfig, PeersError};
use ledger_core::genesis::Parameters;
use ledger_core::governance::{Change, Propose};
use ledger_core::{Height, Nonce, Payload, SignedTransaction, TransactionBody};

use crate::fixture::{anchor, decide, hospital, key, replica, soon, until};
use crate::town::{Node, Town};

/// A hospital whose validators come and go.
struct Hospital {
    town: Town,
    nodes: Vec<Node>,
    /// The admin's next nonce.
    decisions: u64,
    /// The next nonce of each node.
    anchors: Vec<u64>,
}

impl Hospital {
    async fn new(validators: u8, nodes: u8) -> Self {
        let town = Town::of(nodes, hospital(validators, nodes, Parameters::default())).await;
        Self {
            town,
            nodes: Vec::new(),
            decisions: 0,
            anchors: vec![0; usize::from(nodes)],
        }
    }

    /// One more node, which the others take as a peer while they run.
    async fn open(&mut self, number: u8) {
        let known = self.nodes.iter().map(|node| node.number);
        let node = self.town.start_with(number, known).await;
        self.nodes.push(node);
        for node in &self.nodes {
            let all = self.nodes.iter().map(|other| other.number);
            let peers = self.town.peers_of(node.number, all);
            node.consortium.set_peers(peers).await.unwrap();
        }
    }

    fn node(&self, number: u8) -> &Node {
        let found = self.nodes.iter().find(|node| node.number == number);
        found.unwrap()
    }

    async fn decide(&mut self, change: Change) {
        let transaction = decide(self.town.chain, self.decisions, change);
        self.decisions += 1;
        self.nodes[0].submit(transaction).await;
    }

    async fn admit(&mut self, number: u8) {
        let node = key(number).public();
        self.decide(Change::AdmitValidator { node }).await;
    }

    async fn remove(&mut self, number: u8) {
        let node = key(number).public();
        self.decide(Change::RemoveValidator { node }).await;
    }

    /// Everybody knows that exactly these are validators, and what any node submits becomes final at all.
    async fn works_with(&mut self, validators: &[u8]) {
        let nodes = &self.nodes;
        until("the new validators everywhere", || {
            nodes.iter().all(|node| {
                let status = node.consortium.status();
                let is_one = validators.contains(&node.number);
                status.validators == validators.len() && status.is_validator == is_one
            })
        })
        .await;
        let mut submissions = Vec::new();
        for node in nodes {
            let nonce = &mut self.anchors[usize::from(node.number)];
            let transaction = anchor(self.town.chain, &key(node.number), *nonce);
            *nonce += 1;
            let submission = node.consortium.submit(transaction).await;
            submissions.push(submission.unwrap());
        }
        let mut ids = Vec::new();
        for submission in submissions {
            ids.push(soon(submission).await.unwrap().id);
        }
        until("all transactions at all nodes", || {
            nodes.iter().all(|node| ids.iter().all(|id| node.has(id)))
        })
        .await;
    }
}

/// Goal: a consortium grows from one validator to seven and shrinks to one without a halt and without a
/// restart of anybody; observers follow and submit, become validators and stop being ones. Method: 1 → 2
/// → 4 → 7 → 4 → 1, each node started when it is needed and made known live; submit at every node after
/// each change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_to_seven_and_back_without_a_restart() {
    let mut hospital = Hospital::new(1, 7).await;
    hospital.open(0).await;
    hospital.works_with(&[0]).await;
    hospital.open(1).await;
    hospital.works_with(&[0]).await;
    hospital.admit(1).await;
    hospital.works_with(&[0, 1]).await;
    for number in [2, 3] {
        hospital.open(number).await;
        hospital.admit(number).await;
    }
    hospital.works_with(&[0, 1, 2, 3]).await;
    for number in 4..7 {
        hospital.open(number).await;
        hospital.admit(number).await;
    }
    hospital.works_with(&[0, 1, 2, 3, 4, 5, 6]).await;
    for number in [0, 2, 4] {
        hospital.remove(number).await;
    }
    hospital.works_with(&[1, 3, 5, 6]).await;
    for number in [1, 3, 5] {
        hospital.remove(number).await;
    }
    hospital.works_with(&[6]).await;
    let Hospital { town, nodes, .. } = hospital;
    town.finish(nodes).await;
}

/// Goal: validators come and go also while one is down. Method: stop one of four; admit a fifth, remove
/// the one that is down, remove a live one; the one that was down comes back as an observer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn validators_change_while_one_is_down() {
    let mut hospital = Hospital::new(4, 5).await;
    for number in 0..5 {
        hospital.open(number).await;
    }
    hospital.works_with(&[0, 1, 2, 3]).await;
    let at = hospital.nodes.iter().position(|node| node.number == 3);
    let down = hospital.nodes.remove(at.unwrap());
    down.consortium.shutdown().await;
    drop(down);
    hospital.admit(4).await;
    hospital.works_with(&[0, 1, 2, 3, 4]).await;
    hospital.remove(3).await;
    hospital.works_with(&[0, 1, 2, 4]).await;
    hospital.remove(1).await;
    hospital.works_with(&[0, 2, 4]).await;
    hospital.open(3).await;
    hospital.works_with(&[0, 2, 4]).await;
    hospital.admit(3).await;
    hospital.works_with(&[0, 2, 3, 4]).await;
    let Hospital { town, nodes, .. } = hospital;
    town.finish(nodes).await;
}

/// Goal: a queue of changes is worked off by blocks of its own, although nothing is submitted. Method:
/// three removals of seven in one block; at most three tenths of the power may go at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_of_changes_makes_its_own_blocks() {
    let mut hospital = Hospital::new(4, 4).await;
    for number in 0..4 {
        hospital.open(number).await;
    }
    let mut submissions = Vec::new();
    for number in [3, 2, 1] {
        let change = Change::RemoveValidator {
            node: key(number).public(),
        };
        let transaction = decide(hospital.town.chain, hospital.decisions, change);
        hospital.decisions += 1;
        let submission = hospital.node(0).consortium.submit(transaction).await;
        submissions.push(submission.unwrap());
    }
    for submission in submissions {
        submission.await.unwrap();
    }
    hospital.works_with(&[0]).await;
    let Hospital { town, nodes, .. } = hospital;
    town.finish(nodes).await;
}

/// Goal: rules that are voted on are in force from the next block on, without a restart. Method: a
/// heartbeat of one second, where it was five minutes; then blocks come by themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_heartbeat_changes_by_vote() {
    let mut hospital = Hospital::new(1, 1).await;
    hospital.open(0).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(hospital.node(0).height(), Height(0), "one alone rests");
    let parameters = Parameters {
        heartbeat_seconds: 1,
        ..Parameters::default()
    };
    hospital.decide(Change::SetParameters(parameters)).await;
    let since = Instant::now();
    until("two heartbeats", || hospital.nodes[0].height() >= Height(3)).await;
    assert!(since.elapsed() >= Duration::from_millis(1900));
    let Hospital { town, nodes, .. } = hospital;
    town.finish(nodes).await;
}

/// Goal: a proposal whose time runs out is closed on time by a block of its own. Method: two
/// organisations, one proposes for a second, the other is silent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_runs_out_on_an_idle_chain() {
    let town = Town::new(2, 2).await;
    let nodes = town.start_all(0..2).await;
    let body = TransactionBody {
        chain: town.chain,
        nonce: Nonce(0),
        payload: Payload::Propose(Propose {
            change: Change::RemoveValidator {
                node: key(1).public(),
            },
            reason: String::new(),
            open_for_millis: 1000,
        }),
    };
    nodes[0]
        .submit(SignedTransaction::sign(&body, &key(0)))
        .await;
    let opened = nodes[0].height();
    let since = Instant::now();
    until("the block that closes it", || nodes[0].height() > opened).await;
    let took = since.elapsed();
    assert!(took > Duration::from_millis(900), "{took:?}");
    let open = ledger_core::governance::agenda(&nodes[0].replica.read().unwrap()).unwrap();
    assert!(open.open.is_empty());
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(nodes[0].height(), Height(opened.0 + 1), "and rests again");
    town.finish(nodes).await;
}

/// Goal: a node that listens nowhere has no peers, and says why; an unusable list changes nothing.
#[tokio::test]
async fn who_listens_nowhere_has_no_peers() {
    let home = tempfile::tempdir().unwrap();
    let replica = replica(
        home.path(),
        &crate::fixture::genesis(1, Parameters::default()),
    );
    let consortium = Consortium::start(ConsortiumConfig {
        home: home.path().join("consensus"),
        replica,
        validator_key: key(0),
        listen: None,
        peers: Vec::new(),
    });
    let consortium = consortium.await.unwrap();
    let refused = consortium.set_peers(Vec::new()).await;
    assert_eq!(refused, Err(PeersError::NoNetwork));
    assert_eq!(
        consortium.status().quorum.to_string(),
        "This node is the only validator."
    );
    consortium.shutdown().await;
}

/// Goal: who is taken off the list is gone at once and is not let in again; put on it again it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_taken_off_the_list_is_gone() {
    let mut hospital = Hospital::new(1, 2).await;
    hospital.open(0).await;
    hospital.open(1).await;
    let connected = |node: &Node| {
        let peers = node.consortium.status().peers;
        peers.iter().any(|peer| peer.connected_millis.is_some())
    };
    until("a connection", || hospital.nodes.iter().all(connected)).await;
    let first = hospital.node(0);
    first.consortium.set_peers(Vec::new()).await.unwrap();
    until("the connection closed", || {
        !hospital.nodes.iter().any(connected)
    })
    .await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(!connected(first), "the other dials in vain");
    assert!(first.consortium.status().peers.is_empty());
    let peers = hospital.town.peers_of(0, [1]);
    first.consortium.set_peers(peers).await.unwrap();
    until("the connection again", || {
        hospital.nodes.iter().all(connected)
    })
    .await;
    hospital.works_with(&[0]).await;
    let Hospital { town, nodes, .. } = hospital;
    town.finish(nodes).await;
}

/// Goal: many transactions submitted at once at two nodes are final at all, each once and in order, in
/// few blocks. Method: three hundred at each, none waited for before the last is submitted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once() {
    let town = Town::new(4, 4).await;
    let nodes = town.start_all(0..4).await;
    let mut submissions = Vec::new();
    for nonce in 0..300 {
        for number in [1, 2] {
            let transaction = anchor(town.chain, &key(number), nonce);
            let submission = nodes[usize::from(number)].consortium.submit(transaction);
            submissions.push(submission.await.unwrap());
        }
    }
    let mut places = Vec::new();
    for submission in submissions {
        let finality = soon(submission).await.unwrap();
        places.push((finality.height, finality.index));
    }
    for number in 0..2 {
        let own = places.iter().skip(number).step_by(2);
        assert!(own.is_sorted(), "nonces decide the order");
    }
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 600, "each has a place of its own");
    town.finish(nodes).await;
}
