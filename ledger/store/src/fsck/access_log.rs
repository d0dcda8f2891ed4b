//! The access log: every entry in its place, each added to the one before, and the last of them the one that the state
//! knows. The state is held against the blocks elsewhere, and an accumulator has one predecessor; so nothing can be
//! missing, added or changed.

use ledger_core::access::LogHead;
use ledger_core::canonical;
use ledger_core::digest::Digest;
use ledger_core::state::{MAX_STATE_VALUE_BYTES, StateKey};
use rusqlite::Connection;

use super::{FsckReport, sentence};
use crate::error::{StoreError, damaged};
use crate::table::access_log::{self, AccessLogRow};
use crate::table::{meta, state};

/// Rows read at once.
const CHUNK: u32 = 1_024;

pub(super) fn check(connection: &Connection, report: &mut FsckReport) {
    if let Err(error) = walk(connection, report) {
        report.add("access_log", None, sentence(&error));
    }
}

fn walk(connection: &Connection, report: &mut FsckReport) -> Result<(), StoreError> {
    let head = match state::get(connection, &StateKey::access_log())? {
        None => LogHead::default(),
        Some(bytes) => canonical::decode(&bytes, MAX_STATE_VALUE_BYTES)
            .map_err(|error| damaged(format!("the head of the access log: {error}")))?,
    };
    let is_from_snapshot = meta::snapshot(connection)?.is_some();
    let mut reached = LogHead::default();
    if let Some(first) = access_log::from(connection, 0, 1)?.first() {
        if first.number > 0 && is_from_snapshot {
            reached = LogHead {
                count: first.number,
                accumulator: first.before,
            };
        }
    } else if is_from_snapshot {
        reached = head;
    }
    loop {
        let rows = access_log::from(connection, reached.count, CHUNK)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.number != reached.count || row.before != reached.accumulator {
                let text = format!(
                    "Entry {} of the access log is not what comes after {} others.",
                    row.number, reached.count
                );
                report.add("access_log", None, text);
            }
            match digest(&row) {
                Ok(digest) => {
                    let at = LogHead {
                        count: row.number,
                        accumulator: row.before,
                    };
                    reached = at.after(&digest).unwrap_or(at);
                }
                Err(error) => {
                    report.add("access_log", None, sentence(&error));
                    return Ok(());
                }
            }
        }
    }
    if reached != head {
        let text = format!(
            "The access log has {} entries, and they do not lead to the {} of the state.",
            reached.count, head.count
        );
        report.add("access_log", None, text);
    }
    Ok(())
}

/// The digest of a row's entry, whose columns must be those of the entry.
fn digest(row: &AccessLogRow) -> Result<Digest, StoreError> {
    let logged = row.decode()?;
    match AccessLogRow::of(&logged) == *row {
        true => Ok(logged.entry.digest()),
        false => Err(damaged(format!(
            "entry {} of the access log is not the one its row names",
            row.number
        ))),
    }
}
