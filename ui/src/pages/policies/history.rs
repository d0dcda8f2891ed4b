//! The history of the policy that is open: each version with its block and what was other before; and what it has
//! decided, for those who audit, once they ask, since that they look is recorded. Policies that are not in force any more
//! have theirs, too.

use fog_api::{
    Capability, LineStanding, PolicyDecision, PolicyDecisions, PolicyHistory, PolicyLine,
    PolicyVersion,
};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::desk::Desk;
use crate::components::{FailureNote, Icon, Loading, local_clock_minutes, local_date};
use crate::failure::Failure;
use crate::route::{Route, escape};
use crate::session::use_session;
use crate::words::number::thousands;
use crate::words::policy_history as words;
use crate::{testids, transport};

/// The card, where a policy of this organisation is open.
#[component]
pub(super) fn History(desk: Desk) -> impl IntoView {
    // Another version of the same policy is another history.
    let open = Memo::new(move |_| {
        if let Some(gone) = desk.gone() {
            return Some((gone.name, gone.retracted.height));
        }
        let row = desk.row().filter(|row| row.is_own)?;
        Some((row.name, row.height))
    });
    move || open.get().map(|(name, _)| view! { <OfPolicy name=name/> })
}

#[component]
fn OfPolicy(name: String) -> impl IntoView {
    let told = RwSignal::new(None::<PolicyHistory>);
    let failure = RwSignal::new(None::<Failure>);
    let path = format!("/api/policies/{}/history", escape(&name));
    spawn_local(async move { transport::show(&path, told, failure).await });
    let audits = use_session().may(Capability::Audit);
    view! {
        <section class="card" aria-labelledby="h-history">
            <div class="card-head"><h2 id="h-history">"History"</h2></div>
            {move || match (told.get(), failure.get()) {
                (Some(history), _) => view! { <Versions history=history/> }.into_any(),
                (None, Some(failure)) => view! { <div class="card-body full"><FailureNote failure=failure/></div> }.into_any(),
                (None, None) => view! { <Loading what="Asking the node what became of it"/> }.into_any(),
            }}
            {audits.then(|| view! { <Decided name=name/> })}
        </section>
    }
}

#[component]
fn Versions(history: PolicyHistory) -> impl IntoView {
    let rows = history.versions.into_iter().map(version).collect_view();
    view! {
        <div class="scroll" tabindex="0" role="group" aria-labelledby="h-history">
            <table class="tbl tall"><thead><tr>
                <th scope="col">"What was done"</th>
                <th scope="col" class="num">"Block"</th>
            </tr></thead><tbody>{rows}</tbody></table>
        </div>
        {(!history.is_whole).then(|| view! {
            <p class="card-body small soft">"This node does not hold all of the log; there may be more."</p>
        })}
    }
}

fn version(version: PolicyVersion) -> impl IntoView {
    let at = i64::try_from(version.time).unwrap_or(i64::MAX);
    let sentences = words::version(&version);
    let lines = version.lines.into_iter().map(line).collect_view();
    let has_lines = !lines.is_empty();
    view! {
        <tr data-testid=testids::POLICY_VERSION data-height=version.height.to_string()>
            <th scope="row" class="wrap">
                <span>{words::change(version.change)}</span>" · "
                <time>{local_clock_minutes(at)}", "{local_date(at)}</time>
                {sentences.into_iter().map(|sentence| view! { <small>{sentence}</small> }).collect_view()}
                {has_lines.then(|| view! { <details><summary>"Both texts"</summary><pre class="small">{lines}</pre></details> })}
            </th>
            <td class="num"><a href=Route::Block(version.height).href()>{thousands(version.height)}</a></td>
        </tr>
    }
}

fn line(line: PolicyLine) -> impl IntoView {
    let text = line.text;
    match line.standing {
        LineStanding::Kept => view! { <span>"  "{text}"\n"</span> }.into_any(),
        LineStanding::Added => view! { <ins>"+ "{text}"\n"</ins> }.into_any(),
        LineStanding::Removed => view! { <del>"- "{text}"\n"</del> }.into_any(),
    }
}

/// What it has decided, behind a button.
#[component]
fn Decided(name: String) -> impl IntoView {
    let told = RwSignal::new(None::<PolicyDecisions>);
    let failure = RwSignal::new(None::<Failure>);
    let has_asked = RwSignal::new(false);
    let path = StoredValue::new(format!("/api/policies/{}/decisions", escape(&name)));
    let look = move |_| {
        has_asked.set(true);
        spawn_local(async move { transport::show(&path.get_value(), told, failure).await });
    };
    view! {
        <div class="card-body stack" hidden=has_asked>
            <p class="small soft">"Which requests it has decided, and the receipts of what was read under them. That you look is recorded for good."</p>
            <div class="row"><button type="button" class="btn" data-testid=testids::POLICY_DECIDED on:click=look><Icon name="eye"/>"Show what it decided"</button></div>
        </div>
        {move || match (has_asked.get(), told.get(), failure.get()) {
            (false, ..) => ().into_any(),
            (_, Some(decided), _) => view! { <Decisions decided=decided/> }.into_any(),
            (_, None, Some(failure)) => view! { <div class="card-body full"><FailureNote failure=failure/></div> }.into_any(),
            (_, None, None) => view! { <Loading what="Recording that you look, then reading the log"/> }.into_any(),
        }}
    }
}

#[component]
fn Decisions(decided: PolicyDecisions) -> impl IntoView {
    let is_empty = decided.decisions.is_empty();
    let rows = decided.decisions.into_iter().map(decision).collect_view();
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label="What the policy decided" hidden=is_empty>
            <table class="tbl tall"><thead><tr>
                <th scope="col">"Who asked"</th>
                <th scope="col">"Decided"</th>
                <th scope="col" class="num">"Receipts"</th>
                <th scope="col" class="num" data-p="2">"Version of block"</th>
            </tr></thead><tbody>{rows}</tbody></table>
        </div>
        <p class="card-body small soft" hidden=!is_empty>"No decision names it."</p>
        {(!decided.is_whole).then(|| view! {
            <p class="card-body small soft">"There are more than are looked through at once, or than this node holds."</p>
        })}
    }
}

fn decision(row: PolicyDecision) -> impl IntoView {
    let at = i64::try_from(row.time).unwrap_or(i64::MAX);
    let who = words::asker(&row);
    view! {
        <tr data-testid=testids::POLICY_DECISION data-handle=row.request data-receipts=row.receipts.len().to_string()>
            <th scope="row" class="wrap"><bdi>{who}</bdi><small><time>{local_clock_minutes(at)}", "{local_date(at)}</time></small></th>
            <td>{words::decided(row.decided)}</td>
            <td class="num">{words::receipts(row.receipts.len(), row.readings)}</td>
            <td class="num" data-p="2">{row.version.map(thousands)}</td>
        </tr>
    }
}
