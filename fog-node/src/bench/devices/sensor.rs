//! A sensor that the bench plays: the firmware's own code for a level-0 device, Nonin's text for the rest.
//!
//! Its values count its frames, so that a value that is shown tells the frame it came with; the data are
//! simulated. It introduces itself when asked, and reads what it is told, as a device must.

use std::io;

use anyhow::Context as _;
use device_drivers::codec::nonin_ascii::encode_line;
use device_drivers::profile::Profile;
use fogward_level0::{
    Authentication, Chunk, DeviceClass, EncodeError, FrameReader, Hello, HostMessage, Outgoing,
    Reading, Refusal, metric, quality,
};

use super::super::firmware::Firmware;
use super::line::Line;

/// Values repeat after so many frames of a device; none is on its way for so many seconds.
const DISTINCT: u16 = 200;
/// Samples of a wave frame: a second at 100 Hz.
const WAVE_SAMPLES: usize = 100;
const WAVE_PERIOD_MICROS: u32 = 10_000;
/// Readings of a frame of vitals: SpO₂ and pulse.
pub(super) const VITALS: u64 = 2;
/// The least pulse sent, in beats per minute.
const LEAST_PULSE: u16 = 40;

/// A sensor at its line.
pub(super) struct Played {
    pub(super) line: Line,
    /// None of a Nonin, whose text proves nothing.
    firmware: Option<Firmware>,
    /// The node's key for it, as `fogward run --serial-key` reads it; none for a profile without keys.
    pub(super) key: Option<String>,
    reader: FrameReader,
    frames: u16,
}

impl Played {
    /// A level-0 sensor with a fresh key of a class.
    pub(super) fn level0(number: u32, class: Authentication) -> anyhow::Result<Self> {
        let (firmware, key) = Firmware::new(number, class)?;
        Self::at_a_line(Some(firmware), Some(key))
    }

    /// A Nonin oximeter with text output.
    pub(super) fn nonin() -> anyhow::Result<Self> {
        Self::at_a_line(None, None)
    }

    fn at_a_line(firmware: Option<Firmware>, key: Option<String>) -> anyhow::Result<Self> {
        Ok(Self {
            line: Line::plug_in().context("cannot open a pseudo terminal")?,
            firmware,
            key,
            reader: FrameReader::default(),
            frames: 0,
        })
    }

    /// What the node has to read it as.
    pub(super) const fn profile(&self) -> Profile {
        match self.firmware {
            None => Profile::NoninAscii,
            Some(_) => Profile::FogwardLevel0,
        }
    }

    /// Whether its frames are numbered, so that one that is lost is missed by its number.
    pub(super) const fn is_numbered(&self) -> bool {
        self.firmware.is_some()
    }

    /// The next frame of SpO₂ and pulse, and the pulse in it.
    pub(super) fn vitals(&mut self) -> Result<(Vec<u8>, u16), EncodeError> {
        let mark = self.next_mark();
        let pulse = LEAST_PULSE + mark;
        let spo2 = 90 + (mark % 10) as u8;
        if self.firmware.is_none() {
            return Ok((encode_line(Some(spo2), Some(pulse)).into_bytes(), pulse));
        }
        let reading = |metric, value| Reading {
            metric,
            quality: quality::GOOD,
            mantissa: value,
            exponent: 0,
        };
        let readings = [
            reading(metric::SPO2, i32::from(spo2)),
            reading(metric::PULSE_RATE, i32::from(pulse)),
        ];
        let message = Outgoing::Readings {
            time_millis: None,
            readings: &readings,
        };
        Ok((self.seal(&message)?, pulse))
    }

    /// The next second of a wave at 100 Hz, and its first sample.
    pub(super) fn wave(&mut self) -> Result<(Vec<u8>, u16), EncodeError> {
        let mark = self.next_mark();
        let samples: Vec<i16> = (mark as i16..).take(WAVE_SAMPLES).collect();
        let message = Outgoing::Wave {
            metric: metric::PLETH_WAVE,
            time_millis: None,
            period_micros: WAVE_PERIOD_MICROS,
            samples: &samples,
        };
        Ok((self.seal(&message)?, mark))
    }

    /// Reads what the node has sent, and introduces itself if that was asked for.
    pub(super) fn listen(&mut self) -> anyhow::Result<()> {
        self.messages().map(drop)
    }

    /// The same, and what it was told.
    pub(super) fn messages(&mut self) -> anyhow::Result<Vec<HostMessage>> {
        let mut bytes = [0; 4096];
        let heard = self.line.heard(&mut bytes)?;
        let mut messages = Vec::new();
        for &byte in heard {
            if let Some(Chunk::Frame(frame)) = self.reader.push(byte) {
                let opened = self.firmware.as_mut().map(|device| device.open(frame));
                let opened = opened.unwrap_or(Err(Refusal::Unknown));
                messages.push(opened.context("the node's frame")?);
            }
        }
        if messages.contains(&HostMessage::Identify) {
            let hello = self.seal(&Outgoing::Hello(Hello {
                firmware: [1, 0, 0],
                class: DeviceClass::Lightweight,
                readings_per_1000_s: 1000 * VITALS as u32,
                is_listening: true,
            }))?;
            self.line.send(&hello)?;
        }
        Ok(messages)
    }

    /// Counts a frame; distinct for [`DISTINCT`] frames.
    fn next_mark(&mut self) -> u16 {
        self.frames = (self.frames + 1) % DISTINCT;
        self.frames
    }

    fn seal(&mut self, message: &Outgoing<'_>) -> Result<Vec<u8>, EncodeError> {
        self.firmware.as_mut().ok_or(EncodeError)?.seal(message)
    }
}

/// A frame of which one byte was changed on the way, and no zero byte, so that it stays one frame.
pub(super) fn damage(frame: &mut [u8]) -> io::Result<()> {
    let middle = frame.len() / 2;
    let byte = frame
        .get_mut(middle)
        .ok_or_else(|| io::Error::other("an empty frame"))?;
    *byte = if *byte == 0x55 { 0x56 } else { 0x55 };
    Ok(())
}
