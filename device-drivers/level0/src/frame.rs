//! Frames: header, body, tag, checksum, in COBS between two zero bytes.
//!
//! ```text
//! offset  bytes
//!      0      1  version, 1
//!      1      1  direction, 'D' from the device or 'H' from the host
//!      2      8  device id
//!     10      8  counter, little endian
//!     18      n  body, 1 to 218 bytes
//!   18+n     16  tag: Ascon-AEAD128 over the bytes 0 to 18+n, empty plaintext,
//!                nonce = device id and counter (bytes 2 to 18),
//!                key = first half of the pairing key for 'D', second half for 'H'
//!   34+n      2  CRC-16/IBM-3740 over the bytes 0 to 34+n, little endian
//! ```
//!
//! The checksum tells a bad cable from a bad actor; only the tag is trusted. At most 254 bytes, so
//! that COBS adds exactly one byte and can be done in place in a small memory. Counters never
//! repeat under a key, so neither do nonces.

use crate::ascon::{TAG_BYTES, tag};
use crate::key::{DeviceId, PairingKey};
use core::fmt;
use crc::{CRC_16_IBM_3740, Crc, NoTable};
use serde::Serialize;
use subtle::ConstantTimeEq;

/// The version of the protocol.
pub const VERSION: u8 = 1;
/// Bytes of a frame before COBS, at most.
pub const MAX_PLAIN: usize = 254;
/// Bytes of a frame around its body.
pub const OVERHEAD: usize = HEADER + TAG_BYTES + CHECKSUM;
/// Bytes of a body, at most.
pub const MAX_BODY: usize = MAX_PLAIN - OVERHEAD;
/// Bytes of a frame on the wire, at most, with both zero bytes.
pub const MAX_WIRE: usize = MAX_PLAIN + 3;

const HEADER: usize = 18;
const CHECKSUM: usize = 2;
const CRC: Crc<u16, NoTable> = Crc::<u16, NoTable>::new(&CRC_16_IBM_3740);

/// Who sent a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The device.
    FromDevice,
    /// The host.
    FromHost,
}

impl Direction {
    const fn byte(self) -> u8 {
        match self {
            Direction::FromDevice => b'D',
            Direction::FromHost => b'H',
        }
    }

    fn key(self, key: &PairingKey) -> &[u8; 16] {
        key.half(matches!(self, Direction::FromHost))
    }
}

/// Why a frame was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not COBS.
    Garbage,
    /// Too short to be a frame.
    Incomplete,
    /// Longer than a frame can be.
    TooLong,
    /// The checksum does not match: damaged on the line.
    Checksum,
    /// Another version or direction, or an authentic body this side does not know.
    Unknown,
    /// Intact, but not sealed with this key.
    Forged,
    /// Authentic, from another device than the paired one.
    WrongDevice,
    /// Authentic, but its counter was seen before or is too old.
    Replayed,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Garbage => "not a frame",
            Refusal::Incomplete => "too short for a frame",
            Refusal::TooLong => "too long for a frame",
            Refusal::Checksum => "damaged on the line",
            Refusal::Unknown => "an unknown version or message",
            Refusal::Forged => "not sealed with this pairing key",
            Refusal::WrongDevice => "from another device",
            Refusal::Replayed => "a replay",
        })
    }
}

impl core::error::Error for Refusal {}

/// A frame whose checksum and tag were verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened<'a> {
    pub(crate) device_id: DeviceId,
    pub(crate) counter: u64,
    pub(crate) body: &'a [u8],
}

/// Writes a sealed frame as it goes on the wire and returns its length; `None` if the message is
/// longer than [`MAX_BODY`].
pub(crate) fn seal<M: Serialize>(
    key: &PairingKey,
    direction: Direction,
    device_id: DeviceId,
    counter: u64,
    message: &M,
    wire: &mut [u8; MAX_WIRE],
) -> Option<usize> {
    wire[0] = 0;
    let plain = &mut wire[2..];
    plain[0] = VERSION;
    plain[1] = direction.byte();
    plain[2..10].copy_from_slice(&device_id.0);
    plain[10..HEADER].copy_from_slice(&counter.to_le_bytes());
    let body = postcard::to_slice(message, &mut plain[HEADER..HEADER + MAX_BODY])
        .ok()?
        .len();
    let end = HEADER + body;
    let tag = tag(direction.key(key), &nonce(plain)?, &plain[..end]);
    plain[end..end + TAG_BYTES].copy_from_slice(&tag);
    let checksum = CRC.checksum(&plain[..end + TAG_BYTES]);
    let length = end + TAG_BYTES + CHECKSUM;
    plain[length - CHECKSUM..length].copy_from_slice(&checksum.to_le_bytes());
    stuff(&mut wire[1..length + 2]);
    wire[length + 2] = 0;
    Some(length + 3)
}

/// Verifies a frame in place. `frame` is what stood between two zero bytes.
pub(crate) fn open<'a>(
    key: &PairingKey,
    direction: Direction,
    frame: &'a mut [u8],
) -> Result<Opened<'a>, Refusal> {
    let length = cobs::decode_in_place(frame).map_err(|_| Refusal::Garbage)?;
    let plain: &'a [u8] = frame.get(..length).ok_or(Refusal::Garbage)?;
    if length > MAX_PLAIN {
        return Err(Refusal::TooLong);
    }
    if length <= OVERHEAD {
        return Err(Refusal::Incomplete);
    }
    let (rest, checksum) = plain.split_at(length - CHECKSUM);
    if CRC.checksum(rest).to_le_bytes() != checksum {
        return Err(Refusal::Checksum);
    }
    if rest[0] != VERSION || rest[1] != direction.byte() {
        return Err(Refusal::Unknown);
    }
    let (sealed, found) = rest.split_at(rest.len() - TAG_BYTES);
    let expected = tag(
        direction.key(key),
        &nonce(plain).ok_or(Refusal::Incomplete)?,
        sealed,
    );
    if !bool::from(expected[..].ct_eq(found)) {
        return Err(Refusal::Forged);
    }
    let mut device_id = [0; 8];
    device_id.copy_from_slice(&sealed[2..10]);
    let mut counter = [0; 8];
    counter.copy_from_slice(&sealed[10..HEADER]);
    Ok(Opened {
        device_id: DeviceId(device_id),
        counter: u64::from_le_bytes(counter),
        body: &sealed[HEADER..],
    })
}

fn nonce(plain: &[u8]) -> Option<[u8; 16]> {
    plain.get(2..HEADER)?.try_into().ok()
}

/// COBS in place: `bytes[0]` is free, the rest is plain and at most 254 long.
fn stuff(bytes: &mut [u8]) {
    let mut code_at = 0;
    for at in 1..bytes.len() {
        if bytes[at] == 0 {
            bytes[code_at] = (at - code_at) as u8;
            code_at = at;
        }
    }
    bytes[code_at] = (bytes.len() - code_at) as u8;
}

#[cfg(test)]
mod tests {
    //! Goal: the in-place COBS is COBS. Method: compare with the `cobs` crate.
    extern crate std;
    use super::{MAX_PLAIN, stuff};
    use proptest::prelude::*;
    use std::vec;

    proptest! {
        #[test]
        fn stuffing_equals_the_cobs_crate(plain in proptest::collection::vec(0u8..4, 1..=MAX_PLAIN)) {
            let mut ours = vec![0xAA];
            ours.extend_from_slice(&plain);
            stuff(&mut ours);
            let mut theirs = vec![0; cobs::max_encoding_length(plain.len())];
            let length = cobs::encode(&plain, &mut theirs);
            // COBS may close a full block of 254 with an empty one; both forms decode alike.
            if plain.len() < MAX_PLAIN || plain.contains(&0) {
                prop_assert_eq!(&ours[..], &theirs[..length]);
            }
            let length = cobs::decode_in_place(&mut ours).unwrap();
            prop_assert_eq!(&ours[..length], &plain[..]);
        }
    }
}
