//! *Patients*: who is here, and who wears what now?

mod account;
mod called;
mod consent_form;
mod consents;
mod erase;
mod me;
mod patient;
mod record;
mod team;
mod wears;
mod wore;

pub use me::MePage;
pub use patient::PatientPage;

use std::collections::BTreeSet;

use fog_api::{Patient, PatientsView};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, Icon, Loading, PageHead};
use crate::failure::Failure;
use crate::live::{DeviceEntry, Live, after, use_live};
use crate::patients::use_patients;
use crate::route::{Route, escape};
use crate::testids;
use crate::transport;
use crate::words::{device, patients};

use called::WriteDown;

/// How long nothing more is typed before the node is asked.
const PAUSE_MILLIS: u64 = 150;

/// The devices that a patient wears now; tracks who wears which.
fn worn_by(live: Live, patient: &str) -> Vec<DeviceEntry> {
    let is_hers = |entry: &DeviceEntry| {
        let facts = entry.facts;
        facts.with(|facts| facts.assigned_to.as_deref() == Some(patient))
    };
    live.devices().into_iter().filter(is_hers).collect()
}

/// The page.
#[component]
pub fn PatientsPage() -> impl IntoView {
    let (live, known) = (use_live(), use_patients());
    let words = RwSignal::new(String::new());
    let answer = RwSignal::new(None::<PatientsView>);
    let failure = RwSignal::new(None::<Failure>);
    let asked = StoredValue::new(0_u32);
    let wearers = Memo::new(move |_| {
        let whose = live.devices().into_iter();
        let whose = whose.filter_map(|entry| entry.facts.with(|facts| facts.assigned_to.clone()));
        whose.collect::<BTreeSet<_>>()
    });
    Effect::new(move || {
        let wanted = words.get();
        live.epoch.track();
        wearers.get();
        asked.update_value(|asked| *asked = asked.wrapping_add(1));
        let turn = asked.get_value();
        // The page may be gone by then.
        let is_newest = move || asked.try_get_value() == Some(turn);
        let ask = move || {
            if !is_newest() {
                return;
            }
            spawn_local(async move {
                let path = format!("/api/patients?search={}", escape(wanted.trim()));
                let said = transport::get::<PatientsView>(&path).await;
                if !is_newest() {
                    return;
                }
                failure.set(said.as_ref().err().cloned());
                if let Ok(view) = said {
                    known.learn(view.patients.clone());
                    answer.set(Some(view));
                }
            });
        };
        let pause = if answer.with_untracked(Option::is_some) {
            PAUSE_MILLIS
        } else {
            0
        };
        after(pause, ask);
    });
    let all = Memo::new(move |_| answer.with(|view| view.as_ref().map(|view| view.all)));
    let heading = Signal::derive(move || match all.get() {
        Some(all) => patients::heading(all, wearers.with(BTreeSet::len) as u64),
        None => "Patients".to_owned(),
    });
    view! {
        <div class="page">
            <PageHead heading=heading sub=Signal::derive(|| "Who they are stays in this node’s vault, sealed. The ledger knows each by handles that change with the purpose and the month.".to_owned())/>
            <div class="cols" data-cols="main-side">
                <section class="card" aria-labelledby="h-patients">
                    <div class="card-head">
                        <h2 id="h-patients">"Written down"</h2>
                        <div class="push" role="search" aria-label="Patients">
                            <label class="vh" for="patient-words">"Find by name or number"</label>
                            <input class="input filter" id="patient-words" type="search" placeholder="Name or number" autocomplete="off"
                                data-testid=testids::PATIENT_SEARCH prop:value=words on:input=move |event| words.set(event_target_value(&event))/>
                        </div>
                    </div>
                    {move || failure.get().map(|failure| view! { <div class="card-body full"><FailureNote failure=failure/></div> })}
                    {move || match all.get() {
                        None => view! { <Loading what="Asking the node for its patients"/> }.into_any(),
                        Some(_) => view! { <Table answer=answer/> }.into_any(),
                    }}
                </section>
                <WriteDown/>
            </div>
        </div>
    }
}

#[component]
fn Table(answer: RwSignal<Option<PatientsView>>) -> impl IntoView {
    let listed = move || {
        answer
            .with(|view| view.as_ref().map(|view| view.patients.clone()))
            .unwrap_or_default()
    };
    let left = move || {
        answer.with(|view| {
            view.as_ref()
                .and_then(|view| patients::left(view.found, view.patients.len()))
        })
    };
    let is_empty =
        move || answer.with(|view| view.as_ref().is_none_or(|view| view.patients.is_empty()));
    let is_new = move || answer.with(|view| view.as_ref().is_some_and(|view| view.all == 0));
    view! {
        <div class="scroll" tabindex="0" role="group" aria-labelledby="h-patients">
            <table class="tbl tall" hidden=is_empty>
                <thead><tr>
                    <th scope="col">"Patient"</th>
                    <th scope="col" data-p="2">"Born"</th>
                    <th scope="col" data-p="1">"Wears"</th>
                    <th scope="col" class="num">"Now"</th>
                </tr></thead>
                <tbody>
                    <For each=listed key=|patient| serde_json::to_string(patient).unwrap_or_default() let:patient>
                        <Row patient=patient/>
                    </For>
                </tbody>
            </table>
        </div>
        <p class="card-body small dim" hidden=move || left().is_none()>{left}</p>
        <div class="empty" role="status" hidden=move || !is_empty()>
            <Icon name="patient"/>
            <p>{move || match is_new() {
                true => "Write a patient down, then say which device they wear. Each reading is of whoever wore the device when it was taken.",
                false => "Nobody has this name or number.",
            }}</p>
        </div>
    }
}

#[component]
fn Row(patient: Patient) -> impl IntoView {
    let live = use_live();
    let id = StoredValue::new(patient.id.clone());
    let worn = Memo::new(move |_| {
        let devices = id.with_value(|id| worn_by(live, id)).into_iter();
        devices
            .map(|entry| entry.facts.with(|facts| facts.id.clone()))
            .collect::<Vec<_>>()
    });
    let entries = move || {
        worn.get()
            .iter()
            .filter_map(|id| live.device(id))
            .collect::<Vec<_>>()
    };
    let now = Memo::new(move |_| {
        let current = entries().into_iter().filter(|entry| entry.is_now(live));
        let said: Vec<_> = current
            .map(|entry| entry.vitals.with(|vitals| device::newest(vitals)))
            .collect();
        match said.is_empty() {
            true => "–".to_owned(),
            false => said.join(" · "),
        }
    });
    let is_simulated = move || {
        let mut worn = entries().into_iter();
        worn.any(|entry| entry.facts.with(|facts| facts.simulated))
    };
    let devices = move || {
        let link = |entry: DeviceEntry| {
            let (id, name) = entry
                .facts
                .with(|facts| (facts.id.clone(), facts.name.clone()));
            view! { <a href=Route::Device(id).href()><bdi>{name}</bdi></a>" " }
        };
        match entries() {
            none if none.is_empty() => view! { <span class="dim">"nothing"</span> }.into_any(),
            some => some.into_iter().map(link).collect_view().into_any(),
        }
    };
    let number = patient.number.clone();
    let to = Route::Patient(patient.id.clone()).href();
    view! {
        <tr data-testid=testids::PATIENT_ROW data-patient=patient.id>
            <th scope="row"><a href=to><bdi>{patient.name}</bdi></a><small>{number}</small></th>
            <td data-p="2" class="dim">{patient.born.unwrap_or_else(|| "–".to_owned())}</td>
            <td data-p="1">{devices}</td>
            <td class="num" class:hatch=is_simulated data-testid=testids::PATIENT_NOW>{move || now.get()}</td>
        </tr>
    }
}
