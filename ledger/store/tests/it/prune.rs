//! The state tree keeps the tip only, and stays provable.

use jmt::{JellyfishMerkleTree, RootHash};
use ledger_core::state::{StateKey, StateView as _};
use ledger_core::state_tree::{StateHasher, key_hash};

use crate::support::{Chain, assert_clean, key, sqlite};

/// Goal: the tree neither grows with the chain nor loses its proofs. Method: prove every entry and an
/// absent one against the header's state root while blocks are appended.
#[test]
fn pruning_keeps_proofs_and_bounds_the_tree() {
    let chain = Chain::new(4);
    chain.append(&[
        chain.register(2, 0, b"a"),
        chain.register(2, 1, b"b"),
        chain.register(3, 0, b"c"),
    ]);
    chain.append(&[chain.anchor(1)]);
    let nodes = count(&chain);
    for _ in 0..8 {
        chain.grow(20);
        proofs_hold(&chain);
        assert_eq!(count(&chain), nodes);
    }
    assert_clean(&chain.path());
}

fn count(chain: &Chain) -> i64 {
    let select = "SELECT count(*) FROM tree_nodes";
    sqlite(&chain.path())
        .query_row(select, [], |row| row.get(0))
        .expect("count")
}

fn proofs_hold(chain: &Chain) {
    let snapshot = chain.replica.read().expect("read");
    let header = &snapshot.tip().expect("a tip").header;
    let root = RootHash(header.state_root.0);
    let tree = JellyfishMerkleTree::<_, StateHasher>::new(&snapshot);
    let keys = [
        StateKey::clock(),
        StateKey::genesis(),
        StateKey::validators(),
        StateKey::member(&key(4).public()),
        StateKey::account(&key(1).public()),
        StateKey::anchor(&key(1).public()),
        StateKey::anchor(&key(4).public()),
    ];
    for state_key in keys {
        let expected = snapshot.get(&state_key).expect("read");
        let (value, proof) = tree
            .get_with_proof(key_hash(&state_key), header.height.0)
            .expect("proof");
        assert_eq!(value, expected);
        proof
            .verify(root, key_hash(&state_key), value)
            .expect("a valid proof");
    }
}
