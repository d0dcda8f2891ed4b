//! One request: who asks for what, where it stands, and what the person at this window may do about it.

use fog_api::{AccessRow, AccessState, DecideAccess, Disclosure, ReadAccess, ReviewAccess};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::live::may_follow;
use super::{Desk, told};
use crate::components::{FailureNote, Icon, StateMark, modal};
use crate::failure::Failure;
use crate::live::use_live;
use crate::route::escape;
use crate::words::requests;
use crate::words::state::State;
use crate::{testids, transport};

const DAY: i64 = 24 * 3_600_000;

/// The row, with the request itself behind a button.
#[component]
pub(super) fn Row(row: AccessRow, desk: Desk, now: Memo<i64>) -> impl IntoView {
    let open = RwSignal::new(false);
    let (state, word) = requests::standing(&row);
    let stripe = state.filter(|_| row.may_decide || row.may_review);
    let stripe = stripe.map(|state| state.key());
    let left = {
        let row = row.clone();
        move || requests::left(&row, now.get())
    };
    let mark = match state {
        Some(state) => view! { <StateMark state=state word=word.to_owned()/> }.into_any(),
        None => {
            view! { <span class="state"><Icon name="lock"/><span>{word}</span></span> }.into_any()
        }
    };
    let asker = requests::asker(&row);
    view! {
        <tr data-state=stripe data-testid=testids::REQUEST_ROW data-handle=row.handle.clone() data-standing=word>
            <th scope="row" class="wrap"><bdi>{asker.clone()}</bdi><small>{told(&row)}</small></th>
            <td>{mark}</td>
            <td class="num" data-p="2">{left}</td>
            <td class="num">
                <button type="button" class="btn quiet icon-only" data-testid=testids::REQUEST_OPEN on:click=move |_| open.set(true)>
                    <Icon name="more"/><span class="vh">"Open the request of "{asker}</span>
                </button>
                <Whole row=row.clone() desk=desk open=open/>
            </td>
        </tr>
    }
}

/// The whole request, and the answers that are open to the person.
#[component]
fn Whole(row: AccessRow, desk: Desk, open: RwSignal<bool>) -> impl IntoView {
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    let (dialog, closed) = modal(open, move || failure.set(None));
    let path = StoredValue::new(format!("/api/access/{}", escape(&row.handle)));
    let at = move |what: &str| path.with_value(|path| format!("{path}/{what}"));
    let sent = move |outcome: Result<AccessRow, Failure>| {
        busy.try_set(false);
        match outcome {
            Ok(_) => {
                open.try_set(false);
                desk.ask();
            }
            Err(why) => {
                failure.try_set(Some(why));
            }
        }
    };
    let begin = move || {
        failure.set(None);
        busy.set(true);
    };
    let decide = move |allow: bool| {
        begin();
        spawn_local(async move {
            sent(transport::post(&at("decision"), &DecideAccess { allow }).await)
        });
    };
    let review = move |is_justified: bool| {
        begin();
        let said = ReviewAccess { is_justified };
        spawn_local(async move { sent(transport::post(&at("review"), &said).await) });
    };
    let end = move |_| {
        begin();
        spawn_local(async move { sent(transport::post(&at("end"), &()).await) });
    };
    let until = i64::try_from(row.until).unwrap_or(i64::MAX);
    let read = move |_| {
        begin();
        // A day is what one looks at; the command line reads any part.
        let asked = ReadAccess {
            from: Some(until.saturating_sub(DAY)),
            ..ReadAccess::default()
        };
        spawn_local(async move {
            let said: Result<Disclosure, Failure> = transport::post(&at("read"), &asked).await;
            busy.try_set(false);
            match said {
                Ok(shown) => {
                    open.try_set(false);
                    desk.shown.try_set(Some(shown));
                    desk.ask();
                }
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
        });
    };
    let may_read = row.is_own && row.state == AccessState::Granted;
    let live = use_live();
    let followed = StoredValue::new(row.clone());
    let may_follow = Memo::new(move |_| {
        let now = live.now.get();
        followed.with_value(|row| may_follow(row, now))
    });
    let follow = move |_| {
        desk.follow.begin(followed.get_value());
        open.set(false);
    };
    let reads = move || {
        let handle = followed.with_value(|row| row.handle.clone());
        desk.all.with(|all| {
            let newest = all.iter().flatten().find(|row| row.handle == handle);
            newest.map(requests::reads)
        })
    };
    let title = format!("h-request-{}", row.handle);
    let ends = if row.is_own {
        "Give it back"
    } else {
        "End it now"
    };
    let facts = [
        ("Subject", short(&row.subject)),
        ("Held by", row.holder.clone()),
        ("From", row.person.organisation.clone()),
        ("Decided by", row.by.join(", ")),
        ("Reason", row.reason.clone().unwrap_or_default()),
    ];
    let facts = facts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd><bdi>{value}</bdi></dd></div> })
        .collect_view();
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby=title.clone() on:close=closed>
            <div>
                <h2 id=title.clone()><bdi>{requests::asker(&row)}</bdi></h2><p class="soft wrap">{told(&row)}</p>
                <dl class="facts">{facts}<div><dt>"Read"</dt><dd>{reads}</dd></div></dl>
                {promised(&row)}
            </div>
            {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            <footer>
                <button type="button" class="btn" autofocus data-testid=testids::REQUEST_CLOSE on:click=move |_| open.set(false)>"Leave it as it is"</button>
                {row.may_review.then(|| view! {
                    <button type="button" class="btn" disabled=busy data-testid=testids::REQUEST_UNJUSTIFIED on:click=move |_| review(false)>"There was no reason"</button>
                    <button type="button" class="btn primary" disabled=busy data-testid=testids::REQUEST_JUSTIFIED on:click=move |_| review(true)>"There was reason"</button>
                })}
                {(row.may_end && !row.may_decide).then(|| view! {
                    <button type="button" class="btn danger" disabled=busy data-testid=testids::REQUEST_END on:click=end>{ends}</button>
                })}
                {may_read.then(|| view! {
                    <button type="button" class="btn primary" disabled=busy data-testid=testids::REQUEST_READ on:click=read>"Read the last day of it"</button>
                })}
                {move || may_follow.get().then(|| view! {
                    <button type="button" class="btn primary" disabled=busy data-testid=testids::REQUEST_FOLLOW on:click=follow>"Follow live"</button>
                })}
                {row.may_decide.then(|| view! {
                    <button type="button" class="btn" disabled=busy data-testid=testids::REQUEST_DENY on:click=move |_| decide(false)>"Refuse"</button>
                    <button type="button" class="btn primary" disabled=busy data-testid=testids::REQUEST_APPROVE on:click=move |_| decide(true)>"Grant"</button>
                })}
            </footer>
        </dialog>
    }
}

/// Receipts that were promised and did not come, with what to do.
fn promised(row: &AccessRow) -> impl IntoView + use<> {
    let missing = row
        .promised
        .iter()
        .filter(|receipt| receipt.standing.is_missing());
    missing
        .map(|receipt| {
            view! {
                <div class="note" data-state=State::Attention.key() data-testid=testids::REQUEST_UNTOLD data-transaction=receipt.transaction.clone()>
                    <Icon name="attention"/>
                    <div><h3>"Promised, never told"</h3><p class="wrap">{receipt.words.clone()}</p></div>
                </div>
            }
        })
        .collect_view()
}

fn short(handle: &str) -> String {
    handle.chars().take(8).collect()
}
