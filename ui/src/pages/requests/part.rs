//! What the forms share that ask for a part of a record and give one: its fields, and what came of it.

use std::collections::BTreeSet;

use fog_api::{AccessRow, AskAccess};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Desk, told};
use crate::asked::{codes, lacks_metrics, lacks_subject, times};
use crate::components::FailureNote;
use crate::failure::Failure;
use crate::words::proof::metric;
use crate::words::requests::{LASTS, OFFERED, PERIODS, PURPOSES, RESOLUTIONS};

/// Names of a form's fields, in its labels and in tests.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) subject: &'static str,
    pub(super) metric: &'static str,
    pub(super) other: &'static str,
    pub(super) period: &'static str,
    pub(super) lasts: &'static str,
    pub(super) resolution: &'static str,
    pub(super) purpose: &'static str,
}

/// The part, as it stands in the fields.
#[derive(Clone, Copy)]
pub(super) struct Part {
    names: Names,
    subject: RwSignal<String>,
    metrics: RwSignal<BTreeSet<&'static str>>,
    others: RwSignal<String>,
    period: RwSignal<String>,
    lasts: RwSignal<String>,
    resolution: RwSignal<String>,
    purpose: RwSignal<String>,
}

impl Part {
    pub(super) fn new(names: Names) -> Self {
        Self {
            names,
            subject: RwSignal::default(),
            metrics: RwSignal::default(),
            others: RwSignal::default(),
            period: RwSignal::new("24".to_owned()),
            lasts: RwSignal::new("1".to_owned()),
            resolution: RwSignal::new("raw".to_owned()),
            purpose: RwSignal::new("treatment".to_owned()),
        }
    }

    fn codes(self) -> Vec<String> {
        let ticked = self.metrics.get();
        self.others.with(|typed| codes(&ticked, typed))
    }

    /// What is missing; `is_here` if this organisation holds the data.
    pub(super) fn hinders(self, is_here: bool) -> Option<&'static str> {
        let subject = self.subject.with(|typed| lacks_subject(typed, is_here));
        subject.or_else(|| lacks_metrics(&self.codes()))
    }

    /// The part as it is asked for of this organisation, at `now`.
    pub(super) fn asked(self, now: i64) -> AskAccess {
        let times = times(
            &self.period.get_untracked(),
            &self.lasts.get_untracked(),
            now,
        );
        AskAccess {
            subject: self.subject.get_untracked().trim().to_owned(),
            holder: None,
            metrics: untrack(move || self.codes()),
            from: times.from,
            until: times.until,
            resolution: self.resolution.get_untracked(),
            purpose: self.purpose.get_untracked(),
            seconds: times.seconds,
            relations: Vec::new(),
        }
    }
}

/// What is said to the node, one thing at a time, and what came of it.
#[derive(Clone, Copy)]
pub(super) struct Saying {
    pub(super) is_busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    told: RwSignal<Option<String>>,
}

impl Saying {
    pub(super) fn new() -> Self {
        Self {
            is_busy: RwSignal::new(false),
            failure: RwSignal::new(None),
            told: RwSignal::new(None),
        }
    }

    /// Waits for the answer, and lists the requests anew; `then` if something was changed.
    pub(super) fn say(
        self,
        desk: Desk,
        answer: impl Future<Output = Result<AccessRow, Failure>> + 'static,
        then: impl FnOnce() + 'static,
    ) {
        self.is_busy.set(true);
        self.failure.set(None);
        self.told.set(None);
        spawn_local(async move {
            // The page may be gone by then.
            match answer.await {
                Ok(row) => {
                    self.told.try_set(Some(told(&row)));
                    then();
                    desk.ask();
                }
                Err(why) => {
                    self.failure.try_set(Some(why));
                }
            }
            self.is_busy.try_set(false);
        });
    }
}

/// What came of it.
#[component]
pub(super) fn Said(saying: Saying) -> impl IntoView {
    let told = saying.told;
    view! {
        <p class="wrap" role="status" hidden=move || told.with(Option::is_none)>{move || told.get()}</p>
        {move || saying.failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
    }
}

/// Whose data.
#[component]
pub(super) fn Whose(part: Part) -> impl IntoView {
    let id = part.names.subject;
    view! {
        <div class="field">
            <label for=id>"Patient’s number, or subject’s handle"</label>
            <input class="input hash" id=id maxlength="64" autocomplete="off" autocapitalize="none" spellcheck="false"
                data-testid=id prop:value=part.subject on:input=move |event| part.subject.set(event_target_value(&event))/>
        </div>
    }
}

/// Which of it, how finely, what for and for how long.
#[component]
pub(super) fn Which(part: Part) -> impl IntoView {
    let names = part.names;
    let hours = |(hours, words): (i32, &'static str)| (hours.to_string(), words);
    let key = |(key, words): (&'static str, &'static str)| (key.to_owned(), words);
    view! {
        <Metrics part=part/>
        <div class="pair">
            <Choice id=names.period label="Period" options=PERIODS.map(hours).to_vec() chosen=part.period/>
            <Choice id=names.lasts label="For" options=LASTS.map(hours).to_vec() chosen=part.lasts/>
            <Choice id=names.resolution label="How finely" options=RESOLUTIONS.map(key).to_vec() chosen=part.resolution/>
            <Choice id=names.purpose label="What for" options=PURPOSES.map(key).to_vec() chosen=part.purpose/>
        </div>
    }
}

#[component]
fn Metrics(part: Part) -> impl IntoView {
    let id = part.names.other;
    let one = move |code: &'static str| {
        let tick = move |event| {
            part.metrics.update(|chosen| {
                match event_target_checked(&event) {
                    true => chosen.insert(code),
                    false => chosen.remove(code),
                };
            });
        };
        view! {
            <label class="check">
                <input type="checkbox" data-testid=part.names.metric data-key=code
                    prop:checked=move || part.metrics.with(|chosen| chosen.contains(code)) on:change=tick/>
                <span>{metric(code).unwrap_or(code)}</span>
            </label>
        }
    };
    view! {
        <fieldset class="stack tight"><legend class="label-text">"Metrics"</legend>
            <div class="pair">{OFFERED.map(one).collect_view()}</div>
            <div class="field">
                <label for=id>"Others, by LOINC code"</label>
                <input class="input" id=id maxlength="200" autocomplete="off" spellcheck="false"
                    data-testid=id prop:value=part.others on:input=move |event| part.others.set(event_target_value(&event))/>
            </div>
        </fieldset>
    }
}

#[component]
fn Choice(
    id: &'static str,
    label: &'static str,
    options: Vec<(String, &'static str)>,
    chosen: RwSignal<String>,
) -> impl IntoView {
    let one = |(key, words): (String, &'static str)| {
        let is_chosen = chosen.get_untracked() == key;
        view! { <option value=key selected=is_chosen>{words}</option> }
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select class="input" id=id data-testid=id on:change=move |event| chosen.set(event_target_value(&event))>
                {options.into_iter().map(one).collect_view()}
            </select>
        </div>
    }
}
