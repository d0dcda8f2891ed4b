//! The vault: sealed readings, their streams' keys, and the node's own pending transactions, in one
//! SQLite file (WAL, `synchronous=FULL`), one module per table.
//!
//! ```text
//! devices ─< streams ─< journal   durable, not in a batch yet; one row per commit and stream
//!                    ├─< payloads  in a batch; one row per batch and stream
//!                    └─< epochs    the keys of both, sealed; others for each patient
//! batches ─ outbox    own transactions, in the order of their nonces, until they are final
//! losses              batches of before a restore that the ledger has and this vault has not
//! gaps                counters of the gap ledger
//! assignments         whose a device was and when, sealed
//! provisionings       keys that devices with a one-time code were offered, sealed, until proven
//! clocks              how far devices' clocks and this host's were apart
//! commissionings      signed records of self-tests
//! people              who may sign in, sealed
//! reasons             why somebody broke the glass, what somebody asked of the access log, sealed
//! patients            whom the clinic treats, sealed
//! consents            what patients agreed to, sealed
//! disclosures         what was read under which request, sealed, with its receipt
//! promises            receipts that other nodes have promised, sealed, until they are final
//! erasures            certificates of what was erased
//! ```
//!
//! A reading is durable once the transaction that holds its journal or payload row is committed; only
//! then is it counted as received. Left out: what is on chain (`ledger-store`), and batching itself
//! (`crate::ingest`).

pub mod assignments;
pub mod batches;
pub mod clocks;
pub mod commissionings;
pub mod consents;
pub mod devices;
pub mod disclosures;
pub mod epochs;
pub mod erasures;
pub mod gaps;
pub mod journal;
pub mod losses;
pub mod open_stream;
pub mod outbox;
pub mod patients;
pub mod payloads;
pub mod people;
pub mod promises;
pub mod provisionings;
pub mod reasons;
pub(crate) mod renew;
pub mod rest;
pub mod seal;
pub mod streams;
#[cfg(test)]
mod tests;

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// Name of the vault's file in the data folder.
pub const VAULT_FILE: &str = "vault.db";
/// How long a busy vault is waited for.
pub(crate) const BUSY: std::time::Duration = std::time::Duration::from_secs(10);
/// "FogV", so that tools can tell the file.
const APPLICATION_ID: i32 = 0x466f_6756;
const SCHEMA_VERSION: i32 = 7;
/// What each version brought, the first one's first.
const SCHEMAS: [&[&str]; SCHEMA_VERSION as usize] = [
    &[
        devices::SCHEMA,
        streams::SCHEMA,
        journal::SCHEMA,
        batches::SCHEMA,
        payloads::SCHEMA,
        outbox::SCHEMA,
        gaps::SCHEMA,
    ],
    &[assignments::SCHEMA, devices::HANDOVERS],
    &[provisionings::SCHEMA],
    &[clocks::SCHEMA, devices::PLACES, commissionings::SCHEMA],
    &[
        people::SCHEMA,
        reasons::SCHEMA,
        patients::SCHEMA,
        disclosures::SCHEMA,
        consents::SCHEMA,
        epochs::SCHEMA,
        erasures::SCHEMA,
    ],
    &[promises::SCHEMA],
    &[losses::SCHEMA],
];

/// Why the vault did not do what it was asked. Names no content and no key.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// SQLite failed.
    #[error("the vault's file could not be read or written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A sealed content did not open.
    #[error("the vault: {0}")]
    Seal(#[from] seal::SealError),
    /// A row is not of the expected form.
    #[error("the vault's table {table} holds a row that is not of the expected form")]
    Row {
        /// The table.
        table: &'static str,
    },
    /// The file is of another program or a newer version.
    #[error("{path} is not a vault this version can read (version {version})")]
    Foreign {
        /// The file.
        path: String,
        /// Its schema version.
        version: i32,
    },
}

/// Opens the vault's file for reading and writing, creating or migrating it first.
///
/// # Errors
/// [`VaultError`] if it cannot be opened, or belongs to something else.
pub fn open(path: &Path) -> Result<Connection, VaultError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted is overwritten, keys above all.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -8192)?;
    connection.set_prepared_statement_cache_capacity(64);
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Opens the vault's file for reading, beside a writer.
///
/// # Errors
/// [`VaultError`] if it cannot be opened.
pub fn open_read_only(path: &Path) -> Result<Connection, VaultError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Writes what is in the write-ahead log into the vault's file, and cuts the log to nothing; false while somebody
/// reads what was before.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub(crate) fn empty_log(connection: &Connection) -> Result<bool, VaultError> {
    let is_busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(!is_busy)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), VaultError> {
    let read = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (read("application_id")?, read("user_version")?);
    if version == SCHEMA_VERSION && application == APPLICATION_ID {
        return Ok(());
    }
    let is_new = version == 0 && application == 0;
    let is_earlier = (1..SCHEMA_VERSION).contains(&version) && application == APPLICATION_ID;
    if !is_new && !is_earlier {
        return Err(VaultError::Foreign {
            path: path.display().to_string(),
            version,
        });
    }
    let transaction = connection.transaction()?;
    let missing = SCHEMAS.iter().skip(usize::try_from(version).unwrap_or(0));
    for schema in missing.copied().flatten() {
        transaction.execute_batch(schema)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()?;
    Ok(())
}

/// Reads a 32-byte blob column.
fn digest_column(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<ledger_core::Digest> {
    row.get::<_, [u8; 32]>(index).map(ledger_core::Digest)
}
