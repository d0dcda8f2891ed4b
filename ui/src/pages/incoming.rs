//! What was handed to this node and waits to be taken, on the page *Devices*.

use fog_api::{Device, LedgerDevice, TakeDevice};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, Hash, Icon};
use crate::failure::Failure;
use crate::live::use_live;
use crate::route::{Route, escape};
use crate::testids;
use crate::watched::{self, Watched};
use crate::words::ledger;

/// The card; nothing while nothing waits.
#[component]
pub fn Incoming() -> impl IntoView {
    let incoming = watched::incoming();
    let handles = Memo::new(move |_| {
        incoming.read(|devices| {
            let all = devices.iter().map(|device| device.handle.clone());
            all.collect::<Vec<_>>()
        })
    });
    let is_any = Memo::new(move |_| handles.with(|handles| !handles.is_empty()));
    move || {
        is_any.get().then(|| {
            view! {
                <section class="card" aria-labelledby="h-incoming" data-testid=testids::INCOMING>
                    <div class="card-head">
                        <h2 id="h-incoming">"Handed to this node"</h2><span class="count">{move || handles.with(Vec::len)}</span>
                        <p role="status">{move || ledger::incoming(handles.with(Vec::len))}</p>
                    </div>
                    <ul class="inbox">
                        <For each=move || handles.get() key=Clone::clone let:handle>
                            <Handed incoming=incoming handle=handle/>
                        </For>
                    </ul>
                </section>
            }
        })
    }
}

#[component]
fn Handed(incoming: Watched<Vec<LedgerDevice>>, handle: String) -> impl IntoView {
    let live = use_live();
    let (port, is_busy) = (RwSignal::new(String::new()), RwSignal::new(false));
    let failure = RwSignal::new(None::<Failure>);
    let device = {
        let handle = handle.clone();
        Memo::new(move |_| {
            incoming.read(|all| all.iter().find(|device| device.handle == handle).cloned())
        })
    };
    let say = move |words: fn(&LedgerDevice) -> String| {
        move || device.with(|device| device.as_ref().map(words))
    };
    let path = format!("/api/handovers/{}", escape(&handle));
    let take = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        failure.set(None);
        let port = port.get_untracked().trim().to_owned();
        let asked = TakeDevice {
            path: Some(port).filter(|port| !port.is_empty()),
        };
        let path = path.clone();
        spawn_local(async move {
            let taken = crate::transport::post::<Device>(&path, &asked).await;
            // The page may be gone by now.
            is_busy.try_set(false);
            match taken {
                Ok(device) => {
                    live.refetch_devices().await;
                    // The address of this page is always writable.
                    location().set_hash(&Route::Device(device.id).href()).ok();
                }
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
        });
    };
    let (id, hint) = (format!("port-{handle}"), format!("port-{handle}-hint"));
    view! {
        <li class="found handed" data-testid=testids::INCOMING_DEVICE data-handle=handle.clone()>
            <div class="found-icon"><Icon name="devices"/></div>
            <div>
                <h3>"Device "<Hash text=handle.clone()/></h3>
                <p class="dim">{say(ledger::from)}</p>
                <p class="dim">{say(|device| match device.assigned {
                    true => "It is assigned; whose it is comes with it.".to_owned(),
                    false => "It is nobody’s yet.".to_owned(),
                })}</p>
            </div>
            <form class="handed-form" on:submit=take>
                <div class="field">
                    <label for=id.clone()>"Its port here"</label>
                    <input class="input" id=id.clone() autocomplete="off" spellcheck="false" placeholder="as at the other node"
                        aria-describedby=hint.clone() data-testid=testids::INCOMING_PORT
                        prop:value=port on:input=move |event| port.set(event_target_value(&event))/>
                    <p class="hint" id=hint.clone()>"For a serial sensor that is on another port here, such as /dev/ttyUSB0. A Bluetooth sensor needs none."</p>
                </div>
                <button type="submit" class="btn primary" disabled=is_busy data-testid=testids::INCOMING_TAKE>
                    {move || if is_busy.get() { "Getting its pairing…" } else { "Take it" }}
                </button>
            </form>
            {move || failure.get().map(|failure| view! { <div class="handed-note"><FailureNote failure=failure/></div> })}
        </li>
    }
}
