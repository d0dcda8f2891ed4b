//! Picks a reading to prove: a device, a metric, one of the newest final readings.

use fog_api::ReadingRow;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, Icon, Loading, StateMark, local_clock};
use crate::failure::Failure;
use crate::live::use_live;
use crate::route::{Route, escape};
use crate::testids;
use crate::transport;
use crate::words::number::{NARROW, thousands, unit};
use crate::words::state::State;
use crate::words::{device, proof};

/// Readings asked for, and shown.
const ASKED: u32 = 200;
const SHOWN: usize = 12;

/// The card.
#[component]
pub fn PickCard() -> impl IntoView {
    let live = use_live();
    let chosen = RwSignal::new(None::<String>);
    let metric = RwSignal::new(String::new());
    let rows = RwSignal::new(None::<Vec<ReadingRow>>);
    let failure = RwSignal::new(None::<Failure>);
    let turn = RwSignal::new(0_u32);
    let picked = Memo::new(move |_| {
        chosen
            .get()
            .or_else(|| live.ids.with(|ids| ids.as_ref()?.first().cloned()))
    });
    Effect::new(move || {
        turn.track();
        let Some(id) = picked.get() else { return };
        let metric = metric.get();
        let filter = if metric.is_empty() {
            String::new()
        } else {
            format!("&metric={}", escape(&metric))
        };
        let path = format!("/api/readings?device={}&limit={ASKED}{filter}", escape(&id));
        spawn_local(async move {
            let answer = transport::get::<Vec<ReadingRow>>(&path).await;
            if picked.try_get_untracked().flatten() != Some(id) {
                return;
            }
            failure.set(answer.as_ref().err().cloned());
            if let Ok(all) = answer {
                rows.set(Some(
                    all.into_iter()
                        .filter(|row| row.finalized)
                        .take(SHOWN)
                        .collect(),
                ));
            }
        });
    });
    let retry = Callback::new(move |()| turn.update(|turn| *turn = turn.wrapping_add(1)));
    view! {
        <section class="card" aria-labelledby="h-pick">
            <div class="card-head">
                <h2 id="h-pick">"Pick a reading"</h2><p>"newest final ones first"</p>
                <button type="button" class="btn quiet push" on:click=move |_| retry.run(())><Icon name="refresh"/>"Newer ones"</button>
            </div>
            <div class="card-body row pick">
                <div class="field"><label for="pick-device">"Device"</label><Devices picked=picked chosen=chosen metric=metric/></div>
                <div class="field"><label for="pick-metric">"Metric"</label><Metrics picked=picked metric=metric/></div>
            </div>
            {move || failure.get().map(|failure| view! { <div class="card-body"><FailureNote failure=failure retry=retry/></div> })}
            {move || match rows.get() {
                _ if live.ids.with(|ids| ids.as_ref().is_some_and(Vec::is_empty)) => nothing("No device is paired yet. Pair one, and its readings can be proven about a second after they arrive.").into_any(),
                None => view! { <Loading what="Reading the newest readings"/> }.into_any(),
                Some(rows) if rows.is_empty() => nothing("None of the newest readings is final yet. Ask again in a moment.").into_any(),
                Some(rows) => table(&rows).into_any(),
            }}
        </section>
    }
}

fn nothing(words: &'static str) -> impl IntoView {
    view! { <div class="empty"><Icon name="proof"/><p>{words}</p></div> }
}

#[component]
fn Devices(
    picked: Memo<Option<String>>,
    chosen: RwSignal<Option<String>>,
    metric: RwSignal<String>,
) -> impl IntoView {
    let live = use_live();
    let options = move || {
        let entries = live.devices();
        entries
            .into_iter()
            .map(|entry| {
                let (id, name) = entry.facts.with(|facts| (facts.id.clone(), facts.name.clone()));
                let value = id.clone();
                view! { <option value=value prop:selected=move || picked.get().as_ref() == Some(&id)>{name}</option> }
            })
            .collect_view()
    };
    view! {
        <select class="input" id="pick-device" data-testid=testids::PROOF_DEVICE on:change=move |event| {
            metric.set(String::new());
            chosen.set(Some(event_target_value(&event)));
        }>{options}</select>
    }
}

#[component]
fn Metrics(picked: Memo<Option<String>>, metric: RwSignal<String>) -> impl IntoView {
    let live = use_live();
    // Only codes and labels: values change four times a second and a `select` must not.
    let metrics = Memo::new(move |_| {
        let entry = picked.get().and_then(|id| live.device(&id));
        let Some(entry) = entry else {
            return Vec::new();
        };
        let vitals = entry.vitals.with(|vitals| {
            let pairs = vitals
                .iter()
                .map(|vital| (vital.code.clone(), vital.label.clone()));
            pairs.collect::<Vec<_>>()
        });
        let waves = entry.facts.with(|facts| facts.waves.clone());
        let waves = waves.into_iter().map(|code| {
            let label = proof::metric(&code).map_or_else(|| format!("LOINC {code}"), str::to_owned);
            (code, label)
        });
        vitals.into_iter().chain(waves).collect()
    });
    let options = move || {
        let metrics = metrics.get();
        metrics
            .into_iter()
            .map(|(code, label)| {
                let value = code.clone();
                view! { <option value=value prop:selected=move || metric.get() == code>{label}</option> }
            })
            .collect_view()
    };
    view! {
        <select class="input" id="pick-metric" data-testid=testids::PROOF_METRIC
            on:change=move |event| metric.set(event_target_value(&event))>
            <option value="" prop:selected=move || metric.get().is_empty()>"All of them"</option>
            {options}
        </select>
    }
}

fn table(rows: &[ReadingRow]) -> impl IntoView + use<> {
    let body: Vec<_> = rows
        .iter()
        .map(|row| {
            let value = match (row.value, &row.samples) {
                (Some(value), _) => format!("{value}{NARROW}{}", unit(&row.unit)),
                (None, Some(wave)) => format!("{} samples", thousands(wave.samples.len() as u64)),
                (None, None) => "–".to_owned(),
            };
            let (state, word) = device::quality(row.quality);
            let (state, word) = if row.simulated { (State::Simulated, "Simulated") } else { (state, word) };
            view! {
                <tr data-testid=testids::READING_ROW data-reading=row.id.clone() data-code=row.code.clone()>
                    <th scope="row"><time>{local_clock(row.host_time)}</time></th>
                    <td>{row.label.clone()}</td>
                    <td class="num"><b>{value}</b></td>
                    <td data-p="1"><StateMark state=state word=word/></td>
                    <td class="num" data-p="1">{row.height.map(thousands)}</td>
                    <td class="num"><a href=Route::Proof(row.id.clone()).href() data-testid=testids::READING_PROOF>"Prove it"</a></td>
                </tr>
            }
        })
        .collect();
    view! {
        <div class="scroll">
            <table class="tbl">
                <thead><tr>
                    <th scope="col">"Received"</th><th scope="col">"Metric"</th><th scope="col" class="num">"Value"</th>
                    <th scope="col" data-p="1">"Quality"</th><th scope="col" class="num" data-p="1">"Block"</th>
                    <th scope="col" class="num"><span class="vh">"Proof"</span></th>
                </tr></thead>
                <tbody>{body}</tbody>
            </table>
        </div>
    }
}
