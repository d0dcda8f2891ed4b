//! Goal: an engine that dies is noticed, and nobody waits for it. Method: stop the real engine behind
//! the application's back, in the two ways it can end.

use std::sync::Arc;
use std::time::Duration;

use arc_malachitebft_app_channel::app::engine::node::{NodeMsg, NodeRef};
use ledger_core::governance::Node;
use ledger_core::{Digest, Genesis, OrganisationId, SecretKey};
use ledger_store::Replica;
use tokio::sync::{broadcast, mpsc, watch};

use super::{Command, spawn};
use crate::config::ConsortiumConfig;
use crate::engine;
use crate::finality::{EngineState, Progress};

fn genesis(key: &SecretKey) -> Genesis {
    let node = Node::with_one_key(key.public(), "one".into());
    Genesis::of_one(
        "one".into(),
        1,
        OrganisationId::default(),
        node,
        Digest::ZERO,
    )
    .unwrap()
}

async fn state_after(end: impl FnOnce(&NodeRef)) -> EngineState {
    let home = tempfile::tempdir().unwrap();
    let key = SecretKey::from_seed(&[1; 32]);
    let replica = Replica::open(home.path().join("ledger.db")).unwrap();
    replica.found(&genesis(&key), &key).unwrap();
    let config = ConsortiumConfig {
        home: home.path().to_owned(),
        replica: Arc::new(replica),
        validator_key: key,
        listen: None,
        peers: Vec::new(),
    };
    let engine = engine::start(&config, true).await.unwrap();
    let node = engine.handle.actor.clone();
    let (commands, requests) = mpsc::channel::<Command>(1);
    let (blocks, _) = broadcast::channel(1);
    let requests = (commands.downgrade(), requests);
    let (thread, mut status) = spawn(config, engine, requests, blocks).unwrap();
    assert_eq!(status.borrow().engine, EngineState::Running);
    end(&node);
    let state = wait(&mut status).await;
    tokio::task::spawn_blocking(move || thread.join().unwrap())
        .await
        .unwrap();
    assert!(commands.is_closed(), "whoever submits now is told at once");
    state
}

async fn wait(status: &mut watch::Receiver<Progress>) -> EngineState {
    let ended = status.wait_for(|status| status.engine != EngineState::Running);
    let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
    ended.expect("noticed").unwrap().engine.clone()
}

#[tokio::test]
async fn a_stopped_engine_is_noticed() {
    let state = state_after(|node| node.stop(None)).await;
    assert!(matches!(state, EngineState::Failed(_)), "{state:?}");
}

/// The engine stays half alive after what it calls a safety failure, so that nothing restarts it.
#[tokio::test]
async fn a_safety_failure_is_noticed() {
    let failure = || NodeMsg::SafetyFailure("made up by a test".into());
    let state = state_after(|node| node.cast(failure()).unwrap()).await;
    assert!(matches!(state, EngineState::Failed(_)), "{state:?}");
}
