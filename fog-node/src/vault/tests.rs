//! Goal: the vault's file is what this version says it is, and foreign files are left alone. Method: a
//! schema dump held against golden text, and files of other kinds.

use std::collections::BTreeMap;

use super::*;

#[test]
fn the_schema_is_fixed_and_made_in_one_piece() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(VAULT_FILE);
    let connection = open(&path).unwrap();
    let mut statement = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    let dump: Vec<_> = rows.map(Result::unwrap).collect();
    assert_eq!(dump.join(";\n\n") + ";\n", include_str!("schema.sql"));
    drop(statement);
    drop(connection);
    open(&path).expect("a vault opens again as it is");
}

/// A vault as the first version made it gets what is missing, in one piece, and keeps what it holds.
#[test]
fn an_earlier_vault_gets_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(VAULT_FILE);
    let connection = Connection::open(&path).unwrap();
    for schema in SCHEMAS[0] {
        connection.execute_batch(schema).unwrap();
    }
    gaps_of_one_device(&connection);
    let stream = "INSERT INTO streams (id, device, code, unit, sealed_keys) VALUES (zeroblob(16), 'd', 'c', 'u', ?1)";
    connection.execute(stream, [vec![7_u8; 104]]).unwrap();
    let made = "PRAGMA user_version = 1";
    connection.execute_batch(made).unwrap();
    connection
        .pragma_update(None, "application_id", APPLICATION_ID)
        .unwrap();
    assert!(provisionings::all(&connection).unwrap().is_empty());
    assert!(clocks::of_device(&connection, "d").unwrap().is_empty());
    assert!(people::all(&connection).unwrap().is_empty());
    assert!(patients::all(&connection).unwrap().is_empty());
    assert!(erasures::all(&connection).unwrap().is_empty());
    let keys = || {
        streams::list(&connection, None)
            .unwrap()
            .remove(0)
            .sealed_keys
    };
    let expected = BTreeMap::from([(0, vec![7; 104])]);
    assert_eq!(keys(), expected, "as it is");
    drop(connection);
    let connection = open(&path).expect("an earlier vault opens");
    let counted: i64 = connection
        .query_row("SELECT sum(count) FROM gaps", [], |row| row.get(0))
        .unwrap();
    assert_eq!(counted, 7);
    let keys = streams::list(&connection, None)
        .unwrap()
        .remove(0)
        .sealed_keys;
    assert_eq!(keys, expected, "from its first reading on");
    assert!(empty_log(&connection).unwrap());
    let file = std::fs::read(&path).unwrap();
    let copies = file.windows(104).filter(|part| *part == [7; 104]);
    assert_eq!(copies.count(), 1, "and nowhere else");
    for added in [
        "assignments",
        "provisionings",
        "clocks",
        "commissionings",
        "people",
        "reasons",
        "patients",
        "erasures",
        "promises",
    ] {
        let rows: i64 = connection
            .query_row(&format!("SELECT count(*) FROM {added}"), [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(rows, 0, "{added}");
    }
    drop(connection);
    open(&path).expect("and again");
}

/// Goal: a device is at one bed or at none, and neither a removal nor a hand-over leaves it at a bed of before.
/// Method: one row, placed, removed and taken back.
#[test]
fn a_place_does_not_outlive_a_devices_stay() {
    let dir = tempfile::tempdir().unwrap();
    let connection = open(&dir.path().join(VAULT_FILE)).unwrap();
    gaps_of_one_device(&connection);
    let place = |ward: &str, bed: &str| fog_api::Place {
        ward: ward.into(),
        bed: bed.into(),
    };
    let placed = || devices::place_of(&connection, "d").unwrap();
    let put = |place: Option<&_>| devices::set_place(&connection, "d", place).unwrap();
    assert_eq!(placed(), None);
    put(Some(&place("3A", "09")));
    assert_eq!(placed(), Some(place("3A", "09")));
    put(None);
    assert_eq!(placed(), None);
    put(Some(&place("3A", "10")));
    devices::remove(&connection, "d", 1).unwrap();
    assert_eq!(placed(), None, "removed");
    put(Some(&place("3A", "11")));
    let back = devices::DeviceRow {
        id: "d".into(),
        name: "Test".into(),
        profile: "nonin-ascii".into(),
        path: "/dev/null".into(),
        simulated: false,
        sealed_key: None,
        handle: ledger_core::Digest([7; 32]),
        added: 2,
        durable_sequence: None,
        handovers: 2,
    };
    devices::take(&connection, &back).unwrap();
    assert_eq!(placed(), None, "taken back");
    assert_eq!(devices::place_of(&connection, "other").unwrap(), None);
}

fn gaps_of_one_device(connection: &Connection) {
    connection
        .execute_batch(
            "INSERT INTO devices (id, name, profile, path, simulated, handle, added)
             VALUES ('d', 'Test', 'nonin-ascii', '/dev/null', 0, x'07', 0);
             INSERT INTO gaps VALUES ('d', 'received', '', 7);",
        )
        .unwrap();
}

#[test]
fn foreign_and_newer_files_are_refused_and_left_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    for (name, pragma) in [
        ("newer", "user_version = 99"),
        ("other", "application_id = 7"),
    ] {
        let path = dir.path().join(name);
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(&format!("CREATE TABLE theirs (a); PRAGMA {pragma};"))
            .unwrap();
        drop(connection);
        assert!(
            matches!(open(&path), Err(VaultError::Foreign { .. })),
            "{name}"
        );
        let connection = Connection::open(&path).unwrap();
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 1, "{name}");
    }
    let path = dir.path().join("no database");
    std::fs::write(&path, [7; 4096]).unwrap();
    assert!(open(&path).is_err());
}
