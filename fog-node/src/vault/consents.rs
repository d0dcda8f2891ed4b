//! Table `consents`: what patients have agreed to. A row is sealed as a whole under the master key and replaced as a
//! whole.
//!
//! Left out: what a row says (`crate::consents`).

use rusqlite::{Connection, params};

use super::VaultError;

pub(super) const SCHEMA: &str = "
CREATE TABLE consents (
    id BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;";

/// A row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedConsent {
    /// The consent's random id.
    pub id: [u8; 16],
    /// The consent.
    pub sealed: Vec<u8>,
}

/// Stores a consent, in the place of what was stored before.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn put(connection: &Connection, row: &SealedConsent) -> Result<(), VaultError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO consents (id, sealed) VALUES (?1, ?2)")?
        .execute(params![row.id, row.sealed])?;
    Ok(())
}

/// Forgets these consents.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn forget(connection: &Connection, ids: &[[u8; 16]]) -> Result<(), VaultError> {
    let mut statement = connection.prepare_cached("DELETE FROM consents WHERE id = ?1")?;
    for id in ids {
        statement.execute([id])?;
    }
    Ok(())
}

/// All consents.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn all(connection: &Connection) -> Result<Vec<SealedConsent>, VaultError> {
    let mut statement = connection.prepare_cached("SELECT id, sealed FROM consents ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(SealedConsent {
            id: row.get(0)?,
            sealed: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
