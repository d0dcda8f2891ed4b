//! Blocks as they are made, newest first. While somebody points at the list or has its focus there, it
//! holds still and says how many are newer, so that no row runs away from under a finger.

use fog_api::BlockRow;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use crate::components::{FailureNote, Icon, Loading, StateMark, local_clock};
use crate::failure::Failure;
use crate::live::{Link, use_live};
use crate::route::Route;
use crate::testids;
use crate::transport;
use crate::words::chain;
use crate::words::number::thousands;
use crate::words::state::State;

/// Rows shown live.
const ROWS: usize = 17;
/// Rows that *Older blocks* adds.
const OLDER: u32 = 50;

/// The card with the list.
#[component]
pub fn BlockTable(
    /// Whether the list holds still.
    held: RwSignal<bool>,
    /// The block that is shown beside the list.
    #[prop(into)]
    selected: Signal<Option<u64>>,
) -> impl IntoView {
    let live = use_live();
    let shown = RwSignal::new(Vec::<BlockRow>::new());
    // Reading older blocks holds the list until its reader goes back.
    let reading = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move || {
        let still = held.get() || reading.get();
        live.blocks.with(|blocks| {
            let Some(blocks) = blocks else { return };
            if !still || shown.with_untracked(Vec::is_empty) {
                shown.set(blocks.iter().take(ROWS).cloned().collect());
            }
        });
    });
    let newer = Memo::new(move |_| {
        let top = shown.with(|rows| rows.first().map_or(0, |row| row.height));
        live.blocks.with(|blocks| {
            blocks
                .iter()
                .flatten()
                .filter(|block| block.height > top)
                .count()
        })
    });
    let older = move |_| {
        let Some(from) = shown.with_untracked(|rows| rows.last()?.height.checked_sub(1)) else {
            return;
        };
        reading.set(true);
        spawn_local(async move {
            match transport::get::<Vec<BlockRow>>(&format!("/api/blocks?from={from}&limit={OLDER}"))
                .await
            {
                Ok(rows) => {
                    failure.try_set(None);
                    shown.try_update(|shown| shown.extend(rows));
                }
                Err(error) => {
                    failure.try_set(Some(error));
                }
            }
        });
    };
    let state = move || {
        let online = live.link.get() == Link::Online;
        match (online, held.get() || reading.get()) {
            (false, _) => (State::Offline, "Not connected".to_owned()),
            (true, true) => (State::Unknown, chain::held(newer.get())),
            (true, false) => (State::Ok, "Live".to_owned()),
        }
    };
    let at_start = move || shown.with(|rows| rows.last().is_none_or(|row| row.height == 0));
    let limit = move || {
        live.status
            .with(|status| status.as_ref().map(|status| status.finality.limit_ms))
    };
    view! {
        <section class="card" aria-labelledby="h-blocks"
            on:pointerenter=move |_| held.set(true) on:pointerleave=move |_| held.set(false)
            on:focusin=move |_| held.set(true) on:focusout=move |_| held.set(false)>
            <div class="card-head">
                <h2 id="h-blocks">"Blocks"</h2>
                <p>"made when there is something to record"</p>
                <div class="push">
                    <StateMark state=Signal::derive(move || state().0) word=Signal::derive(move || state().1)/>
                </div>
            </div>
            {move || (live.blocks.with(Option::is_none)).then(|| view! { <Loading what="Reading the newest blocks"/> })}
            <div class="scroll" role="group" aria-labelledby="h-blocks" on:keydown=walk>
                <table class="tbl">
                    <thead><tr>
                        <th scope="col">"Block"</th><th scope="col">"Time"</th><th scope="col" data-p="1">"Proposed by"</th>
                        <th scope="col" class="num">"Txs"</th><th scope="col" class="num" data-p="1">"Readings"</th>
                        <th scope="col" class="num">"Signed"</th><th scope="col" class="num">"Final ms"</th>
                    </tr></thead>
                    <tbody>
                        <For each=move || shown.get() key=|row| row.height let:row>
                            {one(&row, selected, limit())}
                        </For>
                    </tbody>
                </table>
            </div>
            {move || failure.get().map(|failure| view! { <div class="card-body full"><FailureNote failure=failure/></div> })}
            <div class="card-foot">
                <button type="button" class="btn quiet" disabled=at_start on:click=older><Icon name="down"/>"Older blocks"</button>
                <button type="button" class="btn quiet push" hidden=move || !reading.get() on:click=move |_| reading.set(false)>
                    "Back to the newest"
                </button>
            </div>
        </section>
    }
}

fn one(
    row: &BlockRow,
    selected: Signal<Option<u64>>,
    limit_ms: Option<u32>,
) -> impl IntoView + use<> {
    let height = row.height;
    let (took, late) = chain::took(row, limit_ms);
    let figure = match late {
        Some(state) => view! { <StateMark state=state word=took/> }.into_any(),
        None => took.into_any(),
    };
    view! {
        <tr class:on=move || selected.get() == Some(height) data-testid=testids::BLOCK_ROW data-height=height.to_string()
            aria-current=move || (selected.get() == Some(height)).then_some("true")>
            <th scope="row"><a href=Route::Block(height).href()>{thousands(height)}</a></th>
            <td><time>{local_clock(i64::try_from(row.time).unwrap_or(i64::MAX))}</time></td>
            <td data-p="1">{row.proposer.clone()}</td>
            <td class="num">{row.transactions}</td>
            <td class="num" data-p="1">{thousands(row.readings)}</td>
            <td class="num nowrap">{format!("{} of {}", row.signed, row.validators)}</td>
            <td class="num">{figure}</td>
        </tr>
    }
}

/// Arrow keys go from row to row.
fn walk(event: KeyboardEvent) {
    let Some(row) = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok()?.closest("tr").ok()?)
    else {
        return;
    };
    let next = match event.key().as_str() {
        "ArrowDown" => row.next_element_sibling(),
        "ArrowUp" => row.previous_element_sibling(),
        _ => return,
    };
    let link = next.and_then(|next| next.query_selector("a").ok()?);
    if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
        event.prevent_default();
        link.focus().ok();
    }
}
