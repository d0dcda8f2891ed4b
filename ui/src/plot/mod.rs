//! Plots: what a page asks for ([`PlotSpec`]), the mathematics ([`series`], [`scale`]), the words for
//! those who cannot see them ([`words`]), and the painting with `egui_plot` ([`paint`]).
//!
//! A page keeps [`SeriesHandle`]s, pushes [`Point`]s into them, and gives `<Plots spec=…/>` a signal of
//! a [`PlotSpec`]; each time the signal changes, the one canvas of the view is painted once:
//!
//! ```text
//! let pulse = SeriesHandle::new(5_000, 3_000);          // at most 5,000 points, broken after 3 s
//! pulse.push(Point::value(vital.time, 72.0));           // or Point::absent(time)
//! let spec = Signal::derive(move || { tick.track(); PlotSpec {
//!     panels: vec![Panel { limits, ..Panel::line("Pulse", "/min", Colour::PULSE, pulse.clone()) }],
//!     window: Span::new(now - 300_000, now),
//! }});
//! view! { <Plots spec=spec/> }
//! ```
//!
//! A repaint of three panels of 5,000 points costs well under a millisecond, so four changes a second
//! are nothing; without a change or a pointer over it the canvas costs nothing at all. Where WebGL is
//! missing the same component shows the data as a table.
//!
//! Left out on purpose: zooming with the wheel (pages scroll with it), smoothing, interpolation.

pub mod paint;
mod palette;
pub mod scale;
pub mod series;
mod spec;
pub mod words;

#[cfg(target_arch = "wasm32")]
mod canvas;
#[cfg(target_arch = "wasm32")]
mod view;

pub use palette::{Palette, parse_css_colour};
pub use scale::{YAxis, YRange};
pub use series::{Millis, Point, Series, SeriesHandle, Span};
pub use spec::{Colour, Limit, Mark, Moment, Panel, PlotSpec, Simulated, Trace};

#[cfg(target_arch = "wasm32")]
pub use view::Plots;

#[cfg(test)]
mod episode_tests;
#[cfg(test)]
mod tests;
