//! The console as a whole: token, who is signed in, live store, place, frame, page.

use fog_api::{Capability, SessionState, SessionView};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

use crate::components::Loading;
use crate::components::step_up::StepUp;
use crate::consortium::Consortium;
use crate::live::Live;
use crate::measure;
use crate::pages;
use crate::patients::Patients;
use crate::route::Route;
use crate::session::{Session, use_session};
use crate::shell::Shell;
use crate::transport;

/// The root.
#[component]
pub fn App() -> impl IntoView {
    measure::begin();
    transport::take_token();
    let asked = RwSignal::new(None::<Option<SessionView>>);
    spawn_local(async move {
        // Where the node does not answer, the console says so.
        let session = transport::get::<SessionView>("/api/session").await;
        asked.set(Some(session.ok()));
    });
    move || match asked.get() {
        None => view! { <Loading what="Asking the node who is signed in"/> }.into_any(),
        Some(Some(view)) if is_at_the_door(&view) => {
            view! { <pages::sign_in::SignInPage view=view/> }.into_any()
        }
        Some(view) => view! { <Console session=Session::start(view)/> }.into_any(),
    }
}

fn is_at_the_door(view: &SessionView) -> bool {
    match view.state {
        SessionState::Locked | SessionState::SignedOut => true,
        // Nothing is open from another machine while nobody is registered.
        SessionState::SetUp => view.may.is_empty(),
        SessionState::Open => false,
    }
}

/// The console, for who is signed in.
#[component]
fn Console(session: Session) -> impl IntoView {
    provide_context(session);
    let route = follow_address();
    let waves = match route.get_untracked() {
        Route::Device(id) => Some(id),
        _ => None,
    };
    let live = Live::start(waves, session);
    provide_context(live);
    provide_context(Patients::start(live, session));
    provide_context(Consortium::start(live));
    provide_context(route);
    begin_at_own_record(session, route);
    // A wall is read from afar and has no frame.
    let is_wall = Memo::new(move |_| route.with(|route| matches!(route, Route::Wall(_))));
    let page = move || match is_wall.get() {
        true => wall_at(route).into_any(),
        false => view! { <Shell>{page_at(route)}</Shell> }.into_any(),
    };
    view! { {page} <StepUp/> }
}

fn wall_at(route: RwSignal<Route>) -> impl IntoView {
    let session = use_session();
    move || match route.get() {
        route if hidden(session, &route).is_some() => page_at(RwSignal::new(route)).into_any(),
        Route::Wall(ward) => view! { <pages::wall::WallPage ward=ward/> }.into_any(),
        _ => ().into_any(),
    }
}

/// The page of the place the address names.
fn page_at(route: RwSignal<Route>) -> impl IntoView {
    let session = use_session();
    move || match route.get() {
        route if hidden(session, &route).is_some() => hidden(session, &route)
            .map(|needs| view! { <pages::not_for_you::NotForYouPage needs=needs/> })
            .into_any(),
        Route::Overview => view! { <pages::overview::OverviewPage/> }.into_any(),
        Route::Devices => view! { <pages::devices::DevicesPage/> }.into_any(),
        Route::PairBluetooth(address) => {
            view! { <pages::pair::PairBluetoothPage address=address/> }.into_any()
        }
        Route::Pair(path) => view! { <pages::pair::PairPage path=path/> }.into_any(),
        Route::Device(id) => view! { <pages::device::DevicePage id=id/> }.into_any(),
        Route::Registry => view! { <pages::registry::RegistryPage/> }.into_any(),
        Route::Wall(_) => ().into_any(),
        Route::Chain => view! { <pages::chain::ChainPage/> }.into_any(),
        Route::Block(height) => view! { <pages::block::BlockPage height=height/> }.into_any(),
        Route::Transaction(id) => view! { <pages::transaction::TransactionPage id=id/> }.into_any(),
        Route::Proofs => view! { <pages::proof::ProofsPage/> }.into_any(),
        Route::Proof(reading) => view! { <pages::proof::ProofPage reading=reading/> }.into_any(),
        Route::Consortium => view! { <pages::consortium::ConsortiumPage/> }.into_any(),
        Route::Join => view! { <pages::consortium::JoinPage/> }.into_any(),
        Route::Propose(evidence) => {
            view! { <pages::consortium::ProposePage evidence=evidence/> }.into_any()
        }
        Route::Patients => view! { <pages::patients::PatientsPage/> }.into_any(),
        Route::Patient(id) => view! { <pages::patients::PatientPage id=id/> }.into_any(),
        Route::Me => view! { <pages::patients::MePage/> }.into_any(),
        Route::Policies => view! { <pages::policies::PoliciesPage/> }.into_any(),
        Route::People => view! { <pages::people::PeoplePage/> }.into_any(),
        Route::Requests => view! { <pages::requests::RequestsPage/> }.into_any(),
        Route::Audit => view! { <pages::audit::AuditPage/> }.into_any(),
        Route::Unknown(address) => {
            view! { <pages::unknown::UnknownPage address=address/> }.into_any()
        }
    }
}

/// Who sees nothing of the ward but her own record begins there, not at a page that is not open to her.
fn begin_at_own_record(session: Session, route: RwSignal<Route>) {
    let begins_there = session.is_patient() && !session.may(Capability::SeeDevices);
    Effect::new(move || {
        if begins_there && route.with(|route| *route == Route::Overview) {
            // In the place of the other address, so that *Back* does not lead there.
            location().replace(&Route::Me.href()).ok();
            route.set(Route::Me);
        }
    });
}

/// What it would take to see this place, if that is not given.
fn hidden(session: Session, route: &Route) -> Option<Capability> {
    route.needs().filter(|needs| !session.may(*needs))
}

/// The place the address names, as a signal.
fn follow_address() -> RwSignal<Route> {
    let read = || Route::parse(&location().hash().unwrap_or_default());
    let route = RwSignal::new(read());
    let changed = Closure::<dyn Fn()>::new(move || {
        let next = read();
        if route.get_untracked() != next {
            route.set(next);
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
    });
    // A window whose address cannot be watched still works through its first page.
    window()
        .add_event_listener_with_callback("hashchange", changed.as_ref().unchecked_ref())
        .ok();
    changed.forget();
    route
}
