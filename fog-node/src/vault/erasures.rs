//! Table `erasures`: certificates of what was erased at this node. A row is written in one commit with the erasure and
//! stays; it names no patient. What it says is `crate::erasure::certificate`'s.

use ledger_core::{Digest, Signature};
use rusqlite::{Connection, params};

use super::{VaultError, digest_column};
use crate::erasure::certificate::SignedErasure;

pub(super) const SCHEMA: &str = "
CREATE TABLE erasures (
    number INTEGER PRIMARY KEY,
    device TEXT REFERENCES devices(id),
    body BLOB NOT NULL,
    salt BLOB NOT NULL,
    signature BLOB NOT NULL,
    tx BLOB NOT NULL
) STRICT;";

/// A row.
#[derive(Clone, Debug)]
pub struct ErasureRow {
    /// The device that it was of, if it was of one.
    pub device: Option<String>,
    /// The certificate.
    pub signed: SignedErasure,
    /// Id of the tombstone's transaction.
    pub tx: Digest,
}

/// Stores a certificate.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(connection: &Connection, row: &ErasureRow) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT INTO erasures (device, body, salt, signature, tx) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            row.device,
            row.signed.body,
            row.signed.salt,
            row.signed.signature.0,
            row.tx.0
        ])?;
    Ok(())
}

/// All certificates, the newest first; none in a vault of an earlier version, which is read as it is.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn all(connection: &Connection) -> Result<Vec<ErasureRow>, VaultError> {
    if !connection.table_exists(None, "erasures")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(
        "SELECT device, body, salt, signature, tx FROM erasures ORDER BY number DESC",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(ErasureRow {
            device: row.get(0)?,
            signed: SignedErasure {
                body: row.get(1)?,
                salt: row.get(2)?,
                signature: Signature(row.get(3)?),
            },
            tx: digest_column(row, 4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How often a device was erased here.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn count_of(connection: &Connection, device: &str) -> Result<u64, VaultError> {
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM erasures WHERE device = ?1")?
        .query_row([device], |row| row.get(0))?;
    Ok(count as u64)
}

/// Names another transaction, since a tombstone that waited was signed anew.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn signed_anew(connection: &Connection, old: &Digest, new: &Digest) -> Result<(), VaultError> {
    connection
        .prepare_cached("UPDATE erasures SET tx = ?2 WHERE tx = ?1")?
        .execute(params![old.0, new.0])?;
    Ok(())
}
