//! Moments that matter: a dashed line from top to bottom, its word at the upper end.

use egui::{Shape, Stroke, pos2, vec2};

use super::{Canvas, snap};

/// Length of a dash and of what is left between two, in points.
const DASH: f32 = 3.0;

impl Canvas<'_> {
    /// The lines, and those words that have room before the next one.
    pub(super) fn moments(&self) {
        let palette = &self.stage.palette;
        let visible = self.panel.moments.iter().filter(|of| self.holds(of.at));
        let mut free = self.area.left();
        for moment in visible {
            let x = snap(self.x(moment.at as f64));
            let ends = [pos2(x, self.area.top()), pos2(x, self.area.bottom())];
            let stroke = Stroke::new(1.0, palette.axis);
            self.painter
                .extend(Shape::dashed_line(&ends, stroke, DASH, DASH));
            let font = self.stage.font();
            let word = self
                .painter
                .layout_no_wrap(moment.label.clone(), font, palette.axis);
            let end = x + 4.0 + word.size().x;
            if x >= free && end <= self.area.right() {
                free = end;
                let corner = pos2(x, self.area.top()) + vec2(4.0, 0.0);
                self.painter.galley(corner, word, palette.axis);
            }
        }
    }
}
