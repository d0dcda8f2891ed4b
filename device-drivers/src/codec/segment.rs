//! One-second segments of a waveform.
//!
//! A sample that was lost, or taken while the sensor was off, is `None` and keeps its place. A
//! segment without a single sample is absent. Its quality is the worst of the samples it has, at
//! best [`Quality::Questionable`] if some are missing.

use crate::event::Event;
use crate::measurement::{Measurement, Metric, Quality, Value};

/// Collects samples.
#[derive(Debug)]
pub(crate) struct SegmentBuilder {
    metric: Metric,
    period_micros: u32,
    samples: Vec<Option<i16>>,
    started_millis: i64,
    present: Quality,
    absent: Quality,
    is_simulated: bool,
}

impl SegmentBuilder {
    /// Segments of a waveform with this many samples a second.
    pub(crate) fn new(metric: Metric, samples_per_second: u32) -> SegmentBuilder {
        SegmentBuilder {
            metric,
            period_micros: 1_000_000 / samples_per_second.max(1),
            samples: Vec::new(),
            started_millis: 0,
            present: Quality::Good,
            absent: Quality::Good,
            is_simulated: false,
        }
    }

    /// Marks the segments as simulated.
    pub(crate) fn simulated(mut self) -> SegmentBuilder {
        self.is_simulated = true;
        self
    }

    /// Adds a sample taken at about `now_millis`; where there is none, the quality says why.
    pub(crate) fn push(
        &mut self,
        sample: Option<i16>,
        quality: Quality,
        now_millis: i64,
        events: &mut Vec<Event>,
    ) {
        if self.samples.is_empty() {
            self.started_millis = now_millis;
        }
        self.samples.push(sample);
        if sample.is_some() {
            self.present = self.present.max(quality);
        } else {
            self.absent = self.absent.max(quality);
        }
        if self.samples.len() as u64 * u64::from(self.period_micros)
            + u64::from(self.period_micros / 2)
            >= 1_000_000
        {
            self.finish(events);
        }
    }

    /// Hands out the segment begun, if any.
    pub(crate) fn finish(&mut self, events: &mut Vec<Event>) {
        if self.samples.is_empty() {
            return;
        }
        let samples = core::mem::take(&mut self.samples);
        let has_any = samples.iter().any(Option::is_some);
        let has_hole = samples.iter().any(Option::is_none);
        let present = core::mem::replace(&mut self.present, Quality::Good);
        let absent = core::mem::replace(&mut self.absent, Quality::Good);
        let quality = match (has_any, has_hole) {
            (false, _) => absent.max(Quality::Missing),
            (true, true) => Quality::Questionable,
            (true, false) => present.min(Quality::Questionable),
        };
        let value = has_any.then_some(Value::Samples {
            period_micros: self.period_micros,
            samples,
        });
        let mut measurement = Measurement::new(self.metric, value, quality, self.started_millis);
        measurement.simulated = self.is_simulated;
        events.push(Event::Measurement(measurement));
    }
}
