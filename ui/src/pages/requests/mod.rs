//! *Requests*: what waits for me, what did I ask for, and what may I see for how long?

mod ask;
mod give;
mod live;
mod part;
mod row;
mod shown;

use fog_api::{AccessRow, Disclosure};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::time::offset_minutes;
use crate::components::{FailureNote, Icon, Loading, PageHead};
use crate::failure::Failure;
use crate::live::use_live;
use crate::route::Route;
use crate::session::use_session;
use crate::transport;
use crate::words::requests;

use ask::AskForData;
use give::GiveAccess;
use live::{Follow, Live};
use row::Row;
use shown::Shown;

/// How often the list is asked for again, in milliseconds.
const AGAIN: i64 = 5_000;

/// The requests as the node lists them.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    all: RwSignal<Option<Vec<AccessRow>>>,
    failure: RwSignal<Option<Failure>>,
    /// What the person read last.
    shown: RwSignal<Option<Disclosure>>,
    /// What the person follows.
    follow: Follow,
}

impl Desk {
    /// Asks for the list.
    fn ask(self) {
        spawn_local(transport::show("/api/access", self.all, self.failure));
    }
}

/// The page.
#[component]
pub fn RequestsPage() -> impl IntoView {
    if use_session().is_set_up() {
        return view! { <NobodyYet/> }.into_any();
    }
    let desk = Desk {
        all: RwSignal::new(None),
        failure: RwSignal::new(None),
        shown: RwSignal::new(None),
        follow: Follow::new(),
    };
    let live = use_live();
    let turn = Memo::new(move |_| live.now.get().div_euclid(AGAIN));
    Effect::new(move || {
        // A memo that nobody reads is never computed, and does not tell of a new turn.
        turn.get();
        desk.ask();
    });
    let heading = Signal::derive(move || {
        desk.all.with(|all| {
            all.as_ref()
                .map_or_else(|| "Requests".to_owned(), |all| requests::heading(all))
        })
    });
    let is_told = Memo::new(move |_| desk.all.with(Option::is_some));
    let failed = move || desk.failure.get().filter(|_| !is_told.get());
    view! {
        <div class="page">
            <PageHead heading=heading sub="Policies on the ledger decide which part of whose data may be seen, why and for how long. Each answer stays on record."/>
            <div class="cols" data-cols="main-side">
                <div class="stack">
                <section class="card" aria-labelledby="h-requests">
                    <div class="card-head"><h2 id="h-requests">"Yours, and those you have a say in"</h2></div>
                    {move || match (failed(), is_told.get()) {
                        (Some(failure), _) => view! { <div class="card-body full"><FailureNote failure=failure/></div> }.into_any(),
                        (None, false) => view! { <Loading what="Asking the node for requests"/> }.into_any(),
                        (None, true) => view! { <Table desk=desk/> }.into_any(),
                    }}
                </section>
                <Live follow=desk.follow/>
                <Shown shown=desk.shown/>
                </div>
                <div class="stack">
                <AskForData desk=desk/>
                <GiveAccess desk=desk/>
                </div>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn NobodyYet() -> impl IntoView {
    view! {
        <div class="page">
            <PageHead heading="Nobody can ask yet" sub="A request is signed with a person’s own key, and nobody is registered at this node."/>
            <div class="row"><a class="btn primary" href=Route::People.href()><Icon name="user"/>"Register the first person"</a></div>
        </div>
    }
}

#[component]
fn Table(desk: Desk) -> impl IntoView {
    let live = use_live();
    let minute = Memo::new(move |_| live.now.get().div_euclid(60_000) * 60_000);
    let rows = move || desk.all.get().unwrap_or_default();
    // What only time changes is told by the clock, and what reading changes in its place, so that a row stays while
    // somebody reads it.
    let key = |row: &AccessRow| {
        let row = AccessRow {
            remaining_seconds: row.remaining_seconds.map(|_| 0),
            reads: 0,
            readings: 0,
            ..row.clone()
        };
        serde_json::to_string(&row).unwrap_or_default()
    };
    view! {
        <div class="scroll" tabindex="0" role="group" aria-labelledby="h-requests">
            <table class="tbl tall">
                <thead><tr>
                    <th scope="col">"Request"</th>
                    <th scope="col">"Standing"</th>
                    <th scope="col" class="num" data-p="2">"Left"</th>
                    <th scope="col"><span class="vh">"Open"</span></th>
                </tr></thead>
                <tbody>
                    <For each=rows key=key let:row>
                        <Row row=row desk=desk now=minute/>
                    </For>
                </tbody>
            </table>
        </div>
        <div class="empty" hidden=move || desk.all.with(|all| all.as_ref().is_some_and(|all| !all.is_empty()))>
            <Icon name="key"/><p>"Nobody has asked for anything that is yours to see."</p>
        </div>
    }
}

/// The decision in words, by the clock here.
fn told(row: &AccessRow) -> String {
    let ends = i64::try_from(row.ends).unwrap_or(i64::MAX);
    requests::decision(row, offset_minutes(ends))
}
