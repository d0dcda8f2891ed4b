//! Table `assignments`: whose a device was and when.
//!
//! ```text
//! sealed  = XChaCha20-Poly1305(master key, content, aad = "assignment/" ‖ device)
//! content = salt[32] ‖ ff ‖ patient's id[16] ‖ subject      the subject is UTF-8, and so begins with no ff
//!         | salt[32] ‖ subject                              by versions that knew pseudonyms and no patients
//! ```
//!
//! Subject and salt are what the commitment on the ledger was made of; the subject is the patient's id in hex, or the
//! pseudonym of then. Destroying a row makes the commitment meaningless. Which row is whose is not readable in the
//! file. What a row covers is from its `since` on and before its `until`, and no two rows of a device overlap.

use std::collections::BTreeMap;

use ledger_core::Digest;
use ledger_core::device::assignment;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::seal::{MasterKey, SealError};
use super::{VaultError, patients};
use crate::clock::now_millis;
use crate::keystore::random;
use crate::patients::patient::{Called, Patient, PatientId};

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
/// Stands before a patient's id.
const PATIENT: u8 = 0xff;

/// Whose a device is from now on, not stored yet.
#[derive(Clone)]
pub struct Assignment {
    /// What the ledger is told.
    pub commitment: Digest,
    /// The patient.
    pub patient: PatientId,
    /// From when on, where another node has said so; else from when it is stored.
    since: Option<i64>,
    sealed: Vec<u8>,
}

/// Whose a device is: the patient, and what the commitment on the ledger was made of.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// Random bytes of this assignment alone.
    pub salt: [u8; SALT_BYTES],
    /// The patient.
    pub patient: PatientId,
    /// The patient's id in hex, or an earlier version's pseudonym of hers.
    subject: String,
}

impl Assigned {
    /// To a patient, under a fresh salt.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn new(patient: PatientId) -> Result<Self, SealError> {
        Ok(Self {
            salt: random().map_err(|_| SealError::Randomness)?,
            patient,
            subject: patient.to_string(),
        })
    }

    /// What the ledger was told.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        assignment(&self.salt, self.subject.as_bytes())
    }

    /// Seals it, as the device's.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn seal(
        &self,
        master: &MasterKey,
        device: &str,
        since: Option<i64>,
    ) -> Result<Assignment, SealError> {
        let parts = [
            &self.salt[..],
            &[PATIENT],
            &self.patient.0,
            self.subject.as_bytes(),
        ];
        let content = Zeroizing::new(parts.concat());
        Ok(Assignment {
            commitment: self.commitment(),
            patient: self.patient,
            since,
            sealed: master.seal(&purpose(device), &content)?,
        })
    }
}

/// Names nobody.
impl std::fmt::Debug for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Assignment({})", self.commitment)
    }
}

/// A time in which a device was a patient's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Worn {
    /// Whose.
    pub patient: PatientId,
    /// The device's id at this node.
    pub device: String,
    /// From this moment on, in Unix milliseconds.
    pub since: i64,
    /// Until before this one; none while it lasts.
    pub until: Option<i64>,
}

impl Worn {
    /// Whether a moment is in it, in Unix milliseconds.
    #[must_use]
    pub fn covers(&self, at: i64) -> bool {
        self.since <= at && self.until.is_none_or(|until| at < until)
    }
}

fn purpose(id: &str) -> Vec<u8> {
    [b"assignment/", id.as_bytes()].concat()
}

/// What a row holds; of an earlier version, no patient.
struct Content {
    salt: [u8; SALT_BYTES],
    patient: Option<PatientId>,
    subject: String,
}

impl Content {
    fn open(master: &MasterKey, device: &str, sealed: &[u8]) -> Result<Self, VaultError> {
        let content = master.open(&purpose(device), sealed)?;
        Self::read(&content).ok_or(VaultError::Row {
            table: "assignments",
        })
    }

    fn read(content: &[u8]) -> Option<Self> {
        let (salt, rest) = content.split_first_chunk()?;
        let (patient, subject) = match rest.split_first() {
            Some((&PATIENT, rest)) => {
                let (patient, subject) = rest.split_first_chunk()?;
                (Some(PatientId(*patient)), subject)
            }
            _ => (None, rest),
        };
        Some(Self {
            salt: *salt,
            patient,
            subject: std::str::from_utf8(subject).ok()?.to_owned(),
        })
    }
}

/// Ends what a device was to somebody, and begins what it is from now on. Where this host's clock was set back, an
/// end is not before its begin, and what begins waits for what has ended: a reading is nobody's then, never two
/// patients'.
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
        .prepare_cached(
            "UPDATE assignments SET until = max(since, ?2) WHERE device = ?1 AND until IS NULL",
        )?
        .execute(params![id, now])?;
    let Some(new) = new else { return Ok(()) };
    let ended: (Option<i64>, Option<i64>) = connection
        .prepare_cached("SELECT max(since), max(until) FROM assignments WHERE device = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let since = match (new.since, ended) {
        // It was here before, under the same assignment, which goes on.
        (Some(since), (Some(newest), _)) if since == newest => since,
        (since, (_, ended)) => since.unwrap_or(now).max(ended.unwrap_or(i64::MIN)),
    };
    // Twice within a millisecond, the later one holds.
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO assignments (device, since, sealed) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![id, since, new.sealed])?;
    Ok(())
}

/// Whose a device is now, and since when.
///
/// # Errors
/// [`VaultError`].
pub fn current(
    connection: &Connection,
    master: &MasterKey,
    id: &str,
) -> Result<Option<(Assigned, i64)>, VaultError> {
    let row: Option<(Vec<u8>, i64)> = connection
        .prepare_cached(
            "SELECT sealed, since FROM assignments WHERE device = ?1 AND until IS NULL",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((sealed, since)) = row else {
        return Ok(None);
    };
    let Content {
        salt,
        patient,
        subject,
    } = Content::open(master, id, &sealed)?;
    let patient = patient.ok_or(VaultError::Row {
        table: "assignments",
    })?;
    let assigned = Assigned {
        salt,
        patient,
        subject,
    };
    Ok(Some((assigned, since)))
}

/// All times in which devices were patients', by device and in order. Those of an earlier version, which names no
/// patient, are left out.
///
/// # Errors
/// [`VaultError`].
pub fn all(connection: &Connection, master: &MasterKey) -> Result<Vec<Worn>, VaultError> {
    let mut worn = Vec::new();
    each(connection, |device, since, until, sealed| {
        if let Some(patient) = Content::open(master, device, sealed)?.patient {
            let device = device.to_owned();
            worn.push(Worn {
                patient,
                device,
                since,
                until,
            });
        }
        Ok(())
    })?;
    Ok(worn)
}

/// What was forgotten of whose devices were.
#[derive(Default)]
pub struct Forgotten {
    /// How many times.
    pub count: u64,
    /// Devices, by their ids, of which it was the time of now.
    pub worn_now: Vec<String>,
}

/// Deletes all times in which devices were a patient's, and what their commitments were made of.
///
/// # Errors
/// [`VaultError`].
pub fn forget_patient(
    connection: &Connection,
    master: &MasterKey,
    patient: &PatientId,
) -> Result<Forgotten, VaultError> {
    let mut forgotten = Forgotten::default();
    for worn in all(connection, master)? {
        if worn.patient != *patient {
            continue;
        }
        connection
            .prepare_cached("DELETE FROM assignments WHERE device = ?1 AND since = ?2")?
            .execute(params![worn.device, worn.since])?;
        forgotten.count += 1;
        if worn.until.is_none() {
            forgotten.worn_now.push(worn.device);
        }
    }
    Ok(forgotten)
}

/// Deletes the times of before in which a device was anybody's.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn forget_ended(connection: &Connection, device: &str) -> Result<Forgotten, VaultError> {
    let count = connection
        .prepare_cached("DELETE FROM assignments WHERE device = ?1 AND until IS NOT NULL")?
        .execute([device])? as u64;
    Ok(Forgotten {
        count,
        worn_now: Vec::new(),
    })
}

/// Makes a patient of each pseudonym that an earlier version has assigned devices to, so that nothing of it is lost:
/// called as the pseudonym, with the same times and commitments.
///
/// # Errors
/// [`VaultError`]; nothing is done then.
pub fn adopt(connection: &mut Connection, master: &MasterKey) -> Result<(), VaultError> {
    let transaction = connection.transaction()?;
    let (mut adopted, mut rows) = (BTreeMap::new(), Vec::new());
    each(&transaction, |device, since, _, sealed| {
        let content = Content::open(master, device, sealed)?;
        if content.patient.is_none() {
            rows.push((device.to_owned(), since, content));
        }
        Ok(())
    })?;
    for (device, since, Content { salt, subject, .. }) in rows {
        let patient = match adopted.get(&subject) {
            Some(patient) => *patient,
            None => {
                let called = Called::pseudonym(subject.clone());
                let patient = Patient::new(called, now_millis())?;
                patients::put(&transaction, &patient.seal(master)?)?;
                adopted.insert(subject.clone(), patient.id);
                patient.id
            }
        };
        let assigned = Assigned {
            salt,
            patient,
            subject,
        };
        let sealed = assigned.seal(master, &device, None)?.sealed;
        transaction
            .prepare_cached("UPDATE assignments SET sealed = ?3 WHERE device = ?1 AND since = ?2")?
            .execute(params![device, since, sealed])?;
    }
    transaction.commit()?;
    Ok(())
}

fn each(
    connection: &Connection,
    mut take: impl FnMut(&str, i64, Option<i64>, &[u8]) -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    let mut statement = connection.prepare_cached(
        "SELECT device, since, until, sealed FROM assignments ORDER BY device, since",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let device: String = row.get(0)?;
        let sealed: Vec<u8> = row.get(3)?;
        take(&device, row.get(1)?, row.get(2)?, &sealed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
