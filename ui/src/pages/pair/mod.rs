//! *Pair*: add a serial sensor in three steps. Nothing is recorded before the last.
//!
//! 1. Choose the port, listed live or typed. 2. Choose what the device speaks, and see its values; a device
//!    that has only its one-time code is heard first when it is paired. 3. Name it and confirm. A failure stands
//!    between the step and its button: what, why, what next.

mod bluetooth;
mod code;
mod key;
mod name;
mod port;
mod preview;
mod profile;

pub use bluetooth::PairBluetoothPage;

use fog_api::ApiError;
use leptos::prelude::*;

use crate::components::{Icon, Note, PageHead, Step};
use crate::failure::Failure;
use crate::live::{Live, use_live};
use crate::route::Route;
use crate::testids;
use crate::words::state::State;
use code::CodeEntry;

/// What is chosen so far.
#[derive(Clone, Copy)]
struct Wizard {
    live: Live,
    /// 1, 2 or 3.
    step: RwSignal<u8>,
    path: RwSignal<String>,
    profile: RwSignal<String>,
    /// Whether a device that needs a key is paired by its [`code::KEY`] or by its [`code::CODE`].
    way: RwSignal<&'static str>,
    key: RwSignal<String>,
    /// The one-time code.
    code: CodeEntry,
    name: RwSignal<String>,
    failure: RwSignal<Option<Failure>>,
    /// Id of the running preview.
    preview: RwSignal<Option<String>>,
    /// Counts previews asked for, so that a late answer to an old question is dropped.
    asked: StoredValue<u32>,
    /// A request is under way.
    busy: RwSignal<bool>,
}

impl Wizard {
    fn new(live: Live, path: Option<String>) -> Self {
        let failure = RwSignal::new(None);
        Self {
            live,
            step: RwSignal::new(if path.is_some() { 2 } else { 1 }),
            path: RwSignal::new(path.unwrap_or_default()),
            profile: RwSignal::new(String::new()),
            way: RwSignal::new(code::KEY),
            key: RwSignal::new(String::new()),
            code: CodeEntry::new(failure),
            name: RwSignal::new(String::new()),
            failure,
            preview: RwSignal::new(None),
            asked: StoredValue::new(0),
            busy: RwSignal::new(false),
        }
    }

    /// Whether the chosen profile needs a key.
    fn needs_key(self) -> bool {
        self.live.profiles.with(|profiles| {
            self.profile.with(|name| {
                profiles
                    .iter()
                    .any(|profile| profile.name == *name && profile.needs_key)
            })
        })
    }

    /// Whether the device is paired by its one-time code.
    fn is_by_code(self) -> bool {
        self.needs_key() && self.way.get() == code::CODE
    }

    fn code_for_request(self) -> Option<String> {
        untrack(|| self.is_by_code()).then(|| self.code.text.get_untracked())
    }

    fn key_for_request(self) -> Option<String> {
        let needs = untrack(|| self.needs_key() && !self.is_by_code());
        needs.then(|| self.key.with_untracked(|text| key::tidied(text)))
    }
}

/// The page.
#[component]
pub fn PairPage(
    /// A port that was already chosen.
    path: Option<String>,
) -> impl IntoView {
    let live = use_live();
    live.refetch_ports();
    let wizard = Wizard::new(live, path);
    on_cleanup(move || preview::end(wizard));
    view! {
        <div class="page">
            <PageHead heading="Pair a serial sensor" sub="Three steps, most take under a minute. Nothing is recorded until you finish.">
                <a class="btn" href=Route::Devices.href() data-testid=testids::PAIR_CANCEL>"Cancel"</a>
            </PageHead>
            <div class="cols" data-cols="main-side">
                <section class="card" aria-labelledby="h-steps">
                    <h2 class="vh" id="h-steps">"Steps"</h2>
                    <div class="card-body full">
                        <ol class="steps">
                            <Step number=1 at=wizard.step><port::PortStep wizard=wizard/></Step>
                            <Step number=2 at=wizard.step><profile::ProfileStep wizard=wizard/></Step>
                            <Step number=3 at=wizard.step><name::NameStep wizard=wizard/></Step>
                        </ol>
                    </div>
                </section>
                <div class="stack">
                    <profile::ThisDevice wizard=wizard/>
                    <WhenYouFinish/>
                </div>
            </div>
        </div>
    }
}

/// The failure of a step, in its place.
#[component]
fn StepFailure(wizard: Wizard, number: u8) -> impl IntoView {
    let words = Memo::new(move |_| {
        let here = wizard.step.get() == number;
        wizard
            .failure
            .with(|failure| failure.as_ref().filter(|_| here).map(Failure::words))
    });
    move || {
        words.get().map(|words: ApiError| {
            view! { <Note state=State::Attention words=words testid=testids::PAIR_FAILURE/> }
        })
    }
}

#[component]
fn WhenYouFinish() -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="h-after">
            <div class="card-head"><h2 id="h-after">"When you finish"</h2></div>
            <div class="card-body">
                <ul class="plain">
                    <li><Icon name="key"/><span>"Each of its streams gets a key of its own; readings are sealed under it in the vault."</span></li>
                    <li><Icon name="chain"/><span>"The ledger records that a device joined, not whose."</span></li>
                    <li><Icon name="refresh"/><span>"It reconnects by itself, also after it was unplugged."</span></li>
                </ul>
            </div>
        </section>
    }
}
