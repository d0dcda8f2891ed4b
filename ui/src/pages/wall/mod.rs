//! The ward's wall: which bed needs somebody? Read from across a room, without the console's frame.
//!
//! Beds only: neither names of devices nor pseudonyms come near this page. A device without a bed, or one that
//! another node serves, is not on it.

mod tile;

use fog_api::{DeviceStanding, Place};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::components::{Icon, StateMark, Waiting, local_clock_minutes};
use crate::live::{DeviceEntry, Link, Live, use_live};
use crate::route::Route;
use crate::testids;
use crate::words::state::State;
use crate::words::wall::{self, Bed};

/// The page.
#[component]
pub fn WallPage(
    /// The ward; all of them without it.
    ward: Option<String>,
) -> impl IntoView {
    let live = use_live();
    leave_by_escape();
    let of_ward = ward.clone();
    let beds = Memo::new(move |_| wall::beds(placed(live), of_ward.as_deref()));
    let wards = Memo::new(move |_| beds.with(|beds| wall::wards(beds)));
    let heading = {
        let ward = ward.clone();
        Signal::derive(move || wards.with(|wards| wall::heading(ward.as_deref(), wards)))
    };
    Effect::new(move || document().set_title(&format!("{} · Fogward", heading.get())));
    let is_all = ward.is_none();
    let is_many = Memo::new(move |_| is_all && wards.with(Vec::len) > 1);
    let size = window_size();
    let columns = Memo::new(move |_| {
        let (width, height) = size.get();
        wall::columns(beds.with(Vec::len), width, height)
    });
    let stage = Memo::new(move |_| {
        live.ids
            .with(Option::is_some)
            .then(|| beds.with(Vec::is_empty))
    });
    view! {
        <main class="wall" id="main">
            <header>
                <h1 data-testid=testids::PAGE_HEADING><bdi>{heading}</bdi></h1>
                <Say beds=beds is_many=is_many/>
                <p class="wall-clock"><time>{move || local_clock_minutes(live.now.get())}</time></p>
            </header>
            {move || match stage.get() {
                None => view! { <section class="card"><Waiting what="Asking the node for its devices"/></section> }.into_any(),
                Some(true) => view! { <Empty ward=ward.clone()/> }.into_any(),
                Some(false) => view! {
                    <ul class="beds" aria-label="Beds" style=move || format!("--columns:{}", columns.get())>
                        <For each=move || beds.get() key=Bed::clone let:bed>
                            <tile::Tile bed=bed is_many=is_many/>
                        </For>
                    </ul>
                }.into_any(),
            }}
            <Foot beds=beds wards=wards is_many=is_many/>
        </main>
    }
}

/// The devices that are at a bed and that this node serves.
fn placed(live: Live) -> Vec<(Place, String)> {
    let serves = |standing| {
        matches!(
            standing,
            DeviceStanding::InService | DeviceStanding::Suspended
        )
    };
    let place = |entry: DeviceEntry| {
        entry.facts.with(|facts| {
            let place = facts.place.clone().filter(|_| serves(facts.standing))?;
            Some((place, facts.id.clone()))
        })
    };
    live.devices().into_iter().filter_map(place).collect()
}

fn entries(live: Live, bed: &Bed) -> impl Iterator<Item = DeviceEntry> {
    bed.devices.iter().filter_map(move |id| live.device(id))
}

fn condition(live: Live, bed: &Bed) -> (State, String) {
    wall::worst(entries(live, bed).map(|entry| entry.condition(live)))
}

fn name(bed: &Bed, is_many: bool) -> String {
    let Place { ward, bed } = &bed.place;
    if is_many {
        format!("{ward} {bed}")
    } else {
        bed.clone()
    }
}

fn leave_by_escape() {
    let handle = window_event_listener(leptos::ev::keydown, |event| {
        if event.key() == "Escape" {
            // The address of this page is always writable.
            location().set_hash(&Route::Devices.href()).ok();
        }
    });
    on_cleanup(move || handle.remove());
}

/// The window's size in CSS pixels, as it changes.
fn window_size() -> RwSignal<(f64, f64)> {
    let read = || {
        // A window without a size has room for one column.
        let of = |side: Result<JsValue, JsValue>| {
            side.ok().and_then(|side| side.as_f64()).unwrap_or(0.0)
        };
        (of(window().inner_width()), of(window().inner_height()))
    };
    let size = RwSignal::new(read());
    let handle = window_event_listener(leptos::ev::resize, move |_| size.set(read()));
    on_cleanup(move || handle.remove());
    size
}

/// Which bed needs somebody, or that nobody knows.
#[component]
fn Say(beds: Memo<Vec<Bed>>, is_many: Memo<bool>) -> impl IntoView {
    let live = use_live();
    let say = Memo::new(move |_| match live.link.get() {
        Link::Offline(_) => Some((State::Offline, "The node does not answer".to_owned())),
        Link::NotAllowed => Some((
            State::Offline,
            "The node does not know this screen".to_owned(),
        )),
        Link::Connecting | Link::Online => beds.with(|beds| {
            let all = beds.iter();
            let all = all.map(|bed| (name(bed, is_many.get()), condition(live, bed)));
            wall::say(&all.collect::<Vec<_>>())
        }),
    });
    view! {
        <div role="status">
            {move || say.get().map(|(state, words)| view! {
                <p class="wall-say" data-state=state.key() data-testid=testids::WALL_SAY><Icon name=state.key()/>{words}</p>
            })}
        </div>
    }
}

/// No device is at a bed: what to do.
#[component]
fn Empty(ward: Option<String>) -> impl IntoView {
    let what = match ward {
        Some(_) => "No device is at a bed of this ward",
        None => "No device is at a bed yet",
    };
    view! {
        <div class="empty" data-testid=testids::WALL_EMPTY>
            <Icon name="devices"/>
            <h2>{what}</h2>
            <p>"Open a device, and put it at a bed under “Life on the ledger”. Its values then show here, by ward and bed."</p>
            <div class="row"><a class="btn primary" href=Route::Devices.href()>"Show all devices"</a></div>
        </div>
    }
}

/// What the record does, what hatched means, the wards, and the way back.
#[component]
fn Foot(beds: Memo<Vec<Bed>>, wards: Memo<Vec<String>>, is_many: Memo<bool>) -> impl IntoView {
    let live = use_live();
    let record = Memo::new(move |_| match live.is_current() {
        true => live.status.with(|status| status.as_ref().map(wall::foot)),
        false => None,
    });
    let is_hatched = Memo::new(move |_| {
        let is_simulated = |entry: DeviceEntry| entry.facts.with(|facts| facts.simulated);
        beds.with(|beds| {
            beds.iter()
                .flat_map(|bed| entries(live, bed))
                .any(is_simulated)
        })
    });
    view! {
        <footer>
            {move || record.get().map(|says| says.into_iter().map(|(state, word)| view! { <StateMark state=state word=word/> }).collect_view())}
            {move || is_hatched.get().then(|| view! { <StateMark state=State::Simulated word="Hatched: simulated".to_owned()/> })}
            {move || is_many.get().then(|| view! {
                <nav class="row" aria-label="Wards">{wards.get().into_iter().map(|ward| view! {
                    <a href=Route::Wall(Some(ward.clone())).href()>"Ward "<bdi>{ward.clone()}</bdi></a>
                }).collect_view()}</nav>
            })}
            <span class="push dim">"Names and record numbers never appear here"</span>
            <a href=Route::Devices.href() data-testid=testids::WALL_LEAVE>"Devices "<kbd>"Esc"</kbd></a>
        </footer>
    }
}
