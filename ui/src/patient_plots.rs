//! Which stretch of a patient's record is plotted, and how the times in which she wore devices are marked in it.
//!
//! The times are numbered from the first on, as in the table beside the plots; a number stands where one begins, and
//! a line without a word where one ends and none begins.

use fog_api::WornDevice;

use crate::plot::{Moment, Panel, Simulated, Span};

const HOUR: i64 = 3_600_000;
/// The shortest stretch that is plotted, in milliseconds.
const SHORTEST: i64 = 60_000;

/// How far back the plots go.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Its key.
    pub key: &'static str,
    /// Its name on a button.
    pub label: &'static str,
    /// Its name in a sentence.
    pub name: &'static str,
    /// Its length in milliseconds; none for all there is.
    length: Option<i64>,
    /// Between two questions, in milliseconds.
    pub pause_millis: i64,
}

impl Window {
    /// All of them, the shortest first.
    pub const ALL: [Self; 5] = [
        Self::new("1h", "1 h", "last hour", Some(HOUR), 5_000),
        Self::new("8h", "8 h", "last 8 hours", Some(8 * HOUR), 30_000),
        Self::new("24h", "24 h", "last 24 hours", Some(24 * HOUR), 60_000),
        Self::new("7d", "7 d", "last 7 days", Some(168 * HOUR), 300_000),
        Self::new("all", "All", "whole record", None, 300_000),
    ];

    const fn new(
        key: &'static str,
        label: &'static str,
        name: &'static str,
        length: Option<i64>,
        pause_millis: i64,
    ) -> Self {
        Self {
            key,
            label,
            name,
            length,
            pause_millis,
        }
    }

    /// The one with this key; the first for any other.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let found = Self::ALL.iter().find(|one| one.key == key);
        *found.unwrap_or(&Self::ALL[0])
    }
}

/// The stretch of time that is asked for and plotted at `now`.
#[must_use]
pub fn window(worn: &[WornDevice], key: &str, now: i64) -> Span {
    if let Some(length) = Window::of(key).length {
        return Span::new(now - length, now);
    }
    let begin = worn.iter().map(|worn| worn.since).min().unwrap_or(now);
    let end = worn.iter().map(|worn| worn.until.unwrap_or(now)).max();
    let end = end.unwrap_or(now).max(begin.saturating_add(SHORTEST));
    Span::new(begin, end)
}

/// Marks the times in all panels; the words stand in the first.
pub fn marked(panels: &mut [Panel], worn: &[WornDevice]) {
    // What she wears last is told first.
    let numbered = worn.iter().rev().zip(1_u32..);
    let begins = numbered.map(|(worn, number)| Moment {
        at: worn.since,
        label: number.to_string(),
    });
    let mut moments: Vec<Moment> = begins.collect();
    let ends = worn.iter().filter_map(|worn| worn.until);
    for at in ends.filter(|until| worn.iter().all(|worn| worn.since != *until)) {
        let label = String::new();
        moments.push(Moment { at, label });
    }
    moments.sort_by_key(|moment| moment.at);
    for (place, panel) in panels.iter_mut().enumerate() {
        panel.moments = moments.clone();
        if place > 0 {
            for moment in &mut panel.moments {
                moment.label.clear();
            }
        }
    }
}

/// Which part of the window may show simulated values: while she wore a simulated device.
#[must_use]
pub fn simulated(worn: &[WornDevice], window: Span) -> Simulated {
    let spans = worn.iter().filter(|worn| worn.simulated);
    let spans = spans.map(|worn| Span::new(worn.since, worn.until.unwrap_or(window.to)));
    let spans: Vec<Span> = spans.filter_map(|span| span.within(window)).collect();
    match spans.is_empty() {
        true => Simulated::No,
        false => Simulated::Spans(spans),
    }
}

#[cfg(test)]
mod tests {
    //! Goal: the window holds the whole record, each time is marked once under its number in the table, and nothing
    //! simulated passes for measured. Method: a history of three devices, told as the node tells it.

    use super::*;
    use crate::plot::{Colour, SeriesHandle};

    fn worn(since: i64, until: Option<i64>, simulated: bool) -> WornDevice {
        WornDevice {
            device: "d".into(),
            name: "Device".into(),
            simulated,
            since,
            until,
        }
    }

    fn history() -> Vec<WornDevice> {
        vec![
            worn(900_000, None, false),
            worn(200_000, Some(700_000), true),
            worn(100_000, Some(200_000), false),
        ]
    }

    #[test]
    fn the_window_is_what_is_asked_for() {
        let now = 10 * HOUR;
        assert_eq!(window(&history(), "8h", now), Span::new(2 * HOUR, now));
        assert_eq!(window(&history(), "all", now), Span::new(100_000, now));
        let over = [worn(100_000, Some(110_000), false)];
        assert_eq!(window(&over, "all", now), Span::new(100_000, 160_000));
        assert_eq!(window(&[], "all", now), Span::new(now, now + SHORTEST));
        assert_eq!(Window::of("?").key, "1h");
    }

    #[test]
    fn each_time_is_marked_once() {
        let panel = || Panel::line("Pulse", "/min", Colour::PULSE, SeriesHandle::new(1, 1));
        let mut panels = [panel(), panel()];
        marked(&mut panels, &history());
        let told = |panel: &Panel| {
            let moments = panel.moments.iter();
            moments
                .map(|of| (of.at, of.label.clone()))
                .collect::<Vec<_>>()
        };
        let expected = [
            (100_000, "1"),
            (200_000, "2"),
            (700_000, ""),
            (900_000, "3"),
        ];
        assert_eq!(
            told(&panels[0]),
            expected.map(|(at, label)| (at, label.to_owned()))
        );
        assert_eq!(
            told(&panels[1]),
            expected.map(|(at, _)| (at, String::new()))
        );
    }

    #[test]
    fn what_is_simulated_is_hatched() {
        let window = Span::new(300_000, 1_000_000);
        let expected = Simulated::Spans(vec![Span::new(300_000, 700_000)]);
        assert_eq!(simulated(&history(), window), expected);
        assert_eq!(
            simulated(&history(), Span::new(800_000, 1_000_000)),
            Simulated::No
        );
    }
}
