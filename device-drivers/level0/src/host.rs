//! The host's end of one device's line.
//!
//! [`Host`] opens what the device sends, refuses replays, pins the device's identity at the first
//! authentic frame, and seals what it answers. It does no I/O and knows no clock.

use crate::authentication::Authentication;
use crate::frame::{Direction, Head, Refusal, open, seal};
use crate::host_key::HostKey;
use crate::key::DeviceId;
use crate::message::{DeviceMessage, HostMessage};
use crate::window::{ReplayWindow, Step};

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
    key: HostKey,
    device_id: Option<DeviceId>,
    window: ReplayWindow,
    sent: u64,
}

impl Host {
    /// A host that holds `key` and refuses every counter up to `replay_floor`.
    #[must_use]
    pub fn new(key: impl Into<HostKey>, replay_floor: Option<u64>) -> Host {
        Host {
            key: key.into(),
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

    /// How the device proves its frames.
    #[must_use]
    pub fn authentication(&self) -> Authentication {
        self.key.authentication()
    }

    /// Opens a frame from the device.
    ///
    /// # Errors
    /// [`Refusal`] says why the frame was refused.
    pub fn open(&mut self, frame: &mut [u8]) -> Result<Accepted, Refusal> {
        let authentication = self.key.authentication();
        let opened = open(
            authentication,
            Direction::FromDevice,
            frame,
            |signed, proof| self.key.verify(signed, proof),
        )?;
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

    /// Seals a message to the device and returns its length in `wire`; `None` before a device was
    /// heard, or if `wire` is shorter than the frame ([`crate::MAX_WIRE`] always suffices).
    ///
    /// The counter is the wall clock, or one more than the last: it grows over restarts of the
    /// host without being stored.
    pub fn seal(
        &mut self,
        message: &HostMessage,
        now_millis: u64,
        wire: &mut [u8],
    ) -> Option<usize> {
        let device_id = self.device_id?;
        self.sent = now_millis.max(self.sent.saturating_add(1));
        let head = Head {
            authentication: self.key.authentication(),
            direction: Direction::FromHost,
            device_id,
            counter: self.sent,
        };
        seal(&head, message, wire, |signed, proof| {
            proof.copy_from_slice(&self.key.tag(signed));
        })
    }
}
