//! What was read under a grant: the readings as plots, or what is told of many together; and what the ledger was told.

use fog_api::{DisclosedSpan, DisclosedStream, Disclosure};
use leptos::prelude::*;

use crate::components::time::{local_clock_minutes, local_date};
use crate::plot::{PlotSpec, Plots, Point, SeriesHandle, Simulated, Span};
use crate::profile_plots::{Line, break_after, panels};
use crate::route::Route;
use crate::testids;
use crate::words::number::{short_hash, unit};
use crate::words::proof::WAVE;
use crate::words::requests;

/// Most points of a line.
const POINTS: usize = 100_000;
/// Points that a plot has room for.
const ROOM: i64 = 1_200;

/// The card; nothing until something was read.
#[component]
pub(super) fn Shown(shown: RwSignal<Option<Disclosure>>) -> impl IntoView {
    move || shown.get().map(|shown| view! { <Card shown=shown/> })
}

#[component]
fn Card(shown: Disclosure) -> impl IntoView {
    let readings = shown
        .streams
        .iter()
        .map(|part| part.readings.len())
        .sum::<usize>();
    let spec = spec(&shown);
    let has_any = !spec.panels.is_empty();
    let spec = Signal::stored(spec);
    let receipts = shown.receipts.iter().map(|receipt| {
        let href = Route::Transaction(receipt.transaction.clone()).href();
        view! { <a class="mono" href=href>{short_hash(&receipt.transaction)}</a>" " }
    });
    let missing = shown.not_read.iter().map(|missing| {
        let why = format!(
            "Nothing from {}: {} {}",
            missing.node, missing.why.why, missing.why.next
        );
        view! { <p class="wrap">{why}</p> }
    });
    view! {
        <section class="card" aria-labelledby="h-shown" data-testid=testids::REQUEST_SHOWN data-readings=readings.to_string()>
            <div class="card-head"><h2 id="h-shown">"What you read"</h2><p role="status">{requests::read(&shown)}</p></div>
            <div class="card-body">
                {missing.collect_view()}
                {has_any.then(|| view! { <Plots spec=spec/> })}
                {(!shown.spans.is_empty()).then(|| view! { <Spans spans=shown.spans.clone()/> })}
                <p class="soft">"Told to the ledger: "{receipts.collect_view()}</p>
            </div>
        </section>
    }
}

/// From the first reading to the last: what was granted may be much longer than what there is of it.
fn window(shown: &Disclosure) -> Span {
    let readings = shown.streams.iter().flat_map(|part| &part.readings);
    let times = readings.map(|reading| reading.taken);
    match (times.clone().min(), times.max()) {
        (Some(first), Some(last)) if first < last => Span::new(first, last),
        _ => Span::new(shown.from, shown.until),
    }
}

/// The plots of what was read; waves are not drawn here.
fn spec(shown: &Disclosure) -> PlotSpec {
    let window = window(shown);
    let mut lines: Vec<Line> = Vec::new();
    let mut is_simulated = false;
    for part in shown.streams.iter().filter(|part| part.code != WAVE.0) {
        if lines.iter().any(|line| line.code == part.code) {
            continue;
        }
        let same = shown.streams.iter().filter(|other| other.code == part.code);
        let mut points: Vec<Point> = same.flat_map(points_of).collect();
        points.sort_by_key(|point| point.time);
        is_simulated |= part.readings.iter().any(|reading| reading.simulated);
        let gap = break_after(&part.code, window.length(), ROOM, 0.0);
        let series = SeriesHandle::new(POINTS, gap);
        series.replace(points);
        lines.push(Line {
            code: part.code.clone(),
            title: part.label.clone(),
            unit: unit(&part.unit).to_owned(),
            series,
        });
    }
    let mut panels = panels(&lines, false);
    for panel in &mut panels {
        if is_simulated {
            panel.simulated = Simulated::All;
        }
    }
    PlotSpec { panels, window }
}

fn points_of(part: &DisclosedStream) -> impl Iterator<Item = Point> {
    part.readings.iter().map(|reading| {
        let time = reading.taken;
        reading
            .value
            .map_or_else(|| Point::absent(time), |value| Point::value(time, value))
    })
}

#[component]
pub(super) fn Spans(spans: Vec<DisclosedSpan>) -> impl IntoView {
    let number =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1}"));
    let row = |span: DisclosedSpan| {
        let from = format!(
            "{}, {}",
            local_clock_minutes(span.from),
            local_date(span.from)
        );
        let name = match span.simulated {
            true => format!("{}, simulated", span.label),
            false => span.label,
        };
        view! {
            <tr>
                <th scope="row">{from}</th><td>{name}</td>
                <td class="num">{span.count}</td>
                <td class="num">{number(span.min)}</td><td class="num">{number(span.mean)}</td><td class="num">{number(span.max)}</td>
                <td>{unit(&span.unit).to_owned()}</td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label="Statistics">
            <table class="tbl">
                <thead><tr>
                    <th scope="col">"From"</th><th scope="col">"Metric"</th><th scope="col" class="num">"Values"</th>
                    <th scope="col" class="num">"Lowest"</th><th scope="col" class="num">"Mean"</th><th scope="col" class="num">"Highest"</th>
                    <th scope="col">"Unit"</th>
                </tr></thead>
                <tbody>{spans.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}
