//! Goal: any order of parts leads to the block, no parts lead to anything else, and nothing grows
//! without bound.

use arc_malachitebft_app_channel::app::types::core::Round;
use ledger_core::{Digest, Height, PublicKey};
use proptest::prelude::*;

use super::*;

const MAX: usize = 3 * PIECE_BYTES;

fn start(bytes: usize) -> ProposalStart {
    let block = Digest::of(&bytes.to_be_bytes());
    let (height, proposer) = (Height(3), PublicKey([1; 32]));
    announce(height, Round::ZERO, Round::Nil, proposer, block, bytes)
}

fn block(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Method: split, shuffle, repeat some, take.
    #[test]
    fn any_order_leads_to_the_block(
        bytes in prop_oneof![
            0..10usize,
            PIECE_BYTES - 1..PIECE_BYTES + 2,
            2 * PIECE_BYTES - 1..2 * PIECE_BYTES + 2,
            Just(MAX),
        ],
        order in proptest::collection::vec(any::<u16>(), 4),
        repeat in any::<bool>(),
    ) {
        let parts = split(start(bytes), &block(bytes));
        let mut sent: Vec<_> = (0..).zip(parts).collect();
        sent.sort_by_key(|(sequence, _)| order[*sequence as usize % 4]);
        let mut assembler = Assembler::new(MAX);
        let mut whole = None;
        for (sequence, part) in sent {
            prop_assert!(whole.is_none(), "whole before its last part");
            if repeat && bytes > 0 && sequence > 0 {
                let again = assembler.take(b"a", b"s", sequence, part.clone());
                whole = whole.or(again);
                if whole.is_some() {
                    continue;
                }
            }
            whole = assembler.take(b"a", b"s", sequence, part);
        }
        let expected = Assembled { start: start(bytes), block: block(bytes) };
        prop_assert_eq!(whole, Some(expected));
        prop_assert!(assembler.is_empty());
    }
}

#[test]
fn streams_are_kept_apart() {
    let mut assembler = Assembler::new(MAX);
    let parts = split(start(10), &block(10));
    assert_eq!(assembler.take(b"a", b"s", 0, parts[0].clone()), None);
    assert_eq!(assembler.take(b"b", b"s", 1, parts[1].clone()), None);
    assert_eq!(assembler.take(b"a", b"t", 1, parts[1].clone()), None);
    assert!(assembler.take(b"a", b"s", 1, parts[1].clone()).is_some());
}

#[test]
fn what_can_never_be_whole_is_dropped() {
    let piece = |bytes| ProposalPart::Piece(vec![0; bytes]);
    let announced = |bytes| ProposalPart::Start(start(bytes));
    let table = [
        ("too large", vec![(0, announced(MAX + 1))]),
        (
            "more than announced",
            vec![(0, announced(5)), (1, piece(6))],
        ),
        ("an empty piece", vec![(1, piece(0))]),
        ("a piece too long", vec![(1, piece(PIECE_BYTES + 1))]),
        ("a piece out of range", vec![(5, piece(1))]),
        ("a piece in the place of the start", vec![(0, piece(1))]),
        ("a start out of place", vec![(1, announced(5))]),
        ("a hole", vec![(0, announced(5)), (2, piece(5))]),
    ];
    for (what, parts) in table {
        let mut assembler = Assembler::new(MAX);
        for (sequence, part) in parts {
            assert_eq!(assembler.take(b"a", b"s", sequence, part), None, "{what}");
        }
        assert!(assembler.is_empty(), "{what}");
    }
}

#[test]
fn memory_is_bounded() {
    let mut assembler = Assembler::new(MAX);
    for stream in 0..100u8 {
        for publisher in 0..100u8 {
            let piece = ProposalPart::Piece(vec![0; PIECE_BYTES]);
            assembler.take(&[publisher], &[stream], 1, piece);
        }
        assert!(assembler.bytes() <= MAX_OPEN_BYTES);
    }
    assembler.forget(Height(3));
    assert!(
        !assembler.is_empty(),
        "what was not announced yet may be for later"
    );
}
