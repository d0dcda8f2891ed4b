//! Goal: medical floats mean what ISO/IEEE 11073-20601 says, for every bit pattern. Method: an oracle
//! that derives the value by arithmetic on the pattern, without shifts or two's complement types, over
//! all 65,536 SFLOATs and many FLOATs.

use device_drivers::gatt::Float;
use proptest::prelude::*;

/// Sign and size of `digits` read as two's complement of `range` values.
fn twos_complement(digits: u64, range: u64) -> i64 {
    if digits < range / 2 {
        digits as i64
    } else {
        digits as i64 - range as i64
    }
}

/// What the standard says of a pattern whose mantissa has `range` values.
fn oracle(pattern: u64, range: u64, exponents: u64) -> Float {
    let mantissa = twos_complement(pattern % range, range);
    let exponent = twos_complement(pattern / range, exponents);
    let max = range as i64 / 2 - 1;
    // Annex F.7: the ends of the range are special, under exponent 0 alone.
    match (exponent, mantissa) {
        (0, m) if m == max => Float::NaN,
        (0, m) if m == max - 1 => Float::PositiveInfinity,
        (0, m) if m == -max - 1 => Float::NRes,
        (0, m) if m == -max => Float::Reserved,
        (0, m) if m == 1 - max => Float::NegativeInfinity,
        _ => Float::Number {
            mantissa: i32::try_from(mantissa).unwrap(),
            exponent: i8::try_from(exponent).unwrap(),
        },
    }
}

#[test]
fn every_sfloat_is_what_the_oracle_derives() {
    let mut special = 0;
    for pattern in 0..=u16::MAX {
        let decoded = Float::from_sfloat(pattern.to_le_bytes());
        let derived = oracle(u64::from(pattern), 4_096, 16);
        assert!(decoded == derived, "{pattern:04x}");
        special += u32::from(decoded.number().is_none());
    }
    assert_eq!(special, 5);
}

#[test]
fn the_standards_own_patterns() {
    let sfloats = [
        (0x07fe, Float::PositiveInfinity),
        (0x07ff, Float::NaN),
        (0x0800, Float::NRes),
        (0x0801, Float::Reserved),
        (0x0802, Float::NegativeInfinity),
    ];
    for (pattern, float) in sfloats {
        assert!(
            Float::from_sfloat(u16::to_le_bytes(pattern)) == float,
            "{pattern:04x}"
        );
    }
    let floats = [
        (0x007f_fffe, Float::PositiveInfinity),
        (0x007f_ffff, Float::NaN),
        (0x0080_0000, Float::NRes),
        (0x0080_0001, Float::Reserved),
        (0x0080_0002, Float::NegativeInfinity),
    ];
    for (pattern, float) in floats {
        assert!(
            Float::from_float(u32::to_le_bytes(pattern)) == float,
            "{pattern:08x}"
        );
    }
}

/// The same mantissa as NaN's, one power of ten up: a number like others.
#[test]
fn a_special_mantissa_under_another_exponent_is_a_number() {
    assert_eq!(
        Float::from_sfloat(0xf7ff_u16.to_le_bytes()).number(),
        Some((2_047, -1))
    );
    assert_eq!(
        Float::from_float(0x0180_0000_u32.to_le_bytes()).number(),
        Some((-8_388_608, 1))
    );
}

#[test]
fn debug_tells_no_number() {
    let number = Float::from_sfloat(0xf4f6_u16.to_le_bytes());
    assert_eq!(format!("{number:?}"), "Number(…)");
    assert_eq!(format!("{:?}", Float::NaN), "NaN");
}

proptest! {
    #[test]
    fn every_float_is_what_the_oracle_derives(
        pattern in prop_oneof![any::<u32>(), 0x007f_fff0..0x0080_0010u32, 0xff7f_fff0..0xff80_0010u32]
    ) {
        let derived = oracle(u64::from(pattern), 1 << 24, 256);
        prop_assert!(Float::from_float(pattern.to_le_bytes()) == derived);
    }
}
