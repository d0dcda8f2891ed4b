//! What decoding may allocate: a binary of its own, because it counts every allocation of the process.

use std::alloc::System;

use cap::Cap;
use ledger_core::batch::StreamEntry;
use ledger_core::canonical::decode;
use ledger_core::{
    Block, Certificate, Genesis, Header, Proof, Reading, SignedTransaction, ValidatorSet,
};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const FIXED: usize = 8 << 20;
const FACTOR: usize = 8;

/// Decodes and reports the most that was allocated at once meanwhile.
///
/// The counter knows only the highest mark since the start, so the limit is set and must not be hit: an
/// allocation beyond it fails and ends the process.
fn decode_within_bounds(name: &str, bytes: &[u8], decode: impl Fn(&[u8]) -> bool) {
    let limit = ALLOCATOR.allocated() + FIXED + FACTOR * bytes.len();
    ALLOCATOR
        .set_limit(limit)
        .unwrap_or_else(|()| panic!("{name}: no room to start with"));
    let accepted = decode(bytes);
    ALLOCATOR
        .set_limit(usize::MAX)
        .unwrap_or_else(|()| panic!("{name}: the limit stays"));
    assert!(!accepted, "{name}: accepted what was made to be refused");
}

fn everything(bytes: &[u8]) {
    decode_within_bounds("reading", bytes, |bytes| Reading::decode(bytes).is_ok());
    decode_within_bounds("entry", bytes, |bytes| {
        decode::<StreamEntry>(bytes, 1 << 30).is_ok()
    });
    decode_within_bounds("transaction", bytes, |bytes| {
        SignedTransaction::decode(bytes).is_ok()
    });
    decode_within_bounds("header", bytes, |bytes| Header::decode(bytes).is_ok());
    decode_within_bounds("block", bytes, |bytes| Block::decode(bytes).is_ok());
    decode_within_bounds("certificate", bytes, |bytes| {
        decode::<Certificate>(bytes, 1 << 30).is_ok()
    });
    decode_within_bounds("validators", bytes, |bytes| {
        decode::<ValidatorSet>(bytes, 1 << 30).is_ok()
    });
    let file = [b"FWGENES1", bytes].concat();
    decode_within_bounds("genesis", &file, |bytes| Genesis::from_file(bytes).is_ok());
    let file = [b"FWPROOF1", bytes].concat();
    decode_within_bounds("proof", &file, |bytes| Proof::from_file(bytes).is_ok());
}

/// Goal: no length that bytes claim makes a decoder allocate beyond its bound. Method: every kind of
/// bytes that claims much and holds little, or holds the smallest elements, under an allocation limit.
#[test]
fn claims_do_not_allocate() {
    let claim = [0xff, 0xff, 0xff, 0xff, 0x0f];
    for fill in [0u8, 1, 0x7f, 0x80, 0xff] {
        for length in [0, 10, 300, 70_000, 900_000] {
            everything(&vec![fill; length]);
            everything(&[claim.as_slice(), &vec![fill; length]].concat());
        }
    }
    // A block's header, then more transactions than the bytes can hold: huge ones, and millions of none.
    let header = header();
    for (count, bytes) in [
        (claim.as_slice(), vec![]),
        (&claim, vec![0; 15 << 20]),
        (&claim, claim.repeat(1000)),
    ] {
        let block = [header.as_slice(), count, &bytes].concat();
        decode_within_bounds("block", &block, |bytes| Block::decode(bytes).is_ok());
    }
    let many = [
        header.as_slice(),
        &[0x81, 0x80, 0x08],
        &vec![0; (1 << 17) + 1],
    ]
    .concat();
    decode_within_bounds("block of too many", &many, |bytes| {
        Block::decode(bytes).is_ok()
    });
}

/// The bytes of some header.
fn header() -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.extend([0; 32]);
    bytes.extend([3, 5]);
    bytes.extend([0; 64]);
    bytes.push(0);
    bytes.extend([0; 128]);
    assert!(Header::decode(&bytes).is_ok());
    bytes
}

/// Goal: the bound is one. Method: the same decoder under a limit it must hit would end the process, so
/// only that the counter counts is shown.
#[test]
fn the_counter_counts() {
    let before = ALLOCATOR.allocated();
    let held = vec![1u8; 3 << 20];
    assert!(ALLOCATOR.allocated() >= before + (2 << 20));
    assert_eq!(held.len(), 3 << 20);
}
