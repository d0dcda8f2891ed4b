//! A policy in words, field by field. The form keeps nothing: it shows the rule that the text writes, and writes the
//! text of the rule as changed.

use std::collections::BTreeSet;

use ledger_policy::{Effect, Purpose, Relation, Resolution, Role, Rule};
use leptos::prelude::*;

use super::choices::{OneOf, SomeOf};
use super::desk::Desk;
use crate::testids;
use crate::words::number::capital;
use crate::words::policies as words;

/// Most days back that the form takes: a hundred years.
const MOST_DAYS: u32 = 36_500;

/// The rule of the text, for fields to read and change.
#[derive(Clone, Copy)]
struct Fields {
    desk: Desk,
    rule: Memo<Option<Rule>>,
}

impl Fields {
    fn read<T: Default>(self, what: impl FnOnce(&Rule) -> T) -> T {
        self.rule
            .with(|rule| rule.as_ref().map(what).unwrap_or_default())
    }

    fn change(self, what: impl FnOnce(&mut Rule)) {
        if let Some(mut rule) = self.rule.get_untracked() {
            what(&mut rule);
            self.desk.text.set(rule.to_text());
        }
    }
}

fn tick<T: Ord>(set: &mut BTreeSet<T>, one: Option<T>, is_chosen: bool) {
    match (one, is_chosen) {
        (Some(one), true) => {
            set.insert(one);
        }
        (Some(one), false) => {
            set.remove(&one);
        }
        (None, _) => {}
    }
}

/// The form; it is there while the text is a rule's.
#[component]
pub(super) fn Form(desk: Desk) -> impl IntoView {
    let fields = Fields {
        desk,
        rule: Memo::new(move |_| desk.text.with(|text| Rule::from_text(text))),
    };
    view! {
        <div class="stack" role="group" aria-label="Policy in words">
            <Who fields=fields/>
            <What fields=fields/>
            <Why fields=fields/>
        </div>
    }
}

#[component]
fn Who(fields: Fields) -> impl IntoView {
    let roles = Role::ALL.iter();
    let roles = roles.map(|role| (role.word().to_owned(), capital(role.plural()), ""));
    let ties = Relation::ALL.iter();
    let ties = ties.map(|one| (one.word().to_owned(), words::relation(*one).to_owned()));
    let anybody = (String::new(), "Whatever it is".to_owned());
    let effects = [("permit", "May see"), ("forbid", "May not see")];
    let effects = effects.map(|(key, label)| (key.to_owned(), label.to_owned()));
    let effect = move || match fields.read(|rule| rule.effect == Effect::Forbid) {
        true => "forbid".to_owned(),
        false => "permit".to_owned(),
    };
    view! {
        <fieldset class="stack tight">
            <legend class="label-text">"Who"</legend>
            <SomeOf choices=roles.collect() testid=testids::POLICY_ROLE
                chosen=move |key: String| fields.read(|rule| rule.roles.iter().any(|role| role.word() == key))
                on_tick=move |(key, is_chosen): (String, bool)| fields.change(|rule| tick(&mut rule.roles, Role::from_word(&key), is_chosen))/>
            <p class="hint small dim">"With none ticked: all people."</p>
        </fieldset>
        <OneOf id="policy-tie" label="Tie to the patient" choices=std::iter::once(anybody).chain(ties).collect() testid=testids::POLICY_TIE
            chosen=Signal::derive(move || fields.read(|rule| rule.relation.map_or_else(String::new, |one| one.word().to_owned())))
            on_choose=move |key: String| fields.change(|rule| rule.relation = Relation::from_word(&key))/>
        <OneOf id="policy-effect" label="They" choices=effects.into() testid=testids::POLICY_EFFECT chosen=Signal::derive(effect)
            on_choose=move |key: String| fields.change(|rule| {
                rule.effect = if key == "forbid" { Effect::Forbid } else { Effect::Permit };
                // What is forbidden, nobody agrees to.
                rule.needs_approval &= rule.effect == Effect::Permit;
            })/>
    }
}

#[component]
fn What(fields: Fields) -> impl IntoView {
    let metrics = words::metrics().map(|(code, name)| (code.to_owned(), name.to_owned(), code));
    let said = move || {
        let some = fields.read(|rule| {
            rule.metrics
                .iter()
                .map(|code| words::metric(code))
                .collect()
        });
        let some: Vec<String> = some;
        match some.is_empty() {
            true => "Everything that is measured".to_owned(),
            false => capital(&words::listed(&some)),
        }
    };
    let resolutions = [
        ("", "As measured, and as statistics"),
        (Resolution::Raw.word(), "As measured only"),
        (Resolution::Aggregate.word(), "As statistics only"),
    ];
    let resolutions = resolutions.map(|(key, label)| (key.to_owned(), label.to_owned()));
    let resolution = move || {
        let resolution = fields.read(|rule| rule.resolution);
        resolution.map_or_else(String::new, |one| one.word().to_owned())
    };
    let days = move || {
        let days = fields.read(|rule| rule.last_days);
        days.map_or_else(String::new, |days| days.to_string())
    };
    view! {
        <div class="field">
            <span class="label-text" id="policy-what">"What"</span>
            <details class="chooser" data-testid=testids::POLICY_WHAT>
                <summary class="input" aria-describedby="policy-what">{said}</summary>
                <SomeOf choices=metrics.collect() testid=testids::POLICY_METRIC
                    chosen=move |key: String| fields.read(|rule| rule.metrics.contains(&key))
                    on_tick=move |(key, is_chosen): (String, bool)| fields.change(|rule| tick(&mut rule.metrics, Some(key), is_chosen))/>
                <p class="hint small dim">"With none ticked: everything. The numbers are LOINC codes."</p>
            </details>
        </div>
        <div class="pair">
            <OneOf id="policy-resolution" label="How finely" choices=resolutions.into() testid=testids::POLICY_RESOLUTION
                chosen=Signal::derive(resolution) on_choose=move |key: String| fields.change(|rule| rule.resolution = Resolution::from_word(&key))/>
            <div class="field">
                <label for="policy-days">"Of the last days"</label>
                <input class="input num-text" id="policy-days" inputmode="numeric" autocomplete="off" maxlength="5" placeholder="Any time"
                    data-testid=testids::POLICY_DAYS prop:value=days
                    on:change=move |event| {
                        let days = event_target_value(&event).trim().parse().ok();
                        fields.change(|rule| rule.last_days = days.filter(|days| (1..=MOST_DAYS).contains(days)));
                    }/>
            </div>
        </div>
    }
}

#[component]
fn Why(fields: Fields) -> impl IntoView {
    let purposes = Purpose::ALL.iter();
    let purposes = purposes.map(|one| (one.word().to_owned(), words::purpose(*one).to_owned(), ""));
    let forbids = Signal::derive(move || fields.read(|rule| rule.effect == Effect::Forbid));
    view! {
        <fieldset class="stack tight">
            <legend class="label-text">"For"</legend>
            <SomeOf choices=purposes.collect() testid=testids::POLICY_PURPOSE
                chosen=move |key: String| fields.read(|rule| rule.purposes.iter().any(|one| one.word() == key))
                on_tick=move |(key, is_chosen): (String, bool)| fields.change(|rule| tick(&mut rule.purposes, Purpose::from_word(&key), is_chosen))/>
            <p class="hint small dim">"With none ticked: any purpose."</p>
        </fieldset>
        <Hours fields=fields/>
        <fieldset class="stack tight">
            <legend class="label-text">"Only if"</legend>
            <label class="check">
                <input type="checkbox" data-testid=testids::POLICY_EMERGENCY prop:checked=move || fields.read(|rule| rule.emergency)
                    on:change=move |event| fields.change(|rule| rule.emergency = event_target_checked(&event))/>
                <span>"It is an emergency"<small class="dim">"the glass is broken: a reason is given, and it is reviewed"</small></span>
            </label>
            <label class="check">
                <input type="checkbox" data-testid=testids::POLICY_APPROVAL prop:checked=move || fields.read(|rule| rule.needs_approval) disabled=forbids
                    on:change=move |event| fields.change(|rule| rule.needs_approval = event_target_checked(&event))/>
                <span>"A person agrees"<small class="dim">"a physician or an admin who is not the asker"</small></span>
            </label>
        </fieldset>
    }
}

/// From one hour to another of the same day: over midnight it takes two policies.
#[component]
fn Hours(fields: Fields) -> impl IntoView {
    let hours = move || fields.read(|rule| rule.hours);
    let any = || (String::new(), "Any time".to_owned());
    let clock = |hour: u8| (hour.to_string(), format!("{hour}:00 UTC"));
    let starts = std::iter::once(any()).chain((0..24).map(clock)).collect();
    let start =
        Signal::derive(move || hours().map_or_else(String::new, |(from, _)| from.to_string()));
    let set_start = move |key: String| {
        fields.change(|rule| {
            let to = rule.hours.map_or(24, |(_, to)| to);
            let from = key.parse::<u8>().ok().filter(|from| *from < 24);
            rule.hours = from.map(|from| (from, if to > from { to } else { 24 }));
        });
    };
    let set_end = move |key: String| {
        fields.change(|rule| {
            if let (Some((from, to)), Ok(end)) = (rule.hours.as_mut(), key.parse::<u8>())
                && (*from < end && end <= 24)
            {
                *to = end;
            }
        });
    };
    let first = Memo::new(move |_| hours().map(|(from, _)| from));
    let ends = move || {
        let Some(from) = first.get() else {
            return view! { <OneOf id="policy-to" label="To" choices=vec![any()] chosen=Signal::stored(String::new()) on_choose=|_| {} testid=testids::POLICY_TO disabled=Signal::stored(true)/> }.into_any();
        };
        let ends = (from.saturating_add(1)..=24).map(clock).collect();
        let end =
            Signal::derive(move || hours().map_or_else(String::new, |(_, to)| to.to_string()));
        view! { <OneOf id="policy-to" label="To" choices=ends chosen=end on_choose=set_end testid=testids::POLICY_TO/> }.into_any()
    };
    view! {
        <div class="pair">
            <OneOf id="policy-from" label="Asked from" choices=starts chosen=start on_choose=set_start testid=testids::POLICY_FROM/>
            {ends}
        </div>
    }
}
