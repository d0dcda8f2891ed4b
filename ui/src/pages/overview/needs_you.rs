//! *Needs you*: what happened, why, what to do; worst first.

use leptos::prelude::*;

use crate::components::StateMark;
use crate::live::{DeviceEntry, use_live};
use crate::oxygen;
use crate::route::Route;
use crate::testids;
use crate::words::device;
use crate::words::state::State;

/// At most so many are listed; the rest is one click away.
const MOST: usize = 6;

/// The card.
#[component]
pub fn NeedsYou() -> impl IntoView {
    let live = use_live();
    // Recomputed when a link changes, not when a value does.
    let needy = Memo::new(move |_| {
        let mut needy: Vec<(u8, String)> = live
            .devices()
            .into_iter()
            .filter_map(|entry| {
                let id = entry.facts.with_untracked(|facts| facts.id.clone());
                entry.needs_somebody().map(|state| (state.urgency(), id))
            })
            .collect();
        needy.sort();
        needy.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    });
    let shown = move || needy.get().into_iter().take(MOST).collect::<Vec<_>>();
    let more = move || needy.with(Vec::len).saturating_sub(MOST);
    view! {
        <section class="card" aria-labelledby="h-todo">
            <div class="card-head">
                <h2 id="h-todo">"Needs you"</h2>
                <span class="count">{move || needy.with(Vec::len)}</span>
                <span class="vh" role="status">{move || format!("{} need a hand", needy.with(Vec::len))}</span>
            </div>
            <ul class="todo">
                <For each=shown key=Clone::clone let:id>
                    {live.device(&id).map(|entry| view! { <Todo entry=entry id=id.clone()/> })}
                </For>
                <li hidden=move || needy.with(|needy| !needy.is_empty())>
                    <StateMark state=Signal::derive(move || if live.is_current() { State::Ok } else { State::Unknown })
                        word=Signal::derive(move || if live.is_current() { "All well" } else { "Unknown" }.to_owned()) bare=true/>
                    <p>{move || if live.is_current() {
                        "Nothing. Every device that should stream does."
                    } else {
                        "Not known now. See that the node runs: it records also without this window."
                    }}</p>
                </li>
                <li hidden=move || more() == 0>
                    <span></span>
                    <p>{move || format!("{} more need a hand.", more())}</p>
                    <a class="btn" href=Route::Devices.href()>"Show all devices"</a>
                </li>
            </ul>
        </section>
    }
}

#[component]
fn Todo(entry: DeviceEntry, id: String) -> impl IntoView {
    let live = use_live();
    let href = Route::Device(id.clone()).href();
    let state = Memo::new(move |_| entry.needs_somebody().unwrap_or(State::Unknown));
    let what = Memo::new(move |_| {
        let (name, link) = (
            entry.facts.with(|facts| facts.name.clone()),
            entry.link.with(|link| link.state),
        );
        // The age moves in steps of ten seconds: a list of tasks is calm.
        let now = live.now.get().div_euclid(10_000) * 10_000;
        if let (State::Critical, Some(since)) = (state.get(), entry.low_since.get()) {
            return oxygen::trouble(&name, since, now);
        }
        device::trouble(
            &name,
            link,
            entry.heard.get_untracked().filter(|heard| *heard < now),
            now,
        )
    });
    let why = move || {
        entry.link.with(|link| {
            let parts = [link.reason.clone(), link.next_step.clone()];
            parts
                .into_iter()
                .flatten()
                .map(sentence)
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    view! {
        <li data-testid=testids::NEEDS_YOU data-device=id>
            <StateMark state=state word=Signal::derive(move || state.get().word().to_owned()) bare=true/>
            <div>
                <h3>{move || what.get()}</h3>
                <p>{why}</p>
            </div>
            <a class="btn" href=href>"Open it"</a>
        </li>
    }
}

/// Words of the node as a sentence of their own.
fn sentence(words: String) -> String {
    let words = crate::words::number::capital(&words);
    if words.ends_with(['.', '!', '?']) {
        words
    } else {
        format!("{words}.")
    }
}
