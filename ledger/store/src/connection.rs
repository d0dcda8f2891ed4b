//! Opening the file: pragmas, the program's mark, migrations.
//!
//! `application_id` marks the file as a replica, `user_version` counts migrations. All migrations a
//! file lacks run in one transaction: it has the old layout or the new one, never something between.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::{Doing as _, StoreError};
use crate::table;

/// "FWLR", for `file(1)` and for us.
pub(crate) const APPLICATION_ID: i64 = 0x4657_4c52;
/// "FWSI": a snapshot that is being imported.
const IMPORT_ID: i64 = 0x4657_5349;
/// Pages copied at once.
const COPIED_PAGES: i32 = 1000;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Entries come in the order of their hashes and go into tables in the order of their keys: all over the
/// file. With 64 MiB in memory, and as much in the log before it is folded back, a page is written once
/// where it would be written many times.
const IMPORT: &str = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16384;";
/// For the writer's connection. Pages that blocks write again and again, such as those of proposals, go
/// to the log each time but only now and then to the file, and the index of transactions is not read
/// anew for each block.
const WRITER: &str = "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4096; \
    PRAGMA journal_size_limit = 33554432;";

/// Opens the file for writing, and creates or migrates it where needed.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path).doing("open its file")?;
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .doing("set a pragma")?;
    let (mark, version) = marks(&connection)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .doing("read its layout")?;
    let known = table::MIGRATIONS.len() as i64;
    if mark != APPLICATION_ID && (mark != 0 || tables != 0) {
        return Err(StoreError::NotAReplica);
    }
    if version > known {
        return Err(StoreError::Newer {
            found: version,
            known,
        });
    }
    if tables == 0 {
        // Before anything is written: what pruning frees can be given back to the disk bit by bit.
        connection
            .execute_batch("PRAGMA auto_vacuum = INCREMENTAL")
            .doing("set a pragma")?;
    }
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        )
        .doing("set a pragma")?;
    connection.execute_batch(WRITER).doing("set a pragma")?;
    migrate(&mut connection, version)?;
    cache(&connection);
    Ok(connection)
}

/// Opens the file of an import, and creates it where there is none.
pub(crate) fn open_import(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path).doing("open its file")?;
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .doing("set a pragma")?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .doing("read its layout")?;
    let doing = "lay out the import";
    if tables == 0 {
        connection
            .execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;")
            .doing(doing)?;
        let transaction = connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)
            .doing(doing)?;
        for statements in table::MIGRATIONS.iter().copied().flatten() {
            transaction.execute_batch(statements).doing(doing)?;
        }
        transaction
            .execute_batch(table::import::TABLE)
            .doing(doing)?;
        mark(&transaction, IMPORT_ID)?;
        transaction.commit().doing(doing)?;
    }
    let (mark, version) = marks(&connection)?;
    if mark != IMPORT_ID || version != table::MIGRATIONS.len() as i64 {
        return Err(StoreError::NotAReplica);
    }
    connection.execute_batch(IMPORT).doing("set a pragma")?;
    cache(&connection);
    Ok(connection)
}

/// Ends an import: the file is a replica from this transaction on.
pub(crate) fn make_replica(connection: &Connection) -> Result<(), StoreError> {
    connection
        .execute_batch(table::import::DROP)
        .doing("end the import")?;
    mark(connection, APPLICATION_ID)
}

/// Copies what a connection sees, in the read transaction it is in, to a new file; synced.
pub(crate) fn copy(from: &Connection, path: &Path) -> Result<(), StoreError> {
    let doing = "copy its file";
    let mut to = Connection::open(path).doing("open its file")?;
    let copying = rusqlite::backup::Backup::new(from, &mut to).doing(doing)?;
    while let rusqlite::backup::StepResult::More = copying.step(COPIED_PAGES).doing(doing)? {}
    drop(copying);
    to.close().map_err(|(_, error)| error).doing(doing)
}

/// Closes a connection with nothing left in the log.
pub(crate) fn close(connection: Connection) -> Result<(), StoreError> {
    connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .doing("fold back its log")?;
    connection
        .close()
        .map_err(|(_, error)| error)
        .doing("close its file")
}

fn mark(connection: &Connection, id: i64) -> Result<(), StoreError> {
    let known = table::MIGRATIONS.len();
    connection
        .execute_batch(&format!(
            "PRAGMA application_id = {id}; PRAGMA user_version = {known};"
        ))
        .doing("bring its layout up to date")
}

/// Opens an existing file for reading.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).doing("open its file")?;
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .doing("set a pragma")?;
    let (mark, version) = marks(&connection)?;
    if mark != APPLICATION_ID {
        return Err(StoreError::NotAReplica);
    }
    let known = table::MIGRATIONS.len() as i64;
    if version > known {
        return Err(StoreError::Newer {
            found: version,
            known,
        });
    }
    cache(&connection);
    Ok(connection)
}

/// Whether a file has the layout of an earlier version, which opening it for writing brings up to date.
pub(crate) fn is_earlier(connection: &Connection) -> Result<bool, StoreError> {
    let (_, version) = marks(connection)?;
    Ok((1..table::MIGRATIONS.len() as i64).contains(&version))
}

fn cache(connection: &Connection) {
    connection.set_prepared_statement_cache_capacity(64);
}

fn marks(connection: &Connection) -> Result<(i64, i64), StoreError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let mark = pragma("application_id").doing("read its mark")?;
    Ok((mark, pragma("user_version").doing("read its mark")?))
}

fn migrate(connection: &mut Connection, version: i64) -> Result<(), StoreError> {
    let missing = usize::try_from(version)
        .ok()
        .and_then(|done| table::MIGRATIONS.get(done..))
        .unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    let doing = "bring its layout up to date";
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)
        .doing(doing)?;
    for migration in missing.iter().copied().flatten() {
        transaction.execute_batch(migration).doing(doing)?;
    }
    mark(&transaction, APPLICATION_ID)?;
    transaction.commit().doing(doing)
}
