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

/// A reader that takes every frame.
pub type FrameReader = FrameCutter<MAX_WIRE>;

/// Collects bytes, `N` at most: a small device hears no frame longer than its messages are.
#[derive(Clone, Debug)]
pub struct FrameCutter<const N: usize> {
    bytes: [u8; N],
    length: usize,
    is_too_long: bool,
}

impl<const N: usize> Default for FrameCutter<N> {
    fn default() -> FrameCutter<N> {
        FrameCutter {
            bytes: [0; N],
            length: 0,
            is_too_long: false,
        }
    }
}

impl<const N: usize> FrameCutter<N> {
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
        let frame = self.bytes.get_mut(..length)?;
        (length > 0).then_some(Chunk::Frame(frame))
    }

    /// Forgets a half frame and says whether there was one.
    pub fn reset(&mut self) -> bool {
        let had_bytes = self.length > 0 || self.is_too_long;
        self.length = 0;
        self.is_too_long = false;
        had_bytes
    }
}
