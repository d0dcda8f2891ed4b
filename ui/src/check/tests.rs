//! Goal: a console says valid of a valid proof, names the right step of each broken one, and survives
//! any file. Method: a proof made with `ledger-core`, changed in one place at a time.

use std::cell::Cell;

use ledger_core::batch::{BatchTree, StreamLeaves};
use ledger_core::block::{BLOCK_VERSION, tx_leaves, tx_root};
use ledger_core::certificate::{CommitSignature, VoteContent, VoteKind};
use ledger_core::governance::Node;
use ledger_core::reading::{SaltSource, commitment};
use ledger_core::{
    BatchNumber, Certificate, Decimal, Digest, Header, Height, Nonce, OrganisationId, Origin,
    Payload, Quality, Reading, SecretKey, SignedTransaction, StreamId, TransactionBody, Value,
    merkle,
};
use proptest::prelude::*;

use super::*;
use crate::words::proof as words;

fn genesis(name: &str) -> (Genesis, SecretKey) {
    let key = SecretKey::from_seed(&[7; 32]);
    let node = Node::with_one_key(key.public(), "fog-1".into());
    let (id, nonce) = (OrganisationId::default(), Digest::of(b"test"));
    let genesis = Genesis::of_one(name.into(), 1_000, id, node, nonce).unwrap();
    (genesis, key)
}

fn reading(stream: StreamId, sequence: u64) -> Reading {
    Reading {
        stream,
        sequence,
        code: "59408-5".into(),
        unit: "%".into(),
        value: Value::Quantity(Decimal::whole(97)),
        quality: Quality::Good,
        origin: Origin::Simulated,
        device_time_millis: None,
        host_time_millis: 1_776_175_334_000,
    }
}

/// Reading 12 of 20, in the second of three streams.
pub(crate) fn proof() -> (Proof, Genesis) {
    let (genesis, key) = genesis("Harbour");
    let salts = SaltSource::new(&[3; 32]);
    let leaves = |stream: u8| {
        let stream = StreamId([stream; 16]);
        let leaf =
            |n| merkle::leaf_hash(&commitment(&salts.reading(n), &reading(stream, n).encode()).0);
        StreamLeaves {
            stream,
            salt: salts.batch(5),
            first_sequence: 5,
            leaves: (5..25).map(leaf).collect(),
        }
    };
    let tree = BatchTree::build(vec![leaves(1), leaves(2), leaves(3)]).unwrap();
    let stream = StreamId([2; 16]);
    let body = TransactionBody {
        chain: genesis.chain_id(),
        nonce: Nonce(0),
        payload: Payload::AnchorBatch(tree.anchor(BatchNumber(4))),
    };
    let transaction = SignedTransaction::sign(&body, &key);
    let ids = [Digest::of(b"other"), transaction.id()];
    let validators_hash = genesis.validators.hash();
    let header = Header {
        version: BLOCK_VERSION,
        chain: genesis.chain_id(),
        height: Height(9),
        time_millis: 1_776_175_340_530,
        proposer: key.public(),
        parent: Digest::of(b"parent"),
        tx_count: 2,
        tx_root: tx_root(&ids),
        state_root: Digest::of(b"state"),
        validators_hash,
        next_validators_hash: validators_hash,
    };
    let vote = VoteContent {
        kind: VoteKind::Precommit,
        chain: genesis.chain_id(),
        height: Height(9),
        round: 0,
        block: Some(header.hash()),
        validator: key.public(),
    };
    let proof = Proof {
        chain: genesis.chain_id(),
        reading: reading(stream, 12),
        salt: salts.reading(12),
        batch_path: tree.path(stream, 12).unwrap(),
        transaction: transaction.encode(),
        transaction_index: 1,
        transaction_path: merkle::path(&tx_leaves(&ids), 1).unwrap(),
        certificate: Certificate {
            height: Height(9),
            round: 0,
            block: header.hash(),
            signatures: vec![CommitSignature {
                validator: 0,
                signature: key.sign(&vote.sign_bytes()),
            }],
        },
        header,
        changes: Vec::new(),
    };
    (proof, genesis)
}

fn checked(proof: &Proof, genesis: &Genesis) -> Checked {
    let now = Cell::new(0.0);
    check(proof, genesis, || {
        now.set(now.get() + 0.5);
        now.get()
    })
}

#[test]
fn a_valid_proof_holds_and_says_so() {
    let (proof, genesis) = proof();
    let checked = checked(&proof, &genesis);
    assert!(checked.is_valid(), "{checked:?}");
    assert_eq!((checked.held(), checked.broken()), (6, None));
    assert!((checked.millis() - 3.0).abs() < 1e-9);
    assert_eq!(
        words::heading(&proof, &checked, &genesis, 0),
        "This reading existed on Tuesday 14 April at 14:02:20 and has not changed since."
    );
    assert_eq!(
        words::value(&proof.reading),
        ("SpO₂ 97".to_owned(), "%".to_owned())
    );
    assert!(
        words::source(&proof, &checked, &genesis).starts_with("Six checks, all passed in 3.0 ms")
    );
    let done: Vec<_> = Check::ALL
        .iter()
        .map(|which| words::done(*which, &proof, &genesis))
        .collect();
    assert_eq!(
        done[1],
        "Seven sibling hashes lead from the leaf to the batch root."
    );
    assert_eq!(
        done[2],
        "Signed by fog-1 over exactly these bytes: batch 4 with 60 readings."
    );
    assert_eq!(
        done[3],
        "One sibling hash leads to the transactions root of block 9."
    );
    assert_eq!(
        words::place(&proof),
        "The batch holds 20 readings of this stream; this is number 8."
    );
    assert_eq!(words::codes(&proof.reading), "LOINC 59408-5, in %");
}

/// A file with another value, salt, transaction, header, signature or chain breaks at its own step.
#[test]
fn each_change_breaks_its_own_step() {
    type Change = fn(&mut Proof);
    let changes: [(usize, Change); 6] = [
        (1, |proof| {
            proof.reading.value = Value::Quantity(Decimal::whole(96))
        }),
        (2, |proof| proof.batch_path.entry_path[0] = Digest::ZERO),
        (3, |proof| {
            let end = proof.transaction.len() - 1;
            proof.transaction[end] ^= 1;
        }),
        (4, |proof| proof.transaction_index = 0),
        (5, |proof| proof.certificate.signatures.clear()),
        (6, |proof| {
            proof.changes.push(ledger_core::proof::ValidatorChange {
                header: proof.header.clone(),
                certificate: proof.certificate.clone(),
                next: genesis("Harbour").0.validators,
            })
        }),
    ];
    for (number, change) in changes {
        let (mut proof, genesis) = proof();
        change(&mut proof);
        let checked = checked(&proof, &genesis);
        let (broken, step) = checked.broken().expect("a changed proof must not hold");
        assert_eq!(broken, number, "{checked:?}");
        assert!(!words::meaning(step.outcome.check).is_empty());
        assert!(
            words::heading(&proof, &checked, &genesis, 0).contains(&format!("step {number} of 6"))
        );
    }
}

#[test]
fn another_genesis_is_another_chain() {
    let (proof, _) = proof();
    let checked = checked(&proof, &genesis("Quayside").0);
    assert!(!checked.is_valid());
    assert_eq!(checked.steps[5].outcome.holds, Some(false));
    let other = genesis("Quayside").0;
    assert_eq!(
        words::heading(&proof, &checked, &other, 0),
        "This proof belongs to another chain."
    );
    assert!(words::source(&proof, &checked, &other).contains("the genesis of Quayside"));
}

#[test]
fn files_are_told_apart() {
    let (proof, genesis) = proof();
    let (proof_file, genesis_file) = (proof.to_file(), genesis.to_file());
    assert_eq!(read_file(&proof_file), Ok(Content::Proof(Box::new(proof))));
    assert_eq!(
        read_file(&genesis_file),
        Ok(Content::Genesis(Box::new(genesis)))
    );
    let cases: [(&[u8], Unreadable); 7] = [
        (b"", Unreadable::Empty),
        (&proof_file[..100], Unreadable::BrokenProof),
        (b"FWPROOF1", Unreadable::BrokenProof),
        (&genesis_file[..20], Unreadable::BrokenGenesis),
        (b"FWPROOF2 and so on", Unreadable::OtherVersion),
        (b"%PDF-1.7", Unreadable::Foreign),
        (&vec![0; MAX_FILE_BYTES + 1], Unreadable::TooLong),
    ];
    for (bytes, expected) in cases {
        assert_eq!(read_file(bytes), Err(expected));
        let words = words::unreadable(expected);
        assert!(
            [words.what, words.why, words.next]
                .iter()
                .all(|part| part.len() > 10)
        );
    }
}

proptest! {
    /// Whatever byte of the file is flipped, the console does not say valid.
    #[test]
    fn no_flipped_byte_is_valid(at in 0..10_000usize, bit in 0..8u8) {
        let (proof, genesis) = proof();
        let mut file = proof.to_file();
        let at = at % file.len();
        file[at] ^= 1 << bit;
        if let Ok(Content::Proof(proof)) = read_file(&file) {
            prop_assert!(!checked(&proof, &genesis).is_valid());
        }
    }

    /// Any bytes are told apart without a panic.
    #[test]
    fn any_bytes_are_read(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), proof in any::<bool>()) {
        let _ = read_file(&bytes);
        bytes.splice(0..0, *if proof { PROOF_MAGIC } else { GENESIS_MAGIC });
        let _ = read_file(&bytes);
        let _ = Pinned::read(&String::from_utf8_lossy(&bytes));
    }

    /// The picture's directions are those by which the root is computed.
    #[test]
    fn sides_lead_to_the_root(count in 1..200u64, pick in 0..200u64) {
        let index = pick % count;
        let leaves: Vec<_> = (0..count).map(|n| merkle::leaf_hash(&n.to_be_bytes())).collect();
        let path = merkle::path(&leaves, index as usize).unwrap();
        let mut hash = leaves[index as usize];
        for (sibling, left) in path.iter().zip(sides(index, count, path.len())) {
            hash = if left { merkle::node_hash(sibling, &hash) } else { merkle::node_hash(&hash, sibling) };
        }
        prop_assert_eq!(hash, merkle::root(&leaves));
    }
}

/// The picture has one own node and one sibling a level, all inside its box.
#[test]
fn the_picture_stays_in_its_box() {
    let (proof, _) = proof();
    let levels = levels(&proof);
    assert_eq!(levels.len(), 5 + 2);
    assert_eq!(levels.iter().filter(|level| level.among_streams).count(), 2);
    for most in [0, 3, 8] {
        let picture = picture(&levels, most);
        let shown = levels.len().min(most);
        assert_eq!(
            (
                picture.own.len(),
                picture.siblings.len(),
                picture.edges.len()
            ),
            (shown + 1, shown, 2 * shown)
        );
        let inside =
            |(x, y): &(f32, f32)| (0.0..960.0).contains(x) && (0.0..=picture.height).contains(y);
        assert!(picture.own.iter().chain(&picture.siblings).all(inside));
    }
}

/// A saved file's name is short and holds nothing but letters, digits and a dash.
#[test]
fn file_names_are_tame() {
    for (reading, expected) in [
        (
            "03966559cfe71fdaf0b2906dbf04c27f.476",
            "reading-03966559-476.fwproof",
        ),
        ("../../x", "reading--.fwproof"),
        ("", "reading--.fwproof"),
    ] {
        assert_eq!(words::file_name(reading), expected);
    }
}

/// The first genesis is pinned; another one later never takes its place by itself.
#[test]
fn a_changed_genesis_is_noticed() {
    let (ours, _) = genesis("Harbour");
    let (other, _) = genesis("Quayside");
    let Trust::First(pinned) = Trust::decide(None, ours.clone(), 5) else {
        panic!("nothing was pinned")
    };
    let kept = Pinned::read(&pinned.to_text());
    assert_eq!(kept, Some(pinned.clone()));
    assert_eq!(
        Trust::decide(kept.clone(), ours.clone(), 9),
        Trust::Same(pinned.clone())
    );
    let changed = Trust::decide(kept, other.clone(), 9);
    assert_eq!(
        changed,
        Trust::Changed {
            pinned,
            offered: Box::new(other)
        }
    );
    assert_eq!(changed.genesis(), &ours);
    for text in ["", "x", "5 zz", "5 46", "5 é", "five 00"] {
        assert_eq!(Pinned::read(text), None, "{text}");
    }
}
