//! `pruned`: the blocks whose transactions are not (all) here any more, or never were.
//!
//! A row keeps what the transactions said and the header does not: how many readings they anchored, and
//! their ids, 32 bytes each, so that the header's `tx_root` can still be recomputed and paths to what is
//! kept or restored can still be made. A replica that started from a snapshot knows no ids; the list is
//! empty then, and the header's root stands for it.

use ledger_core::digest::Digest;
use ledger_core::ids::Height;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{column, height, number};
use crate::error::{Doing as _, StoreError, damaged};

pub(crate) const MIGRATION: &str = "
CREATE TABLE pruned (
    height   INTEGER NOT NULL PRIMARY KEY REFERENCES headers (height),
    readings INTEGER NOT NULL,
    ids      BLOB NOT NULL
) STRICT;
";

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PrunedRow {
    pub(crate) height: Height,
    /// Readings that the block's transactions anchor.
    pub(crate) readings: u64,
    /// Ids of its transactions, in order; empty if they were never here.
    pub(crate) ids: Vec<Digest>,
}

pub(crate) fn insert(connection: &Connection, row: &PrunedRow) -> Result<(), StoreError> {
    let ids: Vec<u8> = row.ids.iter().flat_map(|id| id.0).collect();
    let values = params![column(row.height.0)?, column(row.readings)?, ids];
    connection
        .prepare_cached("INSERT INTO pruned (height, readings, ids) VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| insert.execute(values))
        .doing("note what is pruned")?;
    Ok(())
}

/// The row of a block, if its transactions are pruned.
pub(crate) fn at(connection: &Connection, at: Height) -> Result<Option<PrunedRow>, StoreError> {
    let row = connection
        .prepare_cached("SELECT height, readings, ids FROM pruned WHERE height = ?1")
        .and_then(|mut select| select.query_row([column_of(at)], read).optional())
        .doing("read what is pruned")?;
    row.map(decode).transpose()
}

/// Whether the transactions of a block are pruned.
pub(crate) fn is(connection: &Connection, at: Height) -> Result<bool, StoreError> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM pruned WHERE height = ?1)")
        .and_then(|mut select| select.query_row([column_of(at)], |row| row.get(0)))
        .doing("read what is pruned")
}

/// The pruned block that held a transaction.
pub(crate) fn holding(connection: &Connection, id: &Digest) -> Result<Option<Height>, StoreError> {
    let doing = "read what is pruned";
    let mut select = connection
        .prepare_cached(
            "SELECT height, readings, ids FROM pruned WHERE instr(ids, ?1) > 0 ORDER BY height",
        )
        .doing(doing)?;
    let mut rows = select.query([id.0]).doing(doing)?;
    while let Some(row) = rows.next().doing(doing)? {
        // The same bytes may lie across two ids.
        let row = decode(read(row).doing(doing)?)?;
        if row.ids.contains(id) {
            return Ok(Some(row.height));
        }
    }
    Ok(None)
}

/// The highest pruned block.
pub(crate) fn last(connection: &Connection) -> Result<Option<Height>, StoreError> {
    connection
        .prepare_cached("SELECT height FROM pruned ORDER BY height DESC LIMIT 1")
        .and_then(|mut select| select.query_row([], |row| height(row, 0)).optional())
        .doing("read what is pruned")
}

/// Forgets that a block was pruned: its transactions are back.
pub(crate) fn forget(connection: &Connection, at: Height) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM pruned WHERE height = ?1")
        .and_then(|mut delete| delete.execute([column_of(at)]))
        .doing("note what is restored")?;
    Ok(())
}

/// A height beyond what SQLite can hold is one that is not there.
fn column_of(height: Height) -> i64 {
    i64::try_from(height.0).unwrap_or(i64::MAX)
}

fn read(row: &Row<'_>) -> rusqlite::Result<(Height, u64, Vec<u8>)> {
    Ok((height(row, 0)?, number(row, 1)?, row.get(2)?))
}

fn decode((height, readings, ids): (Height, u64, Vec<u8>)) -> Result<PrunedRow, StoreError> {
    let (ids, rest) = ids.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(damaged(format!(
            "the ids of the pruned transactions of block {height}"
        )));
    }
    Ok(PrunedRow {
        height,
        readings,
        ids: ids.iter().copied().map(Digest).collect(),
    })
}
