//! SpO₂ and pulse as frames say them.

use crate::event::Event;
use crate::measurement::{Measurement, Metric, Quality, Value};

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
