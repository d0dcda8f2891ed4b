//! Table `promises`: receipts that other nodes have promised for what they gave to this node's people, until the ledger
//! has them. A row is there before anything of what was given is shown.
//!
//! ```text
//! sealed = XChaCha20-Poly1305(master key, postcard(Promise), aad = "promise/" ‖ id of the receipt's transaction)
//! ```
//!
//! A row holds the receipt's signed transaction, which is made for the ledger, and neither a measurement nor a key. Left
//! out: whether it came, which is looked for on the replica (`crate::requests`).

use ledger_core::{Digest, canonical};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::seal::{MasterKey, SealError};
use super::{VaultError, digest_column};
use crate::people::person::PersonId;

pub(super) const SCHEMA: &str = "
CREATE TABLE promises (
    receipt BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;";

/// Longest row in bytes; a receipt's transaction has about 250, the words that clear it up 2,000 at most.
const MAX_BYTES: usize = 4 << 10;

/// A receipt that another node has promised.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Promise {
    /// Under which request something was given.
    pub access: Digest,
    /// By which read.
    pub read: Digest,
    /// The receipt's transaction, as the node that gave has signed it.
    #[serde(with = "serde_bytes")]
    pub transaction: Vec<u8>,
    /// When it was given, in Unix milliseconds.
    pub at_millis: u64,
    /// Number of the first entry of the access log that may tell of it.
    pub logged_from: u64,
    /// What is known against the node that promised.
    pub finding: Option<Finding>,
}

/// What is known against a node that has promised a receipt. New variants go to the end: rows hold them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Finding {
    /// It takes part in the consortium and does not tell.
    Silent,
    /// The receipt's turn among its transactions is over, and it was not executed: it never will be.
    PassedOver,
    /// One of both, and somebody has cleared it up.
    Settled(Settled),
}

/// That somebody has cleared up why a receipt did not come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settled {
    /// Whether it could not come any more then.
    pub was_passed_over: bool,
    /// Who.
    pub by: PersonId,
    /// When, in Unix milliseconds.
    pub at_millis: u64,
    /// What it was, in words.
    pub reason: String,
}

impl Promise {
    /// Whether something is known against the node that nobody has cleared up.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.finding, Some(Finding::Silent | Finding::PassedOver))
    }

    /// Seals it as the row of its transaction, whose id is `receipt`.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn seal(&self, master: &MasterKey, receipt: Digest) -> Result<SealedPromise, SealError> {
        let sealed = master.seal(&purpose(&receipt), &canonical::encode(self))?;
        Ok(SealedPromise { receipt, sealed })
    }
}

/// A row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedPromise {
    /// Id of the receipt's transaction.
    pub receipt: Digest,
    /// The promise.
    pub sealed: Vec<u8>,
}

fn purpose(receipt: &Digest) -> Vec<u8> {
    [b"promise/".as_slice(), &receipt.0].concat()
}

/// Keeps a promise. One that is there stays as it is: what is read again by its name is promised once.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn keep(connection: &Connection, row: &SealedPromise) -> Result<(), VaultError> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO promises (receipt, sealed) VALUES (?1, ?2)")?
        .execute(params![row.receipt.0, row.sealed])?;
    Ok(())
}

/// Changes what is known of a promise; nothing, if it is forgotten.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn change(connection: &Connection, row: &SealedPromise) -> Result<(), VaultError> {
    connection
        .prepare_cached("UPDATE promises SET sealed = ?2 WHERE receipt = ?1")?
        .execute(params![row.receipt.0, row.sealed])?;
    Ok(())
}

/// Forgets a promise.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn forget(connection: &Connection, receipt: &Digest) -> Result<(), VaultError> {
    connection
        .prepare_cached("DELETE FROM promises WHERE receipt = ?1")?
        .execute([receipt.0])?;
    Ok(())
}

/// Whether anything is promised.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn is_any(connection: &Connection) -> Result<bool, VaultError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM promises LIMIT 1")?;
    Ok(statement.exists([])?)
}

/// The promise of this receipt.
///
/// # Errors
/// As [`all`].
pub fn find(
    connection: &Connection,
    master: &MasterKey,
    receipt: &Digest,
) -> Result<Option<Promise>, VaultError> {
    let sealed: Option<Vec<u8>> = connection
        .prepare_cached("SELECT sealed FROM promises WHERE receipt = ?1")?
        .query_row([receipt.0], |row| row.get(0))
        .optional()?;
    sealed
        .map(|sealed| open(master, receipt, &sealed))
        .transpose()
}

/// All promises, with the ids of their receipts' transactions.
///
/// # Errors
/// [`VaultError`] if they cannot be read, or one does not open as what its row says.
pub fn all(
    connection: &Connection,
    master: &MasterKey,
) -> Result<Vec<(Digest, Promise)>, VaultError> {
    let mut statement =
        connection.prepare_cached("SELECT receipt, sealed FROM promises ORDER BY receipt")?;
    let rows = statement.query_map([], |row| {
        Ok((digest_column(row, 0)?, row.get::<_, Vec<u8>>(1)?))
    })?;
    let opened = |(receipt, sealed): (Digest, Vec<u8>)| {
        let promise = open(master, &receipt, &sealed)?;
        Ok((receipt, promise))
    };
    rows.map(|row| opened(row?)).collect()
}

fn open(master: &MasterKey, receipt: &Digest, sealed: &[u8]) -> Result<Promise, VaultError> {
    let content = master.open(&purpose(receipt), sealed)?;
    Ok(canonical::decode(&content, MAX_BYTES).map_err(|_| SealError::Malformed)?)
}

#[cfg(test)]
mod tests {
    //! Goal: a promise is kept, found out about and forgotten, and opens as its own row alone. Method: a vault on disk,
    //! read back.

    use super::*;
    use crate::vault::{VAULT_FILE, open};

    #[test]
    fn a_promise_is_of_its_receipt() {
        let dir = tempfile::tempdir().unwrap();
        let connection = open(&dir.path().join(VAULT_FILE)).unwrap();
        let master = MasterKey::new([4; 32]);
        let [receipt, other] = [1, 2].map(|byte| Digest([byte; 32]));
        let mut promise = Promise {
            access: Digest([3; 32]),
            read: Digest([5; 32]),
            transaction: vec![6; 250],
            at_millis: 7,
            logged_from: 8,
            finding: None,
        };
        assert!(!is_any(&connection).unwrap());
        let settled = Settled {
            was_passed_over: true,
            by: PersonId([4; 16]),
            at_millis: 6,
            reason: "Their node was restored from a backup.".to_owned(),
        };
        keep(&connection, &promise.seal(&master, receipt).unwrap()).unwrap();
        for finding in [
            None,
            Some(Finding::Silent),
            Some(Finding::PassedOver),
            Some(Finding::Settled(settled)),
        ] {
            promise.finding = finding;
            change(&connection, &promise.seal(&master, receipt).unwrap()).unwrap();
            let kept = all(&connection, &master).unwrap();
            assert_eq!(kept, [(receipt, promise.clone())]);
            let again = Promise {
                finding: None,
                ..promise.clone()
            };
            keep(&connection, &again.seal(&master, receipt).unwrap()).unwrap();
            assert_eq!(all(&connection, &master).unwrap(), kept);
        }
        assert!(is_any(&connection).unwrap());
        let moved = SealedPromise {
            receipt: other,
            ..promise.seal(&master, receipt).unwrap()
        };
        keep(&connection, &moved).unwrap();
        assert!(all(&connection, &master).is_err());
        forget(&connection, &other).unwrap();
        assert_eq!(all(&connection, &master).unwrap().len(), 1);
        forget(&connection, &receipt).unwrap();
        change(&connection, &promise.seal(&master, receipt).unwrap()).unwrap();
        assert!(!is_any(&connection).unwrap());
    }
}
