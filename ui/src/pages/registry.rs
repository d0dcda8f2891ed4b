//! *Registry*: which devices are on the ledger, and which node serves them?

use fog_api::LedgerDevice;
use leptos::prelude::*;

use crate::components::{FailureNote, Hash, Icon, Loading, PageHead, StateMark};
use crate::live::use_live;
use crate::route::Route;
use crate::testids;
use crate::watched;
use crate::words::ledger;
use crate::words::number::thousands;
use crate::words::state::State;

/// The page.
#[component]
pub fn RegistryPage() -> impl IntoView {
    let registry = watched::ledger_devices();
    let heading = Signal::derive(move || {
        registry.answer.with(|all| {
            all.as_ref().map_or_else(
                || "Devices on the ledger".to_owned(),
                |all| ledger::registry_heading(all),
            )
        })
    });
    let is_told = Memo::new(move |_| registry.answer.with(Option::is_some));
    let failed = move || registry.failure.get().filter(|_| !is_told.get());
    view! {
        <div class="page">
            <PageHead heading=heading sub="Those of all nodes. The ledger knows a device by a random handle: neither what it is nor who wears it.">
                <a class="btn" href=Route::Devices.href()><Icon name="devices"/>"Devices of this node"</a>
            </PageHead>
            <section class="card" aria-labelledby="h-registry">
                <div class="card-head"><h2 id="h-registry">"Registry"</h2>
                    <span class="count">{move || thousands(registry.read(|all| all.len() as u64))}</span>
                </div>
                {move || match (failed(), is_told.get()) {
                    (Some(failure), _) => view! { <div class="card-body full"><FailureNote failure=failure/></div> }.into_any(),
                    (None, false) => view! { <Loading what="Asking the node for the devices on the ledger"/> }.into_any(),
                    (None, true) => view! { <Table devices=Signal::derive(move || registry.read(Clone::clone))/> }.into_any(),
                }}
            </section>
        </div>
    }
}

#[component]
fn Table(#[prop(into)] devices: Signal<Vec<LedgerDevice>>) -> impl IntoView {
    view! {
        <div class="scroll" tabindex="0" role="group" aria-labelledby="h-registry">
            <table class="tbl tall">
                <thead><tr>
                    <th scope="col">"Device"</th>
                    <th scope="col" class="w-state" data-p="1">"Standing"</th>
                    <th scope="col">"Served by"</th>
                    <th scope="col" data-p="2">"Assigned"</th>
                    <th scope="col" class="num w-num" data-p="2">"Handed over"</th>
                    <th scope="col" class="num w-count" data-p="3">"Registered"</th>
                    <th scope="col" class="num w-count" data-p="3">"Changed"</th>
                </tr></thead>
                <tbody>
                    <For each=move || devices.get() key=|device| format!("{device:?}") let:device>
                        <Row device=device/>
                    </For>
                </tbody>
            </table>
        </div>
        <div class="empty" hidden=move || devices.with(|devices| !devices.is_empty())>
            <Icon name="devices"/>
            <p>"A device is registered here when it is paired with a node of the consortium."</p>
        </div>
    }
}

#[component]
fn Row(device: LedgerDevice) -> impl IntoView {
    let live = use_live();
    let (state, word) = ledger::standing(device.standing);
    let stripe = (state != State::Ok).then(|| state.key());
    let block = |height: u64| view! { <a href=Route::Block(height).href()>{thousands(height)}</a> };
    let here = live.devices_untracked().into_iter().find_map(|entry| {
        entry
            .facts
            .with_untracked(|facts| (facts.handle == device.handle).then(|| facts.id.clone()))
    });
    let title = match (here, device.name.clone()) {
        (Some(id), Some(name)) => {
            view! { <a href=Route::Device(id).href()><bdi>{name}</bdi></a> }.into_any()
        }
        _ => view! { <span class="dim">"of another node"</span> }.into_any(),
    };
    let signs = device
        .signer
        .is_some()
        .then(|| view! { <span class="tag">"signs for itself"</span> });
    let simulated = device
        .simulated
        .then(|| view! { <span class="tag">"simulated"</span> });
    view! {
        <tr data-state=stripe data-testid=testids::REGISTRY_ROW data-handle=device.handle.clone() data-node=device.node.clone()>
            <th scope="row">{title}<small><Hash text=device.handle.clone()/>" "{simulated}{signs}</small></th>
            <td data-p="1"><StateMark state=state word=word.to_owned()/></td>
            <td><bdi>{device.node.clone()}</bdi><small><bdi>{device.organisation.clone()}</bdi></small></td>
            <td data-p="2">{if device.assigned { "yes" } else { "no" }}</td>
            <td class="num" data-p="2">{match device.handovers { 0 => "never".to_owned(), 1 => "once".to_owned(), some => format!("{some} times") }}</td>
            <td class="num" data-p="3">{block(device.registered_height)}</td>
            <td class="num" data-p="3">{device.changed_height.map_or_else(|| "–".into_any(), |height| block(height).into_any())}</td>
        </tr>
    }
}
