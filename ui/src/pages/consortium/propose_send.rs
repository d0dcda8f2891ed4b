//! Step 3: why, what it would break, and the button that sends it.

use fog_api::consortium::{ProposalRow, ProposeChange};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::preflight::Preflight;
use super::propose::Draft;
use crate::components::{Ask, FailureNote};
use crate::draft::{Kind, decides_alone};
use crate::route::Route;
use crate::testids;
use crate::transport;
use crate::words::votes;

/// Hours a proposal may be voted on, with their words.
const OPEN: [(u32, &str); 4] = [
    (24, "1 day"),
    (72, "3 days"),
    (168, "7 days"),
    (720, "30 days"),
];
/// Longest reason in bytes, as the ledger takes it.
const REASON_BYTES: usize = 500;

/// What follows where one voice is enough.
const AT_ONCE: &str = "Your organisation’s voice alone decides this: it takes effect at once.";
/// What follows else.
const BY_VOTES: &str = "All organisations see the proposal and its reason; their votes decide.";

/// The step.
#[component]
pub fn Send(draft: Draft) -> impl IntoView {
    let here = Memo::new(move |_| draft.step.get() == 3);
    view! {
        <div>
            <div class="brief"><h3>"Say why, see what breaks, send it"</h3></div>
            {move || if here.get() {
                view! { <Form draft=draft/> }.into_any()
            } else {
                view! { <p class="soft small">"Nothing is sent before you have seen what it would break."</p> }.into_any()
            }}
        </div>
    }
}

/// Sends the draft; answers by going back to the consortium, or with why not.
fn send(draft: Draft, busy: RwSignal<bool>) {
    let Some(change) = untrack(|| draft.change()) else {
        return;
    };
    let request = ProposeChange {
        change,
        reason: draft.reason.get_untracked().trim().to_owned(),
        open_hours: Some(draft.hours.get_untracked()),
        force: draft.force.get_untracked(),
    };
    busy.set(true);
    draft.failure.set(None);
    spawn_local(async move {
        let answer = transport::post::<ProposalRow>("/api/consortium/proposals", &request).await;
        busy.try_set(false);
        match answer {
            Ok(_) => {
                draft.desk.ask();
                // The address of this page is always writable.
                location().set_hash(&Route::Consortium.href()).ok();
            }
            Err(why) => {
                // The page may be gone by now.
                draft.failure.try_set(Some(why));
            }
        }
    });
}

#[component]
fn Form(draft: Draft) -> impl IntoView {
    let busy = RwSignal::new(false);
    let asking = RwSignal::new(false);
    let kind = move || draft.kind.get().unwrap_or(Kind::Rules);
    let name = move || {
        let chosen = draft
            .chosen
            .with(|chosen| chosen.as_ref().map(|choice| choice.label.clone()));
        chosen.unwrap_or_default()
    };
    let effect = Signal::derive(move || kind().effect(&name()));
    let change = Memo::new(move |_| draft.change());
    let found = draft.found;
    let halts = Memo::new(move |_| found.with(|found| found.as_deref().is_some_and(votes::halts)));
    let at_once = Memo::new(move |_| {
        let key = draft
            .chosen
            .with(|chosen| chosen.as_ref().map(|choice| choice.key.clone()));
        let key = key.unwrap_or_default();
        draft.desk.read(|view| decides_alone(kind(), &key, view))
    });
    let hinders = Memo::new(move |_| {
        if draft.reason.with(String::len) > REASON_BYTES {
            Some("The reason is longer than 500 bytes.")
        } else if halts.get() && !draft.force.get() {
            Some("The ledger would halt; tick that you know, or choose another change.")
        } else {
            None
        }
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || hinders.with_untracked(Option::is_some) {
            return;
        }
        if kind().removes() || halts.get_untracked() {
            asking.set(true);
        } else {
            send(draft, busy);
        }
    };
    let question = Signal::derive(move || format!("{}?", effect.get()));
    let explains = Signal::derive(move || {
        let verdict = found.with(|found| found.as_deref().map(votes::verdict));
        format!(
            "{} {}",
            verdict.unwrap_or_else(|| "What it would break is not known.".to_owned()),
            if at_once.get() { AT_ONCE } else { BY_VOTES }
        )
    });
    view! {
        <form class="stack" on:submit=submit>
            <Why draft=draft/>
            <Preflight desk=draft.desk change=change found=found/>
            <label class="check" hidden=move || !halts.get()>
                <input type="checkbox" data-testid=testids::PROPOSE_FORCE prop:checked=move || draft.force.get()
                    on:change=move |event| draft.force.set(event_target_checked(&event))/>
                <span><b>"I know that the ledger would halt"</b>" and how it goes on afterwards."</span>
            </label>
            {move || draft.failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            <div class="row">
                <button type="submit" class="btn" class:danger=move || kind().removes() || halts.get()
                    class:primary=move || !kind().removes() && !halts.get()
                    disabled=move || busy.get() || hinders.with(Option::is_some) data-testid=testids::PROPOSE_SEND>
                    {move || if busy.get() { "Waiting until it is final…".to_owned() } else { effect.get() }}
                </button>
                <span class="dim small" role="status">{move || hinders.get().or(at_once.get().then_some(AT_ONCE))}</span>
            </div>
        </form>
        <Ask open=asking question=question explains=explains keep="Not now" act="Propose it"
            on_act=move |()| send(draft, busy) testids=(testids::PROPOSE_KEEP, testids::PROPOSE_CONFIRM)/>
    }
}

/// The reason, and how long the vote is open.
#[component]
fn Why(draft: Draft) -> impl IntoView {
    let options = OPEN
        .map(|(value, words)| {
            let selected = draft.hours.get_untracked() == value;
            view! { <option value=value.to_string() selected=selected>{words}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="propose-reason">"Why"</label>
            <textarea class="input" id="propose-reason" maxlength="500" aria-describedby="propose-reason-hint"
                data-testid=testids::PROPOSE_REASON prop:value=draft.reason
                on:input=move |event| draft.reason.set(event_target_value(&event))></textarea>
            <span class="hint" id="propose-reason-hint">"For the others’ admins. It stands in the ledger for ever: no patient, no name of staff."</span>
        </div>
        <div class="field">
            <label for="propose-hours">"Open for votes"</label>
            <select class="input short" id="propose-hours" data-testid=testids::PROPOSE_HOURS
                on:change=move |event| if let Ok(chosen) = event_target_value(&event).parse() { draft.hours.set(chosen); }>{options}</select>
        </div>
    }
}
