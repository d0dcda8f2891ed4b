//! Which devices may hear this one and which it may hear: what is asked, what holds, and what came of it.
//!
//! Decided on the ledger. For how long was said by who asked; who is asked says yes or no.

use fog_api::{DecideInteraction, Interaction, LedgerDevice};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::hears_ask::WhichOne;
use crate::components::{Ask, FailureNote, Loading, StateMark};
use crate::failure::Failure;
use crate::live::{DeviceEntry, use_live};
use crate::route::escape;
use crate::testids;
use crate::watched::{self, Watched};
use crate::words::ledger::{self, Turn};

/// How many that are over are shown.
const PAST: usize = 3;

/// What the card works with.
#[derive(Clone, Copy)]
pub struct Hearing {
    /// The device of the page.
    pub entry: DeviceEntry,
    /// All interactions.
    pub all: Watched<Vec<Interaction>>,
    /// All devices on the ledger.
    pub registry: Watched<Vec<LedgerDevice>>,
    /// Whether something is asked of the ledger already.
    pub is_busy: RwSignal<bool>,
    /// Why that was refused.
    pub failure: RwSignal<Option<Failure>>,
}

impl Hearing {
    /// Sends what is asked of the ledger, one at a time, and shows what came of it.
    pub fn send(self, path: String, body: impl serde::Serialize + 'static) {
        if self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let done = crate::transport::post::<Interaction>(&path, &body).await;
            // The page may be gone by now.
            if let Err(why) = done {
                self.failure.try_set(Some(why));
            }
            self.all.ask().await;
            self.is_busy.try_set(false);
        });
    }

    fn decide(self, id: &str, allow: bool) {
        let path = format!("/api/interactions/{}/decision", escape(id));
        self.send(path, DecideInteraction { allow });
    }
}

/// The card.
#[component]
pub fn HearsCard(
    /// The device.
    entry: DeviceEntry,
) -> impl IntoView {
    let hearing = Hearing {
        entry,
        all: watched::interactions(),
        registry: watched::ledger_devices(),
        is_busy: RwSignal::new(false),
        failure: RwSignal::new(None),
    };
    let own = Memo::new(move |_| {
        let handle = entry.facts.with(|facts| facts.handle.clone());
        hearing
            .all
            .read(|all| ledger::of_device(all, &handle, PAST))
    });
    let ids = Memo::new(move |_| {
        own.with(|own| {
            own.iter()
                .map(|interaction| interaction.id.clone())
                .collect::<Vec<_>>()
        })
    });
    let is_told = Memo::new(move |_| hearing.all.answer.with(Option::is_some));
    let failed = move || hearing.all.failure.get().filter(|_| !is_told.get());
    let asks = RwSignal::new(false);
    view! {
        <section class="card" aria-labelledby="h-hears">
            <div class="card-head"><h2 id="h-hears">"Who may hear it"</h2></div>
            {move || match (failed(), is_told.get()) {
                (Some(failure), _) => view! { <div class="card-body"><FailureNote failure=failure/></div> }.into_any(),
                (None, false) => view! { <Loading what="Asking the node which device may hear which"/> }.into_any(),
                (None, true) => view! {
                    <ul class="hears">
                        <For each=move || ids.get() key=Clone::clone let:id>
                            <Row hearing=hearing own=own id=id/>
                        </For>
                    </ul>
                    <div class="card-body" hidden=move || ids.with(|ids| !ids.is_empty())>
                        <p class="soft">"No other device hears this one, and it hears none. Sensors never talk to each other directly: the consortium decides, and the node relays."</p>
                    </div>
                }.into_any(),
            }}
            {move || hearing.failure.get().map(|failure| view! { <div class="card-body"><FailureNote failure=failure/></div> })}
            <div class="card-foot row">
                <button type="button" class="btn" disabled=hearing.is_busy data-testid=testids::HEARS_ASK on:click=move |_| asks.set(true)>
                    "Ask to hear another device"
                </button>
            </div>
        </section>
        <WhichOne open=asks hearing=hearing/>
    }
}

#[component]
fn Row(hearing: Hearing, own: Memo<Vec<Interaction>>, id: String) -> impl IntoView {
    let live = use_live();
    let id = StoredValue::new(id);
    let row = Memo::new(move |_| {
        own.with(|own| id.with_value(|id| own.iter().find(|row| row.id == *id).cloned()))
    });
    let is_heard =
        move |row: &Interaction| hearing.entry.facts.with(|facts| facts.handle == row.source);
    let says = move || {
        let row = row.get()?;
        let is_heard = is_heard(&row);
        let (handle, name) = match is_heard {
            true => (&row.asker, row.asker_name.as_ref()),
            false => (&row.source, row.source_name.as_ref()),
        };
        let other = hearing.registry.answer.with(|registry| {
            ledger::name_in(registry.as_deref().unwrap_or_default(), handle, name)
        });
        Some(ledger::sentence(row.state, is_heard, &other))
    };
    let turn = Memo::new(move |_| row.with(|row| row.as_ref().map(Turn::of)));
    let state = Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.state)));
    let mark = move || {
        state.get().map(|state| {
            let (state, word) = ledger::mark(state);
            view! { <StateMark state=state word=word.to_owned()/> }
        })
    };
    let left = Memo::new(move |_| {
        let now = live.now.get();
        row.with(|row| row.as_ref().and_then(|row| ledger::left(row, now)))
    });
    let came = move || match turn.get() {
        Some(Turn::Holds) => row.with(|row| row.as_ref().map(|row| ledger::relayed(&row.relay))),
        Some(Turn::AskedElsewhere) => Some("The other organisation has not decided yet".to_owned()),
        _ => None,
    };
    let may_end = Memo::new(move |_| row.with(|row| row.as_ref().is_some_and(|row| row.may_end)));
    let ends = RwSignal::new(false);
    let decide = move |allow| id.with_value(|id| hearing.decide(id, allow));
    let buttons = move || {
        match (turn.get(), may_end.get()) {
        (Some(Turn::AskedHere), _) => view! {
            <button type="button" class="btn primary" disabled=hearing.is_busy data-testid=testids::HEARS_ALLOW on:click=move |_| decide(true)>
                "Allow"{move || left.get().map(|left| format!(" for {left}"))}
            </button>
            <button type="button" class="btn" disabled=hearing.is_busy data-testid=testids::HEARS_DENY on:click=move |_| decide(false)>"Deny"</button>
        }.into_any(),
        (Some(Turn::Holds), true) => view! {
            <button type="button" class="btn" disabled=hearing.is_busy data-testid=testids::HEARS_END on:click=move |_| ends.set(true)>"End it"</button>
        }.into_any(),
        (Some(Turn::AskedElsewhere), true) => view! {
            <button type="button" class="btn" disabled=hearing.is_busy data-testid=testids::HEARS_END on:click=move |_| decide(false)>"Ask no more"</button>
        }.into_any(),
        _ => ().into_any(),
    }
    };
    let question = Signal::derive(move || {
        says().map_or_else(String::new, |says| format!("{says}. End it now?"))
    });
    view! {
        <li data-testid=testids::HEARS_ROW data-interaction=id.get_value()
            data-state=move || state.get().map(|state| format!("{state:?}"))>
            <div class="row spread"><h3>{says}</h3>{mark}</div>
            <p class="soft num-text" hidden=move || left.get().is_none()>{move || left.get().map(|left| format!("{left} left"))}</p>
            <p class="soft num-text" aria-live="off">{came}</p>
            <div class="row">{buttons}</div>
            <Ask open=ends question=question explains="No further reading is relayed, from this moment on and on every node. What was relayed stays with who heard it. It can be asked for again."
                keep="Let it go on" act="End it" on_act=move |()| decide(false)
                testids=(testids::HEARS_END_KEEP, testids::HEARS_END_CONFIRM)/>
        </li>
    }
}
