//! One value, one encoding.

use ledger_core::canonical::{DecodeError, decode, encode};
use ledger_core::{Header, Nonce, Quality, Reading, ValidatorSet};
use proptest::prelude::*;

use crate::support::{proof, pulse, stream, validators};

/// Goal: longer ways to write a value are refused, and so is anything after it.
#[test]
fn other_encodings_are_refused() {
    let check = |bytes: &[u8], expected: Result<Nonce, DecodeError>| {
        assert_eq!(decode(bytes, 100), expected)
    };
    check(&[0], Ok(Nonce(0)));
    check(&[0x7f], Ok(Nonce(127)));
    check(&[0x80, 1], Ok(Nonce(128)));
    check(&[0x80, 0], Err(DecodeError::NotCanonical));
    check(&[0x80, 0x81, 0], Err(DecodeError::NotCanonical));
    check(&[0, 0], Err(DecodeError::NotCanonical));
    check(&[0x80], Err(DecodeError::Malformed));
    check(&[], Err(DecodeError::Malformed));
    check(&[0xff; 11], Err(DecodeError::Malformed));
    assert_eq!(
        decode::<Nonce>(&[0; 9], 8),
        Err(DecodeError::TooLong {
            actual: 9,
            limit: 8
        })
    );
}

/// Goal: enums and options know no other tags, booleans no other values, texts are UTF-8.
#[test]
fn unknown_tags_are_refused() {
    assert_eq!(decode::<Quality>(&[6], 9), Ok(Quality::SensorFault));
    assert_eq!(decode::<Quality>(&[7], 9), Err(DecodeError::Malformed));
    assert_eq!(
        decode::<Option<u8>>(&[2, 0], 9),
        Err(DecodeError::Malformed)
    );
    assert_eq!(decode::<bool>(&[2], 9), Err(DecodeError::Malformed));
    assert_eq!(decode::<String>(&[1, 0xff], 9), Err(DecodeError::Malformed));
}

/// Goal: validators in another order, twice, or without power are no set.
#[test]
fn validator_sets_are_decoded_strictly() {
    let set = validators(&[1, 2, 3]);
    let decoded = |list: &Vec<ledger_core::Validator>| decode::<ValidatorSet>(&encode(list), 4096);
    let list = set.as_slice().to_vec();
    assert_eq!(decoded(&list), Ok(set.clone()));
    let mut other = list.clone();
    other.swap(0, 1);
    assert_eq!(decoded(&other), Err(DecodeError::Malformed));
    other.clone_from(&list);
    other.push(list[2].clone());
    assert_eq!(decoded(&other), Err(DecodeError::Malformed));
    other.clone_from(&list);
    other[1].power = 0;
    assert_eq!(decoded(&other), Err(DecodeError::Malformed));
    assert_eq!(decoded(&vec![]), Err(DecodeError::Malformed));
}

/// Goal: files need their first bytes.
#[test]
fn files_need_their_magic() {
    let (genesis, proof) = proof(&[1], &[1], &[1]);
    let (genesis, proof) = (genesis.to_file(), proof.to_file());
    assert!(ledger_core::Genesis::from_file(&proof).is_err());
    assert!(ledger_core::Proof::from_file(&genesis).is_err());
    assert!(ledger_core::Proof::from_file(&proof[8..]).is_err());
}

proptest! {
    /// Goal: what is encoded is read back, alone and with a byte added or taken away.
    #[test]
    fn values_come_back(sequence: u64, value: i64, extra: u8) {
        let reading = pulse(stream(1), sequence % (1 << 40), value);
        let bytes = {
            let mut bytes = vec![];
            ledger_core::canonical::encode_into(&reading, &mut bytes);
            bytes
        };
        prop_assert_eq!(&bytes, &reading.encode());
        prop_assert_eq!(Reading::decode(&bytes), Ok(reading));
        prop_assert_eq!(Reading::decode(&[bytes.clone(), vec![extra]].concat()), Err(DecodeError::NotCanonical));
        prop_assert!(Reading::decode(&bytes[..bytes.len() - 1]).is_err());
        prop_assert!(Header::decode(&bytes).is_err());
    }
}
