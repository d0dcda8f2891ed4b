//! The policies in force: this organisation's, then those of others, which can be read only; and this organisation's that
//! are not in force any more, for their histories.

use fog_api::{PolicyEffect, PolicyRow, RetractedPolicy};
use leptos::prelude::*;

use super::desk::{Desk, Open};
use super::key;
use crate::components::{Icon, StateMark, local_clock_minutes, local_date};
use crate::testids;
use crate::words::number::thousands;
use crate::words::policies::summary;
use crate::words::state::State;

/// The card.
#[component]
pub(super) fn List(desk: Desk) -> impl IntoView {
    let some = |is_own: bool| {
        Memo::new(move |_| {
            let rows = desk.rows(|rows| {
                let rows = rows.iter().filter(|row| row.is_own == is_own);
                rows.cloned().collect::<Vec<_>>()
            });
            rows.unwrap_or_default()
        })
    };
    let (own, others) = (some(true), some(false));
    let count = move || thousands(u64::try_from(own.with(Vec::len)).unwrap_or(u64::MAX));
    view! {
        <section class="card" aria-labelledby="h-policies">
            <div class="card-head"><h2 id="h-policies">"Policies"</h2><span class="count">{count}</span></div>
            <div class="empty" hidden=move || !own.with(Vec::is_empty) data-testid=testids::POLICY_NONE>
                <Icon name="policies"/>
                <h2>"No policy is in force"</h2>
                <p>"What no policy permits is not allowed, so nobody is granted anything that this organisation holds. What this node’s own pages show is decided by people’s roles."</p>
            </div>
            <Rows desk=desk rows=own/>
            <div class="card-head picked-from" hidden=move || others.with(Vec::is_empty)><h3>"Other organisations’"</h3></div>
            <Rows desk=desk rows=others/>
            <Retracted desk=desk/>
        </section>
    }
}

#[component]
fn Rows(desk: Desk, rows: Memo<Vec<PolicyRow>>) -> impl IntoView {
    view! {
        <ul class="picklist">
            <For each=move || rows.get() key=|row| (key(row), row.height) let:row>
                <li><One desk=desk row=row/></li>
            </For>
        </ul>
    }
}

/// Nothing, unless there are some.
#[component]
fn Retracted(desk: Desk) -> impl IntoView {
    let rows = Memo::new(move |_| {
        let told = desk.retracted.get();
        told.map_or_else(Vec::new, |told| told.policies)
    });
    let is_whole = move || {
        let told = desk.retracted;
        told.with(|told| told.as_ref().is_none_or(|told| told.is_whole))
    };
    view! {
        <div class="card-head picked-from" hidden=move || rows.with(Vec::is_empty)><h3>"Retracted"</h3></div>
        <ul class="picklist">
            <For each=move || rows.get() key=|row| (row.name.clone(), row.retracted.height) let:row>
                <li><Gone desk=desk row=row/></li>
            </For>
        </ul>
        <p class="card-body small soft" hidden=is_whole>"This node does not hold all of the log; more may be retracted."</p>
    }
}

#[component]
fn Gone(desk: Desk, row: RetractedPolicy) -> impl IntoView {
    let (name, shown, own_name) = (row.name.clone(), row.name.clone(), row.name.clone());
    let is_open = move || {
        let is_open = desk.gone().is_some_and(|open| open.name == own_name);
        is_open.then_some("true")
    };
    let time = i64::try_from(row.retracted.time).unwrap_or(i64::MAX);
    view! {
        <button type="button" aria-current=is_open data-testid=testids::POLICY_RETRACTED data-name=name
            on:click=move |_| desk.choose(Open::Retracted(row.clone()))>
            <b><bdi>{shown}</bdi></b>
            <span>"Since "{local_clock_minutes(time)}", "{local_date(time)}</span>
        </button>
    }
}

#[component]
fn One(desk: Desk, row: PolicyRow) -> impl IntoView {
    let own_key = key(&row);
    let is_open = move || {
        let is_open = desk.row().is_some_and(|open| key(&open) == own_key);
        is_open.then_some("true")
    };
    let said = summary(&row);
    let forbids = row.effect == PolicyEffect::Forbid;
    let (name, shown, organisation) =
        (row.name.clone(), row.name.clone(), row.organisation.clone());
    let (is_own, needs_approval) = (row.is_own, row.needs_approval);
    view! {
        <button type="button" aria-current=is_open data-testid=testids::POLICY_ROW data-name=name
            on:click=move |_| desk.choose(Open::Row(row.clone()))>
            <b><bdi>{shown}</bdi></b>
            <span>{said}</span>
            <span class="row">
                <StateMark state=State::Ok word="In force".to_owned()/>
                {forbids.then(|| view! { <span class="tag">"forbids"</span> })}
                {needs_approval.then(|| view! { <span class="tag">"a person agrees"</span> })}
                {(!is_own).then(|| view! { <span class="tag"><bdi>{organisation}</bdi></span> })}
            </span>
        </button>
    }
}
