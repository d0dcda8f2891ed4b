//! The level-0 protocol: how a constrained sensor and its fog node talk over a serial line.
//!
//! One frame, one message, one authentication tag. The same code runs in a microcontroller's
//! firmware ([`Sensor`]) and in the fog node ([`Host`]), without an allocator and without floating
//! point. Byte for byte it is specified in `docs/level0-protocol.md`; the vectors there are the
//! golden tests here.
//!
//! ```text
//! message ─postcard─▶ body ─┐
//! version, direction, device id, counter ─▶ header ─┴─▶ header body tag crc ─COBS─▶ 00 … 00
//! ```
//!
//! It leaves out I/O, clocks, the choice of keys and secrecy: a reading is authenticated, not
//! encrypted, because the cable ends at the fog node that seals it.
#![no_std]

mod ascon;
mod frame;
mod key;
mod message;
mod peer;
mod reader;
mod window;

pub use frame::{Direction, MAX_BODY, MAX_PLAIN, MAX_WIRE, OVERHEAD, Refusal, VERSION};
pub use key::{DeviceId, KeyError, PairingKey};
pub use message::{
    DeviceClass, DeviceMessage, Hello, HostMessage, MAX_READINGS, MAX_SAMPLES, MISSING_SAMPLE,
    Outgoing, Reading, Readings, Wave, metric, quality,
};
pub use peer::{Accepted, EncodeError, Host, Sensor};
pub use reader::{Chunk, FrameReader};
pub use window::{ReplayWindow, Step, WINDOW};
