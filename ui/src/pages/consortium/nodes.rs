//! Validators and observers: how each is, and how much of the last day it signed.

use fog_api::consortium::NodeRow;
use leptos::prelude::*;

use crate::components::{StateMark, local_clock_minutes};
use crate::consortium::Consortium;
use crate::draft::organisation;
use crate::heat::{self, Cell};
use crate::testids;
use crate::words::consortium as words;
use crate::words::number::thousands;
use crate::words::state::State;

/// The card.
#[component]
pub fn Nodes(desk: Consortium) -> impl IntoView {
    let keys = desk.part(|view| {
        let keys = view.nodes.iter().map(|node| node.key.clone());
        keys.collect::<Vec<_>>()
    });
    let heading = desk.part(|view| {
        if view.nodes.iter().all(|node| node.validator) {
            "Validators"
        } else {
            "Validators and observers"
        }
    });
    let from = Memo::new(move |_| {
        let minute = desk.told.get().div_euclid(60_000) * 60_000;
        format!("{} yesterday", local_clock_minutes(minute))
    });
    view! {
        <section class="card" aria-labelledby="h-nodes">
            <div class="card-head">
                <h2 id="h-nodes">{move || heading.get()}</h2>
                <p>"last 24 h, half an hour a cell"</p>
                <Key desk=desk/>
            </div>
            <div class="scroll" tabindex="0" role="group" aria-labelledby="h-nodes">
                <table class="tbl tall nodes">
                    <thead><tr>
                        <th scope="col">"Node"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" data-p="1"><span class="heat-axis num-text"><span>{from}</span><span>"now"</span></span></th>
                        <th scope="col" class="num">"Signed %"</th>
                        <th scope="col" class="num" data-p="2">"Delay ms"</th>
                        <th scope="col" class="num" data-p="3">"Behind"</th>
                        <th scope="col" class="num" data-p="3">"Clock ms"</th>
                    </tr></thead>
                    <tbody>
                        <For each=move || keys.get() key=Clone::clone let:key><Row desk=desk key=key/></For>
                    </tbody>
                </table>
            </div>
        </section>
    }
}

/// The classes of the heat map; slices without a block only where there are some.
#[component]
fn Key(desk: Consortium) -> impl IntoView {
    let idle = desk.part(|view| {
        let validators = view.nodes.iter().filter(|node| node.validator);
        validators
            .flat_map(|node| &node.participation)
            .any(Option::is_none)
    });
    let entries = Cell::ALL
        .map(|cell| {
            view! {
                <li hidden=move || cell == Cell::Idle && !idle.get()>
                    <svg class="heat" viewBox="0 0 8 20" aria-hidden="true"><path class=cell.class() d=cell.outline(0)></path></svg>
                    {cell.word()}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="heat-key push" aria-label="Key">{entries}</ul> }
}

#[component]
fn Row(desk: Consortium, key: String) -> impl IntoView {
    let test_key = key.clone();
    let row = Memo::new(move |_| {
        desk.read(|view| view.nodes.iter().find(|node| node.key == key).cloned())
    });
    let text = move |what: fn(&NodeRow) -> String| {
        move || row.with(|row| row.as_ref().map(what).unwrap_or_default())
    };
    let owner = Memo::new(move |_| {
        row.with(|row| {
            let row = row.as_ref()?;
            Some(desk.read(|view| organisation(view, &row.organisation)))
        })
    });
    let height = desk.part(|view| view.height);
    let mark = mark(desk, row);
    let striped = move || {
        let state = mark.with(|mark| mark.state);
        matches!(state, State::Attention | State::Offline).then_some(state.key())
    };
    let remark = Memo::new(move |_| {
        row.with(|row| {
            row.as_ref()
                .and_then(|row| words::remark(row, height.get()))
        })
    });
    let behind = move || {
        let behind = row.with(|row| {
            row.as_ref()
                .and_then(|row| words::behind(row, height.get()))
        });
        behind.map_or_else(|| "–".to_owned(), thousands)
    };
    let here = Memo::new(move |_| row.with(|row| row.as_ref().is_some_and(|row| row.here)));
    view! {
        <tr data-state=striped data-testid=testids::NODE_ROW data-node=test_key>
            <th scope="row">
                <bdi>{text(|row| row.name.clone())}</bdi>
                <span class="tag" hidden=move || !here.get()>"this node"</span>
                <small>{move || owner.get()}</small>
            </th>
            <td>
                <StateMark state=Signal::derive(move || mark.with(|mark| mark.state))
                    word=Signal::derive(move || mark.with(|mark| mark.word.clone()))
                    chip=Signal::derive(move || mark.with(|mark| mark.chip))/>
                <small>{move || remark.get()}</small>
            </td>
            <td class="heatcell" data-p="1"><Heat row=row/></td>
            <td class="num">{text(|row| words::percent(row.signed))}</td>
            <td class="num" data-p="2">{text(|row| words::delay(row.delay_ms.filter(|_| row.heard && !row.here)))}</td>
            <td class="num" data-p="3">{behind}</td>
            <td class="num" data-p="3">{text(|row| words::clock(row.clock_ms.filter(|_| row.heard && !row.here)))}</td>
        </tr>
    }
}

fn mark(desk: Consortium, row: Memo<Option<NodeRow>>) -> Memo<words::Mark> {
    Memo::new(move |_| {
        let (halted, limit) =
            desk.read(|view| (words::is_halted(view), view.parameters.finality_limit_ms));
        let told = desk.told.get_untracked();
        row.with(|row| match row {
            None => words::Mark {
                state: State::Unknown,
                word: String::new(),
                chip: false,
            },
            Some(row) => {
                let ago = i64::try_from(row.heard_ms_ago.unwrap_or(0)).unwrap_or(i64::MAX);
                let since = local_clock_minutes(told.saturating_sub(ago));
                words::mark(row, halted, limit, &since)
            }
        })
    })
}

/// The last day of one node.
#[component]
fn Heat(row: Memo<Option<NodeRow>>) -> impl IntoView {
    let slices = Memo::new(move |_| {
        row.with(|row| {
            row.as_ref()
                .filter(|row| row.validator || row.participation.iter().any(Option::is_some))
                .map(|row| (row.name.clone(), row.participation.clone()))
        })
    });
    move || {
        slices.get().map(|(name, slices)| {
            let paths = Cell::ALL
                .into_iter()
                .zip(heat::paths(&slices))
                .filter(|(_, path)| !path.is_empty())
                .map(|(cell, path)| view! { <path class=cell.class() d=path></path> })
                .collect_view();
            view! {
                <svg class="heat" viewBox=heat::view_box(slices.len()) preserveAspectRatio="none" role="img"
                    aria-label=heat::label(&name, &slices)>{paths}</svg>
            }
        })
    }
}
