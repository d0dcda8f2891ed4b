//! *Needs you*: what happened, why, what to do; worst first.

use leptos::prelude::*;

use crate::components::StateMark;
use crate::components::notices::notices_now;
use crate::live::{DeviceEntry, use_live};
use crate::oxygen;
use crate::route::Route;
use crate::testids;
use crate::words::device;
use crate::words::notices::Notice;
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
    let notices = Memo::new(move |_| notices_now(live));
    let count = move || needy.with(Vec::len) + notices.with(Vec::len);
    view! {
        <section class="card" aria-labelledby="h-todo">
            <div class="card-head">
                <h2 id="h-todo">"Needs you"</h2>
                <span class="count">{count}</span>
                <span class="vh" role="status">{move || format!("{} need a hand", count())}</span>
            </div>
            <ul class="todo">
                {move || notices.get().into_iter().map(notice_item).collect_view()}
                <For each=shown key=Clone::clone let:id>
                    {live.device(&id).map(|entry| view! { <Todo entry=entry id=id.clone()/> })}
                </For>
                <li hidden=move || count() != 0>
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

fn notice_item(notice: Notice) -> impl IntoView {
    let state = State::Attention;
    view! {
        <li data-testid=testids::NEEDS_YOU data-about=notice.about>
            <StateMark state=state word=state.word().to_owned() bare=true/>
            <div>
                <h3>{notice.what}</h3>
                <p>{notice.why}</p>
            </div>
            <a class="btn" href=Route::Requests.href()>"Open it"</a>
        </li>
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
