//! Where a transaction stands, by its id.

use ledger_core::{Digest, Height, Nonce};
use ledger_store::{Policy, Replica};

use crate::alter::dump;
use crate::support::{Chain, anchor, assert_clean, genesis, key, sqlite};

/// Transactions of a block, and blocks: they begin in three eras.
const EACH: u64 = 3500;
const BLOCKS: u64 = 6;

fn long_chain() -> (Chain, Vec<Vec<Digest>>) {
    let mut genesis = genesis(2);
    genesis.parameters.max_block_bytes = 1 << 20;
    let chain = Chain::of(genesis);
    let mut ids = Vec::new();
    for block in 0..BLOCKS {
        let numbers = block * EACH..(block + 1) * EACH;
        let one = |number| chain.sign(1, Nonce(number), anchor(ledger_core::BatchNumber(number)));
        let mut transactions: Vec<_> = numbers.map(one).collect();
        transactions.push(chain.anchor(2));
        chain.append(&transactions);
        ids.push(transactions.iter().map(|one| one.id()).collect());
    }
    (chain, ids)
}

/// Goal: every transaction is found by its id, and nothing else is, in whichever era it stands, also when
/// others of its block are pruned. Method: look up all of three eras, prune, and look again.
#[test]
fn transactions_of_every_era_are_found_by_id() {
    let (chain, ids) = long_chain();
    let found = |id: &Digest| {
        let snapshot = chain.replica.read().expect("read");
        let found = snapshot.transaction(id).expect("read");
        found.map(|found| (found.height, found.index))
    };
    for (own, height) in ids.iter().zip(1..) {
        for (id, index) in own.iter().zip(0..) {
            assert_eq!(found(id), Some((Height(height), index)));
        }
    }
    assert_eq!(found(&Digest::of(b"another")), None);
    let mut near = ids[0][0];
    near.0[31] ^= 1;
    assert_eq!(found(&near), None, "only the head of an id is the same");

    let policy = Policy {
        keep_bytes: Some(0),
        keep_blocks: 3,
        keep_sender: Some(key(2).public()),
        ..Policy::default()
    };
    let pruned = chain.replica.prune(&policy, 0).expect("prune");
    assert_eq!(
        (pruned.blocks, pruned.transactions),
        (BLOCKS - 3, (BLOCKS - 3) * EACH)
    );
    assert_eq!(found(&ids[0][0]), None);
    assert_eq!(
        found(&ids[0][EACH as usize]),
        Some((Height(1), EACH as u32))
    );
    let last = &ids[BLOCKS as usize - 1];
    assert_eq!(found(&last[0]), Some((Height(BLOCKS), 0)));
    assert_clean(&chain.path());
}

/// Goal: a replica of layout 2, whose ids were unique among all and indexed together, becomes what this
/// version would have written, in every row. Method: lay a chain out the old way, and open it.
#[test]
fn a_replica_of_layout_2_is_brought_up_to_date() {
    let (chain, ids) = long_chain();
    let path = chain.beside("layout-2.sqlite");
    let connection = sqlite(&chain.path());
    connection
        .execute("VACUUM INTO ?1", [path.to_str().expect("UTF-8")])
        .expect("copy");
    let expected = dump(&connection);
    let old = sqlite(&path);
    old.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE before (
             height INTEGER NOT NULL REFERENCES headers (height),
             place  INTEGER NOT NULL,
             id     BLOB NOT NULL UNIQUE,
             sender BLOB NOT NULL,
             kind   TEXT NOT NULL,
             bytes  BLOB NOT NULL,
             PRIMARY KEY (height, place)
         ) STRICT, WITHOUT ROWID;
         INSERT INTO before SELECT * FROM transactions;
         DROP TABLE transactions;
         DROP TABLE transaction_ids;
         DROP TABLE access_log;
         ALTER TABLE before RENAME TO transactions;
         PRAGMA user_version = 2;",
    )
    .expect("the old layout");
    drop(old);
    let report = ledger_store::fsck(&path).expect("fsck");
    assert!(
        report.problems.len() == 1 && report.problems[0].sentence.contains("earlier version"),
        "{:?}",
        report.problems
    );

    let replica = Replica::open(&path).expect("bring up to date");
    let snapshot = replica.read().expect("read");
    let found = snapshot.transaction(&ids[3][7]).expect("read");
    assert_eq!(
        found.map(|found| (found.height, found.index)),
        Some((Height(4), 7))
    );
    drop(snapshot);
    drop(replica);
    assert_eq!(dump(&sqlite(&path)), expected);
    assert_clean(&path);
}
