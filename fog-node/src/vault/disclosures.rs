//! Table `disclosures`: what was read under which request, and the receipt that tells of it. A row is written with its
//! receipt's transaction, and before anything of it is shown.
//!
//! ```text
//! sealed = XChaCha20-Poly1305(master key, postcard(Disclosed), aad = "disclosure/" ‖ request ‖ read)
//! ```
//!
//! The readings stay where they are; a row names them, so that who lost the answer gets the same again, under the same
//! receipt.

use ledger_core::{Digest, StreamId, canonical};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::seal::{MasterKey, SealError};
use super::{VaultError, digest_column};

pub(super) const SCHEMA: &str = "
CREATE TABLE disclosures (
    read BLOB PRIMARY KEY,
    access BLOB NOT NULL,
    receipt BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX disclosures_by_access ON disclosures (access);";

/// Longest sealed row in bytes: readings of 16 metrics that do not follow each other anywhere.
const MAX_BYTES: usize = 8 << 20;

/// What was disclosed by one read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Disclosed {
    /// Random bytes of the commitment in the receipt.
    pub salt: [u8; 32],
    /// That commitment.
    pub commitment: Digest,
    /// When, in Unix milliseconds.
    pub at_millis: u64,
    /// The period's begin in Unix milliseconds.
    pub from: i64,
    /// The period's end, itself not in it.
    pub until: i64,
    /// Which readings: streams, and of each the first sequences and how many follow.
    pub streams: Vec<(StreamId, Vec<(u64, u64)>)>,
}

impl Disclosed {
    /// Whether a reading is among them.
    #[must_use]
    pub fn holds(&self, stream: StreamId, sequence: u64) -> bool {
        let mut runs = self.streams.iter().filter(|(id, _)| *id == stream);
        runs.any(|(_, runs)| {
            let mut runs = runs.iter();
            runs.any(|(first, count)| sequence.checked_sub(*first).is_some_and(|at| at < *count))
        })
    }

    /// Seals it as the row of a read.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn seal(
        &self,
        master: &MasterKey,
        access: Digest,
        read: Digest,
    ) -> Result<SealedDisclosure, SealError> {
        let sealed = master.seal(&purpose(&access, &read), &canonical::encode(self))?;
        Ok(SealedDisclosure {
            read,
            access,
            sealed,
        })
    }
}

/// A row without its receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedDisclosure {
    /// The read's random name.
    pub read: Digest,
    /// The request's handle.
    pub access: Digest,
    /// What was disclosed.
    pub sealed: Vec<u8>,
}

fn purpose(access: &Digest, read: &Digest) -> Vec<u8> {
    [b"disclosure/".as_slice(), &access.0, &read.0].concat()
}

/// Stores a row with its receipt's transaction.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(
    connection: &Connection,
    row: &SealedDisclosure,
    receipt: &Digest,
) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT INTO disclosures (read, access, receipt, sealed) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![row.read.0, row.access.0, receipt.0, row.sealed])?;
    Ok(())
}

/// Whether there is a read of this name.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn is_known(connection: &Connection, read: &Digest) -> Result<bool, VaultError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM disclosures WHERE read = ?1")?;
    Ok(statement.exists([read.0])?)
}

/// A receipt's transaction was signed anew, and has another id.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn signed_anew(
    connection: &Connection,
    before: &Digest,
    after: &Digest,
) -> Result<(), VaultError> {
    connection
        .prepare_cached("UPDATE disclosures SET receipt = ?2 WHERE receipt = ?1")?
        .execute(params![before.0, after.0])?;
    Ok(())
}

/// Forgets what was read under these requests.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn forget(connection: &Connection, requests: &[Digest]) -> Result<(), VaultError> {
    let mut statement = connection.prepare_cached("DELETE FROM disclosures WHERE access = ?1")?;
    for access in requests {
        statement.execute([access.0])?;
    }
    Ok(())
}

/// What a read disclosed under this request, and its receipt's transaction.
///
/// # Errors
/// [`VaultError`] if it cannot be read or does not open, as that of another request.
pub fn of_read(
    connection: &Connection,
    master: &MasterKey,
    access: &Digest,
    read: &Digest,
) -> Result<Option<(Disclosed, Digest)>, VaultError> {
    let found: Option<(Vec<u8>, Digest)> = connection
        .prepare_cached("SELECT sealed, receipt FROM disclosures WHERE read = ?1 AND access = ?2")?
        .query_row(params![read.0, access.0], |row| {
            Ok((row.get(0)?, digest_column(row, 1)?))
        })
        .optional()?;
    let Some((sealed, receipt)) = found else {
        return Ok(None);
    };
    let content = master.open(&purpose(access, read), &sealed)?;
    let disclosed = canonical::decode(&content, MAX_BYTES);
    let disclosed = disclosed.map_err(|_| SealError::Malformed)?;
    Ok(Some((disclosed, receipt)))
}

#[cfg(test)]
mod tests {
    //! Goal: a row opens for its own request and read alone, and tells which readings it is about. Method: a vault on
    //! disk, read back.

    use super::*;
    use crate::vault::{VAULT_FILE, open};

    #[test]
    fn a_row_is_of_its_read_and_its_request() {
        let dir = tempfile::tempdir().unwrap();
        let connection = open(&dir.path().join(VAULT_FILE)).unwrap();
        let master = MasterKey::new([4; 32]);
        let [access, other, read, unread, receipt] = [1, 2, 3, 4, 5].map(|byte| Digest([byte; 32]));
        let stream = StreamId([7; 16]);
        let disclosed = Disclosed {
            salt: [8; 32],
            commitment: Digest([9; 32]),
            at_millis: 10,
            from: 1,
            until: 9,
            streams: vec![(stream, vec![(5, 2), (10, 1)])],
        };
        let sealed = disclosed.seal(&master, access, read).unwrap();
        assert!(!is_known(&connection, &read).unwrap());
        insert(&connection, &sealed, &receipt).unwrap();
        assert!(is_known(&connection, &read).unwrap());
        let found = |access, read| of_read(&connection, &master, access, read).unwrap();
        assert_eq!(found(&access, &read), Some((disclosed.clone(), receipt)));
        assert_eq!(found(&other, &read), None);
        assert_eq!(found(&access, &unread), None);
        for (sequence, is_in) in [(4, false), (5, true), (6, true), (7, false), (10, true)] {
            assert_eq!(disclosed.holds(stream, sequence), is_in, "{sequence}");
        }
        assert!(!disclosed.holds(StreamId([6; 16]), 5));
        let moved = SealedDisclosure {
            access: other,
            read: unread,
            ..sealed
        };
        insert(&connection, &moved, &receipt).unwrap();
        assert!(of_read(&connection, &master, &other, &unread).is_err());
    }
}
