//! Choosing a patient: type to find one, or write a new one down.
//!
//! A combobox: the input keeps the focus, arrow keys move through the list, Return chooses. Nothing is chosen before
//! the node has answered for what is typed, so that nobody is written down twice for want of patience.

use fog_api::{DescribePatient, Patient, PatientsView};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{FailureNote, Icon};
use crate::failure::Failure;
use crate::live::after;
use crate::patients::{Patients, use_patients};
use crate::route::escape;
use crate::testids;
use crate::transport;
use crate::words::patients;

/// At most so many are listed.
const MOST: usize = 6;
/// How long nothing more is typed before the node is asked.
const PAUSE_MILLIS: u64 = 120;

/// What is typed, and what the node found for it.
#[derive(Clone, Copy)]
struct Pick {
    known: Patients,
    chosen: RwSignal<Option<Patient>>,
    words: RwSignal<String>,
    /// `None` until the node has answered for these words.
    found: RwSignal<Option<Vec<Patient>>>,
    at: RwSignal<usize>,
    failure: RwSignal<Option<Failure>>,
    /// Counts questions, so that a late answer to an old one is dropped.
    asked: StoredValue<u32>,
}

impl Pick {
    fn type_words(self, words: String) {
        self.chosen.set(None);
        self.found.set(None);
        self.failure.set(None);
        self.at.set(0);
        self.words.set(words.clone());
        self.asked
            .update_value(|asked| *asked = asked.wrapping_add(1));
        let asked = self.asked.get_value();
        let wanted = words.trim().to_owned();
        if wanted.is_empty() {
            return;
        }
        // The page may be gone by then.
        let is_newest = move || self.asked.try_get_value() == Some(asked);
        after(PAUSE_MILLIS, move || {
            if !is_newest() {
                return;
            }
            spawn_local(async move {
                let path = format!("/api/patients?search={}&limit={MOST}", escape(&wanted));
                let answer = transport::get::<PatientsView>(&path).await;
                if !is_newest() {
                    return;
                }
                match answer {
                    Ok(view) => self.found.set(Some(view.patients)),
                    Err(why) => self.failure.set(Some(why)),
                }
            });
        });
    }

    fn choose(self, patient: Patient) {
        self.words.set(patient.name.clone());
        self.known.learn([patient.clone()]);
        self.chosen.set(Some(patient));
        self.found.set(None);
    }

    /// Writes down a new one of this name.
    fn write_down(self) {
        let asked = DescribePatient {
            name: self.words.get_untracked(),
            number: None,
            born: None,
        };
        self.found.set(None);
        spawn_local(async move {
            match transport::post::<Patient>("/api/patients", &asked).await {
                Ok(patient) => self.choose(patient),
                Err(why) => {
                    self.failure.try_set(Some(why));
                }
            }
        });
    }

    /// Takes the entry at this place; the last one is the new patient.
    fn take(self, place: usize) {
        let chosen = self
            .found
            .with_untracked(|found| found.as_ref().map(|found| found.get(place).cloned()));
        match chosen {
            Some(Some(patient)) => self.choose(patient),
            Some(None) => self.write_down(),
            None => {}
        }
    }

    fn key(self, event: &web_sys::KeyboardEvent) {
        let last = self
            .found
            .with_untracked(|found| found.as_ref().map(Vec::len));
        let is_typed = self.words.with_untracked(|words| !words.trim().is_empty());
        match (event.key().as_str(), last) {
            ("ArrowDown", Some(last)) => self
                .at
                .update(|at| *at = if *at >= last { 0 } else { *at + 1 }),
            ("ArrowUp", Some(last)) => self.at.update(|at| *at = at.checked_sub(1).unwrap_or(last)),
            ("Enter", Some(_)) => self.take(self.at.get_untracked()),
            // Until somebody is chosen, there is nothing to send.
            ("Enter", None) if is_typed && self.chosen.with_untracked(Option::is_none) => {}
            _ => return,
        }
        event.prevent_default();
    }
}

/// The field with its list.
#[component]
pub fn PatientPick(
    /// Who is chosen.
    chosen: RwSignal<Option<Patient>>,
    /// The field's id.
    id: &'static str,
    /// What stands below it.
    hint: &'static str,
    /// Name for tests.
    testid: &'static str,
    /// Begins afresh each time this becomes true.
    #[prop(optional)]
    afresh: Option<RwSignal<bool>>,
) -> impl IntoView {
    let pick = Pick {
        known: use_patients(),
        chosen,
        words: RwSignal::new(String::new()),
        found: RwSignal::new(None),
        at: RwSignal::new(0),
        failure: RwSignal::new(None),
        asked: StoredValue::new(0),
    };
    Effect::new(move || {
        if afresh.is_some_and(|afresh| afresh.get()) {
            pick.type_words(String::new());
        }
    });
    let list = format!("{id}-list");
    let hint_id = format!("{id}-hint");
    let option = move |place: usize| format!("{id}-{place}");
    let active = move || {
        pick.found
            .with(Option::is_some)
            .then(|| option(pick.at.get()))
    };
    let entry = move |place: usize, patient: Option<Patient>| {
        let about = patient.as_ref().map(patients::about).unwrap_or_default();
        let whose = patient.as_ref().map(|patient| patient.id.clone());
        let icon = if patient.is_some() { "user" } else { "plus" };
        let label = patient.map_or_else(
            || {
                format!(
                    "Write “{}” down as a new patient",
                    pick.words.get_untracked().trim()
                )
            },
            |patient| patient.name,
        );
        view! {
            <li role="option" id=option(place) aria-selected=move || (pick.at.get() == place).to_string()
                data-testid=testids::PATIENT_OPTION data-patient=whose
                on:mousemove=move |_| pick.at.set(place) on:click=move |_| pick.take(place)>
                <Icon name=icon/><bdi>{label}</bdi><span class="dim small">{about}</span>
            </li>
        }
    };
    let options = move || {
        let found = pick.found.get()?;
        let new = entry(found.len(), None);
        let known: Vec<_> = found
            .into_iter()
            .enumerate()
            .map(|(place, patient)| entry(place, Some(patient)))
            .collect();
        Some((known, new))
    };
    view! {
        <div class="field">
            <label for=id>"Patient"</label>
            <input class="input" id=id type="text" role="combobox" maxlength="80" autocomplete="off" spellcheck="false" autofocus
                aria-expanded=move || pick.found.with(Option::is_some).to_string() aria-controls=list.clone()
                aria-activedescendant=active aria-describedby=hint_id.clone() placeholder="Name or number" data-testid=testid
                prop:value=pick.words on:keydown=move |event| pick.key(&event)
                on:input=move |event| pick.type_words(event_target_value(&event))/>
            <ul class="picks" role="listbox" id=list aria-label="Patients found">{options}</ul>
            <p class="hint" id=hint_id role="status">{move || match chosen.get() {
                Some(patient) => patients::chosen(&patient),
                None => hint.to_owned(),
            }}</p>
            {move || pick.failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
        </div>
    }
}
