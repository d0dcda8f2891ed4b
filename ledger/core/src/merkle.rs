//! Merkle trees after RFC 6962, section 2.1: leaf `SHA-256(0x00 ‖ data)`, node `SHA-256(0x01 ‖ l ‖ r)`,
//! the left part the largest power of two smaller than the number of leaves, the empty tree `SHA-256("")`.
//!
//! The number of leaves is not part of the root. Whoever stores a root stores the count beside it, and
//! [`verify`] needs both, so that a path fits one leaf at one place only.

use std::ops::Range;

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

/// The hashes that lead from `count` leaves from `first` on to the root: those of the largest subtrees without one of
/// them, from left to right. `None` if there are no such leaves.
#[must_use]
pub fn range_path(leaves: &[Digest], first: usize, count: usize) -> Option<Vec<Digest>> {
    let end = first.checked_add(count)?;
    if count == 0 || end > leaves.len() {
        return None;
    }
    let (mut siblings, mut rest) = (Vec::new(), Vec::new());
    rest.push(0..leaves.len());
    while let Some(subtree) = rest.pop() {
        if subtree.end <= first || subtree.start >= end {
            siblings.push(root(leaves.get(subtree)?));
        } else if subtree.start < first || subtree.end > end {
            let (left, right) = halves(subtree);
            rest.extend([right, left]);
        }
    }
    Some(siblings)
}

/// The root that `siblings`, made by [`range_path`], lead to from the leaf hashes `part`, which begin at `first` of
/// `count` leaves; `None` if no tree of that size has such a path.
#[must_use]
pub fn root_from_range(
    part: &[Digest],
    first: u64,
    count: u64,
    siblings: &[Digest],
) -> Option<Digest> {
    let first = usize::try_from(first).ok()?;
    let end = first.checked_add(part.len())?;
    let count = usize::try_from(count).ok()?;
    if part.is_empty() || end > count {
        return None;
    }
    let mut siblings = siblings.iter();
    // What is still to be done, the next one last: a subtree to hash, or two hashes to join.
    let mut rest = vec![Some(0..count)];
    let mut done: Vec<Digest> = Vec::new();
    while let Some(next) = rest.pop() {
        match next {
            None => {
                let (right, left) = (done.pop()?, done.pop()?);
                done.push(node_hash(&left, &right));
            }
            Some(subtree) if subtree.end <= first || subtree.start >= end => {
                done.push(*siblings.next()?);
            }
            Some(subtree) if subtree.start >= first && subtree.end <= end => {
                let inner = subtree.start - first..subtree.end - first;
                done.push(root(part.get(inner)?));
            }
            Some(subtree) => {
                let (left, right) = halves(subtree);
                rest.extend([None, Some(right), Some(left)]);
            }
        }
    }
    let root = done.pop()?;
    siblings.next().is_none().then_some(root)
}

/// The two subtrees of one that has at least two leaves.
const fn halves(subtree: Range<usize>) -> (Range<usize>, Range<usize>) {
    let middle = subtree.start
        + (subtree.end - subtree.start)
            .div_ceil(2)
            .next_power_of_two();
    (subtree.start..middle, middle..subtree.end)
}
