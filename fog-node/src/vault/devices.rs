//! Table `devices`: the sensors paired with this node. Removed ones stay, their readings with them.

use std::collections::BTreeMap;

use fog_api::Place;
use ledger_core::Digest;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{VaultError, digest_column};

/// Since the vault's second version.
pub(super) const HANDOVERS: &str = "
ALTER TABLE devices ADD COLUMN handovers INTEGER NOT NULL DEFAULT 0;";

/// Since the vault's fourth version: where a device is used. Both or neither.
pub(super) const PLACES: &str = "
ALTER TABLE devices ADD COLUMN ward TEXT;
ALTER TABLE devices ADD COLUMN bed TEXT;";

pub(super) const SCHEMA: &str = "
CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    profile TEXT NOT NULL,
    path TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    sealed_key BLOB,
    handle BLOB NOT NULL UNIQUE,
    added INTEGER NOT NULL,
    removed INTEGER,
    durable_sequence INTEGER
) STRICT, WITHOUT ROWID;";

/// One device.
#[derive(Clone, Debug)]
pub struct DeviceRow {
    /// The node's own id of it.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Profile name; a simulated kind's name for a simulated device.
    pub profile: String,
    /// The port's path; the seed for a simulated device.
    pub path: String,
    /// Whether it is simulated.
    pub simulated: bool,
    /// Its pairing key, sealed under the master key, if its profile has one.
    pub sealed_key: Option<Vec<u8>>,
    /// Handle under which the ledger knows it.
    pub handle: Digest,
    /// When it was paired, in Unix milliseconds.
    pub added: i64,
    /// The highest of its own sequence numbers that is durable, for devices that number.
    pub durable_sequence: Option<i64>,
    /// How often it had been handed over when this node got its pairing.
    pub handovers: u32,
}

/// Adds a device.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn insert(connection: &Connection, device: &DeviceRow) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT INTO devices
                 (id, name, profile, path, simulated, sealed_key, handle, added, durable_sequence)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            device.id,
            device.name,
            device.profile,
            device.path,
            device.simulated,
            device.sealed_key,
            device.handle.0,
            device.added,
            device.durable_sequence
        ])?;
    Ok(())
}

/// Adds a device that another node has handed over; one that was here before goes on under its id, at no
/// place.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn take(connection: &Connection, device: &DeviceRow) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "INSERT INTO devices
                 (id, name, profile, path, simulated, sealed_key, handle, added, durable_sequence,
                  handovers)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, path = excluded.path,
                 sealed_key = excluded.sealed_key, added = excluded.added, removed = NULL,
                 handovers = excluded.handovers, ward = NULL, bed = NULL,
                 durable_sequence = max(ifnull(durable_sequence, -1), ifnull(excluded.durable_sequence, -1))",
        )?
        .execute(params![
            device.id,
            device.name,
            device.profile,
            device.path,
            device.simulated,
            device.sealed_key,
            device.handle.0,
            device.added,
            device.durable_sequence,
            device.handovers
        ])?;
    // A device that does not number its readings has no newest number.
    connection
        .prepare_cached(
            "UPDATE devices SET durable_sequence = NULL WHERE id = ?1 AND durable_sequence < 0",
        )?
        .execute([&device.id])?;
    Ok(())
}

/// The id of the device with this handle, removed or not.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn id_of(connection: &Connection, handle: &Digest) -> Result<Option<String>, VaultError> {
    Ok(connection
        .prepare_cached("SELECT id FROM devices WHERE handle = ?1")?
        .query_row([handle.0], |row| row.get(0))
        .optional()?)
}

/// Says where a device is used from now on, or that it is nowhere.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn set_place(
    connection: &Connection,
    id: &str,
    place: Option<&Place>,
) -> Result<(), VaultError> {
    let (ward, bed) = place.map(|place| (&place.ward, &place.bed)).unzip();
    connection
        .prepare_cached("UPDATE devices SET ward = ?2, bed = ?3 WHERE id = ?1")?
        .execute(params![id, ward, bed])?;
    Ok(())
}

/// Where a device is used.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn place_of(connection: &Connection, id: &str) -> Result<Option<Place>, VaultError> {
    let place = connection
        .prepare_cached("SELECT ward, bed FROM devices WHERE id = ?1")?
        .query_row([id], |row| {
            let (ward, bed): (Option<_>, Option<_>) = (row.get(0)?, row.get(1)?);
            Ok(ward.zip(bed).map(|(ward, bed)| Place { ward, bed }))
        })
        .optional()?;
    Ok(place.flatten())
}

/// Marks a device as removed and destroys its pairing key; it is nowhere then.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn remove(connection: &Connection, id: &str, now: i64) -> Result<(), VaultError> {
    connection
        .prepare_cached(
            "UPDATE devices SET removed = ?2, sealed_key = NULL, ward = NULL, bed = NULL
             WHERE id = ?1",
        )?
        .execute(params![id, now])?;
    Ok(())
}

/// Notes the highest durable sequence number a device gave itself.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn set_durable_sequence(
    connection: &Connection,
    id: &str,
    sequence: u64,
) -> Result<(), VaultError> {
    connection
        .prepare_cached("UPDATE devices SET durable_sequence = ?2 WHERE id = ?1")?
        .execute(params![id, i64::try_from(sequence).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// The devices that were not removed, in the order they were paired.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn active(connection: &Connection) -> Result<Vec<DeviceRow>, VaultError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, profile, path, simulated, sealed_key, handle, added, durable_sequence,
                handovers
         FROM devices WHERE removed IS NULL ORDER BY added, name, id",
    )?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether a device was ever paired, removed or not.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn was_paired(connection: &Connection, id: &str) -> Result<bool, VaultError> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM devices WHERE id = ?1)")?
        .query_row([id], |row| row.get(0))?)
}

/// Ids and handles of all devices, the removed ones among them.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn handles(connection: &Connection) -> Result<Vec<(String, Digest)>, VaultError> {
    let mut statement = connection.prepare_cached("SELECT id, handle FROM devices ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, digest_column(row, 1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is known of a device for good.
#[derive(Clone, Debug)]
pub struct KnownDevice {
    /// What it is or was called.
    pub name: String,
    /// Its profile's name.
    pub profile: String,
    /// Where it is or was.
    pub path: String,
    /// Whether it is simulated.
    pub simulated: bool,
}

/// All devices by their ids, the removed ones among them.
///
/// # Errors
/// [`VaultError::Sqlite`].
pub fn known(connection: &Connection) -> Result<BTreeMap<String, KnownDevice>, VaultError> {
    let mut statement =
        connection.prepare_cached("SELECT id, name, profile, path, simulated FROM devices")?;
    let rows = statement.query_map([], |row| {
        let known = KnownDevice {
            name: row.get(1)?,
            profile: row.get(2)?,
            path: row.get(3)?,
            simulated: row.get(4)?,
        };
        Ok((row.get(0)?, known))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<DeviceRow> {
    Ok(DeviceRow {
        id: row.get(0)?,
        name: row.get(1)?,
        profile: row.get(2)?,
        path: row.get(3)?,
        simulated: row.get(4)?,
        sealed_key: row.get(5)?,
        handle: digest_column(row, 6)?,
        added: row.get(7)?,
        durable_sequence: row.get(8)?,
        handovers: row.get(9)?,
    })
}
