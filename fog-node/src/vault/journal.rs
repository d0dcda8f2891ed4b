//! Table `journal`: readings that are durable and wait for a batch. Emptied by every flush.

use rusqlite::{Connection, params};

use super::VaultError;

pub(super) const SCHEMA: &str = "
CREATE TABLE journal (
    stream INTEGER NOT NULL REFERENCES streams(number),
    first_sequence INTEGER NOT NULL,
    count INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (stream, first_sequence)
) STRICT, WITHOUT ROWID;";

/// Some readings of one stream.
#[derive(Clone, Debug)]
pub struct JournalRow {
    /// Number of their stream.
    pub stream: i64,
    /// Sequence of the first.
    pub first_sequence: u64,
    /// How many.
    pub count: u32,
    /// The sealed records.
    pub sealed: Vec<u8>,
}

/// Adds a row.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(connection: &Connection, row: &JournalRow) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT INTO journal (stream, first_sequence, count, sealed) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            row.stream,
            row.first_sequence as i64,
            row.count,
            row.sealed
        ])?;
    Ok(())
}

/// Deletes all rows: their readings are in payloads now.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn clear(connection: &Connection) -> Result<(), VaultError> {
    connection
        .prepare_cached("DELETE FROM journal")?
        .execute([])?;
    Ok(())
}

/// All rows, or one stream's, in sequence.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn list(connection: &Connection, stream: Option<i64>) -> Result<Vec<JournalRow>, VaultError> {
    let mut statement = connection.prepare_cached(
        "SELECT stream, first_sequence, count, sealed FROM journal
         WHERE ?1 IS NULL OR stream = ?1 ORDER BY stream, first_sequence",
    )?;
    let rows = statement.query_map([stream], |row| {
        Ok(JournalRow {
            stream: row.get(0)?,
            first_sequence: row.get::<_, i64>(1)? as u64,
            count: row.get(2)?,
            sealed: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
