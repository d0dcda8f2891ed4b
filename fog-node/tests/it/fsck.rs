//! Goal: whatever is altered in a stopped node's folder, `fsck` says so and where. Method: the folder of a
//! node that was killed with readings waiting; one alteration at a time on a copy of it.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use fog_node::fsck;
use rusqlite::Connection;

use crate::program::{Running, json, wait_for};

/// A folder with final batches and, since the node was killed, with a journal.
fn make_folder(data: &Path) {
    let node = Running::start(data, &["--demo=2".into(), "--batch-age-ms=200".into()]);
    let address = node.address();
    wait_for("several final batches", || {
        let (_, status) = json(["status", "--api", &address, "--json"]);
        (status["gap"]["final"].as_u64().unwrap() > 30).then_some(())
    });
    assert!(node.terminate().success());
    let node = Running::start(data, &["--batch-age-ms=3600000".into()]);
    node.ready();
    sleep(Duration::from_millis(1_500));
    node.kill();
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn every_alteration_is_found_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    make_folder(&whole);
    let report = fsck::check(&whole).unwrap();
    assert!(report.clean, "{report:?}");
    assert!(
        report.vault.final_batches > 2 && report.vault.waiting_readings > 0,
        "{report:?}"
    );

    let cases: [(&str, &str, &str); 19] = [
        (
            "vault.db",
            "UPDATE payloads SET sealed = zeroblob(length(sealed)) WHERE batch = 1",
            "payloads",
        ),
        (
            "vault.db",
            "UPDATE payloads SET newest = newest + 1 WHERE batch = 1",
            "payloads",
        ),
        (
            "vault.db",
            "DELETE FROM payloads WHERE batch = 1 AND stream = (SELECT min(stream) FROM payloads WHERE batch = 1)",
            "payloads",
        ),
        (
            "vault.db",
            "UPDATE payloads SET batch = 2 WHERE batch = 1",
            "payloads",
        ),
        (
            "vault.db",
            "UPDATE batches SET root = zeroblob(32) WHERE number = 1",
            "batches",
        ),
        (
            "vault.db",
            "UPDATE batches SET tx = zeroblob(32) WHERE number = 1",
            "batches",
        ),
        (
            "vault.db",
            "UPDATE batches SET readings = readings + 1 WHERE number = 1",
            "batches",
        ),
        (
            "vault.db",
            "INSERT INTO batches SELECT number + 1, zeroblob(32), root, readings, created FROM batches ORDER BY number DESC LIMIT 1",
            "batches",
        ),
        (
            "vault.db",
            "DELETE FROM journal WHERE stream = (SELECT min(stream) FROM journal)",
            "gaps",
        ),
        (
            "vault.db",
            "UPDATE journal SET first_sequence = first_sequence + 1000000 WHERE stream = (SELECT min(stream) FROM journal)",
            "journal",
        ),
        (
            "vault.db",
            "UPDATE journal SET sealed = zeroblob(length(sealed))",
            "journal",
        ),
        (
            "vault.db",
            "UPDATE gaps SET count = count + 1 WHERE kind = 'received'",
            "gaps",
        ),
        (
            "vault.db",
            "UPDATE gaps SET count = count - 1 WHERE kind = 'anchored'",
            "gaps",
        ),
        (
            "vault.db",
            "UPDATE epochs SET sealed_keys = zeroblob(length(sealed_keys)) WHERE stream = 1",
            "streams",
        ),
        (
            "vault.db",
            "UPDATE sender SET next_nonce = next_nonce + 1",
            "outbox",
        ),
        (
            "vault.db",
            "UPDATE sender SET next_nonce = next_nonce - 1",
            "outbox",
        ),
        (
            "vault.db",
            "UPDATE devices SET handle = randomblob(32)",
            "devices",
        ),
        (
            "vault.db",
            "INSERT INTO clocks SELECT id, 1, 5, 0, 4 FROM devices",
            "clocks",
        ),
        (
            "replica.db",
            "DELETE FROM transactions WHERE height = 2",
            "headers",
        ),
    ];
    for (number, (file, alteration, table)) in cases.into_iter().enumerate() {
        let altered = folder.path().join(number.to_string());
        copy(&whole, &altered);
        let connection = Connection::open(altered.join(file)).unwrap();
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        assert!(
            connection.execute(alteration, []).unwrap() > 0,
            "{alteration}"
        );
        drop(connection);
        let report = fsck::check(&altered).unwrap();
        let vault = report.problems.iter().map(|problem| problem.table);
        let replica = report.replica.problems.iter().map(|problem| problem.table);
        assert!(!report.clean, "{alteration}");
        assert!(
            vault.chain(replica).any(|found| found == table),
            "{alteration}: {report:?}"
        );
    }
}

#[test]
fn a_folder_without_keys_cannot_be_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &[]);
    node.ready();
    assert!(node.terminate().success());
    std::fs::remove_file(data.join("keys/vault.key")).unwrap();
    let error = fsck::check(&data).unwrap_err().to_string();
    assert!(error.contains("vault.key"), "{error}");
    assert!(!data.join("keys/vault.key").exists(), "fsck makes nothing");
    assert!(fsck::check(folder.path()).is_err(), "no node's folder");
}
