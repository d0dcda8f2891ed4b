//! `state`: the current state entries; what each was before is in the blocks.

use jmt::KeyHash;
use ledger_core::ids::Height;
use ledger_core::state::{StateKey, Writes};
use ledger_core::state_tree::key_hash;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{column, digest, height, number};
use crate::error::{Doing as _, StoreError};

pub(crate) const MIGRATION: &str = "
CREATE TABLE state (
    key      BLOB NOT NULL PRIMARY KEY,
    key_hash BLOB NOT NULL UNIQUE,
    height   INTEGER NOT NULL,
    value    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

pub(crate) fn write(
    connection: &Connection,
    at: Height,
    writes: &Writes,
) -> Result<(), StoreError> {
    let doing = "write the state";
    let mut upsert = connection
        .prepare_cached(
            "INSERT INTO state (key, key_hash, height, value) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (key) DO UPDATE SET height = excluded.height, value = excluded.value",
        )
        .doing(doing)?;
    let height = column(at.0)?;
    for (key, value) in writes {
        upsert
            .execute(params![key.0, key_hash(key).0, height, value])
            .doing(doing)?;
    }
    Ok(())
}

pub(crate) fn get(connection: &Connection, key: &StateKey) -> Result<Option<Vec<u8>>, StoreError> {
    connection
        .prepare_cached("SELECT value FROM state WHERE key = ?1")
        .and_then(|mut select| select.query_row([&key.0], |row| row.get(0)).optional())
        .doing("read the state")
}

/// The entry under a key's hash, and the height that wrote it.
pub(crate) fn by_hash(
    connection: &Connection,
    hash: &KeyHash,
) -> Result<Option<(Height, Vec<u8>)>, StoreError> {
    connection
        .prepare_cached("SELECT height, value FROM state WHERE key_hash = ?1")
        .and_then(|mut select| {
            select
                .query_row([hash.0], |row| Ok((height(row, 0)?, row.get(1)?)))
                .optional()
        })
        .doing("read the state")
}

/// The first key after all that start with `prefix`, which does not end in 255.
fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    end
}

/// Hands the values of all keys that start with `prefix` to `visit`, in order.
pub(crate) fn for_each_under(
    connection: &Connection,
    prefix: &[u8],
    mut visit: impl FnMut(Vec<u8>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let doing = "read the state";
    let mut select = connection
        .prepare_cached("SELECT value FROM state WHERE key >= ?1 AND key < ?2 ORDER BY key")
        .doing(doing)?;
    let mut rows = select.query(params![prefix, end_of(prefix)]).doing(doing)?;
    while let Some(row) = rows.next().doing(doing)? {
        visit(row.get(0).doing(doing)?)?;
    }
    Ok(())
}

/// The values of all keys that start with `prefix`, in order, at most `limit`.
pub(crate) fn under(
    connection: &Connection,
    prefix: &[u8],
    limit: u32,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let end = end_of(prefix);
    connection
        .prepare_cached(
            "SELECT value FROM state WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3",
        )
        .and_then(|mut select| {
            select
                .query_map(params![prefix, end, limit], |row| row.get(0))?
                .collect()
        })
        .doing("read the state")
}

/// Hands every row to `visit`: key, its stored hash, height, value.
pub(crate) fn for_each(
    connection: &Connection,
    mut visit: impl FnMut(Vec<u8>, KeyHash, Height, Vec<u8>),
) -> Result<(), StoreError> {
    let doing = "read the state";
    let mut select = connection
        .prepare("SELECT key, key_hash, height, value FROM state ORDER BY key")
        .doing(doing)?;
    let mut rows = select.query([]).doing(doing)?;
    while let Some(row) = rows.next().doing(doing)? {
        let hash = KeyHash(digest(row, 1).doing(doing)?.0);
        let (key, value) = (row.get(0).doing(doing)?, row.get(3).doing(doing)?);
        visit(key, hash, height(row, 2).doing(doing)?, value);
    }
    Ok(())
}

/// Hands every entry to `visit`, in the order of the hashes of the keys.
pub(crate) fn for_each_by_hash(
    connection: &Connection,
    mut visit: impl FnMut(Vec<u8>, Vec<u8>),
) -> Result<(), StoreError> {
    let doing = "read the state";
    let mut select = connection
        .prepare("SELECT key, value FROM state ORDER BY key_hash")
        .doing(doing)?;
    let mut rows = select.query([]).doing(doing)?;
    while let Some(row) = rows.next().doing(doing)? {
        visit(row.get(0).doing(doing)?, row.get(1).doing(doing)?);
    }
    Ok(())
}

/// Bytes of all keys and values.
pub(crate) fn bytes(connection: &Connection) -> Result<u64, StoreError> {
    let sum = "SELECT coalesce(sum(length(key) + length(value)), 0) FROM state";
    connection
        .query_row(sum, [], |row| number(row, 0))
        .doing("read the state")
}
