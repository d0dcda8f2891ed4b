//! The medical floats of ISO/IEEE 11073-20601, annex F.7: FLOAT (32 bits) and SFLOAT (16 bits).
//!
//! ```text
//! SFLOAT   eeee mmmm mmmm mmmm            value = mantissa × 10^exponent,
//! FLOAT    eeeeeeee mmmmmmmm mmmmmmmm mmmmmmmm      both in two's complement, little endian
//!
//! special values, all of exponent 0   SFLOAT   FLOAT
//! +INFINITY                           07FE     007FFFFE
//! NaN     no number                   07FF     007FFFFF
//! NRes    not at this resolution      0800     00800000
//! reserved                            0801     00800001
//! -INFINITY                           0802     00800002
//! ```
//!
//! A value stays the pair it was sent as, exactly: 36.40 and 36.4 differ in what the device claims to
//! know. No binary fraction occurs. The same mantissas under another exponent are plain numbers.

use core::fmt;

/// A decoded FLOAT or SFLOAT.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Float {
    /// `mantissa × 10^exponent`.
    Number {
        /// The digits: 24 bits of a FLOAT, 12 of an SFLOAT.
        mantissa: i32,
        /// The power of ten: −128 to 127 of a FLOAT, −8 to 7 of an SFLOAT.
        exponent: i8,
    },
    /// Not a number: a fault, or nothing measured.
    NaN,
    /// Not at this resolution: the number cannot be written.
    NRes,
    /// Above what the device measures.
    PositiveInfinity,
    /// Below what the device measures.
    NegativeInfinity,
    /// The special value that the standard keeps for later.
    Reserved,
}

impl Float {
    /// Decodes an SFLOAT, as sent (little endian).
    #[must_use]
    pub fn from_sfloat(bytes: [u8; 2]) -> Float {
        let bits = u16::from_le_bytes(bytes);
        match bits {
            0x07fe => Float::PositiveInfinity,
            0x07ff => Float::NaN,
            0x0800 => Float::NRes,
            0x0801 => Float::Reserved,
            0x0802 => Float::NegativeInfinity,
            // Shifts of signed numbers keep the sign.
            _ => Float::Number {
                mantissa: i32::from((bits << 4).cast_signed() >> 4),
                exponent: (bits.cast_signed() >> 12) as i8,
            },
        }
    }

    /// Decodes a FLOAT, as sent (little endian).
    #[must_use]
    pub fn from_float(bytes: [u8; 4]) -> Float {
        let bits = u32::from_le_bytes(bytes);
        match bits {
            0x007f_fffe => Float::PositiveInfinity,
            0x007f_ffff => Float::NaN,
            0x0080_0000 => Float::NRes,
            0x0080_0001 => Float::Reserved,
            0x0080_0002 => Float::NegativeInfinity,
            _ => Float::Number {
                mantissa: (bits << 8).cast_signed() >> 8,
                exponent: (bits.cast_signed() >> 24) as i8,
            },
        }
    }

    /// The number as (mantissa, exponent); `None` for a special value.
    #[must_use]
    pub const fn number(self) -> Option<(i32, i8)> {
        match self {
            Float::Number { mantissa, exponent } => Some((mantissa, exponent)),
            _ => None,
        }
    }
}

/// Measurements belong in no log: which special value, but never the number.
impl fmt::Debug for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Float::Number { .. } => "Number(…)",
            Float::NaN => "NaN",
            Float::NRes => "NRes",
            Float::PositiveInfinity => "+INFINITY",
            Float::NegativeInfinity => "-INFINITY",
            Float::Reserved => "Reserved",
        })
    }
}
