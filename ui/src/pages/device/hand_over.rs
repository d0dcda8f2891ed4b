//! Asks to which node of the consortium the device is handed over.

use fog_api::{Device, HandOver};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::modal;
use crate::consortium::use_consortium;
use crate::failure::Failure;
use crate::live::DeviceEntry;
use crate::route::escape;
use crate::testids;

/// The question; `open` shows it.
#[component]
pub fn ToWhom(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// The device.
    entry: DeviceEntry,
    /// Whether something is asked of the ledger already.
    is_busy: RwSignal<bool>,
    /// Why it could not be handed over, for the card.
    failure: RwSignal<Option<Failure>>,
) -> impl IntoView {
    let consortium = use_consortium();
    let others = consortium.part(|view| {
        let others = view.nodes.iter().filter(|node| !node.here);
        let named = others.map(|node| (node.key.clone(), node.name.clone(), node.heard));
        named.collect::<Vec<_>>()
    });
    let chosen = RwSignal::new(String::new());
    let first = move || others.with_untracked(|all| all.first().map(|(key, ..)| key.clone()));
    let (dialog, closed) = modal(open, move || {
        consortium.ask();
        chosen.set(first().unwrap_or_default());
    });
    let name = Signal::derive(move || {
        let name = |all: &Vec<(String, String, bool)>| {
            let found = all.iter().find(|(key, ..)| *key == chosen.get());
            found.map(|(_, name, _)| name.clone())
        };
        others.with(name)
    });
    let hand_over = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let to = chosen.get_untracked();
        if to.is_empty() || is_busy.get_untracked() {
            return;
        }
        open.set(false);
        is_busy.set(true);
        failure.set(None);
        let id = entry.facts.with_untracked(|facts| facts.id.clone());
        let path = format!("/api/devices/{}/handover", escape(&id));
        spawn_local(async move {
            let done = crate::transport::post::<Device>(&path, &HandOver { to }).await;
            // The page may be gone by now.
            is_busy.try_set(false);
            match done {
                Ok(device) => entry.facts.try_set(device).map(drop),
                Err(why) => failure.try_set(Some(why)).map(drop),
            };
        });
    };
    let options = move || {
        let all = others.get().into_iter();
        all.map(|(key, name, heard)| {
            let words = if heard { name } else { format!("{name} (not heard now)") };
            view! { <option value=key.clone() selected=move || chosen.get() == key>{words}</option> }
        })
        .collect_view()
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="h-hand-over" on:close=closed>
            <form class="stack" on:submit=hand_over>
                <div>
                    <h2 id="h-hand-over">"Hand it over to another node"</h2>
                    <p class="soft">"This node stops reading it at once. The other node is asked to take it: it gets the pairing, and the key here is destroyed. Whose it is goes with it, the bed does not. Until it is taken, nobody reads it; what it sends meanwhile is named as missing, unless it keeps it."</p>
                </div>
                <div class="field">
                    <label for="hand-over-to">"Node"</label>
                    <select class="input" id="hand-over-to" data-testid=testids::HAND_OVER_TO
                        on:change=move |event| chosen.set(event_target_value(&event))>{options}</select>
                </div>
                <footer>
                    <button type="button" class="btn" autofocus data-testid=testids::HAND_OVER_KEEP on:click=move |_| open.set(false)>"Keep it here"</button>
                    <button type="submit" class="btn primary" data-testid=testids::HAND_OVER_CONFIRM disabled=move || name.get().is_none()>
                        "Hand it over to "<bdi>{move || name.get().unwrap_or_else(|| "a node".to_owned())}</bdi>
                    </button>
                </footer>
            </form>
        </dialog>
    }
}
