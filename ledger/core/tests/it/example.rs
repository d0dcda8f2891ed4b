//! The example of `docs/proof-format.md`: its files, and every number its text quotes.

use std::path::{Path, PathBuf};

use ledger_core::canonical::encode;
use ledger_core::certificate::{VoteContent, VoteKind};
use ledger_core::merkle::leaf_hash;
use ledger_core::{Genesis, Payload, Proof, SignedTransaction};

use crate::golden::compare;
use crate::support::proof;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn example() -> (Genesis, Proof) {
    proof(&[1, 2, 3, 4], &[2, 3, 4, 5], &[2, 4, 5])
}

/// Goal: the example files are what this code writes, and valid.
#[test]
fn example_files_are_valid() {
    let (genesis, proof) = example();
    compare(
        &docs().join("examples/example.fwgenesis"),
        &genesis.to_file(),
    );
    compare(&docs().join("examples/example.fwproof"), &proof.to_file());
    let read = |name| std::fs::read(docs().join("examples").join(name)).expect("read");
    let genesis = Genesis::from_file(&read("example.fwgenesis")).expect("a genesis");
    let verdict = Proof::from_file(&read("example.fwproof"))
        .expect("a proof")
        .verify(&genesis);
    assert!(verdict.valid, "{verdict:#?}");
}

/// Goal: every value the specification's worked example quotes is the real one.
#[test]
fn the_text_quotes_the_example() {
    let text = std::fs::read_to_string(docs().join("proof-format.md")).expect("read");
    for (name, bytes) in quoted() {
        let line = format!("{name} = {}", hex::encode(bytes));
        assert!(
            text.lines().any(|found| found == line),
            "missing in the text:\n{line}"
        );
    }
}

fn quoted() -> Vec<(&'static str, Vec<u8>)> {
    let (genesis, proof) = example();
    let transaction = SignedTransaction::decode(&proof.transaction).expect("a transaction");
    let body = transaction.body().expect("a body");
    let Payload::AnchorBatch(anchor) = body.payload else {
        panic!("an anchor")
    };
    let change = &proof.changes[0];
    let validators = &change.next;
    let signer = usize::from(proof.certificate.signatures[0].validator);
    let vote = VoteContent {
        kind: VoteKind::Precommit,
        chain: proof.chain,
        height: proof.header.height,
        round: proof.certificate.round,
        block: Some(proof.header.hash()),
        validator: validators.as_slice()[signer].key,
    };
    let entry = &proof.batch_path.entry;
    vec![
        ("chain id", genesis.chain_id().0.0.to_vec()),
        ("reading", proof.reading.encode()),
        ("salt", proof.salt.0.to_vec()),
        ("commitment", proof.commitment().0.to_vec()),
        ("reading leaf", leaf_hash(&proof.commitment().0).0.to_vec()),
        ("stream root", entry.root.0.to_vec()),
        ("stream entry", encode(entry)),
        ("stream entry leaf", entry.leaf().0.to_vec()),
        ("batch root", anchor.root.0.to_vec()),
        ("transaction body", encode(&body)),
        ("transaction id", transaction.id().0.to_vec()),
        (
            "transaction leaf",
            leaf_hash(&transaction.id().0).0.to_vec(),
        ),
        ("tx_root", proof.header.tx_root.0.to_vec()),
        ("header", proof.header.encode()),
        ("block hash", proof.header.hash().0.to_vec()),
        ("validators hash", validators.hash().0.to_vec()),
        ("first vote", vote.sign_bytes()),
        (
            "first signature",
            proof.certificate.signatures[0].signature.0.to_vec(),
        ),
        ("change block hash", change.header.hash().0.to_vec()),
    ]
}

/// Goal: each quoted value has a name of its own. With `FOGWARD_RECORD_GOLDEN=1` they are printed, for
/// whoever brings the text up to date.
#[test]
fn quoted_names_are_unique() {
    let quoted = quoted();
    let names: std::collections::BTreeSet<_> = quoted.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), quoted.len());
    if std::env::var_os("FOGWARD_RECORD_GOLDEN").is_some() {
        for (name, bytes) in quoted {
            eprintln!("{name} = {}", hex::encode(bytes));
        }
    }
}
