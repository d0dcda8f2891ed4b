//! Who could see what: the node puts every question that a person of one role can put to the policies, as they are
//! and as they would be with what is written. Nothing is done.

use fog_api::{PolicyDraft, PolicySimulation, SimulatePolicies, SimulatedAccess};
use ledger_policy::{Relation, Role};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::choices::OneOf;
use super::desk::{Desk, PAUSE};
use super::result::Found;
use crate::components::{FailureNote, Icon, Loading, Segments};
use crate::failure::Failure;
use crate::live::{after, use_live};
use crate::testids;
use crate::transport;
use crate::words::number::{capital, count};
use crate::words::policies as words;

/// So many metrics the node takes at once.
const AT_ONCE: usize = 8;

/// What is asked of the node.
#[derive(Clone, PartialEq)]
struct Asked {
    side: &'static str,
    metrics: Vec<String>,
    draft: Option<PolicyDraft>,
    days: Option<u32>,
    hour: Option<u8>,
}

/// What the node answered.
#[derive(Clone, PartialEq)]
pub(super) struct Answered {
    /// What was looked at: `who`, `what` or `changes`.
    pub(super) side: &'static str,
    /// The metrics that were asked for, by LOINC code.
    pub(super) metrics: Vec<String>,
    /// Whether with something that is not in force.
    pub(super) with_draft: bool,
    /// How many questions were put.
    pub(super) questions: usize,
    /// What is allowed, now or then.
    pub(super) rows: Vec<SimulatedAccess>,
}

/// What is looked at.
#[derive(Clone, Copy)]
pub(super) struct View {
    side: RwSignal<&'static str>,
    /// LOINC code.
    metric: RwSignal<String>,
    /// The word of a role.
    pub(super) role: RwSignal<String>,
    /// The word of a tie to the patient; empty for none.
    pub(super) tie: RwSignal<String>,
    days: RwSignal<String>,
    hour: RwSignal<String>,
}

impl Asked {
    async fn put(self) -> Result<Answered, Failure> {
        let mut answered = Answered {
            side: self.side,
            metrics: self.metrics.clone(),
            with_draft: self.draft.is_some(),
            questions: 0,
            rows: Vec::new(),
        };
        for metrics in self.metrics.chunks(AT_ONCE) {
            let asked = SimulatePolicies {
                metrics: metrics.to_vec(),
                draft: self.draft.clone(),
                age_days: self.days,
                hour: self.hour,
                organisation: None,
            };
            let path = "/api/policies/simulate";
            let found: PolicySimulation = transport::post(path, &asked).await?;
            answered.questions += found.asked;
            answered.rows.extend(found.rows);
        }
        Ok(answered)
    }
}

impl View {
    /// The question that answers what is looked at; none if nothing would change.
    fn question(self, desk: Desk, draft: Memo<Option<PolicyDraft>>) -> Memo<Option<Asked>> {
        Memo::new(move |_| {
            let side = self.side.get();
            let draft = match draft.get() {
                None if side == "changes" => Some(without(desk)?),
                draft => draft,
            };
            let metrics = match side {
                "who" => vec![self.metric.get()],
                _ => words::metrics().map(|(code, _)| code.to_owned()).collect(),
            };
            let days = self.days.with(|days| days.trim().parse().ok());
            let hour = self.hour.with(|hour| hour.parse().ok());
            Some(Asked {
                side,
                metrics,
                draft,
                days,
                hour,
            })
        })
    }
}

/// The policy that is open, out of force, while nothing is written.
fn without(desk: Desk) -> Option<PolicyDraft> {
    let row = desk.row().filter(|row| row.is_own && !desk.is_changed())?;
    Some(PolicyDraft {
        name: row.name,
        text: None,
    })
}

/// The card.
#[component]
pub(super) fn Simulator(desk: Desk) -> impl IntoView {
    let first = words::metrics().next().map_or("", |(code, _)| code);
    let view = View {
        side: RwSignal::new("who"),
        metric: RwSignal::new(first.to_owned()),
        role: RwSignal::new(Role::Nurse.word().to_owned()),
        tie: RwSignal::new(Relation::Treating.word().to_owned()),
        days: RwSignal::new("1".to_owned()),
        hour: RwSignal::new(String::new()),
    };
    let live = use_live();
    let draft = desk.draft();
    let question = view.question(desk, draft);
    let answer = RwSignal::new(None::<Result<Answered, Failure>>);
    let turn = StoredValue::new(0_u32);
    Effect::new(move || {
        let asked = question.get();
        // Asked again when others are in force, and when the node is back.
        desk.view.track();
        live.epoch.track();
        turn.update_value(|turn| *turn = turn.wrapping_add(1));
        let own = turn.get_value();
        let is_latest = move || turn.try_get_value() == Some(own);
        let Some(asked) = asked else {
            answer.set(None);
            return;
        };
        after(PAUSE, move || {
            if !is_latest() {
                return;
            }
            spawn_local(async move {
                let found = asked.put().await;
                if is_latest() {
                    answer.set(Some(found));
                }
            });
        });
    });
    let is_asked = Memo::new(move |_| question.with(Option::is_some));
    let sides = vec![
        ("who", "Who sees it", None),
        ("what", "What they see", None),
        ("changes", "What changes", None),
    ];
    let title = move || match (view.side.get(), draft.with(Option::is_some)) {
        ("who", _) => "Who can see this?",
        ("what", _) => "What can they see?",
        (_, true) => "What changes if it is put?",
        (_, false) => "What changes if it is retracted?",
    };
    view! {
        <section class="card" aria-labelledby="h-simulator">
            <div class="card-head"><h2 id="h-simulator">{title}</h2></div>
            <div class="card-body stack tight">
                <Segments name="simulator-side" legend="Question" options=sides value=view.side testid=testids::SIMULATE_SIDE/>
                <Controls view=view/>
            </div>
            {move || match (is_asked.get(), answer.get()) {
                (false, _) => view! { <Nothing/> }.into_any(),
                (true, None) => view! { <Loading what="Asking the node"/> }.into_any(),
                (true, Some(Err(failure))) => view! { <div class="card-body full"><FailureNote failure=failure/></div> }.into_any(),
                (true, Some(Ok(found))) => view! { <Found view=view found=found/> }.into_any(),
            }}
        </section>
    }
}

/// Where a change is asked for and none is written.
#[component]
fn Nothing() -> impl IntoView {
    view! {
        <div class="empty" data-testid=testids::SIMULATE_NOTHING>
            <Icon name="eye"/>
            <h3>"Nothing would change"</h3>
            <p>"Write a policy without faults, or choose one that is in force: here stands what it changes."</p>
        </div>
    }
}

#[component]
fn Controls(view: View) -> impl IntoView {
    let metrics = words::metrics().map(|(code, _)| {
        (
            code.to_owned(),
            format!("{} · {code}", capital(&named(code))),
        )
    });
    let metrics: Vec<_> = metrics.collect();
    let roles = Role::ALL.iter();
    let roles: Vec<_> = roles
        .map(|role| (role.word().to_owned(), capital(role.plural())))
        .collect();
    let ties = Relation::ALL.iter();
    let ties = ties.map(|one| (one.word().to_owned(), words::relation(*one).to_owned()));
    let none = (String::new(), "No tie to the patient".to_owned());
    let ties: Vec<_> = std::iter::once(none).chain(ties).collect();
    let hours = (0..24).map(|hour| (hour.to_string(), format!("{hour}:00 UTC")));
    let now = (String::new(), "Now".to_owned());
    let hours: Vec<_> = std::iter::once(now).chain(hours).collect();
    let about = move || {
        match view.side.get() {
        "who" => view! { <OneOf id="simulate-metric" label="Metric" choices=metrics.clone() chosen=view.metric
            on_choose=move |key: String| view.metric.set(key) testid=testids::SIMULATE_METRIC/> }.into_any(),
        "what" => view! {
            <div class="pair">
                <OneOf id="simulate-role" label="People" choices=roles.clone() chosen=view.role
                    on_choose=move |key: String| view.role.set(key) testid=testids::SIMULATE_ROLE/>
                <OneOf id="simulate-tie" label="Tie to the patient" choices=ties.clone() chosen=view.tie
                    on_choose=move |key: String| view.tie.set(key) testid=testids::SIMULATE_TIE/>
            </div>
        }.into_any(),
        _ => ().into_any(),
    }
    };
    view! {
        {about}
        <div class="pair">
            <div class="field">
                <label for="simulate-days">"Of how many days ago"</label>
                <input class="input num-text" id="simulate-days" inputmode="numeric" autocomplete="off" maxlength="5"
                    data-testid=testids::SIMULATE_DAYS prop:value=view.days on:input=move |event| view.days.set(event_target_value(&event))/>
            </div>
            <OneOf id="simulate-hour" label="Asked at" choices=hours chosen=view.hour
                on_choose=move |key: String| view.hour.set(key) testid=testids::SIMULATE_HOUR/>
        </div>
    }
}

/// A metric's name, without the code that stands beside it.
fn named(code: &str) -> String {
    let found = words::metrics().find(|(other, _)| *other == code);
    found.map_or_else(|| code.to_owned(), |(_, name)| name.to_owned())
}

/// What an answer rests on, for the foot of the card.
pub(super) fn grounds(answered: &Answered) -> String {
    let questions = u64::try_from(answered.questions).unwrap_or(u64::MAX);
    let basis = match answered.with_draft {
        true => "With what is written",
        false => "As in force",
    };
    format!(
        "{basis}: {}, decided by the same program as on the ledger",
        count(questions, "question", "questions")
    )
}
