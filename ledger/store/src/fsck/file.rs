//! The file itself: SQLite's own check, references between tables, and the layout.

use rusqlite::Connection;

use super::{FsckReport, sentence};
use crate::connection::APPLICATION_ID;
use crate::table;

pub(super) fn check(connection: &Connection, report: &mut FsckReport) {
    let outcome = integrity(connection, report)
        .and_then(|()| references(connection, report))
        .and_then(|()| layout(connection, report));
    if let Err(error) = outcome {
        report.add("file", None, sentence(&error));
    }
}

fn integrity(connection: &Connection, report: &mut FsckReport) -> rusqlite::Result<()> {
    let mut check = connection.prepare("PRAGMA integrity_check(20)")?;
    for line in check.query_map([], |row| row.get::<_, String>(0))? {
        let line = line?;
        if line != "ok" {
            report.add(
                "file",
                None,
                format!("SQLite finds the file damaged: {line}."),
            );
        }
    }
    Ok(())
}

fn references(connection: &Connection, report: &mut FsckReport) -> rusqlite::Result<()> {
    let mut check = connection.prepare("PRAGMA foreign_key_check")?;
    for table in check.query_map([], |row| row.get::<_, String>(0))? {
        let sentence = format!("A row of {} belongs to a block that is missing.", table?);
        report.add("file", None, sentence);
    }
    Ok(())
}

fn layout(connection: &Connection, report: &mut FsckReport) -> rusqlite::Result<()> {
    let fresh = Connection::open_in_memory()?;
    for migration in table::MIGRATIONS.iter().copied().flatten() {
        fresh.execute_batch(migration)?;
    }
    if schema(connection)? != schema(&fresh)? {
        report.add(
            "file",
            None,
            "The tables are not laid out as this version lays them out.",
        );
    }
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mark: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if version != table::MIGRATIONS.len() as i64 || mark != APPLICATION_ID {
        report.add(
            "file",
            None,
            "The file's mark or layout version is not this version's.",
        );
    }
    Ok(())
}

fn schema(connection: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    connection
        .prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
