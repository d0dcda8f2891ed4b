//! `access_log`: the entries of the access log, of which the state keeps the head alone. Rows are never deleted: what
//! pruning takes are the transactions.
//!
//! A replica that started from a snapshot has no entries of before. The columns beside the entry's bytes only serve
//! look-ups: by number, by subject, and by a person who signed or is concerned.

use ledger_core::access::{LogEntry, Logged};
use ledger_core::digest::Digest;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{column, digest, number};
use crate::error::{Doing as _, StoreError, damaged};

pub(crate) const MIGRATION: &str = "
CREATE TABLE access_log (
    number  INTEGER NOT NULL PRIMARY KEY,
    before  BLOB NOT NULL,
    entry   BLOB NOT NULL,
    subject BLOB,
    signer  BLOB,
    person  BLOB
) STRICT;
CREATE INDEX access_log_subject ON access_log (subject, number) WHERE subject IS NOT NULL;
CREATE INDEX access_log_signer ON access_log (signer, number) WHERE signer IS NOT NULL;
CREATE INDEX access_log_person ON access_log (person, number) WHERE person IS NOT NULL;
";

const COLUMNS: &str = "number, before, entry, subject, signer, person";
const READ: &str = "read the access log";

/// One row, as stored: the columns are not compared with the entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AccessLogRow {
    pub(crate) number: u64,
    pub(crate) before: Digest,
    pub(crate) entry: Vec<u8>,
    pub(crate) subject: Option<Digest>,
    pub(crate) signer: Option<Digest>,
    pub(crate) person: Option<Digest>,
}

impl AccessLogRow {
    /// The row of an entry.
    pub(crate) fn of(logged: &Logged) -> Self {
        let entry = &logged.entry;
        Self {
            number: entry.number,
            before: logged.before,
            entry: entry.encode(),
            subject: entry.subject,
            signer: entry.signer,
            person: entry.person,
        }
    }

    /// What it holds.
    pub(crate) fn decode(&self) -> Result<Logged, StoreError> {
        let entry = LogEntry::decode(&self.entry).map_err(|error| {
            damaged(format!("entry {} of the access log: {error}", self.number))
        })?;
        let before = self.before;
        Ok(Logged { before, entry })
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let optional = |at| {
            row.get::<_, Option<[u8; 32]>>(at)
                .map(|one| one.map(Digest))
        };
        Ok(Self {
            number: number(row, 0)?,
            before: digest(row, 1)?,
            entry: row.get(2)?,
            subject: optional(3)?,
            signer: optional(4)?,
            person: optional(5)?,
        })
    }
}

pub(crate) fn insert(connection: &Connection, row: &AccessLogRow) -> Result<(), StoreError> {
    let bytes = |digest: Option<Digest>| digest.map(|digest| digest.0);
    let values = params![
        column(row.number)?,
        row.before.0,
        row.entry,
        bytes(row.subject),
        bytes(row.signer),
        bytes(row.person),
    ];
    let sql = format!("INSERT INTO access_log ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    connection
        .prepare_cached(&sql)
        .and_then(|mut insert| insert.execute(values))
        .doing("write the access log")?;
    Ok(())
}

/// The entry with this number.
pub(crate) fn at(connection: &Connection, number: u64) -> Result<Option<AccessLogRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM access_log WHERE number = ?1");
    connection
        .prepare_cached(&sql)
        .and_then(|mut select| {
            let read = AccessLogRow::read;
            select.query_row([column_of(number)], read).optional()
        })
        .doing(READ)
}

/// At most `limit` entries from a number on, in order.
pub(crate) fn from(
    connection: &Connection,
    number: u64,
    limit: u32,
) -> Result<Vec<AccessLogRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM access_log WHERE number >= ?1 ORDER BY number LIMIT ?2");
    connection
        .prepare_cached(&sql)
        .and_then(|mut select| {
            let values = params![column_of(number), limit];
            select.query_map(values, AccessLogRow::read)?.collect()
        })
        .doing(READ)
}

/// The number of the first entry that is here.
pub(crate) fn first(connection: &Connection) -> Result<Option<u64>, StoreError> {
    connection
        .prepare_cached("SELECT number FROM access_log ORDER BY number LIMIT 1")
        .and_then(|mut select| select.query_row([], |row| number(row, 0)).optional())
        .doing(READ)
}

/// Which column a digest is looked up in.
#[derive(Clone, Copy)]
pub(crate) enum By {
    Subject,
    Signer,
    Person,
}

/// The numbers of at most `limit` entries with a digest in a column, from `from` on and below `below`, the last first.
pub(crate) fn numbers(
    connection: &Connection,
    (by, wanted): (By, &Digest),
    (from, below): (u64, u64),
    limit: u32,
) -> Result<Vec<u64>, StoreError> {
    let name = match by {
        By::Subject => "subject",
        By::Signer => "signer",
        By::Person => "person",
    };
    let sql = format!(
        "SELECT number FROM access_log WHERE {name} = ?1 AND number >= ?2 AND number < ?3
         ORDER BY number DESC LIMIT ?4"
    );
    connection
        .prepare_cached(&sql)
        .and_then(|mut select| {
            let values = params![wanted.0, column_of(from), column_of(below), limit];
            select.query_map(values, |row| number(row, 0))?.collect()
        })
        .doing(READ)
}

/// A number beyond what SQLite can hold is one that is not there.
fn column_of(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
