//! The Bluetooth adapters of the node's machine, each with its self-test; nothing where there are none.

use leptos::prelude::*;

use super::parts::{Buttons, Newest, Older};
use super::{Subject, Tests};
use crate::bluetooth::Nearby;
use crate::components::StateMark;
use crate::testids;
use crate::words::bluetooth::adapter_state;
use crate::words::number::thousands;

const MEANWHILE: &str =
    "Paired Bluetooth devices are not read while it is measured, about a minute.";

/// The card.
#[component]
pub fn Adapters(nearby: Nearby) -> impl IntoView {
    let names = Memo::new(move |_| {
        nearby.view.with(|view| {
            let all = view.iter().flat_map(|view| &view.adapters);
            all.map(|adapter| adapter.name.clone()).collect::<Vec<_>>()
        })
    });
    view! {
        <section class="card" aria-labelledby="h-adapters" hidden=move || names.with(Vec::is_empty)>
            <div class="card-head">
                <h2 id="h-adapters">"Bluetooth adapters"</h2><span class="count">{move || thousands(names.with(Vec::len) as u64)}</span>
                <p>"tested with the paired devices, five at most"</p>
            </div>
            <For each=move || names.get() key=Clone::clone let:name>
                <Adapter nearby=nearby name=name/>
            </For>
        </section>
    }
}

#[component]
fn Adapter(nearby: Nearby, name: String) -> impl IntoView {
    let of = name.clone();
    let adapter = Memo::new(move |_| {
        nearby.view.with(|view| {
            let mut all = view.iter().flat_map(|view| &view.adapters);
            all.find(|adapter| adapter.name == of).cloned()
        })
    });
    let is_chosen = move || {
        adapter.with(|adapter| {
            let chosen = nearby
                .view
                .with(|view| view.as_ref().and_then(|view| view.chosen.clone()));
            adapter.as_ref().is_some_and(|adapter| {
                chosen.is_some()
                    && (chosen.as_ref() == Some(&adapter.name) || chosen == adapter.address)
            })
        })
    };
    let is_on = Signal::derive(move || {
        adapter.with(|adapter| adapter.as_ref().is_some_and(|adapter| adapter.is_on))
    });
    let address = adapter.with_untracked(|adapter| adapter.as_ref()?.address.clone());
    let tests = Tests::of(Subject::Adapter {
        address: address.clone().unwrap_or_else(|| name.clone()),
        name: name.clone(),
    });
    let (label, title) = (format!("Adapter {name}"), name.clone());
    view! {
        <section class="adapter" aria-label=label data-testid=testids::ADAPTER data-adapter=name>
            <div class="card-head">
                <h3><bdi>{title}</bdi></h3>
                <StateMark state=Signal::derive(move || adapter_state(is_on.get()).0)
                    word=Signal::derive(move || adapter_state(is_on.get()).1.to_owned())/>
                <p><bdi class="hash">{address}</bdi><span hidden=move || !is_chosen()>" · chosen for this node"</span></p>
                <div class="push row"><Buttons tests=tests meanwhile=MEANWHILE/></div>
            </div>
            <Newest tests=tests meanwhile=MEANWHILE/>
            <Older tests=tests/>
        </section>
    }
}
