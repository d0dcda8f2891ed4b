//! The device's end of its line.
//!
//! [`Sensor`] numbers and seals what a device sends and opens what it hears. It does no I/O, and
//! the memory for a frame is its caller's: a device that sends one reading at a time has enough
//! with [`crate::OVERHEAD`] and a few bytes. Where the epoch is kept is in [`crate::journal`].

use crate::authentication::DeviceKey;
use crate::frame::{Direction, Draft, Head, Refusal, draft, finish, open};
use crate::key::{DeviceId, PairingKey};
use crate::message::{HostMessage, Outgoing};
use crate::wire::{decode, encode};
use core::fmt;
use subtle::ConstantTimeEq;

/// The message does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError;

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message does not fit a frame")
    }
}

impl core::error::Error for EncodeError {}

/// A numbered and encoded message whose proof is still to come.
#[derive(Debug)]
pub struct Unproved(Draft);

/// The device's end.
#[derive(Clone, Debug)]
pub struct Sensor<K = PairingKey> {
    device_id: DeviceId,
    key: K,
    next_counter: u64,
    heard: u64,
}

impl<K: DeviceKey> Sensor<K> {
    /// A device in its `epoch`-th start. The device keeps the epoch in memory that survives
    /// power loss and adds one at each start *before* it sends: a counter must never be reused.
    #[must_use]
    pub const fn new(device_id: DeviceId, key: K, epoch: u32) -> Sensor<K> {
        Sensor {
            device_id,
            key,
            next_counter: (epoch as u64) << 32,
            heard: 0,
        }
    }

    /// The counter of the next reading.
    #[must_use]
    pub const fn next_counter(&self) -> u64 {
        self.next_counter
    }

    /// Seals a message as it goes on the wire and returns its length in `wire`.
    ///
    /// # Errors
    /// [`EncodeError`] if the message is too long for a frame or for `wire`, or the epoch's counters
    /// are used up.
    pub fn seal(&mut self, message: &Outgoing<'_>, wire: &mut [u8]) -> Result<usize, EncodeError> {
        let unproved = self.draft(message, wire)?;
        self.finish(unproved, wire)
    }

    /// The first half of [`Sensor::seal`]: numbers the message and encodes it into `wire`. After it
    /// the memory of the message is free, which counts where there are 256 bytes in all.
    ///
    /// # Errors
    /// As [`Sensor::seal`].
    pub fn draft(
        &mut self,
        message: &Outgoing<'_>,
        wire: &mut [u8],
    ) -> Result<Unproved, EncodeError> {
        let counter = self.next_counter;
        let next = self.after(message.span())?;
        let unproved = self.draft_at(counter, message, wire)?;
        self.next_counter = next;
        Ok(unproved)
    }

    /// The same under counters that were taken before, for the same message each time.
    pub(crate) fn draft_at(
        &self,
        counter: u64,
        message: &Outgoing<'_>,
        wire: &mut [u8],
    ) -> Result<Unproved, EncodeError> {
        if !message.is_within_limits() {
            return Err(EncodeError);
        }
        let head = Head {
            authentication: K::AUTHENTICATION,
            direction: Direction::FromDevice,
            device_id: self.device_id,
            counter,
        };
        draft(&head, wire, |body| encode(message, body))
            .map(Unproved)
            .ok_or(EncodeError)
    }

    /// Takes `span` counters and returns the first.
    pub(crate) fn take_counters(&mut self, span: u32) -> Result<u64, EncodeError> {
        let next = self.after(span)?;
        Ok(core::mem::replace(&mut self.next_counter, next))
    }

    /// The counter after `span` more, which must be of the same epoch.
    fn after(&self, span: u32) -> Result<u64, EncodeError> {
        let next = self.next_counter.wrapping_add(u64::from(span));
        if next >> 32 == self.next_counter >> 32 {
            Ok(next)
        } else {
            Err(EncodeError)
        }
    }

    /// The second half of [`Sensor::seal`]: proves what [`Sensor::draft`] left in `wire`.
    ///
    /// # Errors
    /// [`EncodeError`] if `wire` is shorter than the one of the draft.
    pub fn finish(&self, unproved: Unproved, wire: &mut [u8]) -> Result<usize, EncodeError> {
        let proof_bytes = K::AUTHENTICATION.device_proof_bytes();
        finish(unproved.0, proof_bytes, wire, |signed, proof| {
            self.key.prove(signed, proof);
        })
        .ok_or(EncodeError)
    }

    /// Opens a frame from the host.
    ///
    /// # Errors
    /// [`Refusal`] says why the frame was refused.
    pub fn open(&mut self, frame: &mut [u8]) -> Result<HostMessage, Refusal> {
        let opened = open(
            K::AUTHENTICATION,
            Direction::FromHost,
            frame,
            |signed, tag| self.key.host_tag(signed).ct_eq(tag).into(),
        )?;
        if opened.device_id != self.device_id {
            return Err(Refusal::WrongDevice);
        }
        if opened.counter <= self.heard {
            return Err(Refusal::Replayed);
        }
        self.heard = opened.counter;
        decode(opened.body).ok_or(Refusal::Unknown)
    }
}
