//! Step 3: say who wears it, or nobody yet.

use fog_api::{ChangeDevice, Device};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Way;
use crate::components::FailureNote;
use crate::failure::Failure;
use crate::live::use_live;
use crate::route::{Route, escape};
use crate::testids;
use crate::transport;

/// The step.
#[component]
pub(super) fn Wears(way: Way) -> impl IntoView {
    let paired = Memo::new(move |_| way.paired());
    view! {
        <div>
            <div class="brief"><h3>"Say who wears it"</h3></div>
            {move || match paired.get() {
                None => view! { <p class="soft small">"A patient by pseudonym, or nobody yet. It can be changed at any time."</p> }.into_any(),
                Some(device) => view! { <Form device=device/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Form(device: String) -> impl IntoView {
    let live = use_live();
    let subject = RwSignal::new(String::new());
    let is_busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let is_named = Memo::new(move |_| subject.with(|subject| !subject.trim().is_empty()));
    let finish = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        failure.set(None);
        let (device, named) = (device.clone(), subject.get_untracked());
        let is_named = is_named.get_untracked();
        spawn_local(async move {
            if is_named {
                let path = format!("/api/devices/{}/changes", escape(&device));
                let change = ChangeDevice::Assign { subject: named };
                if let Err(why) = transport::post::<Device>(&path, &change).await {
                    // The page may be gone by now.
                    failure.try_set(Some(why));
                    is_busy.try_set(false);
                    return;
                }
            }
            live.refetch_devices().await;
            // The address of this page is always writable.
            location().set_hash(&Route::Device(device).href()).ok();
        });
    };
    view! {
        <form class="stack" on:submit=finish>
            <div class="field">
                <label for="wears-subject">"Pseudonym"</label>
                <input class="input" id="wears-subject" maxlength="80" autocomplete="off" spellcheck="false" autofocus
                    aria-describedby="wears-hint" data-testid=testids::BLE_SUBJECT
                    prop:value=subject on:input=move |event| subject.set(event_target_value(&event))/>
                <p class="hint" id="wears-hint">"As the patient is known here, such as P-4417. Never the name. Left empty, nobody wears it yet."</p>
            </div>
            {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            <div class="row">
                <button type="submit" class="btn primary" disabled=is_busy data-testid=testids::BLE_FINISH>
                    {move || if is_named.get() { "Assign and finish" } else { "Finish, nobody yet" }}
                </button>
            </div>
        </form>
    }
}
