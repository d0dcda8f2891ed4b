//! Asks at which bed the device is.

use fog_api::{Device, Place, PlaceDevice};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::modal;
use crate::failure::Failure;
use crate::live::DeviceEntry;
use crate::route::escape;
use crate::testids;

/// The question; `open` shows it.
#[component]
pub fn Where(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// The device.
    entry: DeviceEntry,
    /// Where it is now.
    place: Memo<Option<Place>>,
    /// Why it could not be noted, for the card.
    failure: RwSignal<Option<Failure>>,
) -> impl IntoView {
    let (ward, bed) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (dialog, closed) = modal(open, move || {
        let now = place.get_untracked();
        let (in_ward, at_bed) = now.map(|place| (place.ward, place.bed)).unzip();
        ward.set(in_ward.unwrap_or_default());
        bed.set(at_bed.unwrap_or_default());
    });
    let is_empty = move || {
        [ward, bed]
            .iter()
            .any(|part| part.with(|part| part.trim().is_empty()))
    };
    let send = move |place: Option<Place>| {
        open.set(false);
        failure.set(None);
        let id = entry.facts.with_untracked(|facts| facts.id.clone());
        let path = format!("/api/devices/{}/place", escape(&id));
        spawn_local(async move {
            // The page may be gone by now.
            match crate::transport::post::<Device>(&path, &PlaceDevice { place }).await {
                Ok(device) => entry.facts.try_set(device).map(drop),
                Err(why) => failure.try_set(Some(why)).map(drop),
            };
        });
    };
    let put = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if !is_empty() {
            let (ward, bed) = (ward.get_untracked(), bed.get_untracked());
            send(Some(Place { ward, bed }));
        }
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="h-where" on:close=closed>
            <form class="stack" on:submit=put>
                <div><h2 id="h-where">"At which bed is it?"</h2>
                    <p class="soft">"The ward’s wall shows what is measured at each bed, to everybody who passes. Several devices may be at one bed."</p></div>
                <div class="pair">
                    <div class="field">
                        <label for="place-ward">"Ward"</label>
                        <input class="input" id="place-ward" maxlength="16" autocomplete="off" spellcheck="false" autofocus
                            data-testid=testids::DEVICE_WARD prop:value=ward on:input=move |event| ward.set(event_target_value(&event))/>
                    </div>
                    <div class="field">
                        <label for="place-bed">"Bed"</label>
                        <input class="input" id="place-bed" maxlength="8" autocomplete="off" spellcheck="false" aria-describedby="place-hint"
                            data-testid=testids::DEVICE_BED prop:value=bed on:input=move |event| bed.set(event_target_value(&event))/>
                    </div>
                </div>
                <p class="hint" id="place-hint">"As the doors say it, such as 3A and 09. Never the name of a patient."</p>
                <footer>
                    <button type="button" class="btn" on:click=move |_| open.set(false)>"Leave it as it is"</button>
                    {move || place.get().map(|_| view! {
                        <button type="button" class="btn" data-testid=testids::DEVICE_NOWHERE on:click=move |_| send(None)>"It is at no bed"</button>
                    })}
                    <button type="submit" class="btn primary" data-testid=testids::DEVICE_PLACE_CONFIRM disabled=is_empty>"It is there"</button>
                </footer>
            </form>
        </dialog>
    }
}
