//! Table `reasons`: why somebody broke the glass, and what somebody asked of the access log. A row is there before its
//! request is told to anybody; the ledger has a salted commitment to it and nothing else.
//!
//! ```text
//! sealed     = XChaCha20-Poly1305(master key, salt[32] ‖ reason, aad = "reason/" ‖ request's handle)
//! commitment = tagged("fogward/reason/1", salt ‖ reason)
//! ```
//!
//! What is asked of the log has no handle; the commitment is in its place. A request that was not taken leaves its reason behind, which nobody asks for.

use std::fmt;

use ledger_core::Digest;
use rusqlite::{Connection, OptionalExtension as _, params};
use zeroize::Zeroizing;

use super::VaultError;
use super::seal::{MasterKey, SealError};
use crate::keystore::random;

pub(super) const SCHEMA: &str = "
CREATE TABLE reasons (
    access BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;";

const TAG: &str = "fogward/reason/1";
const SALT_BYTES: usize = 32;

/// A reason and its salt.
pub struct Reason(Zeroizing<Vec<u8>>);

/// Says nothing of itself.
impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reason(…)")
    }
}

/// A row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedReason {
    /// The request's handle.
    pub access: Digest,
    /// The reason.
    pub sealed: Vec<u8>,
}

impl Reason {
    /// A reason with a fresh salt.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn draw(text: &str) -> Result<Self, SealError> {
        let salt = random::<SALT_BYTES>().map_err(|_| SealError::Randomness)?;
        Ok(Self(Zeroizing::new([&salt, text.as_bytes()].concat())))
    }

    /// What the ledger has of it.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        Digest::tagged(TAG, &[&self.0])
    }

    /// The words.
    #[must_use]
    pub fn text(&self) -> String {
        let text = self.0.get(SALT_BYTES..).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    /// Seals it for the request with this handle.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn seal(&self, master: &MasterKey, access: Digest) -> Result<SealedReason, SealError> {
        Ok(SealedReason {
            sealed: master.seal(&purpose(&access), &self.0)?,
            access,
        })
    }
}

fn purpose(access: &Digest) -> Vec<u8> {
    [b"reason/".as_slice(), &access.0].concat()
}

/// Stores a reason.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(connection: &Connection, row: &SealedReason) -> Result<(), VaultError> {
    connection
        .prepare_cached("INSERT INTO reasons (access, sealed) VALUES (?1, ?2)")?
        .execute(params![row.access.0, row.sealed])?;
    Ok(())
}

/// Deletes the reasons of these requests; how many there were.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn forget(connection: &Connection, requests: &[Digest]) -> Result<u64, VaultError> {
    let mut statement = connection.prepare_cached("DELETE FROM reasons WHERE access = ?1")?;
    let mut count = 0;
    for access in requests {
        count += statement.execute([access.0])? as u64;
    }
    Ok(count)
}

/// The reason of a request, if it was given at this node.
///
/// # Errors
/// [`VaultError`] if it cannot be read or does not open.
pub fn of_access(
    connection: &Connection,
    master: &MasterKey,
    access: &Digest,
) -> Result<Option<Reason>, VaultError> {
    let sealed: Option<Vec<u8>> = connection
        .prepare_cached("SELECT sealed FROM reasons WHERE access = ?1")?
        .query_row([access.0], |row| row.get(0))
        .optional()?;
    let open = |sealed: Vec<u8>| master.open(&purpose(access), &sealed).map(Reason);
    Ok(sealed.map(open).transpose()?)
}

#[cfg(test)]
mod tests {
    //! Goal: a reason opens for its own request alone, and what the ledger has of it tells nothing without the salt.
    //! Method: a vault on disk, read back, with rows put under each other's handles.

    use super::*;
    use crate::vault::{VAULT_FILE, open};

    #[test]
    fn a_reason_opens_for_its_request_alone() {
        let dir = tempfile::tempdir().unwrap();
        let connection = open(&dir.path().join(VAULT_FILE)).unwrap();
        let master = MasterKey::new([4; 32]);
        let text = "Found unconscious; nobody to ask.";
        let (one, again) = (Reason::draw(text).unwrap(), Reason::draw(text).unwrap());
        assert_ne!(one.commitment(), again.commitment());
        let [own, other] = [[1; 32], [2; 32]].map(Digest);
        let sealed = one.seal(&master, own).unwrap();
        insert(&connection, &sealed).unwrap();
        let found = of_access(&connection, &master, &own).unwrap().unwrap();
        assert_eq!(
            (found.text().as_str(), found.commitment()),
            (text, one.commitment())
        );
        assert!(of_access(&connection, &master, &other).unwrap().is_none());
        let moved = SealedReason {
            access: other,
            ..sealed
        };
        insert(&connection, &moved).unwrap();
        assert!(of_access(&connection, &master, &other).is_err());
        assert!(insert(&connection, &moved).is_err(), "it is told once");
    }
}
