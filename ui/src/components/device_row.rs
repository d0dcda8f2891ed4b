//! One device in a table: each cell follows its own signal, so that a value that changes costs one
//! text node.

use fog_api::Vital;
use leptos::prelude::*;

use super::{StateMark, local_clock};
use crate::live::{DeviceEntry, SPARK_CODES, use_live};
use crate::plot::Colour;
use crate::route::Route;
use crate::testids;
use crate::words::device;
use crate::words::number::{age, thousands, unit};
use crate::words::state::State;

/// The mark of a device: its state and word, as a chip where it must be seen.
#[component]
pub fn DeviceMark(
    /// The device.
    entry: DeviceEntry,
    /// Always as a chip.
    #[prop(optional)]
    chip: bool,
) -> impl IntoView {
    let live = use_live();
    let mark = Memo::new(move |_| entry.condition(live));
    let loud = Signal::derive(move || {
        chip || matches!(
            mark.with(|mark| mark.0),
            State::Critical | State::Offline | State::Simulated
        )
    });
    view! {
        <StateMark state=Signal::derive(move || mark.with(|mark| mark.0)) word=Signal::derive(move || mark.get().1)
            chip=loud testid=testids::DEVICE_STATE/>
    }
}

/// The newest value of a metric as text, a dash where there is none.
fn newest_of(entry: DeviceEntry, place: usize) -> Memo<Option<String>> {
    let codes = SPARK_CODES.get(place).copied().unwrap_or_default();
    let live = use_live();
    Memo::new(move |_| {
        if !entry.is_now(live) {
            return None;
        }
        entry.vitals.with(|vitals| {
            vitals
                .iter()
                .find(|vital| codes.contains(&vital.code.as_str()))
                .and_then(|vital| vital.value.clone())
        })
    })
}

/// How long ago the device was heard.
pub fn heard_ago(entry: DeviceEntry) -> Memo<String> {
    let live = use_live();
    Memo::new(move |_| {
        entry
            .heard
            .get()
            .map_or_else(|| "–".to_owned(), |heard| age(live.now.get(), heard))
    })
}

/// A small line of the last ten minutes.
#[component]
fn SparkCell(entry: DeviceEntry, place: usize, label: &'static str) -> impl IntoView {
    let code = SPARK_CODES
        .get(place)
        .and_then(|codes| codes.first())
        .copied()
        .unwrap_or_default();
    let (low, high) = device::usual_range(code);
    let spark = entry.sparks.get(place).copied();
    let path = move || {
        spark
            .map(|spark| spark.with(|spark| spark.path(low, high)))
            .unwrap_or_default()
    };
    let says = move || {
        let extremes = spark.and_then(|spark| spark.with(crate::spark::Spark::extremes));
        extremes.map_or_else(
            || format!("{label}, nothing in the last ten minutes"),
            |(low, high)| format!("{label}, last ten minutes: {low} to {high}"),
        )
    };
    let simulated = move || entry.facts.with(|facts| facts.simulated);
    view! {
        <td data-p="2" class="sparkcell" class:hatch=simulated>
            <svg class="spark" style=format!("--c:var({})", Colour::of_metric(code).property()) viewBox="0 0 1000 100"
                preserveAspectRatio="none" role="img" aria-label=says>
                <path d=path></path>
            </svg>
        </td>
    }
}

/// A row of the overview: state, SpO₂, pulse, newest stage, age.
#[component]
pub fn WardRow(
    /// The device.
    entry: DeviceEntry,
) -> impl IntoView {
    let spo2 = newest_of(entry, 0);
    let pulse = newest_of(entry, 1);
    let heard = heard_ago(entry);
    let (state, testid_state) = row_state(entry);
    let waiting = Memo::new(move |_| {
        let gap = entry.gap.get();
        match gap.received.saturating_sub(gap.finalized) {
            0 => "all final".to_owned(),
            waiting => format!("{} on the way", thousands(waiting)),
        }
    });
    view! {
        <tr data-state=state data-testid=testids::DEVICE_ROW data-device=entry.facts.with_untracked(|facts| facts.id.clone())
            data-link=testid_state>
            <th scope="row"><NameLink entry=entry/></th>
            <td><DeviceMark entry=entry/></td>
            <td class="num"><b>{move || dash(spo2.get())}</b></td>
            <SparkCell entry=entry place=0 label="SpO2"/>
            <td class="num"><b>{move || dash(pulse.get())}</b></td>
            <SparkCell entry=entry place=1 label="Pulse"/>
            <td class="num dim" data-p="3">{move || waiting.get()}</td>
            <td class="num dim" data-p="2">{move || heard.get()}</td>
        </tr>
    }
}

/// A row of the list of devices: state, port, newest values, heard, sealed.
#[component]
pub fn DeviceRow(
    /// The device.
    entry: DeviceEntry,
    /// What its profile is called.
    #[prop(into)]
    profile: Signal<String>,
) -> impl IntoView {
    let heard = heard_ago(entry);
    let live = use_live();
    let newest = Memo::new(move |_| {
        if entry.is_now(live) {
            entry.vitals.with(|vitals| device::newest(vitals))
        } else {
            "–".to_owned()
        }
    });
    let (state, testid_state) = row_state(entry);
    let path = entry.facts.with_untracked(|facts| facts.path.clone());
    let simulated = entry.facts.with_untracked(|facts| facts.simulated);
    let rejected = Memo::new(move |_| entry.gap.with(|gap| thousands(gap.rejected)));
    let finalized = Memo::new(move |_| entry.gap.with(|gap| thousands(gap.finalized)));
    view! {
        <tr data-state=state data-testid=testids::DEVICE_ROW data-device=entry.facts.with_untracked(|facts| facts.id.clone())
            data-link=testid_state>
            <th scope="row"><NameLink entry=entry/><small>{profile}</small></th>
            <td><DeviceMark entry=entry/></td>
            <td data-p="3" class="portcell">{if simulated { view! { "–" }.into_any() } else { view! { <bdi class="hash">{path}</bdi> }.into_any() }}</td>
            <td class="num" data-p="1">{move || newest.get()}</td>
            <td class="num">{move || heard.get()}</td>
            <td class="num" data-p="2">{move || rejected.get()}</td>
            <td class="num" data-p="2">{move || finalized.get()}</td>
        </tr>
    }
}

#[component]
fn NameLink(entry: DeviceEntry) -> impl IntoView {
    let id = entry.facts.with_untracked(|facts| facts.id.clone());
    view! { <a href=Route::Device(id).href()><bdi>{move || entry.facts.with(|facts| facts.name.clone())}</bdi></a> }
}

/// The stripe of a row (only where somebody is needed) and the link's own name.
fn row_state(entry: DeviceEntry) -> (Memo<Option<&'static str>>, Memo<&'static str>) {
    let link = Memo::new(move |_| entry.link.with(|link| link.state));
    let stripe = Memo::new(move |_| entry.needs_somebody().map(State::key));
    (stripe, Memo::new(move |_| device::link_key(link.get())))
}

fn dash(value: Option<String>) -> String {
    value.unwrap_or_else(|| "–".to_owned())
}

/// A big live value with its quality: the same element while the value changes.
#[component]
pub fn VitalTile(
    /// LOINC code.
    code: String,
    /// The newest value.
    #[prop(into)]
    vital: Signal<Option<Vital>>,
    /// Whether it is of now; the past is a dash, its last value stands below.
    #[prop(into)]
    now: Signal<bool>,
    /// What stands below: range or quality.
    #[prop(into)]
    below: Signal<String>,
) -> impl IntoView {
    let text = move || {
        let value = vital.with(|vital| vital.as_ref().and_then(|vital| vital.value.clone()));
        value.filter(|_| now.get())
    };
    let past = move || {
        vital
            .with(|vital| {
                vital
                    .as_ref()
                    .map(|vital| device::last(vital, &local_clock(vital.time)))
            })
            .unwrap_or_default()
    };
    let label = move || {
        vital
            .with(|vital| vital.as_ref().map(|vital| vital.label.clone()))
            .unwrap_or_default()
    };
    let shown_unit = move || {
        vital
            .with(|vital| vital.as_ref().map(|vital| unit(&vital.unit).to_owned()))
            .unwrap_or_default()
    };
    let quality = move || {
        vital.with(|vital| {
            vital
                .as_ref()
                .map(|vital| device::quality_key(vital.quality))
        })
    };
    view! {
        <div class="vital" style=format!("--c:var({})", Colour::of_metric(&code).property()) data-testid=testids::vital(&code)
            data-value=move || text().unwrap_or_default() data-quality=quality>
            <h3>{label}</h3>
            <b>{move || text().unwrap_or_else(|| "–".to_owned())}<small>{shown_unit}</small></b>
            <span class="dim small">{move || if now.get() { below.get() } else { past() }}</span>
        </div>
    }
}
