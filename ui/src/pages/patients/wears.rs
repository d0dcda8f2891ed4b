//! What a patient wears now, with its live values; another device for her, and off with one.

use fog_api::{Capability, ChangeDevice, Device, Patient, WornDevice};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::worn_by;
use crate::components::{
    DeviceMark, FailureNote, Icon, VitalTile, local_clock_minutes, local_date,
};
use crate::failure::Failure;
use crate::live::{DeviceEntry, Live, use_live};
use crate::route::{Route, escape};
use crate::session::use_session;
use crate::testids;
use crate::transport;
use crate::words::{device, patients};

/// Says whose devices are, one at a time.
#[derive(Clone, Copy)]
struct Assigning {
    live: Live,
    is_busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
}

impl Assigning {
    fn send(self, device: &str, change: ChangeDevice) {
        if self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        self.failure.set(None);
        let path = format!("/api/devices/{}/changes", escape(device));
        spawn_local(async move {
            let done = transport::post::<Device>(&path, &change).await;
            match done {
                Ok(device) => {
                    if let Some(entry) = self.live.device(&device.id) {
                        entry.facts.set(device);
                    }
                }
                // The page may be gone by now.
                Err(why) => {
                    self.failure.try_set(Some(why));
                }
            }
            self.is_busy.try_set(false);
        });
    }
}

/// The card.
#[component]
pub(super) fn Wears(
    patient: Signal<Option<Patient>>,
    worn: Signal<Vec<WornDevice>>,
) -> impl IntoView {
    let live = use_live();
    let assigning = Assigning {
        live,
        is_busy: RwSignal::new(false),
        failure: RwSignal::new(None),
    };
    let id = Memo::new(move |_| {
        patient
            .with(|patient| patient.as_ref().map(|patient| patient.id.clone()))
            .unwrap_or_default()
    });
    let ids = Memo::new(move |_| {
        let devices = id.with(|id| worn_by(live, id)).into_iter();
        devices
            .map(|entry| entry.facts.with(|facts| facts.id.clone()))
            .collect::<Vec<_>>()
    });
    let may_assign = use_session().may(Capability::Assign);
    view! {
        <section class="card" aria-labelledby="h-wears">
            <div class="card-head"><h2 id="h-wears">"Wears now"</h2></div>
            <For each=move || ids.get() key=Clone::clone let:device>
                {live.device(&device).map(|entry| view! { <Worn entry=entry worn=worn assigning=assigning may_assign=may_assign/> })}
            </For>
            <p class="card-body soft" hidden=move || ids.with(|ids| !ids.is_empty())>"No device. What is measured now is not this patient’s."</p>
            {move || assigning.failure.get().map(|failure| view! { <div class="card-body full"><FailureNote failure=failure/></div> })}
            {may_assign.then(|| view! { <Give id=id assigning=assigning/> })}
        </section>
    }
}

/// One device with its values.
#[component]
fn Worn(
    entry: DeviceEntry,
    worn: Signal<Vec<WornDevice>>,
    assigning: Assigning,
    may_assign: bool,
) -> impl IntoView {
    let live = use_live();
    let device = entry.facts.with_untracked(|facts| facts.id.clone());
    let now = Signal::derive(move || entry.is_now(live));
    let codes = Memo::new(move |_| {
        entry.vitals.with(|vitals| {
            vitals
                .iter()
                .map(|vital| vital.code.clone())
                .collect::<Vec<_>>()
        })
    });
    let of = StoredValue::new(device.clone());
    let since = move || {
        worn.with(|worn| {
            let is_it =
                |worn: &&WornDevice| of.with_value(|id| worn.device == *id) && worn.until.is_none();
            worn.iter().find(is_it).map(|worn| {
                format!(
                    "since {}, {}",
                    local_clock_minutes(worn.since),
                    local_date(worn.since)
                )
            })
        })
    };
    let tile = move |code: String| {
        let wanted = code.clone();
        let vital = Signal::derive(move || {
            entry
                .vitals
                .with(|vitals| vitals.iter().find(|vital| vital.code == wanted).cloned())
        });
        let below = Signal::derive(move || {
            vital.with(|vital| device::below(vital.as_ref().map(|vital| vital.quality), None, ""))
        });
        view! { <VitalTile code=code vital=vital now=now below=below/> }
    };
    let off = move |_| of.with_value(|id| assigning.send(id, ChangeDevice::Unassign));
    let to = Route::Device(device.clone()).href();
    view! {
        <div data-testid=testids::PATIENT_WEARS data-device=device>
            <div class="card-body row">
                <h3><a href=to><bdi>{move || entry.facts.with(|facts| facts.name.clone())}</bdi></a></h3>
                <DeviceMark entry=entry/>
                <span class="dim small">{since}</span>
                <button type="button" class="btn quiet push" hidden=!may_assign disabled=assigning.is_busy data-testid=testids::PATIENT_UNASSIGN on:click=off>"Take it off"</button>
            </div>
            <div class="vitals"><For each=move || codes.get() key=Clone::clone let:code>{tile(code)}</For></div>
        </div>
    }
}

/// Another device for her, of those that nobody wears.
#[component]
fn Give(id: Memo<String>, assigning: Assigning) -> impl IntoView {
    let live = use_live();
    let chosen = RwSignal::new(String::new());
    let free = Memo::new(move |_| {
        let devices = live.devices().into_iter().map(|entry| entry.facts.get());
        let free = devices.filter(patients::is_free);
        free.map(|device| (device.id, device.name))
            .collect::<Vec<_>>()
    });
    // Somebody else may have taken it meanwhile.
    let wanted = Memo::new(move |_| {
        let chosen = chosen.get();
        free.with(|free| {
            free.iter()
                .find(|(id, _)| *id == chosen)
                .map(|(id, _)| id.clone())
        })
    });
    let give = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if let Some(device) = wanted.get_untracked() {
            let patient = id.get_untracked();
            assigning.send(&device, ChangeDevice::Assign { patient });
            chosen.set(String::new());
        }
    };
    view! {
        <form class="card-foot row" on:submit=give>
            <label class="vh" for="give-device">"Device that nobody wears"</label>
            <select class="input filter" id="give-device" data-testid=testids::PATIENT_DEVICE prop:value=chosen
                on:change=move |event| chosen.set(event_target_value(&event))>
                <option value="">"Choose a free device"</option>
                <For each=move || free.get() key=Clone::clone let:device><option value=device.0>{device.1}</option></For>
            </select>
            <button type="submit" class="btn primary" disabled=move || assigning.is_busy.get() || wanted.with(Option::is_none)
                data-testid=testids::PATIENT_ASSIGN><Icon name="plus"/>"Assign"</button>
            <span class="dim small" hidden=move || free.with(|free| !free.is_empty())>"Every device is worn by somebody, or does not count now."</span>
        </form>
    }
}
