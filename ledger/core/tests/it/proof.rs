//! Whole proofs: the right one is valid, and nothing that differs from it anywhere is.

use ledger_core::proof::Check;
use ledger_core::{BatchNumber, Digest, Genesis, Height, Payload, Proof, Value};
use proptest::prelude::*;

use crate::support::{certify, genesis, proof, register, sign, validators};

fn valid(file: &[u8], genesis: &Genesis) -> bool {
    Proof::from_file(file).is_ok_and(|proof| proof.verify(genesis).valid)
}

/// The consortia the tests go through: alone, four that all sign, four of which three sign, and four
/// that replaced one of them.
fn cases() -> Vec<(Genesis, Proof)> {
    vec![
        proof(&[1], &[1], &[1]),
        proof(&[1, 2, 3, 4], &[1, 2, 3, 4], &[1, 2, 3, 4]),
        proof(&[1, 2, 3, 4], &[1, 2, 3, 4], &[2, 3, 4]),
        proof(&[1, 2, 3, 4], &[2, 3, 4, 5], &[2, 4, 5]),
    ]
}

/// Goal: right proofs are valid, all six checks of them, also after a trip through a file.
#[test]
fn right_proofs_are_valid() {
    for (genesis, proof) in cases() {
        let verdict = Proof::from_file(&proof.to_file())
            .expect("a proof")
            .verify(&genesis);
        assert!(verdict.valid, "{verdict:#?}");
        assert_eq!(
            verdict
                .checks
                .iter()
                .map(|one| one.check)
                .collect::<Vec<_>>(),
            Check::ALL
        );
        assert_eq!(verdict.checks[0].leads_to, proof.commitment().to_string());
        assert_eq!(verdict.checks[5].leads_to, genesis.chain_id().to_string());
        assert!(
            proof.to_file().len() <= 4096,
            "{} bytes",
            proof.to_file().len()
        );
    }
}

/// As [`valid`], but stops at the first check that fails.
fn quickly_valid(file: &[u8], genesis: &Genesis) -> bool {
    let Ok(proof) = Proof::from_file(file) else {
        return false;
    };
    let mut checks = Check::ALL.iter();
    checks.all(|check| proof.check(*check, genesis).holds == Some(true))
}

/// Flips all bits of a file, one at a time.
fn flip_every_bit((genesis, proof): &(Genesis, Proof)) {
    let mut file = proof.to_file();
    for at in 0..file.len() {
        for bit in 0..8 {
            file[at] ^= 1 << bit;
            assert!(!quickly_valid(&file, genesis), "byte {at}, bit {bit}");
            file[at] ^= 1 << bit;
        }
    }
    assert!(quickly_valid(&file, genesis));
}

/// Goal: every flipped bit anywhere in a file makes it invalid, with one validator.
#[test]
fn every_flipped_bit_makes_it_invalid() {
    flip_every_bit(&cases()[0]);
}

/// Goal: the same with four validators that replaced one of them.
#[test]
fn every_flipped_bit_makes_it_invalid_after_a_change() {
    flip_every_bit(&cases()[3]);
}

/// Goal: every other value of every byte makes it invalid, in samples; so do shorter and longer files.
#[test]
fn every_other_file_is_invalid() {
    for (genesis, proof) in cases() {
        let file = proof.to_file();
        for at in 0..file.len() {
            let mut spoiled = file.clone();
            spoiled[at] = spoiled[at].wrapping_add(1 + (at % 254) as u8);
            assert!(!valid(&spoiled, &genesis), "byte {at}");
            assert!(!valid(&file[..at], &genesis), "first {at} bytes");
        }
        for extra in [0, 1, 0x80, 0xff] {
            let mut longer = file.clone();
            longer.push(extra);
            assert!(!valid(&longer, &genesis));
        }
        assert!(valid(&file, &genesis));
    }
}

/// Which checks fail for a proof that `spoil` made of a right one.
fn failing(spoil: impl FnOnce(&mut Genesis, &mut Proof)) -> Vec<Check> {
    let (mut genesis, mut proof) = proof(&[1, 2, 3, 4], &[2, 3, 4, 5], &[2, 4, 5]);
    spoil(&mut genesis, &mut proof);
    let verdict = proof.verify(&genesis);
    assert!(!verdict.valid);
    let failing = verdict.checks.iter().filter(|one| one.holds != Some(true));
    failing.map(|one| one.check).collect()
}

/// Goal: each kind of lie is found by the check that is there for it.
#[test]
fn each_check_finds_its_lie() {
    use Check::{Batch, Certificate, Commitment, Inclusion, Transaction};
    let genesis_check = Check::Genesis;
    assert_eq!(
        failing(|_, proof| proof.reading.value = Value::Absent),
        [Commitment, Batch]
    );
    assert_eq!(
        failing(|_, proof| proof.salt.0[0] ^= 1),
        [Commitment, Batch]
    );
    assert_eq!(
        failing(|_, proof| proof.reading.sequence += 1),
        [Commitment, Batch]
    );
    assert_eq!(
        failing(|_, proof| proof.batch_path.entry_path[0] = Digest::ZERO),
        [Batch]
    );
    assert_eq!(
        failing(|_, proof| proof.batch_path.entry_index += 1),
        [Batch]
    );
    assert_eq!(
        failing(|_, proof| proof.transaction_path[0] = Digest::ZERO),
        [Inclusion]
    );
    assert_eq!(
        failing(|_, proof| proof.transaction_index += 1),
        [Inclusion]
    );
    assert_eq!(
        failing(|_, proof| proof.header.time_millis += 1),
        [Certificate]
    );
    assert_eq!(
        failing(|_, proof| proof.certificate.signatures.truncate(2)),
        [Certificate]
    );
    assert_eq!(
        failing(|_, proof| proof.certificate.round += 1),
        [Certificate]
    );
    assert_eq!(
        failing(|genesis, _| genesis.name.push('x')),
        [genesis_check]
    );
    assert_eq!(
        failing(|_, proof| proof.changes[0].certificate.round += 1),
        [genesis_check]
    );
    assert_eq!(failing(|_, proof| proof.changes.clear()), [Certificate]);
    let twice = |_: &mut Genesis, proof: &mut Proof| proof.changes.push(proof.changes[0].clone());
    assert_eq!(failing(twice), [genesis_check]);
    let other = |genesis: &mut Genesis, proof: &mut Proof| {
        proof.transaction = sign(genesis, 1, 9, register(1)).encode();
    };
    assert_eq!(failing(other), [Batch, Transaction, Inclusion]);
    let unsigned = |_: &mut Genesis, proof: &mut Proof| {
        let last = proof.transaction.last_mut().expect("a byte");
        *last ^= 1;
    };
    assert_eq!(failing(unsigned), [Transaction, Inclusion]);
}

/// Goal: a chain of other validators is not taken for this one, whatever it signs. Method: a proof that
/// is right in itself, made by strangers over a genesis of theirs, and one whose change they signed.
#[test]
fn strangers_cannot_make_proofs() {
    let (_, theirs) = proof(&[7, 8, 9], &[7, 8, 9], &[7, 8, 9]);
    assert!(!theirs.verify(&genesis(&[1, 2, 3, 4])).valid);
    let (genesis, mut proof) = proof(&[1, 2, 3, 4], &[7, 8, 9], &[7, 8, 9]);
    assert!(
        proof.verify(&genesis).valid,
        "all four handed over to strangers"
    );
    let change = &mut proof.changes[0];
    change.certificate = certify(&change.header, &validators(&[1, 2, 3, 4]), 0, &[1, 2]);
    assert!(
        !proof.verify(&genesis).valid,
        "two of four cannot hand over"
    );
    change_signed_by_strangers(&mut proof);
    assert!(!proof.verify(&genesis).valid);
}

fn change_signed_by_strangers(proof: &mut Proof) {
    let change = &mut proof.changes[0];
    change.header.validators_hash = change.next.hash();
    change.certificate = certify(&change.header, &change.next, 0, &[7, 8, 9]);
}

/// Goal: a change after the block, or at its height, does not count.
#[test]
fn changes_come_before_the_block() {
    for height in [9, 10, 100] {
        let late = |_: &mut Genesis, proof: &mut Proof| {
            let change = &mut proof.changes[0];
            change.header.height = Height(height);
            change.certificate =
                certify(&change.header, &validators(&[1, 2, 3, 4]), 0, &[1, 2, 3, 4]);
        };
        assert_eq!(failing(late), [Check::Genesis]);
    }
}

/// Goal: a signed anchor with other counts does not verify the same path.
#[test]
fn counts_are_part_of_the_anchor() {
    for (streams, readings) in [(5, 9), (3, 4), (2, 9)] {
        let other = |genesis: &mut Genesis, proof: &mut Proof| {
            let body = ledger_core::SignedTransaction::decode(&proof.transaction)
                .and_then(|signed| signed.body())
                .expect("a body");
            let Payload::AnchorBatch(mut anchor) = body.payload else {
                panic!("an anchor")
            };
            assert_eq!(
                (anchor.batch, anchor.streams, anchor.readings),
                (BatchNumber(4), 3, 9)
            );
            (anchor.streams, anchor.readings) = (streams, readings);
            proof.transaction = sign(genesis, 1, 9, Payload::AnchorBatch(anchor)).encode();
        };
        let failing = failing(other);
        // The second of three streams is reached by two turns, of two by one, of five by three; and
        // the stream alone has five readings.
        assert!(failing.contains(&Check::Inclusion));
        assert!(
            failing.contains(&Check::Batch),
            "{streams} streams, {readings} readings"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Goal: proofs put together from parts of two right ones are invalid. Method: swap a range of bytes.
    #[test]
    fn spliced_files_are_invalid(from: prop::sample::Index, length in 1usize..200) {
        let (genesis, one) = proof(&[1, 2, 3, 4], &[2, 3, 4, 5], &[2, 4, 5]);
        let (_, two) = proof(&[1, 2, 3, 4], &[2, 3, 4, 5], &[2, 3, 4, 5]);
        let (mut file, other) = (one.to_file(), two.to_file());
        let from = from.index(file.len());
        let until = (from + length).min(file.len());
        let same = file[from..until] == other[from..until];
        file[from..until].copy_from_slice(&other[from..until]);
        prop_assert_eq!(valid(&file, &genesis), same);
    }
}
