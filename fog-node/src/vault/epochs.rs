//! Table `epochs`: the keys of a stream, from a sequence on.
//!
//! ```text
//! stream   0 ────────────── 7204 ─────────────── 91833 ──────────▶ sequence
//! keys     nobody's         Ana's                Ben's
//! ```
//!
//! A stream gets new keys whenever it changes whose its device is, so that destroying one patient's touches no other's.
//! An epoch ends where the stream's next one begins. Its row is there before a reading of it is, in one commit with
//! the change. An erasure puts other keys in the row's place (`crate::erasure`); until the next change of whose the
//! device is, or for good, they are the epoch's.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::VaultError;

/// Since the vault's fifth version; before, a stream had the same keys for ever.
pub(super) const SCHEMA: &str = "
CREATE TABLE epochs (
    stream INTEGER NOT NULL REFERENCES streams(number),
    first_sequence INTEGER NOT NULL,
    sealed_keys BLOB NOT NULL,
    PRIMARY KEY (stream, first_sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO epochs SELECT number, 0, sealed_keys FROM streams;
ALTER TABLE streams DROP COLUMN sealed_keys;";

/// The wrapped keys of a stream's epochs, by their first sequences.
pub type SealedKeys = BTreeMap<u64, Vec<u8>>;

/// Stores a stream's keys from this sequence on, in the place of any that begin there.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn put(
    connection: &Connection,
    stream: i64,
    first_sequence: u64,
    sealed_keys: &[u8],
) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO epochs (stream, first_sequence, sealed_keys) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![stream, first_sequence as i64, sealed_keys])?;
    Ok(())
}

/// The epochs of a stream; one in a vault of an earlier version, which is read as it is.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn of_stream(connection: &Connection, stream: i64) -> Result<SealedKeys, VaultError> {
    let mut statement =
        connection.prepare_cached(match connection.table_exists(None, "epochs")? {
            true => "SELECT first_sequence, sealed_keys FROM epochs WHERE stream = ?1",
            false => "SELECT 0, sealed_keys FROM streams WHERE number = ?1",
        })?;
    let rows = statement.query_map([stream], |row| {
        Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
