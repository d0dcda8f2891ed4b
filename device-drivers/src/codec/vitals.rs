//! SpO₂ and pulse out of devices that repeat them in each of 60 frames a second.
//!
//! A quarter of a second (15 frames, damaged ones included) becomes one reading of each: the
//! vitals that most of its frames agree on, the newest where two are even. A single frame made of
//! noise, which these protocols cannot recognise, is outvoted.

use crate::codec::damage::Damage;
use crate::event::Event;
use crate::measurement::{Measurement, Metric, Quality, Value};

/// Frames for one reading: 60 a second make 4 readings a second.
const FRAMES: usize = 15;
/// Readings an interval makes: SpO₂ and pulse.
const READINGS: u32 = 2;

/// What one frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vitals {
    /// The quality of both.
    pub(crate) quality: Quality,
    /// Percent.
    pub(crate) spo2: Option<u8>,
    /// Beats per minute.
    pub(crate) pulse: Option<u16>,
}

impl Vitals {
    /// The two measurements.
    pub(crate) fn emit(self, now_millis: i64, events: &mut Vec<Event>) {
        let spo2 = self.spo2.map(|percent| Value::whole(i64::from(percent)));
        let pulse = self.pulse.map(|bpm| Value::whole(i64::from(bpm)));
        events.push(Event::Measurement(Measurement::new(
            Metric::SpO2,
            spo2,
            self.quality,
            now_millis,
        )));
        events.push(Event::Measurement(Measurement::new(
            Metric::PulseRate,
            pulse,
            self.quality,
            now_millis,
        )));
    }
}

/// Samples the vitals of a stream of frames.
#[derive(Debug, Default)]
pub(crate) struct VitalsSampler {
    heard: Vec<Vitals>,
    slots: usize,
}

impl VitalsSampler {
    /// A frame: `None` if it was damaged.
    pub(crate) fn push(
        &mut self,
        vitals: Option<Vitals>,
        damage: &mut Damage,
        now_millis: i64,
        events: &mut Vec<Event>,
    ) {
        self.heard.extend(vitals);
        self.slots += 1;
        if self.slots < FRAMES {
            return;
        }
        match self.agreed() {
            Some(vitals) => {
                damage.report(0, events);
                vitals.emit(now_millis, events);
            }
            None => damage.report(READINGS, events),
        }
        self.clear();
    }

    /// Forgets the interval begun.
    pub(crate) fn clear(&mut self) {
        self.heard.clear();
        self.slots = 0;
    }

    fn agreed(&self) -> Option<Vitals> {
        let votes = |candidate: &Vitals| {
            self.heard
                .iter()
                .filter(|vitals| *vitals == candidate)
                .count()
        };
        self.heard
            .iter()
            .copied()
            .max_by_key(|vitals| votes(vitals))
    }
}
