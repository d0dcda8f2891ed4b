//! The words of limits: where they stand, and the ground they stand on.

use std::sync::Arc;

use egui::{Galley, Rect, pos2, vec2};

use super::Canvas;
use crate::plot::spec::Simulated;

impl Canvas<'_> {
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
    pub(super) fn limit_grounds(&self) {
        for (place, _) in self.limit_words() {
            let ground = place.expand2(vec2(0.0, 0.5)).with_min_x(place.left() - 4.0);
            let hatched = self.panel.simulated != Simulated::No;
            if !hatched {
                self.painter
                    .rect_filled(ground, 0.0, self.stage.palette.surface);
            }
        }
    }

    pub(super) fn limits(&self) {
        for (place, galley) in self.limit_words() {
            self.painter
                .galley(place.min, galley, self.stage.palette.limit);
        }
    }
}
