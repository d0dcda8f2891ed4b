//! Erasing a patient for good: what that means, her name typed once more, and the certificate of it.

use fog_api::{Erase as Asked, ErasureView, Patient};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, Hash, modal};
use crate::failure::Failure;
use crate::route::{Route, escape};
use crate::testids;
use crate::transport;
use crate::words::number::count;

/// The dialog; after the erasure it shows the certificate, and leads back to the list.
#[component]
pub(super) fn Erase(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// Who.
    patient: Signal<Option<Patient>>,
) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let erased = RwSignal::new(None::<ErasureView>);
    let (dialog, closed) = modal(open, move || {
        typed.set(String::new());
        failure.set(None);
    });
    let is_hers = move || {
        let name = patient.with(|patient| patient.as_ref().map(|of| of.name.trim().to_owned()));
        name.is_some_and(|name| typed.with(|typed| typed.trim() == name))
    };
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let id = patient.with_untracked(|patient| patient.as_ref().map(|of| of.id.clone()));
        let Some(id) = id.filter(|_| !busy.get_untracked()) else {
            return;
        };
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let path = format!("/api/patients/{}/erase", escape(&id));
            match transport::post::<ErasureView>(&path, &Asked { confirm: id }).await {
                Ok(view) => drop(erased.try_set(Some(view))),
                Err(why) => drop(failure.try_set(Some(why))),
            }
            busy.try_set(false);
        });
    };
    let name = move || patient.with(|patient| patient.as_ref().map(|of| of.name.clone()));
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="h-erase" on:close=closed>
            <form class="stack" on:submit=send hidden=move || erased.with(Option::is_some)>
                <div><h2 id="h-erase">"Erase "<bdi>{name}</bdi>" for good?"</h2>
                    <p class="soft">"The keys of all readings that are or may be hers are destroyed, with her name and everything by which the ledger’s handles could be traced to her. Nobody can undo it, neither can you. Other patients’ readings keep their proofs. What was disclosed before and backups of before are named on the certificate; they are not reached."</p></div>
                <div class="field">
                    <label for="erase-name">"Her name, once more"</label>
                    <input class="input" id="erase-name" autocomplete="off" data-testid=testids::PATIENT_ERASE_NAME
                        prop:value=typed on:input=move |event| typed.set(event_target_value(&event))/>
                </div>
                {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
                <footer>
                    <button type="button" class="btn" autofocus on:click=move |_| open.set(false)>"Keep her"</button>
                    <button type="submit" class="btn danger" disabled=move || busy.get() || !is_hers()
                        data-testid=testids::PATIENT_ERASE_CONFIRM>"Erase for good"</button>
                </footer>
            </form>
            {move || erased.get().map(|view| view! { <Certificate view=view/> })}
        </dialog>
    }
}

#[component]
fn Certificate(view: ErasureView) -> impl IntoView {
    let saved = RwSignal::new(None::<String>);
    let failure = RwSignal::new(None::<Failure>);
    let file = StoredValue::new(serde_json::to_string_pretty(&view.certificate));
    let save = move |_| {
        spawn_local(async move {
            let text = file.with_value(|file| file.as_ref().ok().cloned());
            let bytes = text.unwrap_or_default().into_bytes();
            match transport::save_file("certificate-of-erasure.json", &bytes).await {
                Ok(place) => drop(saved.try_set(Some(place))),
                Err(why) => drop(failure.try_set(Some(why))),
            }
        });
    };
    let (backups, served) = (view.backups.len() as u64, view.disclosed.len() as u64);
    let not_reached = [
        (
            backups,
            count(backups, "backup of before", "backups of before"),
        ),
        (
            served,
            count(served, "request served before", "requests served before"),
        ),
    ];
    let not_reached = not_reached.into_iter().filter(|(number, _)| *number > 0);
    let not_reached = not_reached.map(|(_, what)| view! { <dt>"Not reached"</dt><dd>{what}</dd> });
    view! {
        <div data-testid=testids::PATIENT_ERASED>
            <h2>"Erased"</h2>
            <p class="soft">"The ledger is told by a tombstone, and the organisation’s other nodes follow it. Give the certificate to whoever asked for the erasure: it names nobody, and this node keeps no note of whose it is."</p>
            <dl class="kv">
                <dt>"Gone"</dt><dd>{count(view.readings, "reading", "readings")}</dd>
                <dt>"Ended"</dt><dd>{count(view.ended.len() as u64, "request", "requests")}</dd>
                {not_reached.collect_view()}
                <dt>"Tombstone"</dt><dd><Hash text=view.handle/></dd>
            </dl>
            {move || saved.get().map(|place| view! { <p class="small soft">"Saved as "{place}"."</p> })}
            {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
        </div>
        <footer>
            <a class="btn" href=Route::Patients.href()>"All patients"</a>
            <button type="button" class="btn primary" data-testid=testids::PATIENT_CERTIFICATE on:click=save>"Save the certificate"</button>
        </footer>
    }
}
