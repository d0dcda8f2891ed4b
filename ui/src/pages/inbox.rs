//! The inbox of the page *Devices*: what is nearby by Bluetooth, and serial ports that nobody uses yet.

use fog_api::FoundDevice;
use leptos::prelude::*;

use crate::bluetooth::Nearby;
use crate::components::{Icon, IsItMine, StateMark};
use crate::live::use_live;
use crate::route::Route;
use crate::testids;
use crate::words::bluetooth;
use crate::words::number::{count, thousands};

/// The card.
#[component]
pub fn Inbox(nearby: Nearby) -> impl IntoView {
    let live = use_live();
    let ports = Memo::new(move |_| {
        live.ports.with(|ports| {
            let free = ports.iter().flatten().filter(|port| port.used_by.is_none());
            free.map(|port| (port.path.clone(), port.label.clone()))
                .collect::<Vec<_>>()
        })
    });
    let found = Memo::new(move |_| {
        nearby.view.with(|view| {
            let all = view.iter().flat_map(|view| &view.found);
            let known = |device: &&FoundDevice| device.measures || device.has_line;
            let new = all.filter(|device| known(device) && device.paired_as.is_none());
            new.map(|device| device.address.clone()).collect::<Vec<_>>()
        })
    });
    let waiting = move || thousands((found.with(Vec::len) + ports.with(Vec::len)) as u64);
    let pause = move |_| nearby.is_paused.update(|is| *is = !*is);
    view! {
        <section class="card" aria-labelledby="h-inbox" data-testid=testids::INBOX>
            <div class="card-head">
                <h2 id="h-inbox">"Discovered nearby"</h2><span class="count">{waiting}</span>
                <p>{move || listening(nearby, ports.with(Vec::len))}</p>
                <div class="push"><button type="button" class="btn quiet" on:click=pause>
                    {move || if nearby.is_paused.get() { "Scan again" } else { "Pause scanning" }}
                </button></div>
            </div>
            <ul class="inbox" hidden=move || found.with(Vec::is_empty) && ports.with(Vec::is_empty)>
                <For each=move || found.get() key=Clone::clone let:address>
                    <Found nearby=nearby address=address/>
                </For>
                <For each=move || ports.get() key=Clone::clone let:port>
                    <li class="found">
                        <div class="found-icon"><Icon name="serial"/></div>
                        <div><h3><bdi>{port.0.clone()}</bdi></h3><p class="dim">{port.1.clone()}</p></div>
                        <div class="found-act">
                            <a class="btn" href=Route::Pair(Some(port.0.clone())).href()>"Pair"<span class="vh">" the device on "{port.0.clone()}</span></a>
                        </div>
                    </li>
                </For>
            </ul>
            <div class="card-body" hidden=move || !(found.with(Vec::is_empty) && ports.with(Vec::is_empty))>
                <p class="soft">"A sensor that is switched on or plugged in appears here by itself."</p>
            </div>
        </section>
    }
}

/// What the node listens on, or why it cannot.
fn listening(nearby: Nearby, ports: usize) -> String {
    let ports = match ports {
        0 => String::new(),
        some => format!(
            " and on {}",
            count(some as u64, "serial port", "serial ports")
        ),
    };
    if nearby.is_paused.get() {
        return "Not listening for now".to_owned();
    }
    nearby.view.with(|view| match view {
        None => "Asking the node".to_owned(),
        Some(view) => match &view.trouble {
            None => format!("Listening on Bluetooth{ports}"),
            Some(trouble) => format!("{} {}", trouble.what, trouble.next),
        },
    })
}

#[component]
fn Found(nearby: Nearby, address: String) -> impl IntoView {
    let href = Route::PairBluetooth(address.clone()).href();
    let at = StoredValue::new(address.clone());
    let device = Memo::new(move |_| {
        nearby.view.with(|view| {
            let mut all = view.iter().flat_map(|view| &view.found);
            all.find(|device| device.address == address).cloned()
        })
    });
    // Others may be able to, too; that is seen once connected, and strangers are not connected to.
    let can_show_itself = Memo::new(move |_| {
        device.with(|device| device.as_ref().is_some_and(|device| device.can_show_itself))
    });
    let say = move |words: fn(&FoundDevice) -> String| {
        move || device.with(|device| device.as_ref().map(words))
    };
    view! {
        <li class="found" data-testid=testids::INBOX_FOUND data-address=say(|device| device.address.clone())>
            <div class="found-icon"><Icon name="ble"/></div>
            <div>
                <h3><bdi>{say(bluetooth::title)}</bdi></h3>
                <p>{say(bluetooth::services)}</p>
                <p class="dim num-text">{say(|device| bluetooth::signal(device.signal_dbm))}</p>
            </div>
            <div class="found-act">
                {move || {
                    let (state, word) = device.with(|device| bluetooth::known(device.as_ref()));
                    view! { <StateMark state=state word=word.to_owned()/> }
                }}
                {move || can_show_itself.get().then(|| view! { <IsItMine at=at.get_value()/> })}
                <a class="btn primary" href=href data-testid=testids::INBOX_PAIR>"Pair"<span class="vh">" "{say(bluetooth::title)}</span></a>
            </div>
        </li>
    }
}
