//! A device of the protocol's device side that has only its one-time code, on a pseudo terminal or in the air
//! (`air`). Its flash is what it has stored.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use fogward_level0::{
    Chunk, DeviceId, FrameReader, MAX_WIRE, Offer, Outgoing, PairingCode, PairingKey, Reading,
    Sensor, Unpaired, metric, quality,
};

use crate::pty::Line;

/// Vector 12 of the protocol.
pub(crate) const CODE: &str = "000G-40R4-0M30-E209-185G-R38E-1W0H";
const DEVICE: DeviceId = DeviceId([7; 8]);
/// It speaks fifty times a second.
pub(super) const ROUND: Duration = Duration::from_millis(20);

/// What the device's flash holds, and what its line does.
#[derive(Default)]
pub(crate) struct Flash {
    pub(crate) key: Option<[u8; 32]>,
    /// Every key it was ever sent.
    pub(crate) sent: BTreeSet<[u8; 32]>,
    epoch: u32,
    /// Does not store what it hears.
    pub(crate) is_full: bool,
    /// Says nothing.
    pub(crate) is_mute: bool,
    /// Falls silent with the key it stores, before it could prove it.
    pub(crate) mutes_with_key: bool,
    /// Lets its link fall with the key it stores, before it could prove it.
    pub(crate) drops_with_key: bool,
}

/// A device that plays until it is dropped.
pub(crate) struct Played {
    /// Its port, or its address.
    pub(crate) at: String,
    /// Where its BlueZ is, if it is in the air.
    pub(crate) bus: Option<String>,
    flash: Arc<Mutex<Flash>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Played {
    pub(crate) fn on_a_port() -> Self {
        let line = Line::new();
        let at = line.path.clone();
        Self::begin(at, None, |flash, is_over| play(line, &flash, &is_over))
    }

    pub(super) fn begin(
        at: String,
        bus: Option<String>,
        play: impl FnOnce(Arc<Mutex<Flash>>, Arc<AtomicBool>) + Send + 'static,
    ) -> Self {
        let (flash, is_over) = (Arc::<Mutex<Flash>>::default(), Arc::<AtomicBool>::default());
        let thread = thread::spawn({
            let (flash, is_over) = (Arc::clone(&flash), Arc::clone(&is_over));
            move || play(flash, is_over)
        });
        Self {
            at,
            bus,
            flash,
            is_over,
            thread: Some(thread),
        }
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Flash)) {
        change(&mut self.flash.lock().unwrap());
    }

    pub(crate) fn keys_sent(&self) -> usize {
        self.flash.lock().unwrap().sent.len()
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A device that failed says so itself.
            let _ = thread.join();
        }
    }
}

fn play(mut line: Line, flash: &Mutex<Flash>, is_over: &AtomicBool) {
    let mut firmware = Firmware::new();
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(ROUND);
        let wire = firmware.round(&line.heard(), &mut flash.lock().unwrap());
        line.send(&wire);
    }
}

/// Offers itself until it has a key, then sends readings under it.
pub(super) struct Firmware {
    reader: FrameReader,
    unpaired: Unpaired,
    sensor: Option<Sensor>,
}

impl Firmware {
    pub(super) fn new() -> Self {
        let code: PairingCode = CODE.parse().unwrap();
        Self {
            reader: FrameReader::default(),
            unpaired: Unpaired::new(DEVICE, &code, 1),
            sensor: None,
        }
    }

    /// Hears, and says what is due.
    pub(super) fn round(&mut self, heard: &[u8], flash: &mut Flash) -> Vec<u8> {
        for &byte in heard {
            if flash.key.is_none()
                && let Some(Chunk::Frame(frame)) = self.reader.push(byte)
                && let Ok(key) = self.unpaired.open(frame)
            {
                let key: [u8; 32] = key.try_into().unwrap();
                flash.sent.insert(key);
                flash.key = (!flash.is_full).then_some(key);
                flash.is_mute = flash.key.is_some() && flash.mutes_with_key;
            }
        }
        if flash.is_mute {
            return Vec::new();
        }
        let mut wire = [0; MAX_WIRE];
        let length = match flash.key {
            None => self.unpaired.offer(&Offer::AsconTag, &mut wire).unwrap(),
            Some(key) => {
                let sensor = self.sensor.get_or_insert_with(|| {
                    flash.epoch += 1;
                    Sensor::new(DEVICE, PairingKey::from_bytes(key), flash.epoch)
                });
                let reading = Reading {
                    metric: metric::HEART_RATE,
                    quality: quality::GOOD,
                    mantissa: 61,
                    exponent: 0,
                };
                let message = Outgoing::Readings {
                    time_millis: None,
                    readings: &[reading],
                };
                sensor.seal(&message, &mut wire).unwrap()
            }
        };
        wire[..length].to_vec()
    }
}
