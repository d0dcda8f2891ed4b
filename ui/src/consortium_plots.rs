//! What the plots of the consortium hold: time to finality, blocks signed by each validator, what waits for
//! a block, the way to each peer. Plain data from the node's two answers; the page paints it.

use std::collections::BTreeMap;

use fog_api::{ConsortiumSeries, FinalitySeries, NodeSeries};

use crate::plot::{Colour, Limit, Mark, Panel, PlotSpec, Point, SeriesHandle, Span, Trace, YRange};
use crate::words::chain;

/// Most nodes in a panel; more could not be told apart.
const MAX_NODES: usize = 16;
/// From this place on a line is dashed as well.
const DASHED_FROM: usize = 4;
/// Kilobytes are thousands of bytes, as everywhere.
const KILOBYTE: f64 = 1_000.0;

/// Both answers for the last `minutes`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// How far back they go.
    pub minutes: u32,
    /// Time to finality.
    pub finality: FinalitySeries,
    /// All else.
    pub consortium: ConsortiumSeries,
}

/// The plots for the stretch of time that ends at `now`.
#[must_use]
pub fn spec(answer: &Answer, now: i64) -> PlotSpec {
    let series = &answer.consortium;
    let places = places(series);
    let mut panels = vec![finality(&answer.finality)];
    if !series.votes.is_empty() {
        panels.push(Panel {
            y: YRange::AtLeast(0.0, 100.0),
            ..nodes("Blocks signed", "%", &series.votes, 100.0, series, &places)
        });
    }
    panels.push(waiting(
        "Transactions waiting",
        "",
        Colour::COUNT,
        series,
        &series.waiting_transactions,
        1.0,
    ));
    panels.push(waiting(
        "Bytes waiting",
        "kB",
        Colour::COUNT,
        series,
        &series.waiting_bytes,
        1.0 / KILOBYTE,
    ));
    if !series.delays.is_empty() {
        panels.push(Panel {
            decimals: 1,
            ..nodes("Way to a peer", "ms", &series.delays, 1.0, series, &places)
        });
    }
    PlotSpec {
        panels,
        window: Span::new(now - i64::from(answer.minutes) * 60_000, now),
    }
}

/// A node keeps its colour in all panels.
fn places(series: &ConsortiumSeries) -> BTreeMap<(&str, &str), usize> {
    let all = series.votes.iter().chain(&series.delays);
    let mut names: Vec<_> = all.map(name).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().zip(0..).collect()
}

fn name(node: &NodeSeries) -> (&str, &str) {
    (&node.name, &node.vote_key)
}

fn low(title: &str, unit: &str) -> Panel {
    Panel {
        height_rem: 4.0,
        gaps: false,
        // Never flat at zero, however little there is.
        y: YRange::AtLeast(0.0, 3.0),
        traces: Vec::new(),
        ..Panel::line(title, unit, Colour::COUNT, SeriesHandle::new(1, 1))
    }
}

fn finality(series: &FinalitySeries) -> Panel {
    let bucket = i64::from(series.bucket_ms.max(1));
    let trace = |name: &str, colour, value: fn(&fog_api::FinalityPoint) -> Option<f64>| {
        let points = series.points.iter().filter_map(|point| {
            value(point).map(|value| Point::value(point.time + bucket / 2, value))
        });
        let handle = SeriesHandle::new(series.points.len(), bucket * 5 / 2);
        handle.replace(points);
        Trace {
            name: name.to_owned(),
            colour,
            mark: Mark::Line,
            series: handle,
        }
    };
    let (is_near, _) = chain::limit_in(series);
    let limit = Limit {
        value: f64::from(series.limit_ms),
        label: format!("agreed limit {} ms", series.limit_ms),
    };
    Panel {
        height_rem: 6.0,
        is_titled: true,
        traces: vec![
            trace("99 of 100", Colour::FINALITY, |point| point.p99_ms),
            trace("median", Colour::MEDIAN, |point| point.p50_ms),
        ],
        limits: (is_near && series.limit_ms > 0)
            .then_some(limit)
            .into_iter()
            .collect(),
        ..low("Time to finality", "ms")
    }
}

fn nodes(
    title: &str,
    unit: &str,
    of: &[NodeSeries],
    scale: f64,
    series: &ConsortiumSeries,
    places: &BTreeMap<(&str, &str), usize>,
) -> Panel {
    let trace = |node: &NodeSeries| {
        let place = places.get(&name(node)).copied().unwrap_or_default();
        Trace {
            name: node.name.clone(),
            colour: Colour::of_place(place),
            mark: if place < DASHED_FROM {
                Mark::Line
            } else {
                Mark::Dashed
            },
            series: handle(series, &node.values, scale, true),
        }
    };
    Panel {
        is_titled: true,
        traces: of.iter().take(MAX_NODES).map(trace).collect(),
        ..low(title, unit)
    }
}

fn waiting(
    title: &str,
    unit: &str,
    colour: Colour,
    series: &ConsortiumSeries,
    values: &[Option<u64>],
    scale: f64,
) -> Panel {
    let values: Vec<_> = values
        .iter()
        .map(|value| value.map(|value| value as f64))
        .collect();
    Panel {
        height_rem: 3.0,
        decimals: usize::from(!unit.is_empty()),
        traces: vec![Trace {
            name: title.to_owned(),
            colour,
            mark: Mark::Bars(i64::from(series.bucket_ms.max(1))),
            series: handle(series, &values, scale, false),
        }],
        ..low(title, unit)
    }
}

/// The values at the beginning of their stretches, as bars want them, or in the middle, as lines do.
fn handle(
    series: &ConsortiumSeries,
    values: &[Option<f64>],
    scale: f64,
    is_line: bool,
) -> SeriesHandle {
    let bucket = i64::from(series.bucket_ms.max(1));
    let first = i64::try_from(series.start).unwrap_or(i64::MAX / 2);
    let first = if is_line { first + bucket / 2 } else { first };
    let points = (0..).zip(values).filter_map(|(place, value)| {
        value.map(|value| Point::value(first + place * bucket, value * scale))
    });
    let handle = SeriesHandle::new(values.len(), bucket * 5 / 2);
    handle.replace(points);
    handle
}

#[cfg(test)]
mod tests {
    //! Goal: each panel holds what the node said, in place and in unit, and a node keeps its colour.
    //! Method: answers made up.

    use super::*;

    fn node(name: &str, values: &[Option<f64>]) -> NodeSeries {
        NodeSeries {
            name: name.to_owned(),
            vote_key: format!("key of {name}"),
            values: values.to_vec(),
        }
    }

    fn answer() -> Answer {
        Answer {
            minutes: 30,
            finality: FinalitySeries {
                bucket_ms: 6_000,
                limit_ms: 500,
                points: vec![fog_api::FinalityPoint {
                    time: 60_000,
                    p50_ms: Some(4.0),
                    p99_ms: Some(9.0),
                    interval_ms: None,
                    blocks: 1,
                    transactions: 1,
                    readings: 1,
                }],
            },
            consortium: ConsortiumSeries {
                start: 60_000,
                bucket_ms: 6_000,
                waiting_transactions: vec![None, Some(7)],
                waiting_bytes: vec![None, Some(1_750)],
                votes: vec![
                    node("ash", &[Some(1.0), Some(0.5)]),
                    node("elm", &[None, Some(1.0)]),
                ],
                delays: vec![node("elm", &[Some(2.5), None])],
            },
        }
    }

    #[test]
    fn each_panel_holds_what_the_node_said() {
        let spec = spec(&answer(), 1_860_000);
        assert_eq!(spec.window, Span::new(60_000, 1_860_000));
        let titles: Vec<_> = spec
            .panels
            .iter()
            .map(|panel| panel.title.as_str())
            .collect();
        let expected = [
            "Time to finality",
            "Blocks signed",
            "Transactions waiting",
            "Bytes waiting",
            "Way to a peer",
        ];
        assert_eq!(titles, expected);
        let latest = |panel: usize, trace: usize| {
            let point = spec.panels[panel].traces[trace].series.read().latest();
            point.map(|point| (point.time, point.range.map(|(low, _)| low)))
        };
        assert_eq!(latest(0, 1), Some((63_000, Some(4.0))));
        assert_eq!(latest(1, 0), Some((69_000, Some(50.0))));
        assert_eq!(latest(2, 0), Some((66_000, Some(7.0))));
        assert_eq!(latest(3, 0), Some((66_000, Some(1.75))));
        assert_eq!(latest(4, 0), Some((63_000, Some(2.5))));
        let elm = &spec.panels[1].traces[1];
        assert_eq!(
            (elm.name.as_str(), elm.colour),
            ("elm", spec.panels[4].traces[0].colour)
        );
        assert_ne!(elm.colour, spec.panels[1].traces[0].colour);
        assert!(
            spec.panels[0].limits.is_empty(),
            "far from the limit it is not drawn"
        );
    }

    #[test]
    fn alone_there_is_no_way_to_a_peer() {
        let mut alone = answer();
        alone.consortium.delays.clear();
        alone.consortium.votes.clear();
        assert_eq!(spec(&alone, 0).panels.len(), 3);
        assert_eq!(spec(&Answer::default(), 0).panels.len(), 3);
    }
}
