//! `undecided`: proposals of heights not decided yet, so that a restarted validator neither forgets
//! what it proposed nor what it voted for. Gone once their height is decided.
//!
//! Their bytes belong to the consensus engine's adapter; a digest beside them tells a damaged row.

use ledger_core::digest::Digest;
use ledger_core::ids::Height;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{column, digest, height};
use crate::error::{Doing as _, StoreError, damaged};

pub(crate) const MIGRATION: &str = "
CREATE TABLE undecided (
    height       INTEGER NOT NULL,
    round        INTEGER NOT NULL,
    hash         BLOB NOT NULL,
    bytes        BLOB NOT NULL,
    check_digest BLOB NOT NULL,
    PRIMARY KEY (height, round, hash)
) STRICT, WITHOUT ROWID;
";

const COLUMNS: &str = "height, round, hash, bytes, check_digest";

/// A proposal that is not decided yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Undecided {
    /// Its height.
    pub height: Height,
    /// Its round.
    pub round: u32,
    /// Hash of the block it proposes.
    pub hash: Digest,
    /// What the consensus adapter keeps of it: the block and how it was proposed.
    pub bytes: Vec<u8>,
}

impl Undecided {
    fn check_digest(&self) -> Digest {
        let (height, round) = (self.height.0.to_be_bytes(), self.round.to_be_bytes());
        Digest::tagged(
            "fogward/undecided/1",
            &[&height, &round, &self.hash.0, &self.bytes],
        )
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<(Self, Digest)> {
        let undecided = Self {
            height: height(row, 0)?,
            round: row.get(1)?,
            hash: digest(row, 2)?,
            bytes: row.get(3)?,
        };
        Ok((undecided, digest(row, 4)?))
    }
}

fn checked((undecided, stored): (Undecided, Digest)) -> Result<Undecided, StoreError> {
    if undecided.check_digest() != stored {
        let Undecided { height, round, .. } = undecided;
        return Err(damaged(format!(
            "the proposal of height {height}, round {round}"
        )));
    }
    Ok(undecided)
}

/// Keeps a proposal; keeping the same one again changes nothing.
pub(crate) fn keep(connection: &Connection, undecided: &Undecided) -> Result<(), StoreError> {
    let sql = format!("INSERT OR REPLACE INTO undecided ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5)");
    let values = params![
        column(undecided.height.0)?,
        undecided.round,
        undecided.hash.0,
        undecided.bytes,
        undecided.check_digest().0,
    ];
    connection
        .prepare_cached(&sql)
        .and_then(|mut insert| insert.execute(values))
        .doing("write a proposal")?;
    Ok(())
}

pub(crate) fn of_round(
    connection: &Connection,
    height: Height,
    round: u32,
) -> Result<Vec<Undecided>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM undecided WHERE height = ?1 AND round = ?2 ORDER BY hash");
    let height = column(height.0)?;
    let rows: Vec<_> = connection
        .prepare_cached(&sql)
        .and_then(|mut select| {
            select
                .query_map((height, round), Undecided::read)?
                .collect()
        })
        .doing("read proposals")?;
    rows.into_iter().map(checked).collect()
}

pub(crate) fn of_hash(
    connection: &Connection,
    height: Height,
    hash: &Digest,
) -> Result<Option<Undecided>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM undecided WHERE height = ?1 AND hash = ?2 ORDER BY round DESC LIMIT 1"
    );
    let height = column(height.0)?;
    connection
        .prepare_cached(&sql)
        .and_then(|mut select| {
            select
                .query_row((height, hash.0), Undecided::read)
                .optional()
        })
        .doing("read a proposal")?
        .map(checked)
        .transpose()
}

pub(crate) fn all(
    connection: &Connection,
) -> Result<Vec<Result<Undecided, StoreError>>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM undecided ORDER BY height, round, hash");
    let rows: Vec<_> = connection
        .prepare_cached(&sql)
        .and_then(|mut select| select.query_map([], Undecided::read)?.collect())
        .doing("read proposals")?;
    Ok(rows.into_iter().map(checked).collect())
}

/// Forgets the proposals up to a decided height.
pub(crate) fn forget(connection: &Connection, decided: Height) -> Result<(), StoreError> {
    let decided = column(decided.0)?;
    connection
        .prepare_cached("DELETE FROM undecided WHERE height <= ?1")
        .and_then(|mut delete| delete.execute([decided]))
        .doing("forget old proposals")?;
    Ok(())
}
