//! Ed25519, strictly.

use ledger_core::key::SignatureError;
use ledger_core::{PublicKey, Signature};

use crate::support::key;

/// Goal: signatures are RFC 8032's. Method: its test vector 2 (section 7.1).
#[test]
fn signatures_are_rfc_8032s() {
    let seed: [u8; 32] =
        hex::decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
            .expect("hex")
            .try_into()
            .expect("32 bytes");
    let secret = ledger_core::SecretKey::from_seed(&seed);
    assert_eq!(
        secret.public().to_string(),
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    );
    let signature = secret.sign(&[0x72]);
    assert_eq!(
        hex::encode(signature.0),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    );
    assert_eq!(secret.public().verify(&[0x72], &signature), Ok(()));
    assert_eq!(
        secret.public().verify(&[0x73], &signature),
        Err(SignatureError)
    );
}

/// Goal: S is below the group's order, so that nobody can make a second signature of a first one.
#[test]
fn signatures_cannot_be_shifted() {
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        .expect("hex");
    let signature = key(1).sign(b"text");
    let mut shifted = signature;
    let mut carry = 0u16;
    for (byte, add) in shifted.0[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(key(1).public().verify(b"text", &signature), Ok(()));
    assert_eq!(
        key(1).public().verify(b"text", &shifted),
        Err(SignatureError)
    );
}

/// Goal: keys of small order, keys not in their one encoding, and bytes that are no point sign nothing.
#[test]
fn weak_keys_are_refused() {
    let keys = [
        // The eight points of small order, two of them with the other sign, in and beyond the field.
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];
    // R = identity, S = 0 satisfies the equation without cofactor for a key of order one.
    let mut zero = Signature([0; 64]);
    zero.0[0] = 1;
    for text in keys {
        let weak: PublicKey = text.parse().expect("32 bytes");
        assert_eq!(weak.verify(b"text", &zero), Err(SignatureError), "{text}");
    }
}

/// Goal: nothing secret is printed.
#[test]
fn secrets_are_not_printed() {
    let secret = key(7);
    let shown = format!("{secret:?} {:?}", ledger_core::Salt([0xab; 16]));
    assert!(!shown.contains(&hex::encode(secret.seed())[..8]));
    assert!(!shown.contains("ab"));
}
