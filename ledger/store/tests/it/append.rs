//! Growing a chain, reopening it, joining it from elsewhere.

use ledger_core::{Digest, Height};
use ledger_store::{Refusal, Replica, StoreError};

use crate::support::{Chain, assert_clean, certificate, genesis, key};

/// Goal: a founded chain has block 0 and nothing else. Method: read it back and run fsck.
#[test]
fn founding_writes_block_zero() {
    let chain = Chain::new(1);
    let tip = chain.tip();
    assert_eq!(tip.height(), Height(0));
    assert_eq!(tip.header.parent, Digest::ZERO);
    assert_eq!(tip.header.chain, chain.genesis.chain_id());
    assert_eq!(
        (
            tip.counts.blocks,
            tip.counts.transactions,
            tip.counts.readings
        ),
        (1, 1, 0)
    );
    let again = chain.replica.found(&chain.genesis, &key(1));
    assert!(matches!(again, Err(StoreError::AlreadyFounded)));
    let report = assert_clean(&chain.path());
    assert_eq!(report.chain_id, Some(chain.genesis.chain_id().to_string()));
}

/// Goal: what was appended is there after reopening, and the chain grows on.
#[test]
fn a_reopened_chain_grows_on() {
    for validators in [1, 4] {
        let mut chain = Chain::new(validators);
        chain.grow(5);
        let before = chain.tip();
        chain.replica = Replica::open(chain.path()).expect("reopen");
        assert_eq!(chain.tip(), before);
        chain.grow(5);
        chain.append(&[]);
        let tip = chain.tip();
        assert_eq!(tip.height(), Height(11));
        assert_eq!((tip.counts.transactions, tip.counts.readings), (11, 1000));
        let report = assert_clean(&chain.path());
        assert_eq!(report.tip, Some(tip.hash.to_string()));
        assert_eq!(
            (report.blocks, report.transactions, report.readings),
            (12, 11, 1000)
        );
    }
}

/// Goal: a second node that only gets blocks and certificates ends with the same state.
#[test]
fn a_late_joiner_reaches_the_same_tip() {
    let chain = Chain::new(4);
    chain.append(&[chain.anchor(1), chain.anchor(2), chain.register(3, 0, b"a")]);
    chain.grow(3);
    let other = Replica::open(chain.beside("other.sqlite")).expect("open");
    let snapshot = chain.replica.read().expect("read");
    let first = snapshot.block(Height(0)).expect("read").expect("block 0");
    other.join(&chain.genesis, &first).expect("join");
    for height in 1..=4 {
        let block = snapshot
            .block(Height(height))
            .expect("read")
            .expect("a block");
        let certificate = snapshot
            .certificate(Height(height))
            .expect("read")
            .expect("a certificate");
        other.commit(&block, certificate).expect("commit");
    }
    assert_eq!(other.read().expect("read").tip(), snapshot.tip());
    assert_clean(&chain.beside("other.sqlite"));
}

/// Goal: nobody joins another chain than the one whose genesis is trusted.
#[test]
fn joining_needs_the_trusted_genesis() {
    let chain = Chain::new(1);
    let first = chain
        .replica
        .read()
        .expect("read")
        .block(Height(0))
        .expect("read")
        .expect("block 0");
    let other = Replica::open(chain.beside("other.sqlite")).expect("open");
    let mut trusted = genesis(1);
    trusted.name = "Another consortium".into();
    let refused = other.join(&trusted, &first);
    assert!(matches!(
        refused,
        Err(StoreError::Refused(Refusal::OtherChain))
    ));
    assert!(other.read().expect("read").tip().is_none());
    assert!(matches!(
        other.prepare([chain.anchor(1)], 0, key(1).public()),
        Err(StoreError::Unfounded)
    ));
}

/// Goal: a block checked over a tip that has moved since is not appended. Method: two valid blocks of
/// one height.
#[test]
fn a_stale_block_is_not_appended() {
    let chain = Chain::new(1);
    let (one, two) = (chain.prepare(&[chain.anchor(1)]), chain.prepare(&[]));
    let certify = |block: &ledger_store::CheckedBlock| {
        block
            .certify(certificate(block, &chain.signers()))
            .expect("a certificate")
    };
    let crossed = chain.replica.append(&one, &certify(&two));
    assert!(matches!(
        crossed,
        Err(StoreError::Refused(Refusal::OtherCertificate))
    ));
    chain.replica.append(&one, &certify(&one)).expect("append");
    let stale = chain.replica.append(&two, &certify(&two));
    let expected = Refusal::Height {
        expected: Height(2),
        actual: Height(1),
    };
    assert!(matches!(stale, Err(StoreError::Refused(refusal)) if refusal == expected));
    chain.grow(1);
    assert_clean(&chain.path());
}

/// Goal: the proposer leaves out what the state refuses and what does not fit, and keeps the order.
#[test]
fn preparing_leaves_out_what_does_not_fit() {
    let chain = Chain::new(1);
    let later = chain.register(1, 5, b"later");
    let prepared = chain
        .replica
        .prepare([&later, &chain.anchor(1)], 0, key(1).public())
        .expect("prepare");
    assert_eq!(prepared.block.ids().len(), 1);
    assert_eq!(
        prepared
            .refused
            .iter()
            .map(|refused| refused.id)
            .collect::<Vec<_>>(),
        [later.id()]
    );
    assert_eq!(
        prepared.block.header().time_millis,
        chain.genesis.time_millis + 1
    );

    let many: Vec<_> = (0..100)
        .map(|nonce| chain.register(1, nonce, &[nonce as u8]))
        .collect();
    let prepared = chain
        .replica
        .prepare(&many, 0, key(1).public())
        .expect("prepare");
    let bytes: usize = prepared
        .block
        .block()
        .transactions
        .iter()
        .map(Vec::len)
        .sum();
    let limit = chain.genesis.parameters.max_block_bytes as usize;
    assert!(bytes <= limit && bytes + many[0].bytes().len() > limit);
    assert_eq!(prepared.refused, []);
    assert!(
        prepared.block.ids().eq(many
            .iter()
            .map(|one| one.id())
            .take(prepared.block.ids().len()))
    );
    let again = chain.replica.check(prepared.block.block()).expect("check");
    assert_eq!(again.hash(), prepared.block.hash());
}

/// Goal: a transaction that no block can hold does not keep those behind it waiting. Method: a genesis
/// whose blocks hold an anchor but no registration with a key.
#[test]
fn a_transaction_larger_than_a_block_is_refused() {
    let mut genesis = genesis(1);
    let chain = Chain::new(1);
    let (small, large) = (
        chain.register(1, 0, b"small"),
        chain.register_with_key(1, 0, b"large"),
    );
    assert!(small.bytes().len() < large.bytes().len());
    genesis.parameters.max_block_bytes = small.bytes().len() as u32;
    let chain = Chain::of(genesis);
    let (small, large) = (
        chain.register(1, 0, b"small"),
        chain.register_with_key(1, 0, b"large"),
    );
    let prepared = chain
        .replica
        .prepare([&large, &small], 0, key(1).public())
        .expect("prepare");
    assert!(prepared.block.ids().eq([small.id()]));
    let refused: Vec<_> = prepared
        .refused
        .into_iter()
        .map(|refused| refused.error)
        .collect();
    assert_eq!(refused, [ledger_core::state::ExecutionError::TooLarge]);
}
