//! `transactions`: the encoded transactions, in the order they were executed. Where an id stands is in
//! [`transaction_ids`], which is written with this table.

use ledger_core::digest::Digest;
use ledger_core::ids::Height;
use ledger_core::key::PublicKey;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{column, digest, height, number, transaction_ids};
use crate::error::{Doing as _, StoreError};

pub(crate) const MIGRATION: &str = "
CREATE TABLE transactions (
    height INTEGER NOT NULL REFERENCES headers (height),
    place  INTEGER NOT NULL,
    id     BLOB NOT NULL UNIQUE,
    sender BLOB NOT NULL,
    kind   TEXT NOT NULL,
    bytes  BLOB NOT NULL,
    PRIMARY KEY (height, place)
) STRICT, WITHOUT ROWID;
";

const COLUMNS: &str = "height, place, id, sender, kind, bytes";

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TransactionRow {
    pub(crate) height: Height,
    pub(crate) place: u32,
    pub(crate) id: Digest,
    pub(crate) sender: PublicKey,
    pub(crate) kind: String,
    pub(crate) bytes: Vec<u8>,
}

impl TransactionRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            height: height(row, 0)?,
            place: row.get(1)?,
            id: digest(row, 2)?,
            sender: PublicKey(row.get(3)?),
            kind: row.get(4)?,
            bytes: row.get(5)?,
        })
    }
}

pub(crate) fn insert<'a>(
    connection: &Connection,
    at: Height,
    rows: impl Iterator<Item = (u32, Digest, PublicKey, &'static str, &'a [u8])>,
) -> Result<(), StoreError> {
    let doing = "write a transaction";
    let sql = format!("INSERT INTO transactions ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    let mut insert = connection.prepare_cached(&sql).doing(doing)?;
    let (height, mut places) = (column(at.0)?, Vec::new());
    for (place, id, sender, kind, bytes) in rows {
        insert
            .execute(params![height, place, id.0, sender.0, kind, bytes])
            .doing(doing)?;
        places.push((id, place));
    }
    transaction_ids::insert(connection, at, places)
}

pub(crate) fn by_id(
    connection: &Connection,
    id: &Digest,
) -> Result<Option<TransactionRow>, StoreError> {
    let with_head = transaction_ids::WITH_HEAD;
    let sql = format!(
        "SELECT {COLUMNS} FROM {with_head} CROSS JOIN transactions USING (height, place)
         WHERE id = ?2 LIMIT 1"
    );
    let values = params![transaction_ids::head(id), id.0];
    connection
        .prepare_cached(&sql)
        .and_then(|mut select| select.query_row(values, TransactionRow::read).optional())
        .doing("read a transaction")
}

pub(crate) fn at(connection: &Connection, at: Height) -> Result<Vec<TransactionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM transactions WHERE height = ?1 ORDER BY place");
    let at = column(at.0)?;
    connection
        .prepare_cached(&sql)
        .and_then(|mut select| select.query_map([at], TransactionRow::read)?.collect())
        .doing("read transactions")
}

/// The ids of a block's transactions, without their bytes.
pub(crate) fn ids_at(connection: &Connection, at: Height) -> Result<Vec<Digest>, StoreError> {
    let at = column(at.0)?;
    connection
        .prepare_cached("SELECT id FROM transactions WHERE height = ?1 ORDER BY place")
        .and_then(|mut select| select.query_map([at], |row| digest(row, 0))?.collect())
        .doing("read transactions")
}

/// The blocks above `after` up to `last` that hold transactions of others than `keep`, with how many
/// each holds, in order, until there are `limit` transactions or more.
pub(crate) fn held(
    connection: &Connection,
    (after, last): (Height, Height),
    keep: Option<&PublicKey>,
    limit: u64,
) -> Result<Vec<(Height, u64)>, StoreError> {
    let doing = "read transactions";
    let mut select = connection
        .prepare_cached(
            "SELECT height, count(*) FROM transactions
             WHERE height > ?1 AND height <= ?2 AND sender IS NOT ?3 GROUP BY height ORDER BY height",
        )
        .doing(doing)?;
    let values = params![column(after.0)?, column(last.0)?, keep.map(|key| key.0)];
    let mut rows = select.query(values).doing(doing)?;
    let (mut found, mut sum) = (Vec::new(), 0u64);
    while sum < limit
        && let Some(row) = rows.next().doing(doing)?
    {
        let count = number(row, 1).doing(doing)?;
        found.push((height(row, 0).doing(doing)?, count));
        sum = sum.saturating_add(count);
    }
    Ok(found)
}

/// Deletes a block's transactions but those of `keep`; returns how many.
pub(crate) fn delete(
    connection: &Connection,
    at: Height,
    keep: Option<&PublicKey>,
) -> Result<u64, StoreError> {
    let doing = "delete transactions";
    let values = params![column(at.0)?, keep.map(|key| key.0)];
    let places: Vec<_> = connection
        .prepare_cached(
            "DELETE FROM transactions WHERE height = ?1 AND sender IS NOT ?2 RETURNING id, place",
        )
        .and_then(|mut delete| {
            let deleted = delete.query_map(values, |row| Ok((digest(row, 0)?, row.get(1)?)))?;
            deleted.collect()
        })
        .doing(doing)?;
    transaction_ids::delete(connection, at, &places)?;
    Ok(places.len() as u64)
}

/// Bytes of transactions of blocks from `from` to `to`, both included.
pub(crate) fn bytes_between(
    connection: &Connection,
    from: Height,
    to: Height,
) -> Result<u64, StoreError> {
    connection
        .prepare_cached(
            "SELECT coalesce(sum(length(bytes)), 0) FROM transactions
             WHERE height >= ?1 AND height <= ?2",
        )
        .and_then(|mut select| {
            select.query_row([column_of(from), column_of(to)], |row| number(row, 0))
        })
        .doing("read transactions")
}

/// A height beyond what SQLite can hold is one that is not there.
fn column_of(height: Height) -> i64 {
    i64::try_from(height.0).unwrap_or(i64::MAX)
}
