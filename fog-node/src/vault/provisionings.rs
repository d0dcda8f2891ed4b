//! Table `provisionings`: keys that a device without a key was offered and has not proven yet.
//!
//! A row is there from before the device is answered until the commit that makes it a device. Its key
//! is sealed; the one-time code it was handed over with is not stored, but a digest of it, under which
//! the next try finds the key again. Only a device that proves a code makes a row, so there are never
//! more than codes in use. Left out: the exchange itself (`crate::provisioning`).

use ledger_core::Digest;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use zeroize::Zeroizing;

use super::seal::{MasterKey, SealError};
use super::{VaultError, digest_column};

pub(super) const SCHEMA: &str = "
CREATE TABLE provisionings (
    code BLOB PRIMARY KEY,
    sealed_key BLOB NOT NULL,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;";

/// A key on its way to a device.
#[derive(Clone, Debug)]
pub struct KeptKey {
    /// Digest of the one-time code.
    pub code: Digest,
    /// The key, sealed under the master key.
    pub sealed_key: Vec<u8>,
    /// When it was made, in Unix milliseconds.
    pub since: i64,
}

impl KeptKey {
    /// Seals the bytes of a key for the code of this digest; `since` in Unix milliseconds.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn seal(
        master: &MasterKey,
        code: Digest,
        key: &[u8],
        since: i64,
    ) -> Result<Self, SealError> {
        let sealed_key = master.seal(&purpose(&code), key)?;
        Ok(Self {
            code,
            sealed_key,
            since,
        })
    }

    /// The bytes of the key.
    ///
    /// # Errors
    /// [`SealError::Altered`] if it was sealed under another master key or for another code.
    pub fn open(&self, master: &MasterKey) -> Result<Zeroizing<Vec<u8>>, SealError> {
        master.open(&purpose(&self.code), &self.sealed_key)
    }
}

/// What ties a sealed key to its code.
fn purpose(code: &Digest) -> Vec<u8> {
    [b"provisioning".as_slice(), &code.0].concat()
}

/// Keeps a key.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn keep(connection: &Connection, kept: &KeptKey) -> Result<(), VaultError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO provisionings VALUES (?1, ?2, ?3)")?
        .execute(params![kept.code.0, kept.sealed_key, kept.since])?;
    Ok(())
}

/// The key that is kept for a code.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn find(connection: &Connection, code: &Digest) -> Result<Option<KeptKey>, VaultError> {
    Ok(connection
        .prepare_cached("SELECT code, sealed_key, since FROM provisionings WHERE code = ?1")?
        .query_row([code.0], from_row)
        .optional()?)
}

/// Forgets the key of a code; the device has it, and so has its row.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn forget(connection: &Connection, code: &Digest) -> Result<(), VaultError> {
    connection
        .prepare_cached("DELETE FROM provisionings WHERE code = ?1")?
        .execute([code.0])?;
    Ok(())
}

/// All keys that are kept; none in a vault of an earlier version, which is read as it is.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn all(connection: &Connection) -> Result<Vec<KeptKey>, VaultError> {
    if !connection.table_exists(None, "provisionings")? {
        return Ok(Vec::new());
    }
    let mut statement = connection
        .prepare_cached("SELECT code, sealed_key, since FROM provisionings ORDER BY code")?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<KeptKey> {
    Ok(KeptKey {
        code: digest_column(row, 0)?,
        sealed_key: row.get(1)?,
        since: row.get(2)?,
    })
}
