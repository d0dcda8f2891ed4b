//! The devices at a glance: state, SpO₂, pulse, their last minutes.

use fog_api::History;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::WardRow;
use crate::live::{Live, SPARK_CODES, use_live};
use crate::route::{Route, escape};
use crate::spark::{BUCKET_MILLIS, BUCKETS};

/// The card.
#[component]
pub fn Ward() -> impl IntoView {
    let live = use_live();
    let ids = move || live.ids.get().unwrap_or_default();
    Effect::new(move || {
        live.ids.track();
        spawn_local(fill_sparks(live));
    });
    view! {
        <section class="card" aria-labelledby="h-ward">
            <div class="card-head">
                <h2 id="h-ward">"Devices"</h2><p>"lines show the last ten minutes"</p>
                <div class="push row"><a class="btn quiet" href=Route::Devices.href()>"All devices"</a></div>
            </div>
            <div class="scroll" tabindex="0" role="group" aria-labelledby="h-ward">
                <table class="tbl ward">
                    <thead><tr>
                        <th scope="col">"Device"</th>
                        <th scope="col" class="w-state">"State"</th>
                        <th scope="col" class="num w-num">"SpO"<sub>"2"</sub>" %"</th>
                        <th scope="col" data-p="2" class="sparkcell"><span class="vh">"SpO2, last ten minutes"</span></th>
                        <th scope="col" class="num w-num">"Pulse /min"</th>
                        <th scope="col" data-p="2" class="sparkcell"><span class="vh">"Pulse, last ten minutes"</span></th>
                        <th scope="col" class="num w-way" data-p="3">"Readings"</th>
                        <th scope="col" class="num w-num" data-p="2">"Heard"</th>
                    </tr></thead>
                    <tbody>
                        <For each=ids key=Clone::clone let:id>
                            {live.device(&id).map(|entry| view! { <WardRow entry=entry/> })}
                        </For>
                    </tbody>
                </table>
            </div>
        </section>
    }
}

/// Fills the lines of devices that have none from what the node kept, one question after the other.
async fn fill_sparks(live: Live) {
    let now = live.now.get_untracked();
    let from = now - BUCKET_MILLIS * i64::try_from(BUCKETS).unwrap_or(0);
    for entry in live.devices_untracked() {
        if entry
            .filled
            .try_update_value(|filled| std::mem::replace(filled, true))
            != Some(false)
        {
            continue;
        }
        let id = entry.facts.with_untracked(|facts| escape(&facts.id));
        for (codes, spark) in SPARK_CODES.iter().zip(entry.sparks) {
            let measured = |code: &&&str| {
                entry
                    .vitals
                    .with_untracked(|vitals| vitals.iter().any(|vital| vital.code == **code))
            };
            let Some(code) = codes.iter().find(measured) else {
                continue;
            };
            let path = format!(
                "/api/devices/{id}/history?metric={code}&from={from}&to={now}&points={BUCKETS}"
            );
            // Without an answer the line begins with what arrives from now on.
            let Ok(history) = crate::transport::get::<History>(&path).await else {
                continue;
            };
            spark.update(|spark| {
                spark.fill(
                    history
                        .points
                        .iter()
                        .filter_map(|point| Some((point.time, point.min? as f32))),
                )
            });
        }
    }
}
