//! The gap ledger: expected, received, rejected, sealed, anchored, final; each difference has a name.

use fog_api::Gap;
use leptos::prelude::*;

use crate::components::StateMark;
use crate::live::{DeviceEntry, use_live};
use crate::route::Route;
use crate::testids;
use crate::words::device;
use crate::words::number::{paced, thousands};

/// The card.
#[component]
pub fn GapLedger(entry: DeviceEntry) -> impl IntoView {
    let live = use_live();
    let gap = entry.gap;
    let account = Memo::new(move |_| device::account(&gap.get()));
    let reasons = move || {
        entry
            .facts
            .with(|facts| device::rejected(&facts.rejected_reasons))
    };
    let per_second = move || match entry.facts.with(|facts| facts.readings_per_second) {
        0.0 => "it promises no rate".to_owned(),
        expected => format!("{} expected", paced(expected)),
    };
    let newest = move || {
        live.status
            .with(|status| status.as_ref().map(|status| status.height))
    };
    let in_block =
        move || {
            newest().filter(|_| gap.get().finalized > 0).map(|height| view! {
            "the newest block is "<a href=Route::Block(height).href()>{thousands(height)}</a>
        })
        };
    let widened = move || {
        let gap = gap.get();
        gap.expected > 0
            && gap.expected != gap.finalized
            && (gap.expected - gap.finalized.min(gap.expected)) * 50 < gap.expected
    };
    view! {
        <section class="card" aria-labelledby="h-gap">
            <div class="card-head"><h2 id="h-gap">"Gap ledger"</h2><p class="push num-text">{per_second}</p></div>
            <div class="card-body">
                <ol class="funnel">
                    <Stage gap=gap title="Expected" key="expected" value=|gap| gap.expected>"by its rate and sequence numbers"</Stage>
                    <Stage gap=gap title="Received" key="received" value=|gap| gap.received>{move || device::missing(&gap.get())}</Stage>
                    <Stage gap=gap title="Rejected" key="rejected" value=|gap| gap.rejected>{move || match gap.get().rejected {
                        0 => "no frame was refused".to_owned(),
                        _ => reasons(),
                    }}</Stage>
                    <Stage gap=gap title="Sealed" key="sealed" value=|gap| gap.sealed>{move || {
                        let gap = gap.get();
                        device::waiting(gap.received, gap.sealed, "the vault")
                    }}</Stage>
                    <Stage gap=gap title="Anchored" key="anchored" value=|gap| gap.anchored>{move || {
                        let gap = gap.get();
                        device::waiting(gap.sealed, gap.anchored, "the next batch")
                    }}</Stage>
                    <Stage gap=gap title="Final" key="final" value=|gap| gap.finalized>{in_block}</Stage>
                </ol>
                <p class="small dim not-to-scale" style:visibility=move || if widened() { "visible" } else { "hidden" }>"Losses are widened so that they are seen: not to scale."</p>
            </div>
            <div class="card-foot">
                <StateMark state=Signal::derive(move || account.get().0) word=Signal::derive(move || account.get().1)/>
            </div>
        </section>
    }
}

#[component]
fn Stage(
    gap: RwSignal<Gap>,
    title: &'static str,
    key: &'static str,
    value: fn(Gap) -> u64,
    children: Children,
) -> impl IntoView {
    let refused = key == "rejected";
    let style = move || {
        let gap = gap.get();
        let (share, lost) = device::bar(value(gap), gap.expected.max(gap.received), refused);
        format!(
            "--v:{share:.2}%;--lost:{}",
            if lost { ".5rem" } else { "0px" }
        )
    };
    let state = move || (refused && gap.get().rejected > 0).then_some("attention");
    view! {
        <li>
            <span>{title}</span>
            <span class="bar" data-state=state style=style></span>
            <b data-testid=testids::gap(key) data-value=move || value(gap.get()).to_string()>{move || thousands(value(gap.get()))}</b>
            <span class="why">{children()}</span>
        </li>
    }
}
