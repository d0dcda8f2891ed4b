//! Painting: panels on one canvas with `egui_plot`, as the look asks.
//!
//! ```text
//! per panel, back to front:  gap and simulated spans · grid · traces and limits (egui_plot) ·
//!                            limit words · moments · cursor, dots and readout · y labels; times under the last
//! ```
//!
//! The page lays out captions and drawing areas; [`Stage::areas`] says where they are. Nothing is
//! interactive here: the cursor's time is given, so that the canvas never takes a pointer, a key or
//! the wheel from the page.

mod episodes;
mod limits;
mod moments;
mod readout;
mod traces;

use std::sync::Arc;

use egui::{
    Align2, FontData, FontDefinitions, FontFamily, FontId, Painter, Pos2, Rect, Shape, Stroke,
    pos2, vec2,
};

use super::palette::Palette;
use super::scale::{self, YAxis};
use super::series::{Millis, Span};
use super::spec::{Panel, PlotSpec, Simulated};
use crate::words::number;
pub use readout::{figures, readout};

/// A subset of Inter (SIL Open Font License, `assets/fonts/Inter-LICENSE.txt`) at weight 410 with
/// tabular figures: what labels and readouts need.
const FIGURES: &[u8] = include_bytes!("figures.ttf");

/// Makes the plots' one font known; call before the first frame.
pub fn install_fonts(ctx: &egui::Context) {
    let mut fonts = FontDefinitions::empty();
    let data = Arc::new(FontData::from_static(FIGURES));
    fonts.font_data.insert("figures".into(), data);
    for family in [FontFamily::Proportional, FontFamily::Monospace] {
        fonts.families.insert(family, vec!["figures".into()]);
    }
    ctx.set_fonts(fonts);
}

/// Everything one canvas paints.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// What to show.
    pub spec: PlotSpec,
    /// The panels' drawing areas on the canvas, in points.
    pub areas: Vec<Rect>,
    /// The colours.
    pub palette: Palette,
    /// The time under the cursor.
    pub cursor: Option<Millis>,
    /// Minutes the reader's zone is east of UTC.
    pub offset_minutes: i32,
    /// Points in a rem.
    pub rem: f32,
    /// The axes as last painted, one a panel.
    pub(super) axes: Vec<YAxis>,
}

impl Stage {
    /// The time at a horizontal place on the canvas, if a drawing area is there.
    #[must_use]
    pub fn time_at(&self, x: f32) -> Option<Millis> {
        let area = self.areas.first()?;
        let share = (x - area.left()) / area.width().max(1.0);
        let length = self.spec.window.length() as f64;
        let at = self.spec.window.from + (f64::from(share) * length) as Millis;
        (0.0..=1.0).contains(&share).then_some(at)
    }

    /// Forgets how axes stood, for another set of panels.
    pub fn reset_axes(&mut self) {
        self.axes.clear();
    }

    /// The axes as last painted.
    #[must_use]
    pub fn axes(&self) -> &[YAxis] {
        &self.axes
    }

    fn font(&self) -> FontId {
        FontId::proportional(0.75 * if self.rem > 0.0 { self.rem } else { 16.0 })
    }
}

/// Paints all panels.
pub fn paint(ui: &mut egui::Ui, stage: &mut Stage) {
    let mut axes = Vec::with_capacity(stage.spec.panels.len());
    for (index, panel) in stage.spec.panels.iter().enumerate() {
        let Some(area) = stage.areas.get(index) else {
            break;
        };
        let axis = scale::settle(stage.axes.get(index), wanted_axis(panel, stage.spec.window));
        let canvas = Canvas {
            stage,
            panel,
            axis: &axis,
            area: *area,
            painter: ui.painter().clone(),
        };
        canvas.spans();
        canvas.grid();
        canvas.limit_grounds();
        canvas.traces(ui, index);
        canvas.limits();
        canvas.moments();
        canvas.cursor(index == 0);
        axes.push(axis);
    }
    if let Some(area) = stage.areas.get(stage.spec.panels.len().saturating_sub(1)) {
        times(ui.painter(), stage, *area);
    }
    stage.axes = axes;
}

/// The axis a panel needs for what its window holds.
#[must_use]
pub fn wanted_axis(panel: &Panel, window: Span) -> YAxis {
    let merge = |one: (f64, f64), other: (f64, f64)| (one.0.min(other.0), one.1.max(other.1));
    let data = panel
        .traces
        .iter()
        .filter_map(|trace| trace.series.read().extent(window))
        .chain(panel.limits.iter().map(|limit| (limit.value, limit.value)))
        .reduce(merge);
    scale::y_axis(panel.y, data)
}

/// The gaps that all traces of a panel share: where any of them has data, something was received.
#[must_use]
pub fn shared_gaps(panel: &Panel, window: Span) -> Vec<Span> {
    if !panel.gaps {
        return Vec::new();
    }
    let mut traces = panel
        .traces
        .iter()
        .map(|trace| trace.series.read().gaps(window));
    let first = traces.next().unwrap_or_default();
    traces.fold(first, |shared, gaps| {
        let overlaps = |span: Span| {
            gaps.iter()
                .filter_map(move |gap| span.within(*gap))
                .collect::<Vec<_>>()
        };
        shared.into_iter().flat_map(overlaps).collect()
    })
}

struct Canvas<'a> {
    stage: &'a Stage,
    panel: &'a Panel,
    axis: &'a YAxis,
    area: Rect,
    painter: Painter,
}

impl Canvas<'_> {
    fn x(&self, time: f64) -> f32 {
        let window = self.stage.spec.window;
        let share = (time - window.from as f64) / window.length().max(1) as f64;
        self.area.left() + share as f32 * self.area.width()
    }

    fn y(&self, value: f64) -> f32 {
        let share = (value - self.axis.min) / (self.axis.max - self.axis.min);
        self.area.bottom() - share as f32 * self.area.height()
    }

    fn rect(&self, span: Span) -> Rect {
        let (left, right) = (self.x(span.from as f64), self.x(span.to as f64));
        Rect::from_x_y_ranges(left..=right, self.area.y_range()).intersect(self.area)
    }

    fn bucket_millis(&self) -> Millis {
        (self.stage.spec.window.length() as f64 / f64::from(self.area.width().max(1.0))).ceil()
            as Millis
    }

    /// Behind the lines: what is simulated, and what is not there.
    fn spans(&self) {
        let window = self.stage.spec.window;
        let simulated: &[Span] = match &self.panel.simulated {
            Simulated::No => &[],
            Simulated::All => &[window],
            Simulated::Spans(spans) => spans,
        };
        for span in simulated.iter().filter_map(|span| span.within(window)) {
            self.hatch(self.rect(span));
        }
        for gap in shared_gaps(self.panel, window) {
            let rect = self.rect(gap);
            if rect.width() < 1.0 {
                continue;
            }
            self.painter.rect_filled(rect, 0.0, self.stage.palette.gap);
            self.gap_words(rect, gap);
        }
    }

    fn gap_words(&self, rect: Rect, gap: Span) {
        let words = format!("gap\n{}", number::span(gap.length()));
        let font = self.stage.font();
        let galley = self
            .painter
            .layout_no_wrap(words, font, self.stage.palette.axis);
        let room = galley.size() + vec2(6.0, 4.0);
        if room.x <= rect.width() && room.y <= rect.height() {
            // Centre line by line: the galley itself is left-aligned.
            for (row, line) in ["gap".to_owned(), number::span(gap.length())]
                .into_iter()
                .enumerate()
            {
                let y = rect.center().y + (row as f32 - 0.5) * galley.size().y / 2.0;
                let at = pos2(rect.center().x, y);
                let font = self.stage.font();
                self.painter.text(
                    at,
                    Align2::CENTER_CENTER,
                    line,
                    font,
                    self.stage.palette.axis,
                );
            }
        }
    }

    /// Diagonal lines, at places fixed on the canvas so that they do not crawl.
    fn hatch(&self, rect: Rect) {
        let painter = self.painter.with_clip_rect(rect);
        let colour = self.stage.palette.simulated.gamma_multiply(0.22);
        let step = 7.0 * std::f32::consts::SQRT_2;
        let mut x = ((rect.left() - rect.height()) / step).floor() * step;
        while x < rect.right() {
            let line = [pos2(x, rect.bottom()), pos2(x + rect.height(), rect.top())];
            painter.line_segment(line, Stroke::new(2.0, colour));
            x += step;
        }
    }

    fn grid(&self) {
        let palette = &self.stage.palette;
        for tick in &self.axis.ticks {
            let y = snap(self.y(*tick));
            let stroke = Stroke::new(1.0, palette.grid);
            self.painter.hline(self.area.x_range(), y, stroke);
            let label = scale::tick_label(*tick, self.axis);
            let at = pos2(self.area.left() - 8.0, y);
            self.painter.text(
                at,
                Align2::RIGHT_CENTER,
                label,
                self.stage.font(),
                palette.axis,
            );
        }
    }

    fn holds(&self, time: Millis) -> bool {
        (self.stage.spec.window.from..=self.stage.spec.window.to).contains(&time)
    }
}

/// Times under the lowest panel; the outermost stay inside the canvas.
fn times(painter: &Painter, stage: &Stage, area: Rect) {
    let window = stage.spec.window;
    let most = (area.width() / (4.75 * stage.rem.max(12.0)))
        .floor()
        .max(2.0) as usize;
    for (time, label) in scale::time_ticks(window, most.min(7), stage.offset_minutes) {
        let share = (time - window.from) as f32 / window.length().max(1) as f32;
        let galley = painter.layout_no_wrap(label, stage.font(), stage.palette.axis);
        let half = galley.size().x / 2.0;
        let middle = area.left() + share * area.width();
        let left = (middle - half).clamp(area.left(), (area.right() - 2.0 * half).max(area.left()));
        painter.galley(pos2(left, area.bottom() + 7.0), galley, stage.palette.axis);
    }
}

/// The middle of a device pixel at one pixel per point: sharp hairlines.
fn snap(at: f32) -> f32 {
    at.floor() + 0.5
}

/// The text shapes of a frame with their places, for tests.
#[must_use]
pub fn texts(shapes: &[egui::epaint::ClippedShape]) -> Vec<(String, Pos2)> {
    fn walk(shape: &Shape, out: &mut Vec<(String, Pos2)>) {
        match shape {
            Shape::Text(text) => out.push((text.galley.text().to_owned(), text.pos)),
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| walk(shape, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    for clipped in shapes {
        walk(&clipped.shape, &mut out);
    }
    out
}
