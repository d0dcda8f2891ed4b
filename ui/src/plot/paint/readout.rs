//! The cursor: its line, its dots, and what it says.

use egui::{Rect, Stroke, pos2, vec2};

use super::{Canvas, snap};
use crate::plot::scale;
use crate::plot::series::Millis;
use crate::plot::spec::{Mark, Panel};

impl Canvas<'_> {
    pub(super) fn cursor(&self, says_time: bool) {
        let Some(time) = self.stage.cursor.filter(|time| self.holds(*time)) else {
            return;
        };
        let palette = &self.stage.palette;
        let x = snap(self.x(time as f64));
        self.painter
            .vline(x, self.area.y_range(), Stroke::new(1.0, palette.cursor));
        for trace in &self.panel.traces {
            let point = trace
                .series
                .read()
                .nearest(time)
                .filter(|point| self.holds(point.time));
            if let (Some((_, high)), false) = (
                point.and_then(|p| p.range),
                matches!(trace.mark, Mark::Bars(_)),
            ) {
                let at = pos2(x, self.y(high));
                self.painter.circle(
                    at,
                    3.5,
                    palette.of(trace.colour),
                    Stroke::new(1.0, palette.surface),
                );
            }
        }
        let words = readout(
            self.panel,
            time,
            says_time.then_some(self.stage.offset_minutes),
        );
        self.tag(x, words);
    }

    /// The readout at the cursor's top; it turns to the other side past the middle.
    fn tag(&self, x: f32, words: String) {
        if words.is_empty() {
            return;
        }
        let palette = &self.stage.palette;
        let galley = self
            .painter
            .layout_no_wrap(words, self.stage.font(), palette.surface);
        let size = galley.size() + vec2(12.0, 5.0);
        let left = if x > self.area.center().x {
            x - size.x + 1.0
        } else {
            x
        };
        let left = left.clamp(
            self.area.left(),
            (self.area.right() - size.x).max(self.area.left()),
        );
        let rect = Rect::from_min_size(pos2(left, self.area.top() - 1.0), size);
        self.painter.rect_filled(rect, 4.0, palette.cursor);
        self.painter
            .galley(rect.min + vec2(6.0, 2.5), galley, palette.surface);
    }
}

/// What a panel says at `time`: `13:48:35 · 478 ms, median 125`. The time only with the zone's offset.
#[must_use]
pub fn readout(panel: &Panel, time: Millis, offset_minutes: Option<i32>) -> String {
    let values: Vec<String> = panel
        .traces
        .iter()
        .enumerate()
        .filter_map(|(index, trace)| {
            let reach = trace.series.read();
            let point = match trace.mark {
                Mark::Bars(width) => reach.nearest(time.div_euclid(width.max(1)) * width.max(1)),
                _ => reach.nearest(time),
            };
            let (low, high) = point?.range?;
            let figure = figures(low, high, panel.decimals);
            Some(match index {
                0 if panel.is_titled => format!("{} {figure} {}", trace.name, panel.unit),
                0 if panel.unit.is_empty() || panel.unit.contains(' ') => figure,
                0 => format!("{figure} {}", panel.unit),
                _ => format!("{} {figure}", trace.name),
            })
        })
        .collect();
    let clock = offset_minutes.map(|offset| scale::time_of_day(time, offset, true));
    let values = if values.is_empty() {
        "no data".to_owned()
    } else {
        values.join(", ")
    };
    clock.map_or(values.clone(), |clock| format!("{clock} · {values}"))
}

/// One value, or the range it stands for.
#[must_use]
pub fn figures(low: f64, high: f64, decimals: usize) -> String {
    let (one, other) = (
        scale::decimal(low, decimals),
        scale::decimal(high, decimals),
    );
    if one == other {
        other
    } else {
        format!("{one} to {other}")
    }
}
