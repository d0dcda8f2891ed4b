//! Plots, tested natively: chart mathematics by tables and properties, painting in `egui_kittest`.

use egui::{Rect, pos2, vec2};
use egui_kittest::Harness;
use proptest::prelude::*;

use super::paint::{Stage, install_fonts, paint, readout, shared_gaps, texts};
use super::scale::{self, YRange, decimal, nice_step, settle, time_ticks, y_axis};
use super::series::{Point, Series, SeriesHandle, Span, decimate};
use super::spec::{Colour, Limit, Mark, Panel, PlotSpec, Simulated};
use super::{Palette, parse_css_colour, words};

fn series(points: &[(i64, f64)], break_after: i64) -> Series {
    let mut series = Series::new(10_000, break_after);
    for (time, value) in points {
        series.push(Point::value(*time, *value));
    }
    series
}

/// Goal: a plot knows a new value from a window that only moved on. Method: one series.
#[test]
fn a_new_value_is_a_change_and_time_is_none() {
    let series = SeriesHandle::new(10, 1_000);
    let spec = |to| PlotSpec {
        panels: vec![Panel::line(
            "Pulse",
            "/min",
            Colour::of_metric("8889-8"),
            series.clone(),
        )],
        window: Span::new(0, to),
    };
    let before = spec(10).changes();
    assert_eq!(spec(20).changes(), before);
    series.push(Point::value(20, 72.0));
    assert_ne!(spec(20).changes(), before);
}

/// Goal: the ring is bounded, ordered and without doubles, however points arrive.
#[test]
fn ring_is_bounded_and_ordered() {
    let mut ring = Series::new(3, 10);
    for time in [5, 1, 9, 7, 7, 11] {
        ring.push(Point::value(time, time as f64));
    }
    let times: Vec<_> = ring
        .inside(Span::new(0, 100))
        .map(|point| point.time)
        .collect();
    assert_eq!(times, [7, 9, 11]);
    ring.replace([4, 2, 2, 8, 6].map(|time| Point::value(time, 0.0)));
    let times: Vec<_> = ring
        .inside(Span::new(0, 100))
        .map(|point| point.time)
        .collect();
    assert_eq!(times, [4, 6, 8]);
    assert_eq!(ring.latest().map(|point| point.time), Some(8));
}

/// Goal: gaps are found by silence, by absent points and at the open end, and nowhere else.
#[test]
fn gaps_have_their_ends() {
    let span = Span::new;
    let window = span(0, 100);
    let absent = |series: &mut Series, time| series.push(Point::absent(time));

    let silent = series(&[(10, 1.0), (20, 1.0), (60, 1.0), (95, 1.0)], 36);
    assert_eq!(silent.gaps(window), [span(20, 60)]);
    let open = series(&[(10, 1.0), (20, 1.0)], 36);
    assert_eq!(open.gaps(window), [span(20, 100)]);
    assert_eq!(open.gaps(span(0, 50)), []);
    assert_eq!(
        series(&[(90, 1.0)], 10).gaps(window),
        [],
        "nothing was expected before the first"
    );

    let mut off = series(&[(10, 1.0), (20, 1.0), (50, 2.0), (90, 1.0)], 50);
    absent(&mut off, 30);
    absent(&mut off, 40);
    assert_eq!(off.gaps(window), [span(30, 50)]);
    absent(&mut off, 95);
    assert_eq!(off.gaps(window), [span(30, 50), span(95, 100)]);
    assert_eq!(
        off.gaps(span(35, 45)),
        [span(35, 45)],
        "a gap that began before the window"
    );
}

/// Goal: a line is never drawn across a gap.
#[test]
fn runs_break_at_gaps() {
    let mut line = series(
        &[(0, 1.0), (10, 2.0), (100, 3.0), (110, 4.0), (130, 5.0)],
        50,
    );
    line.push(Point::absent(120));
    let runs = line.runs(Span::new(0, 200), 1);
    let lengths: Vec<_> = runs.iter().map(Vec::len).collect();
    assert_eq!(lengths, [2, 2, 1]);
}

proptest! {
    /// Goal: decimation loses no peak, invents nothing, keeps order and at most two points a bucket.
    #[test]
    fn decimation_keeps_peaks(
        values in proptest::collection::vec(proptest::option::weighted(0.9, -1e6..1e6f64), 1..400),
        steps in proptest::collection::vec(1..40i64, 400),
        bucket in 1..500i64,
        break_after in 10..60i64,
    ) {
        let mut time = 0;
        let points: Vec<_> = values.iter().zip(steps).map(|(value, step)| {
            time += step;
            value.map_or(Point::absent(time), |value| Point::value(time, value))
        }).collect();
        let runs = decimate(points.iter().copied(), bucket, break_after);
        let drawn: Vec<_> = runs.iter().flatten().copied().collect();
        let measured: Vec<_> = points.iter().filter_map(|p| Some([p.time as f64, p.range?.0])).collect();
        let extreme = |points: &[[f64; 2]]| points.iter().fold((f64::MAX, f64::MIN), |(low, high), [_, y]| (low.min(*y), high.max(*y)));
        prop_assert_eq!(extreme(&drawn), extreme(&measured));
        prop_assert!(drawn.iter().all(|point| measured.contains(point)));
        prop_assert!(drawn.windows(2).all(|pair| pair[0][0] <= pair[1][0]));
        for run in &runs {
            for pair in run.windows(3) {
                let number = |point: [f64; 2]| (point[0] as i64).div_euclid(bucket);
                prop_assert!(number(pair[0]) != number(pair[2]));
            }
            // No step inside a run may be longer than the line reaches, nor hide an absent point.
            let (from, to) = (run[0][0] as i64, run[run.len() - 1][0] as i64);
            let inside: Vec<_> = points.iter().filter(|p| (from..=to).contains(&p.time)).collect();
            prop_assert!(inside.iter().all(|p| p.range.is_some()));
            prop_assert!(inside.windows(2).all(|p| p[1].time - p[0].time <= break_after));
        }
    }

    /// Goal: an axis holds its data, has few lines, all at multiples of one step.
    #[test]
    fn axis_holds_its_data(low in -1e5..1e5f64, room in 0.0..1e5f64) {
        let high = low + room;
        let axis = y_axis(YRange::Data, Some((low, high)));
        prop_assert!(axis.min <= low + 1e-6 && high - 1e-6 <= axis.max, "{axis:?}");
        prop_assert!((2..=4).contains(&axis.ticks.len()), "{axis:?}");
        prop_assert!(axis.min < axis.max);
    }

    /// Goal: time labels are inside the window, apart, and not more than asked for.
    #[test]
    fn time_ticks_are_few(from in 0..2_000_000_000_000i64, length in 1_000..4_000_000_000i64, most in 2..9usize, offset in -720..=840i32) {
        let window = Span::new(from, from + length);
        let ticks = time_ticks(window, most, offset);
        prop_assert!(ticks.len() <= most + 1);
        prop_assert!(ticks.iter().all(|(time, _)| (window.from..=window.to).contains(time)));
        prop_assert!(ticks.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}

#[test]
fn steps_and_axes_by_example() {
    for (least, expected) in [
        (0.3, 0.5),
        (1.0, 1.0),
        (2.1, 2.5),
        (3.0, 5.0),
        (26.0, 50.0),
        (0.0, 1.0),
        (7e-4, 1e-3),
    ] {
        assert!((nice_step(least) - expected).abs() < 1e-12, "{least}");
    }
    let spo2 = y_axis(YRange::Fixed(90.0, 100.0), Some((60.0, 120.0)));
    assert_eq!(
        (spo2.min, spo2.max, spo2.ticks),
        (90.0, 100.0, vec![90.0, 95.0, 100.0])
    );
    let pulse = y_axis(YRange::AtLeast(50.0, 110.0), Some((66.0, 81.0)));
    assert_eq!((pulse.min, pulse.max), (50.0, 125.0));
    let finality = y_axis(YRange::AtLeast(0.0, 500.0), Some((3.0, 9.0)));
    assert_eq!(finality.ticks, [0.0, 200.0, 400.0, 600.0]);
}

/// Goal: labels fit the margin of 40 points, whatever the values.
#[test]
fn tick_labels_are_short() {
    let labels = |high: f64| {
        let axis = y_axis(YRange::AtLeast(0.0, high), None);
        axis.ticks
            .iter()
            .map(|tick| scale::tick_label(*tick, &axis))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        labels(1_500.0),
        ["0", "500", "1\u{202f}000", "1\u{202f}500"]
    );
    assert_eq!(labels(25_000.0), ["0", "10k", "20k", "30k"]);
    assert_eq!(labels(14_000.0), ["0", "5k", "10k", "15k"]);
    assert_eq!(labels(7.4e7), ["0", "25M", "50M", "75M"]);
}

/// Goal: in a panel of any height the line stands where the axis says.
#[test]
fn lines_stand_on_their_axis_in_low_panels() {
    for height in [20.0, 56.0, 144.0] {
        let area = Rect::from_min_size(pos2(40.0, 10.0), vec2(600.0, height));
        let points: Vec<_> = (0..60).map(|second| (second * 1_000, 5.0)).collect();
        let panel = Panel {
            y: YRange::Fixed(0.0, 10.0),
            ..Panel::line("Pulse", "/min", Colour::PULSE, handle(&points, 3_000))
        };
        let spec = PlotSpec {
            panels: vec![panel],
            window: Span::new(0, 60_000),
        };
        let stage = Stage {
            spec,
            areas: vec![area],
            rem: 16.0,
            ..Stage::default()
        };
        let mut harness = Harness::builder()
            .with_size(vec2(660.0, 300.0))
            .with_context_setup(install_fonts)
            .build_ui_state(|ui, stage: &mut Stage| paint(ui, stage), stage);
        harness.run();
        let mut found = 0;
        for clipped in &harness.output().shapes {
            if let egui::Shape::Path(path) = &clipped.shape {
                found += 1;
                let middle = area.center().y;
                assert!(
                    path.points.iter().all(|at| (at.y - middle).abs() < 1.0),
                    "{height}"
                );
            }
        }
        assert_eq!(found, 1);
    }
}

/// Goal: an axis that still fits holds still; one that is far too wide shrinks.
#[test]
fn axes_hold_still() {
    let axis = |low, high| y_axis(YRange::Data, Some((low, high)));
    let shown = axis(0.0, 30.0);
    assert_eq!(settle(Some(&shown), axis(0.0, 21.0)), shown);
    assert_eq!(settle(Some(&shown), axis(0.0, 9.0)), axis(0.0, 9.0));
    assert_eq!(settle(Some(&shown), axis(0.0, 45.0)), axis(0.0, 45.0));
}

#[test]
fn words_for_numbers_and_times() {
    let numbers = [
        (48_213.0, 0, "48\u{202f}213"),
        (-0.04, 1, "0.0"),
        (-1234.5, 1, "−1\u{202f}234.5"),
        (f64::NAN, 0, "–"),
    ];
    for (value, decimals, expected) in numbers {
        assert_eq!(decimal(value, decimals), expected);
    }
    // 2024-02-29 23:59:30 UTC, shown at +01:00.
    let leap = 1_709_251_170_000;
    assert_eq!(scale::time_of_day(leap, 60, true), "00:59:30");
    let days = time_ticks(Span::new(leap - 86_400_000, leap + 2 * 86_400_000), 5, 0);
    let labels: Vec<_> = days.iter().map(|(_, label)| label.as_str()).collect();
    assert_eq!(labels, ["29 Feb", "1 Mar", "2 Mar"]);
    let half_hour = time_ticks(Span::new(0, 1_800_000), 4, 330);
    assert_eq!(half_hour.first().map(|tick| tick.1.as_str()), Some("05:30"));
    for (length, expected) in [
        (30_000, "the last 30 seconds"),
        (1_800_000, "the last 30 minutes"),
        (3_600_000, "the last hour"),
        (86_400_000, "the last 24 hours"),
        (30 * 86_400_000, "the last 30 days"),
    ] {
        assert_eq!(scale::last(Span::new(0, length)), expected);
    }
}

#[test]
fn css_colours() {
    let colour = egui::Color32::from_rgb;
    let cases = [
        ("rgb(38, 107, 208)", Some(colour(38, 107, 208))),
        ("rgb(38 107 208)", Some(colour(38, 107, 208))),
        ("rgba(1, 2, 3, 1)", Some(colour(1, 2, 3))),
        ("color(srgb 1 0 0.2)", Some(colour(255, 0, 51))),
        ("#0b1013", Some(colour(11, 16, 19))),
        ("light-dark(#fff, #000)", None),
        ("#fff", None),
        ("", None),
        ("rgb(1, 2)", None),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_css_colour(text), expected, "{text}");
    }
}

pub(super) fn handle(points: &[(i64, f64)], break_after: i64) -> SeriesHandle {
    let handle = SeriesHandle::new(10_000, break_after);
    for (time, value) in points {
        handle.push(Point::value(*time, *value));
    }
    handle
}

/// A minute of pulse with twenty seconds missing, and SpO₂ with a limit.
pub(super) fn example() -> PlotSpec {
    let seconds = (0..60).filter(|second| !(20..40).contains(second));
    let points: Vec<_> = seconds
        .map(|second| (second * 1000, 70.0 + (second % 7) as f64))
        .collect();
    let limit = Limit {
        value: 90.0,
        label: "alert below 90".into(),
    };
    let spo2 = handle(&[(0, 97.0), (30_000, 96.0), (60_000, 98.0)], 40_000);
    PlotSpec {
        panels: vec![
            Panel {
                limits: vec![limit],
                y: YRange::Fixed(88.0, 100.0),
                simulated: Simulated::All,
                ..Panel::line("SpO₂", "%", Colour::SPO2, spo2)
            },
            Panel::line("Pulse", "/min", Colour::PULSE, handle(&points, 3_000)),
        ],
        window: Span::new(0, 60_000),
    }
}

pub(super) fn harness(spec: PlotSpec, cursor: Option<i64>) -> Harness<'static, Stage> {
    let areas = vec![
        Rect::from_min_size(pos2(40.0, 20.0), vec2(600.0, 100.0)),
        Rect::from_min_size(pos2(40.0, 160.0), vec2(600.0, 100.0)),
    ];
    let stage = Stage {
        spec,
        areas,
        palette: Palette::default(),
        cursor,
        rem: 16.0,
        ..Stage::default()
    };
    let mut harness = Harness::builder()
        .with_size(vec2(660.0, 300.0))
        .with_context_setup(install_fonts)
        .build_ui_state(|ui, stage: &mut Stage| paint(ui, stage), stage);
    harness.run();
    harness
}

fn painted(harness: &Harness<'_, Stage>) -> Vec<(String, egui::Pos2)> {
    texts(&harness.output().shapes)
}

/// Goal: labels, limits, gap lengths and times are on the canvas, inside it, where they belong.
#[test]
fn labels_are_where_they_belong() {
    let harness = harness(example(), None);
    let texts = painted(&harness);
    let find = |wanted: &str| {
        texts
            .iter()
            .find(|(text, _)| text == wanted)
            .map(|(_, at)| *at)
    };
    let limit = find("alert below 90").expect("the limit is named");
    assert!((300.0..640.0).contains(&limit.x) && (20.0..120.0).contains(&limit.y));
    let gap = find("0:21").expect("the gap says its length");
    // 19 s to 40 s of 60 s, on 600 points from 40.
    assert!((230.0..440.0).contains(&gap.x) && gap.y > 160.0, "{gap:?}");
    assert!(find("90").is_some_and(|at| at.x < 40.0));
    assert!(
        texts
            .iter()
            .any(|(text, at)| text == "00:00:30" && at.y > 260.0)
    );
    assert!(
        texts
            .iter()
            .all(|(_, at)| at.x >= 0.0 && at.x < 660.0 && at.y < 300.0)
    );
}

/// Goal: one cursor in all panels, the time said once, no canvas left, no value where none is.
#[test]
fn one_cursor_says_the_time_once() {
    for cursor in [0, 10_000, 30_000, 59_000, 60_000] {
        let harness = harness(example(), Some(cursor));
        let texts = painted(&harness);
        let tags: Vec<_> = texts
            .iter()
            .filter(|(text, _)| text.contains('·'))
            .collect();
        assert_eq!(tags.len(), 1, "{cursor}: {texts:?}");
        assert!(texts.iter().all(|(_, at)| (0.0..660.0).contains(&at.x)));
    }
    let spec = example();
    assert_eq!(readout(&spec.panels[0], 30_000, Some(0)), "00:00:30 · 96 %");
    assert_eq!(readout(&spec.panels[1], 30_000, None), "no data");
}

/// Goal: no line shape enters the gap, and the axis is the one the policy asks for.
#[test]
fn painting_obeys_bounds_and_gaps() {
    let harness = harness(example(), None);
    let axes = harness.state().axes();
    assert_eq!((axes[0].min, axes[0].max), (88.0, 100.0));
    assert!(axes[1].min <= 70.0 && axes[1].max >= 76.0);
    let gap = (40.0 + 190.5)..(40.0 + 399.5);
    let mut lines = 0;
    for clipped in &harness.output().shapes {
        if let egui::Shape::Path(path) = &clipped.shape {
            let inside = path
                .points
                .iter()
                .filter(|at| at.y > 160.0 && gap.contains(&at.x))
                .count();
            assert_eq!(inside, 0);
            lines += 1;
            let crosses = path
                .points
                .windows(2)
                .any(|pair| pair[0].y > 160.0 && pair[0].x <= gap.start && pair[1].x >= gap.end);
            assert!(!crosses);
        }
    }
    assert!(lines >= 3, "one line of SpO₂ and two of pulse, {lines}");
}

/// Goal: two traces share a gap only where both are silent; silence that is normal is no gap.
#[test]
fn gaps_are_shared() {
    let mut spec = example();
    let window = spec.window;
    let panel = &mut spec.panels[1];
    assert_eq!(shared_gaps(panel, window), [Span::new(19_000, 40_000)]);
    let mut other = panel.traces[0].clone();
    other.series = handle(&[(0, 1.0), (25_000, 1.0), (60_000, 1.0)], 30_000);
    panel.traces.push(other);
    assert_eq!(shared_gaps(panel, window), [Span::new(25_000, 40_000)]);
    panel.gaps = false;
    assert_eq!(shared_gaps(panel, window), []);
}

/// Goal: bars, areas, dashes and empty or absurd specs paint without a panic.
#[test]
fn odd_specs_paint() {
    let marks = [
        Mark::Bars(1000),
        Mark::Area,
        Mark::Dashed,
        Mark::Line,
        Mark::Steps,
        Mark::Upper,
        Mark::Lower,
        Mark::Middle,
    ];
    for mark in marks {
        for window in [
            Span::new(0, 60_000),
            Span::new(5, 5),
            Span::new(i64::MIN / 4, i64::MAX / 4),
        ] {
            let mut spec = example();
            spec.window = window;
            spec.panels[1].traces[0].mark = mark;
            spec.panels[0].traces[0].series = SeriesHandle::new(0, 0);
            harness(spec, Some(1));
        }
    }
    harness(PlotSpec::default(), Some(0));
}

#[test]
fn words_beside_the_canvas() {
    let spec = example();
    assert_eq!(
        words::summary(&spec, 0),
        "SpO₂ over the last 60 seconds: 96 to 98 %, alert below 90, simulated. \
         Pulse over the last 60 seconds: 70 to 76 /min, one gap from 00:00:19 to 00:00:40 (0:21)."
    );
    let (head, rows) = words::table(&spec, 13, 0);
    assert_eq!(head, ["Time", "SpO₂, %", "Pulse, /min"]);
    assert_eq!(rows[0], ["00:01:00", "98", "–"]);
    assert!(rows.iter().any(|row| row[0] == "00:00:30" && row[2] == "–"));
}
