//! A consortium of one: from submission to finality, refusals, idling, restarts, a failing disk.

use std::sync::Arc;
use std::time::Duration;

use ledger_consortium::{Consortium, ConsortiumConfig, EngineState, StartError, SubmitError};
use ledger_core::genesis::Parameters;
use ledger_core::state::ExecutionError;
use ledger_core::transaction::TransactionError;
use ledger_core::{BatchNumber, ChainId, Digest, Genesis, Height, Nonce};
use ledger_store::Replica;
use tempfile::TempDir;

use crate::fixture::{
    anchor, anchor_of_batch, assert_clean, genesis, key, replica, soon, start_alone, until,
};

struct Node {
    home: TempDir,
    genesis: Genesis,
    chain: ChainId,
    replica: Arc<Replica>,
    consortium: Consortium,
}

async fn node(parameters: Parameters) -> Node {
    let home = tempfile::tempdir().unwrap();
    let genesis = genesis(1, parameters);
    let replica = replica(home.path(), &genesis);
    let consortium = start_alone(home.path(), &replica).await;
    Node {
        chain: genesis.chain_id(),
        home,
        genesis,
        replica,
        consortium,
    }
}

impl Node {
    async fn finish(self) {
        self.consortium.shutdown().await;
        drop(self.replica);
        assert_clean(self.home.path());
    }
}

/// Goal: a submitted transaction is final, on disk and certified; method: read it back and verify the
/// certificate with the ledger's own rule.
#[tokio::test]
async fn a_transaction_becomes_final() {
    let node = node(Parameters::default()).await;
    let mut blocks = node.consortium.subscribe();
    let transaction = anchor(node.chain, &key(0), 0);
    let id = transaction.id();
    let submission = soon(node.consortium.submit(transaction)).await.unwrap();
    assert_eq!(submission.id(), id);
    let finality = soon(submission).await.unwrap();
    assert_eq!(
        (finality.id, finality.height, finality.index),
        (id, Height(1), 0)
    );

    let snapshot = node.replica.read().unwrap();
    let stored = snapshot.transaction(&id).unwrap().unwrap();
    assert_eq!((stored.height, stored.index), (Height(1), 0));
    let certificate = snapshot.certificate(Height(1)).unwrap().unwrap();
    certificate
        .verify(node.chain, &node.genesis.validators)
        .unwrap();
    let header = snapshot.header(Height(1)).unwrap().unwrap();
    drop(snapshot);

    let block = soon(blocks.recv()).await.unwrap();
    assert_eq!(block.header, header);
    assert_eq!(block.hash, header.hash());
    assert_eq!(block.certificate, certificate);
    assert_eq!(block.transactions, [id]);
    assert_eq!(block.own, [finality]);
    let status = node.consortium.status();
    assert_eq!((status.height, status.tip), (Height(1), header.hash()));
    assert_eq!((status.validators, status.is_validator), (1, true));
    assert_eq!(status.engine, EngineState::Running);
    node.finish().await;
}

/// Goal: no transactions, no blocks; method: wait before and after a block.
#[tokio::test]
async fn an_idle_chain_makes_no_blocks() {
    let node = node(Parameters::default()).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(node.consortium.status().height, Height(0));
    let submission = node.consortium.submit(anchor(node.chain, &key(0), 0)).await;
    soon(submission.unwrap()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(node.consortium.status().height, Height(1));
    assert_eq!(node.consortium.status().waiting_transactions, 0);
    node.finish().await;
}

/// Goal: the heartbeat shows that the chain lives, and is slow; method: one every second for three.
#[tokio::test]
async fn the_heartbeat_makes_an_empty_block() {
    let parameters = Parameters {
        heartbeat_seconds: 1,
        ..Parameters::default()
    };
    let node = node(parameters).await;
    let mut blocks = node.consortium.subscribe();
    let started = std::time::Instant::now();
    for height in 1..=2 {
        let block = soon(blocks.recv()).await.unwrap();
        assert_eq!(block.header.height, Height(height));
        assert!(block.transactions.is_empty());
    }
    assert!(started.elapsed() >= Duration::from_millis(1900));
    node.finish().await;
}

/// Goal: the same transaction ends at the same place, however often it is submitted.
#[tokio::test]
async fn a_transaction_submitted_again_ends_at_the_same_place() {
    let node = node(Parameters::default()).await;
    let transaction = anchor(node.chain, &key(0), 0);
    let (first, second) = tokio::join!(
        node.consortium.submit(transaction.clone()),
        node.consortium.submit(transaction.clone()),
    );
    let (first, second) = tokio::join!(first.unwrap(), second.unwrap());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.height, first.index), (second.height, second.index));
    let again = node.consortium.submit(transaction).await.unwrap();
    let again = soon(again).await.unwrap();
    assert_eq!((again.height, again.index), (first.height, first.index));
    assert_eq!(again.elapsed_micros, 0);
    assert_eq!(node.consortium.status().height, Height(1));
    node.finish().await;
}

/// Goal: transactions are executed in the order of their nonces, whatever order they came in.
#[tokio::test]
async fn nonces_decide_the_order() {
    let node = node(Parameters::default()).await;
    let mut submissions = Vec::new();
    for nonce in [3, 1, 2] {
        let transaction = anchor(node.chain, &key(0), nonce);
        submissions.push((nonce, node.consortium.submit(transaction).await.unwrap()));
    }
    assert_eq!(
        node.consortium.status().height,
        Height(0),
        "nonce 0 is missing"
    );
    let first = node.consortium.submit(anchor(node.chain, &key(0), 0)).await;
    submissions.push((0, first.unwrap()));
    let mut places = Vec::new();
    for (nonce, submission) in submissions {
        let finality = soon(submission).await.unwrap();
        places.push((nonce, finality.height, finality.index));
    }
    places.sort_unstable();
    assert!(
        places.is_sorted_by_key(|(_, height, index)| (*height, *index)),
        "{places:?}"
    );
    node.finish().await;
}

/// Goal: what can never become final is refused with its reason, and nothing of it stays.
#[tokio::test]
async fn what_cannot_become_final_is_refused() {
    let node = node(Parameters::default()).await;
    let chain = node.chain;
    let submit = async |transaction| match node.consortium.submit(transaction).await {
        Ok(submission) => soon(submission).await,
        Err(error) => Err(error),
    };
    let elsewhere = ChainId(Digest::of(b"elsewhere"));
    assert_eq!(
        submit(anchor(elsewhere, &key(0), 0)).await,
        Err(TransactionError::OtherChain.into())
    );
    assert_eq!(
        submit(anchor(chain, &key(9), 0)).await,
        Err(ExecutionError::NotMember.into())
    );
    assert_eq!(
        submit(anchor(chain, &key(0), 1 << 20)).await,
        Err(SubmitError::SenderLimit)
    );
    submit(anchor(chain, &key(0), 0)).await.unwrap();
    assert_eq!(
        submit(anchor_of_batch(chain, &key(0), 0, 7)).await,
        Err(SubmitError::NonceUsed {
            expected: Nonce(1),
            actual: Nonce(0)
        })
    );
    let gap = ExecutionError::Batch {
        expected: BatchNumber(1),
        actual: BatchNumber(5),
    };
    assert_eq!(
        submit(anchor_of_batch(chain, &key(0), 1, 5)).await,
        Err(gap.into())
    );
    // The refused one has freed its nonce.
    submit(anchor(chain, &key(0), 1)).await.unwrap();
    assert_eq!(node.consortium.status().waiting_transactions, 0);
    node.finish().await;
}

/// Goal: no block exceeds the genesis' limit, and a block takes all that fits; method: a limit of
/// five transactions, forty submitted at once.
#[tokio::test]
async fn blocks_are_bounded_and_filled() {
    let length = anchor(genesis(1, Parameters::default()).chain_id(), &key(0), 40)
        .encode()
        .len();
    let limit = length * 5;
    let parameters = Parameters {
        max_block_bytes: limit as u32,
        ..Parameters::default()
    };
    let node = node(parameters).await;
    let mut blocks = node.consortium.subscribe();
    let mut submissions = Vec::new();
    for nonce in 0..40 {
        let transaction = anchor(node.chain, &key(0), nonce);
        submissions.push(node.consortium.submit(transaction).await.unwrap());
    }
    for submission in submissions {
        soon(submission).await.unwrap();
    }
    let mut counts = Vec::new();
    while counts.iter().sum::<usize>() < 40 {
        let block = soon(blocks.recv()).await.unwrap();
        assert!(block.transaction_bytes <= limit as u64);
        counts.push(block.transactions.len());
    }
    assert!(counts.contains(&5), "no block was filled: {counts:?}");
    node.finish().await;
}

/// Goal: a transaction that no block can hold is refused at once.
#[tokio::test]
async fn a_transaction_larger_than_a_block_is_refused() {
    let parameters = Parameters {
        max_block_bytes: 100,
        ..Parameters::default()
    };
    let node = node(parameters).await;
    let refused = node.consortium.submit(anchor(node.chain, &key(0), 0)).await;
    assert!(matches!(
        refused,
        Err(SubmitError::TooLarge { limit: 100, .. })
    ));
    node.finish().await;
}

/// Goal: a stopped node resumes where it was; method: ten times over, without a new process.
#[tokio::test]
async fn a_restart_resumes() {
    let home = tempfile::tempdir().unwrap();
    let genesis = genesis(1, Parameters::default());
    let chain = genesis.chain_id();
    for nonce in 0..10 {
        let replica = replica(home.path(), &genesis);
        let consortium = start_alone(home.path(), &replica).await;
        assert_eq!(consortium.status().height, Height(nonce));
        let submission = consortium
            .submit(anchor(chain, &key(0), nonce))
            .await
            .unwrap();
        assert_eq!(soon(submission).await.unwrap().height, Height(nonce + 1));
        consortium.shutdown().await;
        assert_eq!(consortium.status().engine, EngineState::Stopped);
        assert_eq!(consortium.stopped().await, EngineState::Stopped);
        let late = consortium.submit(anchor(chain, &key(0), nonce + 1)).await;
        assert_eq!(late.unwrap_err(), SubmitError::Stopped);
    }
    assert_clean(home.path());
}

/// Goal: two nodes never run on the same data; method: start a second one beside the first.
#[tokio::test]
async fn a_second_node_on_the_same_data_is_refused() {
    let node = node(Parameters::default()).await;
    let second = Consortium::start(ConsortiumConfig {
        home: node.home.path().join("consensus"),
        replica: Arc::clone(&node.replica),
        validator_key: key(0),
        listen: None,
        peers: Vec::new(),
    });
    assert!(matches!(second.await.err(), Some(StartError::InUse(_))));
    node.finish().await;
}

/// Goal: a disk that fails stops consensus, says so, and acknowledges nothing; method: another
/// connection holds the database's write lock for longer than the replica waits.
#[tokio::test]
async fn a_failing_disk_stops_consensus() {
    let node = node(Parameters::default()).await;
    let blocker = rusqlite::Connection::open(node.home.path().join("ledger.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let submission = node.consortium.submit(anchor(node.chain, &key(0), 0)).await;
    assert_eq!(soon(submission.unwrap()).await, Err(SubmitError::Stopped));
    let state = soon(node.consortium.stopped()).await;
    assert!(matches!(&state, EngineState::Failed(_)), "{state:?}");
    blocker.execute_batch("ROLLBACK").unwrap();

    // Opened again, the node finishes what it had begun, and takes the transaction again.
    let replica = replica(node.home.path(), &node.genesis);
    let consortium = start_alone(node.home.path(), &replica).await;
    let submission = consortium.submit(anchor(node.chain, &key(0), 0)).await;
    soon(submission.unwrap()).await.unwrap();
    consortium.shutdown().await;
    node.finish().await;
}

/// Goal: a subscriber that goes away and one that never reads hold nobody up.
#[tokio::test]
async fn slow_subscribers_hold_nobody_up() {
    let node = node(Parameters::default()).await;
    let _never_reads = node.consortium.subscribe();
    drop(node.consortium.subscribe());
    for nonce in 0..300 {
        let transaction = anchor(node.chain, &key(0), nonce);
        let submission = node.consortium.submit(transaction).await.unwrap();
        drop(submission);
    }
    let last = node
        .consortium
        .submit(anchor(node.chain, &key(0), 300))
        .await;
    soon(last.unwrap()).await.unwrap();
    until("an empty mempool", || {
        node.consortium.status().waiting_transactions == 0
    })
    .await;
    node.finish().await;
}
