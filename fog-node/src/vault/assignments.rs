//! Table `assignments`: whose a device was and when. The pseudonym and the salt of its commitment on the
//! ledger are sealed under the master key; destroying a row makes the commitment meaningless.

use ledger_core::Digest;
use ledger_core::device::assignment;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::VaultError;
use super::seal::{MasterKey, SealError};
use crate::keystore::random;

pub(super) const SCHEMA: &str = "
CREATE TABLE assignments (
    device TEXT NOT NULL REFERENCES devices(id),
    since INTEGER NOT NULL,
    until INTEGER,
    sealed BLOB NOT NULL,
    PRIMARY KEY (device, since)
) STRICT, WITHOUT ROWID;";

/// Bytes of a salt.
const SALT_BYTES: usize = 32;

/// Whose a device is from now on, not stored yet.
#[derive(Clone)]
pub struct Assignment {
    /// What the ledger is told.
    pub commitment: Digest,
    sealed: Vec<u8>,
}

/// Whose a device is: what the commitment on the ledger was made of.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// Random bytes of this assignment alone.
    pub salt: [u8; SALT_BYTES],
    /// The pseudonym.
    pub subject: String,
}

impl Assigned {
    /// What the ledger was told.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        assignment(&self.salt, self.subject.as_bytes())
    }
}

/// Names nobody.
impl std::fmt::Debug for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Assignment({})", self.commitment)
    }
}

impl Assignment {
    /// Of the device `id` to `subject`, under a fresh salt.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn new(master: &MasterKey, id: &str, subject: &str) -> Result<Self, SealError> {
        let salt = random().map_err(|_| SealError::Randomness)?;
        Self::with_salt(
            master,
            id,
            &Assigned {
                salt,
                subject: subject.to_owned(),
            },
        )
    }

    /// One that another node has made.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn with_salt(master: &MasterKey, id: &str, assigned: &Assigned) -> Result<Self, SealError> {
        let Assigned { salt, subject } = assigned;
        let content = zeroize::Zeroizing::new([&salt[..], subject.as_bytes()].concat());
        Ok(Self {
            commitment: assigned.commitment(),
            sealed: master.seal(&purpose(id), &content)?,
        })
    }
}

fn purpose(id: &str) -> Vec<u8> {
    [b"assignment/", id.as_bytes()].concat()
}

/// Ends what a device was to somebody, and begins what it is from now on.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn change(
    connection: &Connection,
    id: &str,
    new: Option<&Assignment>,
    now: i64,
) -> Result<(), VaultError> {
    connection
        .prepare_cached("UPDATE assignments SET until = ?2 WHERE device = ?1 AND until IS NULL")?
        .execute(params![id, now])?;
    if let Some(new) = new {
        // Twice within a millisecond, the later one holds.
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO assignments (device, since, sealed) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![id, now, new.sealed])?;
    }
    Ok(())
}

/// Whose a device is now.
///
/// # Errors
/// [`VaultError`].
pub fn current(
    connection: &Connection,
    master: &MasterKey,
    id: &str,
) -> Result<Option<Assigned>, VaultError> {
    let sealed: Option<Vec<u8>> = connection
        .prepare_cached("SELECT sealed FROM assignments WHERE device = ?1 AND until IS NULL")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let content = master.open(&purpose(id), &sealed)?;
    let row = VaultError::Row {
        table: "assignments",
    };
    let Some((salt, subject)) = content.split_first_chunk::<SALT_BYTES>() else {
        return Err(row);
    };
    match std::str::from_utf8(subject) {
        Ok(subject) => Ok(Some(Assigned {
            salt: *salt,
            subject: subject.to_owned(),
        })),
        Err(_) => Err(row),
    }
}

#[cfg(test)]
mod tests {
    //! Goal: a device is one person's at a time, and no name is in the file or on the ledger twice alike.
    //! Method: a vault on disk, read back.

    use super::*;
    use crate::vault::{VAULT_FILE, devices, open};

    #[test]
    fn a_device_is_one_persons_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(VAULT_FILE);
        let connection = open(&path).unwrap();
        let master = MasterKey::new([4; 32]);
        let device = devices::DeviceRow {
            id: "d".into(),
            name: "Test".into(),
            profile: "nonin-ascii".into(),
            path: "/dev/null".into(),
            simulated: false,
            sealed_key: None,
            handle: Digest::of(b"d"),
            added: 0,
            durable_sequence: None,
            handovers: 0,
        };
        devices::insert(&connection, &device).unwrap();
        assert!(current(&connection, &master, "d").unwrap().is_none());
        let [first, second] =
            [1, 2].map(|_| Assignment::new(&master, "d", "SUBJECT-0042").unwrap());
        assert_ne!(first.commitment, second.commitment, "a fresh salt each");
        for (assignment, now) in [(&first, 1_000), (&second, 2_000)] {
            change(&connection, "d", Some(assignment), now).unwrap();
            let found = current(&connection, &master, "d").unwrap().unwrap();
            assert_eq!(found.subject, "SUBJECT-0042");
            assert_eq!(found.commitment(), assignment.commitment);
        }
        let other = MasterKey::new([5; 32]);
        assert!(current(&connection, &other, "d").is_err());
        change(&connection, "d", None, 3_000).unwrap();
        assert!(current(&connection, &master, "d").unwrap().is_none());
        let spans: Vec<(i64, i64)> = connection
            .prepare("SELECT since, until FROM assignments ORDER BY since")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(spans, [(1_000, 2_000), (2_000, 3_000)]);
        drop(connection);
        let file = std::fs::read(&path).unwrap();
        assert!(!file.windows(7).any(|bytes| bytes == b"SUBJECT"));
        assert!(!format!("{first:?}").contains("SUBJECT"));
    }
}
