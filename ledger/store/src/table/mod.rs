//! The tables, one module each: migration, row, read, write.
//!
//! Bytes are the canonical bytes of `ledger-core`; columns beside them only serve look-ups and are
//! compared with the bytes by `fsck`.

pub(crate) mod access_log;
pub(crate) mod certificates;
pub(crate) mod headers;
pub(crate) mod import;
pub(crate) mod meta;
pub(crate) mod pruned;
pub(crate) mod state;
pub(crate) mod transaction_ids;
pub(crate) mod transactions;
pub(crate) mod tree_nodes;
pub(crate) mod undecided;
pub(crate) mod validator_sets;

use ledger_core::digest::Digest;
use ledger_core::ids::Height;
use rusqlite::Row;

use crate::error::{StoreError, damaged};

/// The statements of each layout version, in order. Never changed once released, only added to.
pub(crate) const MIGRATIONS: &[&[&str]] = &[
    &[
        meta::MIGRATION,
        headers::MIGRATION,
        certificates::MIGRATION,
        transactions::MIGRATION,
        state::MIGRATION,
        tree_nodes::MIGRATION,
        validator_sets::MIGRATION,
        undecided::MIGRATION,
    ],
    &[pruned::MIGRATION],
    &[transaction_ids::MIGRATION],
    &[access_log::MIGRATION],
];

/// The tables, as `fsck` walks them.
pub(crate) const NAMES: [&str; 11] = [
    "meta",
    "headers",
    "certificates",
    "transactions",
    "transaction_ids",
    "access_log",
    "pruned",
    "state",
    "tree_nodes",
    "validator_sets",
    "undecided",
];

/// SQLite's integers are signed; heights stay far below.
pub(crate) fn column(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| damaged("a number is too large to be stored"))
}

pub(crate) fn number(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(at)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, value))
}

pub(crate) fn height(row: &Row<'_>, at: usize) -> rusqlite::Result<Height> {
    number(row, at).map(Height)
}

pub(crate) fn digest(row: &Row<'_>, at: usize) -> rusqlite::Result<Digest> {
    row.get::<_, [u8; 32]>(at).map(Digest)
}
