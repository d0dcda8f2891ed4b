//! Snapshots: another node goes on from the state at a height, having trusted the genesis only.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ledger_core::governance::{Change, Propose};
use ledger_core::{Genesis, Height, Payload};
use ledger_store::{
    Replica, SNAPSHOT_MANIFEST_FILE, SnapshotError, SnapshotImport, SnapshotManifest, TRUST_FILE,
};

use crate::support::{Chain, assert_clean, certificate, genesis, key, sqlite};

/// A chain of four validators of which one leaves, with devices and anchors, and its snapshot.
fn exported() -> (Chain, PathBuf, SnapshotManifest) {
    let chain = Chain::new(4);
    chain.append(&[chain.anchor(1), chain.register(2, 0, b"a device")]);
    let change = Change::RemoveValidator {
        node: key(4).public(),
    };
    let propose = Payload::Propose(Propose {
        change,
        reason: "A graceful exit".into(),
        open_for_millis: 60_000,
    });
    chain.append(&[chain.sign(4, Default::default(), propose)]);
    chain.append(&[]);
    chain.grow(6);
    let folder = chain.beside("snapshot");
    let (changes, manifest) = {
        let snapshot = chain.replica.read().expect("read");
        let changes = snapshot.validator_changes(Height(9)).expect("read").len();
        (changes, snapshot.export_snapshot(&folder).expect("export"))
    };
    assert_eq!((changes, manifest.height), (1, 9), "a validator left");
    (chain, folder, manifest)
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).expect("read")
}

fn open(path: &Path, folder: &Path, genesis: &Genesis) -> Result<SnapshotImport, SnapshotError> {
    let manifest = read(folder, SNAPSHOT_MANIFEST_FILE);
    SnapshotImport::open(path, genesis, &manifest, &read(folder, TRUST_FILE))
}

/// Takes over all that is missing.
fn take_all(import: &mut SnapshotImport, folder: &Path) -> Result<(), SnapshotError> {
    while let Some(chunk) = import.wanted() {
        let bytes = read(folder, &chunk.name);
        import.offer(&bytes)?;
    }
    Ok(())
}

pub fn import(path: &Path, folder: &Path, genesis: &Genesis) -> Result<(), SnapshotError> {
    let half = path.with_extension("import");
    let mut import = open(&half, folder, genesis)?;
    take_all(&mut import, folder)?;
    import.finish(path)
}

/// Goal: the joiner has the same headers, state, validators and counts, is clean, and both append the same
/// further blocks, which the other accepts.
#[test]
fn a_joiner_goes_on_where_the_snapshot_ends() {
    let (chain, folder, _) = exported();
    let path = chain.beside("joiner.sqlite");
    import(&path, &folder, &chain.genesis).expect("import");
    assert!(!path.with_extension("import").exists());
    let report = assert_clean(&path);
    assert_eq!((report.height, report.pruned_blocks), (Some(9), 8));
    let joiner = Replica::open(&path).expect("open");
    {
        let (own, theirs) = (
            joiner.read().expect("read"),
            chain.replica.read().expect("read"),
        );
        assert_eq!(own.tip(), theirs.tip());
        assert_eq!(own.chain().expect("chain").0, chain.genesis.chain_id());
        assert_eq!(own.whole_from().expect("read"), Height(10));
        assert_eq!(
            own.members().expect("read"),
            theirs.members().expect("read")
        );
        assert_eq!(
            own.devices().expect("read"),
            theirs.devices().expect("read")
        );
        for height in (0..=10).map(Height) {
            assert_eq!(
                own.header(height).expect("read"),
                theirs.header(height).expect("read")
            );
            let (own, theirs) = (own.validators_at(height), theirs.validators_at(height));
            assert_eq!(own.expect("read"), theirs.expect("read"));
        }
        assert_eq!(
            own.validator_changes(Height(9)).expect("read"),
            theirs.validator_changes(Height(9)).expect("read")
        );
        assert!(own.block(Height(0)).expect("read").is_some());
    }
    for _ in 0..3 {
        let block = chain.prepare(&[chain.anchor(1), chain.anchor(3)]);
        let certificate = certificate(&block, &chain.signers());
        let tip = joiner
            .commit(block.block(), certificate.clone())
            .expect("commit");
        let certificate = block.certify(certificate).expect("valid");
        assert_eq!(
            chain.replica.append(&block, &certificate).expect("append"),
            tip
        );
    }
    assert_clean(&path);
    assert_clean(&chain.path());
    let again = joiner
        .read()
        .expect("read")
        .export_snapshot(&chain.beside("again"));
    assert_eq!(again.expect("a joiner can help the next").height, 12);
    let path = chain.beside("third.sqlite");
    import(&path, &chain.beside("again"), &chain.genesis).expect("import");
    assert_clean(&path);
}

/// Goal: the archive of old blocks makes a joiner's replica whole, row for row but for the state's heights.
#[test]
fn an_archive_makes_a_joiner_whole() {
    let (chain, folder, _) = exported();
    let path = chain.beside("joiner.sqlite");
    import(&path, &folder, &chain.genesis).expect("import");
    let archive = chain.beside("archive");
    let snapshot = chain.replica.read().expect("read");
    snapshot
        .export_archive(&archive, None, None)
        .expect("export");
    drop(snapshot);
    let joiner = Replica::open(&path).expect("open");
    let restored = joiner.restore_archive(&archive).expect("restore");
    assert_eq!(restored.blocks, 8);
    let report = assert_clean(&path);
    assert_eq!(report.pruned_blocks, 0);
    let rows = |path: &Path| {
        let mut rows = crate::alter::dump(&sqlite(path));
        rows.retain(|row| {
            ["headers", "transactions", "pruned"]
                .iter()
                .any(|table| row.starts_with(table))
        });
        rows
    };
    assert_eq!(rows(&path), rows(&chain.path()));
}

/// Goal: whatever byte of whatever file is altered, the import is refused, with the file's name, and what
/// was taken over before stays good. Method: flip bytes all over each file, cut it; then go on.
#[test]
fn an_altered_chunk_is_refused_and_named() {
    let (chain, folder, manifest) = exported();
    let half = chain.beside("half.import");
    let mut import = open(&half, &folder, &chain.genesis).expect("open");
    while let Some(chunk) = import.wanted().cloned() {
        let good = read(&folder, &chunk.name);
        for at in (0..good.len()).step_by(good.len() / 40 + 1) {
            let mut bytes = good.clone();
            bytes[at] ^= 4;
            let error = import.offer(&bytes).expect_err("altered").to_string();
            assert!(error.contains(&chunk.name), "{error}");
        }
        assert!(import.offer(&good[1..]).is_err());
        assert!(import.offer(&[]).is_err());
        import.offer(&good).expect("the good one");
    }
    assert_eq!(import.progress().chunks, import.progress().of_chunks);
    assert_eq!(import.progress().bytes, import.progress().of_bytes);
    import
        .finish(&chain.beside("joiner.sqlite"))
        .expect("finish");
    assert_clean(&chain.beside("joiner.sqlite"));

    let (text, trust) = (
        read(&folder, SNAPSHOT_MANIFEST_FILE),
        read(&folder, TRUST_FILE),
    );
    let path = chain.beside("none.import");
    for at in (0..trust.len()).step_by(trust.len() / 40 + 1) {
        let mut bytes = trust.clone();
        bytes[at] ^= 1;
        assert!(SnapshotImport::open(&path, &chain.genesis, &text, &bytes).is_err());
        // A manifest that names the altered file: now the content must tell.
        let mut lying = manifest.clone();
        lying.trust.sha256 = ledger_core::Digest::of(&bytes).to_string();
        let lying = serde_json::to_vec(&lying).expect("json");
        let outcome = SnapshotImport::open(&path, &chain.genesis, &lying, &bytes);
        if let Ok(import) = outcome {
            // Only the founding transaction is checked later, with the header it belongs to.
            drop(import);
            SnapshotImport::discard(&path).expect("discard");
            let mut import =
                SnapshotImport::open(&path, &chain.genesis, &lying, &bytes).expect("open");
            assert!(
                take_all(&mut import, &folder).is_err(),
                "byte {at} of the trust"
            );
            drop(import);
            SnapshotImport::discard(&path).expect("discard");
        }
        assert!(!path.exists());
    }
    let other = genesis(3);
    assert!(matches!(
        open(&path, &folder, &other),
        Err(SnapshotError::OtherChain)
    ));
}

/// Goal: a manifest that lies consistently is found out: by the chunk for headers, by the root for state, by
/// the counts for counts. Method: rewrite a chunk and its hash.
#[test]
fn a_lying_manifest_is_found_out() {
    let (chain, folder, manifest) = exported();
    let path = chain.beside("lied.import");
    let outcome = |manifest: &SnapshotManifest, name: &str, bytes: &[u8]| {
        let text = serde_json::to_vec(manifest).expect("json");
        let trust = read(&folder, TRUST_FILE);
        let mut import = SnapshotImport::open(&path, &chain.genesis, &text, &trust)?;
        while let Some(chunk) = import.wanted().cloned() {
            match chunk.name == name {
                true => import.offer(bytes)?,
                false => import.offer(&read(&folder, &chunk.name))?,
            }
        }
        import.finish(&chain.beside("lied.sqlite"))
    };
    let check = |name: &str, at: usize| {
        let mut bytes = read(&folder, name);
        bytes[at] ^= 1;
        let mut lying = manifest.clone();
        let chunks = lying.headers.iter_mut().chain(&mut lying.state);
        for chunk in chunks.filter(|chunk| chunk.name == name) {
            chunk.sha256 = ledger_core::Digest::of(&bytes).to_string();
        }
        let error = outcome(&lying, name, &bytes).expect_err("a lie");
        SnapshotImport::discard(&path).expect("discard");
        assert!(!chain.beside("lied.sqlite").exists());
        error
    };
    let places = |name: &str| {
        let length = read(&folder, name).len();
        (8..length).step_by(length / 25 + 1)
    };
    for at in places("headers-000000.bin") {
        let error = check("headers-000000.bin", at);
        assert!(
            matches!(error, SnapshotError::False { .. } | SnapshotError::Counts),
            "byte {at}: {error}"
        );
    }
    for at in places("state-000000.bin") {
        let error = check("state-000000.bin", at);
        assert!(
            matches!(
                error,
                SnapshotError::False { .. } | SnapshotError::StateRoot(_)
            ),
            "byte {at}: {error}"
        );
    }
    for (transactions, readings) in [(1, 0), (0, 1)] {
        let mut lying = manifest.clone();
        lying.transactions += transactions;
        lying.readings += readings;
        let error = outcome(&lying, "", &[]).expect_err("a lie");
        assert!(matches!(error, SnapshotError::Counts), "{error}");
        SnapshotImport::discard(&path).expect("discard");
    }
}

/// Goal: a half import is no replica, another snapshot does not go on in it, and what is there already is
/// not overwritten.
#[test]
fn a_half_import_is_kept_apart() {
    let (chain, folder, _) = exported();
    let half = chain.beside("half.import");
    let import = open(&half, &folder, &chain.genesis).expect("open");
    let done = chain.beside("joiner.sqlite");
    assert!(matches!(
        import.finish(&done),
        Err(SnapshotError::Incomplete)
    ));
    assert!(Replica::open(&half).is_err());
    assert!(ledger_store::fsck(&half).is_err());
    chain.grow(1);
    let later = chain.beside("later");
    let snapshot = chain.replica.read().expect("read");
    snapshot.export_snapshot(&later).expect("export");
    let other = open(&half, &later, &chain.genesis);
    assert!(matches!(other, Err(SnapshotError::OtherSnapshot)));
    SnapshotImport::discard(&half).expect("discard");
    assert!(
        SnapshotImport::discard(&chain.path()).is_err(),
        "a replica is not discarded"
    );
    assert!(chain.path().exists());
    let mut import = open(&half, &later, &chain.genesis).expect("open");
    take_all(&mut import, &later).expect("import");
    assert!(matches!(
        import.finish(&chain.path()),
        Err(SnapshotError::Exists(_))
    ));
    let again = snapshot.export_snapshot(&later);
    assert!(matches!(again, Err(SnapshotError::NotEmpty(_))));
    assert_clean(&chain.path());
}

const CHILD: &str = "FOGWARD_STORE_IMPORT_TEST";

/// Goal: an import that is killed at any moment goes on and ends well. Method: this test starts itself as a
/// child that imports, kills it again and again, and lets the last one finish.
#[test]
fn a_killed_import_goes_on() {
    let folder_of = |path: &Path| path.join("snapshot");
    if let Some(folder) = std::env::var_os(CHILD) {
        let folder = PathBuf::from(folder);
        import(&folder.join("joiner.sqlite"), &folder_of(&folder), &large()).expect("import");
        return;
    }
    let chain = Chain::of(large());
    for block in 0..40u64 {
        let nonces = block * 40..(block + 1) * 40;
        let transactions: Vec<_> = nonces
            .map(|nonce| chain.register(1, nonce, &nonce.to_be_bytes()))
            .collect();
        chain.append(&transactions);
    }
    let folder = chain.beside("");
    let snapshot = chain.replica.read().expect("read");
    snapshot
        .export_snapshot(&folder_of(&folder))
        .expect("export");
    drop(snapshot);
    let child = || {
        Command::new(std::env::current_exe().expect("this program"))
            .args(["transfer::a_killed_import_goes_on", "--exact"])
            .env(CHILD, &folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child")
    };
    let joiner = chain.beside("joiner.sqlite");
    for kill in 0..12 {
        let mut child = child();
        std::thread::sleep(Duration::from_millis(15 + 6 * kill));
        child.kill().expect("kill");
        child.wait().expect("wait");
        if joiner.exists() {
            assert_clean(&joiner);
            std::fs::remove_file(&joiner).expect("remove");
        }
    }
    assert!(child().wait().expect("wait").success());
    assert_eq!(assert_clean(&joiner).tip, assert_clean(&chain.path()).tip);
}

/// A genesis of one validator that allows blocks of many transactions.
fn large() -> Genesis {
    let mut genesis = genesis(1);
    genesis.parameters.max_block_bytes = 1 << 20;
    genesis
}
