//! One transaction: what it does, who signed it, and where it stands.

use fog_api::TransactionDetail;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::block::prove_link;
use crate::components::{FailureNote, Hash, Loading, PageHead, Way, local_clock, local_date};
use crate::failure::Failure;
use crate::route::Route;
use crate::transport;
use crate::words::chain;
use crate::words::number::{bytes, thousands};
use crate::words::state::Stage;

/// The page of one transaction.
#[component]
pub fn TransactionPage(
    /// Its id.
    id: String,
) -> impl IntoView {
    let found = RwSignal::new(None::<TransactionDetail>);
    let failure = RwSignal::new(None::<Failure>);
    let path = format!("/api/transactions/{}", crate::route::escape(&id));
    let fetch = Callback::new(move |()| {
        let path = path.clone();
        spawn_local(async move {
            let answer = transport::get::<TransactionDetail>(&path).await;
            failure.try_set(answer.as_ref().err().cloned());
            found.try_set(answer.ok());
        });
    });
    fetch.run(());
    let heading = Signal::derive(move || {
        found.with(|found| {
            found.as_ref().map_or("Transaction".to_owned(), |found| {
                chain::transaction_heading(&found.row.summary)
            })
        })
    });
    let sub = Signal::derive(move || {
        found.with(|found| {
            found.as_ref().map_or(String::new(), |found| {
                format!(
                    "Signed by {} over exactly these bytes, final in block {}.",
                    found.row.sender,
                    thousands(found.height)
                )
            })
        })
    });
    view! {
        <div class="page">
            <PageHead heading=heading sub=sub>
                {move || found.with(|found| found.as_ref().is_some_and(|found| found.row.readings > 0)).then(prove_link)}
            </PageHead>
            {move || failure.get().map(|failure| view! { <FailureNote failure=failure retry=fetch/> })}
            {move || found.get().map(|found| card(&found))}
            {move || (found.with(Option::is_none) && failure.with(Option::is_none)).then(|| view! {
                <section class="card"><Loading what="Reading the transaction"/></section>
            })}
        </div>
    }
}

fn card(found: &TransactionDetail) -> impl IntoView + use<> {
    let time = i64::try_from(found.time).unwrap_or(i64::MAX);
    let fields: Vec<_> = found
        .fields
        .iter()
        .map(|(name, value)| {
            let long = value.len() > 18 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
            let value = match (long, value.parse::<u64>()) {
                (true, _) => view! { <Hash text=value.clone()/> }.into_any(),
                (false, Ok(number)) => thousands(number).into_any(),
                (false, Err(_)) => value.clone().into_any(),
            };
            view! { <dt>{name.clone()}</dt><dd>{value}</dd> }
        })
        .collect();
    view! {
        <div class="cols" data-cols="halves">
            <section class="card" aria-labelledby="h-holds">
                <div class="card-head">
                    <h2 id="h-holds">"What it holds"</h2>
                    <div class="push"><Way stage=Stage::Final/></div>
                </div>
                <div class="card-body">
                    <dl class="kv">
                        {fields}
                        <dt>"On chain"</dt><dd>"salted commitments and keys only: no patient, no value"</dd>
                    </dl>
                </div>
            </section>
            <section class="card" aria-labelledby="h-signed">
                <div class="card-head"><h2 id="h-signed">"Where it stands and who signed"</h2></div>
                <div class="card-body">
                    <dl class="kv">
                        <dt>"Id"</dt><dd><Hash text=found.row.id.clone() whole=true/></dd>
                        <dt>"Block"</dt>
                        <dd><a href=Route::Block(found.height).href()>{thousands(found.height)}</a>
                            {format!(", place {}", found.index + 1)}</dd>
                        <dt>"Time"</dt><dd><time>{format!("{}, {}", local_date(time), local_clock(time))}</time></dd>
                        <dt>"From"</dt><dd>{found.row.sender.clone()}</dd>
                        <dt>"Sender’s key"</dt><dd><Hash text=found.sender_key.clone() whole=true/></dd>
                        <dt>"Nonce"</dt><dd>{thousands(found.nonce)}</dd>
                        <dt>"Signature"</dt><dd><Hash text=found.signature.clone() whole=true/></dd>
                        <dt>"Size"</dt><dd>{bytes(found.row.bytes)}</dd>
                    </dl>
                </div>
            </section>
        </div>
    }
}
