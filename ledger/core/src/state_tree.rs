//! The state root: a Jellyfish Merkle tree (Gao, Hu, Wu 2021; crate `jmt`) over SHA-256, one version
//! per height. Key hash = SHA-256 of the state key's bytes. Proofs against it are in
//! [`crate::state_proof`].

use jmt::storage::{TreeReader, TreeUpdateBatch};
use jmt::{JellyfishMerkleTree, KeyHash, SimpleHasher};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::ids::Height;
use crate::state::{StateKey, StateReadError, Writes};

/// SHA-256 for the tree.
#[derive(Debug)]
pub struct StateHasher(Sha256);

impl SimpleHasher for StateHasher {
    fn new() -> Self {
        Self(Sha256::new())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The tree's name for a state key.
#[must_use]
pub fn key_hash(key: &StateKey) -> KeyHash {
    KeyHash(Digest::of(&key.0).0)
}

/// The root after `writes` at `height`, and the tree nodes to store for it.
///
/// # Errors
/// [`StateReadError`] if the tree before cannot be read.
pub fn root_after<R: TreeReader>(
    reader: &R,
    height: Height,
    writes: &Writes,
) -> Result<(Digest, TreeUpdateBatch), StateReadError> {
    let tree = JellyfishMerkleTree::<R, StateHasher>::new(reader);
    let values = writes
        .iter()
        .map(|(key, value)| (key_hash(key), Some(value.clone())));
    let (root, update) = tree
        .put_value_set(values, height.0)
        .map_err(|error| StateReadError(error.to_string()))?;
    Ok((Digest(root.0), update))
}
