//! Nonin OEM III and Xpod, serial data format 2: 9600 baud, 8N1, 75 frames a second.
//!
//! Source: Nonin, *OEM III Module Specification and Technical Information*, "Serial data format
//! #2". A frame is five bytes, 25 frames are a packet, three packets come in a second:
//!
//! ```text
//! 01  status  pleth  data  checksum = sum of the four before, modulo 256
//!
//! status  bit 7  always 1          bit 3  SNSA  sensor alarm: no usable signal (finger out)
//!         bit 6  SNSD  sensor disconnected or inoperable
//!         bit 5  ARTF  a beat that does not fit
//!         bit 4  OOT   out of track: no run of good beats
//!         bit 2  RPRF  weak pulse  (2 and 1 together, YPRF: medium)
//!         bit 1  GPRF  strong pulse
//!         bit 0  SYNC  the first frame of a packet
//! data    frame 1  pulse bits 8, 7      frame 2  pulse bits 6 to 0     (511: missing)
//!         frame 3  SpO₂ bits 6 to 0 (127: missing)      frame 4  firmware revision
//! ```
//!
//! The vitals taken are those of the frames 1 to 3 (four-beat averages); the packet's other
//! averages say the same more slowly and are left out. A packet's status is the union of its
//! frames' bits. Upon the 25th frame, or the next SYNC, a packet ends: its vitals count if
//! their frames were whole.

use crate::codec::SegmentBuilder;
use crate::codec::damage::Damage;
use crate::event::{DeviceInfo, Event, RejectReason};
use crate::measurement::{Measurement, Metric, Quality, Value};

/// Bytes of a frame.
pub const FRAME_BYTES: usize = 5;
/// Frames of a packet.
pub const PACKET_FRAMES: usize = 25;
/// Bytes of a packet.
pub const PACKET_BYTES: usize = FRAME_BYTES * PACKET_FRAMES;

/// The bits of the status byte.
pub mod status {
    /// Sensor disconnected or inoperable.
    pub const SENSOR_DISCONNECTED: u8 = 0x40;
    /// A beat that does not fit.
    pub const ARTIFACT: u8 = 0x20;
    /// No run of good beats.
    pub const OUT_OF_TRACK: u8 = 0x10;
    /// No usable signal (finger out).
    pub const SENSOR_ALARM: u8 = 0x08;
    /// Weak pulse.
    pub const RED_PERFUSION: u8 = 0x04;
    /// Strong pulse; with [`RED_PERFUSION`], medium.
    pub const GREEN_PERFUSION: u8 = 0x02;
    /// First frame of a packet.
    pub const SYNC: u8 = 0x01;
    /// Always set.
    pub const MARK: u8 = 0x80;
}

const PULSE_MISSING: u16 = 511;
const SPO2_MISSING: u8 = 127;
/// The largest pulse rate the module measures, in beats per minute.
const PULSE_MAX: u16 = 321;

/// A packet as it is sent.
#[derive(Clone, Debug)]
pub struct PacketContent {
    /// Beats per minute; `None` is sent as 511.
    pub pulse: Option<u16>,
    /// Percent; `None` is sent as 127.
    pub spo2: Option<u8>,
    /// Status bits of every frame; SYNC and the mark are added.
    pub status: u8,
    /// The waveform.
    pub pleth: [u8; PACKET_FRAMES],
}

/// A frame with its checksum.
#[must_use]
pub fn encode_frame(status: u8, pleth: u8, data: u8) -> [u8; FRAME_BYTES] {
    let status = status | status::MARK;
    let checksum = 1u8
        .wrapping_add(status)
        .wrapping_add(pleth)
        .wrapping_add(data);
    [1, status, pleth, data, checksum]
}

/// A packet as bytes.
#[must_use]
pub fn encode_packet(content: &PacketContent) -> [u8; PACKET_BYTES] {
    let pulse = content.pulse.unwrap_or(PULSE_MISSING);
    let mut data = [0u8; PACKET_FRAMES];
    data[0] = (pulse >> 7) as u8 & 0x03;
    data[1] = (pulse & 0x7f) as u8;
    data[2] = content.spo2.unwrap_or(SPO2_MISSING) & 0x7f;
    data[3] = 47;
    (data[8], data[15]) = (data[2], data[2]);
    (data[13], data[14], data[19], data[20]) = (data[0], data[1], data[0], data[1]);
    let mut bytes = [0; PACKET_BYTES];
    for (index, frame) in bytes.chunks_exact_mut(FRAME_BYTES).enumerate() {
        let sync = if index == 0 { status::SYNC } else { 0 };
        let bits = (content.status & !status::SYNC) | sync;
        frame.copy_from_slice(&encode_frame(bits, content.pleth[index], data[index]));
    }
    bytes
}

/// The decoder.
#[derive(Debug)]
pub struct NoninOem3 {
    bytes: Vec<u8>,
    skipped: u32,
    skipped_frame: bool,
    packet: Option<Packet>,
    /// Frames since the last packet ended, lost ones included; `None` before the first SYNC.
    slots: Option<u32>,
    pleth: SegmentBuilder,
    damage: Damage,
    frames: u64,
    revision: Option<u8>,
}

#[derive(Debug, Default)]
struct Packet {
    /// The place of the next frame; `None` when bytes were lost and the place is unknown.
    next: Option<usize>,
    data: [Option<u8>; 4],
    status: u8,
}

impl Default for NoninOem3 {
    fn default() -> NoninOem3 {
        NoninOem3 {
            bytes: Vec::with_capacity(FRAME_BYTES),
            skipped: 0,
            skipped_frame: false,
            packet: None,
            slots: None,
            pleth: SegmentBuilder::new(Metric::PlethWave, 75),
            damage: Damage::default(),
            frames: 0,
            revision: None,
        }
    }
}

impl NoninOem3 {
    /// See [`crate::codec::Decoder::push`].
    pub fn push(&mut self, bytes: &[u8], now_millis: i64, events: &mut Vec<Event>) {
        for &byte in bytes {
            self.bytes.push(byte);
            while let Some(fault) = self.fault() {
                self.skip(fault, events);
            }
            if self.bytes.len() == FRAME_BYTES {
                let (status, pleth, data) = (self.bytes[1], self.bytes[2], self.bytes[3]);
                self.bytes.clear();
                self.frame(status, pleth, data, now_millis, events);
            }
        }
    }

    /// See [`crate::codec::Decoder::reset`].
    pub fn reset(&mut self, events: &mut Vec<Event>) {
        self.pleth.finish(events);
        let had_half = !self.bytes.is_empty() || self.skipped > 0 || self.packet.is_some();
        self.bytes.clear();
        self.skipped = 0;
        self.packet = None;
        self.slots = None;
        if had_half {
            self.damage.note(RejectReason::Incomplete, 1, events);
        }
        self.damage.report(0, events);
    }

    /// See [`crate::codec::Decoder::frames`].
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Why the bytes held cannot begin a frame, if so.
    fn fault(&self) -> Option<RejectReason> {
        let bytes = &self.bytes;
        if bytes.first().is_some_and(|&byte| byte != 1)
            || bytes.get(1).is_some_and(|&byte| byte & status::MARK == 0)
        {
            return Some(RejectReason::Garbage);
        }
        let (checksum, rest) = bytes.split_last()?;
        let sum = rest.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte));
        (bytes.len() == FRAME_BYTES && sum != *checksum).then_some(RejectReason::Checksum)
    }

    /// Gives up the first byte held.
    fn skip(&mut self, fault: RejectReason, events: &mut Vec<Event>) {
        self.bytes.remove(0);
        self.skipped_frame |= fault == RejectReason::Checksum;
        self.skipped += 1;
        if self.skipped == PACKET_BYTES as u32 {
            self.settle(events);
        }
    }

    /// Turns skipped bytes into lost frames and returns how many.
    fn settle(&mut self, events: &mut Vec<Event>) -> u32 {
        let skipped = core::mem::take(&mut self.skipped);
        let had_frame = core::mem::take(&mut self.skipped_frame);
        if skipped == 0 {
            return 0;
        }
        let lost = skipped.div_ceil(FRAME_BYTES as u32);
        let is_whole = skipped.is_multiple_of(FRAME_BYTES as u32);
        let reason = match (is_whole && had_frame, skipped < FRAME_BYTES as u32) {
            (true, _) => RejectReason::Checksum,
            (false, true) => RejectReason::Incomplete,
            (false, false) => RejectReason::Garbage,
        };
        self.damage.note(reason, lost, events);
        if let Some(packet) = &mut self.packet {
            packet.next = packet
                .next
                .filter(|_| is_whole)
                .map(|next| next + lost as usize);
        }
        if let Some(slots) = &mut self.slots {
            *slots += lost;
        }
        lost
    }

    fn frame(&mut self, status: u8, pleth: u8, data: u8, now_millis: i64, events: &mut Vec<Event>) {
        self.frames += 1;
        let lost = self.settle(events);
        if self.frames > 1 {
            for _ in 0..lost.min(PACKET_FRAMES as u32) {
                self.pleth.push(None, Quality::Missing, now_millis, events);
            }
        }
        if status & status::SYNC != 0 {
            self.begin_packet(now_millis, events);
        }
        if let Some(slots) = &mut self.slots {
            *slots += 1;
        }
        let quality = quality_of(status);
        let sample = (quality < Quality::SensorOff).then_some(i16::from(pleth));
        self.pleth.push(sample, quality, now_millis, events);
        let Some(packet) = &mut self.packet else {
            return;
        };
        packet.status |= status;
        let Some(place) = packet.next else { return };
        if let Some(slot) = packet.data.get_mut(place) {
            *slot = Some(data);
        }
        packet.next = Some(place + 1);
        if place + 1 >= PACKET_FRAMES {
            self.end_packet(now_millis, events);
        }
    }

    /// Upon SYNC: ends the packet begun, and counts packets of which not even SYNC came.
    fn begin_packet(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        if self.packet.is_some() {
            self.end_packet(now_millis, events);
        } else if let Some(slots) = self.slots {
            let packets = (slots + PACKET_FRAMES as u32 / 2) / PACKET_FRAMES as u32;
            self.damage.report(2 * packets, events);
        }
        self.slots = Some(0);
        self.packet = Some(Packet {
            next: Some(0),
            ..Packet::default()
        });
    }

    fn end_packet(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        let Some(packet) = self.packet.take() else {
            return;
        };
        self.slots = Some(0);
        let quality = quality_of(packet.status);
        let [high, low, spo2, revision] = packet.data;
        let pulse = high
            .zip(low)
            .map(|(high, low)| u16::from(high & 0x03) << 7 | u16::from(low & 0x7f));
        let spo2 = spo2.map(|data| data & 0x7f);
        let lost = u32::from(spo2.is_none()) + u32::from(pulse.is_none());
        self.damage.report(lost, events);
        if let Some(spo2) = spo2 {
            self.vital(
                Metric::SpO2,
                u16::from(spo2),
                u16::from(SPO2_MISSING),
                100,
                quality,
                now_millis,
                events,
            );
        }
        if let Some(pulse) = pulse {
            self.vital(
                Metric::PulseRate,
                pulse,
                PULSE_MISSING,
                PULSE_MAX,
                quality,
                now_millis,
                events,
            );
        }
        if revision.is_some() && revision != self.revision {
            self.revision = revision;
            events.push(Event::Device(DeviceInfo {
                model: Some("Nonin OEM III".to_owned()),
                firmware: revision.map(|revision| revision.to_string()),
                ..DeviceInfo::default()
            }));
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one vital with its limits; a struct would be used once"
    )]
    fn vital(
        &mut self,
        metric: Metric,
        raw: u16,
        missing: u16,
        max: u16,
        quality: Quality,
        now_millis: i64,
        events: &mut Vec<Event>,
    ) {
        if raw > max && raw != missing {
            self.damage.note(RejectReason::Implausible, 1, events);
            self.damage.report(1, events);
            return;
        }
        let value = (raw != missing && raw != 0).then(|| Value::whole(i64::from(raw)));
        events.push(Event::Measurement(Measurement::new(
            metric, value, quality, now_millis,
        )));
    }
}

/// What the status bits mean for a value.
fn quality_of(status: u8) -> Quality {
    let is_red = status & status::RED_PERFUSION != 0 && status & status::GREEN_PERFUSION == 0;
    if status & status::SENSOR_DISCONNECTED != 0 {
        Quality::SensorFault
    } else if status & status::SENSOR_ALARM != 0 {
        Quality::SensorOff
    } else if status & status::OUT_OF_TRACK != 0 {
        Quality::Searching
    } else if status & status::ARTIFACT != 0 {
        Quality::Questionable
    } else if is_red {
        Quality::LowPerfusion
    } else {
        Quality::Good
    }
}
