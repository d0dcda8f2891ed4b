//! Axes: steps a person reads easily, ranges that hold still, times and lengths in words.
//!
//! Plain functions. Times of day need the zone's offset as an argument; nothing here knows a clock.

use super::series::{Millis, Span};
use crate::words::number;

/// Which values a panel shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum YRange {
    /// Exactly these, whatever the data.
    Fixed(f64, f64),
    /// At least these, and more where the data goes beyond.
    AtLeast(f64, f64),
    /// What the data needs.
    Data,
}

/// A vertical axis with three or four lines (more only where [`YRange::Fixed`] asks for odd ends).
#[derive(Clone, Debug, PartialEq)]
pub struct YAxis {
    /// Lowest value shown.
    pub min: f64,
    /// Highest value shown.
    pub max: f64,
    /// Where the lines are.
    pub ticks: Vec<f64>,
    /// Decimal places of the labels.
    pub decimals: usize,
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is at least `least`.
#[must_use]
pub fn nice_step(least: f64) -> f64 {
    if !least.is_finite() || least <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    let fits = steps
        .into_iter()
        .find(|step| step * power >= least * (1.0 - 1e-9));
    fits.unwrap_or(10.0) * power
}

/// The axis for a policy and the data's extent.
#[must_use]
pub fn y_axis(range: YRange, data: Option<(f64, f64)>) -> YAxis {
    let (low, high) = match (range, data) {
        (YRange::Fixed(min, max), _) | (YRange::AtLeast(min, max), None) => (min, max),
        (YRange::AtLeast(min, max), Some((low, high))) => (min.min(low), max.max(high)),
        (YRange::Data, Some((low, high))) => (low, high),
        (YRange::Data, None) => (0.0, 1.0),
    };
    let (low, high) = apart(low, high);
    let mut step = nice_step((high - low) / 3.0);
    if !matches!(range, YRange::Fixed(..)) {
        // Rounding both ends outwards may add a line: take the next step then.
        while (high / step).ceil() - (low / step).floor() > 3.5 {
            step = nice_step(step * 1.01);
        }
    }
    let fixed = matches!(range, YRange::Fixed(..));
    let first = if fixed {
        (low / step - 1e-9).ceil()
    } else {
        (low / step + 1e-9).floor()
    };
    let last = if fixed {
        (high / step + 1e-9).floor()
    } else {
        (high / step - 1e-9).ceil()
    };
    let count = (last - first).clamp(0.0, 16.0) as u32;
    let ticks: Vec<_> = (0..=count).map(|n| (first + f64::from(n)) * step).collect();
    let (min, max) = if fixed {
        (low, high)
    } else {
        (first * step, last * step)
    };
    YAxis {
        min,
        max,
        ticks,
        decimals: decimals(step),
    }
}

/// Two values with some room between them.
fn apart(low: f64, high: f64) -> (f64, f64) {
    let (low, high) = if low <= high {
        (low, high)
    } else {
        (high, low)
    };
    if high - low > f64::EPSILON * high.abs().max(1.0) {
        (low, high)
    } else {
        let room = low.abs().max(1.0) * 0.1;
        (low - room, high + room)
    }
}

/// The axis to paint after `shown`: it grows at once and shrinks only when less than half of it is
/// needed, so that labels hold still while data streams.
#[must_use]
pub fn settle(shown: Option<&YAxis>, wanted: YAxis) -> YAxis {
    match shown {
        Some(shown)
            if wanted.min >= shown.min
                && wanted.max <= shown.max
                && (wanted.max - wanted.min) * 2.0 > shown.max - shown.min =>
        {
            shown.clone()
        }
        _ => wanted,
    }
}

/// Decimal places that tell multiples of `step` apart.
fn decimals(step: f64) -> usize {
    (0..6)
        .find(|places| {
            let scaled = step * 10f64.powi(*places);
            (scaled - scaled.round()).abs() < 1e-6
        })
        .unwrap_or(6) as usize
}

/// A tick's label, short enough for the margin: from ten thousand on in thousands, 20k.
#[must_use]
pub fn tick_label(tick: f64, axis: &YAxis) -> String {
    let largest = axis.min.abs().max(axis.max.abs());
    if largest < 10_000.0 {
        return decimal(tick, axis.decimals);
    }
    let (unit, sign) = if largest < 10_000_000.0 {
        (1e3, "k")
    } else {
        (1e6, "M")
    };
    let step = axis.ticks.windows(2).map(|pair| pair[1] - pair[0]).next();
    let label = decimal(tick / unit, decimals(step.unwrap_or(largest) / unit));
    if tick == 0.0 {
        decimal(0.0, 0)
    } else {
        format!("{label}{sign}")
    }
}

/// A number with a fixed count of decimals, thousands parted by U+202F and a true minus sign.
#[must_use]
pub fn decimal(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(w, f)| (w, Some(f)));
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let mut out = String::from(if value < 0.0 && !is_zero { "−" } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

const SECOND: Millis = 1000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// Steps between time labels.
const TIME_STEPS: [Millis; 19] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
];

/// Round times inside `window`, at most `most` of them, with their labels in a zone `offset_minutes`
/// east of UTC.
#[must_use]
pub fn time_ticks(window: Span, most: usize, offset_minutes: i32) -> Vec<(Millis, String)> {
    let offset = Millis::from(offset_minutes) * MINUTE;
    let most = Millis::try_from(most.clamp(2, 64)).unwrap_or(2);
    let fits = TIME_STEPS
        .iter()
        .find(|step| window.length() / **step < most);
    let step = fits.copied().unwrap_or_else(|| {
        let weeks = window.length() / (7 * DAY * (most - 1).max(1)) + 1;
        weeks * 7 * DAY
    });
    let first = (window.from + offset + step - 1).div_euclid(step) * step;
    (0..=most)
        .map(|n| first + n * step)
        .map(|local| (local - offset, local))
        .take_while(|(time, _)| *time <= window.to)
        .map(|(time, local)| (time, time_label(local, step)))
        .collect()
}

fn time_label(local: Millis, step: Millis) -> String {
    if step >= DAY {
        let (_, month, day) = date(local.div_euclid(DAY));
        format!(
            "{day} {}",
            MONTHS.get(month as usize).copied().unwrap_or_default()
        )
    } else {
        time_of_day(local, 0, step < MINUTE)
    }
}

/// The time of day in a zone `offset_minutes` east of UTC, as 14:02 or 14:02:07.
#[must_use]
pub fn time_of_day(time: Millis, offset_minutes: i32, seconds: bool) -> String {
    if seconds {
        number::clock(time, offset_minutes)
    } else {
        number::clock_minutes(time, offset_minutes)
    }
}

const MONTHS: [&str; 13] = [
    "", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian calendar).
fn date(day: i64) -> (i64, i64, i64) {
    // Years start in March, so that the leap day is the last of its year.
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// A length of time as a sentence says it: "the last 30 minutes".
#[must_use]
pub fn last(window: Span) -> String {
    let (count, unit) = match window.length() {
        millis if millis < 2 * MINUTE => ((millis + SECOND / 2) / SECOND, "second"),
        millis if millis < 2 * HOUR => ((millis + MINUTE / 2) / MINUTE, "minute"),
        millis if millis < 3 * DAY => ((millis + HOUR / 2) / HOUR, "hour"),
        millis => ((millis + DAY / 2) / DAY, "day"),
    };
    match count {
        1 => format!("the last {unit}"),
        60 if unit == "minute" => "the last hour".into(),
        _ => format!("the last {count} {unit}s"),
    }
}
