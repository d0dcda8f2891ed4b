//! State proofs: what is there and what is not, and that nothing else can be shown.

use jmt::{JellyfishMerkleTree, RootHash};
use ledger_core::canonical::encode;
use ledger_core::state::{StateKey, Writes};
use ledger_core::state_proof::{End, StateProof, StateProofError, prove};
use ledger_core::state_tree::{StateHasher, key_hash, root_after};
use ledger_core::{Digest, Height, LightError};
use proptest::prelude::*;

use crate::light::{Chain, NOW};
use crate::support::Tree;

/// The tree of the entries `0..count`, and its root.
fn tree(count: u64) -> (Tree, Digest) {
    let writes: Writes = (0..count).map(|at| (entry(at), value(at))).collect();
    let (root, update) = root_after(&Tree::default(), Height(0), &writes).expect("a root");
    let values = writes
        .into_iter()
        .map(|(key, value)| (key_hash(&key), value));
    let tree = Tree {
        nodes: update.node_batch.nodes().clone(),
        values: values.collect(),
    };
    (tree, root)
}

/// Named like a device, which most entries of a state are.
fn entry(at: u64) -> StateKey {
    StateKey::device(&Digest::of(&at.to_be_bytes()))
}

/// As long as a registered device.
fn value(at: u64) -> Vec<u8> {
    [at.to_be_bytes().as_slice(), &[7; 100]].concat()
}

/// Goal: in states of every small size, entries are proven present and others absent, in all three
/// forms, and the library that made the tree agrees.
#[test]
fn present_and_absent_are_proven() {
    let mut ends = [0; 3];
    for count in 1..40 {
        let (store, root) = tree(count);
        for at in 0..count + 40 {
            let (key, expected) = (entry(at), (at < count).then(|| value(at)));
            let proof = prove(&store, Height(0), &key).expect("a proof");
            assert_eq!(proof.verify(&root, &key), Ok(expected.as_deref()));
            assert_eq!(StateProof::decode(&proof.encode()), Ok(proof.clone()));
            ends[match proof.end {
                End::Value(_) => 0,
                End::Other { .. } => 1,
                End::Empty => 2,
            }] += 1;
            let library = JellyfishMerkleTree::<_, StateHasher>::new(&store);
            let (_, oracle) = library.get_with_proof(key_hash(&key), 0).expect("a proof");
            let root = RootHash(root.0);
            assert!(oracle.verify(root, key_hash(&key), expected).is_ok());
        }
    }
    assert!(ends.iter().all(|count| *count > 0), "{ends:?}");
}

/// Goal: a proof of a state of a million entries is at most 4 kB. Method: the longest of a sample from
/// 8,000 entries, and room for what a larger tree adds: seven levels of 33 bytes for a million, and ten
/// for luck. `fogward bench light` measures larger states.
#[test]
fn proofs_are_short() {
    let (store, root) = tree(8_000);
    let longest = (0..400).map(|at| {
        let key = entry(at * 20);
        let proof = prove(&store, Height(0), &key).expect("a proof");
        proof.verify(&root, &key).expect("holds");
        proof.encode().len()
    });
    let longest = longest.max().unwrap_or_default();
    assert!((300..1200).contains(&longest), "{longest}");
    assert!(longest + 17 * 33 <= 4096);
}

/// Goal: no proof shows what is not so: another value, another key, a key that is there as absent.
#[test]
fn nothing_else_can_be_shown() {
    let (store, root) = tree(100);
    let present = prove(&store, Height(0), &entry(5)).expect("a proof");
    let absent = prove(&store, Height(0), &entry(1000)).expect("a proof");
    assert!(present.verify(&root, &entry(6)).is_err());
    assert!(present.verify(&Digest::of(b"x"), &entry(5)).is_err());
    let with = |end: End| StateProof {
        end,
        siblings: present.siblings.clone(),
    };
    assert_eq!(
        with(End::Value(value(6))).verify(&root, &entry(5)),
        Err(StateProofError::Root)
    );
    assert_eq!(
        with(End::Empty).verify(&root, &entry(5)),
        Err(StateProofError::Root)
    );
    let own = End::Other {
        key_hash: Digest(key_hash(&entry(5)).0),
        value_hash: Digest::of(&value(5)),
    };
    assert_eq!(
        with(own.clone()).verify(&root, &entry(5)),
        Err(StateProofError::Place)
    );
    // The leaf of entry 5 is in the tree, but says nothing of keys that are not on its way.
    assert_eq!(
        with(own).verify(&root, &entry(1000)),
        Err(StateProofError::Place)
    );
    let mut spelled = absent.clone();
    let empty = Digest(*b"SPARSE_MERKLE_PLACEHOLDER_HASH__");
    spelled.siblings.insert(0, Some(empty));
    assert_eq!(
        spelled.verify(&root, &entry(1000)),
        Err(StateProofError::Form)
    );
    let long = StateProof {
        end: End::Empty,
        siblings: vec![None; 257],
    };
    assert_eq!(long.verify(&root, &entry(5)), Err(StateProofError::Form));
    assert!(StateProof::decode(&encode(&long)).is_err());
}

/// Goal: a client proves state against the block it trusts, and has none to prove before block 1.
#[test]
fn a_client_proves_against_its_block() {
    let (store, root) = tree(50);
    let mut chain = Chain::new(&[&[1, 2, 3, 4]]);
    let mut block = chain.at(1);
    block.header.state_root = root;
    chain.resign(&mut block, &[1, 2, 3, 4]);
    chain.blocks = vec![block];
    let (here, gone) = (entry(3), entry(77));
    let proof = |key| prove(&store, Height(0), key).expect("a proof");
    assert_eq!(
        chain.client().verify_state(&here, &proof(&here)),
        Err(LightError::NoState)
    );
    let mut client = chain.client();
    client.advance(chain.at(1), NOW).expect("follows");
    assert_eq!(
        client.verify_state(&here, &proof(&here)),
        Ok(Some(value(3).as_slice()))
    );
    assert_eq!(client.verify_state(&gone, &proof(&gone)), Ok(None));
    let lie = client
        .verify_state(&gone, &proof(&here))
        .expect_err("a lie");
    assert!(lie.is_lie());
    assert_eq!(lie.code(), "state_proof");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Goal: whatever bit of a proof is flipped, it shows nothing else than before.
    #[test]
    fn any_flipped_bit_is_refused(count in 1u64..60, at in 0u64..80, place: prop::sample::Index, bit in 0u8..8) {
        let (store, root) = tree(count);
        let proof = prove(&store, Height(0), &entry(at)).expect("a proof");
        let mut bytes = proof.encode();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        if let Ok(spoiled) = StateProof::decode(&bytes) {
            prop_assert!(spoiled.verify(&root, &entry(at)).is_err());
        }
    }
}
