//! Table `streams`: one metric of one device. Its keys are rows of their own (`super::epochs`).

use ledger_core::StreamId;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::VaultError;
use super::epochs::{self, SealedKeys};

pub(super) const SCHEMA: &str = "
CREATE TABLE streams (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    device TEXT NOT NULL REFERENCES devices(id),
    code TEXT NOT NULL,
    unit TEXT NOT NULL,
    sealed_keys BLOB NOT NULL,
    UNIQUE (device, code)
) STRICT;";

const COLUMNS: &str = "number, id, device, code, unit";

/// One stream.
#[derive(Clone, Debug)]
pub struct StreamRow {
    /// Its number in this vault, for compact rows.
    pub number: i64,
    /// Its id, as in readings and proofs.
    pub id: StreamId,
    /// Its device.
    pub device: String,
    /// LOINC code of its metric.
    pub code: String,
    /// UCUM unit.
    pub unit: String,
    /// Its keys, wrapped under the master key, by the sequence from which on they are its.
    pub sealed_keys: SealedKeys,
}

/// Adds a stream with its first keys, and returns its number.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(
    connection: &Connection,
    id: StreamId,
    device: &str,
    code: &str,
    unit: &str,
    sealed_keys: &[u8],
) -> Result<i64, VaultError> {
    connection
        .prepare_cached("INSERT INTO streams (id, device, code, unit) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id.0, device, code, unit])?;
    let number = connection.last_insert_rowid();
    epochs::put(connection, number, 0, sealed_keys)?;
    Ok(number)
}

/// All streams, or one device's.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn list(connection: &Connection, device: Option<&str>) -> Result<Vec<StreamRow>, VaultError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM streams WHERE ?1 IS NULL OR device = ?1 ORDER BY number"
    ))?;
    let rows = statement.query_map([device], from_row)?;
    let rows = rows.map(|row| with_keys(connection, row?));
    rows.collect()
}

/// The stream with this id.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn find(connection: &Connection, id: StreamId) -> Result<Option<StreamRow>, VaultError> {
    let row = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM streams WHERE id = ?1"))?
        .query_row([id.0], from_row)
        .optional()?;
    row.map(|row| with_keys(connection, row)).transpose()
}

fn with_keys(connection: &Connection, row: StreamRow) -> Result<StreamRow, VaultError> {
    Ok(StreamRow {
        sealed_keys: epochs::of_stream(connection, row.number)?,
        ..row
    })
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<StreamRow> {
    Ok(StreamRow {
        number: row.get(0)?,
        id: StreamId(row.get(1)?),
        device: row.get(2)?,
        code: row.get(3)?,
        unit: row.get(4)?,
        sealed_keys: SealedKeys::new(),
    })
}
