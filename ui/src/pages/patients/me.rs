//! *My record*: what was measured of me, what did I agree to, who looked at me?
//!
//! The parts of a patient's page, for the patient herself. It names nobody in its address: the node knows whose record
//! the account opens.

use fog_api::PatientView;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::consents::Consents;
use super::patient::Handles;
use super::record::Record;
use super::wore::Wore;
use crate::components::{FailureNote, Loading, local_day};
use crate::failure::Failure;
use crate::live::use_live;
use crate::pages::audit::WhoLooked;
use crate::testids;
use crate::transport;
use crate::words::patients;

/// Where what belongs to oneself is.
const BASE: &str = "/api/me";
/// Between two looks at what one wears, in milliseconds: nobody tells this page of it.
const ASK_EVERY: i64 = 30_000;

/// The page.
#[component]
pub fn MePage() -> impl IntoView {
    let live = use_live();
    let view = RwSignal::new(None::<PatientView>);
    let failure = RwSignal::new(None::<Failure>);
    let turn = Memo::new(move |_| (live.epoch.get(), live.now.get().div_euclid(ASK_EVERY)));
    Effect::new(move || {
        turn.get();
        spawn_local(transport::show(BASE, view, failure));
    });
    document().set_title("My record · Fogward");
    let is_told = Memo::new(move |_| view.with(Option::is_some));
    view! {
        <div class="page">
            {move || match (failure.get(), is_told.get()) {
                (Some(failure), false) => view! { <section class="card"><div class="card-body full"><FailureNote failure=failure/></div></section> }.into_any(),
                (None, false) => view! { <section class="card"><Loading what="Asking the node for your record"/></section> }.into_any(),
                (_, true) => view! { <Known view=view/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Known(view: RwSignal<Option<PatientView>>) -> impl IntoView {
    let worn = Signal::derive(move || {
        view.with(|view| view.as_ref().map(|view| view.worn.clone()))
            .unwrap_or_default()
    });
    let patient = move || view.with(|view| view.as_ref().map(|view| view.patient.clone()));
    let about = move || patient().map(|patient| patients::about(&patient));
    view! {
        <div class="page-head">
            <div>
                <h1 data-testid=testids::PAGE_HEADING><bdi>{move || patient().map(|patient| patient.name)}</bdi></h1>
                <p>{about}{move || about().filter(|about| !about.is_empty()).map(|_| " · ")}"written down "{move || patient().map(|patient| local_day(patient.since))}</p>
            </div>
        </div>
        <div class="cols" data-cols="main-side">
            <div class="stack spread">
                <Record view=view base=BASE.to_owned()/>
                <Consents base=BASE.to_owned() is_own=true/>
                <WhoLooked base=BASE.to_owned() is_own=true/>
            </div>
            <div class="stack">
                <Wore worn=worn/>
                <Handles view=view/>
            </div>
        </div>
    }
}
