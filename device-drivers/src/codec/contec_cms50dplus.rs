//! Contec CMS50D+ up to firmware 4.x: 19200 baud, 8O1, 60 frames a second, unasked.
//!
//! Source: Contec, *Communication protocol* of the CMS50 series (five-byte form), confirmed by
//! several public readers of the device. Bit 7 is set on the first byte of a frame only:
//!
//! ```text
//! 0  bit 7 start · bit 6 beat · bit 5 SpO₂ falls · bit 4 finger out (searched too long) · 3–0 signal
//! 1  waveform, 0 to 127
//! 2  bit 6 pulse bit 7 · bit 5 searching · bit 4 probe error · 3–0 bar graph
//! 3  pulse bits 6 to 0      (0 or 255: missing)
//! 4  SpO₂                   (0 or 127: missing)
//! ```
//!
//! There is no checksum, so noise is told by the position of bit 7, by impossible values, and by
//! the vote of `sampled`. Beat, bar graph and signal strength are left out: the manual
//! gives them no scale.

use crate::codec::sampled::{Frame, SampledFrames};
use crate::codec::vitals::Vitals;
use crate::event::{Event, RejectReason};
use crate::measurement::Quality;

/// A frame as it is sent: both generations say the same, in different bytes.
pub use crate::codec::contec_cms50d::FrameContent;

/// Bytes of a frame.
pub const FRAME_BYTES: usize = 5;

const START: u8 = 0x80;
const SPO2_MISSING: u8 = 127;
const PULSE_MISSING: u8 = 255;

/// A frame as bytes.
#[must_use]
pub fn encode_frame(content: &FrameContent) -> [u8; FRAME_BYTES] {
    let pulse = content.pulse.unwrap_or(0);
    let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
    [
        START | bit(content.is_finger_out, 0x10) | bit(!content.is_finger_out, 0x05),
        content.wave & 0x7f,
        (pulse >> 7) << 6 | bit(content.is_searching, 0x20) | bit(content.is_finger_out, 0x10),
        pulse & 0x7f,
        content.spo2.unwrap_or(0) & 0x7f,
    ]
}

/// The decoder.
#[derive(Debug, Default)]
pub struct ContecCms50dPlus {
    bytes: Vec<u8>,
    stray: u32,
    stream: SampledFrames,
}

impl ContecCms50dPlus {
    /// See [`crate::codec::Decoder::push`].
    pub fn push(&mut self, bytes: &[u8], now_millis: i64, events: &mut Vec<Event>) {
        for &byte in bytes {
            if byte & START != 0 {
                self.end_damage(now_millis, events);
                self.bytes.push(byte);
            } else if self.bytes.is_empty() {
                self.stray += 1;
                if self.stray == FRAME_BYTES as u32 {
                    self.end_damage(now_millis, events);
                }
            } else {
                self.bytes.push(byte);
                if let &[head, wave, flags, pulse, spo2] = self.bytes.as_slice() {
                    self.bytes.clear();
                    self.frame([head, wave, flags, pulse, spo2], now_millis, events);
                }
            }
        }
    }

    /// See [`crate::codec::Decoder::reset`].
    pub fn reset(&mut self, events: &mut Vec<Event>) {
        let has_rest = !self.bytes.is_empty() || self.stray > 0;
        self.stream.reset(has_rest, events);
        self.bytes.clear();
        self.stray = 0;
    }

    /// See [`crate::codec::Decoder::frames`].
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.stream.believed()
    }

    /// Counts a half frame or stray bytes as one lost frame.
    fn end_damage(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        if self.bytes.is_empty() && self.stray == 0 {
            return;
        }
        let reason = if self.stray >= FRAME_BYTES as u32 {
            RejectReason::Garbage
        } else {
            RejectReason::Incomplete
        };
        self.bytes.clear();
        self.stray = 0;
        self.stream.refuse(reason, now_millis, events);
    }

    fn frame(
        &mut self,
        [head, wave, flags, pulse, spo2]: [u8; FRAME_BYTES],
        now_millis: i64,
        events: &mut Vec<Event>,
    ) {
        if spo2 > 100 && spo2 != SPO2_MISSING {
            self.stream
                .refuse(RejectReason::Implausible, now_millis, events);
            return;
        }
        let is_off = head & 0x10 != 0 || flags & 0x10 != 0;
        let quality = match (is_off, flags & 0x20 != 0) {
            (true, _) => Quality::SensorOff,
            (false, true) => Quality::Searching,
            (false, false) => Quality::Good,
        };
        let pulse = pulse | (flags & 0x40) << 1;
        let vitals = Vitals {
            quality,
            spo2: Some(spo2).filter(|&spo2| spo2 != 0 && spo2 != SPO2_MISSING),
            pulse: Some(pulse)
                .filter(|&pulse| pulse != 0 && pulse != PULSE_MISSING)
                .map(u16::from),
        };
        let sample = (!is_off).then_some(i16::from(wave));
        let frame = Frame { sample, vitals };
        self.stream.push(frame, now_millis, events);
    }
}
