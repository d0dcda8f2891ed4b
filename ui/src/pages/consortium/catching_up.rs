//! How far this node is that is behind the others, and the nodes that announce themselves nearby.

use fog_api::{CatchUp, FoundNode};
use leptos::prelude::*;

use crate::components::{Hash, Icon, StateMark};
use crate::consortium::Consortium;
use crate::testids;
use crate::words::joining::how_far;
use crate::words::number::count;
use crate::words::state::State;

/// The note with the bar; nothing while the node is up to date.
#[component]
pub fn CatchingUp(desk: Consortium) -> impl IntoView {
    let known = desk.part(|view| view.catch_up.clone());
    let behind = Memo::new(move |_| known.with(Option::is_some));
    let of = move |what: fn(&CatchUp) -> String| {
        move || known.with(|known| known.as_ref().map(what).unwrap_or_default())
    };
    let percent = move || known.with(|known| known.as_ref().map_or(0.0, |known| known.percent));
    let refused = desk.part(|view| {
        let known = view.catch_up.as_ref();
        known.map(|known| known.refused.clone()).unwrap_or_default()
    });
    move || {
        behind.get().then(|| view! {
            <div class="note" role="status" data-testid=testids::CATCH_UP data-percent=move || format!("{:.1}", percent())>
                <Icon name="refresh"/>
                <div>
                    <h3>{of(|known| known.words.clone())}</h3>
                    <div class="progress" role="progressbar" aria-label="Catching up" aria-valuemin="0" aria-valuemax="100"
                        aria-valuenow=move || format!("{:.0}", percent())>
                        <i style:inline-size=move || format!("{:.2}%", percent().clamp(0.0, 100.0))></i>
                    </div>
                    <p class="num-text">{of(how_far)}</p>
                    {move || refused.get().into_iter().map(|words| view! {
                        <p class="row"><StateMark state=State::Attention word="Refused"/><span>{words}</span></p>
                    }).collect_view()}
                </div>
            </div>
        })
    }
}

/// The card with the nodes found nearby; nothing where there are none.
#[component]
pub fn Found(desk: Consortium) -> impl IntoView {
    let rows = desk.part(|view| {
        // Ages change all the time and are not shown.
        let rows = view.found.iter().cloned();
        rows.map(|row| FoundNode {
            heard_ms_ago: 0,
            ..row
        })
        .collect::<Vec<_>>()
    });
    let some = Memo::new(move |_| rows.with(|rows| !rows.is_empty()));
    move || {
        some.get().then(|| view! {
            <section class="card" aria-labelledby="h-found" data-testid=testids::FOUND_NODES>
                <div class="card-head">
                    <h2 id="h-found">"Found on this network"</h2>
                    <p>{move || count(rows.with(Vec::len) as u64, "node", "nodes")}", not trusted"</p>
                </div>
                <ul class="orgs">{move || rows.get().into_iter().map(found).collect_view()}</ul>
                <div class="card-body full"><p class="small dim">"Anybody on this network can announce such a node. To join one, ask its organisation for an invitation."</p></div>
            </section>
        })
    }
}

fn found(row: FoundNode) -> impl IntoView {
    let chain = if row.same_chain {
        view! { <span class="dim push">"says it is of this consortium"</span> }.into_any()
    } else {
        view! { <span class="dim push">"another chain, "<Hash text=row.chain/></span> }.into_any()
    };
    view! { <li><b><bdi class="hash">{row.address}</bdi></b>{chain}</li> }
}
