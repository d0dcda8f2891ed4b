//! `fsck`: does this file hold one whole, unaltered chain?
//!
//! Trusts nothing stored: upon each block, in order, check its row, its transactions, execute it over a
//! state of our own, compare roots, verify its certificate; at the tip, compare our state and tree with
//! the stored ones, row by row. Reads only.
//!
//! Of a replica whose old transactions are pruned, or that started from a snapshot, the blocks cannot be
//! executed again. All else is checked, and the state against the root that the tip's certificate names.
//! What cannot be told then: which height wrote a state entry last.
//!
//! What it cannot tell: whether this chain is the one others follow. Compare the chain id and the tip.

mod access_log;
mod chain;
mod file;
mod state;
mod whole_state;

use std::path::Path;

use ledger_core::ids::Height;
use rusqlite::Connection;
use serde::Serialize;

use self::chain::Led;
use crate::connection;
use crate::error::StoreError;
use crate::table;

/// After so many problems, no more are listed.
pub const MAX_PROBLEMS: usize = 200;

/// What `fsck` found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct FsckReport {
    /// The chain's id in hex, if the file holds a chain.
    pub chain_id: Option<String>,
    /// Height of the last block.
    pub height: Option<u64>,
    /// Hash of the last block in hex.
    pub tip: Option<String>,
    /// Blocks read.
    pub blocks: u64,
    /// Blocks among them without some of their transactions, or all.
    pub pruned_blocks: u64,
    /// Transactions of all blocks, the pruned ones included.
    pub transactions: u64,
    /// Readings anchored by them.
    pub readings: u64,
    /// What is wrong, at most [`MAX_PROBLEMS`]. Empty if nothing is.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// The table it is in.
    pub table: &'static str,
    /// The height it belongs to, where it belongs to one.
    pub height: Option<u64>,
    /// What is wrong, as a sentence.
    pub sentence: String,
}

impl FsckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, table: &'static str, height: Option<Height>, sentence: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                table,
                height: height.map(|height| height.0),
                sentence: sentence.into(),
            });
        }
    }
}

/// Checks the replica at `path` against itself, from the genesis to the tip. Nobody may write to it
/// meanwhile; nothing is written by this.
///
/// # Errors
/// [`StoreError`] only if the file cannot be opened as a replica; all else is in the report.
pub fn fsck(path: impl AsRef<Path>) -> Result<FsckReport, StoreError> {
    fsck_each(path, &mut |_, _| {})
}

/// As [`fsck()`], and shows `visit` the height and the stored bytes of every transaction, in order.
///
/// # Errors
/// As [`fsck()`].
pub fn fsck_each(
    path: impl AsRef<Path>,
    visit: &mut dyn FnMut(Height, &[u8]),
) -> Result<FsckReport, StoreError> {
    let connection = connection::open_reader(path.as_ref())?;
    let mut report = FsckReport::default();
    if connection::is_earlier(&connection)? {
        let sentence = "The file has the layout of an earlier version. Start the node once, which brings \
                        it up to date, and check again.";
        report.add("file", None, sentence);
        return Ok(report);
    }
    file::check(&connection, &mut report);
    match table::meta::genesis(&connection) {
        Ok(Some((chain, genesis))) => {
            report.chain_id = Some(chain.to_string());
            match chain::check(&connection, &genesis, &mut report, visit) {
                Led::Here(state) => state::check(&connection, state, &mut report),
                Led::Tip(header) => whole_state::check(&connection, &header, &mut report),
                Led::Nowhere => {}
            }
            access_log::check(&connection, &mut report);
        }
        Ok(None) => nothing_stored(&connection, &mut report),
        Err(error) => report.add("meta", None, sentence(&error)),
    }
    undecided(&connection, &mut report);
    Ok(report)
}

/// Without a genesis there must be nothing else.
fn nothing_stored(connection: &Connection, report: &mut FsckReport) {
    for table in table::NAMES {
        match count(connection, table) {
            Ok(0) => {}
            Ok(rows) => report.add(
                table,
                None,
                format!("The replica names no genesis, but {table} has {rows} rows."),
            ),
            Err(error) => report.add(table, None, sentence(&error)),
        }
    }
}

fn undecided(connection: &Connection, report: &mut FsckReport) {
    let rows = match table::undecided::all(connection) {
        Ok(rows) => rows,
        Err(error) => return report.add("undecided", None, sentence(&error)),
    };
    for row in rows {
        match row {
            Ok(row) if report.height.is_some_and(|tip| row.height.0 <= tip) => report.add(
                "undecided",
                Some(row.height),
                format!(
                    "A proposal of height {} is kept, though it is decided.",
                    row.height
                ),
            ),
            Ok(_) => {}
            Err(error) => report.add("undecided", None, sentence(&error)),
        }
    }
}

fn count(connection: &Connection, table: &'static str) -> Result<u64, StoreError> {
    use crate::error::Doing as _;
    connection
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            table::number(row, 0)
        })
        .doing("count rows")
}

/// An error as a sentence.
fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
