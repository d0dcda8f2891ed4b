//! Table `batches`: the node's batches and the transactions that anchor them.

use ledger_core::Digest;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{VaultError, digest_column, losses};

pub(super) const SCHEMA: &str = "
CREATE TABLE batches (
    number INTEGER PRIMARY KEY,
    tx BLOB NOT NULL UNIQUE,
    root BLOB NOT NULL,
    readings INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;";

/// One batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchRow {
    /// Its number; 0, 1, 2 … without holes but those that [`losses`] tells of.
    pub number: u64,
    /// Id of the transaction that anchors it.
    pub tx: Digest,
    /// Its Merkle root.
    pub root: Digest,
    /// How many readings it holds.
    pub readings: u32,
    /// When it was made, in Unix milliseconds.
    pub created: i64,
}

/// Adds a batch.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(connection: &Connection, batch: &BatchRow) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT INTO batches (number, tx, root, readings, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            batch.number as i64,
            batch.tx.0,
            batch.root.0,
            batch.readings,
            batch.created
        ])?;
    Ok(())
}

/// The batch with this number.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn find(connection: &Connection, number: u64) -> Result<Option<BatchRow>, VaultError> {
    Ok(connection
        .prepare_cached(
            "SELECT number, tx, root, readings, created FROM batches WHERE number = ?1",
        )?
        .query_row([number as i64], |row| {
            Ok(BatchRow {
                number: row.get::<_, i64>(0)? as u64,
                tx: digest_column(row, 1)?,
                root: digest_column(row, 2)?,
                readings: row.get(3)?,
                created: row.get(4)?,
            })
        })
        .optional()?)
}

/// The number of the next batch: after all that are here, and all that were lost.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn next_number(connection: &Connection) -> Result<u64, VaultError> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(number) FROM batches")?
        .query_row([], |row| row.get(0))?;
    let next = last.map_or(0, |number| number as u64 + 1);
    let lost = losses::all(connection)?.pop();
    Ok(lost.map_or(next, |loss| next.max(loss.head.next_batch.0)))
}

/// Notes that a batch has this number from now on, and which transaction anchors it.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn anchored_anew(
    connection: &Connection,
    batch: u64,
    number: u64,
    tx: &Digest,
) -> Result<(), VaultError> {
    let numbers = params![batch as i64, number as i64];
    if number == batch {
        connection
            .prepare_cached("UPDATE batches SET tx = ?2 WHERE number = ?1")?
            .execute(params![batch as i64, tx.0])?;
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO batches SELECT ?2, ?3, root, readings, created FROM batches WHERE number = ?1",
        )?
        .execute(params![batch as i64, number as i64, tx.0])?;
    connection
        .prepare_cached("UPDATE payloads SET batch = ?2 WHERE batch = ?1")?
        .execute(numbers)?;
    connection
        .prepare_cached("DELETE FROM batches WHERE number = ?1")?
        .execute([batch as i64])?;
    Ok(())
}

/// How many readings the batches below this number hold.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn readings_below(connection: &Connection, number: u64) -> Result<u64, VaultError> {
    let readings: i64 = connection
        .prepare_cached("SELECT coalesce(sum(readings), 0) FROM batches WHERE number < ?1")?
        .query_row([number as i64], |row| row.get(0))?;
    Ok(readings as u64)
}
