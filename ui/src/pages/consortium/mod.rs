//! *Consortium*: is it safe to vote yes? Who signs and how many may fail in the heading, then the nodes,
//! what is voted on with what it would break, who may come, and the rules in force.

mod backup;
mod catching_up;
mod decided;
mod invite;
mod invited;
mod join;
mod join_paper;
mod join_say;
mod nodes;
mod plots;
mod preflight;
mod proposal;
mod propose;
mod propose_rules;
mod propose_send;
mod rules;

use fog_api::ApiError;
use fog_api::consortium::{ConsortiumView, EvidenceRow, NodeRole};
use leptos::prelude::*;

pub use join::JoinPage;
pub use propose::ProposePage;

use crate::components::{
    FailureNote, Hash, Icon, Note, PageHead, Waiting, local_clock_minutes, local_date,
};
use crate::consortium::{Consortium, use_consortium};
use crate::live::use_live;
use crate::remedy::Remedy;
use crate::route::Route;
use crate::testids;
use crate::words::consortium as words;
use crate::words::number::thousands;
use crate::words::state::State;

/// The heading while the node does not answer.
const NOT_KNOWN: &str = "Who signs is not known now";

/// The page.
#[component]
pub fn ConsortiumPage() -> impl IntoView {
    let live = use_live();
    let desk = use_consortium();
    desk.watch();
    let heading = Signal::derive(move || {
        if !live.is_current() {
            return NOT_KNOWN.to_owned();
        }
        desk.view.with(|view| {
            view.as_ref()
                .map_or_else(|| "Consortium".to_owned(), words::heading)
        })
    });
    let sub = Signal::derive(move || {
        if !live.is_current() {
            return "The node does not answer; what follows is what it said last.".to_owned();
        }
        desk.view
            .with(|view| view.as_ref().map(words::sub).unwrap_or_default())
    });
    let can_vote = desk.part(|view| view.me.can_vote);
    let known = Memo::new(move |_| desk.view.with(Option::is_some));
    view! {
        <div class="page">
            <PageHead heading=heading sub=sub>
                <a class="btn" href=Route::Propose(None).href() hidden=move || !can_vote.get() data-testid=testids::PROPOSE_OPEN>
                    <Icon name="plus"/>"Propose a change"
                </a>
            </PageHead>
            <Troubles desk=desk/>
            {move || if known.get() {
                view! { <Known desk=desk/> }.into_any()
            } else {
                view! { <Unknown desk=desk/> }.into_any()
            }}
        </div>
    }
}

/// What stands above all else: no quorum, not admitted, no answer.
#[component]
fn Troubles(desk: Consortium) -> impl IntoView {
    let live = use_live();
    // Who is not admitted hears nobody, however well the others do.
    let halted = Memo::new(move |_| {
        desk.read(|view| {
            let hears = view.me.role != NodeRole::Waiting;
            (hears && words::is_halted(view)).then(|| quorum(view))
        })
    });
    let waiting = Memo::new(move |_| {
        desk.read(|view| (view.me.role == NodeRole::Waiting).then(|| view.me.node.clone()))
    });
    // Without the node the banner says all there is to say.
    let failure = Memo::new(move |_| {
        let known = desk.view.with(Option::is_some);
        desk.failure.get().filter(|_| known && live.is_current())
    });
    view! {
        {move || halted.get().map(|quorum| view! {
            <Note state=State::Critical words=quorum testid=testids::CONSORTIUM_HALTED/>
        })}
        <Evidence desk=desk/>
        <catching_up::CatchingUp desk=desk/>
        {move || waiting.get().map(|key| view! { <NotAdmitted key=key/> })}
        {move || failure.get().map(|failure| view! { <FailureNote failure=failure retry=move |()| desk.ask()/> })}
    }
}

fn quorum(view: &ConsortiumView) -> ApiError {
    ApiError {
        code: "UI-05".to_owned(),
        what: "No block can become final now".to_owned(),
        why: view.quorum.clone(),
        next: "see that the silent validators run and can be reached. Readings are still sealed and kept here, and everything stays readable; the ledger goes on by itself once enough are heard.".to_owned(),
    }
}

/// Validators that signed two different things, each said once, the newest first.
#[component]
fn Evidence(desk: Consortium) -> impl IntoView {
    let rows = desk.part(words::liars);
    move || {
        rows.get()
            .into_iter()
            .map(|row| {
                let key = row.vote_key.clone();
                let of = key.clone();
                let remedy = Memo::new(move |_| {
                    desk.view
                        .with(|view| view.as_ref().map(|view| Remedy::of(view, &of)))
                });
                let words = move || liar(&row, remedy.get().as_ref());
                let address = Route::Propose(Some(key)).href();
                view! {
                    <Note state=State::Critical words=Signal::derive(words) testid=testids::EVIDENCE>
                        <a class="btn" href=address hidden=move || remedy.get() != Some(Remedy::Propose)
                            data-testid=testids::EVIDENCE_PROPOSE>"Propose to take its seat"</a>
                    </Note>
                }
            })
            .collect_view()
    }
}

fn liar(row: &EvidenceRow, remedy: Option<&Remedy>) -> ApiError {
    let noticed = i64::try_from(row.noticed).unwrap_or(i64::MAX);
    ApiError {
        code: "UI-06".to_owned(),
        what: format!("{} signed two different things", row.name),
        why: format!(
            "{}, for block {}, round {}; noticed {}, {}",
            row.what,
            thousands(row.height),
            row.round,
            local_date(noticed),
            local_clock_minutes(noticed)
        ),
        next: format!(
            "ask its organisation: its key is in two places, or stolen. {}",
            remedy.map(Remedy::words).unwrap_or_default()
        ),
    }
}

#[component]
fn NotAdmitted(key: String) -> impl IntoView {
    view! {
        <div class="note" role="status" data-testid=testids::CONSORTIUM_WAITING>
            <Icon name="lock"/>
            <div>
                <h3>"This node has knocked, and waits to be admitted"</h3>
                <p>"Its own readings are sealed and kept meanwhile. The consortium’s organisations vote on it; tell them this key, so that they know whom they admit:"</p>
                <p><Hash text=key whole=true/></p>
            </div>
        </div>
    }
}

/// Before the first answer, or without any.
#[component]
fn Unknown(desk: Consortium) -> impl IntoView {
    move || {
        let inside = match desk.failure.get() {
            Some(failure) => view! {
                <div class="card-body full"><FailureNote failure=failure retry=move |()| desk.ask()/></div>
            }
            .into_any(),
            None => view! { <Waiting what="Asking the node for its consortium"/> }.into_any(),
        };
        view! { <section class="card">{inside}</section> }
    }
}

/// The way into another consortium, for a node that has been invited.
#[component]
fn Elsewhere(desk: Consortium) -> impl IntoView {
    let alone = desk.part(words::is_alone);
    let explains = move || {
        if alone.get() {
            "With another hospital’s invitation this node becomes a part of its consortium. Its own chain goes aside then, whole, and stays readable and provable."
        } else {
            "With an invitation this node can go over to another consortium. This one’s chain goes aside then, whole, and stays readable and provable."
        }
    };
    view! {
        <section class="card" aria-labelledby="h-join">
            <div class="card-head"><h2 id="h-join">"Join a consortium"</h2></div>
            <div class="card-body stack tight">
                <p class="small soft">{explains}</p>
                <div class="row"><a class="btn" href=Route::Join.href() data-testid=testids::JOIN_OPEN>"I have an invitation"</a></div>
            </div>
        </section>
    }
}

#[component]
fn Known(desk: Consortium) -> impl IntoView {
    let member = desk.part(|view| view.me.role != NodeRole::Waiting);
    view! {
        <div class="cols consortium" data-cols="main-side" data-wide="">
            <nodes::Nodes desk=desk/>
            <div class="stack side">
                <proposal::Proposals desk=desk/>
                <decided::Queue desk=desk/>
                {move || member.get().then(|| view! { <invite::Invite desk=desk/> })}
                <Elsewhere desk=desk/>
            </div>
            <div class="lower">
                <plots::Runs/>
                <decided::Decided desk=desk/>
                <rules::Organisations desk=desk/>
                <rules::Rules desk=desk/>
                <backup::Backup desk=desk/>
                <catching_up::Found desk=desk/>
            </div>
        </div>
    }
}
