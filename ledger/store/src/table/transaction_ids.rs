//! `transaction_ids`: where the transaction with an id stands.
//!
//! Ids are hashes. One index of all of them would be written all over its pages by every block, the more
//! the longer the chain: a block of a thousand transactions, a thousand pages. So the ids are indexed by
//! *eras* of about [`ERA`] transactions. A block writes to the pages of the newest era only, which are few
//! and warm; a look-up asks one era after another, newest first. `docs/adr/0024` says what that costs.
//!
//! ```text
//! era 0  │ heads of transactions 0 … 8191          ┐ written once, read by look-ups
//! era 1  │ heads of transactions 8192 … 16383      ┘
//! era 2  │ heads of transactions 16384 …           ← blocks write here
//! ```
//!
//! A block belongs to one era, that of its first transaction. A row holds the head of an id only; the whole
//! id stands in `transactions` and is compared there.

use ledger_core::digest::Digest;
use ledger_core::ids::Height;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{column, number};
use crate::error::{Doing as _, StoreError};

/// Transactions of an era, more or less; part of the layout, since the migration counts by it.
const ERA: u64 = 8192;
/// Bytes of an id that are indexed.
const HEAD: usize = 8;

/// Takes the ids out of `transactions`, where they were unique among all and indexed together.
pub(crate) const MIGRATION: &str = "
CREATE TABLE transaction_ids (
    era    INTEGER NOT NULL,
    head   BLOB NOT NULL,
    height INTEGER NOT NULL,
    place  INTEGER NOT NULL,
    PRIMARY KEY (era, head, height, place)
) STRICT, WITHOUT ROWID;
INSERT INTO transaction_ids (era, head, height, place)
SELECT coalesce(before.transactions_total, 0) / 8192, substr(one.id, 1, 8), one.height, one.place
FROM transactions AS one LEFT JOIN headers AS before ON before.height = one.height - 1
ORDER BY 1, 2;
ALTER TABLE transactions RENAME TO indexed_transactions;
CREATE TABLE transactions (
    height INTEGER NOT NULL REFERENCES headers (height),
    place  INTEGER NOT NULL,
    id     BLOB NOT NULL,
    sender BLOB NOT NULL,
    kind   TEXT NOT NULL,
    bytes  BLOB NOT NULL,
    PRIMARY KEY (height, place)
) STRICT, WITHOUT ROWID;
INSERT INTO transactions SELECT * FROM indexed_transactions ORDER BY height, place;
DROP TABLE indexed_transactions;
";

/// Rows of the index, whole, for `FROM`: those of `?1`, the head of an id, newest era first.
pub(crate) const WITH_HEAD: &str = "
(WITH RECURSIVE eras (era) AS (
    SELECT max(era) FROM transaction_ids
    UNION ALL
    SELECT (SELECT max(era) FROM transaction_ids WHERE era < eras.era) FROM eras
    WHERE eras.era IS NOT NULL
 )
 SELECT height, place FROM eras CROSS JOIN transaction_ids USING (era) WHERE head = ?1)";

/// What is indexed of an id.
pub(crate) fn head(id: &Digest) -> &[u8] {
    &id.0[..HEAD]
}

/// Indexes the transactions of a block, whose header is here; each with its place.
pub(crate) fn insert(
    connection: &Connection,
    at: Height,
    mut places: Vec<(Digest, u32)>,
) -> Result<(), StoreError> {
    let doing = "index a transaction";
    let (era, height) = (era_of(connection, at)?, column(at.0)?);
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO transaction_ids (era, head, height, place) VALUES (?1, ?2, ?3, ?4)",
        )
        .doing(doing)?;
    // In their order: each page is found once.
    places.sort_unstable();
    for (id, place) in places {
        insert
            .execute(params![era, head(&id), height, place])
            .doing(doing)?;
    }
    Ok(())
}

/// Takes transactions of a block out of the index.
pub(crate) fn delete(
    connection: &Connection,
    at: Height,
    places: &[(Digest, u32)],
) -> Result<(), StoreError> {
    let doing = "take a transaction out of the index";
    let (era, height) = (era_of(connection, at)?, column(at.0)?);
    let mut delete = connection
        .prepare_cached(
            "DELETE FROM transaction_ids
             WHERE era = ?1 AND head = ?2 AND height = ?3 AND place = ?4",
        )
        .doing(doing)?;
    for (id, place) in places {
        delete
            .execute(params![era, head(id), height, place])
            .doing(doing)?;
    }
    Ok(())
}

/// The places of those transactions of a block to which the index does not lead.
pub(crate) fn missing<'a>(
    connection: &Connection,
    at: Height,
    places: impl Iterator<Item = (&'a Digest, u32)>,
) -> Result<Vec<u32>, StoreError> {
    let doing = "read the index of transactions";
    let (era, height) = (era_of(connection, at)?, column(at.0)?);
    let mut select = connection
        .prepare_cached(
            "SELECT 1 FROM transaction_ids
             WHERE era = ?1 AND head = ?2 AND height = ?3 AND place = ?4",
        )
        .doing(doing)?;
    let mut missing = Vec::new();
    for (id, place) in places {
        let values = params![era, head(id), height, place];
        if !select.exists(values).doing(doing)? {
            missing.push(place);
        }
    }
    Ok(missing)
}

/// The era of a block: that of its first transaction.
fn era_of(connection: &Connection, at: Height) -> Result<i64, StoreError> {
    let before = connection
        .prepare_cached("SELECT transactions_total FROM headers WHERE height = ?1 - 1")
        .and_then(|mut select| {
            let at = i64::try_from(at.0).unwrap_or(i64::MAX);
            select.query_row([at], |row| number(row, 0)).optional()
        })
        .doing("read a header")?;
    column(before.unwrap_or(0) / ERA)
}
