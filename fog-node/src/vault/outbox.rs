//! Table `outbox`: the node's own transactions, until they are final. What is in it is submitted again
//! after every start, byte for byte, so that nothing accepted is lost and nothing is executed twice.

use std::collections::BTreeMap;

use ledger_core::Digest;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{VaultError, digest_column, payloads, streams};

pub(super) const SCHEMA: &str = "
CREATE TABLE outbox (
    nonce INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    batch INTEGER,
    bytes BLOB NOT NULL
) STRICT;
CREATE TABLE sender (
    single INTEGER PRIMARY KEY CHECK (single = 1),
    next_nonce INTEGER NOT NULL
) STRICT;
INSERT INTO sender VALUES (1, 0);";

/// One own transaction.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// Its nonce.
    pub nonce: u64,
    /// Its id.
    pub id: Digest,
    /// The batch it anchors, if it does.
    pub batch: Option<u64>,
    /// Its encoded bytes.
    pub bytes: Vec<u8>,
}

/// Adds a transaction and moves the sender's nonce on.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(connection: &Connection, row: &OutboxRow) -> Result<(), VaultError> {
    connection
        .prepare_cached("INSERT INTO outbox (nonce, id, batch, bytes) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            row.nonce as i64,
            row.id.0,
            row.batch.map(|batch| batch as i64),
            row.bytes
        ])?;
    connection
        .prepare_cached("UPDATE sender SET next_nonce = ?1")?
        .execute([row.nonce as i64 + 1])?;
    Ok(())
}

/// The nonce of the node's next transaction.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn next_nonce(connection: &Connection) -> Result<u64, VaultError> {
    let nonce: i64 = connection
        .prepare_cached("SELECT next_nonce FROM sender")?
        .query_row([], |row| row.get(0))?;
    Ok(nonce as u64)
}

/// Deletes the transactions below `nonce`: they are final.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn delete_below(connection: &Connection, nonce: u64) -> Result<(), VaultError> {
    connection
        .prepare_cached("DELETE FROM outbox WHERE nonce < ?1")?
        .execute([nonce as i64])?;
    Ok(())
}

/// Transactions from this nonce on, at most `limit`, in the order of their nonces.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn page(
    connection: &Connection,
    nonce: u64,
    limit: usize,
) -> Result<Vec<OutboxRow>, VaultError> {
    let mut statement = connection.prepare_cached(
        "SELECT nonce, id, batch, bytes FROM outbox WHERE nonce >= ?1 ORDER BY nonce LIMIT ?2",
    )?;
    let rows = statement.query_map(params![nonce as i64, limit as i64], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many readings of which device, by its id, a batch holds.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn readings_of(connection: &Connection, batch: u64) -> Result<Vec<(String, u64)>, VaultError> {
    let mut statement = connection.prepare_cached(
        "SELECT device, sum(count) FROM payloads JOIN streams ON number = stream
         WHERE batch = ?1 GROUP BY device",
    )?;
    let rows = statement.query_map([batch as i64], counted)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many readings of which device, by its id, are in transactions from this nonce on. It takes as long when days
/// wait as when nothing does.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn readings_from(
    connection: &Connection,
    nonce: u64,
) -> Result<BTreeMap<String, u64>, VaultError> {
    let first: Option<i64> = connection
        .prepare_cached(
            "SELECT batch FROM outbox WHERE nonce >= ?1 AND batch IS NOT NULL ORDER BY nonce LIMIT 1",
        )?
        .query_row([nonce as i64], |row| row.get(0))
        .optional()?;
    let mut readings = BTreeMap::new();
    let Some(first) = first else {
        return Ok(readings);
    };
    for stream in streams::list(connection, None)? {
        let count = payloads::count_from(connection, stream.number, first as u64)?;
        if count > 0 {
            *readings.entry(stream.device).or_default() += count;
        }
    }
    Ok(readings)
}

fn counted(row: &Row<'_>) -> rusqlite::Result<(String, u64)> {
    Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    Ok(OutboxRow {
        nonce: row.get::<_, i64>(0)? as u64,
        id: digest_column(row, 1)?,
        batch: row.get::<_, Option<i64>>(2)?.map(|batch| batch as u64),
        bytes: row.get(3)?,
    })
}

/// The first transaction, by its nonce.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn first(connection: &Connection) -> Result<Option<OutboxRow>, VaultError> {
    Ok(page(connection, 0, 1)?.pop())
}

/// The bytes of the transaction with this id, while it waits.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn find(connection: &Connection, id: &Digest) -> Result<Option<Vec<u8>>, VaultError> {
    let bytes = connection
        .prepare_cached("SELECT bytes FROM outbox WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(bytes)
}

/// All transactions, in the order of their nonces; in days, many.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn list(connection: &Connection) -> Result<Vec<OutboxRow>, VaultError> {
    let mut statement =
        connection.prepare_cached("SELECT nonce, id, batch, bytes FROM outbox ORDER BY nonce")?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
