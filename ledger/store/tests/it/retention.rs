//! Mini-chains: what goes, what stays, and what the disk gets back.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ledger_core::{Digest, Height, Payload, merkle};
use ledger_store::{Policy, Replica};

use crate::support::{Chain, assert_clean, genesis, key, sqlite};

/// No transaction is kept but those of the newest block.
fn all_but_the_tip() -> Policy {
    Policy {
        keep_bytes: Some(0),
        keep_blocks: 1,
        ..Policy::default()
    }
}

/// A chain with `blocks` blocks of `each` device registrations of node 1.
fn chain_of(blocks: u64, each: u64) -> Chain {
    let mut genesis = genesis(1);
    genesis.parameters.max_block_bytes = 1 << 20;
    let chain = Chain::of(genesis);
    for block in 0..blocks {
        let nonces = block * each..(block + 1) * each;
        let transactions: Vec<_> = nonces
            .map(|nonce| chain.register(1, nonce, &nonce.to_be_bytes()))
            .collect();
        chain.append(&transactions);
    }
    chain
}

/// Goal: which transactions go is what the policy says, to the block. Method: a table of policies over a
/// chain whose times and sizes are known.
#[test]
fn the_policy_decides_to_the_block() {
    let chain = Chain::new(1);
    chain.grow(20);
    let snapshot = chain.replica.read().expect("read");
    let time = |height| {
        snapshot
            .header(Height(height))
            .expect("read")
            .expect("one")
            .time_millis
    };
    let size = |height| {
        snapshot.transactions(Height(height)).expect("read")[0]
            .bytes
            .len() as u64
    };
    let now = time(20);
    let newest: u64 = (16..=20).map(size).sum();
    let check = |policy: &Policy, expected: Option<u64>| {
        let found = snapshot.prunable(policy, now).expect("read");
        assert_eq!(found.map(|height| height.0), expected, "{policy:?}");
    };
    let floor = |keep_blocks| Policy {
        keep_blocks,
        ..Policy::default()
    };
    let age = |age| Policy {
        older_than_millis: Some(age),
        ..floor(1)
    };
    let bytes = |bytes| Policy {
        keep_bytes: Some(bytes),
        ..floor(1)
    };
    check(&floor(1), None);
    check(&age(now - time(6)), Some(5));
    check(&age(now - time(6) - 1), Some(6));
    check(&age(0), Some(19));
    check(&age(u64::MAX), None);
    check(&bytes(newest), Some(15));
    check(&bytes(newest - 1), Some(16));
    check(&bytes(0), Some(19));
    check(&bytes(u64::MAX), None);
    check(
        &Policy {
            older_than_millis: Some(now - time(6)),
            ..bytes(newest)
        },
        Some(15),
    );
    check(
        &Policy {
            keep_blocks: 12,
            ..bytes(0)
        },
        Some(8),
    );
    check(
        &Policy {
            keep_blocks: 128,
            ..bytes(0)
        },
        None,
    );
    check(
        &Policy {
            keep_blocks: 0,
            ..bytes(0)
        },
        Some(19),
    );
    check(
        &Policy {
            keep_from: Some(Height(4)),
            ..bytes(0)
        },
        Some(3),
    );
    check(
        &Policy {
            keep_from: Some(Height(1)),
            ..bytes(0)
        },
        None,
    );
    check(
        &Policy {
            keep_from: Some(Height(0)),
            ..bytes(0)
        },
        None,
    );
}

/// Goal: transactions go, all else stays: headers, certificates, state, counts, paths of what was kept;
/// the chain goes on; the disk gets its space back.
#[test]
fn bodies_go_and_everything_else_stays() {
    let chain = chain_of(8, 400);
    let before = assert_clean(&chain.path());
    let (counts, issued) = {
        let snapshot = chain.replica.read().expect("read");
        let transactions = snapshot.transactions(Height(3)).expect("read");
        let issued = snapshot
            .inclusion(&transactions[7].id)
            .expect("read")
            .expect("a proof");
        (snapshot.counts(), issued)
    };
    let pruned = chain.replica.prune(&all_but_the_tip(), 0).expect("prune");
    assert_eq!(
        (pruned.up_to, pruned.blocks, pruned.transactions),
        (Some(7), 7, 2800)
    );
    assert!(pruned.bytes_freed > 240 * 2800, "{pruned:?}");
    assert_eq!(pruned.bytes_after, chain.replica.bytes_on_disk());
    assert_eq!(pruned.bytes_freed, pruned.bytes_before - pruned.bytes_after);

    let snapshot = chain.replica.read().expect("read");
    assert_eq!(snapshot.counts(), counts);
    assert_eq!(snapshot.whole_from().expect("read"), Height(8));
    assert!(
        snapshot.block(Height(0)).expect("read").is_some(),
        "the genesis stays"
    );
    assert!(snapshot.block(Height(3)).expect("read").is_none());
    assert!(snapshot.is_pruned(Height(3)).expect("read"));
    assert!(snapshot.block(Height(8)).expect("read").is_some());
    assert!(snapshot.certificate(Height(3)).expect("read").is_some());
    assert_eq!(snapshot.blocks(Height(0), 100).expect("read").len(), 9);
    assert!(
        snapshot
            .device(&Digest::of(&7u64.to_be_bytes()))
            .expect("read")
            .is_some()
    );

    // What was proven before still holds against the header that stays.
    let header = snapshot.header(Height(3)).expect("read").expect("a header");
    assert_eq!(issued.header, header);
    let id = ledger_core::SignedTransaction::decode(&issued.transaction)
        .expect("decode")
        .id();
    let leaf = merkle::leaf_hash(&id.0);
    let (at, count) = (
        u64::from(issued.transaction_index),
        u64::from(header.tx_count),
    );
    assert!(merkle::verify(
        leaf,
        at,
        count,
        &issued.transaction_path,
        &header.tx_root
    ));
    assert!(snapshot.inclusion(&id).expect("read").is_none());
    drop(snapshot);

    let after = assert_clean(&chain.path());
    assert_eq!(after.pruned_blocks, 7);
    assert_eq!(
        (after.transactions, after.tip),
        (before.transactions, before.tip)
    );
    chain.append(&[chain.register(1, 3200, b"one more")]);
    assert_clean(&chain.path());
    let again = chain.replica.prune(&all_but_the_tip(), 0).expect("prune");
    assert_eq!((again.blocks, again.transactions), (1, 400));
    assert_clean(&chain.path());
    drop(Replica::open(chain.path()).expect("reopen"));
}

/// Goal: a sender's own transactions can be kept, with paths that lead to the header; and go later.
#[test]
fn a_senders_transactions_can_be_kept() {
    let chain = Chain::new(4);
    chain.append(&[chain.anchor(1), chain.anchor(2), chain.anchor(3)]);
    let own = chain.anchor(2);
    chain.append(&[chain.anchor(1), own.clone(), chain.anchor(4)]);
    chain.append(&[]);
    let policy = Policy {
        keep_sender: Some(key(2).public()),
        ..all_but_the_tip()
    };
    let pruned = chain.replica.prune(&policy, 0).expect("prune");
    assert_eq!((pruned.blocks, pruned.transactions), (2, 4));
    assert_clean(&chain.path());
    {
        let snapshot = chain.replica.read().expect("read");
        let inclusion = snapshot
            .inclusion(&own.id())
            .expect("read")
            .expect("a path");
        assert_eq!(inclusion.transaction_index, 1);
        let leaf = merkle::leaf_hash(&own.id().0);
        let header = &inclusion.header;
        assert!(merkle::verify(
            leaf,
            1,
            3,
            &inclusion.transaction_path,
            &header.tx_root
        ));
        assert!(matches!(own.body().payload, Payload::AnchorBatch(_)));
    }
    assert_eq!(
        chain.replica.prune(&policy, 0).expect("again").transactions,
        0
    );
    let rest = chain.replica.prune(&all_but_the_tip(), 0).expect("prune");
    assert_eq!((rest.blocks, rest.transactions), (2, 2));
    assert_clean(&chain.path());
}

/// Goal: pruning delays no block for long, and both come out whole. Method: append while another thread
/// prunes as much as there is.
#[test]
fn blocks_are_appended_while_pruning() {
    let chain = chain_of(10, 800);
    let is_done = AtomicBool::new(false);
    let appended = std::thread::scope(|scope| {
        let pruning = scope.spawn(|| {
            let pruned = chain.replica.prune(&all_but_the_tip(), 0);
            is_done.store(true, Ordering::Release);
            pruned
        });
        let mut appended = 0;
        while !is_done.load(Ordering::Acquire) {
            chain.append(&[]);
            appended += 1;
        }
        let pruned = pruning.join().expect("no panic").expect("prune");
        assert!(pruned.transactions >= 9 * 800, "{pruned:?}");
        appended
    });
    assert!(appended > 2, "only {appended} blocks came through");
    assert_clean(&chain.path());
}

/// Goal: a file that older versions made gives its space back too. Method: rewrite one without the pages
/// that tell which pages can move.
#[test]
fn an_old_file_learns_to_shrink() {
    let chain = chain_of(4, 400);
    let path = chain.path();
    drop(chain.replica);
    sqlite(&path)
        .execute_batch("PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM")
        .expect("rewrite");
    let replica = Replica::open(&path).expect("open");
    let pruned = replica.prune(&all_but_the_tip(), 0).expect("prune");
    assert!(pruned.bytes_freed > 240 * 1200, "{pruned:?}");
    drop(replica);
    assert_clean(&path);
}

const CHILD: &str = "FOGWARD_STORE_PRUNE_TEST";

/// Goal: killed at any moment of pruning, the replica is whole, and the next call goes on. Method: this
/// test starts itself as a child that appends and prunes, and kills it at a moment that differs each time.
#[test]
fn killed_while_pruning_leaves_a_whole_replica() {
    if let Some(folder) = std::env::var_os(CHILD) {
        let chain = Chain::reopen(folder.as_ref());
        while writeln!(std::io::stderr(), "pruning").is_ok() {
            chain.replica.prune(&all_but_the_tip(), 0).expect("prune");
            chain.grow(3);
        }
        return;
    }
    let chain = Chain::new(1);
    let mut pruned = Vec::new();
    for kill in 0..8u64 {
        chain.grow(10);
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "retention::killed_while_pruning_leaves_a_whole_replica",
                "--exact",
                "--nocapture",
            ])
            .env(CHILD, chain.beside(""))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut lines = BufReader::new(child.stderr.take().expect("its stderr")).lines();
        // Once through, and then somewhere in the second round.
        for _ in 0..2 {
            lines.next().expect("a line").expect("text");
        }
        std::thread::sleep(Duration::from_millis(kill * 7 % 20));
        child.kill().expect("kill");
        child.wait().expect("wait");
        pruned.push(assert_clean(&chain.path()).pruned_blocks);
    }
    assert!(pruned.last() > pruned.first(), "{pruned:?}");
    let report = chain.replica.prune(&all_but_the_tip(), 0).expect("prune");
    let height = chain.tip().height().0;
    assert_eq!(report.up_to, Some(height - 1));
    assert_eq!(assert_clean(&chain.path()).pruned_blocks, height - 1);
}
