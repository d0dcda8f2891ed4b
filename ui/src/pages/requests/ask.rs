//! Asking for a part of somebody's data, or breaking the glass.

use fog_api::{AskAccess, BreakGlass, Capability, ConsortiumView, Role};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Desk;
use super::part::{Names, Part, Said, Saying, Which, Whose};
use crate::components::Icon;
use crate::live::use_live;
use crate::session::use_session;
use crate::words::requests::other_holders;
use crate::{testids, transport};

const NAMES: Names = Names {
    subject: testids::ASK_SUBJECT,
    metric: testids::ASK_METRIC,
    other: testids::ASK_OTHER,
    period: testids::ASK_PERIOD,
    lasts: testids::ASK_LASTS,
    resolution: testids::ASK_RESOLUTION,
    purpose: testids::ASK_PURPOSE,
};

/// What is in the form.
#[derive(Clone, Copy)]
struct Form {
    part: Part,
    /// Id of the organisation that holds the data; empty for this one.
    holder: RwSignal<String>,
    is_treating: RwSignal<bool>,
    is_oneself: RwSignal<bool>,
    is_emergency: RwSignal<bool>,
    reason: RwSignal<String>,
}

impl Form {
    fn new() -> Self {
        Self {
            part: Part::new(NAMES),
            holder: RwSignal::default(),
            is_treating: RwSignal::new(false),
            is_oneself: RwSignal::new(false),
            is_emergency: RwSignal::new(false),
            reason: RwSignal::default(),
        }
    }

    /// What is missing before it can be sent.
    fn hinders(self) -> Option<&'static str> {
        let part = self.part.hinders(self.holder.with(String::is_empty));
        let is_unexplained =
            self.is_emergency.get() && self.reason.with(|why| why.trim().is_empty());
        let why = "Write why; it is reviewed, and stays sealed at this node.";
        part.or(is_unexplained.then_some(why))
    }

    fn asked(self, now: i64) -> AskAccess {
        let relations = [(self.is_treating, "treating"), (self.is_oneself, "self")];
        let relations = relations
            .into_iter()
            .filter(|(is_so, _)| is_so.get_untracked())
            .map(|(_, word)| word.to_owned());
        AskAccess {
            holder: Some(self.holder.get_untracked()).filter(|id| !id.is_empty()),
            relations: relations.collect(),
            ..self.part.asked(now)
        }
    }
}

/// The card.
#[component]
pub(super) fn AskForData(desk: Desk) -> impl IntoView {
    let live = use_live();
    let form = Form::new();
    let saying = Saying::new();
    let missing = Memo::new(move |_| form.hinders());
    let is_patient = use_session().is_patient();
    let treats = use_session().person().is_some_and(|person| {
        person.roles.contains(&Role::Physician) || person.roles.contains(&Role::Nurse)
    });
    let is_blocked = move || saying.is_busy.get() || missing.with(Option::is_some);
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if untrack(is_blocked) {
            return;
        }
        let asked = form.asked(live.now.get_untracked());
        let reason = form
            .is_emergency
            .get_untracked()
            .then(|| form.reason.get_untracked());
        let answer = async move {
            match reason {
                None => transport::post("/api/access", &asked).await,
                Some(reason) => {
                    let broken = BreakGlass { asked, reason };
                    transport::post("/api/access/break-glass", &broken).await
                }
            }
        };
        saying.say(desk, answer, move || {
            form.reason.try_set(String::new());
            form.is_emergency.try_set(false);
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
                <Whose part=form.part/>
                <Holder form=form/>
                <Which part=form.part/>
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
                    aria-busy=move || saying.is_busy.get().to_string() disabled=is_blocked
                    data-testid=testids::ASK_SEND><Icon name="key"/>{act}</button></div>
                <Said saying=saying/>
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
fn Tick(label: &'static str, value: RwSignal<bool>, testid: &'static str) -> impl IntoView {
    view! {
        <label class="check">
            <input type="checkbox" data-testid=testid prop:checked=value on:change=move |event| value.set(event_target_checked(&event))/>
            <span>{label}</span>
        </label>
    }
}
