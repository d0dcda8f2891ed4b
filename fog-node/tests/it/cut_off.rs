//! Goal: a node that is cut off from its consortium goes on sealing, for as long as it lasts and through its own
//! restarts, and what it sealed becomes final in order once the others are back. Method: an observer whose only
//! validator is gone; a sensor that sends more than fits between the writer and consensus, so many batches that
//! those in memory are a small part of them.

use serde_json::{Value, json as value};

use crate::consortium::{Place, create, invite};
use crate::handover::{KEY, Numbered, received, values};
use crate::program::{ask, json, wait_for};
use crate::pty::Line;

/// Readings sent while the node is cut off: some hundred batches of four.
const CUT_OFF: usize = 1_200;

#[test]
fn what_is_sealed_while_cut_off_becomes_final_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let [harbour, clinic] = [65, 66].map(|number| Place::new(folder.path(), number));
    create(&harbour);
    let (host, one) = harbour.start();
    clinic.join(&invite(&one, &[]), "Clinic", "clinic-1");
    let (mut line, mut sensor) = (Line::new(), Numbered::new());
    let key = folder.path().join("key");
    std::fs::write(&key, hex::encode(KEY)).unwrap();
    let arguments = [
        "--batch-readings=4".to_owned(),
        format!("--serial={}=fogward-level0", line.path),
        format!("--serial-key={}={}", line.path, key.display()),
    ];
    let (node, api) = clinic.start_with(&arguments);
    let paired = wait_for("the registration", || {
        let devices = ask(&["device", "list", "--api", &api]);
        let first = devices[0].clone();
        first["registered_height"].is_u64().then_some(first)
    });
    let id = paired["id"].as_str().unwrap();
    sensor.send(&mut line, 10);
    received(&api, id, 10);

    // The only validator is gone: nothing becomes final, everything becomes durable.
    host.kill();
    sensor.send(&mut line, CUT_OFF);
    let sealed = received(&api, id, 10 + CUT_OFF as u64);
    let waiting = |device: &Value| {
        let gap = &device["gap"];
        gap["anchored"].as_u64().unwrap() - gap["final"].as_u64().unwrap()
    };
    assert!(waiting(&sealed) > CUT_OFF as u64 / 2, "{sealed}");
    node.kill();
    let (node, api) = clinic.start_with(&arguments);
    let restarted = ask(&["device", "show", id, "--api", &api]);
    assert!(waiting(&restarted) > CUT_OFF as u64 / 2, "{restarted}");
    sensor.send(&mut line, 10);
    let all = 20 + CUT_OFF as u64;
    received(&api, id, all);

    let (host, _) = harbour.start();
    wait_for("all readings to be final", || {
        let device = ask(&["device", "show", id, "--api", &api]);
        (device["gap"]["final"] == all).then_some(())
    });
    assert_eq!(values(&api, id), (0..all as i64).collect());
    for (place, node) in [(harbour, host), (clinic, node)] {
        assert!(node.terminate().success());
        let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}

/// Goal: days of a ward become as many batches as their real pace makes, survive two kills, and drain in order.
/// Method: some hours of ten devices by the bench, which checks the order, both folders and that nothing counts
/// twice itself; its figures against what the hours must make. How fast it was says nothing in a debug build.
#[test]
fn hours_of_a_ward_drain_in_order() {
    let arguments = "bench cut-off --json --allow-debug --runs 1 --days 2";
    let (code, value) = json(arguments.split(' '));
    assert_eq!(code, 0, "{value}");
    let figure = |name: &str| value["figures"][name].as_f64().unwrap_or(f64::NAN);
    let (devices, readings) = (10, 2 * 3_600 * 10_u64);
    assert_eq!(figure("readings"), readings as f64, "{value}");
    // One batch was final before; 33 are a second old, the others full but the last.
    let full = (readings - devices - 33 * devices).div_ceil(4_096);
    assert_eq!(figure("outbox_rows"), (33 + full) as f64, "{value}");
    for measured in [
        "vault_bytes",
        "restart_ms_full",
        "drain_ms",
        "peak_rss_bytes_draining",
    ] {
        assert!(figure(measured) > 0.0, "{measured}: {value}");
    }
}
