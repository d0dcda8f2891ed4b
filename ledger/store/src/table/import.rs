//! `import`: how far a snapshot is taken over. Not a table of a replica: it is there only while the file is
//! not one yet, and goes with the transaction that makes it one.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{Doing as _, StoreError};

pub(crate) const TABLE: &str = "
CREATE TABLE import (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The statement that ends an import.
pub(crate) const DROP: &str = "DROP TABLE import";

pub(crate) fn get(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    connection
        .prepare_cached("SELECT value FROM import WHERE name = ?1")
        .and_then(|mut select| select.query_row([name], |row| row.get(0)).optional())
        .doing("read how far the import is")
}

pub(crate) fn put(connection: &Connection, name: &str, value: &[u8]) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO import (name, value) VALUES (?1, ?2)")
        .and_then(|mut insert| insert.execute(params![name, value]))
        .doing("note how far the import is")?;
    Ok(())
}
