//! Opening a device: on a serial port, over Bluetooth, or simulated, behind the same three ends.
//!
//! ```text
//! Device::open(config) ─▶ events   bounded queue: a full queue slows the reader, nothing is dropped
//!                       ─▶ state    newest link state
//!                       ─▶ handle   stop(), ack(), finalized(), relay(), signal()
//! ```
//!
//! The driver knows no patient, no store and no ledger.

use crate::ble::BleConfig;
use crate::event::Event;
use crate::link::LinkState;
use crate::profile::{Profile, Rate};
use crate::relay::RelayQueue;
use crate::simulated::SimulatedConfig;
use fogward_level0::HostKey;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Events that wait between the driver and its reader before the driver waits.
pub const EVENT_QUEUE: usize = 1_024;

/// Where a device is and what it speaks.
#[derive(Clone, Debug)]
pub enum SourceConfig {
    /// A device on a serial port.
    Serial(SerialConfig),
    /// A Bluetooth LE peripheral.
    Ble(BleConfig),
    /// A simulated device.
    Simulated(SimulatedConfig),
}

impl SourceConfig {
    /// Whether readings from it are simulated.
    #[must_use]
    pub const fn is_simulated(&self) -> bool {
        matches!(self, SourceConfig::Simulated(_))
    }

    /// How many readings to expect while it streams, where that is known beforehand.
    #[must_use]
    pub fn expected_rate(&self) -> Option<Rate> {
        match self {
            SourceConfig::Serial(config) => config.profile.readings_per_second(),
            SourceConfig::Ble(_) => None,
            SourceConfig::Simulated(config) => Some(config.kind.rate()),
        }
    }

    /// Whether it speaks a protocol in which it can be told what other devices measure.
    #[must_use]
    pub const fn can_hear(&self) -> bool {
        match self {
            SourceConfig::Serial(config) => matches!(config.profile, Profile::FogwardLevel0),
            SourceConfig::Ble(config) => config.key.is_some(),
            SourceConfig::Simulated(_) => false,
        }
    }
}

/// A device on a serial port.
#[derive(Clone, Debug)]
pub struct SerialConfig {
    /// The port: a device file, a link to one, or a pseudo terminal.
    pub path: PathBuf,
    /// What the device speaks.
    pub profile: Profile,
    /// The key of the pairing, and with it the class of authentication that was paired; needed by
    /// `fogward-level0`, ignored by the others.
    pub key: Option<HostKey>,
    /// The highest `Measurement::sequence` that is already durable: frames up to it are refused
    /// as replays. `None` for a device never heard before.
    pub replay_floor: Option<u64>,
}

impl SerialConfig {
    /// A port and a profile that need nothing more.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, profile: Profile) -> SerialConfig {
        SerialConfig {
            path: path.into(),
            profile,
            key: None,
            replay_floor: None,
        }
    }
}

/// The device cannot be opened as configured. Trouble with the port itself is no error: it is a
/// [`LinkState`], and it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The profile needs a pairing key and none was given.
    #[error("this profile needs the device's pairing key")]
    KeyMissing,
}

/// An open device.
#[derive(Debug)]
pub struct Device {
    /// What it does. Ends after the device was stopped.
    pub events: mpsc::Receiver<Event>,
    /// How the link is.
    pub state: watch::Receiver<LinkState>,
    /// To acknowledge and to stop.
    pub handle: DeviceHandle,
}

impl Device {
    /// Starts a device. It connects, and reconnects, by itself until it is stopped.
    ///
    /// Must be called within a tokio runtime with I/O and time enabled.
    ///
    /// # Errors
    /// [`OpenError::KeyMissing`] if the profile needs a pairing key and has none.
    pub fn open(config: SourceConfig) -> Result<Device, OpenError> {
        let (event_sender, events) = mpsc::channel(EVENT_QUEUE);
        let (state_sender, state) = watch::channel(LinkState::Opening);
        let (stop, stop_receiver) = watch::channel(false);
        let (ack, ack_receiver) = watch::channel(None);
        let (signal_sender, signal) = watch::channel(None);
        let (finals, finals_receiver) = watch::channel(None);
        let (introductions, introduction) = watch::channel(None);
        let relay = Arc::new(RelayQueue::new(config.can_hear()));
        let ends = Ends {
            events: event_sender,
            state: state_sender,
            stop: stop_receiver,
            ack: ack_receiver,
            signal: signal_sender,
            finals: finals_receiver,
            introductions,
            relay: Arc::clone(&relay),
        };
        let task = match config {
            SourceConfig::Serial(config) => {
                let decoder = crate::codec::Decoder::new(&config)?;
                tokio::spawn(crate::serial::run(config, decoder, ends))
            }
            SourceConfig::Ble(config) => tokio::spawn(crate::ble::run(config, ends)),
            SourceConfig::Simulated(config) => tokio::spawn(crate::simulated::run(config, ends)),
        };
        Ok(Device {
            events,
            state,
            handle: DeviceHandle {
                stop,
                ack,
                signal,
                finals,
                introduction,
                relay,
                task: Some(task),
            },
        })
    }
}

/// How a level-0 device introduced itself after it was asked to, at the opening of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// How long after the request. Of a device that does not listen it says nothing: such a one introduces
    /// itself once a minute by itself.
    pub after: Duration,
    /// Whether the device says that it listens.
    pub is_listening: bool,
}

/// The driver's side of an open device.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) state: watch::Sender<LinkState>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) ack: watch::Receiver<Option<u64>>,
    pub(crate) signal: watch::Sender<Option<i16>>,
    pub(crate) finals: watch::Receiver<Option<u64>>,
    pub(crate) introductions: watch::Sender<Option<Introduction>>,
    pub(crate) relay: Arc<RelayQueue>,
}

impl Ends {
    /// Hands an event on, waiting for room; where there is room, also of a device that is to stop: what it sent
    /// before has come. False when it is to stop and there is none, or nobody takes events any more.
    pub(crate) async fn send(&mut self, event: Event) -> bool {
        let room = tokio::select! {
            biased;
            room = self.events.reserve() => room,
            () = stopped(&mut self.stop) => return false,
        };
        room.is_ok_and(|room| {
            room.send(event);
            true
        })
    }

    /// Publishes a state if it is a new one.
    pub(crate) fn publish(&self, state: LinkState) {
        self.state.send_if_modified(|current| {
            let is_new = *current != state;
            if is_new {
                *current = state;
            }
            is_new
        });
    }
}

/// Resolves when the device is to stop: asked to, or its handle was dropped.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Acknowledges readings and stops a device. Dropping it stops the device, too.
#[derive(Debug)]
pub struct DeviceHandle {
    stop: watch::Sender<bool>,
    ack: watch::Sender<Option<u64>>,
    signal: watch::Receiver<Option<i16>>,
    finals: watch::Sender<Option<u64>>,
    introduction: watch::Receiver<Option<Introduction>>,
    relay: Arc<RelayQueue>,
    task: Option<JoinHandle<()>>,
}

impl DeviceHandle {
    /// Tells a device that listens that every reading up to and including this
    /// `Measurement::sequence` is durable. Newer numbers overtake older ones; profiles without
    /// acknowledgement ignore it.
    pub fn ack(&self, durable_sequence: u64) {
        raise(&self.ack, durable_sequence);
    }

    /// Tells a device that listens that every reading up to and including this
    /// `Measurement::sequence` is final, in a block that can never change; as [`DeviceHandle::ack`].
    pub fn finalized(&self, final_sequence: u64) {
        raise(&self.finals, final_sequence);
    }

    /// Where readings of other devices are sent for this one to hear; see [`RelayQueue::is_hearing`]. Who
    /// keeps it does not keep the device open.
    #[must_use]
    pub fn relay(&self) -> Arc<RelayQueue> {
        Arc::clone(&self.relay)
    }

    /// The strength of the device's signal as last received, in dBm, and each change of it. `None`
    /// of a device without a radio, and while there is no link.
    #[must_use]
    pub fn signal(&self) -> watch::Receiver<Option<i16>> {
        self.signal.clone()
    }

    /// The first introduction of a level-0 device since its line was opened; `None` until then, and of
    /// every other device.
    #[must_use]
    pub fn introduction(&self) -> watch::Receiver<Option<Introduction>> {
        self.introduction.clone()
    }

    /// Stops the device and waits until its link is closed.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

/// Publishes a number unless a higher one was published before.
fn raise(published: &watch::Sender<Option<u64>>, number: u64) {
    published.send_if_modified(|current| {
        let is_newer = current.is_none_or(|current| current < number);
        if is_newer {
            *current = Some(number);
        }
        is_newer
    });
}
