//! Table `losses`: batches of this node that the ledger has and its vault has not, since the vault is of before them, as
//! after a restore. Their numbers and the sequences of their readings are not used again.
//!
//! ```text
//! vault    0 ──── 41                              60 ────▶ batches
//! ledger   0 ──── 41 ═══════ lost: 42 to 59 ═════ 60
//! ```
//!
//! A row is there before the node signs anything at its new place. Which readings were lost, nobody knows; the ledger
//! tells how many.

use ledger_core::BatchNumber;
use ledger_core::state::AnchorHead;
use rusqlite::{Connection, params};

use super::{VaultError, digest_column};

pub(super) const SCHEMA: &str = "
CREATE TABLE losses (
    first_batch INTEGER PRIMARY KEY,
    next_batch INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    anchored INTEGER NOT NULL,
    accumulator BLOB NOT NULL,
    is_over INTEGER NOT NULL
) STRICT;";

/// Batches that were lost at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loss {
    /// The first batch that is not here.
    pub first_batch: u64,
    /// How many readings the lost ones held.
    pub readings: u64,
    /// What the ledger had of the node's anchors then; the next batch is the first one after the lost.
    pub head: AnchorHead,
}

impl Loss {
    /// Whether the batch of this number was lost.
    #[must_use]
    pub const fn holds(&self, batch: u64) -> bool {
        self.first_batch <= batch && batch < self.head.next_batch.0
    }

    /// How many batches.
    #[must_use]
    pub const fn batches(&self) -> u64 {
        self.head.next_batch.0.saturating_sub(self.first_batch)
    }
}

/// Notes a loss; it is not over before the streams go on behind it.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(connection: &Connection, loss: &Loss) -> Result<(), VaultError> {
    connection.execute(
        "INSERT INTO losses (first_batch, next_batch, readings, anchored, accumulator, is_over)
         VALUES (?1, ?2, ?3, ?4, ?5, 0)",
        params![
            loss.first_batch as i64,
            loss.head.next_batch.0 as i64,
            loss.readings as i64,
            loss.head.readings as i64,
            loss.head.accumulator.0
        ],
    )?;
    Ok(())
}

/// All losses, in order; none in a vault of an earlier version, which is read as it is.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn all(connection: &Connection) -> Result<Vec<Loss>, VaultError> {
    if !connection.table_exists(None, "losses")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(
        "SELECT first_batch, next_batch, readings, anchored, accumulator FROM losses ORDER BY first_batch",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Loss {
            first_batch: row.get::<_, i64>(0)? as u64,
            readings: row.get::<_, i64>(2)? as u64,
            head: AnchorHead {
                next_batch: BatchNumber(row.get::<_, i64>(1)? as u64),
                readings: row.get::<_, i64>(3)? as u64,
                accumulator: digest_column(row, 4)?,
            },
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many sequences the streams have to leave out: those of losses that are not over.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn to_leave_out(connection: &Connection) -> Result<u64, VaultError> {
    let readings: i64 = connection.query_row(
        "SELECT coalesce(sum(readings), 0) FROM losses WHERE is_over = 0",
        [],
        |row| row.get(0),
    )?;
    Ok(readings as u64)
}

/// The streams go on behind all losses.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn are_over(connection: &Connection) -> Result<(), VaultError> {
    connection.execute("UPDATE losses SET is_over = 1", [])?;
    Ok(())
}
