//! *Audit*: who did what about people, policies and requests, who was denied, who broke the glass, who read of it?
//!
//! To look is an entry of the log itself, so nothing is asked for before somebody asks, and nothing again by itself.

mod entries;
mod filters;
mod untold;

use fog_api::{AuditPage as Page, AuditRow, PromisedReceipt};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, Icon, Loading, PageHead};
use crate::failure::Failure;
use crate::route::Route;
use crate::session::use_session;
use crate::words::audit;
use crate::{testids, transport};

use entries::Entries;
pub use entries::WhoLooked;
use filters::Filters;
use untold::Untold;

/// The entries that were asked for, page after page.
#[derive(Clone, Copy)]
struct Desk {
    rows: RwSignal<Option<Vec<AuditRow>>>,
    next: RwSignal<Option<u64>>,
    recorded: RwSignal<Option<u64>>,
    /// What other nodes gave and never told; no entry says so.
    untold: RwSignal<Vec<PromisedReceipt>>,
    /// What is asked for: path and question, without the page.
    asked: RwSignal<String>,
    busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
}

impl Desk {
    fn new() -> Self {
        Self {
            rows: RwSignal::new(None),
            next: RwSignal::new(None),
            recorded: RwSignal::new(None),
            untold: RwSignal::new(Vec::new()),
            asked: RwSignal::new(String::new()),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
        }
    }

    /// Looks for something else; `asked` is a path with a question.
    fn look(self, asked: String) {
        self.asked.set(asked);
        self.rows.set(None);
        self.next.set(None);
        self.ask();
    }

    /// Asks for the next page.
    fn ask(self) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.failure.set(None);
        let asked = self.asked.get_untracked();
        let before = self.next.get_untracked();
        let joint = if asked.contains('?') { '&' } else { '?' };
        let path = match before {
            Some(before) => format!("{asked}{joint}before={before}"),
            None => asked,
        };
        spawn_local(async move {
            // The page may be gone by now.
            match transport::get::<Page>(&path).await {
                Ok(page) => {
                    self.rows.try_update(|rows| {
                        rows.get_or_insert_default().extend(page.entries);
                    });
                    if before.is_none() {
                        self.untold.try_set(page.untold);
                    }
                    self.next.try_set(page.next);
                    self.recorded.try_set(Some(page.recorded_height));
                }
                Err(why) => {
                    self.failure.try_set(Some(why));
                }
            }
            self.busy.try_set(false);
        });
    }
}

/// The page.
#[component]
pub fn AuditPage() -> impl IntoView {
    if use_session().is_set_up() {
        return view! { <NobodyYet/> }.into_any();
    }
    let desk = Desk::new();
    desk.look("/api/audit".to_owned());
    let heading = Signal::derive(move || {
        desk.rows.with(|rows| {
            rows.as_ref()
                .map_or_else(|| "Audit".to_owned(), |rows| audit::heading(rows))
        })
    });
    view! {
        <div class="page">
            <PageHead heading=heading sub="Each request, decision and change stands on the ledger, in a log out of which nothing can be taken. That you look stands there, too."/>
            <div class="cols" data-cols="main-side">
                <div class="stack">
                <Untold all=desk.untold/>
                <section class="card" aria-labelledby="h-audit">
                    <div class="card-head"><h2 id="h-audit">"What concerns your organisation, newest first"</h2></div>
                    <List desk=desk empty="Nothing of this kind is on record. Ask for a longer period, or for everything."/>
                </section>
                </div>
                <Filters desk=desk/>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn NobodyYet() -> impl IntoView {
    view! {
        <div class="page">
            <PageHead heading="Nobody can look yet" sub="Who looks is recorded with a person’s own key, and nobody is registered at this node."/>
            <div class="row"><a class="btn primary" href=Route::People.href()><Icon name="user"/>"Register the first person"</a></div>
        </div>
    }
}

/// The entries, or why there are none.
#[component]
fn List(desk: Desk, empty: &'static str) -> impl IntoView {
    let is_told = Memo::new(move |_| desk.rows.with(Option::is_some));
    let is_empty = move || {
        desk.rows
            .with(|rows| rows.as_ref().is_some_and(Vec::is_empty))
    };
    let has_more = move || desk.next.with(Option::is_some);
    let again = Callback::new(move |()| desk.ask());
    view! {
        {move || (!is_told.get() && desk.failure.with(Option::is_none)).then(|| view! { <Loading what="Recording that you look, then reading the log"/> })}
        <div hidden=move || !is_told.get() || is_empty()><Entries desk=desk/></div>
        <div class="empty" hidden=move || !is_empty() || has_more()><Icon name="eye"/><p>{empty}</p></div>
        {move || desk.failure.get().map(|failure| view! { <div class="card-body full"><FailureNote failure=failure retry=again/></div> })}
        <div class="card-body row" hidden=move || !has_more()>
            <button type="button" class="btn" disabled=desk.busy aria-busy=move || desk.busy.get().to_string()
                data-testid=testids::AUDIT_MORE on:click=move |_| desk.ask()>"Show older entries"</button>
        </div>
    }
}
