//! A new consent, field by field: who may see what, what for, until when; in the patient's words, and before a witness
//! or with her own key. What the fields mean stands below them in a sentence, which is what is signed.

use std::collections::BTreeSet;

use fog_api::{ConsentRow, GiveConsent, GiveOwnConsent};
use ledger_policy::{Effect, Purpose, Resolution, Role, Rule};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;

use super::consents::Desk;
use crate::components::{FailureNote, modal};
use crate::failure::Failure;
use crate::pages::policies::choices::{OneOf, SomeOf};
use crate::testids;
use crate::transport;
use crate::words::consents::{days, said};
use crate::words::number::capital;
use crate::words::policies::{listed, metric, metrics, purpose};

/// Longest words of a consent, in characters.
const MAX_WORDS: &str = "2000";

/// What is in the form.
#[derive(Clone, Copy)]
struct Form {
    rule: RwSignal<Rule>,
    days: RwSignal<String>,
    words: RwSignal<String>,
    witness: RwSignal<String>,
    is_busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
}

impl Form {
    fn new() -> Self {
        Self {
            rule: RwSignal::new(first()),
            days: RwSignal::default(),
            words: RwSignal::default(),
            witness: RwSignal::default(),
            is_busy: RwSignal::new(false),
            failure: RwSignal::new(None),
        }
    }

    fn clear(self) {
        self.rule.set(first());
        for text in [self.days, self.words, self.witness] {
            text.set(String::new());
        }
        self.failure.set(None);
    }

    /// What is missing before it can be given.
    fn hinders(self, is_own: bool) -> Option<&'static str> {
        let is_empty = |text: RwSignal<String>| text.with(|text| text.trim().is_empty());
        match () {
            () if is_empty(self.words) => Some("Write down what is agreed to, in plain words."),
            () if !is_own && is_empty(self.witness) => Some("Write down who was there."),
            () => self.days.with(|text| days(text).err()),
        }
    }

    fn asked(self) -> GiveOwnConsent {
        GiveOwnConsent {
            words: self.words.get_untracked(),
            text: self.rule.with_untracked(Rule::to_text),
            // The node takes those that the text speaks of, and all where it speaks of none.
            purposes: Vec::new(),
            days: self.days.with_untracked(|text| days(text).ok().flatten()),
        }
    }

    fn send(self, desk: Desk, open: RwSignal<bool>) {
        if self.is_busy.get_untracked() || untrack(|| self.hinders(desk.is_own)).is_some() {
            return;
        }
        let asked = self.asked();
        match desk.is_own {
            true => self.give(desk, open, asked),
            false => {
                let asked = GiveConsent {
                    words: asked.words,
                    text: asked.text,
                    purposes: asked.purposes,
                    witness: self.witness.get_untracked(),
                    days: asked.days,
                };
                self.give(desk, open, asked);
            }
        }
    }

    fn give(self, desk: Desk, open: RwSignal<bool>, asked: impl Serialize + 'static) {
        self.is_busy.set(true);
        self.failure.set(None);
        let path = desk.path.get_value();
        spawn_local(async move {
            // The page may be gone by now.
            match transport::post::<ConsentRow>(&path, &asked).await {
                Ok(row) => {
                    desk.learn(row);
                    open.try_set(false);
                }
                Err(why) => drop(self.failure.try_set(Some(why))),
            }
            self.is_busy.try_set(false);
        });
    }
}

/// What a form begins with: the narrowest that is often meant.
fn first() -> Rule {
    Rule {
        roles: [Role::Researcher].into(),
        purposes: [Purpose::Research].into(),
        resolution: Some(Resolution::Aggregate),
        ..Rule::new(Effect::Permit)
    }
}

fn tick<T: Ord>(set: &mut BTreeSet<T>, one: Option<T>, is_chosen: bool) {
    if let Some(one) = one {
        match is_chosen {
            true => set.insert(one),
            false => set.remove(&one),
        };
    }
}

/// The dialog.
#[component]
pub(super) fn Give(
    /// Whether it is open.
    open: RwSignal<bool>,
    desk: Desk,
) -> impl IntoView {
    let form = Form::new();
    let (dialog, closed) = modal(open, move || form.clear());
    let is_own = desk.is_own;
    let missing = Memo::new(move |_| form.hinders(is_own));
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        form.send(desk, open);
    };
    let (question, about, act) = match is_own {
        true => (
            "What do you agree to?",
            "Your own key signs this and the words below. It stays sealed in this node; the ledger has a commitment to it, and the policy, which names nobody.",
            "Sign and give",
        ),
        false => (
            "What did the patient agree to?",
            "It is kept with your name and the witness’s, sealed in this node; the ledger has a commitment to it, and the policy, which names nobody.",
            "Write down",
        ),
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="h-consent" on:close=closed>
            <form class="stack" on:submit=send>
                <div><h2 id="h-consent">{question}</h2><p class="soft">{about}</p></div>
                <WhoAndWhat form=form/>
                <WhatFor form=form/>
                <p data-testid=testids::CONSENT_SAID><b>{move || form.rule.with(said)}</b></p>
                <div class="field">
                    <label for="consent-words">{if is_own { "In your words" } else { "In her words" }}</label>
                    <textarea class="input" id="consent-words" maxlength=MAX_WORDS data-testid=testids::CONSENT_WORDS
                        prop:value=form.words on:input=move |event| form.words.set(event_target_value(&event))></textarea>
                </div>
                {(!is_own).then(|| view! {
                    <div class="field">
                        <label for="consent-witness">"Who was there"</label>
                        <input class="input" id="consent-witness" maxlength="80" autocomplete="off" data-testid=testids::CONSENT_WITNESS
                            prop:value=form.witness on:input=move |event| form.witness.set(event_target_value(&event))/>
                    </div>
                })}
                <p class="small dim one-line" role="status">{move || missing.get()}</p>
                {move || form.failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
                <footer>
                    <button type="button" class="btn" on:click=move |_| open.set(false)>"Leave it"</button>
                    <button type="submit" class="btn primary" aria-busy=move || form.is_busy.get().to_string()
                        disabled=move || form.is_busy.get() || missing.with(Option::is_some) data-testid=testids::CONSENT_GIVE>{act}</button>
                </footer>
            </form>
        </dialog>
    }
}

#[component]
fn WhoAndWhat(form: Form) -> impl IntoView {
    let roles = Role::ALL.iter();
    let roles = roles.map(|role| (role.word().to_owned(), capital(role.plural()), ""));
    let effects = [("permit", "May see"), ("forbid", "May not see")];
    let effects = effects.map(|(key, label)| (key.to_owned(), label.to_owned()));
    let effect = move || match form.rule.with(|rule| rule.effect) {
        Effect::Permit => "permit".to_owned(),
        Effect::Forbid => "forbid".to_owned(),
    };
    let codes = metrics().map(|(code, name)| (code.to_owned(), name.to_owned(), code));
    let chosen = move || {
        let some: Vec<_> = form
            .rule
            .with(|rule| rule.metrics.iter().map(|code| metric(code)).collect());
        match some.is_empty() {
            true => "Everything that is measured".to_owned(),
            false => capital(&listed(&some)),
        }
    };
    let resolutions = [
        ("", "The whole of it: each value as measured"),
        (Resolution::Aggregate.word(), "Limited: statistics only"),
    ];
    let resolutions = resolutions.map(|(key, label)| (key.to_owned(), label.to_owned()));
    let resolution = move || {
        let resolution = form.rule.with(|rule| rule.resolution);
        resolution.map_or_else(String::new, |one| one.word().to_owned())
    };
    view! {
        <fieldset class="stack tight">
            <legend class="label-text">"Who"</legend>
            <SomeOf choices=roles.collect() testid=testids::CONSENT_ROLE
                chosen=move |key: String| form.rule.with(|rule| rule.roles.iter().any(|role| role.word() == key))
                on_tick=move |(key, is_chosen): (String, bool)| form.rule.update(|rule| tick(&mut rule.roles, Role::from_word(&key), is_chosen))/>
            <p class="hint small dim">"With none ticked: all people."</p>
        </fieldset>
        <OneOf id="consent-effect" label="They" choices=effects.into() testid=testids::CONSENT_EFFECT chosen=Signal::derive(effect)
            on_choose=move |key: String| form.rule.update(|rule| {
                rule.effect = if key == "forbid" { Effect::Forbid } else { Effect::Permit };
            })/>
        <div class="field">
            <span class="label-text" id="consent-what">"What"</span>
            <details class="chooser" data-testid=testids::CONSENT_WHAT>
                <summary class="input" aria-describedby="consent-what">{chosen}</summary>
                <SomeOf choices=codes.collect() testid=testids::CONSENT_METRIC
                    chosen=move |key: String| form.rule.with(|rule| rule.metrics.contains(&key))
                    on_tick=move |(key, is_chosen): (String, bool)| form.rule.update(|rule| tick(&mut rule.metrics, Some(key), is_chosen))/>
                <p class="hint small dim">"With none ticked: everything. The numbers are LOINC codes."</p>
            </details>
        </div>
        <OneOf id="consent-resolution" label="How much" choices=resolutions.into() testid=testids::CONSENT_RESOLUTION
            chosen=Signal::derive(resolution) on_choose=move |key: String| form.rule.update(|rule| rule.resolution = Resolution::from_word(&key))/>
    }
}

#[component]
fn WhatFor(form: Form) -> impl IntoView {
    let purposes = Purpose::ALL.iter();
    let purposes = purposes.map(|one| (one.word().to_owned(), purpose(*one).to_owned(), ""));
    view! {
        <fieldset class="stack tight">
            <legend class="label-text">"What for"</legend>
            <SomeOf choices=purposes.collect() testid=testids::CONSENT_PURPOSE
                chosen=move |key: String| form.rule.with(|rule| rule.purposes.iter().any(|one| one.word() == key))
                on_tick=move |(key, is_chosen): (String, bool)| form.rule.update(|rule| tick(&mut rule.purposes, Purpose::from_word(&key), is_chosen))/>
            <p class="hint small dim">"With none ticked: whatever for."</p>
        </fieldset>
        <div class="field">
            <label for="consent-days">"For so many days"</label>
            <input class="input num-text" id="consent-days" inputmode="numeric" autocomplete="off" maxlength="5" placeholder="Until it is withdrawn"
                data-testid=testids::CONSENT_DAYS prop:value=form.days on:input=move |event| form.days.set(event_target_value(&event))/>
        </div>
    }
}
