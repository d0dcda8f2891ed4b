//! Goal: commands, JSON keys and exit codes are the contract that other programs rely on. Method: the
//! built program against its own node, with a simulated ward.

use std::path::Path;

use serde_json::Value;

use crate::program::{Running, fogward, json, text, wait_for};

/// Keys that an object must have.
fn assert_keys(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value.get(key).is_some(), "no {key} in {value}");
    }
}

fn first_final_reading(address: &str) -> Value {
    let (_, devices) = json(["devices", "--api", address, "--json"]);
    let id = devices[0]["id"].as_str().unwrap().to_owned();
    wait_for("a final reading", || {
        let (_, readings) = json(["readings", "--api", address, "--device", &id, "--json"]);
        readings
            .as_array()
            .unwrap()
            .iter()
            .find(|reading| reading["final"] == true)
            .cloned()
    })
}

#[test]
fn the_journey_of_a_reading_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &["--demo=2".into(), "--name=Ward 7".into()]);
    let ready = node.ready();
    assert_keys(&ready, &["api", "chain_id", "node_id"]);
    let address = ready["api"].as_str().unwrap();
    assert!(
        address.starts_with("http://127.0.0.1:") && address.contains("/?token="),
        "{address}"
    );

    let reading = first_final_reading(address);
    check_answers(&ready, &reading);
    check_blocks(address);

    let (proof, genesis) = (folder.path().join("proof"), folder.path().join("genesis"));
    save(
        &["proof", "--api", address, reading["id"].as_str().unwrap()],
        &proof,
    );
    save(&["genesis", "--api", address], &genesis);
    check_proof(&proof, &genesis, &reading);

    check_busy(&data);
    assert_eq!(node.terminate().code(), Some(0));
    let (code, report) = json(["fsck", "--data", data.to_str().unwrap(), "--json"]);
    assert_eq!(
        (code, &report["clean"]),
        (0, &Value::Bool(true)),
        "{report}"
    );
    check_restart(&data, address);
}

/// A folder in use is nobody else's.
fn check_busy(data: &Path) {
    let busy = data.to_str().unwrap();
    assert_eq!(fogward(["fsck", "--data", busy]).status.code(), Some(2));
    let second = fogward(["run", "--data", busy, "--api", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second.stderr).contains("another node is running"));
}

/// The keys of the contract, and what must be in them.
fn check_answers(ready: &Value, reading: &Value) {
    let address = ready["api"].as_str().unwrap();
    assert_keys(
        reading,
        &[
            "id",
            "code",
            "value",
            "unit",
            "quality",
            "device_time",
            "host_time",
            "batch",
            "tx",
            "height",
            "final",
        ],
    );
    assert_eq!(reading["simulated"], true);
    let (code, status) = json(["status", "--api", address, "--json"]);
    assert_eq!(code, 0);
    assert_keys(
        &status,
        &[
            "height", "tip_hash", "finality", "devices", "backlog", "disk",
        ],
    );
    assert_eq!(
        (&status["devices"], &status["node_name"]),
        (&2.into(), &"Ward 7".into())
    );
    assert_eq!(status["chain_id"], ready["chain_id"]);
    let (_, devices) = json(["devices", "--api", address, "--json"]);
    assert_keys(
        &devices[0],
        &["id", "profile", "path", "state", "reason", "gap"],
    );
    assert_keys(
        &devices[0]["gap"],
        &[
            "expected", "received", "rejected", "sealed", "anchored", "final",
        ],
    );
    check_tables(address, devices[0]["id"].as_str().unwrap());
}

fn check_blocks(address: &str) {
    let (_, blocks) = json(["blocks", "--api", address, "--limit", "2", "--json"]);
    let heights: Vec<_> = blocks
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["height"].as_u64().unwrap())
        .collect();
    assert_eq!(heights.len(), 2);
    assert_eq!(heights[0], heights[1] + 1, "newest first");
    let (_, blocks) = json(["blocks", "--api", address, "--from", "1", "--json"]);
    assert_eq!(blocks.as_array().unwrap().len(), 2);
    assert_eq!(blocks[1]["height"], 0);
}

/// Tables say what the JSON says, in columns.
fn check_tables(address: &str, device: &str) {
    let table = |arguments: &[&str]| {
        let output = fogward([&[arguments[0], "--api", address], &arguments[1..]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(table(&["status"]).contains("Ward 7"));
    assert!(table(&["devices"]).contains(device));
    assert!(table(&["readings", "--device", device, "--limit", "3"]).contains("(simulated)"));
    assert!(table(&["blocks"]).contains("height"));
}

/// The same token opens the same data after a restart.
fn check_restart(data: &Path, before: &str) {
    let node = Running::start(data, &[]);
    let after = node.address();
    let token = |address: &str| address.split_once("token=").unwrap().1.to_owned();
    assert_eq!(token(&after), token(before));
    let (_, devices) = json(["devices", "--api", &after, "--json"]);
    assert_eq!(devices.as_array().unwrap().len(), 2);
    let other = after.replace("token=", "token=0");
    assert_eq!(fogward(["status", "--api", &other]).status.code(), Some(2));
    let missing = [
        "proof",
        "--api",
        &after,
        "00000000000000000000000000000000.1",
        "-o",
        "/dev/null",
    ];
    assert_eq!(
        fogward(missing).status.code(),
        Some(1),
        "the node knows that there is none"
    );
    assert_eq!(node.terminate().code(), Some(0));
    let gone = fogward(["status", "--api", &after]);
    assert_eq!(gone.status.code(), Some(2), "nobody is there to ask");
    assert!(text(&gone.stderr).contains("cannot be reached"));
    assert!(
        !text(&gone.stderr).contains(&token(&after)),
        "a token in an error"
    );
}

fn save(arguments: &[&str], file: &Path) {
    let output = fogward(
        arguments
            .iter()
            .copied()
            .chain(["-o", file.to_str().unwrap()]),
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn verify(proof: &Path, genesis: &Path) -> (Option<i32>, String) {
    let output = fogward([
        "verify".as_ref(),
        proof.as_os_str(),
        "--genesis".as_ref(),
        genesis.as_os_str(),
        "--json".as_ref(),
    ]);
    (output.status.code(), text(&output.stdout))
}

fn check_proof(proof: &Path, genesis: &Path, reading: &Value) {
    let (code, answer) = verify(proof, genesis);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (code, &answer["valid"]),
        (Some(0), &Value::Bool(true)),
        "{answer}"
    );
    assert_eq!(answer["checks"].as_array().unwrap().len(), 6);
    assert_eq!(answer["reading"]["id"], reading["id"]);
    let words = fogward([
        "verify",
        proof.to_str().unwrap(),
        "--genesis",
        genesis.to_str().unwrap(),
    ]);
    assert!(text(&words.stdout).contains("VALID"));

    let good = std::fs::read(proof).unwrap();
    let altered = proof.with_extension("altered");
    let check = |bytes: &[u8], expected: Option<i32>, what: &str| {
        std::fs::write(&altered, bytes).unwrap();
        let (code, answer) = verify(&altered, genesis);
        assert_eq!(code, expected, "{what}: {answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["valid"], false, "{what}");
    };
    // A third of the bytes here; the proof format's own tests flip every bit of every byte.
    for at in (0..good.len()).step_by(3) {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        check(&bytes, Some(1), &format!("byte {at} flipped"));
    }
    check(&good[..good.len() - 1], Some(1), "cut");
    check(&[good.as_slice(), b"x"].concat(), Some(1), "longer");
    check(b"", Some(1), "empty");
    check(&vec![0; (1 << 20) + 9], Some(1), "too long");
    check(&std::fs::read(genesis).unwrap(), Some(1), "a genesis");

    assert_eq!(verify(&proof.with_extension("missing"), genesis).0, Some(2));
    assert_eq!(verify(proof, &genesis.with_extension("missing")).0, Some(2));
    assert_eq!(
        verify(proof, proof).0,
        Some(2),
        "no genesis, so nothing can be told"
    );
}

#[test]
fn wrong_use_is_told_from_no() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let cases: [&[&str]; 10] = [
        &[],
        &["walk"],
        &["run"],
        &["run", "--data", data, "--api", "0.0.0.0:0"],
        &["run", "--data", data, "--serial", "/dev/null"],
        &["run", "--data", data, "--serial", "/dev/null=pulse"],
        &["run", "--data", data, "--demo=0"],
        &["run", "--data", data, "--demo=8:some"],
        &["status", "--api", "http://127.0.0.1:1/"],
        &["fsck", "--data", data],
    ];
    for arguments in cases {
        let output = fogward(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_names_units_and_exit_codes() {
    let help = |arguments: &[&str]| {
        let output = fogward(arguments);
        assert!(output.status.success());
        text(&output.stdout)
    };
    assert!(help(&["--help"]).contains("Exit codes: 0 yes, 1 no, 2 cannot tell"));
    let run = help(&["run", "--help"]);
    for word in [
        "milliseconds",
        "nonin-oem3",
        "--batch-readings",
        "--serial-key",
        "--demo",
    ] {
        assert!(run.contains(word), "{word}");
    }
    for command in [
        "status", "devices", "readings", "blocks", "proof", "genesis", "verify", "fsck", "bench",
    ] {
        assert!(help(&[command, "--help"]).contains("--json"), "{command}");
    }
}
