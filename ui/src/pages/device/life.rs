//! What becomes of the device: whose it is and whether its data count, on the ledger; at which bed it is, on
//! this node alone; and the ways to change it.

use fog_api::{Capability, ChangeDevice, Device, DeviceStanding, Patient};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::hand_over::ToWhom;
use super::place::Where;
use crate::components::{Ask, FailureNote, Icon, PatientPick, modal};
use crate::consortium::use_consortium;
use crate::failure::Failure;
use crate::live::{DeviceEntry, use_live};
use crate::patients::use_patients;
use crate::route::{Route, escape};
use crate::session::use_session;
use crate::testids;
use crate::words::device;
use crate::words::number::thousands;

/// Sends changes of one device, one at a time.
#[derive(Clone, Copy)]
struct Changes {
    entry: DeviceEntry,
    is_busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
}

impl Changes {
    /// Asks for a change and shows what came of it.
    fn send(self, change: ChangeDevice) {
        if self.is_busy.get_untracked() {
            return;
        }
        let live = use_live();
        let id = self.entry.facts.with_untracked(|facts| facts.id.clone());
        let path = format!("/api/devices/{}/changes", escape(&id));
        let retires = change == ChangeDevice::Retire;
        self.is_busy.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let done = crate::transport::post::<Device>(&path, &change).await;
            // The page may be gone by now.
            self.is_busy.try_set(false);
            match done {
                Ok(_) if retires => {
                    // The address of this page is always writable.
                    location().set_hash(&Route::Devices.href()).ok();
                    live.refetch_devices().await;
                }
                Ok(device) => {
                    self.entry.facts.try_set(device);
                }
                Err(why) => {
                    self.failure.try_set(Some(why));
                }
            }
        });
    }
}

/// The card.
#[component]
pub fn LifeCard(entry: DeviceEntry) -> impl IntoView {
    let changes = Changes {
        entry,
        is_busy: RwSignal::new(false),
        failure: RwSignal::new(None),
    };
    let is_busy = changes.is_busy;
    let standing = Memo::new(move |_| entry.facts.with(|facts| facts.standing));
    let assigned = Memo::new(move |_| entry.facts.with(|facts| facts.assigned_to.clone()));
    let (patients, session) = (use_patients(), use_session());
    let may_assign = session.may(Capability::Assign);
    let asks_retire = RwSignal::new(false);
    let asks_whose = RwSignal::new(false);
    let asks_where = RwSignal::new(false);
    let hands_over = RwSignal::new(false);
    let is_alone = use_consortium().part(|view| view.nodes.iter().all(|node| node.here));
    let place = Memo::new(move |_| entry.facts.with(|facts| facts.place.clone()));
    let question =
        Signal::derive(move || format!("Retire {}?", entry.facts.with(|facts| facts.name.clone())));
    let is_suspended = move || standing.get() == DeviceStanding::Suspended;
    let toggle = move |_| {
        changes.send(match is_suspended() {
            true => ChangeDevice::Resume,
            false => ChangeDevice::Suspend,
        });
    };
    let changed = move || {
        let height = entry.facts.with(|facts| facts.changed_height)?;
        Some(
            view! { " Changed in block "<a href=Route::Block(height).href()>{thousands(height)}</a>"." },
        )
    };
    view! {
        <section class="card" aria-labelledby="h-life">
            <div class="card-head"><h2 id="h-life">"Life on the ledger"</h2></div>
            <div class="card-body stack">
                <p data-testid=testids::DEVICE_STANDING data-standing=move || format!("{:?}", standing.get()) aria-live="polite">
                    {move || device::standing(standing.get())}{changed}
                </p>
                <dl class="kv"><dt>"Worn by"</dt><dd data-testid=testids::DEVICE_ASSIGNED>{move || match assigned.get() {
                    Some(id) => {
                        let to = Route::Patient(id.clone()).href();
                        view! { <a href=to><bdi>{move || patients.called(&id)}</bdi></a> }.into_any()
                    }
                    None => view! { <span class="dim">"nobody yet"</span> }.into_any(),
                }}</dd>
                <dt>"Bed"</dt><dd data-testid=testids::DEVICE_PLACED>{move || match place.get() {
                    Some(place) => view! { <bdi>{device::place(&place)}</bdi> }.into_any(),
                    None => view! { <span class="dim">"at none"</span> }.into_any(),
                }}</dd></dl>
                <p class="small dim">"Whose it is stays on this node, sealed; the ledger gets a commitment that names nobody. The bed stays on this node too, and is shown on the ward’s wall."</p>
                {move || changes.failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            </div>
            <p class="card-body small dim" hidden=move || !is_alone.get()>"It can be handed over once another node is in the consortium."</p>
            <div class="card-foot row">
                <button type="button" class="btn" disabled=is_busy hidden=!may_assign data-testid=testids::DEVICE_ASSIGN on:click=move |_| asks_whose.set(true)>
                    <Icon name="user"/>{move || if assigned.get().is_some() { "Reassign" } else { "Assign" }}
                </button>
                <button type="button" class="btn" disabled=is_busy data-testid=testids::DEVICE_PLACE on:click=move |_| asks_where.set(true)>
                    {move || if place.get().is_some() { "Another bed" } else { "Put at a bed" }}
                </button>
                <button type="button" class="btn" disabled=is_busy data-testid=testids::DEVICE_SUSPEND on:click=toggle>
                    {move || if is_suspended() { "Resume" } else { "Suspend" }}
                </button>
                <button type="button" class="btn" disabled=move || is_busy.get() || is_alone.get() data-testid=testids::HAND_OVER on:click=move |_| hands_over.set(true)>"Hand over"</button>
                <button type="button" class="btn quiet" disabled=is_busy data-testid=testids::DEVICE_RETIRE on:click=move |_| asks_retire.set(true)>"Retire"</button>
            </div>
        </section>
        <Ask open=asks_retire question=question
            explains="Its readings will not count any more, on any node, and it is unpaired. This cannot be undone; what was recorded stays, and every proof stays valid."
            keep="Keep it" act="Retire" on_act=move |()| changes.send(ChangeDevice::Retire)
            testids=(testids::DEVICE_RETIRE_KEEP, testids::DEVICE_RETIRE_CONFIRM)/>
        <Whose open=asks_whose assigned=assigned changes=changes/>
        <ToWhom open=hands_over entry=entry is_busy=is_busy failure=changes.failure/>
        <Where open=asks_where entry=entry place=place failure=changes.failure/>
    }
}

/// Asks whose the device is.
#[component]
fn Whose(open: RwSignal<bool>, assigned: Memo<Option<String>>, changes: Changes) -> impl IntoView {
    let chosen = RwSignal::new(None);
    let (dialog, closed) = modal(open, || {});
    let is_empty = move || chosen.with(Option::is_none);
    let send = move |change| {
        open.set(false);
        changes.send(change);
    };
    let assign = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if let Some(Patient { id: patient, .. }) = chosen.get_untracked() {
            send(ChangeDevice::Assign { patient });
        }
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="h-whose" on:close=closed>
            <form class="stack" on:submit=assign>
                <div><h2 id="h-whose">"Who wears it?"</h2>
                    <p class="soft">"Readings from now on are this patient’s. Earlier ones stay with whom they were."</p></div>
                <PatientPick chosen=chosen id="life-subject" testid=testids::DEVICE_SUBJECT afresh=open
                    hint="Somebody who is known here, or somebody new. Who it is stays on this node."/>
                <footer>
                    <button type="button" class="btn" on:click=move |_| open.set(false)>"Leave it as it is"</button>
                    {move || assigned.get().map(|_| view! {
                        <button type="button" class="btn" data-testid=testids::DEVICE_UNASSIGN on:click=move |_| send(ChangeDevice::Unassign)>"Nobody wears it"</button>
                    })}
                    <button type="submit" class="btn primary" data-testid=testids::DEVICE_ASSIGN_CONFIRM disabled=is_empty>"Assign"</button>
                </footer>
            </form>
        </dialog>
    }
}
