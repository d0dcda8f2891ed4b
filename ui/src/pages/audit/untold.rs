//! What other nodes gave to this node's people and promised to tell, and never did; and how somebody settles it.

use fog_api::{PromisedReceipt, SettlePromise};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, StateMark};
use crate::failure::Failure;
use crate::words::state::State;
use crate::{testids, transport};

/// What was found out, and what to do about it.
#[component]
pub(super) fn Untold(
    /// What it is.
    all: RwSignal<Vec<PromisedReceipt>>,
) -> impl IntoView {
    let transactions = Memo::new(move |_| {
        all.with(|all| {
            let ids = all.iter().map(|receipt| receipt.transaction.clone());
            ids.collect::<Vec<_>>()
        })
    });
    view! {
        <section class="card" aria-labelledby="h-untold" hidden=move || all.with(Vec::is_empty)>
            <div class="card-head"><h2 id="h-untold">"Promised, never told"</h2><span class="count">{move || all.with(Vec::len)}</span></div>
            <ul class="todo">
                <For each=move || transactions.get() key=Clone::clone let:transaction>
                    <Item all=all transaction=transaction/>
                </For>
            </ul>
        </section>
    }
}

/// One receipt; a form, until somebody has settled it.
#[component]
fn Item(all: RwSignal<Vec<PromisedReceipt>>, transaction: String) -> impl IntoView {
    let reason = RwSignal::new(String::new());
    let is_busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let is_empty = move || reason.with(|reason| reason.trim().is_empty());

    let id = StoredValue::new(transaction.clone());
    let own = Memo::new(move |_| {
        let is_own = |receipt: &&PromisedReceipt| id.with_value(|id| *id == receipt.transaction);
        all.with(|all| all.iter().find(is_own).cloned())
    });
    let is_settled =
        Memo::new(move |_| own.with(|own| own.as_ref().is_some_and(|own| own.settled.is_some())));
    let words = move || own.with(|own| own.as_ref().map(|own| own.words.clone()));
    let state = Signal::derive(move || match is_settled.get() {
        true => State::Ok,
        false => State::Attention,
    });
    let word = Signal::derive(move || match is_settled.get() {
        true => "Settled".to_owned(),
        false => State::Attention.word().to_owned(),
    });
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if is_empty() || is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        failure.set(None);
        let path = id.with_value(|id| format!("/api/audit/promises/{id}/settle"));
        let reason = reason.get_untracked();
        spawn_local(async move {
            // The page may be gone by now.
            match transport::post::<PromisedReceipt>(&path, &SettlePromise { reason }).await {
                Ok(settled) => {
                    all.try_update(|all| {
                        let mut all = all.iter_mut();
                        let own = all.find(|one| one.transaction == settled.transaction);
                        own.map(|own| *own = settled)
                    });
                }
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
            is_busy.try_set(false);
        });
    };
    let field = format!("settle-{transaction}");
    view! {
        <li data-testid=testids::AUDIT_UNTOLD data-transaction=transaction data-settled=move || is_settled.get().to_string()>
            <StateMark state=state word=word bare=true/>
            <div>
                <p>{words}</p>
                <form class="row" hidden=is_settled on:submit=send>
                    <label class="vh" for=field.clone()>"Why the receipt did not come"</label>
                    <input class="input" id=field maxlength="500" autocomplete="off" placeholder="What they say it was"
                        data-testid=testids::AUDIT_REASON
                        prop:value=reason on:input=move |event| reason.set(event_target_value(&event))/>
                    <button type="submit" class="btn" disabled=move || is_busy.get() || is_empty()
                        data-testid=testids::AUDIT_SETTLE>"Settle"</button>
                </form>
                {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            </div>
        </li>
    }
}
