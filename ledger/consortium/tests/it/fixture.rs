//! Chains and transactions for the tests; all keys and readings are made up.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ledger_consortium::{Consortium, ConsortiumConfig};
use ledger_core::access::POLICY_ENGINE;
use ledger_core::genesis::{Member, Parameters};
use ledger_core::governance::{Change, Organisation, Propose, Thresholds};
use ledger_core::{
    AnchorBatch, BatchNumber, ChainId, Digest, Genesis, Nonce, OrganisationId, Payload, SecretKey,
    SignedTransaction, TransactionBody, Validator, ValidatorSet,
};
use ledger_store::Replica;

/// Longest time any single wait of a test may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The key of validator and member `number`.
pub fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

/// The organisation of node `number`, whose key is its admin key too.
pub fn organisation(number: u8) -> Organisation {
    let admins = vec![key(number).public()];
    Organisation::new(
        OrganisationId([number; 16]),
        format!("organisation {number}"),
        admins,
    )
}

/// A genesis with `validators` validators of equal power, all of them members, each of an organisation
/// of its own.
pub fn genesis(validators: u8, parameters: Parameters) -> Genesis {
    let of = |number: u8| Validator {
        key: key(number).public(),
        power: 1,
        name: format!("validator {number}"),
    };
    let members = (0..validators).map(|number| {
        let name = format!("node {number}");
        Member::with_one_key(key(number).public(), name, organisation(number).id)
    });
    Genesis {
        name: "test".into(),
        time_millis: 1_700_000_000_000,
        validators: ValidatorSet::new((0..validators).map(of).collect()).unwrap(),
        organisations: (0..validators).map(organisation).collect(),
        members: members.collect(),
        thresholds: Thresholds::default(),
        parameters,
        nonce: Digest::of(b"test"),
        policy_engine: POLICY_ENGINE.into(),
    }
}

/// The admin key of [`hospital`].
pub fn admin() -> SecretKey {
    key(200)
}

/// A genesis of one organisation with `nodes` nodes, the first `validators` of them validators, so that
/// the organisation's own voice decides everything.
pub fn hospital(validators: u8, nodes: u8, parameters: Parameters) -> Genesis {
    let id = OrganisationId([7; 16]);
    let admins = vec![admin().public()];
    let members = (0..nodes).map(|number| {
        let name = format!("node {number}");
        Member::with_one_key(key(number).public(), name, id)
    });
    Genesis {
        organisations: vec![Organisation::new(id, "hospital".into(), admins)],
        members: members.collect(),
        ..genesis(validators, parameters)
    }
}

/// The organisation of [`hospital`] decides a change: its proposal is its approval.
pub fn decide(chain: ChainId, nonce: u64, change: Change) -> SignedTransaction {
    let propose = Propose {
        change,
        reason: "a test".into(),
        open_for_millis: 60_000,
    };
    let body = TransactionBody {
        chain,
        nonce: Nonce(nonce),
        payload: Payload::Propose(propose),
    };
    SignedTransaction::sign(&body, &admin())
}

/// The anchor transaction with this nonce; its batch has the same number.
pub fn anchor(chain: ChainId, sender: &SecretKey, nonce: u64) -> SignedTransaction {
    anchor_of_batch(chain, sender, nonce, nonce)
}

/// An anchor transaction for any batch number.
pub fn anchor_of_batch(
    chain: ChainId,
    sender: &SecretKey,
    nonce: u64,
    batch: u64,
) -> SignedTransaction {
    let body = TransactionBody {
        chain,
        nonce: Nonce(nonce),
        payload: Payload::AnchorBatch(AnchorBatch {
            batch: BatchNumber(batch),
            root: Digest::of(&batch.to_be_bytes()),
            streams: 1,
            readings: 1,
        }),
    };
    SignedTransaction::sign(&body, sender)
}

/// The replica in `home`, founded with `genesis` if it is new.
pub fn replica(home: &Path, genesis: &Genesis) -> Arc<Replica> {
    std::fs::create_dir_all(home).unwrap();
    let replica = Replica::open(home.join("ledger.db")).unwrap();
    let new = replica.read().unwrap().tip().is_none();
    if new {
        replica.found(genesis, &key(0)).unwrap();
    }
    Arc::new(replica)
}

/// Consensus of a consortium of one in `home`.
pub async fn start_alone(home: &Path, replica: &Arc<Replica>) -> Consortium {
    let config = ConsortiumConfig {
        home: home.join("consensus"),
        replica: Arc::clone(replica),
        validator_key: key(0),
        listen: None,
        peers: Vec::new(),
    };
    Consortium::start(config).await.unwrap()
}

/// Waits for `future`, but not for ever.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("this should have happened long ago")
}

/// Waits until `condition` holds, but not for ever.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Panics unless the replica in `home` is whole.
pub fn assert_clean(home: &Path) {
    let report = ledger_store::fsck(home.join("ledger.db")).unwrap();
    assert!(report.problems.is_empty(), "{report:?}");
}
