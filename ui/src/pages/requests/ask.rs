//! Asking for a part of somebody's data, or breaking the glass.

use std::collections::BTreeSet;

use fog_api::{AccessRow, AskAccess, BreakGlass, Capability, ConsortiumView, Role};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Desk;
use crate::components::{FailureNote, Icon};
use crate::failure::Failure;
use crate::live::use_live;
use crate::session::use_session;
use crate::words::proof::metric;
use crate::words::requests::{LASTS, OFFERED, PERIODS, PURPOSES, RESOLUTIONS, other_holders};
use crate::{testids, transport};

const HOUR_MILLIS: u64 = 3_600_000;
/// Hexadecimal digits of a subject's handle.
const HANDLE_DIGITS: usize = 64;

/// What is in the form.
#[derive(Clone, Copy)]
struct Form {
    subject: RwSignal<String>,
    /// Id of the organisation that holds the data; empty for this one.
    holder: RwSignal<String>,
    metrics: RwSignal<BTreeSet<&'static str>>,
    others: RwSignal<String>,
    period: RwSignal<String>,
    lasts: RwSignal<String>,
    resolution: RwSignal<String>,
    purpose: RwSignal<String>,
    is_treating: RwSignal<bool>,
    is_oneself: RwSignal<bool>,
    is_emergency: RwSignal<bool>,
    reason: RwSignal<String>,
}

impl Form {
    fn new() -> Self {
        Self {
            subject: RwSignal::default(),
            holder: RwSignal::default(),
            metrics: RwSignal::default(),
            others: RwSignal::default(),
            period: RwSignal::new("24".to_owned()),
            lasts: RwSignal::new("1".to_owned()),
            resolution: RwSignal::new("raw".to_owned()),
            purpose: RwSignal::new("treatment".to_owned()),
            is_treating: RwSignal::new(false),
            is_oneself: RwSignal::new(false),
            is_emergency: RwSignal::new(false),
            reason: RwSignal::default(),
        }
    }

    /// The codes that are ticked and typed.
    fn codes(self) -> Vec<String> {
        let typed = self.others.get();
        let typed = typed.split([',', ' ']).map(str::trim);
        let typed = typed.filter(|code| !code.is_empty()).map(str::to_owned);
        let ticked = self.metrics.get().into_iter().map(str::to_owned);
        ticked.chain(typed).collect()
    }

    /// What is missing before it can be sent.
    fn hinders(self) -> Option<&'static str> {
        let subject = self.subject.get();
        let subject = subject.trim();
        let is_handle = subject.len() == HANDLE_DIGITS
            && subject.chars().all(|digit| digit.is_ascii_hexdigit());
        let is_here = self.holder.with(String::is_empty);
        match () {
            () if subject.is_empty() => {
                Some("Type the patient’s number, or paste the subject’s handle.")
            }
            () if !is_handle && !is_here => {
                Some("Another organisation’s patient has a handle, 64 digits.")
            }
            () if self.codes().is_empty() => Some("Choose at least one metric."),
            () if self.is_emergency.get() && self.reason.with(|why| why.trim().is_empty()) => {
                Some("Write why; it is reviewed, and stays sealed at this node.")
            }
            () => None,
        }
    }

    fn asked(self, now: i64) -> AskAccess {
        let now = u64::try_from(now).unwrap_or(0);
        let hours = |chosen: RwSignal<String>| chosen.get_untracked().parse::<i64>().unwrap_or(1);
        let (back, ahead) = match hours(self.period) {
            back @ 0.. => (back.unsigned_abs(), 0),
            ahead => (0, ahead.unsigned_abs()),
        };
        // What is to come cannot be seen after the grant is over.
        let lasts = hours(self.lasts).unsigned_abs().max(ahead);
        let relations = [(self.is_treating, "treating"), (self.is_oneself, "self")];
        let relations = relations
            .into_iter()
            .filter(|(is_so, _)| is_so.get_untracked())
            .map(|(_, word)| word.to_owned());
        let holder = Some(self.holder.get_untracked()).filter(|id| !id.is_empty());
        AskAccess {
            subject: self.subject.get_untracked().trim().to_owned(),
            holder,
            metrics: untrack(move || self.codes()),
            from: now.saturating_sub(back * HOUR_MILLIS),
            until: now.saturating_add(ahead * HOUR_MILLIS),
            resolution: self.resolution.get_untracked(),
            purpose: self.purpose.get_untracked(),
            seconds: lasts * HOUR_MILLIS / 1_000,
            relations: relations.collect(),
        }
    }
}

/// The card.
#[component]
pub(super) fn AskForData(desk: Desk) -> impl IntoView {
    let live = use_live();
    let form = Form::new();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let told = RwSignal::new(None::<String>);
    let missing = Memo::new(move |_| form.hinders());
    let is_patient = use_session().is_patient();
    let treats = use_session().person().is_some_and(|person| {
        person.roles.contains(&Role::Physician) || person.roles.contains(&Role::Nurse)
    });
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || missing.with_untracked(Option::is_some) {
            return;
        }
        busy.set(true);
        failure.set(None);
        told.set(None);
        let asked = form.asked(live.now.get_untracked());
        let reason = form
            .is_emergency
            .get_untracked()
            .then(|| form.reason.get_untracked());
        spawn_local(async move {
            let outcome = match reason {
                None => transport::post::<AccessRow>("/api/access", &asked).await,
                Some(reason) => {
                    let broken = BreakGlass { asked, reason };
                    transport::post("/api/access/break-glass", &broken).await
                }
            };
            match outcome {
                Ok(row) => {
                    told.try_set(Some(super::told(&row)));
                    form.reason.try_set(String::new());
                    form.is_emergency.try_set(false);
                    desk.ask();
                }
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
            busy.try_set(false);
        });
    };
    let act = move || match form.is_emergency.get() {
        true => "Break the glass",
        false => "Ask",
    };
    view! {
        <section class="card" aria-labelledby="h-ask">
            <div class="card-head"><h2 id="h-ask">"Ask for data"</h2></div>
            <form class="card-body stack" on:submit=send>
                <div class="field">
                    <label for="ask-subject">"Patient’s number, or subject’s handle"</label>
                    <input class="input hash" id="ask-subject" maxlength="64" autocomplete="off" autocapitalize="none" spellcheck="false"
                        data-testid=testids::ASK_SUBJECT prop:value=form.subject on:input=move |event| form.subject.set(event_target_value(&event))/>
                </div>
                <Holder form=form/>
                <Metrics form=form/>
                <div class="pair">
                    <Choice id="ask-period" label="Period" options=PERIODS.map(|(hours, words)| (hours.to_string(), words)).to_vec() chosen=form.period testid=testids::ASK_PERIOD/>
                    <Choice id="ask-lasts" label="For" options=LASTS.map(|(hours, words)| (hours.to_string(), words)).to_vec() chosen=form.lasts testid=testids::ASK_LASTS/>
                    <Choice id="ask-resolution" label="How finely" options=RESOLUTIONS.map(|(key, words)| (key.to_owned(), words)).to_vec() chosen=form.resolution testid=testids::ASK_RESOLUTION/>
                    <Choice id="ask-purpose" label="What for" options=PURPOSES.map(|(key, words)| (key.to_owned(), words)).to_vec() chosen=form.purpose testid=testids::ASK_PURPOSE/>
                </div>
                {treats.then(|| view! { <>
                    <Tick label="I treat this patient" value=form.is_treating testid=testids::ASK_TREATING/>
                    <Tick label="It is an emergency: break the glass" value=form.is_emergency testid=testids::ASK_EMERGENCY/>
                </> })}
                {is_patient.then(|| view! { <Tick label="These are my own data" value=form.is_oneself testid=testids::ASK_ONESELF/> })}
                <div class="field" hidden=move || !form.is_emergency.get()>
                    <label for="ask-reason">"Why"</label>
                    <input class="input" id="ask-reason" maxlength="500" autocomplete="off"
                        data-testid=testids::ASK_REASON prop:value=form.reason on:input=move |event| form.reason.set(event_target_value(&event))/>
                </div>
                <p class="small dim one-line" role="status">{move || missing.get()}</p>
                <div class="row"><button type="submit" class="btn" class:primary=move || !form.is_emergency.get() class:danger=form.is_emergency
                    aria-busy=move || busy.get().to_string() disabled=move || busy.get() || missing.with(Option::is_some)
                    data-testid=testids::ASK_SEND><Icon name="key"/>{act}</button></div>
                <p class="wrap" role="status" hidden=move || told.with(Option::is_none)>{move || told.get()}</p>
                {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            </form>
        </section>
    }
}

/// Whose record it is a part of; nothing where there is no other organisation.
#[component]
fn Holder(form: Form) -> impl IntoView {
    let others = RwSignal::new(Vec::<(String, String)>::new());
    if use_session().may(Capability::ReadConsortium) {
        spawn_local(async move {
            // Without an answer, this organisation's data can be asked for all the same.
            if let Ok(view) = transport::get::<ConsortiumView>("/api/consortium").await {
                let found = other_holders(&view.organisations, view.me.organisation.as_deref());
                others.try_set(found);
            }
        });
    }
    let options = move || {
        let all = others.get().into_iter();
        all.map(|(id, name)| view! { <option value=id>{name}</option> })
            .collect_view()
    };
    view! {
        <div class="field" hidden=move || others.with(Vec::is_empty)>
            <label for="ask-holder">"Held by"</label>
            <select class="input" id="ask-holder" data-testid=testids::ASK_HOLDER on:change=move |event| form.holder.set(event_target_value(&event))>
                <option value="">"This organisation"</option>
                {options}
            </select>
        </div>
    }
}

#[component]
fn Metrics(form: Form) -> impl IntoView {
    let one = move |code: &'static str| {
        let tick = move |event| {
            form.metrics.update(|chosen| {
                match event_target_checked(&event) {
                    true => chosen.insert(code),
                    false => chosen.remove(code),
                };
            });
        };
        view! {
            <label class="check">
                <input type="checkbox" data-testid=testids::ASK_METRIC data-key=code
                    prop:checked=move || form.metrics.with(|chosen| chosen.contains(code)) on:change=tick/>
                <span>{metric(code).unwrap_or(code)}</span>
            </label>
        }
    };
    view! {
        <fieldset class="stack tight"><legend class="label-text">"Metrics"</legend>
            <div class="pair">{OFFERED.map(one).collect_view()}</div>
            <div class="field">
                <label for="ask-other">"Others, by LOINC code"</label>
                <input class="input" id="ask-other" maxlength="200" autocomplete="off" spellcheck="false"
                    data-testid=testids::ASK_OTHER prop:value=form.others on:input=move |event| form.others.set(event_target_value(&event))/>
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
    testid: &'static str,
) -> impl IntoView {
    let one = |(key, words): (String, &'static str)| {
        let is_chosen = chosen.get_untracked() == key;
        view! { <option value=key selected=is_chosen>{words}</option> }
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select class="input" id=id data-testid=testid on:change=move |event| chosen.set(event_target_value(&event))>
                {options.into_iter().map(one).collect_view()}
            </select>
        </div>
    }
}

#[component]
fn Tick(label: &'static str, value: RwSignal<bool>, testid: &'static str) -> impl IntoView {
    view! {
        <label class="check">
            <input type="checkbox" data-testid=testid prop:checked=value on:change=move |event| value.set(event_target_checked(&event))/>
            <span>{label}</span>
        </label>
    }
}
