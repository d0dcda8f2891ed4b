//! The two ends of a line: the sensor and the host.
//!
//! [`Sensor`] numbers and seals what a device sends and opens what it hears. [`Host`] opens,
//! refuses replays, pins the device's identity at the first authentic frame, and seals what it
//! answers. Neither does I/O; both use one frame's worth of memory.

use crate::frame::{Direction, MAX_WIRE, Refusal, open, seal};
use crate::key::{DeviceId, PairingKey};
use crate::message::{DeviceMessage, HostMessage, Outgoing};
use crate::window::{ReplayWindow, Step};
use core::fmt;

/// The message does not fit a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError;

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message does not fit a frame")
    }
}

impl core::error::Error for EncodeError {}

/// The device's end.
#[derive(Clone, Debug)]
pub struct Sensor {
    device_id: DeviceId,
    key: PairingKey,
    next_counter: u64,
    heard: u64,
}

impl Sensor {
    /// A device in its `epoch`-th start. The device keeps the epoch in memory that survives
    /// power loss and adds one at each start *before* it sends: a counter must never be reused.
    #[must_use]
    pub const fn new(device_id: DeviceId, key: PairingKey, epoch: u32) -> Sensor {
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
    /// [`EncodeError`] if the message is too long, or the epoch's counters are used up.
    pub fn seal(
        &mut self,
        message: &Outgoing<'_>,
        wire: &mut [u8; MAX_WIRE],
    ) -> Result<usize, EncodeError> {
        let next = self.next_counter + u64::from(message.span());
        if !message.is_within_limits() || next >> 32 != self.next_counter >> 32 {
            return Err(EncodeError);
        }
        let length = seal(
            &self.key,
            Direction::FromDevice,
            self.device_id,
            self.next_counter,
            message,
            wire,
        )
        .ok_or(EncodeError)?;
        self.next_counter = next;
        Ok(length)
    }

    /// Opens a frame from the host.
    ///
    /// # Errors
    /// [`Refusal`] says why the frame was refused.
    pub fn open(&mut self, frame: &mut [u8]) -> Result<HostMessage, Refusal> {
        let opened = open(&self.key, Direction::FromHost, frame)?;
        if opened.device_id != self.device_id {
            return Err(Refusal::WrongDevice);
        }
        if opened.counter <= self.heard {
            return Err(Refusal::Replayed);
        }
        self.heard = opened.counter;
        let (message, _) = postcard::take_from_bytes(opened.body).map_err(|_| Refusal::Unknown)?;
        Ok(message)
    }
}

/// An authentic, new message of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Who sent it.
    pub device_id: DeviceId,
    /// The counter of its first reading.
    pub counter: u64,
    /// What it told about the counters before it.
    pub step: Step,
    /// The message; `None` if the body is authentic and unknown to this version.
    pub message: Option<DeviceMessage>,
}

/// The host's end of one device's line.
#[derive(Clone, Debug)]
pub struct Host {
    key: PairingKey,
    device_id: Option<DeviceId>,
    window: ReplayWindow,
    sent: u64,
}

impl Host {
    /// A host that holds `key` and refuses every counter up to `replay_floor`.
    #[must_use]
    pub fn new(key: PairingKey, replay_floor: Option<u64>) -> Host {
        Host {
            key,
            device_id: None,
            window: ReplayWindow::new(replay_floor),
            sent: 0,
        }
    }

    /// The device, once an authentic frame of it was heard.
    #[must_use]
    pub const fn device_id(&self) -> Option<DeviceId> {
        self.device_id
    }

    /// Opens a frame from the device.
    ///
    /// # Errors
    /// [`Refusal`] says why the frame was refused.
    pub fn open(&mut self, frame: &mut [u8]) -> Result<Accepted, Refusal> {
        let opened = open(&self.key, Direction::FromDevice, frame)?;
        if self
            .device_id
            .is_some_and(|known| known != opened.device_id)
        {
            return Err(Refusal::WrongDevice);
        }
        let message: Option<DeviceMessage> = postcard::take_from_bytes(opened.body)
            .ok()
            .map(|(message, _)| message);
        let span = message.as_ref().map_or(1, DeviceMessage::span);
        let step = self.window.accept(opened.counter, span)?;
        self.device_id = Some(opened.device_id);
        Ok(Accepted {
            device_id: opened.device_id,
            counter: opened.counter,
            step,
            message,
        })
    }

    /// Seals a message to the device; `None` before a device was heard.
    ///
    /// The counter is the wall clock, or one more than the last: it grows over restarts of the
    /// host without being stored.
    pub fn seal(
        &mut self,
        message: &HostMessage,
        now_millis: u64,
        wire: &mut [u8; MAX_WIRE],
    ) -> Option<usize> {
        let device_id = self.device_id?;
        self.sent = now_millis.max(self.sent.saturating_add(1));
        seal(
            &self.key,
            Direction::FromHost,
            device_id,
            self.sent,
            message,
            wire,
        )
    }
}
