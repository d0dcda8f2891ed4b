//! Table `people`: who may sign in at this node. A row is sealed as a whole under the master key and
//! replaced as a whole; it is never deleted, so that what names a person always finds one.
//!
//! Left out: what a row says (`crate::people::person`).

use rusqlite::{Connection, params};

use super::VaultError;
use crate::people::person::PersonId;

pub(super) const SCHEMA: &str = "
CREATE TABLE people (
    id BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;";

/// A row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedPerson {
    /// The person's random id.
    pub id: PersonId,
    /// The person.
    pub sealed: Vec<u8>,
}

/// Stores a person, in the place of what was stored before.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn put(connection: &Connection, row: &SealedPerson) -> Result<(), VaultError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO people (id, sealed) VALUES (?1, ?2)")?
        .execute(params![row.id.0, row.sealed])?;
    Ok(())
}

/// Everybody; nobody in a vault of an earlier version, which is read as it is.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn all(connection: &Connection) -> Result<Vec<SealedPerson>, VaultError> {
    if !connection.table_exists(None, "people")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached("SELECT id, sealed FROM people ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(SealedPerson {
            id: PersonId(row.get(0)?),
            sealed: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    //! Goal: a person is one row, replaced as a whole, and nothing of it is readable in the file. Method: a
    //! vault on disk, read back and looked into.

    use fog_api::Role;

    use super::*;
    use crate::people::person::{Person, tests::somebody};
    use crate::vault::seal::MasterKey;
    use crate::vault::{VAULT_FILE, open};

    #[test]
    fn nothing_of_a_person_is_readable() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(VAULT_FILE);
        let connection = open(&path).unwrap();
        let master = MasterKey::new([4; 32]);
        let mut person = somebody(7, "zacharias", &[Role::Physician]);
        put(&connection, &person.seal(&master).unwrap()).unwrap();
        person.roles.insert(Role::Admin);
        put(&connection, &person.seal(&master).unwrap()).unwrap();
        let rows = all(&connection).unwrap();
        let [row] = rows.as_slice() else {
            panic!("{rows:?}")
        };
        assert!(Person::open(row, &master).unwrap().is_active_admin());
        drop(connection);
        let file = std::fs::read(&path).unwrap();
        for word in ["zacharias", "Name of", "physician"] {
            let is_there = file.windows(word.len()).any(|part| part == word.as_bytes());
            assert!(!is_there, "{word}");
        }
    }
}
