//! *Devices*: what is new, what is failing?

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::bluetooth::look;
use crate::components::{DeviceRow, Icon, PageHead, Segments, Waiting};
use crate::live::{DeviceEntry, use_live};
use crate::pages::inbox::Inbox;
use crate::pages::incoming::Incoming;
use crate::pages::self_test::Adapters;
use crate::route::Route;
use crate::testids;
use crate::words::number::thousands;
use crate::words::{device, node};

/// The page.
#[component]
pub fn DevicesPage() -> impl IntoView {
    let live = use_live();
    live.refetch_ports();
    let nearby = look();
    let count = move |wanted: &'static str| {
        Memo::new(move |_| {
            live.devices()
                .iter()
                .filter(|entry| belongs(wanted, **entry))
                .count() as u64
        })
    };
    let (all, needy, streaming, simulated) = (
        count("all"),
        count("needy"),
        count("streaming"),
        count("simulated"),
    );
    let heading = Signal::derive(move || {
        if live.is_current() {
            device::list_heading(all.get(), streaming.get(), needy.get())
        } else {
            node::NOT_KNOWN.to_owned()
        }
    });
    let sub = Signal::derive(move || device::list_sub(all.get(), streaming.get(), simulated.get()));
    let filter = RwSignal::new("all");
    let words = RwSignal::new(String::new());
    let stage = Memo::new(move |_| live.ids.with(|ids| ids.as_ref().map(Vec::is_empty)));
    let beside = |number: Memo<u64>| Some(Signal::derive(move || thousands(number.get())));
    let options = vec![
        ("all", "All", beside(all)),
        ("needy", "Need you", beside(needy)),
        ("streaming", "Streaming", beside(streaming)),
        ("simulated", "Simulated", beside(simulated)),
    ];
    view! {
        <div class="page">
            <PageHead heading=heading sub=sub>
                <a class="btn" href=Route::Registry.href() data-testid=testids::REGISTRY_OPEN><Icon name="chain"/>"Registry"</a>
                <a class="btn" href=Route::Wall(None).href() data-testid=testids::WALL_OPEN><Icon name="overview"/>"Ward wall"</a>
                <a class="btn primary" href=Route::Pair(None).href() data-testid=testids::PAIR_OPEN><Icon name="plus"/>"Pair a device"</a>
            </PageHead>
            <Incoming/>
            <Inbox nearby=nearby/>
            <section class="card" aria-labelledby="h-paired">
                <div class="card-head">
                    <h2 id="h-paired">"Paired devices"</h2><span class="count">{move || thousands(all.get())}</span>
                    <div class="push row" role="search" aria-label="Paired devices">
                        <Segments name="filter" legend="Show" options=options value=filter testid=testids::DEVICE_FILTER/>
                        <Search words=words/>
                    </div>
                </div>
                {move || match stage.get() {
                    None => view! { <Waiting what="Asking the node for its devices"/> }.into_any(),
                    Some(true) => view! { <Nothing/> }.into_any(),
                    Some(false) => view! { <Table filter=filter words=words/> }.into_any(),
                }}
            </section>
            <Adapters nearby=nearby/>
        </div>
    }
}

fn belongs(filter: &str, entry: DeviceEntry) -> bool {
    let state = entry.link.with(|link| link.state);
    match filter {
        "needy" => entry.needs_somebody().is_some(),
        "streaming" => state == fog_api::DeviceState::Streaming,
        "simulated" => entry.facts.with(|facts| facts.simulated),
        _ => true,
    }
}

/// Filter by words; `/` brings the focus here.
#[component]
fn Search(words: RwSignal<String>) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let slash = window_event_listener(leptos::ev::keydown, move |event| {
        let typing = event.target().is_some_and(|target| {
            target
                .dyn_ref::<web_sys::HtmlElement>()
                .is_some_and(|element| {
                    matches!(element.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA")
                })
        });
        if event.key() == "/" && !typing && !event.ctrl_key() {
            event.prevent_default();
            if let Some(input) = input.get_untracked() {
                // An input that is on the page takes the focus.
                input.focus().ok();
            }
        }
    });
    on_cleanup(move || slash.remove());
    view! {
        <label class="vh" for="device-words">"Filter by name, profile or port"</label>
        <input class="input filter" id="device-words" type="search" placeholder="Name, profile or port" node_ref=input
            data-testid=testids::DEVICE_SEARCH prop:value=words on:input=move |event| words.set(event_target_value(&event))
            on:keydown=move |event| if event.key() == "Escape" { words.set(String::new()); }/>
    }
}

#[component]
fn Table(filter: RwSignal<&'static str>, words: RwSignal<String>) -> impl IntoView {
    let live = use_live();
    let shown = Memo::new(move |_| {
        let (filter, words) = (filter.get(), words.get());
        let keep = |entry: &DeviceEntry| {
            belongs(filter, *entry) && entry.facts.with(|facts| device::matches(facts, &words))
        };
        live.devices()
            .into_iter()
            .filter(keep)
            .map(|entry| entry.facts.with(|facts| facts.id.clone()))
            .collect::<Vec<_>>()
    });
    let profile = move |entry: DeviceEntry| {
        Signal::derive(move || live.profile_label(&entry.facts.with(|facts| facts.profile.clone())))
    };
    view! {
        <div class="scroll" tabindex="0" role="group" aria-labelledby="h-paired">
            <table class="tbl tall devices" on:keydown=move_in_rows>
                <thead><tr>
                    <th scope="col">"Device"</th>
                    <th scope="col" class="w-state">"State"</th>
                    <th scope="col" data-p="3">"Port"</th>
                    <th scope="col" class="num w-value" data-p="1">"Newest values"</th>
                    <th scope="col" class="num w-num">"Heard"</th>
                    <th scope="col" class="num w-num" data-p="2">"Refused"</th>
                    <th scope="col" class="num w-count" data-p="2">"Final"</th>
                </tr></thead>
                <tbody>
                    <For each=move || shown.get() key=Clone::clone let:id>
                        {live.device(&id).map(|entry| view! { <DeviceRow entry=entry profile=profile(entry)/> })}
                    </For>
                </tbody>
            </table>
        </div>
        <div class="empty" role="status" hidden=move || shown.with(|shown| !shown.is_empty())>
            <Icon name="search"/>
            <p>"No device fits this filter."</p>
            <div class="row">
                <button type="button" class="btn" on:click=move |_| { filter.set("all"); words.set(String::new()); }>"Show all devices"</button>
            </div>
        </div>
    }
}

/// Arrow keys go from device to device.
fn move_in_rows(event: web_sys::KeyboardEvent) {
    let step = match event.key().as_str() {
        "ArrowDown" => 1_i32,
        "ArrowUp" => -1,
        _ => return,
    };
    let row = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .and_then(|at| at.closest("tr").ok().flatten());
    let Some(row) = row else { return };
    let next = if step > 0 {
        row.next_element_sibling()
    } else {
        row.previous_element_sibling()
    };
    let link = next.and_then(|next| next.query_selector("a").ok().flatten());
    if let Some(link) = link.and_then(|link| link.dyn_into::<web_sys::HtmlElement>().ok()) {
        event.prevent_default();
        // A link that is on the page takes the focus.
        link.focus().ok();
    }
}

#[component]
fn Nothing() -> impl IntoView {
    view! {
        <div class="empty">
            <Icon name="devices"/>
            <h3>"No device is paired yet"</h3>
            <p>"Switch a Bluetooth sensor on, or plug a serial one in, and pair it. Or start a simulated ward from the overview; it is marked as simulated everywhere."</p>
            <div class="row">
                <a class="btn primary" href=Route::Pair(None).href()><Icon name="plus"/>"Pair a device"</a>
                <a class="btn" href=Route::Overview.href()>"Go to the overview"</a>
            </div>
        </div>
    }
}
