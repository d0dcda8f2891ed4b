//! One bed: its name, its state, its figures and its last hour.

use fog_api::{History, Vital};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{condition, entries, name};
use crate::components::StateMark;
use crate::live::{DeviceEntry, Live, use_live};
use crate::oxygen;
use crate::plot::Colour;
use crate::route::escape;
use crate::spark::{BUCKETS, Spark};
use crate::testids;
use crate::words::device::usual_range;
use crate::words::wall::{self, Bed, Figure};

/// A bucket of a bed's line in milliseconds: 60 of them are an hour.
const BUCKET_MILLIS: i64 = 60_000;

/// The tile.
#[component]
pub fn Tile(
    /// The bed and its devices.
    bed: Bed,
    /// Whether beds of several wards are shown.
    is_many: Memo<bool>,
) -> impl IntoView {
    let live = use_live();
    let bed = StoredValue::new(bed);
    let state = Memo::new(move |_| bed.with_value(|bed| condition(live, bed)));
    let hatched = Memo::new(move |_| {
        let is_simulated = |entry: DeviceEntry| entry.facts.with(|facts| facts.simulated);
        bed.with_value(|bed| entries(live, bed).any(is_simulated))
    });
    let vitals = move || {
        let mut all = Vec::new();
        for entry in bed.with_value(|bed| entries(live, bed).collect::<Vec<_>>()) {
            let is_now = entry.is_now(live);
            entry
                .vitals
                .with(|vitals| all.extend(vitals.iter().map(|vital| (vital.clone(), is_now))));
        }
        all
    };
    let figures = Memo::new(move |_| wall::figures(&vitals()));
    let big = move || figures.with(|figures| figures.iter().take(2).cloned().collect::<Vec<_>>());
    let more = move || {
        let rest = figures.with(|figures| figures.iter().skip(2).cloned().collect::<Vec<_>>());
        (!rest.is_empty()).then(|| view! {
            <p class="bed-more">{rest.into_iter().map(|figure| view! {
                <span data-testid=testids::WALL_FIGURE data-code=figure.code.clone() data-value=figure.text.clone()>{figure.label.clone()}" "<b>{figure.text.clone()}</b></span>
            }).collect_view()}</p>
        })
    };
    view! {
        <li class="bed" class:hatch=hatched data-state=move || state.with(|state| state.0.key()) data-testid=testids::WALL_BED
            data-bed=bed.with_value(|bed| bed.place.bed.clone())>
            <h2><span class="vh">"Bed "</span><bdi>{move || bed.with_value(|bed| name(bed, is_many.get()))}</bdi></h2>
            <StateMark state=Signal::derive(move || state.with(|state| state.0)) word=Signal::derive(move || state.get().1)/>
            <dl>{move || match big() {
                none if none.is_empty() => view! { <Big label="No value yet".to_owned() figure=None/> }.into_any(),
                some => some.into_iter().map(|figure| view! {
                    <Big label=figure.label.clone() figure=Some(figure)/>
                }).collect_view().into_any(),
            }}</dl>
            {more}
            <Line bed=bed figures=figures/>
        </li>
    }
}

/// A figure to be read from afar, no larger than its place holds.
#[component]
fn Big(label: String, figure: Option<Figure>) -> impl IntoView {
    let (code, text) = figure.map_or_else(
        || (String::new(), "–".to_owned()),
        |figure| (figure.code, figure.text),
    );
    let size = format!("--n:{}", text.chars().count().max(3));
    view! {
        <div style=size data-testid=testids::WALL_FIGURE data-code=code data-value=text.clone()>
            <dt>{label}</dt><dd>{text.clone()}</dd>
        </div>
    }
}

/// The last hour of a bed's first figure, or what of it the node holds.
#[component]
fn Line(bed: StoredValue<Bed>, figures: Memo<Vec<Figure>>) -> impl IntoView {
    let live = use_live();
    let spark = RwSignal::new(Spark::of(BUCKET_MILLIS));
    let first = Memo::new(move |_| {
        figures.with(|figures| {
            figures
                .first()
                .map(|figure| (figure.code.clone(), figure.label.clone()))
        })
    });
    // Another metric is another line; after a cut the node is asked again.
    Effect::new(move || {
        live.epoch.track();
        spark.set(Spark::of(BUCKET_MILLIS));
        if let Some((code, _)) = first.get() {
            spawn_local(fill(live, bed, code, spark));
        }
    });
    Effect::new(move || {
        let Some((code, _)) = first.get() else { return };
        let mut values = Vec::new();
        for entry in bed.with_value(|bed| entries(live, bed).collect::<Vec<_>>()) {
            entry.vitals.with(|vitals| {
                values.extend(vitals.iter().filter_map(|vital| value_of(vital, &code)))
            });
        }
        let now = live.now.get_untracked();
        let changed = spark.try_update_untracked(|spark| {
            let pushed = values.into_iter().fold(false, |is_new, (time, value)| {
                spark.push(time, value) | is_new
            });
            spark.advance_to(now) | pushed
        });
        if changed == Some(true) {
            spark.notify();
        }
    });
    let path = move || {
        let (low, high) = first.with(|first| {
            first
                .as_ref()
                .map_or((0.0, 100.0), |(code, _)| usual_range(code))
        });
        spark.with(|spark| spark.path(low, high))
    };
    let colour = move || {
        first.with(|first| {
            let code = first.as_ref().map_or("", |(code, _)| code);
            format!("--c:var({})", Colour::of_metric(code).property())
        })
    };
    let says = move || {
        let label = first.with(|first| {
            first
                .as_ref()
                .map_or_else(String::new, |(_, label)| label.clone())
        });
        spark.with(Spark::extremes).map_or_else(
            || format!("{label}, nothing in the last hour"),
            |(low, high)| format!("{label}, last hour: {low} to {high}"),
        )
    };
    view! {
        <svg class="spark" style=colour viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label=says>
            <path d=path></path>
        </svg>
    }
}

fn value_of(vital: &Vital, code: &str) -> Option<(i64, f32)> {
    let value = vital.value.as_ref().filter(|_| vital.code == code)?;
    Some((vital.time, value.parse().ok()?))
}

/// Fills a line from what the node keeps, and lets a low saturation reach back as far.
async fn fill(live: Live, bed: StoredValue<Bed>, code: String, spark: RwSignal<Spark>) {
    let to = live.now.get_untracked();
    let from = to - BUCKET_MILLIS * i64::try_from(BUCKETS).unwrap_or(0);
    let Some(entries) = bed.try_with_value(|bed| entries(live, bed).collect::<Vec<_>>()) else {
        return;
    };
    for entry in entries {
        let measures = |vitals: &Vec<Vital>| vitals.iter().any(|vital| vital.code == code);
        if !entry.vitals.with_untracked(measures) {
            continue;
        }
        let id = entry.facts.with_untracked(|facts| escape(&facts.id));
        let path =
            format!("/api/devices/{id}/history?metric={code}&from={from}&to={to}&points={BUCKETS}");
        // Without an answer the line begins with what arrives from now on.
        let Ok(history) = crate::transport::get::<History>(&path).await else {
            continue;
        };
        let kept = history
            .points
            .iter()
            .filter_map(|point| Some((point.time, point.min? as f32)));
        // The page may be gone by now.
        spark.try_update(|spark| spark.fill(kept));
        if oxygen::CODES.contains(&code.as_str()) {
            let kept = history.points.iter().map(|point| (point.time, point.max));
            entry.low.try_update_value(|low| low.reach_back(kept));
            entry.say_low();
        }
    }
}
