//! Devices that send 60 frames a second without a checksum, each a sample of the wave and the vitals.
//!
//! Noise, or another device's bytes, can pass for such a frame, so a frame alone is not believed.
//! A quarter of a second (15 frames, damaged ones included) is believed together, if more than half
//! of its frames are whole. It becomes one reading each of SpO₂ and pulse: the vitals that most of
//! its frames agree on, the newest where two are even. Otherwise all of it is refused.

use crate::codec::SegmentBuilder;
use crate::codec::damage::Damage;
use crate::codec::vitals::Vitals;
use crate::event::{Event, RejectReason};
use crate::measurement::{Metric, Quality};

/// Frames of an interval: 60 a second make 4 readings a second.
const INTERVAL: usize = 15;
/// Readings an interval makes: SpO₂ and pulse.
const READINGS: u32 = 2;

/// What one frame says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// The wave, if a finger is in the probe.
    pub(crate) sample: Option<i16>,
    /// SpO₂ and pulse.
    pub(crate) vitals: Vitals,
}

/// A stream of such frames.
#[derive(Debug)]
pub(crate) struct SampledFrames {
    /// The interval begun: when each frame came, and what it says unless it was damaged.
    interval: Vec<(i64, Option<Frame>)>,
    pleth: SegmentBuilder,
    damage: Damage,
    believed: u64,
}

impl Default for SampledFrames {
    fn default() -> SampledFrames {
        SampledFrames {
            interval: Vec::with_capacity(INTERVAL),
            pleth: SegmentBuilder::new(Metric::PlethWave, 60),
            damage: Damage::default(),
            believed: 0,
        }
    }
}

impl SampledFrames {
    /// A whole frame.
    pub(crate) fn push(&mut self, frame: Frame, now_millis: i64, events: &mut Vec<Event>) {
        self.slot(Some(frame), now_millis, events);
    }

    /// A damaged frame, or bytes in place of one.
    pub(crate) fn refuse(
        &mut self,
        reason: RejectReason,
        now_millis: i64,
        events: &mut Vec<Event>,
    ) {
        self.damage.note(reason, 1, events);
        if self.believed > 0 || !self.interval.is_empty() {
            self.slot(None, now_millis, events);
        }
    }

    /// The line broke; `has_rest` if a frame was begun.
    pub(crate) fn reset(&mut self, has_rest: bool, events: &mut Vec<Event>) {
        if self.is_believed() {
            self.record_wave(events);
        }
        self.interval.clear();
        self.pleth.finish(events);
        if has_rest {
            self.damage.note(RejectReason::Incomplete, 1, events);
        }
        self.damage.report(0, events);
    }

    /// How many frames were believed so far.
    pub(crate) fn believed(&self) -> u64 {
        self.believed
    }

    fn slot(&mut self, frame: Option<Frame>, now_millis: i64, events: &mut Vec<Event>) {
        self.interval.push((now_millis, frame));
        if self.interval.len() < INTERVAL {
            return;
        }
        if self.is_believed()
            && let Some(vitals) = self.agreed()
        {
            self.believed += self.whole().count() as u64;
            self.damage.report(0, events);
            self.record_wave(events);
            vitals.emit(now_millis, events);
        } else {
            let lost = if self.believed > 0 { READINGS } else { 0 };
            for (_, frame) in &mut self.interval {
                if frame.take().is_some() {
                    self.damage.note(RejectReason::Garbage, 1, events);
                }
            }
            self.damage.report(lost, events);
            if self.believed > 0 {
                self.record_wave(events);
            }
        }
        self.interval.clear();
    }

    fn whole(&self) -> impl Iterator<Item = Vitals> {
        self.interval
            .iter()
            .filter_map(|(_, frame)| frame.map(|frame| frame.vitals))
    }

    /// Whether more than half of the frames are whole.
    fn is_believed(&self) -> bool {
        2 * self.whole().count() > self.interval.len()
    }

    /// What most of the frames say.
    fn agreed(&self) -> Option<Vitals> {
        let votes = |candidate: &Vitals| self.whole().filter(|vitals| vitals == candidate).count();
        self.whole().max_by_key(votes)
    }

    fn record_wave(&mut self, events: &mut Vec<Event>) {
        for &(millis, frame) in &self.interval {
            let (sample, quality) = match frame {
                Some(frame) => (frame.sample, frame.vitals.quality),
                None => (None, Quality::Missing),
            };
            self.pleth.push(sample, quality, millis, events);
        }
    }
}
