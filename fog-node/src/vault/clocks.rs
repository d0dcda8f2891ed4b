//! Table `clocks`: how far a device's clock and this host's were apart, one row for each setting of it.
//!
//! ```text
//! host_time ─────────────────── until        host_time, device_time: both clocks at one moment, the first at
//!     the same setting, seen again               which this setting was seen; until: the last one
//! ```
//!
//! A coincident time within a second of the newest row's distance is the same setting and moves its `until`;
//! any other is a new row. The distance of a row never moves, so that a drifting clock gets a new row for each
//! second it drifts, and no row follows it. Rows are numbered in the order they came, which is that of time unless
//! this host's own clock was set back. A device has at most [`MAX_SETTINGS`]; the oldest go first. No reading is
//! placed here: that is `crate::time_taken`.

use device_drivers::event::CoincidentTime;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::VaultError;

pub(super) const SCHEMA: &str = "
CREATE TABLE clocks (
    device TEXT NOT NULL REFERENCES devices(id),
    number INTEGER NOT NULL,
    host_time INTEGER NOT NULL,
    device_time INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (device, number)
) STRICT, WITHOUT ROWID;";

/// Rows of a device: a clock that drifts two seconds a day fills them in thirteen years.
pub const MAX_SETTINGS: u32 = 10_000;
/// Distances that differ by no more are the same: device clocks show whole seconds.
const SAME_MILLIS: u64 = 1_000;

/// A setting of a device's clock, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Setting {
    /// By this host's clock, when it was first seen.
    pub host_time: i64,
    /// By the device's clock, at that moment.
    pub device_time: i64,
    /// By this host's clock, when it was last seen.
    pub until: i64,
}

impl Setting {
    /// How far this host's clock was ahead of the device's.
    #[must_use]
    pub const fn distance(&self) -> i64 {
        self.host_time.saturating_sub(self.device_time)
    }
}

/// Notes what both clocks showed.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn note(
    connection: &Connection,
    device: &str,
    seen: &CoincidentTime,
) -> Result<(), VaultError> {
    let new = Setting {
        host_time: seen.host_time_millis,
        device_time: seen.device_time_millis,
        until: seen.host_time_millis,
    };
    let newest = newest(connection, device)?;
    match newest.filter(|newest| newest.distance().abs_diff(new.distance()) <= SAME_MILLIS) {
        None => insert(connection, device, &new),
        Some(_) => {
            connection
                .prepare_cached(
                    "UPDATE clocks SET until = max(until, ?2) WHERE device = ?1
                     AND number = (SELECT max(number) FROM clocks WHERE device = ?1)",
                )?
                .execute(params![device, new.until])?;
            Ok(())
        }
    }
}

/// Adds a setting, as it was seen here or at another node.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(connection: &Connection, device: &str, new: &Setting) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT INTO clocks SELECT ?1, ifnull(max(number), 0) + 1, ?2, ?3, ?4
             FROM clocks WHERE device = ?1",
        )?
        .execute(params![
            device,
            new.host_time,
            new.device_time,
            new.until.max(new.host_time)
        ])?;
    connection
        .prepare_cached(
            "DELETE FROM clocks WHERE device = ?1
             AND number <= (SELECT max(number) FROM clocks WHERE device = ?1) - ?2",
        )?
        .execute(params![device, MAX_SETTINGS])?;
    Ok(())
}

/// The newest setting of a device's clock.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn newest(connection: &Connection, device: &str) -> Result<Option<Setting>, VaultError> {
    Ok(connection
        .prepare_cached(
            "SELECT host_time, device_time, until FROM clocks WHERE device = ?1
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row([device], from_row)
        .optional()?)
}

/// The settings of a device's clock, in the order they came; none in a vault of an earlier version,
/// which is read as it is.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn of_device(connection: &Connection, device: &str) -> Result<Vec<Setting>, VaultError> {
    if !connection.table_exists(None, "clocks")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(
        "SELECT host_time, device_time, until FROM clocks WHERE device = ?1 ORDER BY number",
    )?;
    let rows = statement.query_map([device], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Setting> {
    Ok(Setting {
        host_time: row.get(0)?,
        device_time: row.get(1)?,
        until: row.get(2)?,
    })
}

#[cfg(test)]
mod tests {
    //! Goal: a setting is one row however often it is seen, drift is followed in steps, and no device fills
    //! the vault. Method: a vault on disk, read back.

    use super::*;
    use crate::vault::{VAULT_FILE, open};

    fn vault() -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let connection = open(&dir.path().join(VAULT_FILE)).unwrap();
        connection
            .execute_batch(
                "INSERT INTO devices (id, name, profile, path, simulated, handle, added)
                 VALUES ('d', 'Meter', 'bluetooth', 'ble:', 0, x'07', 0);",
            )
            .unwrap();
        (dir, connection)
    }

    fn seen(host_time_millis: i64, device_time_millis: i64) -> CoincidentTime {
        CoincidentTime {
            device_time_millis,
            host_time_millis,
        }
    }

    #[test]
    fn a_setting_is_one_row_and_drift_a_row_a_second() {
        let (_dir, connection) = vault();
        for (host, device) in [
            (10_000, 4_000),
            (20_000, 14_900),
            (30_000, 23_000),
            // Two seconds of drift in steps below one: the first row's distance is what they are held against.
            (40_000, 33_300),
            (50_000, 42_600),
            (60_000, 3_000),
        ] {
            note(&connection, "d", &seen(host, device)).unwrap();
        }
        let rows: Vec<(i64, i64, i64)> = of_device(&connection, "d")
            .unwrap()
            .iter()
            .map(|row| (row.host_time, row.distance(), row.until))
            .collect();
        let expected = [
            (10_000, 6_000, 40_000),
            (50_000, 7_400, 50_000),
            (60_000, 57_000, 60_000),
        ];
        assert_eq!(rows, expected);
        assert_eq!(newest(&connection, "d").unwrap().unwrap().until, 60_000);
        assert!(of_device(&connection, "e").unwrap().is_empty());
    }

    #[test]
    fn a_device_that_plays_with_its_clock_fills_nothing() {
        let (_dir, connection) = vault();
        connection.execute_batch("BEGIN").unwrap();
        let last = i64::from(MAX_SETTINGS) + 50;
        for host in 1..=last {
            let device = if host % 2 == 0 { 0 } else { i64::MAX };
            note(&connection, "d", &seen(host, device)).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        let rows = of_device(&connection, "d").unwrap();
        assert_eq!(rows.len(), MAX_SETTINGS as usize);
        assert_eq!(rows.last().unwrap().host_time, last);
        assert_eq!(rows[0].host_time, 51);
    }
}
