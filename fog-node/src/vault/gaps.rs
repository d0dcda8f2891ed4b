//! Table `gaps`: the counters of each device's gap ledger, changed in the transaction that makes the
//! readings they count durable.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::VaultError;

pub(super) const SCHEMA: &str = "
CREATE TABLE gaps (
    device TEXT NOT NULL REFERENCES devices(id),
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (device, kind, reason)
) STRICT, WITHOUT ROWID;";

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Readings that are durable.
    Received,
    /// Readings that are in a batch whose transaction is durable.
    Anchored,
    /// Frames refused, by reason.
    RejectedFrames,
    /// Readings lost with refused frames, by reason.
    RejectedReadings,
    /// Readings that never came, by cause.
    Missing,
    /// Readings counted as missing that came after all.
    Recovered,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Received,
        Self::Anchored,
        Self::RejectedFrames,
        Self::RejectedReadings,
        Self::Missing,
        Self::Recovered,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Anchored => "anchored",
            Self::RejectedFrames => "rejected-frames",
            Self::RejectedReadings => "rejected-readings",
            Self::Missing => "missing",
            Self::Recovered => "recovered",
        }
    }
}

/// Adds `count` to a counter.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn add(
    connection: &Connection,
    device: &str,
    kind: Kind,
    reason: &str,
    count: u64,
) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT INTO gaps (device, kind, reason, count) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET count = count + excluded.count",
        )?
        .execute(params![device, kind.name(), reason, count as i64])?;
    Ok(())
}

/// A device's counters, by kind and reason.
///
/// # Errors
/// [`VaultError`].
pub fn of_device(
    connection: &Connection,
    device: &str,
) -> Result<BTreeMap<(Kind, String), u64>, VaultError> {
    let mut statement =
        connection.prepare_cached("SELECT kind, reason, count FROM gaps WHERE device = ?1")?;
    let mut counters = BTreeMap::new();
    let mut rows = statement.query([device])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or(VaultError::Row { table: "gaps" })?;
        counters.insert((kind, row.get(1)?), row.get::<_, i64>(2)? as u64);
    }
    Ok(counters)
}
