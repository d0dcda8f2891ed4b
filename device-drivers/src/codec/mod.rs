//! Codecs: bytes in, events out. No I/O, no clock, no logging; the time is handed in.
//!
//! Every decoder is total (any bytes at any cut), holds at most one frame and one second of
//! samples, and finds its frames again by itself:
//!
//! | profile | a frame ends | after garbage, loss or a half frame |
//! |---|---|---|
//! | nonin-oem3 | 5 bytes, first 01, status bit 7, checksum | the next whole frame counts, unless its first bytes and the garbage before it happen to have a right checksum; vitals from the next packet on |
//! | nonin-ascii | CR or LF | the next whole line counts |
//! | contec-cms50dplus | bit 7 only on the first of 5 bytes | the next whole frame counts, if most around it are whole |
//! | contec-cms50d-115200 | bit 7 on all but the first of 9 bytes | the next whole frame counts, if most around it are whole |
//! | fogward-level0 | a zero byte | the next whole frame counts |
//!
//! What was refused and how many readings that cost is an event, too (see [`crate::event`]).

pub mod contec_cms50d;
pub mod contec_cms50dplus;
mod damage;
pub mod level0;
pub mod nonin_ascii;
pub mod nonin_oem3;
mod sampled;
mod segment;
mod vitals;

use crate::device::{OpenError, SerialConfig};
use crate::event::Event;
use crate::profile::Profile;

pub(crate) use segment::SegmentBuilder;

/// The decoder of one profile.
#[derive(Debug)]
pub enum Decoder {
    /// `nonin-oem3`
    NoninOem3(nonin_oem3::NoninOem3),
    /// `nonin-ascii`
    NoninAscii(nonin_ascii::NoninAscii),
    /// `contec-cms50dplus`
    ContecCms50dPlus(contec_cms50dplus::ContecCms50dPlus),
    /// `contec-cms50d-115200`
    ContecCms50d(contec_cms50d::ContecCms50d),
    /// `fogward-level0`
    Level0(Box<level0::Level0>),
}

impl Decoder {
    /// The decoder for a configured device.
    ///
    /// # Errors
    /// [`OpenError::KeyMissing`] if the profile needs a pairing key and has none.
    pub fn new(config: &SerialConfig) -> Result<Decoder, OpenError> {
        Ok(match config.profile {
            Profile::NoninOem3 => Decoder::NoninOem3(nonin_oem3::NoninOem3::default()),
            Profile::NoninAscii => Decoder::NoninAscii(nonin_ascii::NoninAscii::default()),
            Profile::ContecCms50dPlus => {
                Decoder::ContecCms50dPlus(contec_cms50dplus::ContecCms50dPlus::default())
            }
            Profile::ContecCms50d115200 => {
                Decoder::ContecCms50d(contec_cms50d::ContecCms50d::default())
            }
            Profile::FogwardLevel0 => {
                let key = config.key.clone().ok_or(OpenError::KeyMissing)?;
                Decoder::Level0(Box::new(level0::Level0::new(key, config.replay_floor)))
            }
        })
    }

    /// Takes the next bytes, received at `now_millis` (since 1970), and appends what they mean.
    pub fn push(&mut self, bytes: &[u8], now_millis: i64, events: &mut Vec<Event>) {
        match self {
            Decoder::NoninOem3(decoder) => decoder.push(bytes, now_millis, events),
            Decoder::NoninAscii(decoder) => decoder.push(bytes, now_millis, events),
            Decoder::ContecCms50dPlus(decoder) => decoder.push(bytes, now_millis, events),
            Decoder::ContecCms50d(decoder) => decoder.push(bytes, now_millis, events),
            Decoder::Level0(decoder) => decoder.push(bytes, now_millis, events),
        }
    }

    /// The line broke: hands out the part of a second of waveform there is, and refuses the half
    /// frame there is.
    pub fn reset(&mut self, events: &mut Vec<Event>) {
        match self {
            Decoder::NoninOem3(decoder) => decoder.reset(events),
            Decoder::NoninAscii(decoder) => decoder.reset(events),
            Decoder::ContecCms50dPlus(decoder) => decoder.reset(events),
            Decoder::ContecCms50d(decoder) => decoder.reset(events),
            Decoder::Level0(decoder) => decoder.reset(events),
        }
    }

    /// How many whole, valid frames there were so far. Those of a profile without a checksum count
    /// once a quarter of a second of them is believed.
    #[must_use]
    pub fn frames(&self) -> u64 {
        match self {
            Decoder::NoninOem3(decoder) => decoder.frames(),
            Decoder::NoninAscii(decoder) => decoder.frames(),
            Decoder::ContecCms50dPlus(decoder) => decoder.frames(),
            Decoder::ContecCms50d(decoder) => decoder.frames(),
            Decoder::Level0(decoder) => decoder.frames(),
        }
    }
}
