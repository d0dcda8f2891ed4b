//! Reads the fields of one characteristic value, and says why it cannot.
//!
//! Fields are little endian. A reserved flag may announce fields that a later version appends, so
//! bytes at the end are passed over if one is set, and refused if none is (Core Specification, vol. 3,
//! part G, 2.4: what is reserved is ignored).

use crate::event::RejectReason;
use crate::gatt::Float;

/// Why a characteristic value was refused. It names no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The value ends before the fields that its flags announce.
    #[error("the value ends before its {0}")]
    TooShort(&'static str),
    /// Bytes follow the fields that the flags announce.
    #[error("{0} bytes too many")]
    TooLong(usize),
    /// A field has a value that its definition excludes.
    #[error("the {0} has no valid value")]
    Invalid(&'static str),
}

impl DecodeError {
    /// The reason to count it under.
    #[must_use]
    pub const fn reason(self) -> RejectReason {
        match self {
            DecodeError::TooShort(_) => RejectReason::Incomplete,
            DecodeError::TooLong(_) => RejectReason::TooLong,
            DecodeError::Invalid(_) => RejectReason::Implausible,
        }
    }
}

/// What is left of a value.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(value: &'a [u8]) -> Reader<'a> {
        Reader(value)
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let (bytes, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(DecodeError::TooShort(field))?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_le_bytes)
    }

    pub(crate) fn i16(&mut self, field: &'static str) -> Result<i16, DecodeError> {
        self.array(field).map(i16::from_le_bytes)
    }

    pub(crate) fn u24(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field)
            .map(|[low, middle, high]| u32::from_le_bytes([low, middle, high, 0]))
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub(crate) fn sfloat(&mut self, field: &'static str) -> Result<Float, DecodeError> {
        self.array(field).map(Float::from_sfloat)
    }

    pub(crate) fn float(&mut self, field: &'static str) -> Result<Float, DecodeError> {
        self.array(field).map(Float::from_float)
    }

    /// All that is left, as 16-bit numbers.
    pub(crate) fn rest_u16(&mut self, field: &'static str) -> Result<Vec<u16>, DecodeError> {
        let (pairs, half) = self.0.as_chunks::<2>();
        self.0 = half;
        if half.is_empty() {
            Ok(pairs.iter().copied().map(u16::from_le_bytes).collect())
        } else {
            Err(DecodeError::TooShort(field))
        }
    }

    /// Ends the value; `reserved` are the reserved flags that were set.
    pub(crate) fn end(self, reserved: u32) -> Result<(), DecodeError> {
        if self.0.is_empty() || reserved != 0 {
            Ok(())
        } else {
            Err(DecodeError::TooLong(self.0.len()))
        }
    }
}

/// A field that a flag announces: `Some` of the reading if `flags` has `bit`.
macro_rules! optional {
    ($flags:expr, $bit:expr, $read:expr) => {
        if $flags & $bit != 0 {
            Some($read)
        } else {
            None
        }
    };
}

/// Measurements belong in no log: `Debug` of these records is their name alone.
macro_rules! redacted {
    ($($record:ident),+ $(,)?) => {$(
        impl core::fmt::Debug for $record {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($record), "(…)"))
            }
        }
    )+};
}

pub(crate) use {optional, redacted};
