//! Painting of what is measured now and then: one bar a measurement of a pressure, one dot a single value.
//!
//! Between two measurements nothing is known, so nothing slants from one to the next. A step says which value
//! was the last one known, paler than the values themselves.

use egui::{Rect, Stroke, pos2};

use super::traces::mix;
use super::{Canvas, snap};
use crate::plot::series::{Millis, Span};
use crate::plot::spec::{Mark, Panel, Trace};

/// Values told at most so many milliseconds apart are of one measurement.
const JOINT_MILLIS: u64 = 2_000;
/// Width of a bar in points.
const BAR: f32 = 6.0;
/// Least way from bar to bar in points; nearer ones are drawn as one, from the lowest to the highest.
const APART: f32 = 8.0;
/// Radius of a dot in points.
const DOT: f32 = 3.5;

/// What one measurement of an interval found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// When.
    pub time: Millis,
    /// Its lower end.
    pub lower: f64,
    /// Its upper end.
    pub upper: f64,
    /// The value between them, where it was told.
    pub middle: Option<f64>,
}

/// The measurements of a panel whose traces are the ends of an interval, in order of time. Half of one is none.
#[must_use]
pub fn intervals(panel: &Panel, window: Span) -> Vec<Interval> {
    let of = |mark| panel.traces.iter().find(|trace| trace.mark == mark);
    let (Some(upper), Some(lower)) = (of(Mark::Upper), of(Mark::Lower)) else {
        return Vec::new();
    };
    let beside = |trace: &Trace, time: Millis| {
        let point = trace.series.read().nearest(time)?;
        let is_joint = point.time.abs_diff(time) <= JOINT_MILLIS;
        point.range.filter(|_| is_joint)
    };
    let uppers: Vec<_> = upper.series.read().inside(window).collect();
    let measured = uppers.into_iter().filter_map(|point| {
        let (_, high) = point.range?;
        let (low, _) = beside(lower, point.time)?;
        let middle = of(Mark::Middle).and_then(|trace| beside(trace, point.time));
        Some(Interval {
            time: point.time,
            lower: low,
            upper: high,
            middle: middle
                .filter(|(low, high)| low == high)
                .map(|(value, _)| value),
        })
    });
    measured.collect()
}

/// Draws those as one that cannot be told apart; what lies between their ends is not told then.
fn joined(intervals: Vec<Interval>, apart: Millis) -> Vec<Interval> {
    let mut joined = Vec::<Interval>::new();
    for interval in intervals {
        match joined.last_mut() {
            Some(last) if interval.time - last.time < apart => {
                last.lower = last.lower.min(interval.lower);
                last.upper = last.upper.max(interval.upper);
                last.middle = None;
            }
            _ => joined.push(interval),
        }
    }
    joined
}

impl Canvas<'_> {
    /// The bars of a panel that shows intervals.
    pub(super) fn intervals(&self) {
        let window = self.stage.spec.window;
        let Some(trace) = self.panel.traces.first() else {
            return;
        };
        let colour = self.stage.palette.of(trace.colour);
        let pale = mix(colour, self.stage.palette.surface, 0.6);
        let painter = self.painter.with_clip_rect(self.area.expand(BAR));
        let apart = (f64::from(APART) * self.bucket_millis() as f64) as Millis;
        for interval in joined(intervals(self.panel, window), apart) {
            let x = self.x(interval.time as f64);
            let (top, bottom) = (self.y(interval.upper), self.y(interval.lower));
            let bar = Rect::from_x_y_ranges(x - BAR / 2.0..=x + BAR / 2.0, top..=bottom);
            painter.rect_filled(bar, 0.0, pale);
            let across = x - BAR..=x + BAR;
            for end in [top, bottom] {
                painter.hline(bar.x_range(), snap(end), Stroke::new(1.0, colour));
            }
            if let Some(middle) = interval.middle {
                painter.hline(across, snap(self.y(middle)), Stroke::new(2.0, colour));
            }
        }
    }

    /// Dots, and pale steps from each to the next.
    pub(super) fn steps(&self, trace: &Trace) {
        let painter = self.painter.with_clip_rect(self.area.expand(DOT));
        let colour = self.stage.palette.of(trace.colour);
        let pale = Stroke::new(1.0, mix(colour, self.stage.palette.surface, 0.5));
        let mut last = None;
        let points: Vec<_> = trace.series.read().around(self.stage.spec.window).collect();
        for point in points {
            // A value that was not measured breaks the steps.
            let at = point
                .range
                .map(|(_, high)| pos2(self.x(point.time as f64), self.y(high)));
            if let (Some(from), Some(to)) = (last, at) {
                let from: egui::Pos2 = from;
                let corner = pos2(to.x, from.y);
                painter.line_segment([from, corner], pale);
                painter.line_segment([corner, to], pale);
            }
            if let Some(at) = at {
                painter.circle_filled(at, DOT, colour);
            }
            last = at;
        }
    }
}

#[cfg(test)]
mod tests {
    //! Goal: a bar is one measurement, its parts told a moment apart, and never half of one. Method: panels of
    //! three traces.

    use super::*;
    use crate::plot::series::{Point, SeriesHandle};
    use crate::plot::spec::Colour;

    fn panel(upper: &[(i64, f64)], lower: &[(i64, f64)], middle: &[(i64, f64)]) -> Panel {
        let trace = |mark, points: &[(i64, f64)]| {
            let series = SeriesHandle::new(100, 60_000);
            for (time, value) in points {
                series.push(Point::value(*time, *value));
            }
            Trace {
                name: String::new(),
                colour: Colour::BLOOD_PRESSURE,
                mark,
                series,
            }
        };
        let mut panel = Panel::line(
            "Blood pressure",
            "mmHg",
            Colour::BLOOD_PRESSURE,
            SeriesHandle::new(1, 1),
        );
        panel.traces = vec![
            trace(Mark::Upper, upper),
            trace(Mark::Lower, lower),
            trace(Mark::Middle, middle),
        ];
        panel
    }

    #[test]
    fn a_bar_is_one_measurement() {
        let panel = panel(
            &[(10_000, 120.0), (310_000, 130.0), (610_000, 140.0)],
            &[(10_000, 80.0), (311_500, 85.0), (620_000, 90.0)],
            &[(10_001, 93.0)],
        );
        let found = intervals(&panel, Span::new(0, 1_000_000));
        let parts: Vec<_> = found
            .iter()
            .map(|one| (one.time, one.lower, one.upper, one.middle))
            .collect();
        let expected = [
            (10_000, 80.0, 120.0, Some(93.0)),
            (310_000, 85.0, 130.0, None),
        ];
        assert_eq!(parts, expected, "ten seconds apart is another measurement");
        assert_eq!(intervals(&panel, Span::new(0, 20_000)).len(), 1);
        let near = joined(found, 400_000);
        assert_eq!(near.len(), 1);
        assert_eq!(
            (near[0].lower, near[0].upper, near[0].middle),
            (80.0, 130.0, None)
        );
    }
}
