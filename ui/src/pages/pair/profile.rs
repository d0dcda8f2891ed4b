//! Step 2: what the device speaks, with its values live before anything is recorded.

use leptos::prelude::*;

use super::code::{self, CodeField};
use super::key::{KeyField, is_key};
use super::preview::{self, Preview};
use super::{StepFailure, Wizard};
use crate::components::Icon;
use crate::testids;

/// What becomes of the code.
const BY_CODE: &str = "The node hands the device a key when you finish. Its values are seen after that; the code is good for once.";

/// The step.
#[component]
pub fn ProfileStep(wizard: Wizard) -> impl IntoView {
    let step = wizard.step;
    let label = move || wizard.live.profile_label(&wizard.profile.get());
    let back = move |_| {
        wizard.failure.set(None);
        wizard.step.set(2);
        preview::start_if_ready(wizard);
    };
    view! {
        <div>
            <div class="brief">
                <h3>"Say what it speaks"</h3>
                <span class="push" hidden=move || step.get() != 3>
                    <button type="button" class="btn quiet" on:click=back>"Change"</button>
                </span>
            </div>
            {move || match step.get() {
                1 => view! { <p class="soft small">"Its profile, and a look at its values before you confirm."</p> }.into_any(),
                2 => view! { <Choose wizard=wizard/> }.into_any(),
                _ => view! { <p class="soft small">{label}"."</p> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Choose(wizard: Wizard) -> impl IntoView {
    let choose = move |event| {
        wizard.profile.set(event_target_value(&event));
        wizard.failure.set(None);
        preview::end(wizard);
        preview::start_if_ready(wizard);
    };
    let options = move || {
        let chosen = wizard.profile.get_untracked();
        let profiles = wizard.live.profiles.get();
        profiles
            .into_iter()
            .map(|profile| {
                let selected = profile.name == chosen;
                view! { <option value=profile.name.clone() selected=selected>{profile.label}</option> }
            })
            .collect_view()
    };
    let key_ok = Memo::new(move |_| wizard.key.with(|key| is_key(key)));
    let by_code = Memo::new(move |_| wizard.is_by_code());
    let by_key = Memo::new(move |_| wizard.needs_key() && !wizard.is_by_code());
    let listen = move |()| {
        preview::end(wizard);
        preview::start_if_ready(wizard);
    };
    let heard = preview::heard(wizard);
    let go_on = move |()| {
        wizard.failure.set(None);
        wizard.step.set(3);
    };
    view! {
        <div class="field">
            <label for="pair-profile">"Profile"</label>
            <select class="input" id="pair-profile" data-testid=testids::PAIR_PROFILE on:change=choose>
                <option value="" disabled selected=move || wizard.profile.with(String::is_empty)>"Choose what is written on the device"</option>
                {options}
            </select>
        </div>
        <code::Way wizard=wizard/>
        {move || by_key.get().then(|| view! { <KeyField key=wizard.key action="Listen with this key" on_done=listen/> })}
        {move || by_code.get().then(|| view! { <CodeField entry=wizard.code action="Go on with this code" says=BY_CODE on_done=go_on/> })}
        {move || wizard.preview.with(Option::is_some).then(|| view! { <Preview wizard=wizard/> })}
        <StepFailure wizard=wizard number=2/>
        <div class="row">
            <button type="button" class="btn primary" disabled=move || !heard.get() hidden=move || wizard.is_by_code() data-testid=testids::PAIR_NEXT on:click=move |_| go_on(())>
                "These are its values"
            </button>
            <button type="button" class="btn quiet" hidden=move || heard.get() || wizard.preview.with(Option::is_none)
                data-testid=testids::PAIR_SKIP on:click=move |_| go_on(())>"Go on without a value"</button>
            <span class="dim small" hidden=move || heard.get() || wizard.is_by_code()>{move || {
                if wizard.profile.with(String::is_empty) {
                    "Choose the profile first."
                } else if wizard.needs_key() && !key_ok.get() {
                    "The key has 64 hex digits; after the word sign, 96."
                } else {
                    "Opens as soon as the sensor is heard and most frames are good."
                }
            }}</span>
        </div>
    }
}

/// What is known of the device so far.
#[component]
pub fn ThisDevice(wizard: Wizard) -> impl IntoView {
    let info = Memo::new(move |_| {
        let name = wizard.profile.get();
        wizard.live.profiles.with(|profiles| {
            profiles
                .iter()
                .find(|profile| profile.name == name)
                .cloned()
        })
    });
    let dash = || "–".to_owned();
    view! {
        <section class="card" aria-labelledby="h-dev">
            <div class="card-head"><h2 id="h-dev">"This device"</h2></div>
            <div class="card-body">
                <dl class="kv">
                    <dt>"Port"</dt><dd><bdi class="hash">{move || wizard.path.with(|path| if path.is_empty() { dash() } else { path.clone() })}</bdi></dd>
                    <dt>"Profile"</dt><dd>{move || info.get().map_or_else(dash, |info| info.label)}</dd>
                    <dt>"Line"</dt><dd>{move || info.get().map_or_else(dash, |info| info.line)}</dd>
                    <dt>"Measures"</dt><dd>{move || info.get().map_or_else(dash, |info| info.measures.join(", "))}</dd>
                    <dt>"Frames"</dt><dd>{move || info.get().map_or_else(dash, |info| {
                        if info.needs_key { "authenticated with its key" } else { "not authenticated; the node vouches for having received them" }.to_owned()
                    })}</dd>
                </dl>
            </div>
            <div class="card-foot"><Icon name="lock"/>"Nothing is recorded yet"</div>
        </section>
    }
}
