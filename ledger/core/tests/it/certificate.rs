//! Certificates and validator sets: who counts, and when it is enough.

use ledger_core::certificate::CertificateError;
use ledger_core::validators::{MAX_VALIDATORS, ValidatorSetError};
use ledger_core::{Certificate, Header, Signature, Validator, ValidatorSet};

use crate::support::{certify, genesis, header, key, validators};

fn block(set: &ValidatorSet) -> Header {
    header(&genesis(&[1]), 3, set, set)
}

fn weighted(powers: &[u64]) -> ValidatorSet {
    let one = |(number, power): (u8, &u64)| Validator {
        key: key(number).public(),
        power: *power,
        name: String::new(),
    };
    ValidatorSet::new((1u8..).zip(powers).map(one).collect()).expect("validators")
}

/// Goal: exactly two thirds is not enough, the least more is. Method: powers around the edge.
#[test]
fn more_than_two_thirds_are_needed() {
    let check = |powers: &[u64], signers: &[u8], enough: bool| {
        let set = weighted(powers);
        let header = block(&set);
        let certificate = certify(&header, &set, 0, signers);
        let power = signers
            .iter()
            .map(|number| powers[usize::from(*number) - 1])
            .sum();
        let total = powers.iter().sum();
        let expected = if enough {
            Ok(())
        } else {
            Err(CertificateError::NoQuorum { power, total })
        };
        assert_eq!(
            certificate.verify(header.chain, &set),
            expected,
            "{powers:?} {signers:?}"
        );
    };
    check(&[1], &[1], true);
    check(&[1], &[], false);
    check(&[1, 1], &[1], false);
    check(&[1, 1, 1], &[1, 2], false);
    check(&[1, 1, 1], &[1, 2, 3], true);
    check(&[1, 1, 1, 1], &[1, 3], false);
    check(&[1, 1, 1, 1], &[1, 3, 4], true);
    check(&[2, 1], &[1], false);
    check(&[3, 1], &[1], true);
    check(&[1; 7], &[1, 2, 3, 4], false);
    check(&[1; 7], &[1, 2, 3, 4, 5], true);
    let third = (1u64 << 58) / 3 + 1;
    check(&[third, third, third], &[1, 2], false);
    check(&[third + 1, third, third], &[1, 2], true);
}

/// Goal: each signer counts once, in order, and must be of the set.
#[test]
fn signers_are_counted_once() {
    let set = validators(&[1, 2, 3, 4]);
    let header = block(&set);
    let verify = |spoil: &dyn Fn(&mut Certificate)| {
        let mut certificate = certify(&header, &set, 2, &[1, 2, 3]);
        spoil(&mut certificate);
        certificate.verify(header.chain, &set)
    };
    assert_eq!(verify(&|_| ()), Ok(()));
    assert_eq!(
        verify(&|one| one.signatures[1] = one.signatures[0].clone()),
        Err(CertificateError::Signers)
    );
    assert_eq!(
        verify(&|one| one.signatures.swap(0, 1)),
        Err(CertificateError::Signers)
    );
    assert_eq!(
        verify(&|one| one.signatures[2].validator = 4),
        Err(CertificateError::Signers)
    );
    assert_eq!(
        verify(&|one| one.signatures[2].validator = u16::MAX),
        Err(CertificateError::Signers)
    );
    assert_eq!(
        verify(&|one| one.signatures[0].signature = Signature([0; 64])),
        Err(CertificateError::Signature)
    );
    assert_eq!(
        verify(&|one| one.round = 0),
        Err(CertificateError::Signature)
    );
    assert_eq!(
        verify(&|one| one.height.0 += 1),
        Err(CertificateError::Signature)
    );
    assert_eq!(
        verify(&|one| one.block.0[0] ^= 1),
        Err(CertificateError::Signature)
    );
    assert_eq!(
        certify(&header, &set, 0, &[1, 2, 3]).verify(genesis(&[2]).chain_id(), &set),
        Err(CertificateError::Signature)
    );
}

/// Goal: a bad signature refuses the certificate even where the others are enough.
#[test]
fn one_bad_signature_refuses_all() {
    let set = validators(&[1, 2, 3, 4]);
    let header = block(&set);
    let mut certificate = certify(&header, &set, 0, &[1, 2, 3, 4]);
    certificate.signatures[3].signature.0[5] ^= 1;
    assert_eq!(
        certificate.verify(header.chain, &set),
        Err(CertificateError::Signature)
    );
}

/// Goal: what is no validator set is refused, and a set finds its own.
#[test]
fn validator_sets_are_checked() {
    let new = |list: Vec<Validator>| ValidatorSet::new(list).map(|_| ());
    let one = |number: u8, power| Validator {
        key: key(number).public(),
        power,
        name: String::new(),
    };
    assert_eq!(new(vec![]), Err(ValidatorSetError::Empty));
    assert_eq!(new(vec![one(1, 0)]), Err(ValidatorSetError::BadValidator));
    assert_eq!(
        new(vec![one(1, 1), one(1, 2)]),
        Err(ValidatorSetError::BadValidator)
    );
    assert_eq!(new(vec![one(1, 1 << 60)]), Err(ValidatorSetError::TooLarge));
    assert_eq!(
        new(vec![one(1, u64::MAX), one(2, u64::MAX)]),
        Err(ValidatorSetError::TooLarge)
    );
    assert_eq!(
        new(vec![one(1, 1); MAX_VALIDATORS + 1]),
        Err(ValidatorSetError::TooLarge)
    );
    let set = validators(&[3, 1, 2]);
    for (place, validator) in set.as_slice().iter().enumerate() {
        assert_eq!(set.find(&validator.key), Some((place, validator)));
        assert_eq!(set.get(place), Some(validator));
    }
    assert_eq!(set.find(&key(9).public()), None);
    assert_eq!(validators(&[1, 2, 3]).hash(), set.hash());
    assert_ne!(validators(&[1, 2]).hash(), set.hash());
    assert_ne!(weighted(&[1, 1, 2]).hash(), weighted(&[1, 1, 1]).hash());
}
