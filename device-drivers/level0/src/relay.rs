//! What a device hears of another one: a single reading, relayed by its host.
//!
//! It is small on purpose: with its frame at most 62 bytes between the zero bytes, so a device hears it in a memory of that size.
//! Firmware that shall hear others takes the feature `relay`; any other refuses the message as unknown and
//! pays nothing for it. It leaves out waves, and who may hear whom, which is the host's to know.

use crate::message::Reading;
use crate::wire::read_varint;
#[cfg(feature = "host")]
use serde::{Deserialize, Serialize};

/// A reading of another device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(Serialize, Deserialize))]
pub struct Relayed {
    /// Whose: the first four bytes of the handle under which the ledger knows that device. The same after
    /// every start, so a device may be told beforehand whom to expect.
    pub source: [u8; 4],
    /// Whether that device is simulated, and the reading of nobody's body.
    pub is_simulated: bool,
    /// When it was taken by that device's clock, in milliseconds since 1970, if it has one.
    pub time_millis: Option<u64>,
    /// What it measured.
    pub reading: Reading,
}

/// Reads the fields of the message; `None` if they end early or are none. Bytes after the last one are a
/// later version's and ignored.
pub(crate) fn decode(fields: &[u8]) -> Option<Relayed> {
    let mut rest = Fields(fields);
    Some(Relayed {
        source: [rest.byte()?, rest.byte()?, rest.byte()?, rest.byte()?],
        is_simulated: rest.flag()?,
        time_millis: match rest.flag()? {
            true => Some(rest.varint(10)?),
            false => None,
        },
        reading: Reading {
            metric: rest.byte()?,
            quality: rest.byte()?,
            mantissa: rest.zigzag()?,
            exponent: rest.byte()? as i8,
        },
    })
}

/// What was not read yet.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A number of at most `most` bytes.
    fn varint(&mut self, most: usize) -> Option<u64> {
        let number = read_varint(self.0)?;
        let length = 1 + self.0.iter().position(|byte| *byte < 0x80)?;
        self.0 = self.0.get(length..).filter(|_| length <= most)?;
        Some(number)
    }

    /// A signed number of 32 bits, which takes five bytes at most.
    fn zigzag(&mut self) -> Option<i32> {
        let folded = u32::try_from(self.varint(5)?).ok()?;
        Some((folded >> 1) as i32 ^ -((folded & 1) as i32))
    }
}

#[cfg(test)]
mod tests {
    //! Goal: a device reads a relayed reading as the `postcard` crate does, and refuses what it refuses.
    //! Method: any values written by the crate, whole, cut and with more behind; any bytes read by both.
    extern crate std;
    use super::*;
    use crate::message::HostMessage;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn a_device_reads_what_postcard_writes(
            (source, is_simulated, time_millis) in any::<([u8; 4], bool, Option<u64>)>(),
            (metric, quality, mantissa, exponent) in any::<(u8, u8, i32, i8)>(),
            more in any::<Vec<u8>>(),
        ) {
            let reading = Reading { metric, quality, mantissa, exponent };
            let relayed = Relayed { source, is_simulated, time_millis, reading };
            let mut body = [0; 32];
            let length = postcard::to_slice(&HostMessage::Relay(relayed), &mut body).unwrap().len();
            let (number, fields) = body[..length].split_first().unwrap();
            prop_assert_eq!(*number, 4);
            prop_assert_eq!(decode(fields), Some(relayed));
            for length in 0..fields.len() {
                prop_assert_eq!(decode(&fields[..length]), None);
            }
            prop_assert_eq!(decode(&[fields, &more].concat()), Some(relayed));
        }

        #[test]
        fn both_refuse_alike(
            head in any::<[u8; 4]>(),
            flags in proptest::collection::vec(0u8..3, 2),
            rest in proptest::collection::vec(prop_oneof![0u8..4, 0x7fu8..=0x81, any::<u8>()], 0..18),
        ) {
            let fields = [&head[..], &flags, &rest].concat();
            let crates = postcard::take_from_bytes::<Relayed>(&fields).ok().map(|(relayed, _)| relayed);
            prop_assert_eq!(decode(&fields), crates);
        }
    }
}
