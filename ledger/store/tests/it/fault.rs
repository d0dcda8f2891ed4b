//! A write that fails changes nothing, and stops the replica until it is opened again.

use ledger_store::{Replica, StoreError, Undecided};

use crate::support::{Chain, assert_clean, certificate, sqlite};

/// Goal: a failure at any statement of an append leaves the file as it was, and the handle refuses to go
/// on. Method: make each table refuse each kind of change in turn, with a trigger.
#[test]
fn failed_writes_change_nothing_and_halt() {
    let tables = [
        "headers",
        "certificates",
        "transactions",
        "state",
        "tree_nodes",
        "undecided",
    ];
    let mut failures = 0;
    for table in tables {
        for change in ["INSERT", "UPDATE", "DELETE"] {
            failures += u32::from(fails_cleanly(table, change));
        }
    }
    // headers, certificates, transactions: insert. state, tree_nodes: insert and update (an upsert
    // fires both). undecided: delete. A stale node of another height is the only deletion of a node.
    assert!(failures >= 8, "only {failures} changes were made to fail");
}

fn fails_cleanly(table: &str, change: &str) -> bool {
    let chain = Chain::new(1);
    chain.grow(2);
    let undecided = Undecided {
        height: ledger_core::Height(3),
        round: 0,
        hash: ledger_core::Digest::ZERO,
        bytes: vec![1],
    };
    chain.replica.keep_undecided(&undecided).expect("keep");
    let (before, rows) = (chain.tip(), dump(&chain));
    let block = chain.prepare(&[chain.anchor(1), chain.register(1, 3, b"new")]);
    let certificate = block
        .certify(certificate(&block, &chain.signers()))
        .expect("certificate");
    let trigger = format!(
        "CREATE TRIGGER fault BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, 'fault'); END"
    );
    sqlite(&chain.path())
        .execute_batch(&trigger)
        .expect("trigger");
    let outcome = chain.replica.append(&block, &certificate);
    sqlite(&chain.path())
        .execute_batch("DROP TRIGGER fault")
        .expect("drop");
    let failed = outcome.is_err();
    if failed {
        assert!(matches!(outcome, Err(StoreError::Sqlite { .. })));
        assert_eq!((chain.tip(), dump(&chain)), (before, rows));
        let again = chain.replica.append(&block, &certificate);
        assert!(matches!(again, Err(StoreError::Halted)));
        assert!(matches!(
            chain.replica.keep_undecided(&undecided),
            Err(StoreError::Halted)
        ));
        assert_clean(&chain.path());
        let reopened = Replica::open(chain.path()).expect("reopen");
        reopened
            .append(&block, &certificate)
            .expect("append after reopening");
    }
    assert_clean(&chain.path());
    failed
}

/// Every row of every table.
fn dump(chain: &Chain) -> Vec<String> {
    crate::alter::dump(&sqlite(&chain.path()))
}

/// Goal: foreign files are refused, not overwritten.
#[test]
fn foreign_files_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("foreign.sqlite");
    sqlite(&path)
        .execute_batch("CREATE TABLE notes (text TEXT)")
        .expect("create");
    assert!(matches!(Replica::open(&path), Err(StoreError::NotAReplica)));
    assert!(matches!(
        ledger_store::fsck(&path),
        Err(StoreError::NotAReplica)
    ));
    let text = folder.path().join("text");
    std::fs::write(
        &text,
        "no database at all, but longer than a header of SQLite ".repeat(20),
    )
    .expect("write");
    assert!(matches!(
        Replica::open(&text),
        Err(StoreError::Sqlite { .. })
    ));
    let newer = folder.path().join("newer.sqlite");
    drop(Replica::open(&newer).expect("open"));
    sqlite(&newer)
        .execute_batch("PRAGMA user_version = 99")
        .expect("pragma");
    assert!(matches!(
        Replica::open(&newer),
        Err(StoreError::Newer { found: 99, .. })
    ));
    assert!(matches!(
        ledger_store::fsck(folder.path().join("none")),
        Err(StoreError::Sqlite { .. })
    ));
}
