//! The two written changes: the rules, and how many voices a change takes.

use fog_api::consortium::{FractionView, ThresholdsView};
use leptos::prelude::*;

use super::propose::Draft;
use crate::components::Icon;
use crate::draft::{RulesText, fractions};
use crate::testids;

type Field = (
    &'static str,
    &'static str,
    &'static str,
    fn(&RulesText) -> &String,
    fn(&mut RulesText) -> &mut String,
);

const FIELDS: [Field; 5] = [
    (
        "finality",
        "Final within, ms",
        "An alarm is raised when it takes longer.",
        |rules| &rules.finality,
        |rules| &mut rules.finality,
    ),
    (
        "block",
        "Largest block, kB",
        "Of transactions. Larger blocks carry more, smaller ones are quicker.",
        |rules| &rules.block,
        |rules| &mut rules.block,
    ),
    (
        "heartbeat",
        "Sign of life, seconds",
        "Longest time without a block while there is nothing to record.",
        |rules| &rules.heartbeat,
        |rules| &mut rules.heartbeat,
    ),
    (
        "days",
        "Keep transactions, days",
        "Headers, certificates and proofs are kept for ever. 0 keeps all.",
        |rules| &rules.days,
        |rules| &mut rules.days,
    ),
    (
        "gigabytes",
        "Keep transactions, GB",
        "The oldest beyond this may go. 0 keeps all.",
        |rules| &rules.gigabytes,
        |rules| &mut rules.gigabytes,
    ),
];

/// The rules, field by field.
#[component]
pub fn RulesForm(draft: Draft) -> impl IntoView {
    let wrong = Memo::new(move |_| draft.rules.with(|rules| rules.read().err()));
    let same = Memo::new(move |_| {
        let meant = draft.rules.with(|rules| rules.read().ok());
        draft.desk.read(|view| meant == Some(view.parameters))
    });
    let fields = FIELDS
        .map(|(key, label, hint, read, write)| {
            let id = format!("rules-{key}");
            let hint_id = format!("rules-{key}-hint");
            view! {
                <div class="field">
                    <label for=id.clone()>{label}</label>
                    <input class="input num-text" id=id inputmode="decimal" autocomplete="off" aria-describedby=hint_id.clone()
                        data-testid=testids::PROPOSE_FIELD data-key=key prop:value=move || draft.rules.with(|rules| read(rules).clone())
                        on:input=move |event| draft.rules.update(|rules| *write(rules) = event_target_value(&event))/>
                    <span class="hint" id=hint_id>{hint}</span>
                </div>
            }
        })
        .collect_view();
    let go = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if wrong.with_untracked(Option::is_none) && !same.get_untracked() {
            draft.go(3);
        }
    };
    view! {
        <form class="stack" on:submit=go>
            <div class="fields">{fields}</div>
            <Further wrong=wrong same=same/>
        </form>
    }
}

type Part = (
    &'static str,
    &'static str,
    fn(&mut ThresholdsView) -> &mut FractionView,
);

const PARTS: [Part; 5] = [
    ("organisations", "Organisations come and go", |table| {
        &mut table.organisations
    }),
    ("validators", "Validators come and go", |table| {
        &mut table.validators
    }),
    ("nodes", "Nodes of other organisations", |table| {
        &mut table.nodes
    }),
    ("parameters", "The rules", |table| &mut table.parameters),
    ("thresholds", "This table", |table| &mut table.thresholds),
];

/// The voices, by kind of change.
#[component]
pub fn ThresholdsForm(draft: Draft) -> impl IntoView {
    let in_force = draft.desk.part(|view| Some(view.thresholds));
    let same = Memo::new(move |_| draft.thresholds.get() == in_force.get());
    let fields = move || {
        let Some(table) = in_force.get() else {
            return Vec::new();
        };
        PARTS
            .into_iter()
            .map(|(key, label, part)| {
                let id = format!("voices-{key}");
                let chosen = draft
                    .thresholds
                    .get_untracked()
                    .map(|mut table| *part(&mut table));
                let offered = fractions(*part(&mut table.clone()));
                let options = offered
                    .iter()
                    .map(|(key, words, fraction)| {
                        view! { <option value=key.clone() selected=chosen == Some(*fraction)>{words.clone()}</option> }
                    })
                    .collect_view();
                let choose = move |event| {
                    let wanted = event_target_value(&event);
                    let Some((_, _, fraction)) = offered.iter().find(|(key, ..)| *key == wanted) else {
                        return;
                    };
                    draft.thresholds.update(|table| {
                        if let Some(table) = table {
                            *part(table) = *fraction;
                        }
                    });
                };
                view! {
                    <div class="field">
                        <label for=id.clone()>{label}</label>
                        <select class="input" id=id data-testid=testids::PROPOSE_FIELD data-key=key on:change=choose>{options}</select>
                    </div>
                }
            })
            .collect()
    };
    let go = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !same.get_untracked() {
            draft.go(3);
        }
    };
    let right = Memo::new(|_| None::<&'static str>);
    view! {
        <form class="stack" on:submit=go>
            <div class="fields">{fields}</div>
            <Further wrong=right same=same/>
        </form>
    }
}

/// On to the last step; beside it stands what hinders.
#[component]
fn Further(wrong: Memo<Option<&'static str>>, same: Memo<bool>) -> impl IntoView {
    let hindered = move || wrong.with(Option::is_some) || same.get();
    view! {
        <div class="row">
            <button type="submit" class="btn primary" disabled=hindered data-testid=testids::PROPOSE_NEXT>"Go on"</button>
            <span class="dim small" hidden=move || wrong.with(Option::is_some) || !same.get()>"This is what holds now. Change something first."</span>
            <span class="field"><span class="error" hidden=move || wrong.with(Option::is_none)><Icon name="attention"/>{move || wrong.get()}</span></span>
        </div>
    }
}
