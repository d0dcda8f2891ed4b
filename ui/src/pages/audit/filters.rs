//! What is asked of the access log, and its export as a file that anybody can verify.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Desk;
use crate::components::{FailureNote, Icon};
use crate::failure::Failure;
use crate::live::here_now;
use crate::route::escape;
use crate::words::audit::{OUTCOMES, PERIODS};
use crate::words::number::{bytes, thousands};
use crate::words::requests::PURPOSES;
use crate::{testids, transport};

const DAY_MILLIS: i64 = 24 * 3_600_000;

/// What is filled in.
#[derive(Clone, Copy)]
struct Form {
    patient: RwSignal<String>,
    person: RwSignal<String>,
    outcome: RwSignal<String>,
    purpose: RwSignal<String>,
    period: RwSignal<String>,
    is_emergency: RwSignal<bool>,
}

impl Form {
    fn new() -> Self {
        let text = || RwSignal::new(String::new());
        Self {
            patient: text(),
            person: text(),
            outcome: text(),
            purpose: text(),
            period: text(),
            is_emergency: RwSignal::new(false),
        }
    }

    /// The question, for behind a path.
    fn question(self) -> String {
        let days = self.period.get_untracked().parse::<i64>().ok();
        // From a full minute on, so that the same question soon after is the same reading.
        let from = days.map(|days| (here_now() - days * DAY_MILLIS).max(0) / 60_000 * 60_000);
        let parts = [
            ("patient", self.patient.get_untracked().trim().to_owned()),
            ("person", self.person.get_untracked().trim().to_lowercase()),
            ("outcome", self.outcome.get_untracked()),
            ("purpose", self.purpose.get_untracked()),
            (
                "from",
                from.map(|from| from.to_string()).unwrap_or_default(),
            ),
            (
                "emergency",
                if self.is_emergency.get_untracked() {
                    "true"
                } else {
                    ""
                }
                .to_owned(),
            ),
        ];
        let filled = parts.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<_> = filled
            .map(|(name, value)| format!("{name}={}", escape(value)))
            .collect();
        match pairs.is_empty() {
            true => String::new(),
            false => format!("?{}", pairs.join("&")),
        }
    }
}

/// The card.
#[component]
pub(super) fn Filters(desk: Desk) -> impl IntoView {
    let form = Form::new();
    let look = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        desk.look(format!("/api/audit{}", form.question()));
    };
    let recorded = move || {
        let height = desk.recorded.get();
        height.map(|height| format!("That you looked stands in block {}.", thousands(height)))
    };
    let purposes = std::iter::once(("", "Any"))
        .chain(PURPOSES)
        .collect::<Vec<_>>();
    view! {
        <section class="card" aria-labelledby="h-look">
            <div class="card-head"><h2 id="h-look">"Look for"</h2></div>
            <form class="card-body stack" on:submit=look>
                <Text id="audit-patient" label="Patient, by number or id" value=form.patient testid=testids::AUDIT_PATIENT/>
                <Text id="audit-person" label="Person, by handle" value=form.person testid=testids::AUDIT_PERSON/>
                <div class="pair">
                    <Choice id="audit-outcome" label="Outcome" options=OUTCOMES.to_vec() chosen=form.outcome testid=testids::AUDIT_OUTCOME/>
                    <Choice id="audit-purpose" label="What for" options=purposes chosen=form.purpose testid=testids::AUDIT_PURPOSE/>
                    <Choice id="audit-period" label="Period" options=PERIODS.to_vec() chosen=form.period testid=testids::AUDIT_PERIOD/>
                </div>
                <label class="check">
                    <input type="checkbox" data-testid=testids::AUDIT_EMERGENCY prop:checked=form.is_emergency
                        on:change=move |event| form.is_emergency.set(event_target_checked(&event))/>
                    <span>"Broken glasses only"</span>
                </label>
                <div class="row">
                    <button type="submit" class="btn primary" disabled=desk.busy data-testid=testids::AUDIT_LOOK><Icon name="search"/>"Look"</button>
                </div>
                <p class="small dim" role="status">{recorded}</p>
            </form>
            <Export form=form/>
        </section>
    }
}

#[component]
fn Export(form: Form) -> impl IntoView {
    let busy = RwSignal::new(false);
    let saved = RwSignal::new(None::<String>);
    let failure = RwSignal::new(None::<Failure>);
    let export = move |_| {
        busy.set(true);
        saved.set(None);
        failure.set(None);
        let path = format!("/api/audit/bundle{}", form.question());
        spawn_local(async move {
            // The page may be gone by now.
            match save(&path).await {
                Ok(words) => {
                    saved.try_set(Some(words));
                }
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
            busy.try_set(false);
        });
    };
    view! {
        <div class="card-body stack">
            <h3>"For somebody else"</h3>
            <p class="small soft">"A file of what is filled in above. Whoever has the genesis verifies it with no node, by "<code>"fogward verify"</code>", and sees if anything was taken out."</p>
            <div class="row">
                <button type="button" class="btn" disabled=busy aria-busy=move || busy.get().to_string() data-testid=testids::AUDIT_EXPORT on:click=export>
                    <Icon name="down"/>{move || if busy.get() { "Making it…" } else { "Export and save it" }}
                </button>
            </div>
            <p class="small dim wrap" role="status" data-testid=testids::AUDIT_SAVED>{move || saved.get()}</p>
            {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
        </div>
    }
}

async fn save(path: &str) -> Result<String, Failure> {
    let file = transport::bytes(path).await?;
    let place = transport::save_file("audit.fwaudit", &file).await?;
    Ok(format!("Saved as {place}, {}.", bytes(file.len() as u64)))
}

#[component]
fn Text(
    id: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    testid: &'static str,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input class="input" id=id maxlength="80" autocomplete="off" autocapitalize="none" spellcheck="false"
                data-testid=testid prop:value=value on:input=move |event| value.set(event_target_value(&event))/>
        </div>
    }
}

#[component]
fn Choice(
    id: &'static str,
    label: &'static str,
    options: Vec<(&'static str, &'static str)>,
    chosen: RwSignal<String>,
    testid: &'static str,
) -> impl IntoView {
    let one =
        |(key, words): (&'static str, &'static str)| view! { <option value=key>{words}</option> };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select class="input" id=id data-testid=testid on:change=move |event| chosen.set(event_target_value(&event))>
                {options.into_iter().map(one).collect_view()}
            </select>
        </div>
    }
}
