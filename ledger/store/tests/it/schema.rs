//! The layout of the file, which other versions must be able to read.

use ledger_store::Replica;

use crate::support::sqlite;

/// Goal: no change of the layout goes unnoticed. Method: compare the schema with the one on record; a
/// difference needs a migration, and then a new record.
#[test]
fn the_schema_is_the_one_on_record() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("chain.sqlite");
    drop(Replica::open(&path).expect("open"));
    let connection = sqlite(&path);
    let mut dump = String::new();
    for pragma in ["application_id", "user_version", "journal_mode"] {
        let value = connection
            .pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0))
            .expect("pragma");
        dump += &format!("PRAGMA {pragma} = {value:?};\n");
    }
    let mut select = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .expect("schema");
    let rows = select
        .query_map([], |row| row.get::<_, String>(0))
        .expect("schema");
    for sql in rows {
        dump += &format!("{};\n", sql.expect("schema"));
    }
    assert_eq!(
        dump,
        include_str!("schema.sql"),
        "the layout changed:\n{dump}"
    );
}

/// Goal: opening twice migrates once.
#[test]
fn opening_again_changes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("chain.sqlite");
    drop(Replica::open(&path).expect("open"));
    let bytes = std::fs::read(&path).expect("read");
    drop(Replica::open(&path).expect("open again"));
    assert_eq!(std::fs::read(&path).expect("read"), bytes);
    let report = crate::support::assert_clean(&path);
    assert_eq!((report.chain_id, report.blocks), (None, 0));
}
