//! Newer Contec CMS50D and CMS50E: 115200 baud, 8N1, 60 frames a second, when asked.
//!
//! Source: Contec's CMS50 protocol, version 7, as public readers of the device describe it, and
//! captures of it. The host sends [`START`], and [`KEEP_ALIVE`] every few seconds, or the device
//! stops after half a minute. Bit 7 is clear on the first byte of a packet, its type, and set on all
//! others; the real bits 7 of the bytes 2 to 8 travel in byte 1:
//!
//! ```text
//! 0  type: 01 live data
//! 1  bit n: bit 7 of byte 2 + n
//! 2  bit 7 finger out · bit 6 beat · bit 4 searched too long · 3–0 signal
//! 3  bit 7 searching · 6–0 waveform
//! 4  bit 4 perfusion index invalid · 3–0 bar graph
//! 5  pulse   (0 or 255: missing)
//! 6  SpO₂    (0 or above 100: missing)
//! 7, 8  perfusion index
//! ```
//!
//! The perfusion index is left out: its scale is not documented. Other packet types are answers to
//! commands and are passed over.

use crate::codec::sampled::{Frame, SampledFrames};
use crate::codec::vitals::Vitals;
use crate::event::{Event, RejectReason};
use crate::measurement::Quality;

/// Bytes of a frame.
pub const FRAME_BYTES: usize = 9;
/// Asks for live data.
pub const START: [u8; 9] = [0x7d, 0x81, 0xa1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80];
/// Asks for more of it.
pub const KEEP_ALIVE: [u8; 9] = [0x7d, 0x81, 0xaf, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80];

const LIVE: u8 = 0x01;
/// The types of packet a device is known to send.
const TYPE_MAX: u8 = 0x14;
const BODY: u8 = 0x80;
const SPO2_MAX: u8 = 100;
const PULSE_MISSING: u8 = 255;

/// A frame as it is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameContent {
    /// The waveform, 0 to 127.
    pub wave: u8,
    /// Beats per minute; `None` is sent as 0.
    pub pulse: Option<u8>,
    /// Percent; `None` is sent as 0.
    pub spo2: Option<u8>,
    /// No finger in the probe.
    pub is_finger_out: bool,
    /// The device looks for a pulse.
    pub is_searching: bool,
}

/// A frame as bytes.
#[must_use]
pub fn encode_frame(content: &FrameContent) -> [u8; FRAME_BYTES] {
    let bit = |is_set: bool| if is_set { 0x80 } else { 0 };
    let body = [
        bit(content.is_finger_out) | 0x05,
        bit(content.is_searching) | (content.wave & 0x7f),
        0x16,
        content.pulse.unwrap_or(0),
        content.spo2.unwrap_or(0),
        0xff,
        0xff,
    ];
    let mut frame = [LIVE, BODY, 0, 0, 0, 0, 0, 0, 0];
    for (index, byte) in body.into_iter().enumerate() {
        frame[1] |= (byte >> 7) << index;
        frame[2 + index] = byte | BODY;
    }
    frame
}

/// The decoder.
#[derive(Debug, Default)]
pub struct ContecCms50d {
    bytes: Vec<u8>,
    stray: u32,
    stream: SampledFrames,
}

impl ContecCms50d {
    /// See [`crate::codec::Decoder::push`].
    pub fn push(&mut self, bytes: &[u8], now_millis: i64, events: &mut Vec<Event>) {
        for &byte in bytes {
            if byte & BODY == 0 {
                self.end_packet(now_millis, events);
                self.bytes.push(byte);
            } else if self.bytes.is_empty() || self.bytes.len() == FRAME_BYTES {
                self.stray += 1;
                if self.stray == FRAME_BYTES as u32 {
                    self.end_packet(now_millis, events);
                }
            } else {
                self.bytes.push(byte);
                if let &[LIVE, high, ref body @ ..] = self.bytes.as_slice()
                    && let &[flags, wave, _, pulse, spo2, _, _] = body
                {
                    let full = |byte: u8, index: u32| (byte & 0x7f) | (high >> index & 1) << 7;
                    let frame = [full(flags, 0), full(wave, 1), full(pulse, 3), full(spo2, 4)];
                    self.bytes.clear();
                    self.frame(frame, now_millis, events);
                }
            }
        }
    }

    /// See [`crate::codec::Decoder::reset`].
    pub fn reset(&mut self, events: &mut Vec<Event>) {
        let has_rest = self.bytes.first() == Some(&LIVE) || self.stray > 0;
        self.stream.reset(has_rest, events);
        self.bytes.clear();
        self.stray = 0;
    }

    /// See [`crate::codec::Decoder::frames`].
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.stream.believed()
    }

    /// Upon the first byte of the next packet: counts half frames, unknown packets and stray bytes.
    fn end_packet(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        let stray = core::mem::take(&mut self.stray);
        let reason = match self.bytes.first() {
            Some(&LIVE) => Some(RejectReason::Incomplete),
            Some(2..=TYPE_MAX) | None if stray == 0 => None,
            Some(2..=TYPE_MAX) | None if stray < FRAME_BYTES as u32 => {
                Some(RejectReason::Incomplete)
            }
            _ => Some(RejectReason::Garbage),
        };
        self.bytes.clear();
        if let Some(reason) = reason {
            self.stream.refuse(reason, now_millis, events);
        }
    }

    fn frame(
        &mut self,
        [flags, wave, pulse, spo2]: [u8; 4],
        now_millis: i64,
        events: &mut Vec<Event>,
    ) {
        self.end_packet(now_millis, events);
        let is_off = flags & 0x80 != 0;
        let is_searching = wave & 0x80 != 0 || flags & 0x10 != 0;
        let quality = match (is_off, is_searching) {
            (true, _) => Quality::SensorOff,
            (false, true) => Quality::Searching,
            (false, false) => Quality::Good,
        };
        let vitals = Vitals {
            quality,
            spo2: Some(spo2).filter(|spo2| (1..=SPO2_MAX).contains(spo2)),
            pulse: Some(pulse)
                .filter(|&pulse| pulse != 0 && pulse != PULSE_MISSING)
                .map(u16::from),
        };
        let sample = (!is_off).then_some(i16::from(wave & 0x7f));
        let frame = Frame { sample, vitals };
        self.stream.push(frame, now_millis, events);
    }
}
