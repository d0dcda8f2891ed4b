//! Plots of the chain: time to finality against what was agreed, block interval, transactions and
//! readings a second.

use fog_api::FinalitySeries;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::Segments;
use crate::failure::Failure;
use crate::live::{after, use_live};
use crate::plot::{
    Colour, Limit, Mark, Panel, PlotSpec, Plots, Point, SeriesHandle, Span, Trace, YRange,
};
use crate::testids;
use crate::transport;
use crate::words::chain;

/// Period keys, labels, minutes and how often they are asked for again, in milliseconds.
const PERIODS: [(&str, &str, u32, u64); 3] = [
    ("5m", "5 min", 5, 2_000),
    ("30m", "30 min", 30, 6_000),
    ("24h", "24 h", 1_440, 60_000),
];

/// What the plots are made of, filled by each answer.
#[derive(Clone)]
struct Store {
    p99: SeriesHandle,
    median: SeriesHandle,
    interval: SeriesHandle,
    transactions: SeriesHandle,
    readings: SeriesHandle,
}

/// The card with the plots.
#[component]
pub fn ChainPlots() -> impl IntoView {
    let live = use_live();
    let period = RwSignal::new("30m");
    let answer = RwSignal::new(None::<(u32, FinalitySeries)>);
    let failure = RwSignal::new(None::<Failure>);
    let turn = RwSignal::new(0_u32);
    Effect::new(move || {
        let key = period.get();
        let turn_now = turn.get();
        live.epoch.track();
        let Some((_, _, minutes, pause)) = PERIODS.into_iter().find(|(known, ..)| *known == key)
        else {
            return;
        };
        spawn_local(async move {
            let series =
                transport::get::<FinalitySeries>(&format!("/api/finality?minutes={minutes}")).await;
            // The page may be gone, or another period chosen meanwhile.
            if period.try_get_untracked() != Some(key) {
                return;
            }
            match series {
                Ok(series) => {
                    answer.set(Some((minutes, series)));
                    failure.set(None);
                }
                Err(error) => failure.set(Some(error)),
            }
            after(pause, move || {
                if turn.try_get_untracked() == Some(turn_now) {
                    turn.try_update(|turn| *turn = turn.wrapping_add(1));
                }
            });
        });
    });
    let spec = Signal::derive(move || {
        answer.with(|answer| answer.as_ref().map(spec).unwrap_or_else(empty))
    });
    let beside = move || {
        failure
            .with(|failure| failure.as_ref().map(|failure| failure.words().what))
            .unwrap_or_else(|| {
                answer.with(|answer| {
                    answer
                        .as_ref()
                        .map(|(_, series)| chain::limit(series.limit_ms, highest(series)).1)
                        .unwrap_or_default()
                })
            })
    };
    let options = PERIODS
        .into_iter()
        .map(|(key, label, ..)| (key, label, None))
        .collect();
    view! {
        <section class="card" aria-labelledby="h-fin">
            <div class="card-head">
                <h2 id="h-fin">"Time to finality"</h2>
                <p>{beside}</p>
                <div class="push"><Segments name="chain-period" legend="Period" options=options value=period testid=testids::PERIOD/></div>
            </div>
            <div class="card-body"><Plots spec=spec/></div>
        </section>
    }
}

fn highest(series: &FinalitySeries) -> Option<f64> {
    series
        .points
        .iter()
        .filter_map(|point| point.p99_ms)
        .reduce(f64::max)
}

fn empty() -> PlotSpec {
    let now = crate::live::here_now();
    let series = FinalitySeries {
        bucket_ms: 6_000,
        limit_ms: 0,
        points: Vec::new(),
    };
    PlotSpec {
        window: Span::new(now - 1_800_000, now),
        ..spec(&(30, series))
    }
}

fn store(series: &FinalitySeries) -> Store {
    let bucket = i64::from(series.bucket_ms.max(1));
    let handle = || SeriesHandle::new(2_000, bucket * 5 / 2);
    let store = Store {
        p99: handle(),
        median: handle(),
        interval: handle(),
        transactions: handle(),
        readings: handle(),
    };
    let rate = |count: f64| count * 1_000.0 / bucket as f64;
    let newest = series.points.last().map(|point| point.time);
    for point in &series.points {
        let middle = point.time + bucket / 2;
        let value = |value: Option<f64>| value.map(|value| Point::value(middle, value));
        for (handle, value) in [
            (&store.p99, point.p99_ms),
            (&store.median, point.p50_ms),
            (&store.interval, point.interval_ms),
        ]
        .map(|(handle, of)| (handle, value(of)))
        {
            value.into_iter().for_each(|point| handle.push(point));
        }
        // The newest bucket is not full yet: its rate would look like a drop.
        if newest != Some(point.time) {
            store.transactions.push(Point::value(
                point.time,
                rate(f64::from(point.transactions)),
            ));
            store
                .readings
                .push(Point::value(point.time, rate(point.readings as f64)));
        }
    }
    store
}

fn spec((minutes, series): &(u32, FinalitySeries)) -> PlotSpec {
    let store = store(series);
    let bucket = i64::from(series.bucket_ms.max(1));
    let (drawn, _) = chain::limit(series.limit_ms, highest(series));
    let limit = Limit {
        value: f64::from(series.limit_ms),
        label: format!("agreed limit {} ms", series.limit_ms),
    };
    let panel = |title: &str, unit: &str, colour, mark, series| Panel {
        height_rem: 3.5,
        gaps: false,
        y: YRange::AtLeast(0.0, 0.0),
        traces: vec![Trace {
            name: title.to_owned(),
            colour,
            mark,
            series,
        }],
        decimals: 1,
        ..Panel::line(title, unit, colour, SeriesHandle::new(1, 1))
    };
    let mut finality = panel("p99", "ms", Colour::FINALITY, Mark::Line, store.p99);
    finality.title = "Time to finality".to_owned();
    finality.height_rem = 9.0;
    finality.traces.push(Trace {
        name: "median".to_owned(),
        colour: Colour::MEDIAN,
        mark: Mark::Line,
        series: store.median,
    });
    finality.limits = if drawn && series.limit_ms > 0 {
        vec![limit]
    } else {
        Vec::new()
    };
    let now = crate::live::here_now();
    PlotSpec {
        panels: vec![
            finality,
            panel(
                "Block interval",
                "ms",
                Colour::COUNT,
                Mark::Line,
                store.interval,
            ),
            panel(
                "Transactions",
                "/s",
                Colour::COUNT,
                Mark::Bars(bucket),
                store.transactions,
            ),
            panel(
                "Readings",
                "/s",
                Colour::COUNT,
                Mark::Bars(bucket),
                store.readings,
            ),
        ],
        window: Span::new(now - i64::from(*minutes) * 60_000, now),
    }
}
