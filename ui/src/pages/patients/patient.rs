//! *Patient*: what does she wear, how is she now, what was measured of her?

use fog_api::{Capability, Patient, PatientView, SubjectHandle};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::account::SignsIn;
use super::called::Rename;
use super::consents::Consents;
use super::erase::Erase;
use super::record::Record;
use super::team::Team;
use super::wears::Wears;
use super::wore::Wore;
use super::worn_by;
use crate::components::{FailureNote, Hash, Loading, local_date};
use crate::failure::Failure;
use crate::live::use_live;
use crate::pages::audit::WhoLooked;
use crate::patients::use_patients;
use crate::route::{Route, escape};
use crate::session::use_session;
use crate::testids;
use crate::transport;
use crate::words::patients;

/// The page.
#[component]
pub fn PatientPage(
    /// The patient's id.
    id: String,
) -> impl IntoView {
    let (live, known) = (use_live(), use_patients());
    let view = RwSignal::new(None::<PatientView>);
    let failure = RwSignal::new(None::<Failure>);
    let id = StoredValue::new(id);
    let base = move || id.with_value(|id| format!("/api/patients/{}", escape(id)));
    let worn = Memo::new(move |_| {
        let devices = id.with_value(|id| worn_by(live, id)).into_iter();
        devices
            .map(|entry| entry.facts.with(|facts| facts.id.clone()))
            .collect::<Vec<_>>()
    });
    Effect::new(move || {
        worn.get();
        live.epoch.track();
        let path = base();
        spawn_local(async move {
            // The page may be gone by now.
            match transport::get::<PatientView>(&path).await {
                Ok(told) => {
                    known.learn([told.patient.clone()]);
                    failure.try_set(None);
                    view.try_set(Some(told));
                }
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
        });
    });
    // A tab's title stays in the browser's history, and names nobody.
    document().set_title("Patient · Fogward");
    let is_told = Memo::new(move |_| view.with(Option::is_some));
    // What is shown stays, with the certificate of an erasure, when she cannot be asked for any more.
    let failed = Memo::new(move |_| failure.get().filter(|_| !is_told.get()));
    view! {
        <div class="page">
            {move || match (failed.get(), is_told.get()) {
                (Some(failure), false) => view! { <section class="card"><div class="card-body full"><FailureNote failure=failure/></div></section> }.into_any(),
                (None, false) => view! { <section class="card"><Loading what="Asking the node for this patient"/></section> }.into_any(),
                (_, true) => view! { <Known view=view base=base()/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Known(view: RwSignal<Option<PatientView>>, base: String) -> impl IntoView {
    let session = use_session();
    let patient =
        Signal::derive(move || view.with(|view| view.as_ref().map(|view| view.patient.clone())));
    let worn = Signal::derive(move || {
        view.with(|view| view.as_ref().map(|view| view.worn.clone()))
            .unwrap_or_default()
    });
    let may_assign = session.may(Capability::Assign);
    let may_erase = session.may(Capability::Maintain);
    let (asks, erases) = (RwSignal::new(false), RwSignal::new(false));
    let renamed = move |new: Patient| {
        view.try_update(|view| {
            if let Some(view) = view {
                view.patient = new;
            }
        });
    };
    let name = move || patient.with(|patient| patient.as_ref().map(|patient| patient.name.clone()));
    let about = move || patient.with(|patient| patient.as_ref().map(patients::about));
    let since =
        move || patient.with(|patient| patient.as_ref().map(|patient| local_date(patient.since)));
    view! {
        <div class="page-head">
            <div>
                <h1 data-testid=testids::PAGE_HEADING><bdi>{name}</bdi></h1>
                <p>{about}{move || about().filter(|about| !about.is_empty()).map(|_| " · ")}"written down "{since}</p>
            </div>
            <div class="row">
                <a class="btn" href=Route::Patients.href()>"All patients"</a>
                <button type="button" class="btn" hidden=!may_assign data-testid=testids::PATIENT_CHANGE on:click=move |_| asks.set(true)>"Change the name"</button>
                <button type="button" class="btn danger" hidden=!may_erase data-testid=testids::PATIENT_ERASE on:click=move |_| erases.set(true)>"Erase"</button>
            </div>
        </div>
        <div class="cols" data-cols="main-side">
            <div class="stack spread">
                <Wears patient=patient worn=worn/>
                <Record view=view base=base.clone()/>
                <Consents base=base.clone()/>
                <WhoLooked base=base.clone()/>
            </div>
            <div class="stack">
                <Wore worn=worn/>
                <Team view=view base=base.clone()/>
                <SignsIn view=view base=base/>
                <Handles view=view/>
            </div>
        </div>
        <Rename open=asks patient=patient on_done=renamed/>
        <Erase open=erases patient=patient/>
    }
}

/// Under which names the ledger knows her this month.
#[component]
pub(super) fn Handles(view: RwSignal<Option<PatientView>>) -> impl IntoView {
    let handles = move || {
        view.with(|view| view.as_ref().map(|view| view.handles.clone()))
            .unwrap_or_default()
    };
    let until = move || handles().first().map(|handle| local_date(handle.until));
    let row = |handle: SubjectHandle| {
        view! {
            <dt>{patients::purpose(&handle.purpose)}</dt>
            <dd data-testid=testids::PATIENT_HANDLE data-purpose=handle.purpose><Hash text=handle.handle/></dd>
        }
    };
    view! {
        <section class="card" aria-labelledby="h-handles">
            <div class="card-head"><h2 id="h-handles">"On the ledger"</h2></div>
            <div class="card-body stack">
                <p class="small soft">"What is asked for about this patient names one of these, by its purpose. They change for everybody at once on "{until}", so that no two months and no two purposes can be linked by others."</p>
                <dl class="kv">{move || handles().into_iter().map(row).collect_view()}</dl>
                <p class="small dim">"Who that is, only this organisation’s vaults know."</p>
            </div>
        </section>
    }
}
