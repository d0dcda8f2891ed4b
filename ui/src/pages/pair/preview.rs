//! The live look at a port: values, wave, state; nothing is recorded.

use fog_api::{StartPreview, Vital};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Wizard;
use super::key::is_key;
use crate::components::{Note, StateMark, VitalTile};
use crate::failure::Failure;
use crate::plot::{Colour, Panel, PlotSpec, Plots, SeriesHandle, Span};
use crate::route::escape;
use crate::testids;
use crate::transport;
use crate::wave_track::WaveTrack;
use crate::words::device;
use crate::words::number::thousands;
use crate::words::state::State;

/// Seconds of the wave that are shown.
const WAVE_MILLIS: i64 = 6_000;

/// Starts a preview if port, profile and (where needed) key are there.
pub fn start_if_ready(wizard: Wizard) {
    let ready = !wizard.profile.with_untracked(String::is_empty)
        && wizard.preview.with_untracked(Option::is_none);
    let key = wizard.key_for_request();
    // A device that has only its code says nothing before it is paired.
    let is_by_code = untrack(|| wizard.is_by_code());
    if !ready || is_by_code || key.as_ref().is_some_and(|key| !is_key(key)) {
        return;
    }
    let asked = wizard.asked.get_value() + 1;
    wizard.asked.set_value(asked);
    let request = StartPreview {
        path: wizard.path.get_untracked(),
        profile: wizard.profile.get_untracked(),
        key,
    };
    spawn_local(async move {
        let answer = transport::post::<fog_api::Preview>("/api/previews", &request).await;
        if wizard.asked.try_get_value() != Some(asked) {
            // The person has gone on: an answer to an old question only has to be tidied away.
            if let Ok(preview) = answer {
                forget(&preview.id).await;
            }
            return;
        }
        match answer {
            Ok(preview) => {
                wizard.preview.set(Some(preview.id.clone()));
                wizard.live.preview.set(Some(preview));
            }
            Err(failure) => wizard.failure.set(Some(failure)),
        }
    });
}

/// Ends the running preview, if any; the port is free again.
pub fn end(wizard: Wizard) {
    if let Some(id) = take(wizard) {
        spawn_local(async move { forget(&id).await });
    }
}

/// Ends the running preview and waits until the port is free.
pub async fn end_now(wizard: Wizard) {
    if let Some(id) = take(wizard) {
        forget(&id).await;
    }
}

fn take(wizard: Wizard) -> Option<String> {
    wizard.asked.try_update_value(|asked| *asked += 1);
    wizard.live.preview.set(None);
    wizard.preview.try_update(Option::take).flatten()
}

async fn forget(id: &str) {
    // One that is not ended here ends by itself after two minutes.
    transport::delete(&format!("/api/previews/{}", escape(id)))
        .await
        .ok();
}

/// The newest state of this wizard's preview.
fn newest(wizard: Wizard) -> Signal<Option<fog_api::Preview>> {
    Signal::derive(move || {
        let id = wizard.preview.get()?;
        wizard
            .live
            .preview
            .with(|preview| preview.as_ref().filter(|preview| preview.id == id).cloned())
    })
}

/// Whether the sensor was heard.
pub fn heard(wizard: Wizard) -> Memo<bool> {
    let newest = newest(wizard);
    Memo::new(move |_| newest.with(|preview| preview.as_ref().is_some_and(device::preview_fits)))
}

/// The live look.
#[component]
pub fn Preview(wizard: Wizard) -> impl IntoView {
    let newest = newest(wizard);
    watch(wizard);
    let state =
        Memo::new(move |_| newest.with(|preview| preview.as_ref().map(|preview| preview.state)));
    let link = move || state.get().map(device::link);
    let codes = Memo::new(move |_| {
        newest.with(|preview| {
            preview
                .iter()
                .flat_map(|preview| preview.vitals.iter().map(|vital| vital.code.clone()))
                .collect::<Vec<_>>()
        })
    });
    let now = Signal::derive(move || state.get().is_some_and(fog_api::DeviceState::is_live));
    let counted = move || {
        newest.with(|preview| {
            preview
                .as_ref()
                .map_or((0, 0), |preview| (preview.received, preview.rejected))
        })
    };
    let trouble = Memo::new(move |_| {
        newest.with(|preview| preview.as_ref().and_then(device::preview_trouble))
    });
    let has_wave = Memo::new(move |_| {
        newest.with(|preview| {
            preview
                .as_ref()
                .is_some_and(|preview| preview.wave.is_some())
        })
    });
    view! {
        <div class="preview" role="group" aria-label="Live preview">
            <div class="card-head">
                <div aria-live="polite" data-testid=testids::PAIR_PREVIEW_STATE data-link=move || state.get().map(device::link_key)>
                    <StateMark state=Signal::derive(move || link().map_or(State::Unknown, |link| link.0))
                        word=Signal::derive(move || link().map_or("Listening", |link| link.1).to_owned())/>
                </div>
                <p class="push num-text">
                    <span data-testid=testids::PAIR_PREVIEW_RECEIVED data-value=move || counted().0.to_string()>{move || thousands(counted().0)}</span>
                    " readings seen, "{move || thousands(counted().1)}" frames refused, none recorded"
                </p>
            </div>
            <div class="vitals">
                <For each=move || codes.get() key=Clone::clone let:code>
                    <VitalTile code=code.clone() vital=vital_of(newest, code.clone()) now=now below=quality_of(newest, code)/>
                </For>
                <div class="vital" hidden=move || codes.with(|codes| !codes.is_empty())>
                    <h3>"No value yet"</h3><b>"–"</b><span class="dim small">"waiting for the first reading"</span>
                </div>
            </div>
            {move || has_wave.get().then(|| view! { <div class="card-body"><WavePlot newest=newest/></div> })}
            {move || trouble.get().map(|words| view! { <div class="card-body"><Note state=State::Attention words=words/></div> })}
        </div>
    }
}

fn vital_of(newest: Signal<Option<fog_api::Preview>>, code: String) -> Signal<Option<Vital>> {
    Signal::derive(move || {
        newest.with(|preview| {
            preview
                .as_ref()?
                .vitals
                .iter()
                .find(|vital| vital.code == code)
                .cloned()
        })
    })
}

fn quality_of(newest: Signal<Option<fog_api::Preview>>, code: String) -> Signal<String> {
    let vital = vital_of(newest, code);
    Signal::derive(move || {
        vital.with(|vital| {
            vital.as_ref().map_or_else(String::new, |vital| {
                device::quality(vital.quality).1.to_lowercase()
            })
        })
    })
}

/// Events bring what is new; a slow look beside them notices a preview that has ended.
fn watch(wizard: Wizard) {
    let twos = Memo::new(move |_| wizard.live.now.get().div_euclid(2_000));
    Effect::new(move |before: Option<()>| {
        twos.get();
        let Some(id) = wizard.preview.get_untracked().filter(|_| before.is_some()) else {
            return;
        };
        spawn_local(async move {
            let answer =
                transport::get::<fog_api::Preview>(&format!("/api/previews/{}", escape(&id))).await;
            if wizard.preview.try_get_untracked().flatten().as_ref() != Some(&id) {
                return;
            }
            match answer {
                Ok(preview) => wizard.live.preview.set(Some(preview)),
                Err(Failure::NotFound(_)) => {
                    // It ended after two minutes; a person who is still here wants to see on.
                    wizard.preview.set(None);
                    start_if_ready(wizard);
                }
                Err(failure) => wizard.failure.set(Some(failure)),
            }
        });
    });
}

/// The newest seconds of the wave.
#[component]
fn WavePlot(newest: Signal<Option<fog_api::Preview>>) -> impl IntoView {
    let series = SeriesHandle::new(4_000, 500);
    let end = RwSignal::new(0_i64);
    let track = StoredValue::new(WaveTrack::new(series.clone()));
    Effect::new(move || {
        newest.with(|preview| {
            let wave = preview.as_ref().and_then(|preview| preview.wave.as_ref());
            let joined =
                wave.and_then(|wave| track.try_update_value(|track| track.join(wave)).flatten());
            if let Some(last) = joined {
                end.set(last);
            }
        });
    });
    let spec = Signal::derive(move || {
        let mut panel = Panel::line(
            "Wave",
            "the device’s own steps",
            Colour::PULSE,
            series.clone(),
        );
        panel.height_rem = 5.0;
        PlotSpec {
            panels: vec![panel],
            window: Span::new(end.get() - WAVE_MILLIS, end.get()),
        }
    });
    view! { <Plots spec=spec/> }
}
