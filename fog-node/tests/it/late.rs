//! Goal: a node that comes late, or was away for long, gets a snapshot from its peers by itself and goes on
//! by blocks, in the same process; an archive node gets every block. Method: real nodes on loopback with a
//! low threshold.

use std::path::Path;

use ledger_core::Height;
use ledger_store::Replica;
use serde_json::{Value, json as value};

use crate::consortium::{Place, create, height, invite, view};
use crate::program::{Running, json, wait_for};

/// Lets a node make so many blocks quickly, then starts it as usual: about one block a second.
fn grow(place: &Place, blocks: u64) -> (Running, String) {
    let arguments = ["--demo=6", "--batch-age-ms=20", "--batch-readings=1"];
    let busy = Running::start(&place.data, &arguments.map(str::to_owned));
    let api = busy.address();
    let before = height(&api);
    wait_for("a longer chain", || {
        (height(&api) > before + blocks).then_some(())
    });
    assert!(busy.terminate().success());
    place.start()
}

/// The first height from which all transactions are here.
fn whole_from(data: &Path) -> u64 {
    let replica = Replica::open_read_only(data.join("replica.db")).unwrap();
    replica.read().unwrap().whole_from().unwrap().0
}

/// The highest block that is here.
fn tip(data: &Path) -> u64 {
    let replica = Replica::open_read_only(data.join("replica.db")).unwrap();
    replica.read().unwrap().tip().unwrap().height().0
}

fn follows(api: &str, other: &str) {
    wait_for("the node to be up to date", || {
        let view = view(api);
        let is_member = view["me"]["role"] == "observer";
        let is_near = height(other) <= view["height"].as_u64()? + 20;
        (is_member && is_near && view["catch_up"] == Value::Null).then_some(())
    });
}

#[test]
fn a_late_joiner_begins_with_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let [harbour, clinic, archive] = [41, 42, 43].map(|number| Place::new(folder.path(), number));
    create(&harbour);
    let (host, one) = grow(&harbour, 100);

    clinic.join(&invite(&one, &[]), "Clinic", "clinic-1");
    let late = Running::start(&clinic.data, &["--snapshot-behind=40".to_owned()]);
    let two = late.address();
    follows(&two, &one);
    let from = whole_from(&clinic.data);
    assert!(from > 40, "all blocks from {from} on are here");

    archive.join(
        &invite(&two, &["--same-organisation"]),
        "Clinic",
        "archive-1",
    );
    let all = Running::start(&archive.data, &["--archive".to_owned()]);
    let three = all.address();
    follows(&three, &one);
    assert!(whole_from(&archive.data) <= 1);

    // Away for long: its own blocks are here when it is back.
    assert!(all.terminate().success());
    let away = tip(&archive.data);
    assert!(host.terminate().success());
    let (host, one) = grow(&harbour, 60);
    let back = Running::start(&archive.data, &["--snapshot-behind=40".to_owned()]);
    let three = back.address();
    follows(&three, &one);
    assert!(whole_from(&archive.data) > away);
    let replica = Replica::open_read_only(archive.data.join("replica.db")).unwrap();
    for height in [1, away] {
        let block = replica.read().unwrap().block(Height(height)).unwrap();
        assert!(block.is_some(), "block {height} is here");
    }
    drop(replica);

    for node in [host, late, back] {
        assert!(node.terminate().success());
    }
    for place in [&harbour, &clinic, &archive] {
        let data = place.data.to_str().unwrap();
        let (code, report) = json(["fsck", "--data", data, "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}
