//! The console as a whole: token, live store, place, frame, page.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

use crate::consortium::Consortium;
use crate::live::Live;
use crate::measure;
use crate::pages;
use crate::route::Route;
use crate::shell::Shell;
use crate::transport;

/// The root.
#[component]
pub fn App() -> impl IntoView {
    measure::begin();
    transport::take_token();
    let route = follow_address();
    let waves = match route.get_untracked() {
        Route::Device(id) => Some(id),
        _ => None,
    };
    let live = Live::start(waves);
    provide_context(live);
    provide_context(Consortium::start(live));
    provide_context(route);
    // A wall is read from afar and has no frame.
    let is_wall = Memo::new(move |_| route.with(|route| matches!(route, Route::Wall(_))));
    move || match is_wall.get() {
        true => wall_at(route).into_any(),
        false => view! { <Shell>{page_at(route)}</Shell> }.into_any(),
    }
}

fn wall_at(route: RwSignal<Route>) -> impl IntoView {
    move || match route.get() {
        Route::Wall(ward) => view! { <pages::wall::WallPage ward=ward/> }.into_any(),
        _ => ().into_any(),
    }
}

/// The page of the place the address names.
fn page_at(route: RwSignal<Route>) -> impl IntoView {
    move || match route.get() {
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
        Route::Unknown(address) => {
            view! { <pages::unknown::UnknownPage address=address/> }.into_any()
        }
    }
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
