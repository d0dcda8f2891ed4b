//! Upkeep of a node's folder with the built program: prune, archive, snapshot, backup.

use std::path::Path;

use serde_json::Value;

use crate::program::{Running, fogward, json, text, wait_for};

/// A folder of a stopped node with some final batches of two simulated devices; gives back the id of an
/// old final reading, its proof and the genesis, saved beside the folder.
fn make_folder(data: &Path) -> String {
    let node = Running::start(data, &["--demo=2".into(), "--batch-age-ms=100".into()]);
    let address = node.address();
    wait_for("final batches", || {
        let (_, status) = json(["status", "--api", &address, "--json"]);
        (status["gap"]["final"].as_u64().unwrap() > 60).then_some(())
    });
    let (_, devices) = json(["devices", "--api", &address, "--json"]);
    let device = devices[0]["id"].as_str().unwrap().to_owned();
    let (_, readings) = json(["readings", "--api", &address, "--device", &device, "--json"]);
    let oldest = readings.as_array().unwrap().last().unwrap()["id"].clone();
    let id = oldest.as_str().unwrap().to_owned();
    let proof = data.with_extension("proof");
    save_proof(&address, &id, &proof);
    let genesis = data.with_extension("genesis");
    let saved = fogward([
        "genesis",
        "--api",
        &address,
        "-o",
        genesis.to_str().unwrap(),
    ]);
    assert!(saved.status.success(), "{}", text(&saved.stderr));
    assert!(node.terminate().success());
    id
}

fn fsck(data: &Path) -> Value {
    let (code, report) = json(["fsck", "--data", data.to_str().unwrap(), "--json"]);
    assert_eq!(
        (code, &report["clean"]),
        (0, &Value::Bool(true)),
        "{report}"
    );
    report
}

fn verifies(data: &Path) -> bool {
    let (proof, genesis) = (data.with_extension("proof"), data.with_extension("genesis"));
    let arguments = [proof.as_os_str(), "--genesis".as_ref(), genesis.as_os_str()];
    fogward(["verify".as_ref()].into_iter().chain(arguments))
        .status
        .success()
}

/// Goal: pruning frees the disk, `fsck` stays clean, proofs issued before verify, a new one is refused with
/// the reason, and the node goes on.
#[test]
fn a_pruned_node_is_whole_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let reading = make_folder(&data);
    let before = fsck(&data);
    assert_eq!(before["replica"]["pruned_blocks"], 0);
    let dir = data.to_str().unwrap();
    let prune = [
        "prune",
        "--data",
        dir,
        "--older-than",
        "0s",
        "--json",
        "--keep-blocks",
    ];
    let (code, kept) = json(prune.iter().chain(&["128"]));
    assert_eq!(
        (code, &kept["blocks"], &kept["up_to"]),
        (0, &0.into(), &Value::Null),
        "{kept}"
    );
    let (code, own) = json(prune.iter().chain(&["1", "--keep-own"]));
    assert_eq!(
        (code, &own["transactions"]),
        (0, &0.into()),
        "all are its own: {own}"
    );
    let (code, pruned) = json(prune.iter().chain(&["1"]));
    assert_eq!(code, 0);
    assert!(pruned["transactions"].as_u64().unwrap() > 2, "{pruned}");
    let bytes = |name: &str| pruned[name].as_u64().unwrap();
    assert_eq!(
        bytes("bytes_freed"),
        bytes("bytes_before") - bytes("bytes_after")
    );

    let after = fsck(&data);
    assert_eq!(after["replica"]["pruned_blocks"], pruned["blocks"]);
    assert_eq!(
        after["replica"]["transactions"],
        before["replica"]["transactions"]
    );
    assert_eq!(after["vault"], before["vault"]);
    assert!(verifies(&data), "a proof issued before");

    let node = Running::start(&data, &["--batch-age-ms=100".into()]);
    let address = node.address();
    let again = fogward(["proof", "--api", &address, &reading, "-o", "/dev/null"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        text(&again.stderr).contains("pruned"),
        "{}",
        text(&again.stderr)
    );
    let (status, block) = get(&address, "/api/blocks/1");
    let gone = &block["pruned"];
    assert_eq!(
        (status, gone["missing"].as_u64()),
        (200, block["row"]["transactions"].as_u64()),
        "{block}"
    );
    assert_eq!(gone["run"]["bytes_freed"], pruned["bytes_freed"], "{block}");
    assert_eq!(gone["run"]["height"], after["replica"]["height"], "{block}");
    let id = gone["ids"][0].as_str().unwrap();
    let (status, refused) = get(&address, &format!("/api/transactions/{id}"));
    assert_eq!(
        (status, &refused["code"]),
        (404, &"API-11".into()),
        "{refused}"
    );
    assert!(
        refused["why"].as_str().unwrap().contains("block 1"),
        "{refused}"
    );
    let (_, unknown) = get(&address, &format!("/api/transactions/{}", "0".repeat(64)));
    assert_eq!(unknown["code"], "API-04");
    let height = |status: &Value| status["height"].as_u64();
    let (_, status) = json(["status", "--api", &address, "--json"]);
    let first = height(&status);
    wait_for("further blocks", || {
        let (_, status) = json(["status", "--api", &address, "--json"]);
        (height(&status) > first).then_some(())
    });
    let running = fogward(prune.iter().chain(&["1"]));
    assert_eq!(running.status.code(), Some(2), "not beside a running node");
    assert!(node.terminate().success());
    fsck(&data);
}

/// Goal: what is archived and pruned can be put back, and then proves again; a spoiled archive is refused
/// with exit code 1 and changes nothing.
#[test]
fn an_archive_brings_proofs_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let reading = make_folder(&data);
    let (dir, archive) = (data.to_str().unwrap(), folder.path().join("archive"));
    let to = archive.to_str().unwrap();
    let (code, pruned) = json([
        "prune",
        "--data",
        dir,
        "--keep-bytes",
        "0",
        "--keep-blocks",
        "1",
        "--archive",
        to,
        "--json",
    ]);
    assert_eq!(code, 0, "{pruned}");
    fsck(&data);
    let export = ["archive", "export", "--data", dir, "--json", "-o"];
    let (code, tip) = json(
        export
            .iter()
            .chain(&[folder.path().join("tip").to_str().unwrap()]),
    );
    assert_eq!((code, tip["from"] == tip["to"]), (0, true), "{tip}");
    let gone = fogward(export.iter().chain(&[
        folder.path().join("gone").to_str().unwrap(),
        "--from",
        "1",
    ]));
    assert_eq!(gone.status.code(), Some(1));
    assert!(
        text(&gone.stderr).contains("pruned"),
        "{}",
        text(&gone.stderr)
    );

    let restore = ["archive", "restore", "--data", dir, "--json", to];
    let file = archive.join("blocks-000000000001.zst");
    let good = std::fs::read(&file).unwrap();
    std::fs::write(&file, [good.as_slice(), b"x"].concat()).unwrap();
    let spoiled = fogward(restore);
    assert_eq!(spoiled.status.code(), Some(1));
    assert!(text(&spoiled.stderr).contains("blocks-000000000001.zst"));
    assert_eq!(fsck(&data)["replica"]["pruned_blocks"], pruned["blocks"]);
    std::fs::write(&file, good).unwrap();
    let (code, restored) = json(restore);
    assert_eq!(
        (code, &restored["transactions"]),
        (0, &pruned["transactions"]),
        "{restored}"
    );
    assert_eq!(fsck(&data)["replica"]["pruned_blocks"], 0);

    let node = Running::start(&data, &[]);
    let address = node.address();
    let proof = data.with_extension("proof");
    save_proof(&address, &reading, &proof);
    assert!(verifies(&data));
    assert!(node.terminate().success());
}

/// Goal: a snapshot becomes a replica that is clean and at the same tip; an altered chunk is refused with
/// exit code 1, and the import goes on with the good one.
#[test]
fn a_snapshot_becomes_a_replica() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    make_folder(&data);
    let genesis = data.with_extension("genesis");
    let (snapshot, joiner) = (folder.path().join("snapshot"), folder.path().join("joiner"));
    let (to, dir) = (snapshot.to_str().unwrap(), data.to_str().unwrap());
    let (code, saved) = json(["snapshot", "export", "--data", dir, "-o", to, "--json"]);
    assert_eq!(code, 0, "{saved}");
    let import = [
        "snapshot",
        "import",
        to,
        "--genesis",
        genesis.to_str().unwrap(),
        "--data",
        joiner.to_str().unwrap(),
        "--json",
    ];
    let chunk = snapshot.join("state-000000.bin");
    let good = std::fs::read(&chunk).unwrap();
    std::fs::write(&chunk, &good[1..]).unwrap();
    let refused = fogward(import);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("state-000000.bin"));
    std::fs::write(&chunk, good).unwrap();
    let (code, taken) = json(import);
    assert_eq!((code, &taken), (0, &saved));
    let own = ledger_store::fsck(joiner.join("replica.db")).unwrap();
    let theirs = ledger_store::fsck(data.join("replica.db")).unwrap();
    assert!(own.is_clean(), "{own:?}");
    assert_eq!((own.tip, own.readings), (theirs.tip, theirs.readings));
    let again = fogward(import);
    assert_eq!(again.status.code(), Some(2), "a replica is not overwritten");
    serves_what_it_holds(&joiner, taken["height"].as_u64().unwrap(), &genesis);
}

/// A node that went on from a snapshot says which certificates it never had, and serves the others.
fn serves_what_it_holds(data: &Path, height: u64, genesis: &Path) {
    // It knows no peer, but listens, as who follows a consortium must; the host is this test's own.
    let (high, low) = (std::process::id() >> 8 & 0xff, std::process::id() & 0xff);
    let listen = format!("--listen=127.{high}.{low}.99:7401");
    let node = Running::start(data, &[listen]);
    let address = node.address();
    let ask = |path: &str| get(&address, path);
    let (status, refused) = ask("/api/light/blocks?from=1");
    assert_eq!(
        (status, &refused["code"]),
        (404, &"API-10".into()),
        "{refused}"
    );
    let words = refused["why"].as_str().unwrap();
    assert!(
        words.contains(&format!("from block {height} on")),
        "{words}"
    );
    assert_eq!(ask("/api/light/blocks/1").1["code"], "API-10");
    let (status, page) = ask(&format!("/api/light/blocks?from={height}"));
    assert_eq!(
        (status, &page["blocks"][0]["height"]),
        (200, &height.into())
    );
    assert_eq!(ask(&format!("/api/light/blocks/{height}")).0, 200);
    let (status, block) = ask("/api/blocks/1");
    let pruned = &block["pruned"];
    assert_eq!(
        (status, &pruned["ids"]),
        (200, &Value::Array(Vec::new())),
        "{block}"
    );
    assert_eq!(
        (&pruned["missing"], &pruned["run"]),
        (&block["row"]["transactions"], &Value::Null),
        "{block}"
    );

    let genesis = genesis.to_str().unwrap();
    let light = ["light", "--api", &address, "--genesis", genesis];
    let each = fogward(light);
    assert_eq!(each.status.code(), Some(1));
    assert!(
        text(&each.stderr).contains("API-10"),
        "{}",
        text(&each.stderr)
    );
    let (code, few) = json(light.iter().chain(&["--skip", "--json"]));
    assert_eq!(
        (code, &few["refused"]),
        (0, &Value::Null),
        "the newest leads to the genesis: {few}"
    );
    assert!(node.terminate().success());
}

/// What a running node answers at `path`.
fn get(address: &str, path: &str) -> (u16, Value) {
    let (base, token) = address.split_once("/?token=").unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .build()
        .into();
    let asked = agent.get(format!("{base}{path}"));
    let mut answer = asked
        .header("Authorization", format!("Bearer {token}"))
        .call()
        .unwrap();
    let body = answer.body_mut().read_to_string().unwrap();
    (
        answer.status().as_u16(),
        serde_json::from_str(&body).unwrap(),
    )
}

const PASSPHRASE: &str = "correct horse battery staple";

/// Goal: a running node's backup restores to a node that is whole, has the same keys and proves the same
/// readings, and carries the mark; a stopped one's too; a wrong passphrase or an altered file is refused
/// and leaves nothing behind.
#[test]
fn a_backup_restores_a_whole_node() {
    let folder = tempfile::tempdir().unwrap();
    let (data, secret) = (folder.path().join("data"), folder.path().join("secret"));
    std::fs::write(&secret, format!("{PASSPHRASE}\n")).unwrap();
    let reading = make_folder(&data);
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (dir, secret) = (at("data"), at("secret"));
    let back = |output: &str| {
        json([
            "backup",
            "--data",
            &dir,
            "--passphrase-file",
            &secret,
            "--json",
            "-o",
            output,
        ])
    };
    let node = Running::start(&data, &["--batch-age-ms=50".into()]);
    let ready = node.ready();
    let (code, about) = back(&at("running.fwbackup"));
    assert_eq!((code, &about["node_id"]), (0, &ready["node_id"]), "{about}");
    assert!(node.terminate().success());
    assert_eq!(back(&at("stopped.fwbackup")).0, 0);
    assert!(!text(&std::fs::read(at("stopped.fwbackup")).unwrap()).contains("SQLite"));
    let left: Vec<_> = std::fs::read_dir(&data).unwrap().collect();
    assert!(left.len() < 13, "copies are left behind: {left:?}");

    for name in ["running.fwbackup", "stopped.fwbackup"] {
        let (file, to) = (at(name), at(&format!("restored-{name}")));
        let restore = [
            "restore",
            &file,
            "--data",
            &to,
            "--passphrase-file",
            &secret,
            "--json",
        ];
        let (code, told) = json(restore);
        assert_eq!((code, &told["node_id"]), (0, &about["node_id"]), "{told}");
        let restored = Path::new(&to);
        let report = fsck(restored);
        assert_eq!(report["replica"]["height"], told["height"]);
        let mark = ledger_store::RestoredMark::read(restored).unwrap().unwrap();
        assert_eq!(mark.validator_key, told["validator_key"].as_str().unwrap());
        assert_eq!(mark.height, told["height"].as_u64().unwrap());
        let key = |data: &Path| std::fs::read(data.join("keys/validator.key")).unwrap();
        assert_eq!(key(restored), key(&data));
        assert_eq!(
            fogward(restore).status.code(),
            Some(2),
            "a folder in use is left alone"
        );
    }
    // The original does not run any more, so the restored one may.
    let restored = folder.path().join("restored-running.fwbackup");
    let node = Running::start(&restored, &[]);
    let (address, proof) = (node.address(), data.with_extension("proof"));
    save_proof(&address, &reading, &proof);
    assert!(verifies(&data));
    // Alone there is nobody to watch; the node signs, and is as any other from now on.
    let mark = ledger_store::RestoredMark::read(&restored).unwrap();
    assert_eq!(mark, None);
    assert!(node.terminate().success());
    fsck(&restored);
    refused_backups(folder.path());
}

/// Saves the proof of a reading with the built program.
fn save_proof(address: &str, reading: &str, to: &Path) {
    let to = to.to_str().unwrap();
    let saved = fogward(["proof", "--api", address, reading, "-o", to]);
    assert!(saved.status.success(), "{}", text(&saved.stderr));
}

fn refused_backups(folder: &Path) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("wrong"), "not the right passphrase").unwrap();
    std::fs::write(path("short"), "short").unwrap();
    let restore = |file: &str, secret: &str| {
        let (file, secret, to) = (path(file), path(secret), path("none"));
        let output = fogward([
            "restore",
            &file,
            "--data",
            &to,
            "--passphrase-file",
            &secret,
        ]);
        assert!(!Path::new(&to).exists(), "nothing is left behind");
        output.status.code()
    };
    let good = std::fs::read(path("stopped.fwbackup")).unwrap();
    assert_eq!(restore("stopped.fwbackup", "wrong"), Some(1));
    for (name, bytes) in [
        (
            "flipped",
            [
                &good[..good.len() / 2],
                &[!good[good.len() / 2]],
                &good[good.len() / 2 + 1..],
            ]
            .concat(),
        ),
        ("cut", good[..good.len() - 1].to_vec()),
        ("half", good[..good.len() / 2].to_vec()),
        ("longer", [good.as_slice(), b"x"].concat()),
        ("empty", Vec::new()),
    ] {
        std::fs::write(path(name), bytes).unwrap();
        assert_eq!(restore(name, "secret"), Some(1), "{name}");
    }
    assert_eq!(restore("missing", "secret"), Some(2));
    let dir = path("data");
    let weak = [
        "backup",
        "--data",
        &dir,
        "-o",
        &path("weak"),
        "--passphrase-file",
        &path("short"),
    ];
    assert_eq!(fogward(weak).status.code(), Some(2));
    assert!(!Path::new(&path("weak")).exists());
    let beside: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().collect();
    let names = beside.iter().map(|entry| entry.file_name());
    assert!(
        names
            .into_iter()
            .all(|name| !name.to_string_lossy().starts_with(".restoring"))
    );
}
