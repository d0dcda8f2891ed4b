//! Step 2: what the device speaks, with its values live before anything is recorded.

use leptos::prelude::*;

use super::preview::{self, Preview};
use super::{StepFailure, Wizard, code};
use crate::components::Icon;
use crate::testids;

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
    let key_wrong = move || (!wizard.key.with(String::is_empty) && !key_ok.get()).then_some("true");
    let by_code = Memo::new(move |_| wizard.is_by_code());
    let heard = preview::heard(wizard);
    let go_on = move |_| {
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
        <form class="field" hidden=move || !wizard.needs_key() || wizard.is_by_code()
            on:submit=move |event| { event.prevent_default(); if key_ok.get_untracked() { preview::end(wizard); preview::start_if_ready(wizard); } }>
            <label for="pair-key">"Pairing key"</label>
            <div class="row keyrow">
                <input class="input hash" id="pair-key" autocomplete="off" spellcheck="false" aria-invalid=key_wrong aria-describedby="pair-key-hint"
                    data-testid=testids::PAIR_KEY prop:value=wizard.key on:input=move |event| wizard.key.set(event_target_value(&event))/>
                <button type="submit" class="btn" disabled=move || !key_ok.get() data-testid=testids::PAIR_LISTEN>"Listen with this key"</button>
            </div>
            <span class="hint" id="pair-key-hint">"The key from the device’s label or its maker’s sheet: 64 hex digits, or hmac or sign and digits. It stays in this node’s vault."</span>
        </form>
        {move || by_code.get().then(|| view! { <code::CodeField wizard=wizard/> })}
        {move || wizard.preview.with(Option::is_some).then(|| view! { <Preview wizard=wizard/> })}
        <StepFailure wizard=wizard number=2/>
        <div class="row">
            <button type="button" class="btn primary" disabled=move || !heard.get() hidden=move || wizard.is_by_code() data-testid=testids::PAIR_NEXT on:click=go_on>
                "These are its values"
            </button>
            <button type="button" class="btn quiet" hidden=move || heard.get() || wizard.preview.with(Option::is_none)
                data-testid=testids::PAIR_SKIP on:click=go_on>"Go on without a value"</button>
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

/// 64 hex digits, or the word `hmac` and 64, or `sign` and 96; spaces between them ignored.
pub fn is_key(text: &str) -> bool {
    let text = text.split_whitespace().collect::<String>().to_lowercase();
    let (digits, length) = match (text.strip_prefix("hmac"), text.strip_prefix("sign")) {
        (Some(digits), _) => (digits, 64),
        (_, Some(digits)) => (digits, 96),
        _ => (text.as_str(), 64),
    };
    digits.len() == length && digits.chars().all(|digit| digit.is_ascii_hexdigit())
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
