//! Painting: panels on one canvas with `egui_plot`, as the look asks.
//!
//! ```text
//! per panel, back to front:  gap and simulated spans · grid · traces and limits (egui_plot) ·
//!                            limit words · cursor, dots and readout · y labels; times under the last
//! ```
//!
//! The page lays out captions and drawing areas; [`Stage::areas`] says where they are. Nothing is
//! interactive here: the cursor's time is given, so that the canvas never takes a pointer, a key or
//! the wheel from the page.

mod episodes;

use std::sync::Arc;

use egui::{
    Align2, Color32, FontData, FontDefinitions, FontFamily, FontId, Galley, Painter, Pos2, Rect,
    Shape, Stroke, pos2, vec2,
};
use egui_plot::{HLine, Line, LineStyle, Plot, PlotPoint, PlotPoints, Points};

use super::palette::Palette;
use super::scale::{self, YAxis};
use super::series::{Millis, Span};
use super::spec::{Mark, Panel, PlotSpec, Simulated, Trace};
use crate::words::number;

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

    fn traces(&self, ui: &mut egui::Ui, index: usize) {
        let window = self.stage.spec.window;
        for trace in &self.panel.traces {
            match trace.mark {
                Mark::Bars(width) => self.bars(trace, width),
                Mark::Steps => self.steps(trace),
                _ => {}
            }
        }
        self.intervals();
        let plot = Plot::new(("panel", index))
            .show_axes(false)
            .show_grid(false)
            .show_background(false)
            .show_x(false)
            .show_y(false)
            .allow_scroll(false)
            .allow_zoom(false)
            .allow_drag(false)
            .allow_boxed_zoom(false)
            .allow_double_click_reset(false)
            .set_margin_fraction(vec2(0.0, 0.0))
            .sense(egui::Sense::hover())
            // A panel may be lower than a plot's usual least height.
            .min_size(vec2(1.0, 1.0));
        let builder = egui::UiBuilder::new().max_rect(self.area);
        ui.scope_builder(builder, |ui| {
            plot.show(ui, |plot| {
                plot.set_plot_bounds_x(window.from as f64..=window.to as f64);
                plot.set_plot_bounds_y(self.axis.min..=self.axis.max);
                for trace in &self.panel.traces {
                    self.line(plot, trace);
                }
                for limit in &self.panel.limits {
                    let line = HLine::new("", limit.value)
                        .stroke(Stroke::new(1.0, self.stage.palette.limit))
                        .style(LineStyle::Dashed { length: 5.0 })
                        .allow_hover(false);
                    plot.hline(line);
                }
            });
        });
    }

    fn line(&self, plot: &mut egui_plot::PlotUi<'_>, trace: &Trace) {
        if !matches!(trace.mark, Mark::Line | Mark::Dashed | Mark::Area) {
            return;
        }
        let colour = self.stage.palette.of(trace.colour);
        let runs = trace
            .series
            .read()
            .runs(self.stage.spec.window, self.bucket_millis());
        for run in runs {
            let points: Vec<_> = run.into_iter().map(|[x, y]| PlotPoint::new(x, y)).collect();
            if let [only] = points.as_slice() {
                let dot = Points::new("", PlotPoints::Owned(vec![*only]));
                plot.points(dot.radius(1.5).color(colour).allow_hover(false));
                continue;
            }
            let mut line = Line::new("", PlotPoints::Owned(points))
                .stroke(Stroke::new(1.5, colour))
                .allow_hover(false);
            match trace.mark {
                Mark::Dashed => line = line.style(LineStyle::dashed_dense()),
                Mark::Area => line = line.fill(self.axis.min as f32).fill_alpha(0.12),
                _ => {}
            }
            plot.line(line);
        }
    }

    /// Bars, as many as can be told apart; several in one place show the highest.
    fn bars(&self, trace: &Trace, width_millis: Millis) {
        let painter = self.painter.with_clip_rect(self.area);
        let colour = mix(
            self.stage.palette.of(trace.colour),
            self.stage.palette.surface,
            0.6,
        );
        let least = self.bucket_millis() * 4;
        let width = width_millis.max(1) * (least / width_millis.max(1)).max(1);
        let mut bars: Vec<(Millis, f64)> = Vec::new();
        for point in trace.series.read().around(self.stage.spec.window) {
            let (start, Some((_, high))) = (point.time.div_euclid(width) * width, point.range)
            else {
                continue;
            };
            match bars.last_mut() {
                Some(last) if last.0 == start => last.1 = last.1.max(high),
                _ => bars.push((start, high)),
            }
        }
        for (start, high) in bars {
            let (left, right) = (self.x(start as f64), self.x((start + width) as f64));
            let inset = ((right - left) * 0.22).clamp(0.5, 3.0);
            let x = snap(left + inset)..=snap(right - inset).max(snap(left + inset) + 1.0);
            let rect =
                Rect::from_x_y_ranges(x, snap(self.y(high))..=self.y(self.axis.min.max(0.0)));
            painter.rect_filled(rect, 0.0, colour);
        }
    }

    /// Where each visible limit's words stand.
    fn limit_words(&self) -> Vec<(Rect, Arc<Galley>)> {
        let palette = &self.stage.palette;
        let visible = self.panel.limits.iter().filter_map(|limit| {
            let y = self.y(limit.value);
            if !self.area.y_range().expand(1.0).contains(y) {
                return None;
            }
            let galley =
                self.painter
                    .layout_no_wrap(limit.label.clone(), self.stage.font(), palette.limit);
            let above = y - 3.0 - galley.size().y;
            let top = if above < self.area.top() - 2.0 {
                y + 3.0
            } else {
                above
            };
            let corner = pos2(self.area.right() - galley.size().x, top);
            Some((Rect::from_min_size(corner, galley.size()), galley))
        });
        visible.collect()
    }

    /// Clears the grid where limits' words will stand; traces are painted over it, so no peak is hidden.
    fn limit_grounds(&self) {
        for (place, _) in self.limit_words() {
            let ground = place.expand2(vec2(0.0, 0.5)).with_min_x(place.left() - 4.0);
            let hatched = self.panel.simulated != Simulated::No;
            if !hatched {
                self.painter
                    .rect_filled(ground, 0.0, self.stage.palette.surface);
            }
        }
    }

    fn limits(&self) {
        for (place, galley) in self.limit_words() {
            self.painter
                .galley(place.min, galley, self.stage.palette.limit);
        }
    }

    fn cursor(&self, says_time: bool) {
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

    fn holds(&self, time: Millis) -> bool {
        (self.stage.spec.window.from..=self.stage.spec.window.to).contains(&time)
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

fn mix(colour: Color32, ground: Color32, share: f32) -> Color32 {
    let channel =
        |one: u8, other: u8| (f32::from(one) * share + f32::from(other) * (1.0 - share)) as u8;
    Color32::from_rgb(
        channel(colour.r(), ground.r()),
        channel(colour.g(), ground.g()),
        channel(colour.b(), ground.b()),
    )
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
