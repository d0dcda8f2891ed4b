//! Readings: exact decimals, salts, commitments.

use hmac::{Hmac, KeyInit as _, Mac as _};
use ledger_core::reading::{SaltSource, commitment};
use ledger_core::{Decimal, Salt};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

/// Goal: decimals print exactly.
#[test]
fn decimals_print_exactly() {
    let check = |mantissa, exponent, expected: &str| {
        assert_eq!(Decimal { mantissa, exponent }.to_string(), expected);
    };
    check(72, 0, "72");
    check(367, -1, "36.7");
    check(-5, -2, "-0.05");
    check(5, 2, "500");
    check(0, -3, "0.000");
    check(i64::MIN, 0, "-9223372036854775808");
    check(i64::MIN, -20, "-0.09223372036854775808");
    check(1, -128, &format!("0.{}1", "0".repeat(127)));
    check(1, 127, &format!("1{}", "0".repeat(127)));
}

/// Goal: salts and commitments are what the specification says. Method: derive them here with the
/// primitives alone.
#[test]
fn salts_and_commitments_follow_the_specification() {
    let source = SaltSource::new(&[9; 32]);
    let derive = |message: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&[9; 32]).expect("any length");
        mac.update(message);
        mac.finalize().into_bytes()[..16].to_vec()
    };
    let sequence = 0x0102_0304u64;
    assert_eq!(
        source.reading(sequence).0.to_vec(),
        derive(&[0, 0, 0, 0, 1, 2, 3, 4])
    );
    assert_eq!(
        source.batch(sequence).0.to_vec(),
        derive(b"b\0\0\0\0\x01\x02\x03\x04")
    );
    let expected = Sha256::new()
        .chain_update(b"\x11fogward/reading/1")
        .chain_update([7; 16])
        .chain_update(b"bytes")
        .finalize();
    assert_eq!(
        commitment(&Salt([7; 16]), b"bytes").0.to_vec(),
        expected.to_vec()
    );
}

proptest! {
    /// Goal: no decimal panics, and small ones agree with their float.
    #[test]
    fn any_decimal_prints(mantissa: i64, exponent: i8) {
        let text = Decimal { mantissa, exponent }.to_string();
        let parsed: f64 = text.parse().expect("a number");
        let expected = Decimal { mantissa, exponent }.to_f64();
        prop_assert!((parsed - expected).abs() <= expected.abs() * 1e-12);
    }
}
