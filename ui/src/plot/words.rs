//! Plots in words and rows: what a screen reader says of a canvas, and the table beside it.

use super::paint::{figures, shared_gaps};
use super::scale::{self, time_of_day};
use super::series::{Millis, Span};
use super::spec::{Panel, PlotSpec, Simulated};
use crate::words::number;

/// A sentence a panel: its range over the window and its exceptions.
#[must_use]
pub fn summary(spec: &PlotSpec, offset_minutes: i32) -> String {
    let sentences: Vec<_> = spec
        .panels
        .iter()
        .map(|panel| sentence(panel, spec.window, offset_minutes))
        .collect();
    sentences.join(" ")
}

fn sentence(panel: &Panel, window: Span, offset_minutes: i32) -> String {
    let ranges: Vec<_> = panel
        .traces
        .iter()
        .map(|trace| {
            let extent = trace.series.read().extent(window);
            let range = extent.map_or("no data".to_owned(), |(low, high)| {
                let unit = if panel.unit.is_empty() {
                    String::new()
                } else {
                    format!(" {}", panel.unit)
                };
                format!("{}{unit}", figures(low, high, panel.decimals))
            });
            if panel.traces.len() == 1 && !panel.is_titled {
                range
            } else {
                format!("{} {range}", trace.name)
            }
        })
        .collect();
    let mut text = format!(
        "{} over {}: {}",
        panel.title,
        scale::last(window),
        ranges.join(", ")
    );
    let gaps = shared_gaps(panel, window);
    if let Some(gap) = gaps.iter().max_by_key(|gap| gap.length()) {
        let count = if gaps.len() == 1 {
            "one gap".to_owned()
        } else {
            format!("{} gaps, the longest", gaps.len())
        };
        let (from, to) = (
            time_of_day(gap.from, offset_minutes, true),
            time_of_day(gap.to, offset_minutes, true),
        );
        text.push_str(&format!(
            ", {count} from {from} to {to} ({})",
            number::span(gap.length())
        ));
    }
    for limit in &panel.limits {
        text.push_str(&format!(", {}", limit.label));
    }
    if panel.simulated != Simulated::No {
        text.push_str(", simulated");
    }
    text.push('.');
    text
}

/// The data as a table of at most `rows` rows, newest first: the head, then a time and a cell a trace.
#[must_use]
pub fn table(spec: &PlotSpec, rows: usize, offset_minutes: i32) -> (Vec<String>, Vec<Vec<String>>) {
    let traces: Vec<_> = spec
        .panels
        .iter()
        .flat_map(|panel| panel.traces.iter().map(move |trace| (panel, trace)))
        .collect();
    let mut head = vec!["Time".to_owned()];
    head.extend(traces.iter().map(|(panel, trace)| {
        let name = if panel.is_titled {
            format!("{}: {}", panel.title, trace.name)
        } else {
            trace.name.clone()
        };
        match panel.unit.as_str() {
            "" => name,
            unit => format!("{name}, {unit}"),
        }
    }));
    let step = row_step(spec.window.length(), rows);
    let newest = spec.window.to.div_euclid(step);
    let body = (0..rows as Millis)
        .map(|row| Span::new((newest - row) * step, (newest - row + 1) * step - 1))
        .take_while(|span| span.to >= spec.window.from)
        .map(|span| {
            let cells = traces.iter().map(|(panel, trace)| {
                let extent = trace.series.read().extent(span);
                extent.map_or("–".to_owned(), |(low, high)| {
                    figures(low, high, panel.decimals)
                })
            });
            let time = time_of_day(span.from, offset_minutes, step < 60_000);
            std::iter::once(time).chain(cells).collect()
        })
        .collect();
    (head, body)
}

/// A round length of time that covers `length_millis` in at most `rows` steps.
fn row_step(length_millis: Millis, rows: usize) -> Millis {
    const STEPS: [Millis; 12] = [
        1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
        3_600_000, 7_200_000,
    ];
    let least = length_millis / Millis::try_from(rows.max(2) - 1).unwrap_or(1) + 1;
    STEPS
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(least)
}
