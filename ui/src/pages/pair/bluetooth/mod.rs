//! *Pair a Bluetooth device*: it is chosen, proven to be the one in the hand, and somebody wears it.
//!
//! The pairing begins once the device is heard, or after a moment, unless it offers a line: then its key or code
//! is asked for first. What the device asks is asked here, and a failure stands between the step and its buttons.
//! Leaving the page cancels a pairing that has not ended.

mod line;
mod passkey;
mod prove;
mod wears;

use fog_api::{BluetoothPairing, FoundDevice, PairingStage, StartBluetoothPairing};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::WhenYouFinish;
use crate::bluetooth::look;
use crate::components::{IsItMine, PageHead, Step};
use crate::failure::Failure;
use crate::live::after;
use crate::route::{Route, escape};
use crate::testids;
use crate::transport;
use crate::words::bluetooth;

/// Time between two looks at where the pairing stands.
const LOOK_MILLIS: u64 = 300;
/// A device that is not heard for so long is tried all the same.
const HEARD_WITHIN_MILLIS: u64 = 3_000;
const PAIRINGS: &str = "/api/bluetooth/pairings";

/// The pairing of one device.
#[derive(Clone, Copy)]
struct Way {
    address: StoredValue<String>,
    /// The device as it was last heard.
    device: RwSignal<Option<FoundDevice>>,
    /// The newest pairing; none before the first answer.
    pairing: RwSignal<Option<BluetoothPairing>>,
    /// Why the node could not be asked.
    failure: RwSignal<Option<Failure>>,
    /// What proves a level-0 device.
    line: line::Line,
}

impl Way {
    /// Begins, or asks for what must be known first.
    fn open(self) {
        let offered = self.device.with_untracked(|device| {
            let device = device.as_ref().filter(|device| device.has_line)?;
            Some(device.measures)
        });
        match offered {
            Some(measures) => self.line.ask(measures),
            None => self.begin(true, false),
        }
    }

    fn stage(self) -> Option<PairingStage> {
        self.pairing
            .with(|pairing| pairing.as_ref().map(|pairing| pairing.stage.clone()))
    }

    /// The device's id here, once it is paired.
    fn paired(self) -> Option<String> {
        match self.stage()? {
            PairingStage::Paired { device } => Some(device),
            _ => None,
        }
    }

    /// Begins, or begins anew.
    fn begin(self, bond: bool, repair: bool) {
        self.pairing.set(None);
        self.failure.set(None);
        let mut asked = StartBluetoothPairing {
            address: self.address.get_value(),
            name: self
                .device
                .with_untracked(|device| device.as_ref().map(bluetooth::title)),
            bond,
            repair,
            key: None,
            code: None,
        };
        self.line.fill(&mut asked);
        spawn_local(async move {
            let begun = transport::post::<BluetoothPairing>(PAIRINGS, &asked).await;
            self.note(begun);
            self.follow();
        });
    }

    /// Looks where it stands until it has ended, or the page is gone.
    fn follow(self) {
        let Some(Some(pairing)) = self.pairing.try_get_untracked() else {
            return;
        };
        if pairing.stage.is_end() {
            return;
        }
        after(LOOK_MILLIS, move || {
            spawn_local(async move {
                let path = format!("{PAIRINGS}/{}", escape(&pairing.id));
                let now = transport::get::<BluetoothPairing>(&path).await;
                self.note(now);
                self.follow();
            });
        });
    }

    fn note(self, answer: Result<BluetoothPairing, Failure>) {
        // The page may be gone by now.
        match answer {
            Ok(pairing) => {
                if self
                    .pairing
                    .try_get_untracked()
                    .is_some_and(|now| now.as_ref() != Some(&pairing))
                {
                    self.pairing.try_set(Some(pairing));
                }
            }
            Err(failure) => {
                self.failure.try_set(Some(failure));
            }
        }
    }

    /// Cancels what has not ended.
    fn leave(self) {
        let pairing = self.pairing.try_get_untracked().flatten();
        if let Some(pairing) = pairing.filter(|pairing| !pairing.stage.is_end()) {
            spawn_local(async move {
                let path = format!("{PAIRINGS}/{}", escape(&pairing.id));
                // It ends by itself when nobody answers it.
                transport::delete(&path).await.ok();
            });
        }
    }
}

/// The page.
#[component]
pub fn PairBluetoothPage(
    /// The device's address.
    address: String,
) -> impl IntoView {
    let nearby = look();
    let way = Way {
        address: StoredValue::new(address.clone()),
        device: RwSignal::new(None),
        pairing: RwSignal::new(None),
        failure: RwSignal::new(None),
        line: line::Line::new(),
    };
    let is_open = StoredValue::new(false);
    // The page may be gone by now.
    let open = move || {
        if is_open.try_update_value(|is_open| std::mem::replace(is_open, true)) == Some(false) {
            way.open();
        }
    };
    Effect::new(move || {
        let found = nearby.view.with(|view| {
            let mut all = view.iter().flat_map(|view| &view.found);
            all.find(|device| device.address == address).cloned()
        });
        if found.is_some() {
            way.device.set(found);
            open();
        }
    });
    after(HEARD_WITHIN_MILLIS, open);
    on_cleanup(move || way.leave());
    let at = Memo::new(move |_| if way.paired().is_some() { 3_u8 } else { 2 });
    let heading = Signal::derive(move || {
        let name = way
            .device
            .with(|device| device.as_ref().map(bluetooth::title));
        format!("Pair {}", name.unwrap_or_else(|| way.address.get_value()))
    });
    let sub =
        "Three steps, most take under a minute. Nothing is recorded until the second is done.";
    view! {
        <div class="page">
            <PageHead heading=heading sub=Signal::stored(sub.to_owned())>
                <a class="btn" href=Route::Devices.href() data-testid=testids::PAIR_CANCEL>"Cancel"</a>
            </PageHead>
            <div class="cols" data-cols="main-side">
                <section class="card" aria-labelledby="h-steps">
                    <h2 class="vh" id="h-steps">"Steps"</h2>
                    <div class="card-body full">
                        <ol class="steps">
                            <Step number=1 at=at><Chosen way=way/></Step>
                            <Step number=2 at=at><prove::Prove way=way/></Step>
                            <Step number=3 at=at><wears::Wears way=way/></Step>
                        </ol>
                    </div>
                </section>
                <div class="stack"><ThisDevice way=way/><WhenYouFinish/></div>
            </div>
        </div>
    }
}

#[component]
fn Chosen(way: Way) -> impl IntoView {
    let says = move || {
        way.device.with(|device| match device {
            None => "It was not heard for a while. Switch it on and hold it near.".to_owned(),
            Some(device) => format!(
                "{}. {}: {}.",
                bluetooth::signal(device.signal_dbm),
                if device.measures {
                    "Measures"
                } else {
                    "Offers"
                },
                bluetooth::services(device)
            ),
        })
    };
    view! {
        <div>
            <div class="brief"><h3>"Choose the device"</h3><span class="push"><a href=Route::Devices.href()>"Change"</a></span></div>
            <p class="soft small num-text">{says}</p>
        </div>
    }
}

#[component]
fn ThisDevice(way: Way) -> impl IntoView {
    let fact = move |read: fn(&FoundDevice) -> String| {
        move || {
            way.device
                .with(|device| device.as_ref().map_or_else(|| "–".to_owned(), read))
        }
    };
    // While it is being connected to, a second connection would be in the way.
    let can_show_itself = Memo::new(move |_| {
        let is_connecting = matches!(way.stage(), None | Some(PairingStage::Connecting));
        let can = |device: &FoundDevice| device.can_show_itself;
        !is_connecting && way.device.with(|device| device.as_ref().is_some_and(can))
    });
    view! {
        <section class="card" aria-labelledby="h-dev">
            <div class="card-head"><h2 id="h-dev">"This device"</h2></div>
            <div class="card-body"><dl class="kv">
                <dt>"Name"</dt><dd><bdi>{fact(bluetooth::title)}</bdi></dd>
                <dt>"Profiles"</dt><dd>{fact(bluetooth::services)}</dd>
                <dt>"Address"</dt><dd><span class="hash">{way.address.get_value()}</span></dd>
                <dt>"Signal"</dt><dd class="num-text">{fact(|device| device.signal_dbm.map_or_else(|| "–".to_owned(), bluetooth::strength))}</dd>
            </dl></div>
            {move || can_show_itself.get().then(|| view! {
                <div class="card-foot row"><IsItMine at=way.address.get_value()/></div>
            })}
        </section>
    }
}
