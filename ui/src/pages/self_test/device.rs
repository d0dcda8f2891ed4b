//! The card of a device's commissioning, on its page.

use fog_api::DeviceSource;
use leptos::prelude::*;

use super::parts::{Buttons, Newest, Older};
use super::{Subject, Tests};
use crate::components::IsItMine;
use crate::live::DeviceEntry;

/// The card.
#[component]
pub fn CommissioningCard(entry: DeviceEntry) -> impl IntoView {
    let (id, source) = entry
        .facts
        .with_untracked(|facts| (facts.id.clone(), facts.source));
    let tests = Tests::of(Subject::Device(id.clone()));
    let is_bluetooth = source == DeviceSource::Bluetooth;
    let meanwhile = match is_bluetooth {
        true => "It is not read while it is measured, about a minute.",
        false => "It is read on while it is measured, some ten seconds.",
    };
    view! {
        <section class="card" aria-labelledby="h-commissioning">
            <div class="card-head"><h2 id="h-commissioning">"Commissioning"</h2></div>
            <Newest tests=tests meanwhile=meanwhile/>
            <div class="card-foot row">
                <Buttons tests=tests meanwhile=meanwhile/>
                {is_bluetooth.then(|| view! { <IsItMine at=id/> })}
            </div>
            <Older tests=tests/>
        </section>
    }
}
