//! `validator_sets`: who certifies from which height on. A row for the genesis and one for each change.

use ledger_core::canonical;
use ledger_core::ids::Height;
use ledger_core::state::MAX_STATE_VALUE_BYTES;
use ledger_core::validators::ValidatorSet;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{column, height};
use crate::error::{Doing as _, StoreError, damaged};

pub(crate) const MIGRATION: &str = "
CREATE TABLE validator_sets (
    from_height INTEGER NOT NULL PRIMARY KEY,
    validators  BLOB NOT NULL
) STRICT;
";

pub(crate) fn insert(
    connection: &Connection,
    from: Height,
    validators: &ValidatorSet,
) -> Result<(), StoreError> {
    let values = params![column(from.0)?, canonical::encode(validators)];
    connection
        .prepare_cached("INSERT INTO validator_sets (from_height, validators) VALUES (?1, ?2)")
        .and_then(|mut insert| insert.execute(values))
        .doing("write the validators")?;
    Ok(())
}

/// The validators that certify `at`.
pub(crate) fn at(connection: &Connection, at: Height) -> Result<Option<ValidatorSet>, StoreError> {
    let at = column(at.0)?;
    let row = connection
        .prepare_cached(
            "SELECT from_height, validators FROM validator_sets
             WHERE from_height <= ?1 ORDER BY from_height DESC LIMIT 1",
        )
        .and_then(|mut select| select.query_row([at], row).optional())
        .doing("read the validators")?;
    Ok(row
        .map(decode)
        .transpose()?
        .map(|(_, validators)| validators))
}

/// The changes that are in force at `at`, oldest first: from which height on, and who.
pub(crate) fn changes(
    connection: &Connection,
    at: Height,
) -> Result<Vec<(Height, ValidatorSet)>, StoreError> {
    let at = column(at.0)?;
    let rows: Vec<_> = connection
        .prepare_cached(
            "SELECT from_height, validators FROM validator_sets
             WHERE from_height > 0 AND from_height <= ?1 ORDER BY from_height",
        )
        .and_then(|mut select| select.query_map([at], row)?.collect())
        .doing("read the validators")?;
    rows.into_iter().map(decode).collect()
}

fn row(row: &Row<'_>) -> rusqlite::Result<(Height, Vec<u8>)> {
    Ok((height(row, 0)?, row.get(1)?))
}

fn decode((from, bytes): (Height, Vec<u8>)) -> Result<(Height, ValidatorSet), StoreError> {
    canonical::decode(&bytes, MAX_STATE_VALUE_BYTES)
        .map(|validators| (from, validators))
        .map_err(|error| damaged(format!("validators from height {from}: {error}")))
}
