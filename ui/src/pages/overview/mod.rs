//! *Overview*: does anybody need me, is the record whole?

mod cards;
mod first_start;
mod needs_you;
mod ward;

use leptos::prelude::*;

use crate::components::notices::notices_now;
use crate::components::{Icon, PageHead, Waiting, local_clock_minutes, local_date};
use crate::live::{Live, use_live};
use crate::route::Route;
use crate::testids;
use crate::words::node;

/// What the page counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    devices: u64,
    streaming: u64,
    needy: u64,
}

fn counts(live: Live) -> Counts {
    let mut counts = Counts {
        devices: 0,
        streaming: 0,
        needy: 0,
    };
    for entry in live.devices() {
        let state = entry.link.with(|link| link.state);
        counts.devices += 1;
        counts.streaming += u64::from(state == fog_api::DeviceState::Streaming);
        counts.needy += u64::from(entry.needs_somebody().is_some());
    }
    counts
}

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let live = use_live();
    let stage = Memo::new(move |_| live.ids.with(|ids| ids.as_ref().map(Vec::is_empty)));
    view! {
        <div class="page">
            {move || match stage.get() {
                None => view! {
                    <PageHead heading="Overview"/>
                    <section class="card"><Waiting what="Asking the node for its devices"/></section>
                }.into_any(),
                Some(true) => view! { <first_start::FirstStart/> }.into_any(),
                Some(false) => view! { <Running/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Running() -> impl IntoView {
    let live = use_live();
    let counts = Memo::new(move |_| {
        let mut counts = counts(live);
        counts.needy += notices_now(live).len() as u64;
        counts
    });
    let trouble = Memo::new(move |_| {
        live.status.with(|status| {
            status
                .as_ref()
                .is_some_and(|status| status.trouble.is_some())
        })
    });
    let heading = Signal::derive(move || {
        if !live.is_current() {
            return node::NOT_KNOWN.to_owned();
        }
        let counts = counts.get();
        node::heading(
            counts.devices,
            counts.streaming,
            counts.needy,
            trouble.get(),
        )
    });
    let minute = Memo::new(move |_| live.now.get().div_euclid(60_000));
    let whole = Memo::new(move |_| {
        live.status
            .with(|status| status.as_ref().map(|status| node::whole(&status.gap)))
            .unwrap_or_default()
    });
    let sub = Signal::derive(move || {
        let now = minute.get() * 60_000;
        if !live.is_current() {
            return "The node does not answer; what follows is what it said last.".to_owned();
        }
        format!(
            "{}, {}. {}",
            local_date(now),
            local_clock_minutes(now),
            whole.get()
        )
    });
    view! {
        <PageHead heading=heading sub=sub>
            <a class="btn" href=Route::Pair(None).href() data-testid=testids::PAIR_OPEN><Icon name="plus"/>"Pair a device"</a>
        </PageHead>
        <div class="cols" data-cols="main-side">
            <div class="stack spread">
                <needs_you::NeedsYou/>
                <cards::Custody/>
                <ward::Ward/>
            </div>
            <div class="stack">
                <cards::Ledger/>
                <cards::Vault/>
                <first_start::EndDemo/>
            </div>
        </div>
    }
}
