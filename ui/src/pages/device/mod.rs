//! *Device*: how is it now, can I trust it, where did its readings go?

mod gap;
mod hand_over;
mod hears;
mod hears_ask;
mod life;
mod link;
mod live_card;
mod place;
mod readings;
mod wave;

use fog_api::{ApiError, Device, DeviceSource};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{Ask, DeviceMark, FailureNote, Icon, Note, PageHead, Waiting};
use crate::failure::Failure;
use crate::live::{DeviceEntry, use_live};
use crate::pages::self_test::CommissioningCard;
use crate::patients::use_patients;
use crate::route::{Route, escape};
use crate::testids;
use crate::words::bluetooth::strength;
use crate::words::device;
use crate::words::number::age;
use crate::words::state::State;

/// The page.
#[component]
pub fn DevicePage(
    /// The node's id of the device.
    id: String,
) -> impl IntoView {
    let live = use_live();
    let known = {
        let id = id.clone();
        Memo::new(move |_| {
            live.ids
                .with(|ids| ids.as_ref().map(|ids| ids.contains(&id)))
        })
    };
    view! {
        <div class="page">
            {move || match (known.get(), live.device(&id)) {
                (Some(true), Some(entry)) => view! { <Known entry=entry/> }.into_any(),
                (None, _) => view! {
                    <PageHead heading="Device"/>
                    <section class="card"><Waiting what="Asking the node for this device"/></section>
                }.into_any(),
                _ => view! { <Gone/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Gone() -> impl IntoView {
    view! {
        <PageHead heading="This device is not paired"/>
        <section class="card">
            <div class="empty">
                <Icon name="devices"/>
                <p>"It was unpaired, or the address is from another node. What it recorded stays, and every proof stays valid."</p>
                <div class="row">
                    <a class="btn primary" href=Route::Devices.href()>"Show all devices"</a>
                    <a class="btn" href=Route::Pair(None).href()><Icon name="plus"/>"Pair a device"</a>
                </div>
            </div>
        </section>
    }
}

#[component]
fn Known(entry: DeviceEntry) -> impl IntoView {
    keep_facts_fresh(entry);
    view! {
        <Head entry=entry/>
        <Reason entry=entry/>
        <div class="cols" data-cols="main-side">
            <div class="stack spread">
                <live_card::LiveCard entry=entry/>
                <readings::Readings entry=entry/>
            </div>
            <div class="stack">
                <gap::GapLedger entry=entry/>
                <life::LifeCard entry=entry/>
                <hears::HearsCard entry=entry/>
                <link::LinkCard entry=entry/>
                <CommissioningCard entry=entry/>
            </div>
        </div>
    }
}

/// Facts that no event carries (why frames were refused, the registration's block) are asked for
/// again when what they depend on has changed, each five seconds at most.
fn keep_facts_fresh(entry: DeviceEntry) {
    let live = use_live();
    let fives = Memo::new(move |_| live.now.get().div_euclid(5_000));
    Effect::new(move || {
        fives.get();
        let stale = entry.facts.with_untracked(|facts| {
            facts.registered_height.is_none()
                || facts.source == DeviceSource::Bluetooth
                || facts.gap.rejected != entry.gap.get_untracked().rejected
        });
        if !stale {
            return;
        }
        let path = entry
            .facts
            .with_untracked(|facts| format!("/api/devices/{}", escape(&facts.id)));
        spawn_local(async move {
            // Without an answer the facts stay as they are until the next try.
            if let Ok(device) = crate::transport::get::<Device>(&path).await {
                entry.facts.try_set(device);
            }
        });
    });
}

#[component]
fn Head(entry: DeviceEntry) -> impl IntoView {
    let (live, patients) = (use_live(), use_patients());
    let fact = move |read: fn(&Device) -> String| move || entry.facts.with(read);
    let name = Signal::derive(move || entry.facts.with(|facts| facts.name.clone()));
    let asking = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let unpair = move |()| {
        let path = entry
            .facts
            .with_untracked(|facts| format!("/api/devices/{}", escape(&facts.id)));
        failure.set(None);
        spawn_local(async move {
            match crate::transport::delete(&path).await {
                Ok(()) => {
                    // The address of this page is always writable.
                    location().set_hash(&Route::Devices.href()).ok();
                    live.refetch_devices().await;
                }
                Err(why) => {
                    // The page may be gone by now.
                    failure.try_set(Some(why));
                }
            }
        });
    };
    let heard = move || {
        entry.heard.get().map_or_else(
            || "never".to_owned(),
            |heard| format!("{} ago", age(live.now.get(), heard)),
        )
    };
    let question = Signal::derive(move || format!("Unpair {}?", name.get()));
    let simulated = entry.facts.with_untracked(|facts| facts.simulated);
    let source = entry.facts.with_untracked(|facts| facts.source);
    // While it streams, the mark itself says that it is simulated.
    let tagged =
        move || simulated && entry.link.with(|link| link.state) != fog_api::DeviceState::Streaming;
    Effect::new(move || document().set_title(&format!("{} · Fogward", name.get())));
    view! {
        <div class="page-head">
            <div>
                <div class="row" aria-live="polite" data-link=move || entry.link.with(|link| device::link_key(link.state)) data-testid=testids::DEVICE_LINK>
                    <h1 data-testid=testids::PAGE_HEADING><bdi>{name}</bdi></h1>
                    <DeviceMark entry=entry chip=true/>
                    <span class="tag" hidden=move || !tagged()>"simulated"</span>
                </div>
            </div>
            <div class="row">
                <button type="button" class="btn" data-testid=testids::UNPAIR on:click=move |_| asking.set(true)>"Unpair"</button>
            </div>
            <dl class="facts">
                {move || entry.facts.with(|facts| facts.assigned_to.clone()).map(|id| view! {
                    <div><dt>"Worn by"</dt><dd><a href=Route::Patient(id.clone()).href()><bdi>{patients.called(&id)}</bdi></a></dd></div>
                })}
                <div><dt>"Profile"</dt><dd>{move || live.profile_label(&fact(|facts| facts.profile.clone())())}</dd></div>
                <div><dt>{match source {
                    DeviceSource::Simulated => "Simulation",
                    DeviceSource::Bluetooth => "Address",
                    DeviceSource::Serial => "Port",
                }}</dt><dd><bdi class="hash">{fact(|facts| facts.path.trim_start_matches("ble:").to_owned())}</bdi></dd></div>
                {move || entry.facts.with(|facts| facts.signal_dbm).map(|dbm| view! {
                    <div><dt>"Signal"</dt><dd class="num-text"><Icon name="signal"/>{strength(dbm)}</dd></div>
                })}
                {move || entry.facts.with(|facts| facts.about.battery_percent).map(|percent| view! {
                    <div><dt>"Battery"</dt><dd class="num-text"><Icon name="battery"/>{percent}" %"</dd></div>
                })}
                <div><dt>"Heard"</dt><dd class="num-text">{heard}</dd></div>
                <div hidden=source == DeviceSource::Bluetooth><dt>"Frames"</dt><dd>{move || entry.facts.with(|facts| if facts.authenticated {
                    view! { <Icon name="lock"/>"authenticated" }.into_any()
                } else {
                    view! { "not authenticated" }.into_any()
                })}</dd></div>
            </dl>
        </div>
        {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
        <Ask open=asking question=question explains="It stops recording. What was recorded stays, and every proof stays valid."
            keep="Keep it" act="Unpair" on_act=unpair testids=(testids::UNPAIR_KEEP, testids::UNPAIR_CONFIRM)/>
    }
}

/// Why it does not stream and what to do, where that is so.
#[component]
fn Reason(entry: DeviceEntry) -> impl IntoView {
    let live = use_live();
    let words = Memo::new(move |_| {
        let link = entry.link.get();
        let reason = link
            .reason
            .filter(|_| link.state != fog_api::DeviceState::Streaming)?;
        let name = entry.facts.with(|facts| facts.name.clone());
        let state = device::link(link.state).0;
        // Rounded to ten seconds: an alert that is read out each second helps nobody.
        let now = live.now.get().div_euclid(10_000) * 10_000;
        let words = ApiError {
            code: link.reason_code.unwrap_or_default(),
            what: device::trouble(
                &name,
                link.state,
                entry.heard.get_untracked().filter(|heard| now > *heard),
                now,
            ),
            why: reason,
            next: link.next_step.unwrap_or_default(),
        };
        Some((
            if state == State::Ok {
                State::Unknown
            } else {
                state
            },
            words,
        ))
    });
    move || {
        words.get().map(|(state, words)| view! { <Note state=state words=words testid=testids::DEVICE_REASON/> })
    }
}
