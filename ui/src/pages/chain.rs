//! Is it final, how fast? The newest block in the heading, finality and load as plots, blocks as they
//! are made, and the newest of them in full.

use leptos::prelude::*;

use super::block::BlockCard;
use super::block_table::BlockTable;
use super::chain_plots::ChainPlots;
use crate::components::PageHead;
use crate::live::use_live;
use crate::words::chain;

/// The page.
#[component]
pub fn ChainPage() -> impl IntoView {
    let live = use_live();
    let heading = Signal::derive(move || {
        live.blocks
            .with(|blocks| chain::heading(blocks.as_ref().and_then(|blocks| blocks.first())))
    });
    let source = Signal::derive(move || live.status.with(|status| chain::source(status.as_ref())));
    let held = RwSignal::new(false);
    let newest = Memo::new(move |shown: Option<&Option<u64>>| {
        let newest = live
            .blocks
            .with(|blocks| blocks.as_ref()?.first().map(|block| block.height));
        match shown {
            Some(Some(shown)) if held.get() => Some(*shown),
            _ => newest,
        }
    });
    view! {
        <div class="page">
            <PageHead heading=heading sub=source/>
            <ChainPlots/>
            <div class="cols" data-cols="halves">
                <BlockTable held=held selected=newest/>
                <div on:pointerenter=move |_| held.set(true) on:pointerleave=move |_| held.set(false)
                    on:focusin=move |_| held.set(true) on:focusout=move |_| held.set(false)>
                    <BlockCard height=newest/>
                </div>
            </div>
        </div>
    }
}
