//! Merkle trees after RFC 6962, section 2.1: leaf `SHA-256(0x00 ‖ data)`, node `SHA-256(0x01 ‖ l ‖ r)`,
//! the left part the largest power of two smaller than the number of leaves, the empty tree `SHA-256("")`.
//!
//! The number of leaves is not part of the root. Whoever stores a root stores the count beside it, and
//! [`verify`] needs both, so that a path fits one leaf at one place only.

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// Longest path this crate accepts: trees of up to 2³² leaves.
pub const MAX_PATH: usize = 32;

/// The hash of a leaf holding `data`.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(data);
    Digest(hasher.finalize().into())
}

/// The hash of a node above `left` and `right`.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [0; 65];
    bytes[0] = 1;
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Digest::of(&bytes)
}

/// The root over leaf hashes, in one pass and with a stack of one digest per level.
#[must_use]
pub fn root(leaves: &[Digest]) -> Digest {
    let mut stack: Vec<(u32, Digest)> = Vec::new();
    for leaf in leaves {
        let mut level = 0;
        let mut hash = *leaf;
        while let Some((_, left)) = stack.pop_if(|(below, _)| *below == level) {
            hash = node_hash(&left, &hash);
            level += 1;
        }
        stack.push((level, hash));
    }
    let Some((_, mut hash)) = stack.pop() else {
        return Digest::of(&[]);
    };
    while let Some((_, left)) = stack.pop() {
        hash = node_hash(&left, &hash);
    }
    hash
}

/// The sibling hashes from leaf `index` up to the root, lowest first (RFC 6962, section 2.1.1), or
/// `None` if there is no such leaf.
#[must_use]
pub fn path(leaves: &[Digest], index: usize) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    let (mut rest, mut at) = (leaves, index);
    let mut siblings = Vec::new();
    while rest.len() > 1 {
        let split = rest.len().next_power_of_two() / 2;
        let (left, right) = rest.split_at(split);
        if at < split {
            siblings.push(root(right));
            rest = left;
        } else {
            siblings.push(root(left));
            rest = right;
            at -= split;
        }
    }
    siblings.reverse();
    Some(siblings)
}

/// The root that `path` leads to from the leaf hash `leaf` at `index` of `count`, or `None` if no tree
/// of that size has such a path (RFC 9162, section 2.1.3.2).
#[must_use]
pub fn root_from_path(leaf: Digest, index: u64, count: u64, path: &[Digest]) -> Option<Digest> {
    if index >= count || path.len() > MAX_PATH {
        return None;
    }
    let (mut at, mut last) = (index, count - 1);
    let mut hash = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Whether the leaf hash `leaf` stands at `index` of a tree of `count` leaves with this `root`.
#[must_use]
pub fn verify(leaf: Digest, index: u64, count: u64, path: &[Digest], root: &Digest) -> bool {
    root_from_path(leaf, index, count, path).as_ref() == Some(root)
}
