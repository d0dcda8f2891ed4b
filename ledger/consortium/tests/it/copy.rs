//! A validator restored from its key, while the original lives and after it is gone.

use std::time::Duration;

use ledger_consortium::{Consortium, OwnKey, Signed};

use crate::fixture::{anchor, key, until};
use crate::town::Town;

/// Blocks watched before a copy may sign.
const HEIGHTS: u64 = 3;

/// Goal: a copy of a validator signs nothing and finds out that the original lives; once the original is
/// gone it finds that out too, and takes its place without anybody having signed twice. Method: four
/// validators, a copy of the last that has only its key; blocks are made while it watches.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_watches_before_it_signs() {
    let town = Town::new(4, 4).await;
    let mut nodes = town.start_all(0..4).await;
    let mut nonce = 0;
    let mut next = || {
        nonce += 1;
        anchor(town.chain, &key(0), nonce - 1)
    };
    nodes[0].submit(next()).await;

    let copy = Consortium::start_watching(town.config_of_copy(3)).await;
    let copy = copy.unwrap();
    let make = async {
        for _ in 0..100 {
            nodes[0].submit(next()).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    let found = tokio::select! {
        found = copy.watch_own_key(1000, Duration::from_secs(30)) => found.unwrap(),
        () = make => panic!("the original was not noticed"),
    };
    assert!(
        matches!(found, OwnKey::Signs(_) | OwnKey::Greets),
        "{found:?}"
    );
    copy.shutdown().await;

    let original = nodes.pop().unwrap();
    original.consortium.shutdown().await;
    drop(original);
    let copy = Consortium::start_watching(town.config_of_copy(3)).await;
    let copy = copy.unwrap();
    let few = copy
        .watch_own_key(HEIGHTS, Duration::from_millis(500))
        .await;
    assert!(matches!(few, Ok(OwnKey::TooFew(_))), "{few:?}");
    let make = async {
        loop {
            nodes[0].submit(next()).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let found = tokio::select! {
        found = copy.watch_own_key(HEIGHTS, Duration::from_secs(30)) => found.unwrap(),
        () = make => OwnKey::TooFew(0),
    };
    assert_eq!(found, OwnKey::Silent);
    assert!(!copy.status().is_validator, "it only watches");
    copy.shutdown().await;

    let copy = Consortium::start(town.config_of_copy(3)).await.unwrap();
    until("it to be at the tip", || {
        copy.status().height >= nodes[0].height()
    })
    .await;
    // A peer may take a while to notice that the connection to the first copy is a dead one.
    for attempt in 0.. {
        assert!(attempt < 150, "it never signs");
        nodes[0].submit(next()).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let tip = nodes[0].height();
        let blocks = nodes[0].consortium.participation(tip, tip).unwrap();
        let signed = |(_, signed): &(_, Signed)| *signed != Signed::NotSeen;
        if blocks[0].validators.iter().all(signed) {
            break;
        }
    }
    for node in &nodes {
        assert!(node.consortium.evidence().is_empty());
    }
    copy.shutdown().await;
    town.finish(nodes).await;
}
