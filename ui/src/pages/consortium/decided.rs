//! What was decided before, and what was approved and waits for its block.

use fog_api::consortium::ProposalRow;
use leptos::prelude::*;

use crate::components::{Icon, StateMark};
use crate::consortium::Consortium;
use crate::route::Route;
use crate::testids;
use crate::words::number::thousands;
use crate::words::votes;

/// The card with the decided proposals.
#[component]
pub fn Decided(desk: Consortium) -> impl IntoView {
    let rows = desk.part(|view| view.decided.clone());
    let none = move || rows.with(Vec::is_empty);
    view! {
        <section class="card" aria-labelledby="h-decided">
            <div class="card-head"><h2 id="h-decided">"Decided before"</h2></div>
            <div class="card-body" hidden=move || !none()>
                <p class="small soft">"Nothing has been decided by a vote yet."</p>
            </div>
            <div class="scroll" tabindex="0" role="group" aria-labelledby="h-decided" hidden=none>
                <table class="tbl">
                    <thead><tr>
                        <th scope="col">"Proposal"</th><th scope="col">"Outcome"</th>
                        <th scope="col" class="num" data-p="1">"For"</th><th scope="col" class="num" data-p="1">"Against"</th><th scope="col" class="num">"In force"</th>
                    </tr></thead>
                    <tbody>
                        <For each=move || rows.get() key=|row| (row.number, row.outcome.clone(), row.in_force) let:row>{one(&row)}</For>
                    </tbody>
                </table>
            </div>
        </section>
    }
}

fn one(row: &ProposalRow) -> impl IntoView + use<> {
    let (icon, state, word) = votes::outcome(&row.outcome);
    let outcome = match state {
        Some(state) => view! { <StateMark state=state word=word/> }.into_any(),
        None => {
            view! { <span class="state"><Icon name=icon/><span>{word}</span></span> }.into_any()
        }
    };
    let force = match (row.in_force, row.outcome.as_str()) {
        (Some(height), _) => view! {
            <a href=Route::Block(height).href()>{format!("block {}", thousands(height))}</a>
        }
        .into_any(),
        (None, "approved") => "waits for its block".into_any(),
        (None, _) => "–".into_any(),
    };
    view! {
        <tr data-testid=testids::DECIDED_ROW data-number=row.number.to_string() data-outcome=row.outcome.clone()>
            <th scope="row" class="wrap">{format!("{}: {}", row.number, row.title)}</th>
            <td>{outcome}<small class="why">{row.why.clone()}</small></td>
            <td class="num" data-p="1">{row.approvals}</td>
            <td class="num" data-p="1">{row.rejections}</td>
            <td class="num">{force}</td>
        </tr>
    }
}

/// Approved changes of validators in the order in which they take their places.
#[component]
pub fn Queue(desk: Consortium) -> impl IntoView {
    let queue = desk.part(|view| view.queue.clone());
    let items = move || {
        queue
            .get()
            .into_iter()
            .map(|seat| {
                let from = seat.proposal.map(|number| format!("proposal {number}"));
                view! { <li><Icon name="chain"/><span>{seat.title}" "<span class="dim">{from}</span></span></li> }
            })
            .collect_view()
    };
    view! {
        <section class="card" aria-labelledby="h-queue" hidden=move || queue.with(Vec::is_empty)>
            <div class="card-head"><h2 id="h-queue">"Waits for its block"</h2></div>
            <div class="card-body stack">
                <p class="small soft">"Approved. At most 30 % of the power changes in a block, so changes take their places one after the other."</p>
                <ol class="plain" data-testid=testids::QUEUE>{items}</ol>
            </div>
        </section>
    }
}
