//! Step 3: name it and confirm.

use fog_api::{AddDevice, Device};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{StepFailure, Wizard, code, preview};
use crate::route::Route;
use crate::testids;
use crate::transport;

/// The step.
#[component]
pub fn NameStep(wizard: Wizard) -> impl IntoView {
    let here = Memo::new(move |_| wizard.step.get() == 3);
    view! {
        <div>
            <div class="brief"><h3>"Name it and confirm"</h3></div>
            {move || if here.get() {
                view! { <Confirm wizard=wizard/> }.into_any()
            } else {
                view! { <p class="soft small">"A name for the people here. From then on its readings are sealed and anchored."</p> }.into_any()
            }}
        </div>
    }
}

#[component]
fn Confirm(wizard: Wizard) -> impl IntoView {
    let pair = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if wizard.busy.get_untracked() {
            return;
        }
        wizard.busy.set(true);
        wizard.failure.set(None);
        wizard.live.provisioning.set(None);
        let name = wizard.name.get_untracked().trim().to_owned();
        let request = AddDevice {
            name: (!name.is_empty()).then_some(name),
            profile: wizard.profile.get_untracked(),
            path: wizard.path.get_untracked(),
            key: wizard.key_for_request(),
            code: wizard.code_for_request(),
        };
        spawn_local(async move {
            preview::end_now(wizard).await;
            match transport::post::<Device>("/api/devices", &request).await {
                Ok(device) => {
                    wizard.live.refetch_devices().await;
                    // The address of this page is always writable.
                    location().set_hash(&Route::Device(device.id).href()).ok();
                }
                Err(failure) => {
                    // The page may be gone by now.
                    wizard.failure.try_set(Some(failure));
                    wizard.busy.try_set(false);
                }
            }
        });
    };
    let suggestion = move || wizard.live.profile_label(&wizard.profile.get());
    view! {
        <form class="stack" on:submit=pair>
            <div class="field">
                <label for="pair-name">"Name"</label>
                <input class="input" id="pair-name" maxlength="80" autocomplete="off" placeholder=suggestion aria-describedby="pair-name-hint"
                    data-testid=testids::PAIR_NAME prop:value=wizard.name on:input=move |event| wizard.name.set(event_target_value(&event))/>
                <span class="hint" id="pair-name-hint">"A place or a label, never a patient’s name. Left empty, it is named after its profile."</span>
            </div>
            <code::Progress wizard=wizard/>
            <StepFailure wizard=wizard number=3/>
            <div class="row">
                <button type="submit" class="btn primary" disabled=move || wizard.busy.get() data-testid=testids::PAIR_CONFIRM>
                    {move || if wizard.busy.get() { "Pairing…" } else { "Pair and start recording" }}
                </button>
            </div>
        </form>
    }
}
