//! `fsck` against every single altered cell.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::access_log::person;
use crate::support::{Chain, assert_clean, key, sqlite};
use ledger_core::Nonce;
use ledger_store::{Policy, Undecided};

/// A closed replica with a few blocks, and a copy of its file to spoil.
struct Original {
    chain: Chain,
}

impl Original {
    fn new() -> Self {
        Self::of(|chain| {
            chain.append(&[]);
        })
    }

    /// The same chain without the oldest transactions, but with one that was kept.
    fn pruned() -> Self {
        Self::of(|chain| {
            chain.append(&[chain.anchor(2)]);
            let policy = Policy {
                keep_bytes: Some(0),
                keep_blocks: 1,
                keep_sender: Some(key(1).public()),
                ..Policy::default()
            };
            let pruned = chain.replica.prune(&policy, 0).expect("prune");
            assert_eq!((pruned.blocks, pruned.transactions), (2, 3));
        })
    }

    fn of(last: impl FnOnce(&Chain)) -> Self {
        let chain = Chain::new(4);
        let person = chain.sign(4, Nonce(0), person(b"person", 50));
        chain.append(&[chain.anchor(1), chain.register(2, 0, b"device"), person]);
        chain.append(&[chain.anchor(3)]);
        last(&chain);
        let undecided = Undecided {
            height: ledger_core::Height(4),
            round: 2,
            hash: ledger_core::Digest::of(b"proposal"),
            bytes: vec![7; 64],
        };
        chain.replica.keep_undecided(&undecided).expect("keep");
        assert_clean(&chain.path());
        sqlite(&chain.path())
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
            .expect("checkpoint");
        Self { chain }
    }

    /// A connection to a fresh copy, which enforces nothing.
    fn copy(&self, path: &Path) -> Connection {
        std::fs::copy(self.chain.path(), path).expect("copy");
        let connection = sqlite(path);
        connection
            .execute_batch(
                "PRAGMA journal_mode = DELETE; PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF",
            )
            .expect("pragma");
        connection
    }
}

fn tables(connection: &Connection) -> Vec<String> {
    let mut select = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .expect("tables");
    let names = select.query_map([], |row| row.get(0)).expect("tables");
    names.collect::<Result<_, _>>().expect("tables")
}

/// A table's columns, and which of them are its key.
fn columns(connection: &Connection, table: &str) -> Vec<(String, bool)> {
    let mut select = connection
        .prepare(&format!("PRAGMA table_info({table})"))
        .expect("columns");
    let columns = select.query_map([], |row| Ok((row.get(1)?, row.get::<_, i64>(5)? > 0)));
    columns
        .expect("columns")
        .collect::<Result<_, _>>()
        .expect("columns")
}

fn rows(connection: &Connection, table: &str) -> Vec<Vec<Value>> {
    let count = columns(connection, table).len();
    let mut select = connection
        .prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))
        .expect("rows");
    let rows = select.query_map([], |row| (0..count).map(|at| row.get(at)).collect());
    rows.expect("rows").collect::<Result<_, _>>().expect("rows")
}

/// Every row of every table, as text.
pub fn dump(connection: &Connection) -> Vec<String> {
    let row = |table: &String| {
        let rows = rows(connection, table).into_iter();
        rows.map(|row| format!("{table} {row:?}"))
            .collect::<Vec<_>>()
    };
    tables(connection).iter().flat_map(row).collect()
}

/// Values that differ from `value` in one byte or by one.
fn altered(value: &Value) -> Vec<Value> {
    match value {
        Value::Integer(number) => vec![Value::Integer(number + 1), Value::Integer(number - 1)],
        Value::Null => vec![Value::Blob(vec![1; 32])],
        Value::Text(text) => vec![Value::Text(format!("{text}x"))],
        Value::Blob(bytes) if bytes.is_empty() => vec![Value::Blob(vec![0])],
        Value::Blob(bytes) => [0, bytes.len() / 2, bytes.len() - 1]
            .into_iter()
            .map(|at| {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1;
                Value::Blob(bytes)
            })
            .collect(),
        other => panic!("unexpected value {other:?}"),
    }
}

fn key_filter(columns: &[(String, bool)]) -> String {
    let keys = columns.iter().enumerate().filter(|(_, (_, key))| *key);
    let terms: Vec<_> = keys
        .map(|(at, (name, _))| format!("{name} = ?{}", at + 1))
        .collect();
    terms.join(" AND ")
}

/// Goal: no cell can be altered unnoticed. Method: alter each cell of each row of each table, one at a
/// time, and expect a problem each time.
#[test]
fn every_altered_cell_is_reported() {
    let tried = alter_every_cell(&Original::new(), &["pruned"], &[]);
    assert!(tried > 300, "only {tried} cells were altered");
}

/// Goal: the same of a pruned replica. Which height wrote a state entry last is all that its headers and
/// its state root do not tell.
#[test]
fn every_altered_cell_of_a_pruned_replica_is_reported() {
    let tried = alter_every_cell(&Original::pruned(), &[], &[("state", "height")]);
    assert!(tried > 300, "only {tried} cells were altered");
}

fn alter_every_cell(original: &Original, empty: &[&str], free: &[(&str, &str)]) -> u32 {
    let copy = original.chain.beside("altered.sqlite");
    let base = sqlite(&original.chain.path());
    let mut tried = 0;
    for table in tables(&base) {
        let columns = columns(&base, &table);
        let every = rows(&base, &table);
        assert_eq!(
            every.is_empty(),
            empty.contains(&table.as_str()),
            "rows of {table} to alter"
        );
        for row in &every {
            for (at, (column, _)) in columns.iter().enumerate() {
                if free.contains(&(table.as_str(), column.as_str())) {
                    continue;
                }
                for value in altered(&row[at]) {
                    let connection = original.copy(&copy);
                    let new = columns.len() + 1;
                    let sql = format!(
                        "UPDATE {table} SET {column} = ?{new} WHERE {}",
                        key_filter(&columns)
                    );
                    let values = row.iter().chain([&value]);
                    // An alteration that collides with another row is not one.
                    let Ok(changed) = update(&connection, &sql, values) else {
                        continue;
                    };
                    assert_eq!(changed, 1);
                    drop(connection);
                    let report = ledger_store::fsck(&copy).expect("fsck");
                    assert!(
                        !report.is_clean(),
                        "{table}.{column} of {row:?} altered unnoticed"
                    );
                    tried += 1;
                }
            }
        }
    }
    tried
}

fn count<'a>(connection: &Connection, sql: &str, values: impl Iterator<Item = &'a Value>) -> i64 {
    let mut statement = connection.prepare(sql).expect("count");
    let wanted = statement.parameter_count();
    for (at, value) in values.enumerate().take(wanted) {
        statement.raw_bind_parameter(at + 1, value).expect("bind");
    }
    let mut rows = statement.raw_query();
    let row = rows.next().expect("count").expect("a row");
    row.get(0).expect("a number")
}

fn update<'a>(
    connection: &Connection,
    sql: &str,
    values: impl Iterator<Item = &'a Value>,
) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare(sql).expect("update");
    let wanted = statement.parameter_count();
    for (at, value) in values.enumerate().take(wanted) {
        statement.raw_bind_parameter(at + 1, value).expect("bind");
    }
    statement.raw_execute()
}

/// Goal: no row can be removed unnoticed, save a proposal, which nothing else depends on, and a
/// transaction of a block that is pruned anyway.
#[test]
fn every_removed_row_is_reported() {
    remove_every_row(&Original::new(), "false");
    remove_every_row(&Original::pruned(), "height IN (SELECT height FROM pruned)");
}

fn remove_every_row(original: &Original, kept: &str) {
    let copy = original.chain.beside("removed.sqlite");
    let base = sqlite(&original.chain.path());
    for table in tables(&base)
        .into_iter()
        .filter(|table| table != "undecided")
    {
        let columns = columns(&base, &table);
        for row in rows(&base, &table) {
            let connection = original.copy(&copy);
            let kept = match table.as_str() {
                "transactions" => kept,
                _ => "false",
            };
            let filter = key_filter(&columns);
            let free = format!("SELECT count(*) FROM {table} WHERE {filter} AND {kept}");
            if count(&connection, &free, row.iter()) > 0 {
                continue;
            }
            let sql = format!("DELETE FROM {table} WHERE {filter}");
            assert_eq!(update(&connection, &sql, row.iter()).expect("delete"), 1);
            drop(connection);
            let report = ledger_store::fsck(&copy).expect("fsck");
            assert!(!report.is_clean(), "{table} lost {row:?} unnoticed");
        }
    }
}

/// Goal: damage below SQLite is reported too, and never a panic. Method: flip bytes of the file all over;
/// where nothing is reported, every row must be as before.
#[test]
fn flipped_bytes_of_the_file_are_reported_or_harmless() {
    let original = Original::new();
    let copy = original.chain.beside("flipped.sqlite");
    drop(original.copy(&copy));
    let bytes = std::fs::read(&copy).expect("read");
    let rows = dump(&sqlite(&copy));
    let mut reported = 0;
    for at in (0..bytes.len()).step_by(bytes.len() / 300 + 1) {
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 0x10;
        std::fs::write(&copy, &spoiled).expect("write");
        match ledger_store::fsck(&copy) {
            Ok(report) if report.is_clean() => assert_eq!(dump(&sqlite(&copy)), rows, "byte {at}"),
            _ => reported += 1,
        }
    }
    assert!(reported > 20, "only {reported} flips were reported");
}
