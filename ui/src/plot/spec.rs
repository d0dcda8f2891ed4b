//! What a page asks of a plot: panels over one stretch of time, as plain data.

use super::scale::YRange;
use super::series::{Millis, SeriesHandle, Span};

/// One of the eight series colours, `--plot-1` to `--plot-8`. A metric keeps its colour everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(u8);

impl Colour {
    /// Oxygen saturation.
    pub const SPO2: Self = Self(1);
    /// Pulse and heart rate.
    pub const PULSE: Self = Self(2);
    /// Temperature.
    pub const TEMPERATURE: Self = Self(3);
    /// Blood pressure.
    pub const BLOOD_PRESSURE: Self = Self(4);
    /// Perfusion and respiration.
    pub const PERFUSION: Self = Self(5);
    /// Time to finality.
    pub const FINALITY: Self = Self(6);
    /// Glucose, and medians beside another series.
    pub const MEDIAN: Self = Self(7);
    /// Signal, battery and counts.
    pub const COUNT: Self = Self(8);

    /// The colour of a metric's LOINC code; counts' grey for those the look does not name.
    #[must_use]
    pub fn of_metric(loinc: &str) -> Self {
        match loinc {
            "59408-5" | "2708-6" | "20564-1" | "59407-7" => Self::SPO2,
            "8867-4" | "8889-8" | "60985-9" | "76282-3" => Self::PULSE,
            "8310-5" | "8331-1" | "8329-5" | "8333-7" => Self::TEMPERATURE,
            "8480-6" | "8462-4" | "8478-0" | "85354-9" => Self::BLOOD_PRESSURE,
            "61006-3" | "73798-1" | "9279-1" => Self::PERFUSION,
            "15074-8" | "2339-0" | "2345-7" => Self::MEDIAN,
            _ => Self::COUNT,
        }
    }

    /// The colour of the `place`th of several things of one kind, such as nodes; after eight they repeat.
    #[must_use]
    pub const fn of_place(place: usize) -> Self {
        // Not what finality is drawn in: the two stand in one view.
        const ORDER: [u8; 8] = [1, 2, 3, 4, 5, 7, 8, 6];
        Self(ORDER[place % ORDER.len()])
    }

    /// Its number, 1 to 8.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The custom property that holds it.
    #[must_use]
    pub fn property(self) -> String {
        format!("--plot-{}", self.0)
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A line.
    Line,
    /// A dashed line, for the fifth series on.
    Dashed,
    /// A line over a pale area.
    Area,
    /// A bar for each stretch of so many milliseconds, the point's time being its start.
    Bars(i64),
    /// A dot for each value, and pale steps from one to the next: nothing is known between them.
    Steps,
    /// The upper ends of intervals; with [`Mark::Lower`] in the same panel, one bar a measurement.
    Upper,
    /// Their lower ends.
    Lower,
    /// A value inside each interval, marked across its bar.
    Middle,
}

/// One series in a panel.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Its name, for the caption; with a single trace the panel's title is enough.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
    /// How it is drawn.
    pub mark: Mark,
    /// The data.
    pub series: SeriesHandle,
}

/// A value that matters, drawn dashed and labelled.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Where.
    pub value: f64,
    /// Its words, such as "agreed limit 500 ms".
    pub label: String,
}

/// A moment that matters, drawn from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Millis,
    /// A short word beside its upper end; may be empty.
    pub label: String,
}

/// Which part of a panel shows simulated data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Simulated {
    /// None.
    #[default]
    No,
    /// All of it.
    All,
    /// These stretches.
    Spans(Vec<Span>),
}

/// One plot among those that share a stretch of time and a cursor.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What it shows, such as "Pulse"; may hold `SpO₂`.
    pub title: String,
    /// Whether the title stands before the names of the series, which do not say what they are of.
    pub is_titled: bool,
    /// The unit, for people, such as "/min".
    pub unit: String,
    /// Decimal places of the readout.
    pub decimals: usize,
    /// Height of the drawing area in rem.
    pub height_rem: f32,
    /// The series, first drawn first.
    pub traces: Vec<Trace>,
    /// Values that matter.
    pub limits: Vec<Limit>,
    /// Moments that matter.
    pub moments: Vec<Moment>,
    /// Which values are shown.
    pub y: YRange,
    /// Whether stretches without data are filled and named; off where silence is normal.
    pub gaps: bool,
    /// Which part is simulated.
    pub simulated: Simulated,
}

impl Panel {
    /// A panel of one line with gaps shown, 7 rem high, whole numbers in the readout.
    #[must_use]
    pub fn line(title: &str, unit: &str, colour: Colour, series: SeriesHandle) -> Self {
        Self {
            title: title.into(),
            is_titled: false,
            unit: unit.into(),
            decimals: 0,
            height_rem: 7.0,
            traces: vec![Trace {
                name: title.into(),
                colour,
                mark: Mark::Line,
                series,
            }],
            limits: Vec::new(),
            moments: Vec::new(),
            y: YRange::Data,
            gaps: true,
            simulated: Simulated::No,
        }
    }
}

/// Panels that share a stretch of time and a cursor.
#[derive(Clone, Debug)]
pub struct PlotSpec {
    /// From top to bottom.
    pub panels: Vec<Panel>,
    /// The stretch of time.
    pub window: Span,
}

impl PlotSpec {
    /// A number that is another one after each change of a series.
    #[must_use]
    pub fn changes(&self) -> u64 {
        let traces = self.panels.iter().flat_map(|panel| &panel.traces);
        let revisions = traces.map(|trace| trace.series.read().revision());
        revisions.fold(0, u64::wrapping_add)
    }
}

impl Default for PlotSpec {
    /// No panels.
    fn default() -> Self {
        Self {
            panels: Vec::new(),
            window: Span { from: 0, to: 1 },
        }
    }
}
