//! Cuts a byte stream into frames at its zero bytes, in a fixed memory.
//!
//! Upon a zero byte the bytes since the last one are a candidate frame. Two zero bytes in a row
//! mean nothing. Bytes beyond the longest frame are dropped and the candidate is reported as too
//! long, once. As each frame is enclosed in zero bytes, garbage never costs the frame after it.

use crate::frame::MAX_WIRE;

/// What a byte completed.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// A candidate frame, still COBS encoded, without zero bytes.
    Frame(&'a mut [u8]),
    /// A run of this many bytes that is too long for a frame.
    TooLong,
}

/// Collects bytes.
#[derive(Clone, Debug)]
pub struct FrameReader {
    bytes: [u8; MAX_WIRE],
    length: usize,
    is_too_long: bool,
}

impl Default for FrameReader {
    fn default() -> FrameReader {
        FrameReader {
            bytes: [0; MAX_WIRE],
            length: 0,
            is_too_long: false,
        }
    }
}

impl FrameReader {
    /// Takes one byte.
    pub fn push(&mut self, byte: u8) -> Option<Chunk<'_>> {
        if byte != 0 {
            match self.bytes.get_mut(self.length) {
                Some(place) => {
                    *place = byte;
                    self.length += 1;
                }
                None => self.is_too_long = true,
            }
            return None;
        }
        let length = core::mem::take(&mut self.length);
        if core::mem::take(&mut self.is_too_long) {
            return Some(Chunk::TooLong);
        }
        (length > 0).then(|| Chunk::Frame(&mut self.bytes[..length]))
    }

    /// Forgets a half frame and says whether there was one.
    pub fn reset(&mut self) -> bool {
        let had_bytes = self.length > 0 || self.is_too_long;
        self.length = 0;
        self.is_too_long = false;
        had_bytes
    }
}
