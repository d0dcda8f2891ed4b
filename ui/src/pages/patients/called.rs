//! What a patient is called: written down, and changed.

use fog_api::{DescribePatient, Patient};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, Icon, modal};
use crate::failure::Failure;
use crate::patients::use_patients;
use crate::route::{Route, escape};
use crate::testids;
use crate::transport;

/// What is typed of a patient, and what came of sending it.
#[derive(Clone, Copy)]
struct Called {
    name: RwSignal<String>,
    number: RwSignal<String>,
    born: RwSignal<String>,
    is_busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
}

impl Called {
    fn new() -> Self {
        let [name, number, born] = std::array::from_fn(|_| RwSignal::new(String::new()));
        Self {
            name,
            number,
            born,
            is_busy: RwSignal::new(false),
            failure: RwSignal::new(None),
        }
    }

    fn fill(self, patient: &Patient) {
        self.name.set(patient.name.clone());
        self.number.set(patient.number.clone().unwrap_or_default());
        self.born.set(patient.born.clone().unwrap_or_default());
        self.failure.set(None);
    }

    fn is_nameless(self) -> bool {
        self.name.with(|name| name.trim().is_empty())
    }

    /// Sends it to `path`; `done` is told what the node kept.
    fn send(self, path: String, done: impl Fn(Patient) + 'static) {
        if self.is_busy.get_untracked() || untrack(|| self.is_nameless()) {
            return;
        }
        let filled = |text: RwSignal<String>| {
            Some(text.get_untracked()).filter(|text| !text.trim().is_empty())
        };
        let asked = DescribePatient {
            name: self.name.get_untracked(),
            number: filled(self.number),
            born: filled(self.born),
        };
        let known = use_patients();
        self.is_busy.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let answer = transport::post::<Patient>(&path, &asked).await;
            // The page may be gone by now.
            self.is_busy.try_set(false);
            match answer {
                Ok(patient) => {
                    known.learn([patient.clone()]);
                    done(patient);
                }
                Err(why) => {
                    self.failure.try_set(Some(why));
                }
            }
        });
    }
}

/// The three fields, their ids beginning with `prefix`.
#[component]
fn Fields(called: Called, prefix: &'static str) -> impl IntoView {
    let [name, number, born] = ["name", "number", "born"].map(|field| format!("{prefix}-{field}"));
    view! {
        <div class="field">
            <label for=name.clone()>"Name"</label>
            <input class="input" id=name maxlength="80" autocomplete="off" spellcheck="false" data-testid=testids::PATIENT_NAME
                prop:value=called.name on:input=move |event| called.name.set(event_target_value(&event))/>
        </div>
        <div class="pair">
            <div class="field">
                <label for=number.clone()>"Number"</label>
                <input class="input" id=number maxlength="32" autocomplete="off" spellcheck="false" data-testid=testids::PATIENT_NUMBER
                    prop:value=called.number on:input=move |event| called.number.set(event_target_value(&event))/>
            </div>
            <div class="field">
                <label for=born.clone()>"Born"</label>
                <input class="input" id=born type="date" autocomplete="off" data-testid=testids::PATIENT_BORN
                    prop:value=called.born on:input=move |event| called.born.set(event_target_value(&event))/>
            </div>
        </div>
        {move || called.failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
    }
}

/// The card that writes a new patient down.
#[component]
pub(super) fn WriteDown() -> impl IntoView {
    let called = Called::new();
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        called.send("/api/patients".to_owned(), |patient| {
            // The address of this page is always writable.
            location().set_hash(&Route::Patient(patient.id).href()).ok();
        });
    };
    view! {
        <section class="card" aria-labelledby="h-write-down">
            <div class="card-head"><h2 id="h-write-down">"Write a patient down"</h2></div>
            <form class="card-body stack" on:submit=send>
                <Fields called=called prefix="new-patient"/>
                <p class="small dim">"A pseudonym will do. Number and day of birth tell patients of one name apart; no two have one number."</p>
                <div class="row"><button type="submit" class="btn primary" disabled=move || called.is_busy.get() || called.is_nameless()
                    data-testid=testids::PATIENT_KEEP><Icon name="plus"/>"Write down"</button></div>
            </form>
        </section>
    }
}

/// The question what a patient is called from now on.
#[component]
pub(super) fn Rename(
    /// Whether it is asked.
    open: RwSignal<bool>,
    /// Who.
    patient: Signal<Option<Patient>>,
    /// Is told what the node kept.
    #[prop(into)]
    on_done: Callback<Patient>,
) -> impl IntoView {
    let called = Called::new();
    let (dialog, closed) = modal(open, move || {
        patient.with_untracked(|patient| {
            if let Some(patient) = patient {
                called.fill(patient);
            }
        });
    });
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(id) =
            patient.with_untracked(|patient| patient.as_ref().map(|patient| patient.id.clone()))
        else {
            return;
        };
        called.send(format!("/api/patients/{}", escape(&id)), move |patient| {
            open.try_set(false);
            on_done.run(patient);
        });
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="h-rename" on:close=closed>
            <form class="stack" on:submit=send>
                <div><h2 id="h-rename">"What is the patient called?"</h2>
                    <p class="soft">"Only the words change. The record, the devices and the handles on the ledger stay."</p></div>
                <Fields called=called prefix="rename"/>
                <footer>
                    <button type="button" class="btn" on:click=move |_| open.set(false)>"Leave it as it is"</button>
                    <button type="submit" class="btn primary" disabled=move || called.is_busy.get() || called.is_nameless()
                        data-testid=testids::PATIENT_CHANGE_CONFIRM>"Change"</button>
                </footer>
            </form>
        </dialog>
    }
}
