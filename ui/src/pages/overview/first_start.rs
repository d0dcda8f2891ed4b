//! The first start: nothing is paired yet. And the end of a simulation.

use fog_api::{Device, StartDemo};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{Ask, FailureNote, Icon, PageHead};
use crate::failure::Failure;
use crate::live::use_live;
use crate::route::Route;
use crate::testids;

/// Devices of a simulated ward.
const WARD: u16 = 6;

/// Nothing is paired: pair something, or look around first.
#[component]
pub fn FirstStart() -> impl IntoView {
    let live = use_live();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let explore = move |_| {
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let asked = StartDemo {
                devices: WARD,
                every_profile: false,
            };
            match crate::transport::post::<Vec<Device>>("/api/demo", &asked).await {
                Ok(_) => live.refetch_devices().await,
                Err(why) => {
                    // The page may be gone by now.
                    failure.try_set(Some(why));
                }
            }
            busy.try_set(false);
        });
    };
    view! {
        <PageHead heading="No device is paired yet" sub="This node is ready: it seals and anchors what its devices say, with no account and no network."/>
        <section class="card" data-testid=testids::FIRST_START>
            <div class="empty">
                <Icon name="devices"/>
                <h2>"Bring the first sensor"</h2>
                <p>
                    "Connect a pulse oximeter to a serial port of this machine and pair it. Or look around first with six simulated beds: everything works as with real ones, and is marked as simulated everywhere."
                </p>
                <div class="row">
                    <a class="btn primary" href=Route::Pair(None).href() data-testid=testids::START_PAIR><Icon name="plus"/>"Pair a device"</a>
                    <button type="button" class="btn" disabled=move || busy.get() data-testid=testids::START_DEMO on:click=explore>
                        <Icon name="simulated"/>{move || if busy.get() { "Starting the simulation…" } else { "Explore with a simulated ward" }}
                    </button>
                </div>
            </div>
            {move || failure.get().map(|failure| view! { <div class="card-body"><FailureNote failure=failure/></div> })}
        </section>
    }
}

/// Ends the simulation, where there is one.
#[component]
pub fn EndDemo() -> impl IntoView {
    let live = use_live();
    let simulated = Memo::new(move |_| {
        live.status
            .with(|status| status.as_ref().map_or(0, |status| status.simulated))
    });
    let asking = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let end = move |()| {
        failure.set(None);
        spawn_local(async move {
            match crate::transport::delete("/api/demo").await {
                Ok(()) => live.refetch_devices().await,
                Err(why) => {
                    // The page may be gone by now.
                    failure.try_set(Some(why));
                }
            }
        });
    };
    view! {
        <section class="card" aria-labelledby="h-demo" hidden=move || simulated.get() == 0>
            <div class="card-head"><h2 id="h-demo">"Simulated ward"</h2></div>
            <div class="card-body stack">
                <p class="small soft">"Its devices speak through the same drivers, vault and ledger as real ones."</p>
                <div class="row">
                    <button type="button" class="btn" data-testid=testids::STOP_DEMO on:click=move |_| asking.set(true)>"End the simulation"</button>
                </div>
                {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            </div>
            <Ask open=asking question="End the simulation?"
                explains="The simulated devices leave. What they recorded stays in the ledger, marked as simulated."
                keep="Keep it" act="End the simulation" on_act=end testids=(testids::STOP_DEMO_KEEP, testids::STOP_DEMO_CONFIRM)/>
        </section>
    }
}
