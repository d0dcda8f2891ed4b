//! Table `patients`: whom the clinic treats. A row is sealed as a whole under the master key and replaced as a whole.
//!
//! Left out: what a row says (`crate::patients::patient`), and who wears what (`super::assignments`).

use rusqlite::{Connection, OptionalExtension as _, params};

use super::VaultError;
use crate::patients::patient::PatientId;

pub(super) const SCHEMA: &str = "
CREATE TABLE patients (
    id BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;";

/// A row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedPatient {
    /// The patient's random id.
    pub id: PatientId,
    /// The patient.
    pub sealed: Vec<u8>,
}

/// Stores a patient, in the place of what was stored before.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn put(connection: &Connection, row: &SealedPatient) -> Result<(), VaultError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO patients (id, sealed) VALUES (?1, ?2)")?
        .execute(params![row.id.0, row.sealed])?;
    Ok(())
}

/// The patient with this id.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn find(connection: &Connection, id: &PatientId) -> Result<Option<SealedPatient>, VaultError> {
    let sealed = connection
        .prepare_cached("SELECT sealed FROM patients WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(sealed.map(|sealed| SealedPatient { id: *id, sealed }))
}

/// Deletes a patient, her secret with her.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn forget(connection: &Connection, id: &PatientId) -> Result<(), VaultError> {
    connection
        .prepare_cached("DELETE FROM patients WHERE id = ?1")?
        .execute([id.0])?;
    Ok(())
}

/// All patients; none in a vault of an earlier version, which is read as it is.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn all(connection: &Connection) -> Result<Vec<SealedPatient>, VaultError> {
    if !connection.table_exists(None, "patients")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached("SELECT id, sealed FROM patients ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(SealedPatient {
            id: PatientId(row.get(0)?),
            sealed: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
