//! The level-0 protocol: how a constrained sensor and its fog node talk over a serial line.
//!
//! One frame, one message, one proof of who sent it. The same code runs in a microcontroller's
//! firmware ([`Sensor`]) and in the fog node (`Host`), without an allocator and without floating
//! point. Byte for byte it is specified in `docs/level0-protocol.md`; the vectors there are the
//! golden tests here.
//!
//! ```text
//! message ─postcard─▶ body ─┐
//! version, direction, device id, counter ─▶ header ─┴─▶ header body proof crc ─COBS─▶ 00 … 00
//! ```
//!
//! A firmware takes the crate without its default feature `host`, and with the feature of its class:
//! none for an ultra-light device, `low-cost`, or `signing`; with `relay` it hears other devices, too.
//!
//! It leaves out I/O, clocks, the choice of keys and secrecy: a reading is authenticated, not
//! encrypted, because the cable ends at the fog node that seals it.
#![no_std]

mod ascon;
pub mod authentication;
mod backlog;
mod code;
mod frame;
#[cfg(feature = "low-cost")]
mod hmac;
#[cfg(feature = "host")]
mod host;
#[cfg(feature = "host")]
mod host_key;
pub mod journal;
mod key;
mod message;
pub mod pairing;
#[cfg(feature = "host")]
mod provisioning;
mod reader;
#[cfg(feature = "relay")]
mod relay;
mod sensor;
#[cfg(feature = "host")]
mod window;
mod wire;

#[cfg(feature = "low-cost")]
pub use authentication::HmacKey;
#[cfg(feature = "signing")]
pub use authentication::SigningKey;
pub use authentication::{Authentication, DeviceKey};
pub use backlog::{Backlog, Clock};
#[cfg(feature = "host")]
pub use code::CodeError;
pub use code::PairingCode;
pub use frame::{Direction, MAX_BODY, MAX_PLAIN, MAX_WIRE, OVERHEAD, Refusal, VERSION};
#[cfg(feature = "host")]
pub use host::{Accepted, Host};
#[cfg(feature = "host")]
pub use host_key::{HostKey, MAX_KEY_BYTES};
pub use journal::{Journal, NonVolatile, Slot, StoreError};
pub use key::{DeviceId, KeyError, PairingKey};
pub use message::{
    DeviceClass, Hello, HostMessage, MAX_READINGS, MAX_SAMPLES, MISSING_SAMPLE, Outgoing, Reading,
    metric, quality,
};
#[cfg(feature = "host")]
pub use message::{DeviceMessage, Readings, Wave};
pub use pairing::{Offer, Unpaired};
#[cfg(feature = "host")]
pub use provisioning::{Progress, Provisioning};
pub use reader::{Chunk, FrameCutter, FrameReader};
#[cfg(feature = "relay")]
pub use relay::Relayed;
pub use sensor::{EncodeError, Sensor, Unproved};
#[cfg(feature = "host")]
pub use window::{ReplayWindow, Step, WINDOW};
