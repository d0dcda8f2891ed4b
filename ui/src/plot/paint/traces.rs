//! Lines and bars of a panel; what is measured now and then is in [`super::episodes`].

use egui::{Color32, Rect, Stroke, vec2};
use egui_plot::{HLine, Line, LineStyle, Plot, PlotPoint, PlotPoints, Points};

use super::{Canvas, snap};
use crate::plot::series::Millis;
use crate::plot::spec::{Mark, Trace};

impl Canvas<'_> {
    pub(super) fn traces(&self, ui: &mut egui::Ui, index: usize) {
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
}

pub(super) fn mix(colour: Color32, ground: Color32, share: f32) -> Color32 {
    let channel =
        |one: u8, other: u8| (f32::from(one) * share + f32::from(other) * (1.0 - share)) as u8;
    Color32::from_rgb(
        channel(colour.r(), ground.r()),
        channel(colour.g(), ground.g()),
        channel(colour.b(), ground.b()),
    )
}
