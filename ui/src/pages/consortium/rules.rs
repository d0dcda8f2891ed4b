//! The organisations with their keys, and the rules in force, in words.

use fog_api::consortium::OrganisationRow;
use leptos::prelude::*;

use crate::components::Hash;
use crate::consortium::Consortium;
use crate::draft::nodes_of;
use crate::testids;
use crate::words::consortium as words;
use crate::words::number::{count, thousands};

/// The card with the organisations.
#[component]
pub fn Organisations(desk: Consortium) -> impl IntoView {
    let rows = desk.part(|view| {
        let me = view.me.organisation.as_deref();
        let rows = view.organisations.iter();
        rows.map(|row| (row.clone(), nodes_of(view, &row.id), me == Some(&*row.id)))
            .collect::<Vec<_>>()
    });
    let active = desk.part(words::organisations);
    let items = move || {
        rows.get()
            .into_iter()
            .map(|(row, nodes, own)| one(row, nodes, own))
            .collect_view()
    };
    view! {
        <section class="card" aria-labelledby="h-organisations">
            <div class="card-head">
                <h2 id="h-organisations">"Organisations"</h2><span class="count">{move || thousands(active.get())}</span>
                <p>"one voice each"</p>
            </div>
            <ul class="orgs">{items}</ul>
        </section>
    }
}

fn one(row: OrganisationRow, nodes: u64, own: bool) -> impl IntoView {
    let gone = row
        .removed
        .map(|height| format!("left at block {}", thousands(height)));
    let present = gone.is_none().then(|| count(nodes, "node", "nodes"));
    let keys = row
        .admins
        .into_iter()
        .map(|key| view! { <Hash text=key/> })
        .collect_view();
    view! {
        <li data-testid=testids::ORGANISATION_ROW data-organisation=row.id>
            <b><bdi>{row.name}</bdi></b>
            {own.then(|| view! { <span class="tag">"yours"</span> })}
            <span class="dim push num-text">{present}{gone}</span>
            <span class="keys">"Admin keys: "{keys}</span>
        </li>
    }
}

/// The card with the rules.
#[component]
pub fn Rules(desk: Consortium) -> impl IntoView {
    let rules = desk.part(|view| words::rules(&view.parameters));
    let thresholds =
        desk.part(|view| words::thresholds(&view.thresholds, words::organisations(view)));
    let chain = desk.part(|view| view.chain_id.clone());
    let list = |rows: Vec<(&'static str, String)>| {
        rows.into_iter()
            .map(|(name, words)| view! { <dt>{name}</dt><dd>{words}</dd> })
            .collect_view()
    };
    view! {
        <section class="card" aria-labelledby="h-rules">
            <div class="card-head"><h2 id="h-rules">"Rules in force"</h2></div>
            <div class="card-body stack">
                <dl class="kv">
                    {move || list(rules.get().to_vec())}
                    <dt>"Chain"</dt><dd>{move || view! { <Hash text=chain.get()/> }}</dd>
                </dl>
                <h3>"Voices a change needs"</h3>
                <dl class="kv">{move || list(thresholds.get().to_vec())}</dl>
                <p class="small dim">"What concerns only one organisation, such as its own nodes, needs only that organisation."</p>
            </div>
        </section>
    }
}
