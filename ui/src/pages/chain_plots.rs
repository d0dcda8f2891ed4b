//! Plots of the chain: time to finality against what was agreed, block interval, transactions and
//! readings a second.

use fog_api::FinalitySeries;
use leptos::prelude::*;

use crate::pages::period::{Asked, Period, PeriodCard};
use crate::plot::{Colour, Limit, Mark, Panel, PlotSpec, Point, SeriesHandle, Span, Trace, YRange};
use crate::testids;
use crate::transport;
use crate::words::chain;

const PERIODS: &[Period] = &[Period::FIVE_MINUTES, Period::HALF_AN_HOUR, Period::DAY];

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
    let asked = Asked::new(PERIODS, |minutes| async move {
        let path = format!("/api/finality?minutes={minutes}");
        Ok((minutes, transport::get::<FinalitySeries>(&path).await?))
    });
    let spec = Signal::derive(move || {
        asked
            .answer
            .with(|answer| answer.as_ref().map(spec).unwrap_or_else(empty))
    });
    let beside = Signal::derive(move || {
        let beside = |(_, series): &(u32, FinalitySeries)| chain::limit_in(series).1;
        asked
            .answer
            .with(|answer| answer.as_ref().map(beside).unwrap_or_default())
    });
    view! {
        <PeriodCard heading="Time to finality" id="h-fin" testid=testids::CHAIN_PLOTS beside=beside asked=asked spec=spec/>
    }
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
    let (drawn, _) = chain::limit_in(series);
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
