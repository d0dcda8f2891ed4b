//! State proofs: what the state holds under a key, or that it holds nothing, against the `state_root` of
//! a header.
//!
//! ```text
//! leaf   = SHA-256( "JMT::LeafNode" ‖ SHA-256(key) ‖ SHA-256(value) )
//! node   = SHA-256( "JMT::IntrnalNode" ‖ left ‖ right )          (the tag is 16 bytes, hence its spelling)
//! empty  = "SPARSE_MERKLE_PLACEHOLDER_HASH__"
//! proof  = postcard( end, siblings: list of option of [32], the lowest first; none = empty )
//! end    = 0 value: bytes | 1 other: key hash [32], value hash [32] | 2 empty
//! ```
//!
//! From the root, bit 0 (the highest) of SHA-256(key) says left or right, then bit 1, and so on; the last
//! sibling is the root's. A key is absent where its way ends in an empty place, or at another key's leaf
//! that shares the whole way.
//!
//! A proof has one sibling a level. Keys are hashed, so a state of n entries has about log₂ n levels: 20
//! for a million, and even one key whose hash was searched for with 2⁶⁰ tries has 80.
//!
//! Left out: which header carries the root; [`crate::light`] tells. The library's own proofs are not
//! sent: they hold both children of each sibling and are twice as long.

use jmt::JellyfishMerkleTree;
use jmt::proof::{INTERNAL_DOMAIN_SEPARATOR, LEAF_DOMAIN_SEPARATOR, SparseMerkleProof};
use jmt::storage::TreeReader;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::canonical::{self, DecodeError};
use crate::digest::Digest;
use crate::ids::Height;
use crate::state::{MAX_STATE_VALUE_BYTES, StateKey, StateReadError};
use crate::state_tree::{StateHasher, key_hash};

/// Most siblings: one for each bit of a key's hash.
pub const MAX_SIBLINGS: usize = 256;
/// Longest proof in bytes: the longest value and 256 siblings.
pub const MAX_STATE_PROOF_BYTES: usize = MAX_STATE_VALUE_BYTES + 16 * 1024;

const EMPTY: Digest = Digest(*b"SPARSE_MERKLE_PLACEHOLDER_HASH__");

/// What stands where a key's way through the tree ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum End {
    /// The key's own leaf, with its value.
    Value(Vec<u8>),
    /// The leaf of another key.
    Other {
        /// SHA-256 of the other key.
        key_hash: Digest,
        /// SHA-256 of its value.
        value_hash: Digest,
    },
    /// Nothing.
    Empty,
}

/// Shows what a state holds under one key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StateProof {
    /// Where the key's way ends.
    pub end: End,
    /// The siblings on the way, the lowest first; `None` for an empty one.
    #[serde(deserialize_with = "canonical::bounded::<_, _, MAX_SIBLINGS>")]
    pub siblings: Vec<Option<Digest>>,
}

/// Why a state proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateProofError {
    /// Not the root that the header carries.
    #[error("it does not lead to the state root")]
    Root,
    /// The other leaf is on another way, or is the key's own.
    #[error("it does not lead to where the key would be")]
    Place,
    /// Longer than a tree is deep, or an empty sibling that is spelled out.
    #[error("its siblings are not in their one form")]
    Form,
}

impl StateProof {
    /// Its canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::encode(self)
    }

    /// Reads a state proof's canonical bytes; nothing is verified yet.
    ///
    /// # Errors
    /// [`DecodeError`] if they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        canonical::decode(bytes, MAX_STATE_PROOF_BYTES)
    }

    /// What the state with this `root` holds under `key`: the value, or `None` if nothing.
    ///
    /// # Errors
    /// [`StateProofError`].
    pub fn verify(&self, root: &Digest, key: &StateKey) -> Result<Option<&[u8]>, StateProofError> {
        let spelled_out = self.siblings.contains(&Some(EMPTY));
        if self.siblings.len() > MAX_SIBLINGS || spelled_out {
            return Err(StateProofError::Form);
        }
        let way = Digest(key_hash(key).0);
        let (start, value) = match &self.end {
            End::Value(value) => (leaf_hash(&way, &Digest::of(value)), Some(value.as_slice())),
            End::Other {
                key_hash,
                value_hash,
            } => {
                if *key_hash == way || shared_bits(key_hash, &way) < self.siblings.len() {
                    return Err(StateProofError::Place);
                }
                (leaf_hash(key_hash, value_hash), None)
            }
            End::Empty => (EMPTY, None),
        };
        let levels = (0..self.siblings.len()).rev();
        let reached = levels
            .zip(&self.siblings)
            .fold(start, |below, (level, sibling)| {
                let sibling = sibling.unwrap_or(EMPTY);
                if bit(&way, level) {
                    node_hash(&sibling, &below)
                } else {
                    node_hash(&below, &sibling)
                }
            });
        if reached == *root {
            Ok(value)
        } else {
            Err(StateProofError::Root)
        }
    }
}

/// The proof of what the tree holds under `key` at `height`.
///
/// # Errors
/// [`StateReadError`] if the tree cannot be read.
pub fn prove<R: TreeReader>(
    reader: &R,
    height: Height,
    key: &StateKey,
) -> Result<StateProof, StateReadError> {
    let tree = JellyfishMerkleTree::<R, StateHasher>::new(reader);
    let (value, proof) = tree
        .get_with_proof(key_hash(key), height.0)
        .map_err(|error| StateReadError(error.to_string()))?;
    let library = LibraryProof::read(&proof)?;
    let end = match (value, library.leaf) {
        (Some(value), _) => End::Value(value),
        (None, Some((key_hash, value_hash))) => End::Other {
            key_hash,
            value_hash,
        },
        (None, None) => End::Empty,
    };
    let siblings = library.siblings.iter().map(LibraryNode::hash).collect();
    Ok(StateProof { end, siblings })
}

/// The library's proof as it serialises it; its fields are not public.
#[derive(Deserialize)]
struct LibraryProof {
    leaf: Option<(Digest, Digest)>,
    siblings: Vec<LibraryNode>,
}

#[derive(Deserialize)]
enum LibraryNode {
    Null,
    Internal((Digest, Digest)),
    Leaf((Digest, Digest)),
}

impl LibraryProof {
    fn read(proof: &SparseMerkleProof<StateHasher>) -> Result<Self, StateReadError> {
        let bytes = canonical::encode(proof);
        postcard::from_bytes(&bytes)
            .map_err(|_| StateReadError("the tree's proof has an unknown form".into()))
    }
}

impl LibraryNode {
    fn hash(&self) -> Option<Digest> {
        match self {
            Self::Null => None,
            Self::Internal((left, right)) => Some(node_hash(left, right)),
            Self::Leaf((key, value)) => Some(leaf_hash(key, value)),
        }
    }
}

fn leaf_hash(key: &Digest, value: &Digest) -> Digest {
    joined(LEAF_DOMAIN_SEPARATOR, key, value)
}

fn node_hash(left: &Digest, right: &Digest) -> Digest {
    joined(INTERNAL_DOMAIN_SEPARATOR, left, right)
}

fn joined(tag: &[u8], one: &Digest, two: &Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(tag);
    hasher.update(one.0);
    hasher.update(two.0);
    Digest(hasher.finalize().into())
}

/// Bit `at` of a hash, the highest of the first byte being bit 0.
fn bit(hash: &Digest, at: usize) -> bool {
    hash.0
        .get(at / 8)
        .is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1)
}

/// How many leading bits two hashes share.
fn shared_bits(one: &Digest, two: &Digest) -> usize {
    let levels = 0..MAX_SIBLINGS;
    levels
        .take_while(|at| bit(one, *at) == bit(two, *at))
        .count()
}
