//! One block: every field of its header, who signed, and its transactions.

use fog_api::{BlockDetail, PrunedBlock, TransactionRow};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{
    FailureNote, Hash, Icon, Loading, PageHead, StateMark, local_clock, local_date,
};
use crate::failure::Failure;
use crate::live::use_live;
use crate::route::Route;
use crate::testids;
use crate::transport;
use crate::words::chain;
use crate::words::number::{bytes, thousands};
use crate::words::state::State;

/// The page of one block.
#[component]
pub fn BlockPage(
    /// Its height.
    height: u64,
) -> impl IntoView {
    let live = use_live();
    let (block, failure, again) = fetched(Signal::derive(move || Some(height)));
    let heading = Signal::derive(move || {
        block
            .with(|block| block.as_ref().map(chain::block_heading))
            .unwrap_or_else(|| format!("Block {}", thousands(height)))
    });
    let is_tip = Memo::new(move |_| {
        live.blocks.with(|blocks| {
            blocks
                .iter()
                .flatten()
                .next()
                .is_none_or(|newest| newest.height <= height)
        })
    });
    view! {
        <div class="page">
            <PageHead heading=heading>
                <a class="btn" href=Route::Block(height.saturating_sub(1)).href() hidden=height == 0>"Block before"</a>
                <a class="btn" href=Route::Block(height.saturating_add(1)).href() hidden=move || is_tip.get()>"Block after"</a>
            </PageHead>
            {move || failure.get().map(|failure| view! { <FailureNote failure=failure retry=again/> })}
            {move || block.get().map(|block| view! {
                <div class="cols" data-cols="halves">
                    <section class="card" aria-labelledby="h-block">{card_head(&block)}{header(&block, true)}</section>
                    <section class="card" aria-labelledby="h-txs">
                        <div class="card-head"><h2 id="h-txs">{chain::transactions(block.row.transactions as usize)}</h2></div>
                        {body(&block)}
                    </section>
                </div>
            })}
            {move || (block.with(Option::is_none) && failure.with(Option::is_none)).then(|| view! {
                <section class="card"><Loading what="Reading the block"/></section>
            })}
        </div>
    }
}

/// A block beside the list, in full.
#[component]
pub fn BlockCard(
    /// Its height; the one before stays while the next is read.
    #[prop(into)]
    height: Signal<Option<u64>>,
) -> impl IntoView {
    let (block, failure, again) = fetched(height);
    view! {
        <section class="card" id="block" aria-labelledby="h-block">
            {move || failure.get().map(|failure| view! { <div class="card-body full"><FailureNote failure=failure retry=again/></div> })}
            {move || match block.get() {
                None => view! { <Loading what="Reading the block"/> }.into_any(),
                Some(block) => view! {
                    {card_head(&block)}
                    {header(&block, false)}
                    <div class="card-head ruled"><h3>{chain::transactions(block.row.transactions as usize)}</h3></div>
                    {body(&block)}
                }.into_any(),
            }}
        </section>
    }
}

type Fetched = (
    RwSignal<Option<BlockDetail>>,
    RwSignal<Option<Failure>>,
    Callback<()>,
);

fn fetched(height: Signal<Option<u64>>) -> Fetched {
    let live = use_live();
    let block = RwSignal::new(None::<BlockDetail>);
    let failure = RwSignal::new(None);
    let turn = RwSignal::new(0_u32);
    Effect::new(move || {
        turn.track();
        if failure.with_untracked(Option::is_some) {
            // What failed may work after the connection is back.
            live.epoch.track();
        }
        let Some(wanted) = height.get() else { return };
        spawn_local(async move {
            let answer = transport::get::<BlockDetail>(&format!("/api/blocks/{wanted}")).await;
            if height.try_get_untracked() != Some(Some(wanted)) {
                return;
            }
            match answer {
                Ok(detail) => {
                    failure.set(None);
                    block.set(Some(detail));
                }
                Err(error) => failure.set(Some(error)),
            }
        });
    });
    (
        block,
        failure,
        Callback::new(move |()| turn.update(|turn| *turn = turn.wrapping_add(1))),
    )
}

fn card_head(block: &BlockDetail) -> impl IntoView + use<> {
    view! {
        <div class="card-head">
            <h2 id="h-block"><bdi>{format!("Block {}", thousands(block.row.height))}</bdi></h2>
            <div class="push"><StateMark state=State::Ok word=chain::finality(block)/></div>
        </div>
    }
}

/// The header's fields; `whole` hashes where there is room for them.
fn header(block: &BlockDetail, whole: bool) -> impl IntoView + use<> {
    let time = i64::try_from(block.row.time).unwrap_or(i64::MAX);
    let before = block.row.height.checked_sub(1);
    let before = before
        .map(|before| view! { ", "<a href=Route::Block(before).href()>{thousands(before)}</a> });
    let signers: Vec<_> = block
        .signers
        .iter()
        .map(|name| view! { <span class="tag">{name.clone()}</span> })
        .collect();
    let absent = block.absent.iter().filter(|_| block.round.is_some());
    let absent: Vec<_> = absent
        .map(|name| view! { <StateMark state=State::Offline word=format!("{name} did not")/> })
        .collect();
    let nobody = block
        .round
        .is_none()
        .then_some(match block.row.height {
            0 => "nobody: whoever trusts the genesis trusts this block",
            _ => "not known here: this node started from a snapshot, and trusts it for the certified block above",
        });
    let size = match &block.pruned {
        None => bytes(block.bytes),
        Some(_) => format!("{} still here", bytes(block.bytes)),
    };
    view! {
        <div class="card-body">
            <dl class="kv">
                <dt>"Time"</dt>
                <dd><time>{format!("{}, {}.{:03}", local_date(time), local_clock(time), time.rem_euclid(1_000))}</time></dd>
                <dt>"Proposed by"</dt><dd>{chain::proposed(block)}</dd>
                <dt>"Proposer’s key"</dt><dd><Hash text=block.proposer_key.clone() whole=whole/></dd>
                <dt>"Hash"</dt><dd><Hash text=block.row.hash.clone() whole=whole/></dd>
                <dt>"Parent"</dt><dd><Hash text=block.parent.clone() whole=whole/>{before}</dd>
                <dt>"Transactions root"</dt><dd><Hash text=block.tx_root.clone() whole=whole/></dd>
                <dt>"State root"</dt><dd><Hash text=block.state_root.clone() whole=whole/>", after this block"</dd>
                <dt>"Validators"</dt><dd><Hash text=block.validators_hash.clone() whole=whole/></dd>
                <dt>"Size"</dt><dd class="nowrap">{size}</dd>
                <dt>"Signed by"</dt><dd class="row">{signers}{absent}{nobody}</dd>
            </dl>
        </div>
    }
}

/// The transactions that are here, and what became of the others.
fn body(block: &BlockDetail) -> impl IntoView + use<> {
    let gone = block.pruned.as_ref().map(pruned);
    let here = (gone.is_none() || !block.transactions.is_empty())
        .then(|| transactions(&block.transactions));
    view! { {gone}{here} }
}

fn pruned(block: &PrunedBlock) -> impl IntoView + use<> {
    let (what, stays) = chain::pruned(block);
    let ids: Vec<_> = block
        .ids
        .iter()
        .map(|id| view! { <li><Hash text=id.clone()/></li> })
        .collect();
    let known = !ids.is_empty();
    view! {
        <div class="card-body stack" data-testid=testids::BLOCK_PRUNED>
            <div class="note"><Icon name="chain"/><div><h3>{what}</h3><p>{stays}</p></div></div>
            {known.then(|| view! { <p class="small dim">"Their ids:"</p><ul class="ids">{ids}</ul> })}
        </div>
    }
}

fn transactions(rows: &[TransactionRow]) -> impl IntoView + use<> {
    if rows.is_empty() {
        return view! { <div class="card-body"><p class="small soft">"An empty block shows that the chain lives."</p></div> }
            .into_any();
    }
    let body: Vec<_> = rows
        .iter()
        .map(|row| {
            view! {
                <tr data-testid=testids::TRANSACTION_ROW data-tx=row.id.clone()>
                    <th scope="row" class="wrap"><a href=Route::Transaction(row.id.clone()).href()>{row.summary.clone()}</a></th>
                    <td>{row.sender.clone()}</td>
                    <td class="num" data-p="1">{bytes(row.bytes)}</td>
                    <td class="num">{thousands(row.readings)}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <div class="scroll">
            <table class="tbl">
                <thead><tr>
                    <th scope="col">"What"</th><th scope="col">"From"</th><th scope="col" class="num" data-p="1">"Size"</th>
                    <th scope="col" class="num">"Readings"</th>
                </tr></thead>
                <tbody>{body}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// Icon and words of the link that leads on to a proof.
pub(super) fn prove_link() -> impl IntoView {
    view! { <a class="btn" href=Route::Proofs.href()><Icon name="proof"/>"Prove a reading"</a> }
}
