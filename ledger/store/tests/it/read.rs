//! What readers get, and that they never see half a block.

use std::sync::atomic::{AtomicBool, Ordering};

use ledger_core::proof::Check;
use ledger_core::{Digest, Height, merkle};
use ledger_store::Undecided;

use crate::support::{Chain, key};

/// Goal: each read gives what was appended.
#[test]
fn reads_give_what_was_appended() {
    let chain = Chain::new(4);
    let (one, two) = (chain.anchor(1), chain.register(2, 0, b"device"));
    chain.append(&[one.clone(), two.clone()]);
    chain.grow(2);
    let snapshot = chain.replica.read().expect("read");
    let block = snapshot.block(Height(1)).expect("read").expect("block 1");
    assert_eq!(block.transactions, [one.bytes(), two.bytes()]);
    assert_eq!(
        snapshot.height_of(&block.header.hash()).expect("read"),
        Some(Height(1))
    );
    let found = snapshot
        .transaction(&two.id())
        .expect("read")
        .expect("a transaction");
    assert_eq!(
        (found.height, found.index, found.kind.as_str()),
        (Height(1), 1, "register_device")
    );
    assert_eq!(
        (found.sender, found.bytes.as_slice()),
        (key(2).public(), two.bytes())
    );
    assert_eq!(snapshot.transaction(&Digest::ZERO).expect("read"), None);
    let summaries = snapshot.blocks(Height(1), 2).expect("read");
    let readings: Vec<_> = summaries
        .iter()
        .map(|one| (one.header.height.0, one.readings))
        .collect();
    assert_eq!(readings, [(1, 100), (2, 100)]);
    assert_eq!(snapshot.blocks(Height(9), 2).expect("read"), []);
    assert_eq!(snapshot.header(Height(9)).expect("read"), None);
    assert_eq!(snapshot.certificate(Height(0)).expect("read"), None);
    assert_eq!(
        snapshot
            .account(&key(1).public())
            .expect("read")
            .next_nonce
            .0,
        3
    );
    assert_eq!(
        snapshot
            .account(&key(9).public())
            .expect("read")
            .next_nonce
            .0,
        0
    );
    assert_eq!(
        snapshot
            .anchor_head(&key(1).public())
            .expect("read")
            .readings,
        300
    );
    assert_eq!(snapshot.members().expect("read").len(), 4);
    assert_eq!(snapshot.devices().expect("read").len(), 1);
    assert!(
        snapshot
            .device(&Digest::of(b"device"))
            .expect("read")
            .is_some()
    );
    let set = &chain.genesis.validators;
    assert_eq!(
        snapshot.validators_at(Height(4)).expect("read").as_ref(),
        Some(set)
    );
    assert_eq!(snapshot.validators_at(Height(5)).expect("read"), None);
    assert_eq!(snapshot.validator_changes(Height(3)).expect("read"), []);
}

/// Goal: the ledger's part of a proof leads from a transaction to the genesis. Method: make the checks
/// that concern it, over a hand-made reading.
#[test]
fn inclusions_lead_to_the_genesis() {
    let chain = Chain::new(4);
    let transactions = [chain.anchor(1), chain.anchor(2), chain.anchor(3)];
    chain.append(&transactions);
    let snapshot = chain.replica.read().expect("read");
    for transaction in &transactions {
        let found = snapshot
            .inclusion(&transaction.id())
            .expect("read")
            .expect("an inclusion");
        assert!(merkle::verify(
            merkle::leaf_hash(&transaction.id().0),
            u64::from(found.transaction_index),
            3,
            &found.transaction_path,
            &found.header.tx_root
        ));
        found
            .certificate
            .verify(found.chain, &chain.genesis.validators)
            .expect("a certificate");
        assert_eq!(found.transaction, transaction.bytes());
    }
    let first = snapshot.transactions(Height(0)).expect("read").remove(0);
    assert_eq!(snapshot.inclusion(&first.id).expect("read"), None);
    assert_eq!(Check::ALL.len(), 6);
}

/// Goal: proposals survive a restart and are gone once their height is decided.
#[test]
fn proposals_are_kept_until_decided() {
    let chain = Chain::new(1);
    let proposal = |height: u64, round| Undecided {
        height: Height(height),
        round,
        hash: Digest::of(&[round as u8]),
        bytes: vec![height as u8; 100],
    };
    for (height, round) in [(1, 0), (1, 1), (2, 0), (1, 1)] {
        chain
            .replica
            .keep_undecided(&proposal(height, round))
            .expect("keep");
    }
    let replica = ledger_store::Replica::open(chain.path()).expect("reopen");
    let of = |height, round| {
        replica
            .read()
            .expect("read")
            .undecided(Height(height), round)
            .expect("read")
    };
    assert_eq!(of(1, 1), [proposal(1, 1)]);
    let by_hash = replica
        .read()
        .expect("read")
        .undecided_block(Height(1), &proposal(1, 0).hash);
    assert_eq!(by_hash.expect("read"), Some(proposal(1, 0)));
    chain.grow(1);
    assert_eq!(
        (of(1, 0), of(1, 1), of(2, 0)),
        (vec![], vec![], vec![proposal(2, 0)])
    );
}

/// Goal: readers on other threads see whole blocks while the writer appends. Method: compare the state
/// with the header's height and root all the while.
#[test]
fn readers_see_whole_blocks() {
    let chain = Chain::new(1);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    let snapshot = chain.replica.read().expect("read");
                    let tip = snapshot.tip().expect("a tip");
                    let head = snapshot.anchor_head(&key(1).public()).expect("read");
                    assert_eq!(head.next_batch.0, tip.height().0);
                    assert_eq!(head.readings, tip.counts.readings);
                    let block = snapshot
                        .block(tip.height())
                        .expect("read")
                        .expect("the tip");
                    assert_eq!(block.header, tip.header);
                }
            });
        }
        chain.grow(60);
        done.store(true, Ordering::Release);
    });
}
