//! Sensors whose values a test chooses, also while they run.

use anyhow::Result;
use device_drivers::codec::contec_cms50dplus::{self, FrameContent};
use device_drivers::codec::nonin_oem3::{self, PacketContent};
use e2e::sensor::Sensor;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// A pulse oximeter on a pty.
pub struct Oximeter {
    pub sensor: Sensor,
    /// The name of its profile.
    pub profile: &'static str,
    spo2: Arc<AtomicU8>,
}

impl Oximeter {
    /// A Nonin OEM III in format 2: three packets of 25 frames a second.
    pub fn nonin(spo2_percent: u8, pulse_bpm: u16) -> Result<Self> {
        let spo2 = Arc::new(AtomicU8::new(spo2_percent));
        let shown = Arc::clone(&spo2);
        let sensor = Sensor::plug_in(Duration::from_millis(333), move |packet| {
            let pleth = std::array::from_fn(|frame| beat(packet * 25 + frame as u64));
            nonin_oem3::encode_packet(&PacketContent {
                pulse: Some(pulse_bpm),
                spo2: Some(shown.load(Ordering::Relaxed)),
                status: 0,
                pleth,
            })
            .to_vec()
        })?;
        Ok(Self {
            sensor,
            profile: "nonin-oem3",
            spo2,
        })
    }

    /// A Contec CMS50D+: sixty frames a second, here ten at a time.
    pub fn contec(spo2_percent: u8, pulse_bpm: u8) -> Result<Self> {
        let spo2 = Arc::new(AtomicU8::new(spo2_percent));
        let shown = Arc::clone(&spo2);
        let sensor = Sensor::plug_in(Duration::from_micros(166_667), move |packet| {
            (0..10)
                .flat_map(|frame| {
                    contec_cms50dplus::encode_frame(&FrameContent {
                        wave: beat(packet * 10 + frame) / 2,
                        pulse: Some(pulse_bpm),
                        spo2: Some(shown.load(Ordering::Relaxed)),
                        is_finger_out: false,
                        is_searching: false,
                    })
                })
                .collect()
        })?;
        Ok(Self {
            sensor,
            profile: "contec-cms50dplus",
            spo2,
        })
    }

    /// From now on the sensor measures this saturation.
    pub fn set_spo2(&self, percent: u8) {
        self.spo2.store(percent, Ordering::Relaxed);
    }
}

/// A wave that rises and falls, some sixty samples a beat.
fn beat(sample: u64) -> u8 {
    let place = (sample % 60) as f64 / 60.0 * std::f64::consts::TAU;
    (100.0 + 60.0 * place.sin()) as u8
}
