//! Frames: header, body, tag, checksum, in COBS between two zero bytes.
//!
//! ```text
//! offset  bytes
//!      0      1  version 1 in the low four bits, class of authentication in the high four
//!      1      1  direction, 'D' from the device or 'H' from the host
//!      2      8  device id
//!     10      8  counter, little endian
//!     18      n  body, at least 1 byte
//!   18+n      p  proof over the bytes 0 to 18+n: a tag of 16 bytes, or a signature of 64
//! 18+n+p      2  CRC-16/IBM-3740 over the bytes 0 to 18+n+p, little endian
//! ```
//!
//! The checksum tells a bad cable from a bad actor; only the proof is trusted, and only that of the
//! class that was paired. At most 254 bytes, so that COBS adds exactly one byte and can be done in
//! place in a small memory. Counters never repeat under a key, so neither do nonces.

use crate::authentication::{Authentication, TAG_BYTES};
use crate::key::DeviceId;
use core::fmt;
use core::num::NonZeroUsize;
use crc::{CRC_16_IBM_3740, Crc, NoTable};

/// The version of the protocol.
pub const VERSION: u8 = 1;
/// Bytes of a frame before COBS, at most.
pub const MAX_PLAIN: usize = 254;
/// Bytes of a frame around its body, where the proof is a tag.
pub const OVERHEAD: usize = HEADER + TAG_BYTES + CHECKSUM;
/// Bytes of a body, at most, where the proof is a tag.
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
    /// Proved in another way than was paired: a device of another class, or a try to downgrade.
    WrongClass,
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
            Refusal::WrongClass => "not of the paired class",
            Refusal::Forged => "not sealed with this pairing key",
            Refusal::WrongDevice => "from another device",
            Refusal::Replayed => "a replay",
        })
    }
}

impl core::error::Error for Refusal {}

/// A frame whose checksum and proof were verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened<'a> {
    pub(crate) device_id: DeviceId,
    pub(crate) counter: u64,
    pub(crate) body: &'a [u8],
}

/// What stands before the body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) authentication: Authentication,
    pub(crate) direction: Direction,
    pub(crate) device_id: DeviceId,
    pub(crate) counter: u64,
}

const fn proof_bytes(authentication: Authentication, direction: Direction) -> usize {
    match direction {
        Direction::FromDevice => authentication.device_proof_bytes(),
        Direction::FromHost => TAG_BYTES,
    }
}

const fn first_byte(authentication: Authentication) -> u8 {
    authentication.number() << 4 | VERSION
}

/// A frame in the making: header and body are in the wire's memory up to here, the proof is not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft(NonZeroUsize);

/// Writes header and body to where they stand in the frame; `None` if the message does not fit a
/// frame or `wire`. `encode` is given the place for the body and returns how much it took.
pub(crate) fn draft(
    head: &Head,
    wire: &mut [u8],
    encode: impl FnOnce(&mut [u8]) -> Option<usize>,
) -> Option<Draft> {
    let proof_bytes = proof_bytes(head.authentication, head.direction);
    let longest = wire.len().min(MAX_WIRE);
    let end = longest.checked_sub(1 + CHECKSUM + proof_bytes)?;
    let header = wire.get_mut(2..2 + HEADER)?;
    header[0] = first_byte(head.authentication);
    header[1] = head.direction.byte();
    header[2..10].copy_from_slice(&head.device_id.0);
    header[10..].copy_from_slice(&head.counter.to_le_bytes());
    let body = wire.get_mut(2 + HEADER..end)?;
    NonZeroUsize::new(2 + HEADER + encode(body)?).map(Draft)
}

/// Completes a frame as it goes on the wire and returns its length. `prove` is given header and
/// body, which it may encrypt, and the place for the proof.
pub(crate) fn finish(
    Draft(body_end): Draft,
    proof_bytes: usize,
    wire: &mut [u8],
    prove: impl FnOnce(&mut [u8], &mut [u8]),
) -> Option<usize> {
    let body_end = body_end.get();
    let proof_end = body_end + proof_bytes;
    let length = proof_end + CHECKSUM + 1;
    let wire = wire.get_mut(..length)?;
    let (signed, rest) = wire.get_mut(2..)?.split_at_mut_checked(body_end - 2)?;
    prove(signed, rest.get_mut(..proof_bytes)?);
    let checksum = CRC.checksum(wire.get(2..proof_end)?).to_le_bytes();
    wire.get_mut(proof_end..length - 1)?
        .copy_from_slice(&checksum);
    stuff(wire.get_mut(1..length - 1)?);
    *wire.first_mut()? = 0;
    *wire.last_mut()? = 0;
    Some(length)
}

/// Both steps at once.
#[cfg(feature = "host")]
pub(crate) fn seal<M: serde::Serialize>(
    head: &Head,
    message: &M,
    wire: &mut [u8],
    prove: impl FnOnce(&mut [u8], &mut [u8]),
) -> Option<usize> {
    let encode = |body: &mut [u8]| Some(postcard::to_slice(message, body).ok()?.len());
    let proof_bytes = proof_bytes(head.authentication, head.direction);
    finish(draft(head, wire, encode)?, proof_bytes, wire, prove)
}

/// The number of the class that a frame names, before anything of it is verified. The first byte of
/// a frame is never zero, so COBS leaves it where it is.
#[cfg(feature = "host")]
pub(crate) fn class_number(frame: &[u8]) -> Option<u8> {
    frame.get(1).map(|first| first >> 4)
}

/// Verifies a frame in place. `frame` is what stood between two zero bytes; `is_proved` is given
/// header and body, which it may decrypt, and the proof.
pub(crate) fn open<'a>(
    authentication: Authentication,
    direction: Direction,
    frame: &'a mut [u8],
    is_proved: impl FnOnce(&mut [u8], &[u8]) -> bool,
) -> Result<Opened<'a>, Refusal> {
    let length = unstuff(frame).ok_or(Refusal::Garbage)?;
    let plain: &'a mut [u8] = frame.get_mut(..length).ok_or(Refusal::Garbage)?;
    if length > MAX_PLAIN {
        return Err(Refusal::TooLong);
    }
    if length <= OVERHEAD {
        return Err(Refusal::Incomplete);
    }
    let (rest, checksum) = plain.split_at_mut(length - CHECKSUM);
    if CRC.checksum(rest).to_le_bytes() != checksum {
        return Err(Refusal::Checksum);
    }
    if rest[0] & 0x0f != VERSION || rest[1] != direction.byte() {
        return Err(Refusal::Unknown);
    }
    if rest[0] != first_byte(authentication) {
        return Err(Refusal::WrongClass);
    }
    let signed_bytes = rest
        .len()
        .checked_sub(proof_bytes(authentication, direction));
    let (signed, proof) = signed_bytes
        .and_then(|bytes| rest.split_at_mut_checked(bytes))
        .ok_or(Refusal::Incomplete)?;
    if signed.len() <= HEADER {
        return Err(Refusal::Incomplete);
    }
    if !is_proved(signed, proof) {
        return Err(Refusal::Forged);
    }
    let mut device_id = [0; 8];
    device_id.copy_from_slice(&signed[2..10]);
    let mut counter = [0; 8];
    counter.copy_from_slice(&signed[10..HEADER]);
    Ok(Opened {
        device_id: DeviceId(device_id),
        counter: u64::from_le_bytes(counter),
        body: signed.get(HEADER..).unwrap_or_default(),
    })
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

/// COBS undone in place; returns how many bytes there are then, `None` if `bytes` is no COBS.
fn unstuff(bytes: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (0, 0);
    while from < bytes.len() {
        let code = usize::from(bytes[from]);
        let end = from + code;
        if code == 0 || end > bytes.len() {
            return None;
        }
        for at in from + 1..end {
            bytes[to] = bytes[at];
            to += 1;
        }
        if code < 255 && end < bytes.len() {
            bytes[to] = 0;
            to += 1;
        }
        from = end;
    }
    Some(to)
}

#[cfg(test)]
mod tests {
    //! Goal: the in-place COBS is COBS. Method: compare with the `cobs` crate.
    extern crate std;
    use super::{MAX_PLAIN, stuff, unstuff};
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

        #[test]
        fn unstuffing_equals_the_cobs_crate(bytes in proptest::collection::vec(prop_oneof![1u8..6, 1u8..], 1..600)) {
            let (mut ours, mut theirs) = (bytes.clone(), bytes);
            let length = unstuff(&mut ours);
            prop_assert_eq!(length, cobs::decode_in_place(&mut theirs).ok());
            if let Some(length) = length {
                prop_assert_eq!(&ours[..length], &theirs[..length]);
            }
        }

        #[test]
        fn any_zero_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut ours = bytes.clone();
            let length = unstuff(&mut ours);
            prop_assert!(length.is_none_or(|length| length <= bytes.len()));
        }
    }
}
