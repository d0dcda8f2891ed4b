//! Gathers refused bytes into as few events as possible, so that a noisy line floods nobody.

use crate::event::{Event, RejectReason, Rejection};

/// Refused frames are reported at the latest when there are this many.
const REPORT_AT: u32 = 60;

/// Refusals that wait to be reported.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    waiting: Option<(RejectReason, u32)>,
}

impl Damage {
    /// Notes refused frames.
    pub(crate) fn note(&mut self, reason: RejectReason, frames: u32, events: &mut Vec<Event>) {
        if self.waiting.is_some_and(|(waiting, _)| waiting != reason) {
            self.report(0, events);
        }
        let frames = frames + self.waiting.map_or(0, |(_, frames)| frames);
        self.waiting = Some((reason, frames));
        if frames >= REPORT_AT {
            self.report(0, events);
        }
    }

    /// Reports what waits, and that it cost `readings`. Readings that were lost without anything
    /// waiting were in frames that never came whole.
    pub(crate) fn report(&mut self, readings: u32, events: &mut Vec<Event>) {
        let (reason, frames) = match self.waiting.take() {
            Some(waiting) => waiting,
            None if readings > 0 => (RejectReason::Incomplete, 1),
            None => return,
        };
        events.push(Event::Rejected(Rejection {
            reason,
            frames,
            readings,
        }));
    }
}
