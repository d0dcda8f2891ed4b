//! Ed25519, by one rule.

use curve25519_dalek::Scalar;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use ledger_core::key::SignatureError;
use ledger_core::transaction::RegisterDevice;
use ledger_core::{
    ChainId, Digest, Nonce, Payload, PublicKey, SecretKey, Signature, SignedTransaction,
    TransactionBody,
};
use sha2::{Digest as _, Sha512};

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

/// A signature of `seed`'s key whose R is off by a point of order eight. It holds by the equation with
/// the cofactor only.
fn off_by_torsion(seed: [u8; 32], text: &[u8], torsion: usize) -> Signature {
    let hash = Sha512::digest(seed);
    let mut secret: [u8; 32] = hash[..32].try_into().expect("32 bytes");
    secret[0] &= 0xf8;
    secret[31] = secret[31] & 0x7f | 0x40;
    let secret = Scalar::from_bytes_mod_order(secret);
    let nonce = Scalar::from_bytes_mod_order([17; 32]);
    let r = (nonce * ED25519_BASEPOINT_POINT + EIGHT_TORSION[torsion]).compress();
    let mut challenge = Sha512::new();
    challenge.update(r.as_bytes());
    challenge.update(SecretKey::from_seed(&seed).public().0);
    challenge.update(text);
    let challenge = Scalar::from_bytes_mod_order_wide(&challenge.finalize().into());
    let s = nonce + challenge * secret;
    let mut signature = Signature([0; 64]);
    signature.0[..32].copy_from_slice(r.as_bytes());
    signature.0[32..].copy_from_slice(s.as_bytes());
    signature
}

/// Goal: what a signer can play with, and nobody else, is valid by the one rule, alone and together
/// with others; a rule without the cofactor would tell these apart by chance.
#[test]
fn torsion_changes_nothing() {
    let public = SecretKey::from_seed(&[3; 32]).public();
    for torsion in 0..8 {
        let signature = off_by_torsion([3; 32], b"text", torsion);
        assert_eq!(public.verify(b"text", &signature), Ok(()), "{torsion}");
        assert_eq!(public.verify(b"next", &signature), Err(SignatureError));
    }
}

/// Goal: many transactions checked together come out as each alone. Method: good ones, forged ones,
/// such of another chain, in every mixture of a few.
#[test]
fn together_as_alone() {
    let chain = ChainId(Digest::of(b"chain"));
    let other = ChainId(Digest::of(b"other"));
    let make = |kind: u64, place: u64| {
        let body = TransactionBody {
            chain: if kind == 2 { other } else { chain },
            nonce: Nonce(place),
            payload: Payload::RegisterDevice(RegisterDevice {
                handle: Digest::of(&place.to_le_bytes()),
                key: None,
                simulated: true,
            }),
        };
        let signed = SignedTransaction::sign(&body, &key(place as u8 % 2 + 1));
        if kind != 1 {
            return signed;
        }
        let mut bytes = signed.encode();
        *bytes.last_mut().expect("bytes") ^= 0x01;
        SignedTransaction::decode(&bytes).expect("well formed")
    };
    for mixture in 0..81u64 {
        let kinds = (0..4).map(|place| (mixture / 3u64.pow(place)) % 3);
        let many: Vec<_> = kinds
            .zip(0..)
            .map(|(kind, place)| make(kind, place))
            .collect();
        let alone: Vec<_> = many.iter().cloned().map(|one| one.verify(chain)).collect();
        assert_eq!(
            SignedTransaction::verify_all(many, chain),
            alone,
            "{mixture}"
        );
    }
    assert_eq!(SignedTransaction::verify_all(Vec::new(), chain), Vec::new());
}

/// Goal: nothing secret is printed.
#[test]
fn secrets_are_not_printed() {
    let secret = key(7);
    let shown = format!("{secret:?} {:?}", ledger_core::Salt([0xab; 16]));
    assert!(!shown.contains(&hex::encode(secret.seed())[..8]));
    assert!(!shown.contains("ab"));
}
