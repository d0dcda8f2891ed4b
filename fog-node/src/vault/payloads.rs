//! Table `payloads`: the sealed readings of one stream in one batch.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::VaultError;

pub(super) const SCHEMA: &str = "
CREATE TABLE payloads (
    stream INTEGER NOT NULL REFERENCES streams(number),
    first_sequence INTEGER NOT NULL,
    count INTEGER NOT NULL,
    batch INTEGER NOT NULL REFERENCES batches(number),
    newest INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (stream, first_sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX payloads_by_batch ON payloads (batch);";

const COLUMNS: &str = "stream, first_sequence, count, batch, newest, sealed";

/// The readings of one stream in one batch.
#[derive(Clone, Debug)]
pub struct PayloadRow {
    /// Number of their stream.
    pub stream: i64,
    /// Sequence of the first.
    pub first_sequence: u64,
    /// How many.
    pub count: u32,
    /// Their batch.
    pub batch: u64,
    /// Host time of the newest, in Unix milliseconds.
    pub newest: i64,
    /// The sealed records.
    pub sealed: Vec<u8>,
}

/// Adds a row.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(connection: &Connection, row: &PayloadRow) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT INTO payloads (stream, first_sequence, count, batch, newest, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            row.stream,
            row.first_sequence as i64,
            row.count,
            row.batch as i64,
            row.newest,
            row.sealed
        ])?;
    Ok(())
}

/// The row that holds `sequence` of a stream, if it is in a batch.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn holding(
    connection: &Connection,
    stream: i64,
    sequence: u64,
) -> Result<Option<PayloadRow>, VaultError> {
    let found = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM payloads WHERE stream = ?1 AND first_sequence <= ?2
             ORDER BY first_sequence DESC LIMIT 1"
        ))?
        .query_row(params![stream, sequence as i64], from_row)
        .optional()?;
    Ok(found.filter(|row| sequence - row.first_sequence < u64::from(row.count)))
}

/// All rows of a batch.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn of_batch(connection: &Connection, batch: u64) -> Result<Vec<PayloadRow>, VaultError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM payloads WHERE batch = ?1"))?;
    let rows = statement.query_map([batch as i64], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A stream's rows below `below`, newest first, at most `limit`.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn newest(
    connection: &Connection,
    stream: i64,
    below: u64,
    limit: u32,
) -> Result<Vec<PayloadRow>, VaultError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM payloads WHERE stream = ?1 AND first_sequence < ?2
         ORDER BY first_sequence DESC LIMIT ?3"
    ))?;
    let below = i64::try_from(below).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![stream, below, limit], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A stream's rows that begin at these sequences, oldest first, at most `limit`.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn from(
    connection: &Connection,
    stream: i64,
    sequences: Range<u64>,
    limit: u32,
) -> Result<Vec<PayloadRow>, VaultError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM payloads
         WHERE stream = ?1 AND first_sequence >= ?2 AND first_sequence < ?3
         ORDER BY first_sequence LIMIT ?4"
    ))?;
    let bound = |sequence: u64| i64::try_from(sequence).unwrap_or(i64::MAX);
    let (start, end) = (bound(sequences.start), bound(sequences.end));
    let rows = statement.query_map(params![stream, start, end, limit], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Puts another seal in the place of a row's.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn seal_anew(
    connection: &Connection,
    stream: i64,
    first_sequence: u64,
    sealed: &[u8],
) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "UPDATE payloads SET sealed = ?3 WHERE stream = ?1 AND first_sequence = ?2",
        )?
        .execute(params![stream, first_sequence as i64, sealed])?;
    Ok(())
}

/// The first sequence and the count of each of a stream's rows that lies whole within these sequences, oldest first.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn within(
    connection: &Connection,
    stream: i64,
    sequences: &Range<u64>,
) -> Result<Vec<(u64, u32)>, VaultError> {
    let mut statement = connection.prepare_cached(
        "SELECT first_sequence, count FROM payloads
         WHERE stream = ?1 AND first_sequence BETWEEN ?2 AND ?3 AND first_sequence + count <= ?3
         ORDER BY first_sequence",
    )?;
    let bound = |sequence: u64| i64::try_from(sequence).unwrap_or(i64::MAX);
    let bounds = params![stream, bound(sequences.start), bound(sequences.end)];
    let rows = statement.query_map(bounds, |row| {
        Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The sequence after a stream's last reading in a batch; 0 if there is none.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn next_sequence(connection: &Connection, stream: i64) -> Result<u64, VaultError> {
    let found: Option<i64> = connection
        .prepare_cached(
            "SELECT first_sequence + count FROM payloads WHERE stream = ?1
             ORDER BY first_sequence DESC LIMIT 1",
        )?
        .query_row([stream], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0) as u64)
}

/// How many of a stream's readings are in this batch or in later ones. Looks at a few rows, however many there
/// are: a stream's batches follow each other.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn count_from(connection: &Connection, stream: i64, batch: u64) -> Result<u64, VaultError> {
    let next = next_sequence(connection, stream)?;
    let first = first_in(connection, "batch", stream, next, batch as i64)?;
    Ok(next - first - left_out(connection, stream, first..next)?)
}

/// How many sequences within these were left out (`super::losses`). A stream goes on behind them with new keys.
fn left_out(connection: &Connection, stream: i64, within: Range<u64>) -> Result<u64, VaultError> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(sum(epochs.first_sequence - (
             SELECT first_sequence + count FROM payloads
             WHERE stream = ?1 AND first_sequence < epochs.first_sequence
             ORDER BY first_sequence DESC LIMIT 1)), 0)
         FROM epochs WHERE stream = ?1 AND first_sequence > ?2 AND first_sequence < ?3",
    )?;
    let bounds = params![stream, within.start as i64, within.end as i64];
    let left_out: i64 = statement.query_row(bounds, |row| row.get(0))?;
    Ok(left_out as u64)
}

/// The first reading of a stream's first row in which one was received at `time` or later; none if there is no such
/// row. Looks at a few rows: a stream's readings follow each other, unless this host's clock was set back.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn first_received_from(
    connection: &Connection,
    stream: i64,
    time: i64,
) -> Result<Option<u64>, VaultError> {
    let next = next_sequence(connection, stream)?;
    let first = first_in(connection, "newest", stream, next, time)?;
    Ok((first < next).then_some(first))
}

/// The first of a stream's `next` readings whose row has `at` or more in this column.
fn first_in(
    connection: &Connection,
    column: &'static str,
    stream: i64,
    next: u64,
    at: i64,
) -> Result<u64, VaultError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT first_sequence, count, {column} FROM payloads WHERE stream = ?1 AND first_sequence <= ?2
         ORDER BY first_sequence DESC LIMIT 1",
    ))?;
    let run = |row: &Row<'_>| {
        Ok(Run {
            first: row.get::<_, i64>(0)? as u64,
            count: row.get::<_, i64>(1)? as u64,
            at: row.get(2)?,
        })
    };
    first_from(next, at, |sequence| {
        let found = statement.query_row(params![stream, sequence as i64], run);
        Ok::<_, VaultError>(found.optional()?)
    })
}

/// The readings of one stream in one batch, by their numbers, and what they are looked up by: it never falls from
/// one run to the next.
#[derive(Clone, Copy)]
struct Run {
    first: u64,
    count: u64,
    at: i64,
}

/// The first of a stream's `next` readings that is in a run at `at` or later, by halving; `look` gives the run
/// that holds a reading, or the last one before it.
fn first_from<E>(
    next: u64,
    at: i64,
    mut look: impl FnMut(u64) -> Result<Option<Run>, E>,
) -> Result<u64, E> {
    // Those below `low` are in earlier runs, those from `high` on are not.
    let (mut low, mut high) = (0, next);
    while low < high {
        let middle = low + (high - low) / 2;
        match look(middle)? {
            Some(run) if run.at >= at => high = run.first.clamp(low, middle),
            Some(run) => low = (run.first + run.count).clamp(middle + 1, high),
            None => low = middle + 1,
        }
    }
    Ok(high)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<PayloadRow> {
    Ok(PayloadRow {
        stream: row.get(0)?,
        first_sequence: row.get::<_, i64>(1)? as u64,
        count: row.get(2)?,
        batch: row.get::<_, i64>(3)? as u64,
        newest: row.get(4)?,
        sealed: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    //! Goal: what waits of a stream is counted, and in days as fast as in a minute. Method: a count of all runs as
    //! the oracle, for any runs and batches; and how often it looks, where there are a million.

    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Looks as the table does.
    fn find(runs: &[Run], batch: i64) -> (u64, u32) {
        let next = runs.last().map_or(0, |run| run.first + run.count);
        let mut looks = 0;
        let first = first_from(next, batch, |sequence| {
            looks += 1;
            let after = runs.partition_point(|run| run.first <= sequence);
            let at = after.checked_sub(1);
            Ok::<_, Infallible>(at.and_then(|at| runs.get(at)).copied())
        });
        (next - first.unwrap(), looks)
    }

    proptest! {
        #[test]
        fn a_count_from_a_batch_on_is_that_of_all_runs(
            parts in proptest::collection::vec((1u64..50, 1i64..4), 0..60), batch in 0i64..200,
        ) {
            let (mut first, mut at) = (0, 0);
            let mut runs = Vec::new();
            for (count, batches) in parts {
                at += batches;
                runs.push(Run { first, count, at });
                first += count;
            }
            let counted: u64 = runs.iter().filter(|run| run.at >= batch).map(|run| run.count).sum();
            prop_assert_eq!(find(&runs, batch).0, counted);
        }
    }

    #[test]
    fn a_million_batches_are_not_all_looked_at() {
        let run = |at: i64| Run {
            first: at as u64 * 40,
            count: 40,
            at,
        };
        let runs: Vec<_> = (0..1_000_000).map(run).collect();
        for batch in [0, 1, 777_777, 999_999, 1_000_000] {
            let (count, looks) = find(&runs, batch);
            assert_eq!(count, (1_000_000 - batch as u64) * 40);
            assert!(looks <= 27, "{looks} looks for {batch}");
        }
    }
}
