//! Archives: what was pruned comes back whole, or nothing changes and the reason is said.

use std::path::{Path, PathBuf};

use ledger_core::Height;
use ledger_store::{ArchiveError, ArchiveManifest, MANIFEST_FILE, Policy};

use crate::support::{Chain, assert_clean, key};

const POLICY: Policy = Policy {
    older_than_millis: None,
    keep_bytes: Some(0),
    keep_blocks: 1,
    keep_from: None,
    keep_sender: None,
};

/// A pruned chain of four validators, and its archive.
fn archived() -> (Chain, PathBuf, Vec<String>) {
    let chain = Chain::new(4);
    chain.append(&[
        chain.anchor(1),
        chain.register(2, 0, b"device"),
        chain.anchor(3),
    ]);
    chain.append(&[]);
    chain.append(&[chain.anchor(1), chain.anchor(4)]);
    chain.grow(3);
    let before = dump(&chain);
    let folder = chain.beside("archive");
    let manifest = {
        let snapshot = chain.replica.read().expect("read");
        snapshot
            .export_archive(&folder, None, None)
            .expect("export")
    };
    assert_eq!(
        (manifest.from, manifest.to, manifest.transactions),
        (1, 6, 8)
    );
    assert_eq!(ArchiveManifest::read(&folder).expect("read"), manifest);
    let pruned = chain.replica.prune(&POLICY, 0).expect("prune");
    assert_eq!((pruned.blocks, pruned.transactions), (4, 7));
    (chain, folder, before)
}

fn dump(chain: &Chain) -> Vec<String> {
    crate::alter::dump(&crate::support::sqlite(&chain.path()))
}

/// Goal: an archive puts back every row as it was. Method: compare all rows of all tables with those
/// before pruning; also where a sender's transactions had been kept, and where nothing is missing.
#[test]
fn an_archive_restores_every_row() {
    let (chain, folder, before) = archived();
    let restored = chain.replica.restore_archive(&folder).expect("restore");
    assert_eq!((restored.from, restored.to), (1, 6));
    assert_eq!((restored.blocks, restored.transactions), (4, 7));
    assert_eq!(dump(&chain), before);
    assert_clean(&chain.path());
    let again = chain.replica.restore_archive(&folder).expect("restore");
    assert_eq!((again.blocks, again.transactions), (0, 0));

    let keeping = Policy {
        keep_sender: Some(key(1).public()),
        ..POLICY
    };
    let pruned = chain.replica.prune(&keeping, 0).expect("prune");
    assert_eq!(pruned.transactions, 3);
    let restored = chain.replica.restore_archive(&folder).expect("restore");
    assert_eq!((restored.blocks, restored.transactions), (2, 3));
    assert_eq!(dump(&chain), before);
    chain.grow(2);
    assert_clean(&chain.path());
}

/// Goal: a part can be archived; what is pruned or not there cannot; a folder in use is left alone.
#[test]
fn only_whole_blocks_are_archived() {
    let (chain, folder, _) = archived();
    let snapshot = chain.replica.read().expect("read");
    let export = |name: &str, from: u64, to: u64| {
        snapshot.export_archive(&chain.beside(name), Some(Height(from)), Some(Height(to)))
    };
    assert!(matches!(
        export("a", 1, 6),
        Err(ArchiveError::Pruned(Height(1)))
    ));
    assert!(matches!(
        export("b", 7, 9),
        Err(ArchiveError::NoBlocks { .. })
    ));
    let tip = export("c", 6, 99).expect("export");
    assert_eq!((tip.from, tip.to), (6, 6));
    let again = snapshot.export_archive(&folder, None, None);
    assert!(matches!(again, Err(ArchiveError::NotEmpty(_))));
    assert!(
        ArchiveManifest::read(&chain.beside("a")).is_err(),
        "a half archive is none"
    );
}

/// Goal: whatever is wrong with an archive, it is refused and nothing changes. Method: spoil each file at
/// many bytes, cut it, remove it; change each word of the manifest, hashes included.
#[test]
fn a_spoiled_archive_changes_nothing() {
    let (chain, folder, _) = archived();
    let rows = dump(&chain);
    let refused = |what: &str| {
        let outcome = chain.replica.restore_archive(&folder);
        assert!(outcome.is_err(), "{what}");
        assert_eq!(dump(&chain), rows, "{what}");
        outcome.expect_err("refused").to_string()
    };
    let names = [MANIFEST_FILE, "blocks-000000000001.zst"].map(|name| folder.join(name));
    for path in &names {
        let good = std::fs::read(path).expect("read");
        for at in (0..good.len()).step_by(good.len() / 60 + 1) {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            // Spaces and line ends between the manifest's words say nothing.
            if good[at].is_ascii_whitespace() {
                continue;
            }
            std::fs::write(path, &bytes).expect("write");
            refused(&format!("byte {at} of {}", path.display()));
        }
        std::fs::write(path, &good[..good.len() - 1]).expect("write");
        refused("cut");
        std::fs::remove_file(path).expect("remove");
        assert!(refused("missing").contains("cannot read"));
        std::fs::write(path, &good).expect("write");
    }
    chain.replica.restore_archive(&folder).expect("restore");
    assert_clean(&chain.path());
}

/// Goal: an archive that is whole in itself but of another chain, or of another history, is refused.
#[test]
fn a_foreign_archive_is_refused() {
    let (chain, folder, _) = archived();
    let other = Chain::new(3);
    other.grow(6);
    let outcome = other.replica.restore_archive(&folder);
    assert!(matches!(outcome, Err(ArchiveError::OtherChain)));
    // The same genesis, but other blocks.
    let fork = Chain::new(4);
    fork.grow(6);
    let outcome = fork.replica.restore_archive(&folder);
    assert!(matches!(
        outcome,
        Err(ArchiveError::Block {
            height: Height(1),
            ..
        })
    ));
    let short = Chain::new(4);
    let outcome = short.replica.restore_archive(&folder);
    assert!(matches!(outcome, Err(ArchiveError::Block { .. })));
    rewrite(&folder, |text| text.replace("\"blocks-", "\"../blocks-"));
    let outcome = chain.replica.restore_archive(&folder);
    assert!(matches!(outcome, Err(ArchiveError::Manifest(_))));
}

fn rewrite(folder: &Path, change: impl FnOnce(String) -> String) {
    let path = folder.join(MANIFEST_FILE);
    let text = std::fs::read_to_string(&path).expect("read");
    std::fs::write(&path, change(text)).expect("write");
}
