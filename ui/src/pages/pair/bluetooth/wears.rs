//! Step 3: say who wears it, or nobody yet.

use fog_api::{Capability, ChangeDevice, Device, Patient};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Way;
use crate::components::{FailureNote, PatientPick};
use crate::failure::Failure;
use crate::live::use_live;
use crate::route::{Route, escape};
use crate::session::use_session;
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
                None => view! { <p class="soft small">"A patient, or nobody yet. It can be changed at any time."</p> }.into_any(),
                Some(device) => view! { <Form device=device/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Form(device: String) -> impl IntoView {
    let live = use_live();
    let may_assign = use_session().may(Capability::Assign);
    let chosen = RwSignal::new(None::<Patient>);
    let is_busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let is_named = Memo::new(move |_| chosen.with(Option::is_some));
    let finish = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        failure.set(None);
        let (device, named) = (device.clone(), chosen.get_untracked());
        spawn_local(async move {
            if let Some(Patient { id: patient, .. }) = named {
                let path = format!("/api/devices/{}/changes", escape(&device));
                let change = ChangeDevice::Assign { patient };
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
            {match may_assign {
                true => view! { <PatientPick chosen=chosen id="wears-subject" testid=testids::BLE_SUBJECT
                    hint="Somebody who is known here, or somebody new. Left empty, nobody wears it yet."/> }.into_any(),
                false => view! { <p class="soft small">"Who wears it is said by those who care for the patient."</p> }.into_any(),
            }}
            {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            <div class="row">
                <button type="submit" class="btn primary" disabled=is_busy data-testid=testids::BLE_FINISH>
                    {move || if is_named.get() { "Assign and finish" } else { "Finish, nobody yet" }}
                </button>
            </div>
        </form>
    }
}
