//! Table `payloads`: the sealed readings of one stream in one batch.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::VaultError;

pub(super) const SCHEMA: &str = "
CREATE TABLE payloads (
    stream INTEGER NOT NULL REFERENCES streams(number),
    first_sequence INTEGER NOT NULL,
    count INTEGER NOT NULL,
    batch INTEGER NOT NULL REFERENCES batches(number),
    newest INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (stream, first_sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX payloads_by_batch ON payloads (batch);";

const COLUMNS: &str = "stream, first_sequence, count, batch, newest, sealed";

/// The readings of one stream in one batch.
#[derive(Clone, Debug)]
pub struct PayloadRow {
    /// Number of their stream.
    pub stream: i64,
    /// Sequence of the first.
    pub first_sequence: u64,
    /// How many.
    pub count: u32,
    /// Their batch.
    pub batch: u64,
    /// Host time of the newest, in Unix milliseconds.
    pub newest: i64,
    /// The sealed records.
    pub sealed: Vec<u8>,
}

/// Adds a row.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(connection: &Connection, row: &PayloadRow) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT INTO payloads (stream, first_sequence, count, batch, newest, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            row.stream,
            row.first_sequence as i64,
            row.count,
            row.batch as i64,
            row.newest,
            row.sealed
        ])?;
    Ok(())
}

/// The row that holds `sequence` of a stream, if it is in a batch.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn holding(
    connection: &Connection,
    stream: i64,
    sequence: u64,
) -> Result<Option<PayloadRow>, VaultError> {
    let found = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM payloads WHERE stream = ?1 AND first_sequence <= ?2
             ORDER BY first_sequence DESC LIMIT 1"
        ))?
        .query_row(params![stream, sequence as i64], from_row)
        .optional()?;
    Ok(found.filter(|row| sequence - row.first_sequence < u64::from(row.count)))
}

/// All rows of a batch.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn of_batch(connection: &Connection, batch: u64) -> Result<Vec<PayloadRow>, VaultError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM payloads WHERE batch = ?1"))?;
    let rows = statement.query_map([batch as i64], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A stream's rows below `below`, newest first, at most `limit`.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn newest(
    connection: &Connection,
    stream: i64,
    below: u64,
    limit: u32,
) -> Result<Vec<PayloadRow>, VaultError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM payloads WHERE stream = ?1 AND first_sequence < ?2
         ORDER BY first_sequence DESC LIMIT ?3"
    ))?;
    let below = i64::try_from(below).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![stream, below, limit], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The sequence after a stream's last reading in a batch; 0 if there is none.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn next_sequence(connection: &Connection, stream: i64) -> Result<u64, VaultError> {
    let found: Option<i64> = connection
        .prepare_cached(
            "SELECT first_sequence + count FROM payloads WHERE stream = ?1
             ORDER BY first_sequence DESC LIMIT 1",
        )?
        .query_row([stream], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0) as u64)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<PayloadRow> {
    Ok(PayloadRow {
        stream: row.get(0)?,
        first_sequence: row.get::<_, i64>(1)? as u64,
        count: row.get(2)?,
        batch: row.get::<_, i64>(3)? as u64,
        newest: row.get(4)?,
        sealed: row.get(5)?,
    })
}
