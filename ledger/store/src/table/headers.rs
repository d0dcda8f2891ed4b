//! `headers`: one row a block. The two totals count from block 0 up to and with this block, so that
//! counting never walks the chain.

use ledger_core::block::Header;
use ledger_core::digest::Digest;
use ledger_core::ids::Height;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{column, digest, height, number};
use crate::error::{Doing as _, StoreError, damaged};

pub(crate) const MIGRATION: &str = "
CREATE TABLE headers (
    height             INTEGER NOT NULL PRIMARY KEY,
    hash               BLOB NOT NULL UNIQUE,
    header             BLOB NOT NULL,
    time_millis        INTEGER NOT NULL,
    transactions_total INTEGER NOT NULL,
    readings_total     INTEGER NOT NULL
) STRICT;
";

const COLUMNS: &str = "height, hash, header, time_millis, transactions_total, readings_total";

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HeaderRow {
    pub(crate) height: Height,
    pub(crate) hash: Digest,
    pub(crate) header: Vec<u8>,
    pub(crate) time_millis: u64,
    pub(crate) transactions_total: u64,
    pub(crate) readings_total: u64,
}

impl HeaderRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            height: height(row, 0)?,
            hash: digest(row, 1)?,
            header: row.get(2)?,
            time_millis: number(row, 3)?,
            transactions_total: number(row, 4)?,
            readings_total: number(row, 5)?,
        })
    }

    /// The header, which must hash to the row's hash and stand at its height.
    pub(crate) fn decode(&self) -> Result<Header, StoreError> {
        let header = Header::decode(&self.header)
            .map_err(|error| damaged(format!("header {}: {error}", self.height)))?;
        if Header::hash_bytes(&self.header) != self.hash || header.height != self.height {
            return Err(damaged(format!(
                "header {} is not the one its row names",
                self.height
            )));
        }
        Ok(header)
    }
}

pub(crate) fn insert(connection: &Connection, row: &HeaderRow) -> Result<(), StoreError> {
    let sql = format!("INSERT INTO headers ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    let values = params![
        column(row.height.0)?,
        row.hash.0,
        row.header,
        column(row.time_millis)?,
        column(row.transactions_total)?,
        column(row.readings_total)?,
    ];
    connection
        .prepare_cached(&sql)
        .and_then(|mut insert| insert.execute(values))
        .doing("write a header")?;
    Ok(())
}

pub(crate) fn last(connection: &Connection) -> Result<Option<HeaderRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM headers ORDER BY height DESC LIMIT 1");
    connection
        .prepare_cached(&sql)
        .and_then(|mut select| select.query_row([], HeaderRow::read).optional())
        .doing("read its tip")
}

pub(crate) fn at(connection: &Connection, at: Height) -> Result<Option<HeaderRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM headers WHERE height = ?1");
    let at = column(at.0)?;
    connection
        .prepare_cached(&sql)
        .and_then(|mut select| select.query_row([at], HeaderRow::read).optional())
        .doing("read a header")
}

pub(crate) fn height_of(
    connection: &Connection,
    hash: &Digest,
) -> Result<Option<Height>, StoreError> {
    connection
        .prepare_cached("SELECT height FROM headers WHERE hash = ?1")
        .and_then(|mut select| select.query_row([hash.0], |row| height(row, 0)).optional())
        .doing("read a header")
}

pub(crate) fn from(
    connection: &Connection,
    from: Height,
    limit: u32,
) -> Result<Vec<HeaderRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM headers WHERE height >= ?1 ORDER BY height LIMIT ?2");
    let from = column(from.0)?;
    connection
        .prepare_cached(&sql)
        .and_then(|mut select| select.query_map((from, limit), HeaderRow::read)?.collect())
        .doing("read headers")
}
