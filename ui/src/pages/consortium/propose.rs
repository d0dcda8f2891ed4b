//! Writing a proposal in three steps: what kind, about what, why. What it would break stands before the
//! button; a change that halts the ledger is sent only by who ticks that they know.

use fog_api::consortium::{Change, PreflightFinding, ThresholdsView};
use leptos::prelude::*;

use super::propose_rules::{RulesForm, ThresholdsForm};
use super::propose_send::Send;
use crate::components::{FailureNote, Icon, PageHead, Step, Waiting};
use crate::consortium::{Consortium, use_consortium};
use crate::draft::{Choice, Kind, RulesText};
use crate::failure::Failure;
use crate::remedy::prepared;
use crate::route::Route;
use crate::testids;

/// What is written so far.
#[derive(Clone, Copy)]
pub struct Draft {
    /// The consortium it is for.
    pub desk: Consortium,
    /// 1, 2 or 3.
    pub step: RwSignal<u8>,
    /// What kind.
    pub kind: RwSignal<Option<Kind>>,
    /// What was chosen.
    pub chosen: RwSignal<Option<Choice>>,
    /// The rules as typed; those in force when the kind was chosen.
    pub rules: RwSignal<RulesText>,
    /// The voices as chosen; `None` before the kind was chosen.
    pub thresholds: RwSignal<Option<ThresholdsView>>,
    /// Why.
    pub reason: RwSignal<String>,
    /// Hours it may be voted on.
    pub hours: RwSignal<u32>,
    /// Its writer knows that the ledger would halt.
    pub force: RwSignal<bool>,
    /// What it would break.
    pub found: RwSignal<Option<Vec<PreflightFinding>>>,
    /// Why it was not taken.
    pub failure: RwSignal<Option<Failure>>,
}

impl Draft {
    fn new(desk: Consortium) -> Self {
        Self {
            desk,
            step: RwSignal::new(1),
            kind: RwSignal::new(None),
            chosen: RwSignal::new(None),
            rules: RwSignal::new(RulesText::default()),
            thresholds: RwSignal::new(None),
            reason: RwSignal::new(String::new()),
            hours: RwSignal::new(72),
            force: RwSignal::new(false),
            found: RwSignal::new(None),
            failure: RwSignal::new(None),
        }
    }

    /// The change, once it is complete.
    pub fn change(self) -> Option<Change> {
        match self.kind.get()? {
            Kind::Rules => self
                .rules
                .with(|rules| rules.read().ok())
                .map(Change::SetParameters),
            Kind::Thresholds => self.thresholds.get().map(Change::SetThresholds),
            kind => self
                .chosen
                .with(|chosen| kind.change(&chosen.as_ref()?.key)),
        }
    }

    /// Goes to a step; what was found for another change is forgotten.
    pub fn go(self, step: u8) {
        self.failure.set(None);
        self.force.set(false);
        self.step.set(step);
    }

    /// Fills in what follows from the proof against the validator with this voting key, and goes on to
    /// the last step, once the node has said what it knows. What is written already stays.
    fn follow_evidence(self, vote_key: String) {
        let known = Memo::new(move |_| self.desk.read(|view| prepared(view, &vote_key)));
        Effect::new(move || {
            let Some((choice, reason)) = known.get() else {
                return;
            };
            if self.kind.get_untracked().is_none() {
                self.begin(Kind::RemoveValidator);
                self.chosen.set(Some(choice));
                self.reason.set(reason);
                self.go(3);
            }
        });
    }

    fn begin(self, kind: Kind) {
        self.kind.set(Some(kind));
        self.chosen.set(None);
        self.desk.view.with_untracked(|view| {
            let Some(view) = view else { return };
            self.rules.set(RulesText::of(&view.parameters));
            self.thresholds.set(Some(view.thresholds));
        });
        self.go(2);
    }
}

/// The page.
#[component]
pub fn ProposePage(
    /// The voting key of a validator whose seat is to be taken, for what it signed.
    evidence: Option<String>,
) -> impl IntoView {
    let desk = use_consortium();
    desk.watch();
    let draft = Draft::new(desk);
    if let Some(vote_key) = evidence {
        draft.follow_evidence(vote_key);
    }
    let ready = Memo::new(move |_| {
        desk.view
            .with(|view| view.as_ref().map(|view| view.me.can_vote))
    });
    view! {
        <div class="page">
            <PageHead heading="Propose a change" sub="Every organisation has one voice, and proposing gives yours for it. Nothing changes before the votes have decided.">
                <a class="btn" href=Route::Consortium.href() data-testid=testids::PROPOSE_CANCEL>"Cancel"</a>
            </PageHead>
            <section class="card" aria-labelledby="h-steps">
                <h2 class="vh" id="h-steps">"Steps"</h2>
                {move || match ready.get() {
                    None => view! { <Waits desk=desk/> }.into_any(),
                    Some(false) => view! { <NoVoice/> }.into_any(),
                    Some(true) => view! { <Steps draft=draft/> }.into_any(),
                }}
            </section>
        </div>
    }
}

#[component]
fn Waits(desk: Consortium) -> impl IntoView {
    move || {
        match desk.failure.get() {
        Some(failure) => view! {
            <div class="card-body full"><FailureNote failure=failure retry=move |()| desk.ask()/></div>
        }
        .into_any(),
        None => view! { <Waiting what="Asking the node for its consortium"/> }.into_any(),
    }
    }
}

#[component]
fn NoVoice() -> impl IntoView {
    view! {
        <div class="empty">
            <Icon name="lock"/>
            <h2>"This node has no voice"</h2>
            <p>"It holds no key that votes for its organisation. Propose from the node that does, or from its command line."</p>
            <div class="row"><a class="btn" href=Route::Consortium.href()>"Back to the consortium"</a></div>
        </div>
    }
}

#[component]
fn Steps(draft: Draft) -> impl IntoView {
    view! {
        <div class="card-body full">
            <ol class="steps">
                <Step number=1 at=draft.step><KindStep draft=draft/></Step>
                <Step number=2 at=draft.step><AboutStep draft=draft/></Step>
                <Step number=3 at=draft.step><Send draft=draft/></Step>
            </ol>
        </div>
    }
}

/// Step 1: what changes.
#[component]
fn KindStep(draft: Draft) -> impl IntoView {
    let here = Memo::new(move |_| draft.step.get() == 1);
    let chosen = move || draft.kind.get().map(Kind::title);
    let kinds = move || {
        Kind::ALL
            .into_iter()
            .map(|kind| {
                let empty = Memo::new(move |_| {
                    kind.is_choice() && draft.desk.read(|view| kind.choices(view).is_empty())
                });
                view! {
                    <li>
                        <button type="button" class="btn port" disabled=move || empty.get() data-testid=testids::PROPOSE_KIND
                            data-key=kind.key() on:click=move |_| draft.begin(kind)>
                            <span>{kind.title()}<small>{move || if empty.get() { kind.nothing() } else { kind.hint() }}</small></span>
                        </button>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <div>
            <div class="brief">
                <h3>"Say what is to change"</h3>
                <span class="push" hidden=move || here.get()>
                    <button type="button" class="btn quiet" on:click=move |_| draft.go(1)>"Change"</button>
                </span>
            </div>
            {move || if here.get() {
                view! { <ul class="ports kinds">{kinds()}</ul> }.into_any()
            } else {
                view! { <p class="soft small">{chosen}"."</p> }.into_any()
            }}
        </div>
    }
}

/// Step 2: about what, or the new rules.
#[component]
fn AboutStep(draft: Draft) -> impl IntoView {
    let step = draft.step;
    let title = move || match draft.kind.get() {
        Some(Kind::Rules) => "Write the new rules",
        Some(Kind::Thresholds) => "Say how many voices it takes",
        _ => "Choose which",
    };
    let name = move || {
        let chosen = draft
            .chosen
            .with(|chosen| chosen.as_ref().map(|choice| choice.label.clone()));
        chosen.unwrap_or_else(|| "As written".to_owned())
    };
    view! {
        <div>
            <div class="brief">
                <h3>{title}</h3>
                <span class="push" hidden=move || step.get() != 3>
                    <button type="button" class="btn quiet" on:click=move |_| draft.go(2)>"Change"</button>
                </span>
            </div>
            {move || match (step.get(), draft.kind.get()) {
                (2, Some(Kind::Rules)) => view! { <RulesForm draft=draft/> }.into_any(),
                (2, Some(Kind::Thresholds)) => view! { <ThresholdsForm draft=draft/> }.into_any(),
                (2, Some(kind)) => view! { <Choices draft=draft kind=kind/> }.into_any(),
                (3, _) => view! { <p class="soft small"><bdi>{name()}</bdi>"."</p> }.into_any(),
                _ => view! { <p class="soft small">"A node, an organisation, or the new rules."</p> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Choices(draft: Draft, kind: Kind) -> impl IntoView {
    let choices = Memo::new(move |_| draft.desk.read(|view| kind.choices(view)));
    let pick = move |choice: Choice| {
        draft.chosen.set(Some(choice));
        draft.go(3);
    };
    view! {
        <ul class="ports kinds">
            <For each=move || choices.get() key=|choice| (choice.key.clone(), choice.beside.clone()) let:choice>
                <li>
                    <button type="button" class="btn port" data-testid=testids::PROPOSE_CHOICE data-key=choice.key.clone()
                        on:click={ let choice = choice.clone(); move |_| pick(choice.clone()) }>
                        <span><bdi>{choice.label.clone()}</bdi><small>{choice.beside.clone()}</small></span>
                    </button>
                </li>
            </For>
        </ul>
        <p class="small dim" hidden=move || !choices.with(Vec::is_empty)>{kind.nothing()}</p>
    }
}
