//! Goal: the nodes of one organisation share their wireless devices among themselves: registered once, read by
//! one of them at a time, and nobody moves them by hand. Method: two real nodes, of which one has all the
//! simulated devices at first.

use std::collections::BTreeSet;

use serde_json::{Value, json as value};

use crate::consortium::{Place, create, invite};
use crate::program::{ask, json, wait_for};

fn handles(api: &str) -> BTreeSet<String> {
    let devices = ask(&["device", "list", "--api", api]);
    let served = devices.as_array().unwrap().iter();
    let served = served.filter(|device| device["standing"] == "in_service");
    let handle = |device: &Value| device["handle"].as_str().unwrap().to_owned();
    served.map(handle).collect()
}

#[test]
fn a_full_node_shares_its_devices_with_its_colleague() {
    let folder = tempfile::tempdir().unwrap();
    let [ward_a, ward_b] = [69, 70].map(|number| Place::new(folder.path(), number));
    create(&ward_a);
    let (first, one) = ward_a.start_with(&["--demo=12".into(), "--roam=20".into()]);
    let before = wait_for("the registrations", || {
        let handles = handles(&one);
        (handles.len() == 12).then_some(handles)
    });
    ward_b.join(
        &invite(&one, &["--same-organisation"]),
        "Harbour General",
        "ward-b",
    );
    let (second, two) = ward_b.start_with(&["--roam=20".into()]);

    // By the rule: each device costs 20/20 dB, and 8 dB are needed for a move.
    let shared = wait_for("the devices to be shared", || {
        let (here, there) = (handles(&one), handles(&two));
        (here.len() == 10 && there.len() == 2).then_some((here, there))
    });
    assert!(
        shared.0.is_disjoint(&shared.1),
        "read by one node at a time"
    );
    let all: BTreeSet<_> = shared.0.union(&shared.1).cloned().collect();
    assert_eq!(all, before, "registered once");
    let view = ask(&["device", "roaming", "--api", &two]);
    assert_eq!(view["is_on"], value!(true));
    assert_eq!(view["hosts"].as_array().unwrap().len(), 2, "{view}");
    wait_for("readings at the second node", || {
        let devices = ask(&["device", "list", "--api", &two]);
        let mut devices = devices.as_array()?.iter();
        let is_heard = |device: &Value| device["gap"]["received"].as_u64() > Some(0);
        devices.all(is_heard).then_some(())
    });
    // It stays as it is: nothing goes back and forth.
    std::thread::sleep(std::time::Duration::from_secs(7));
    assert_eq!((handles(&one), handles(&two)), shared);

    for (place, node) in [(ward_a, first), (ward_b, second)] {
        assert!(node.terminate().success());
        let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}
