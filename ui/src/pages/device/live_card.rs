//! The big numbers, the wave, and the numbers' past on linked plots.

use fog_api::{History, ReadingRow, Vital};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::wave::Wave;
use crate::components::{Segments, VitalTile};
use crate::live::{DeviceEntry, use_live};
use crate::plot::{PlotSpec, Plots, Point, SeriesHandle, Span};
use crate::profile_plots::{Line, break_after, is_episodic, panels, points};
use crate::route::escape;
use crate::testids;
use crate::words::device;
use crate::words::number::{capital, unit};

/// Points asked for a plot.
const POINTS: i64 = 1_200;
/// Single readings asked for, of what is measured now and then.
const EPISODES: u32 = 1_000;
/// How soon a new one of these is asked for, in milliseconds.
const EPISODE_PACE_MILLIS: i64 = 5_000;

/// The numbers, the wave, and the past of the numbers.
#[component]
pub fn LiveCard(
    /// The device.
    entry: DeviceEntry,
) -> impl IntoView {
    let simulated = entry.facts.with_untracked(|facts| facts.simulated);
    let waves = entry.facts.with_untracked(|facts| facts.waves.clone());
    let chosen = RwSignal::new("5min");
    let codes = codes_of(entry);
    let lines = Memo::new_with_compare(
        move |_| make_lines(entry, &codes.get(), period(chosen.get()).0),
        |_, _| true,
    );
    let version = RwSignal::new(0_u32);
    show_episodes(codes, chosen);
    view! {
        <section class="card" class:is-simulated=simulated aria-labelledby="h-live">
            <h2 class="vh" id="h-live">"Live"</h2>
            <Vitals entry=entry codes=codes lines=lines version=version chosen=chosen/>
            {(!waves.is_empty()).then(|| view! { <Wave entry=entry/> })}
            <Trends entry=entry lines=lines version=version chosen=chosen/>
        </section>
    }
}

/// What is measured now and then is seen in a day, not in five minutes; asked once, when it is known what the
/// device measures.
fn show_episodes(codes: Memo<Vec<String>>, chosen: RwSignal<&'static str>) {
    let is_known = StoredValue::new(false);
    Effect::new(move || {
        let (any, all) = codes.with(|codes| {
            (
                !codes.is_empty(),
                codes.iter().all(|code| is_episodic(code)),
            )
        });
        if any
            && is_known.try_update_value(|known| std::mem::replace(known, true)) == Some(false)
            && all
        {
            chosen.set("24h");
        }
    });
}

#[component]
fn Vitals(
    entry: DeviceEntry,
    codes: Memo<Vec<String>>,
    lines: Memo<Vec<Line>>,
    version: RwSignal<u32>,
    chosen: RwSignal<&'static str>,
) -> impl IntoView {
    let live = use_live();
    let now = Signal::derive(move || entry.is_now(live));
    let vital_of = move |code: String| -> Signal<Option<Vital>> {
        Signal::derive(move || {
            entry
                .vitals
                .with(|vitals| vitals.iter().find(|vital| vital.code == code).cloned())
        })
    };
    let below = move |code: String| {
        let vital = vital_of(code.clone());
        Signal::derive(move || {
            version.track();
            let quality = vital.with(|vital| vital.as_ref().map(|vital| vital.quality));
            let (span, name) = period(chosen.get());
            let newest = vital.with(|vital| vital.as_ref().map_or(0, |vital| vital.time));
            let extent = lines.with(|lines| {
                let line = lines.iter().find(|line| line.code == code)?;
                line.series.read().extent(Span::new(newest - span, newest))
            });
            device::below(quality, extent, name)
        })
    };
    view! {
        <div class="vitals">
            <For each=move || codes.get() key=Clone::clone let:code>
                <VitalTile code=code.clone() vital=vital_of(code.clone()) now=now below=below(code)/>
            </For>
            <div class="vital" hidden=move || codes.with(|codes| !codes.is_empty())>
                <h3>"No value yet"</h3><b>"–"</b><span class="dim small">"waiting for the first reading"</span>
            </div>
        </div>
    }
}

/// The codes of a device's metrics; changes only when a metric appears.
fn codes_of(entry: DeviceEntry) -> Memo<Vec<String>> {
    Memo::new(move |_| {
        entry
            .vitals
            .with(|vitals| vitals.iter().map(|vital| vital.code.clone()).collect())
    })
}

fn period(key: &str) -> (i64, &'static str) {
    match key {
        "1h" => (3_600_000, "last hour"),
        "8h" => (8 * 3_600_000, "last 8 hours"),
        "24h" => (24 * 3_600_000, "last 24 hours"),
        _ => (300_000, "last 5 minutes"),
    }
}

#[component]
fn Trends(
    entry: DeviceEntry,
    lines: Memo<Vec<Line>>,
    version: RwSignal<u32>,
    chosen: RwSignal<&'static str>,
) -> impl IntoView {
    let live = use_live();
    let bump = move || {
        // The page may be gone by now.
        version.try_update(|version| *version = version.wrapping_add(1));
    };
    // Only the record says when a stored measurement was made.
    let newest_episode = Memo::new(move |_| {
        let newest = entry.vitals.with(|vitals| {
            let episodes = vitals.iter().filter(|vital| is_episodic(&vital.code));
            episodes.map(|vital| vital.time).max()
        });
        newest.map(|newest| newest.div_euclid(EPISODE_PACE_MILLIS))
    });
    // The node's own record fills the lines; long periods are asked for again each minute.
    let minutes = Memo::new(move |_| live.now.get().div_euclid(60_000));
    Effect::new(move || {
        let lines = lines.get();
        live.epoch.track();
        newest_episode.get();
        let span = period(chosen.get()).0;
        if span > 300_000 {
            minutes.get();
        }
        let id = entry.facts.with_untracked(|facts| escape(&facts.id));
        let now = live.now.get_untracked();
        spawn_local(async move {
            for line in lines {
                fill(&line, &id, now - span, now).await;
            }
            bump();
        });
    });
    Effect::new(move || {
        entry.vitals.with(|vitals| {
            for line in lines.get_untracked() {
                let vital = vitals.iter().find(|vital| vital.code == line.code);
                if let Some(vital) = vital.filter(|_| !is_episodic(&line.code)) {
                    line.series.push(point_of(vital));
                }
            }
        });
        bump();
    });
    let simulated = entry.facts.with_untracked(|facts| facts.simulated);
    let spec = Signal::derive(move || {
        version.track();
        let span = period(chosen.get()).0;
        let newest = entry
            .vitals
            .with_untracked(|vitals| vitals.iter().map(|vital| vital.time).max());
        // The window ends now; a clock that is a little behind must not cut the newest value off.
        let to = live.now.get().max(newest.unwrap_or(0));
        PlotSpec {
            panels: lines.with(|lines| panels(lines, simulated)),
            window: Span::new(to - span, to),
        }
    });
    let options = vec![
        ("5min", "5 min", None),
        ("1h", "1 h", None),
        ("8h", "8 h", None),
        ("24h", "24 h", None),
    ];
    view! {
        <hr class="rule"/>
        <div class="card-head">
            <h3>{move || capital(period(chosen.get()).1)}</h3><p>"one cursor for all; a gap stays a gap"</p>
            <div class="push"><Segments name="period" legend="Period" options=options value=chosen testid=testids::PERIOD/></div>
        </div>
        <div class="card-body"><Plots spec=spec/></div>
    }
}

fn make_lines(entry: DeviceEntry, codes: &[String], span: i64) -> Vec<Line> {
    let (rate, waves) = entry
        .facts
        .with_untracked(|facts| (facts.readings_per_second, facts.waves.len()));
    // Of one metric: all come at the same pace, waves once a second among them.
    let rate = rate / (codes.len() + waves).max(1) as f64;
    entry.vitals.with_untracked(|vitals| {
        codes
            .iter()
            .filter_map(|code| vitals.iter().find(|vital| vital.code == *code))
            .map(|vital| Line {
                code: vital.code.clone(),
                title: vital.label.clone(),
                unit: unit(&vital.unit).to_owned(),
                series: SeriesHandle::new(8_000, break_after(&vital.code, span, POINTS, rate)),
            })
            .collect()
    })
}

/// Fills a line with what the node kept. Without an answer it begins with what arrives from now on.
async fn fill(line: &Line, id: &str, from: i64, to: i64) {
    let code = escape(&line.code);
    if is_episodic(&line.code) {
        let path = format!("/api/readings?device={id}&metric={code}&limit={EPISODES}");
        if let Ok(readings) = crate::transport::get::<Vec<ReadingRow>>(&path).await {
            line.series.replace(points(&readings));
        }
        return;
    }
    let path =
        format!("/api/devices/{id}/history?metric={code}&from={from}&to={to}&points={POINTS}");
    let Ok(history) = crate::transport::get::<History>(&path).await else {
        return;
    };
    let newer: Vec<Point> = line.series.read().inside(Span::new(to, i64::MAX)).collect();
    let kept = history.points.iter().map(|point| Point {
        time: point.time,
        range: point.min.zip(point.max),
    });
    line.series.replace(kept.chain(newer));
}

fn point_of(vital: &Vital) -> Point {
    let value = vital
        .value
        .as_ref()
        .and_then(|value| value.parse::<f64>().ok());
    value.map_or_else(
        || Point::absent(vital.time),
        |value| Point::value(vital.time, value),
    )
}
