//! What a live view of granted data shows: its events put together, each reading once, the newest minutes kept.

use std::collections::BTreeMap;

use fog_api::following::SETTLED_MILLIS;
use fog_api::{DisclosedSpan, DisclosedStream, Disclosure, NotRead, Vital};

use crate::plot::{PlotSpec, Point, SeriesHandle, Span};
use crate::profile_plots::{Line, break_after, panels};
use crate::words::number::unit;
use crate::words::proof::WAVE;

/// So much is drawn, in milliseconds.
pub const WINDOW: i64 = 15 * 60_000;
/// Most points of a line.
const POINTS: usize = 20_000;
/// Points that a plot has room for.
const ROOM: i64 = 1_200;
/// Most hours of which statistics are kept.
const SPANS: usize = 48;

/// What was shown until now.
#[derive(Default)]
pub struct Followed {
    lines: Vec<Line>,
    newest: BTreeMap<String, Vital>,
    /// The last sequence of each stream.
    sequences: BTreeMap<String, u64>,
    is_simulated: bool,
    taken: Option<Span>,
    /// Statistics, newest first.
    pub spans: Vec<DisclosedSpan>,
    /// Nodes that did not answer last time.
    pub missing: Vec<NotRead>,
    /// How many readings were shown.
    pub readings: u64,
    /// How many reads the ledger was told of.
    pub reads: u64,
    at: Option<i64>,
}

impl Followed {
    /// Adds an event.
    pub fn take(&mut self, event: Disclosure) {
        self.at = self.at.max(Some(event.at));
        self.reads += event.receipts.len() as u64;
        self.missing = event.not_read;
        for part in event.streams {
            self.take_part(part);
        }
        for span in event.spans {
            self.readings += span.count;
            self.is_simulated |= span.simulated;
            self.spans.insert(0, span);
        }
        self.spans.truncate(SPANS);
    }

    fn take_part(&mut self, mut part: DisclosedStream) {
        // Who goes on after a break is shown the last seconds again.
        let known = self.sequences.get(&part.stream).copied();
        part.readings
            .retain(|reading| known.is_none_or(|known| reading.sequence > known));
        let Some(last) = part.readings.last() else {
            return;
        };
        self.sequences.insert(part.stream.clone(), last.sequence);
        self.readings += part.readings.len() as u64;
        self.is_simulated |= part.readings.iter().any(|reading| reading.simulated);
        let series = self.series_of(&part);
        for reading in &part.readings {
            let time = reading.taken;
            let span = self.taken.get_or_insert_with(|| Span::new(time, time));
            *span = Span::new(span.from.min(time), span.to.max(time));
            if let Some(series) = &series {
                let absent = || Point::absent(time);
                series.push(
                    reading
                        .value
                        .map_or_else(absent, |value| Point::value(time, value)),
                );
            }
        }
        let newest = part.readings.iter().max_by_key(|reading| reading.taken);
        let Some(newest) = newest.filter(|_| part.code != WAVE.0) else {
            return;
        };
        let kept = self.newest.get(&part.code).map(|vital| vital.time);
        if kept.is_none_or(|kept| kept <= newest.taken) {
            let vital = Vital {
                code: part.code.clone(),
                label: part.label,
                unit: part.unit,
                value: newest.value.map(|value| value.to_string()),
                quality: newest.quality,
                time: newest.taken,
            };
            self.newest.insert(part.code, vital);
        }
    }

    /// The line of a metric; waves are not drawn here.
    fn series_of(&mut self, part: &DisclosedStream) -> Option<SeriesHandle> {
        if part.code == WAVE.0 {
            return None;
        }
        if let Some(line) = self.lines.iter().find(|line| line.code == part.code) {
            return Some(line.series.clone());
        }
        let series = SeriesHandle::new(POINTS, break_after(&part.code, WINDOW, ROOM, 0.0));
        self.lines.push(Line {
            code: part.code.clone(),
            title: part.label.clone(),
            unit: unit(&part.unit).to_owned(),
            series: series.clone(),
        });
        Some(series)
    }

    /// The plots of the newest minutes.
    #[must_use]
    pub fn spec(&self) -> PlotSpec {
        let window = self.taken.filter(|taken| taken.from < taken.to);
        window.map_or_else(PlotSpec::default, |taken| PlotSpec {
            panels: panels(&self.lines, self.is_simulated),
            window: Span::new(taken.from.max(taken.to.saturating_sub(WINDOW)), taken.to),
        })
    }

    /// The metrics of which there are values, by LOINC code.
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        self.newest.keys().cloned().collect()
    }

    /// The newest value of a metric.
    #[must_use]
    pub fn newest(&self, code: &str) -> Option<Vital> {
        self.newest.get(code).cloned()
    }

    /// When the newest reading was taken, or the newest statistics end.
    #[must_use]
    pub fn last(&self) -> Option<i64> {
        let spans = self.spans.iter().map(|span| span.until);
        self.taken
            .map(|taken| taken.to)
            .into_iter()
            .chain(spans)
            .max()
    }

    /// From when on to go on after a break, so that nothing is missing.
    #[must_use]
    pub fn go_on_from(&self) -> Option<i64> {
        self.at.map(|at| at.saturating_sub(SETTLED_MILLIS))
    }
}

#[cfg(test)]
mod tests {
    //! Goal: what comes is shown once, also after a break, and what comes late takes no newer value's place. Method:
    //! events of two streams of one metric.

    use fog_api::DisclosedReading;
    use ledger_core::Quality;

    use super::*;

    fn event(at: i64, stream: &str, readings: &[(u64, i64, f64)]) -> Disclosure {
        let reading = |(sequence, taken, value): &(u64, i64, f64)| DisclosedReading {
            sequence: *sequence,
            taken: *taken,
            value: Some(*value),
            samples: None,
            quality: Quality::Good,
            simulated: false,
        };
        Disclosure {
            access: String::new(),
            read: String::new(),
            at,
            from: 0,
            until: 1_000_000,
            resolution: "raw".to_owned(),
            receipts: Vec::new(),
            streams: vec![DisclosedStream {
                stream: stream.to_owned(),
                code: "59408-5".to_owned(),
                label: "Oxygen saturation".to_owned(),
                unit: "%".to_owned(),
                readings: readings.iter().map(reading).collect(),
            }],
            spans: Vec::new(),
            not_read: Vec::new(),
        }
    }

    #[test]
    fn events_are_put_together() {
        let mut followed = Followed::default();
        assert_eq!((followed.go_on_from(), followed.last()), (None, None));
        assert!(followed.spec().panels.is_empty());
        followed.take(event(10_000, "a", &[(1, 8_000, 97.0), (2, 9_000, 96.0)]));
        followed.take(event(12_000, "b", &[(1, 8_500, 90.0)]));
        assert_eq!(followed.newest("59408-5").unwrap().value.unwrap(), "96");
        // Gone on with after a break: one reading comes twice.
        assert_eq!(followed.go_on_from(), Some(9_000));
        followed.take(event(14_000, "a", &[(2, 9_000, 96.0), (3, 13_000, 95.0)]));
        assert_eq!((followed.readings, followed.last()), (4, Some(13_000)));
        assert_eq!(followed.newest("59408-5").unwrap().value.unwrap(), "95");
        let spec = followed.spec();
        assert_eq!(spec.panels.len(), 1);
        assert_eq!(spec.panels[0].traces[0].series.read().len(), 4);
        assert_eq!((spec.window.from, spec.window.to), (8_000, 13_000));
        followed.take(event(WINDOW * 2, "a", &[(4, WINDOW + 20_000, 94.0)]));
        assert_eq!(followed.spec().window.from, 20_000);
    }
}
