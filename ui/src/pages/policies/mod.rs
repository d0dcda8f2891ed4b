//! *Policies*: who can see this, and why? The policies in plain words, the one that is read or written, and what the
//! node says of both: its check as one types, its simulation of every question that a role can put, and its history.
//!
//! The text is all there is of a draft: the form reads and writes it as the editor does. Left out: consents.

pub(super) mod choices;
mod desk;
mod editor;
mod form;
mod history;
mod list;
mod result;
mod simulator;
mod text;

use fog_api::{Capability, PolicyRow};
use leptos::prelude::*;

use crate::components::{Ask, FailureNote, Icon, Loading, PageHead};
use crate::consortium::use_consortium;
use crate::live::use_live;
use crate::session::use_session;
use crate::testids;
use crate::words::people::roles;
use crate::words::policies as words;

use desk::{Desk, Open};

/// Between two questions what is in force, in milliseconds: others put policies, too.
const ASK_EVERY: i64 = 30_000;

/// The page.
#[component]
pub fn PoliciesPage() -> impl IntoView {
    let live = use_live();
    let desk = Desk::start();
    use_consortium().watch();
    let turn = Memo::new(move |_| (live.epoch.get(), live.now.get().div_euclid(ASK_EVERY)));
    Effect::new(move || {
        turn.get();
        desk.ask();
    });
    let own = Memo::new(move |_| desk.rows(|rows| rows.iter().filter(|row| row.is_own).count()));
    let heading = Signal::derive(move || {
        let own = own.get();
        own.map_or_else(|| "Policies".to_owned(), words::heading)
    });
    let sub = "Policies are decided on the ledger, by every node alike, about the data that this organisation holds. What no policy permits is not allowed.";
    // What is written must stay while questions come and go.
    let shown = Memo::new(move |_| {
        let is_known = own.with(Option::is_some);
        (is_known, desk.failure.get().filter(|_| !is_known))
    });
    view! {
        <div class="page">
            <PageHead heading=heading sub=sub>
                <button type="button" class="btn primary" data-testid=testids::POLICY_NEW on:click=move |_| desk.choose(Open::New)>
                    <Icon name="plus"/>"New policy"
                </button>
            </PageHead>
            {move || match shown.get() {
                (false, Some(failure)) => view! { <FailureNote failure=failure retry=move |()| desk.ask()/> }.into_any(),
                (false, None) => view! { <section class="card" aria-label="Policies"><Loading what="Asking the node which policies are in force"/></section> }.into_any(),
                (true, _) => view! { <Known desk=desk/> }.into_any(),
            }}
            <Discard desk=desk/>
        </div>
    }
}

#[component]
fn Known(desk: Desk) -> impl IntoView {
    view! {
        <MayNot/>
        {move || desk.failure.get().map(|failure| view! { <FailureNote failure=failure retry=move |()| desk.ask()/> })}
        <div class="cols policies">
            <list::List desk=desk/>
            <editor::Editor desk=desk/>
            <simulator::Simulator desk=desk/>
        </div>
        <history::History desk=desk/>
    }
}

/// What keeps this person, at this node, from putting policies in force; nothing if nothing does.
fn may_not() -> Signal<Option<String>> {
    let session = use_session();
    // Until the node has told, nothing is said against it.
    let has_voice = use_consortium().part(|view| Some(view.me.can_vote));
    let own = session.person().map(|person| roles(&person.roles));
    Signal::derive(move || {
        match session.may(Capability::Vote) {
        false => Some(format!(
            "You may read the policies and try others; an admin puts them in force. You are signed in as: {}.",
            own.clone().unwrap_or_default()
        )),
        true if has_voice.get() == Some(false) => Some(
            "You may read the policies. This node holds no admin key of its organisation, so they are put from the node that does, or from its command line.".to_owned(),
        ),
        true => None,
    }
    })
}

#[component]
fn MayNot() -> impl IntoView {
    let why = may_not();
    move || {
        why.get().map(|why| {
            view! { <div class="note" data-testid=testids::POLICY_MAY_NOT><Icon name="lock"/><div><p>{why}</p></div></div> }
        })
    }
}

/// Asked before something that is written is left.
#[component]
fn Discard(desk: Desk) -> impl IntoView {
    let go = move |()| {
        if let Some(next) = desk.asked_for.get_untracked() {
            desk.show(next);
        }
    };
    view! {
        <Ask open=desk.asking question="Leave what you have written?" explains="It is not in force, and it is kept nowhere."
            keep="Go on writing" act="Leave it" on_act=go testids=(testids::POLICY_STAY, testids::POLICY_LEAVE)/>
    }
}

/// What tells one policy from all others.
fn key(row: &PolicyRow) -> (String, String) {
    (row.organisation.clone(), row.name.clone())
}
