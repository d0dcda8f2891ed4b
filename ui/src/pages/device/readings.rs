//! Each reading's way: received, sealed, anchored, final, with the link to its proof.
//!
//! The newest are asked for once a second while readings arrive. While a person points at the table or
//! moves in it with the keyboard, it holds still, so that nothing slips away under the pointer.

use fog_api::ReadingRow;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, Loading, Segments, StateMark, Way, local_clock};
use crate::failure::Failure;
use crate::live::{DeviceEntry, use_live};
use crate::route::{Route, escape};
use crate::testids;
use crate::words::device;
use crate::words::number::unit;
use crate::words::state::Stage;

/// Readings in the table.
const ROWS: u32 = 40;

/// The card.
#[component]
pub fn Readings(entry: DeviceEntry) -> impl IntoView {
    let live = use_live();
    let rows = RwSignal::new(None::<Vec<ReadingRow>>);
    let failure = RwSignal::new(None::<Failure>);
    let held = RwSignal::new(false);
    let metric = RwSignal::new("");
    let id = entry.facts.with_untracked(|facts| escape(&facts.id));
    let asking = StoredValue::new(false);
    Effect::new(move || {
        live.now.track();
        let metric = metric.get();
        if held.get() || document().hidden() || asking.get_value() {
            return;
        }
        asking.set_value(true);
        let metric_part = if metric.is_empty() {
            String::new()
        } else {
            format!("&metric={metric}")
        };
        let path = format!("/api/readings?device={id}&limit={ROWS}{metric_part}");
        spawn_local(async move {
            let answer = crate::transport::get::<Vec<ReadingRow>>(&path).await;
            // The page may be gone by now.
            asking.try_set_value(false);
            match answer {
                Ok(new) if held.try_get_untracked() == Some(false) => {
                    rows.try_set(Some(new));
                    failure.try_set(None);
                }
                Ok(_) => {}
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
        });
    });
    let waves = entry.facts.with_untracked(|facts| facts.waves.clone());
    let options = segments(entry, &waves);
    let empty = move || rows.with(|rows| rows.as_ref().is_some_and(Vec::is_empty));
    let note = move || {
        if held.get() {
            "held while you point at it"
        } else {
            "newest first"
        }
    };
    view! {
        <section class="card" aria-labelledby="h-read">
            <div class="card-head">
                <h2 id="h-read">"Each reading’s way"</h2><p>{note}</p>
                <div class="push"><Segments name="metric" legend="Metric" options=options value=metric testid=testids::READING_FILTER/></div>
            </div>
            {move || failure.get().filter(|why| *why != Failure::Unreachable).map(|failure| view! { <div class="card-body"><FailureNote failure=failure/></div> })}
            <div class="scroll readings" tabindex="0" role="group" aria-labelledby="h-read"
                on:mouseenter=move |_| held.set(true) on:mouseleave=move |_| held.set(false)
                on:focusin=move |_| held.set(true) on:focusout=move |_| held.set(false)>
                <table class="tbl">
                    <thead><tr>
                        <th scope="col" class="w-time">"Time"</th>
                        <th scope="col">"Metric"</th>
                        <th scope="col" class="num w-value">"Value"</th>
                        <th scope="col" data-p="1" class="w-state">"Quality"</th>
                        <th scope="col" class="w-way">"Way"</th>
                        <th scope="col" class="num w-num">"Proof"</th>
                    </tr></thead>
                    <tbody>
                        <For each=move || rows.get().unwrap_or_default() key=|row| (row.id.clone(), Stage::of(row)) let:row>
                            <Row row=row/>
                        </For>
                    </tbody>
                </table>
                {move || rows.with(Option::is_none).then(|| view! { <Loading what="Asking the node for the newest readings"/> })}
                <p class="empty" hidden=move || !empty()>"No reading yet. The first appears as soon as the sensor has a value."</p>
            </div>
        </section>
    }
}

/// All metrics, or one of them.
fn segments(
    entry: DeviceEntry,
    waves: &[String],
) -> Vec<(&'static str, &'static str, Option<Signal<String>>)> {
    const KNOWN: [(&str, &str); 20] = [
        ("59408-5", "SpO₂"),
        ("8889-8", "Pulse"),
        ("8867-4", "Heart rate"),
        ("61006-3", "Perfusion"),
        ("8310-5", "Temperature"),
        ("8480-6", "Systolic"),
        ("8462-4", "Diastolic"),
        ("8478-0", "Mean pressure"),
        ("2339-0", "Glucose"),
        ("15074-8", "Glucose"),
        ("29463-7", "Weight"),
        ("8302-2", "Height"),
        ("39156-5", "BMI"),
        ("41982-0", "Body fat"),
        ("73965-6", "Muscle"),
        ("73964-9", "Muscle mass"),
        ("101683-1", "Body water"),
        ("8637-1", "RR interval"),
        ("41981-2", "Energy"),
        ("76524-8", "Wave"),
    ];
    let mut options = vec![("", "All", None)];
    let mut codes: Vec<String> = entry
        .vitals
        .with_untracked(|vitals| vitals.iter().map(|vital| vital.code.clone()).collect());
    codes.extend(waves.iter().cloned());
    options.extend(
        KNOWN
            .iter()
            .filter(|(code, _)| codes.iter().any(|known| known == code))
            .map(|(code, label)| (*code, *label, None)),
    );
    options
}

#[component]
fn Row(row: ReadingRow) -> impl IntoView {
    let stage = Stage::of(&row);
    let (state, word) = device::quality(row.quality);
    let value = match (&row.samples, row.value) {
        (Some(wave), _) => format!("{} samples", wave.samples.len()),
        (None, Some(value)) => device::figure(value),
        (None, None) => "–".to_owned(),
    };
    let shown_unit = row.value.map(|_| unit(&row.unit).to_owned());
    let proof = if row.finalized {
        view! { <a href=Route::Proof(row.id.clone()).href() data-testid=testids::READING_PROOF>"Proof"</a> }.into_any()
    } else {
        view! { <span class="dim">"soon"</span> }.into_any()
    };
    view! {
        <tr data-testid=testids::READING_ROW data-reading=row.id.clone() data-code=row.code.clone()
            data-value=row.value.map(|value| value.to_string()) data-final=row.finalized.to_string()>
            <th scope="row"><time>{local_clock(row.host_time)}</time></th>
            <td>{row.label.clone()}</td>
            <td class="num" data-testid=testids::READING_VALUE>{value}" "{shown_unit}</td>
            <td data-p="1"><StateMark state=state word=word/></td>
            <td><Way stage=stage/></td>
            <td class="num">{proof}</td>
        </tr>
    }
}
