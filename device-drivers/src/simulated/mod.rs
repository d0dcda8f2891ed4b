//! Simulated devices, a supported driver: the same events as a sensor, in real time, always
//! marked as simulated.
//!
//! [`Simulation`] makes the events and knows no clock; an open device plays it in real time.
//! It leaves out bytes: to exercise a decoder, feed it with the `encode` functions of [`crate::codec`].

mod kind;
mod physiology;
mod spot;

pub use kind::SimulatedKind;

use crate::codec::SegmentBuilder;
use crate::device::{Ends, stopped};
use crate::event::{DeviceInfo, Event, MissingCause};
use crate::link::LinkState;
use crate::measurement::{Measurement, Metric, Quality, Value};
use crate::serial::now_millis;
use physiology::{Body, Episode};
use serde::{Deserialize, Serialize};
use spot::Spot;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

const WAVE_PER_SECOND: i64 = 75;

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
    of_kinds(seed, count, |index| match index % 6 {
        0 | 3 => SimulatedKind::Oximeter1Hz,
        1 => SimulatedKind::Oximeter3Hz,
        2 | 4 => SimulatedKind::Oximeter4Hz,
        _ => SimulatedKind::Thermometer,
    })
}

/// A ward of `count` devices from one seed, of all kinds in turn.
#[must_use]
pub fn ward_of_all_kinds(seed: u64, count: usize) -> Vec<SimulatedConfig> {
    let kinds = SimulatedKind::ALL;
    of_kinds(seed, count, |index| kinds[index % kinds.len()])
}

fn of_kinds(
    seed: u64,
    count: usize,
    kind_of: impl Fn(usize) -> SimulatedKind,
) -> Vec<SimulatedConfig> {
    (0..count)
        .map(|index| SimulatedConfig {
            seed: seed.wrapping_add((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            kind: kind_of(index),
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
    spot: Spot,
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
            spot: Spot::new(config.seed),
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
        self.kind.interval()
    }

    /// The next interval, ending at `now_millis`.
    pub fn tick(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        match self.kind {
            SimulatedKind::BloodPressureCuff
            | SimulatedKind::GlucoseMeter
            | SimulatedKind::Scale => self.spot.tick(self.kind, now_millis, events),
            _ => self.wear(now_millis, events),
        }
    }

    /// An interval of a device that is worn.
    fn wear(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        let ticks = self.kind.ticks_in_ten_seconds();
        let seconds = (self.tick + 1) * 10 / ticks - self.tick * 10 / ticks;
        for _ in 0..seconds {
            self.body.live_a_second();
        }
        let waves = match self.kind.is_oximeter() {
            false => 0,
            true => {
                (self.tick + 1) * 10 * WAVE_PER_SECOND / ticks
                    - self.tick * 10 * WAVE_PER_SECOND / ticks
            }
        };
        self.tick += 1;
        if self.body.episode == Episode::Gap && self.kind != SimulatedKind::Thermometer {
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
        for metric in self.vitals() {
            events.push(Event::Measurement(self.measure(metric, now_millis)));
        }
    }

    /// A silent interval: its readings are missing, and the wave has a hole.
    fn skip(&mut self, waves: i64, events: &mut Vec<Event>) {
        self.wave.finish(events);
        self.waves_sent += waves;
        let whole_seconds = self.waves_sent / WAVE_PER_SECOND;
        self.waves_sent %= WAVE_PER_SECOND;
        let readings = self.vitals().count() as u64 + whole_seconds.unsigned_abs();
        let readings = u32::try_from(readings).unwrap_or(u32::MAX);
        events.push(Event::Missing {
            readings,
            cause: MissingCause::Silence,
        });
    }

    /// What is measured, besides the wave of an oximeter.
    fn vitals(&self) -> impl Iterator<Item = Metric> + use<> {
        let metrics = self.kind.metrics().iter().copied();
        metrics.filter(|metric| !metric.is_waveform())
    }

    fn measure(&mut self, metric: Metric, now_millis: i64) -> Measurement {
        let quality = match self.body.episode {
            episode if self.kind.is_oximeter() => episode.quality(),
            Episode::FingerOut => Quality::SensorOff,
            _ => Quality::Good,
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
            Metric::RrInterval => Value::whole(self.body.beat_interval_millis()),
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
