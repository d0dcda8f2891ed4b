//! How the device is joined: port, ledger handle, registration.

use fog_api::DeviceAbout;
use leptos::prelude::*;

use crate::components::{Hash, local_clock_minutes, local_date};
use crate::live::DeviceEntry;
use crate::route::Route;
use crate::words::device::{class_words, proof_words};
use crate::words::number::thousands;

/// The card.
#[component]
pub fn LinkCard(entry: DeviceEntry) -> impl IntoView {
    let added = entry
        .facts
        .with_untracked(|facts| i64::try_from(facts.added).unwrap_or(0));
    let id = entry.facts.with_untracked(|facts| facts.id.clone());
    let handle = move || entry.facts.with(|facts| facts.handle.clone());
    let profile = move || entry.facts.with(|facts| facts.profile.clone());
    let about = move |title: &'static str, read: fn(&DeviceAbout) -> Option<String>| {
        move || {
            let says = entry.facts.with(|facts| read(&facts.about));
            says.map(|says| view! { <dt>{title}</dt><dd><bdi>{says}</bdi></dd> })
        }
    };
    let registered = move || {
        entry.facts.with(|facts| match facts.registered_height {
            Some(height) => {
                view! { "in block "<a href=Route::Block(height).href()>{thousands(height)}</a> }
                    .into_any()
            }
            None => view! { "waits for its block" }.into_any(),
        })
    };
    view! {
        <section class="card" aria-labelledby="h-link">
            <div class="card-head"><h2 id="h-link">"On this node and on the ledger"</h2></div>
            <div class="card-body">
                <dl class="kv">
                    <dt>"Paired"</dt><dd>{local_date(added)}", "{local_clock_minutes(added)}</dd>
                    <dt>"Profile"</dt><dd><bdi class="hash">{profile}</bdi></dd>
                    {about("Maker", |about| about.manufacturer.clone())}
                    {about("Model", |about| about.model.clone())}
                    {about("Serial number", |about| about.serial_number.clone())}
                    {about("Firmware", |about| about.firmware.clone())}
                    {about("Class", |about| about.class.map(|class| class_words(class).to_owned()))}
                    {about("Proves frames", |about| about.authentication.map(|proof| proof_words(proof).to_owned()))}
                    <dt>"Id here"</dt><dd><Hash text=id/></dd>
                    <dt>"Handle"</dt><dd>{move || view! { <Hash text=handle()/> }}</dd>
                    <dt>"Registered"</dt><dd>{registered}</dd>
                </dl>
            </div>
        </section>
    }
}
