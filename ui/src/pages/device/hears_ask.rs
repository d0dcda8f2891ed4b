//! Asks which device this one wants to hear, and for how long.

use fog_api::{AskInteraction, DeviceStanding};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::hears::Hearing;
use crate::components::modal;
use crate::testids;
use crate::words::ledger;

/// For how long a device may ask to hear another, in seconds, and in words. The ledger's own bound is 30 days.
const SPANS: [(u64, &str); 5] = [
    (900, "15 minutes"),
    (3_600, "1 hour"),
    (8 * 3_600, "8 hours"),
    (24 * 3_600, "1 day"),
    (7 * 24 * 3_600, "7 days"),
];

/// The question; `open` shows it.
#[component]
pub fn WhichOne(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// The card's parts.
    hearing: Hearing,
) -> impl IntoView {
    let (source, seconds) = (RwSignal::new(String::new()), RwSignal::new(3_600_u64));
    let others = Memo::new(move |_| {
        let own = hearing.entry.facts.with(|facts| facts.handle.clone());
        hearing.registry.read(|all| {
            let others = all.iter().filter(|device| {
                device.handle != own && device.standing == DeviceStanding::InService
            });
            let named = others.map(|device| (device.handle.clone(), ledger::name(device)));
            named.collect::<Vec<_>>()
        })
    });
    let first = move || others.with_untracked(|all| all.first().map(|(handle, _)| handle.clone()));
    let (dialog, closed) = modal(open, move || {
        spawn_local(hearing.registry.ask());
        source.set(first().unwrap_or_default());
        seconds.set(3_600);
    });
    let is_any = move || source.with(|source| !source.is_empty());
    let ask = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if !is_any() {
            return;
        }
        open.set(false);
        let asked = AskInteraction {
            asker: hearing.entry.facts.with_untracked(|facts| facts.id.clone()),
            source: source.get_untracked(),
            seconds: seconds.get_untracked(),
        };
        hearing.send("/api/interactions".to_owned(), asked);
    };
    let devices = move || {
        let all = others.get().into_iter();
        all.map(|(handle, name)| {
            view! { <option value=handle.clone() selected=move || source.get() == handle>{name}</option> }
        })
        .collect_view()
    };
    let spans = SPANS.map(|(span, words)| {
        view! { <option value=span.to_string() selected=move || seconds.get() == span>{words}</option> }
    });
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="h-hear" on:close=closed>
            <form class="stack" on:submit=ask>
                <div><h2 id="h-hear">"Which device does it want to hear?"</h2>
                    <p class="soft">"One of the same organisation is granted at once. For another one’s, that organisation is asked, and decides. While it is granted, each reading goes on to this device, and the ledger says so."</p></div>
                <div class="field">
                    <label for="hear-source">"Device"</label>
                    <select class="input" id="hear-source" data-testid=testids::HEARS_SOURCE
                        on:change=move |event| source.set(event_target_value(&event))>{devices}</select>
                    <p class="hint" hidden=is_any>"No other device is on the ledger and in service."</p>
                </div>
                <div class="field">
                    <label for="hear-seconds">"For"</label>
                    <select class="input" id="hear-seconds" data-testid=testids::HEARS_SECONDS
                        on:change=move |event| seconds.set(event_target_value(&event).parse().unwrap_or(3_600))>{spans}</select>
                </div>
                <footer>
                    <button type="button" class="btn" autofocus on:click=move |_| open.set(false)>"Do not ask"</button>
                    <button type="submit" class="btn primary" data-testid=testids::HEARS_ASK_CONFIRM disabled=move || !is_any()>"Ask"</button>
                </footer>
            </form>
        </dialog>
    }
}
