//! Batches: what goes in, and what a path into one proves.

use ledger_core::batch::BatchError;
use ledger_core::{BatchNumber, BatchPart, BatchTree, Digest, StreamLeaves};
use proptest::prelude::*;

use crate::support::{salts, stream};

fn leaves(number: u8, first_sequence: u64, count: usize) -> StreamLeaves {
    StreamLeaves {
        stream: stream(number),
        salt: salts(stream(number)).batch(first_sequence),
        first_sequence,
        leaves: (0..count)
            .map(|at| ledger_core::merkle::leaf_hash(&commitment(number, at).0))
            .collect(),
    }
}

fn commitment(number: u8, at: usize) -> Digest {
    Digest::of(&[number, at as u8, (at >> 8) as u8])
}

/// Goal: what is no batch is refused.
#[test]
fn bad_batches_are_refused() {
    let build = |streams| BatchTree::build(streams).map(|_| ());
    assert_eq!(build(vec![]), Err(BatchError::Empty));
    assert_eq!(
        build(vec![leaves(1, 0, 3), leaves(2, 0, 0)]),
        Err(BatchError::Empty)
    );
    assert_eq!(
        build(vec![leaves(1, 0, 3), leaves(1, 3, 3)]),
        Err(BatchError::DuplicateStream)
    );
}

/// Goal: the order in which streams are given does not matter.
#[test]
fn order_does_not_matter() {
    let anchor = |streams| {
        BatchTree::build(streams)
            .expect("a batch")
            .anchor(BatchNumber(0))
    };
    let (a, b, c) = (leaves(1, 7, 3), leaves(2, 0, 1), leaves(3, 9, 8));
    let expected = anchor(vec![a.clone(), b.clone(), c.clone()]);
    assert_eq!(anchor(vec![c, a, b]), expected);
    assert_eq!((expected.streams, expected.readings), (3, 12));
}

proptest! {
    /// Goal: each reading of a batch is proven at its own place, and at no other.
    #[test]
    fn paths_prove_one_place(counts in prop::collection::vec(1usize..20, 1..12), first in 0u64..1000, which: prop::sample::Index, at: prop::sample::Index) {
        let streams: Vec<_> = (1u8..).zip(&counts).map(|(number, count)| leaves(number, first, *count)).collect();
        let tree = BatchTree::build(streams).expect("a batch");
        let anchor = tree.anchor(BatchNumber(0));
        let place = which.index(counts.len());
        let (number, at) = (place as u8 + 1, at.index(counts[place]));
        let sequence = first + at as u64;
        let path = tree.path(stream(number), sequence).expect("a path");
        let own = commitment(number, at);
        prop_assert!(path.verify(stream(number), sequence, &own, &anchor));
        prop_assert!(!path.verify(stream(number), sequence + 1, &own, &anchor));
        prop_assert!(!path.verify(stream(number), sequence.wrapping_sub(1), &own, &anchor));
        prop_assert!(!path.verify(stream(number + 1), sequence, &own, &anchor));
        prop_assert!(!path.verify(stream(number), sequence, &Digest::ZERO, &anchor));
        let mut other = path.clone();
        other.entry.first_sequence += 1;
        prop_assert!(!other.verify(stream(number), sequence + 1, &own, &anchor));
        let mut other = path.clone();
        other.entry.salt = salts(stream(99)).batch(0);
        prop_assert!(!other.verify(stream(number), sequence, &own, &anchor));
        prop_assert_eq!(tree.path(stream(number), first + counts[place] as u64), None);
        prop_assert_eq!(tree.path(stream(200), first), None);
    }

    /// Goal: with only the entries left of some streams, the others' readings are proven as before, and theirs not.
    #[test]
    fn paths_go_past_what_is_erased(counts in prop::collection::vec(1usize..20, 1..12), erased in prop::collection::vec(any::<bool>(), 12)) {
        let streams: Vec<_> = (1u8..).zip(&counts).map(|(number, count)| leaves(number, 0, *count)).collect();
        let whole = BatchTree::build(streams.clone()).expect("a batch");
        let part = |(leaves, is_erased): (&StreamLeaves, &bool)| match is_erased {
            true => BatchPart::Entry(leaves.entry()),
            false => BatchPart::Leaves(leaves.clone()),
        };
        let left = BatchTree::rebuild(streams.iter().zip(&erased).map(part).rev().collect()).expect("the rest");
        prop_assert_eq!(left.anchor(BatchNumber(0)), whole.anchor(BatchNumber(0)));
        for (leaves, is_erased) in streams.iter().zip(&erased) {
            for sequence in 0..leaves.leaves.len() as u64 {
                let expected = whole.path(leaves.stream, sequence).filter(|_| !is_erased);
                prop_assert_eq!(left.path(leaves.stream, sequence), expected);
            }
        }
    }
}
