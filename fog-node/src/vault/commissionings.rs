//! Table `commissionings`: signed records of self-tests, the newest of each adapter and device.
//!
//! A row is written once, whole, after its test has ended; the bytes are those that were signed. Left out:
//! what they say (`crate::commissioning`).

use ledger_core::{Digest, Signature};
use rusqlite::{Connection, Row, params};

use super::{VaultError, digest_column};
use crate::commissioning::SignedCommissioning;

pub(super) const SCHEMA: &str = "
CREATE TABLE commissionings (
    number INTEGER PRIMARY KEY,
    subject BLOB NOT NULL,
    record BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;
CREATE INDEX commissionings_of ON commissionings (subject, number);";

/// Records kept of one adapter or device.
pub const KEPT: u32 = 50;

/// Stores a record of this adapter or device, and deletes the oldest beyond [`KEPT`].
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(
    connection: &Connection,
    subject: &Digest,
    signed: &SignedCommissioning,
) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT INTO commissionings (subject, record, signature) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![subject.0, signed.record, signed.signature.0])?;
    connection
        .prepare_cached(
            "DELETE FROM commissionings WHERE subject = ?1 AND number <= (
                 SELECT number FROM commissionings WHERE subject = ?1
                 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![subject.0, KEPT])?;
    Ok(())
}

/// The newest records, of one adapter or device or of all, the newest first; at most [`KEPT`].
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn newest(
    connection: &Connection,
    subject: Option<&Digest>,
) -> Result<Vec<SignedCommissioning>, VaultError> {
    let mut statement = connection.prepare_cached(
        "SELECT record, signature FROM commissionings WHERE ?1 IS NULL OR subject = ?1
         ORDER BY number DESC LIMIT ?2",
    )?;
    let subject = subject.map(|subject| subject.0);
    let rows = statement.query_map(params![subject, KEPT], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// All records with what they are of; none in a vault of an earlier version, which is read as it is.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn all(connection: &Connection) -> Result<Vec<(Digest, SignedCommissioning)>, VaultError> {
    if !connection.table_exists(None, "commissionings")? {
        return Ok(Vec::new());
    }
    let mut statement = connection
        .prepare_cached("SELECT record, signature, subject FROM commissionings ORDER BY number")?;
    let rows = statement.query_map([], |row| Ok((digest_column(row, 2)?, from_row(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<SignedCommissioning> {
    Ok(SignedCommissioning {
        record: row.get(0)?,
        signature: Signature(row.get(1)?),
    })
}

#[cfg(test)]
mod tests {
    //! Goal: the newest records of each subject stay, and no others go. Method: more than are kept of one,
    //! one of another.
    use super::*;

    #[test]
    fn the_newest_stay() {
        let folder = tempfile::tempdir().unwrap();
        let connection = crate::vault::open(&folder.path().join("vault.db")).unwrap();
        let (often, once) = (Digest([1; 32]), Digest([2; 32]));
        let signed = |number: u8| SignedCommissioning {
            record: vec![number],
            signature: Signature([number; 64]),
        };
        insert(&connection, &once, &signed(200)).unwrap();
        let kept = u8::try_from(KEPT).unwrap();
        for number in 0..kept + 2 {
            insert(&connection, &often, &signed(number)).unwrap();
        }
        let numbers = |subject| {
            let rows = newest(&connection, Some(subject)).unwrap();
            rows.into_iter()
                .map(|row| row.record[0])
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(&often), (2..kept + 2).rev().collect::<Vec<_>>());
        assert_eq!(numbers(&once), [200]);
        assert_eq!(newest(&connection, None).unwrap().len(), usize::from(kept));
    }
}
