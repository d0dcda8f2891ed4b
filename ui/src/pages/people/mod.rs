//! *People*: who may sign in at this node, and as what?

mod enrolled;
mod person;
mod register;
mod roles;

use fog_api::{Capability, Enrolment, LedgerStanding, Person};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, Icon, Loading, PageHead};
use crate::failure::Failure;
use crate::live::use_live;
use crate::session::use_session;
use crate::transport;
use crate::words::people;

use enrolled::Enrolled;
use person::Row;
use register::Register;

/// How often it is asked again while the ledger does not know everybody, in milliseconds.
const AGAIN: i64 = 2_000;

/// The people as the node lists them, and what is shown once.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    all: RwSignal<Option<Vec<Person>>>,
    failure: RwSignal<Option<Failure>>,
    enrolled: RwSignal<Option<Enrolment>>,
}

impl Desk {
    /// Asks who is registered.
    fn ask(self) {
        spawn_local(transport::show("/api/people", self.all, self.failure));
    }
}

/// The page.
#[component]
pub fn PeoplePage() -> impl IntoView {
    let session = use_session();
    let desk = Desk {
        all: RwSignal::new(None),
        failure: RwSignal::new(None),
        enrolled: RwSignal::new(None),
    };
    let live = use_live();
    let turn = Memo::new(move |_| live.now.get().div_euclid(AGAIN));
    let waits = move |all: &Option<Vec<Person>>| {
        let waits = |one: &Person| one.ledger.standing == LedgerStanding::Waiting;
        all.as_ref().is_none_or(|all| all.iter().any(waits))
    };
    Effect::new(move || {
        turn.track();
        // Who is on the way to the ledger is looked after until everybody is there.
        if desk.all.with_untracked(waits) {
            desk.ask();
        }
    });
    let is_set_up = session.is_set_up();
    let heading = Signal::derive(move || match is_set_up {
        true => "Nobody is registered yet".to_owned(),
        false => desk.all.with(|all| {
            all.as_ref()
                .map_or_else(|| "People".to_owned(), |all| people::heading(all))
        }),
    });
    let sub = match is_set_up {
        true => {
            "Whoever opens this node’s address may do everything here. Once the first administrator is registered, everybody signs in, and each may do what their roles allow."
        }
        false => {
            "Who they are stays in this node’s vault, sealed. Each signs in with a passphrase and an authenticator app."
        }
    };
    let is_told = Memo::new(move |_| desk.all.with(Option::is_some));
    let failed = move || desk.failure.get().filter(|_| !is_told.get());
    let may_manage = session.may(Capability::ManagePeople);
    view! {
        <div class="page">
            <PageHead heading=heading sub=sub/>
            <div class="cols" data-cols=(!is_set_up).then_some("main-side")>
                <section class="card" aria-labelledby="h-people" hidden=is_set_up>
                    <div class="card-head"><h2 id="h-people">"Registered"</h2></div>
                    {move || match (failed(), is_told.get()) {
                        (Some(failure), _) => view! { <div class="card-body full"><FailureNote failure=failure/></div> }.into_any(),
                        (None, false) => view! { <Loading what="Asking the node who is registered"/> }.into_any(),
                        (None, true) => view! { <Table desk=desk/> }.into_any(),
                    }}
                </section>
                {may_manage.then(|| view! { <Register desk=desk/> })}
            </div>
            <Enrolled desk=desk/>
        </div>
    }
}

#[component]
fn Table(desk: Desk) -> impl IntoView {
    let live = use_live();
    let minute = Memo::new(move |_| live.now.get().div_euclid(60_000) * 60_000);
    let rows = move || desk.all.get().unwrap_or_default();
    view! {
        <div class="scroll" tabindex="0" role="group" aria-labelledby="h-people">
            <table class="tbl tall">
                <thead><tr>
                    <th scope="col">"Person"</th>
                    <th scope="col">"Roles"</th>
                    <th scope="col" data-p="1">"Standing"</th>
                    <th scope="col" data-p="2">"Ledger"</th>
                    <th scope="col" class="num" data-p="3">"Recovery codes"</th>
                    <th scope="col" data-p="3">"Key"</th>
                    <th scope="col"><span class="vh">"Changes"</span></th>
                </tr></thead>
                <tbody>
                    <For each=rows key=|person| serde_json::to_string(person).unwrap_or_default() let:person>
                        <Row person=person desk=desk now=minute/>
                    </For>
                </tbody>
            </table>
        </div>
        <div class="empty" hidden=move || desk.all.with(|all| all.as_ref().is_some_and(|all| !all.is_empty()))>
            <Icon name="user"/><p>"Nobody is registered."</p>
        </div>
    }
}
