//! Simulated devices, a supported driver: the same events as a sensor, in real time, always
//! marked as simulated.
//!
//! [`Simulation`] makes the events and knows no clock; an open device plays it in real time.
//! It leaves out bytes: to exercise a decoder, feed it with the `encode` functions of [`crate::codec`].

mod physiology;

use crate::codec::SegmentBuilder;
use crate::device::{Ends, stopped};
use crate::event::{DeviceInfo, Event, MissingCause};
use crate::link::LinkState;
use crate::measurement::{Measurement, Metric, Quality, Value};
use crate::profile::Rate;
use crate::serial::now_millis;
use physiology::{Body, Episode};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

const WAVE_PER_SECOND: i64 = 75;

/// What a simulated device pretends to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SimulatedKind {
    /// A pulse oximeter: SpO₂ and pulse once a second, plethysmogram at 75 Hz.
    Oximeter1Hz,
    /// A pulse oximeter with vitals three times a second, as a Nonin OEM III.
    Oximeter3Hz,
    /// A pulse oximeter with vitals four times a second and perfusion index.
    Oximeter4Hz,
    /// A skin thermometer, one reading in ten seconds.
    Thermometer,
}

impl SimulatedKind {
    /// What to show a person.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            SimulatedKind::Oximeter1Hz
            | SimulatedKind::Oximeter3Hz
            | SimulatedKind::Oximeter4Hz => "Simulated pulse oximeter",
            SimulatedKind::Thermometer => "Simulated skin thermometer",
        }
    }

    /// The rate at which it sends readings.
    #[must_use]
    pub const fn rate(self) -> Rate {
        match self {
            SimulatedKind::Oximeter1Hz => Rate {
                readings: 3,
                per_millis: 1_000,
            },
            SimulatedKind::Oximeter3Hz => Rate {
                readings: 7,
                per_millis: 1_000,
            },
            SimulatedKind::Oximeter4Hz => Rate {
                readings: 13,
                per_millis: 1_000,
            },
            SimulatedKind::Thermometer => Rate {
                readings: 1,
                per_millis: 10_000,
            },
        }
    }

    /// How many times in ten seconds vitals are measured.
    const fn ticks_in_ten_seconds(self) -> i64 {
        match self {
            SimulatedKind::Oximeter1Hz => 10,
            SimulatedKind::Oximeter3Hz => 30,
            SimulatedKind::Oximeter4Hz => 40,
            SimulatedKind::Thermometer => 1,
        }
    }

    /// What is measured, besides the wave of an oximeter.
    const fn vitals(self) -> &'static [Metric] {
        match self {
            SimulatedKind::Oximeter1Hz | SimulatedKind::Oximeter3Hz => {
                &[Metric::SpO2, Metric::PulseRate]
            }
            SimulatedKind::Oximeter4Hz => {
                &[Metric::SpO2, Metric::PulseRate, Metric::PerfusionIndex]
            }
            SimulatedKind::Thermometer => &[Metric::BodyTemperature],
        }
    }
}

/// One simulated device: the same seed and kind always tell the same story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulatedConfig {
    /// The seed of everything random in it.
    pub seed: u64,
    /// What it pretends to be.
    pub kind: SimulatedKind,
}

/// A ward of `count` devices from one seed: mostly oximeters of all rates, every sixth a
/// thermometer.
#[must_use]
pub fn ward(seed: u64, count: usize) -> Vec<SimulatedConfig> {
    (0..count)
        .map(|index| SimulatedConfig {
            seed: seed.wrapping_add((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            kind: match index % 6 {
                0 | 3 => SimulatedKind::Oximeter1Hz,
                1 => SimulatedKind::Oximeter3Hz,
                2 | 4 => SimulatedKind::Oximeter4Hz,
                _ => SimulatedKind::Thermometer,
            },
        })
        .collect()
}

/// Devices in a ward unless told otherwise.
pub const WARD_DEVICES: usize = 6;

/// A simulated device, one measuring interval at a time.
#[derive(Debug)]
pub struct Simulation {
    kind: SimulatedKind,
    body: Body,
    tick: i64,
    wave: SegmentBuilder,
    waves_sent: i64,
}

impl Simulation {
    /// The beginning of the story of `config.seed`.
    #[must_use]
    pub fn new(config: SimulatedConfig) -> Simulation {
        Simulation {
            kind: config.kind,
            body: Body::new(config.seed),
            tick: 0,
            wave: SegmentBuilder::new(Metric::PlethWave, 75).simulated(),
            waves_sent: 0,
        }
    }

    /// What the device says of itself.
    #[must_use]
    pub fn info(&self) -> DeviceInfo {
        DeviceInfo {
            model: Some(self.kind.title().to_owned()),
            rate: Some(self.kind.rate()),
            simulated: true,
            ..DeviceInfo::default()
        }
    }

    /// How long an interval is.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_millis(10_000 / self.kind.ticks_in_ten_seconds().unsigned_abs())
    }

    /// The next interval, ending at `now_millis`.
    pub fn tick(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        let ticks = self.kind.ticks_in_ten_seconds();
        let seconds = (self.tick + 1) * 10 / ticks - self.tick * 10 / ticks;
        for _ in 0..seconds {
            self.body.live_a_second();
        }
        let waves = match self.kind {
            SimulatedKind::Thermometer => 0,
            _ => {
                (self.tick + 1) * 10 * WAVE_PER_SECOND / ticks
                    - self.tick * 10 * WAVE_PER_SECOND / ticks
            }
        };
        self.tick += 1;
        if self.body.episode == Episode::Gap && waves > 0 {
            self.skip(waves, events);
            return;
        }
        for _ in 0..waves {
            let sample = self.body.wave(WAVE_PER_SECOND);
            let quality = self.body.episode.quality();
            let sample = (quality < Quality::SensorOff).then_some(sample);
            self.wave.push(sample, quality, now_millis, events);
        }
        self.waves_sent = (self.waves_sent + waves) % WAVE_PER_SECOND;
        for &metric in self.kind.vitals() {
            events.push(Event::Measurement(self.measure(metric, now_millis)));
        }
    }

    /// A silent interval: its readings are missing, and the wave has a hole.
    fn skip(&mut self, waves: i64, events: &mut Vec<Event>) {
        self.wave.finish(events);
        self.waves_sent += waves;
        let whole_seconds = self.waves_sent / WAVE_PER_SECOND;
        self.waves_sent %= WAVE_PER_SECOND;
        let readings = self.kind.vitals().len() as u64 + whole_seconds.unsigned_abs();
        let readings = u32::try_from(readings).unwrap_or(u32::MAX);
        events.push(Event::Missing {
            readings,
            cause: MissingCause::Silence,
        });
    }

    fn measure(&mut self, metric: Metric, now_millis: i64) -> Measurement {
        let quality = match (self.kind, self.body.episode) {
            (SimulatedKind::Thermometer, Episode::FingerOut) => Quality::SensorOff,
            (SimulatedKind::Thermometer, _) => Quality::Good,
            (_, episode) => episode.quality(),
        };
        let value = match metric {
            Metric::SpO2 => Value::whole(self.body.spo2()),
            Metric::PerfusionIndex => Value::Quantity {
                mantissa: self.body.perfusion_tenths(),
                exponent: -1,
            },
            Metric::BodyTemperature => Value::Quantity {
                mantissa: self.body.temperature_hundredths(),
                exponent: -2,
            },
            _ => Value::whole(self.body.pulse()),
        };
        let mut measurement = Measurement::new(metric, Some(value), quality, now_millis);
        measurement.simulated = true;
        measurement
    }
}

/// Plays a simulated device in real time until it is stopped.
pub(crate) async fn run(config: SimulatedConfig, mut ends: Ends) {
    let mut simulation = Simulation::new(config);
    let mut events = vec![Event::Device(simulation.info())];
    let mut ticks = interval(simulation.interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ends.publish(LinkState::Streaming);
    'playing: loop {
        tokio::select! {
            biased;
            () = stopped(&mut ends.stop) => break,
            _ = ticks.tick() => simulation.tick(now_millis(), &mut events),
        }
        for event in events.drain(..) {
            if !ends.send(event).await {
                break 'playing;
            }
        }
    }
    ends.publish(LinkState::Stopped);
}
