//! A device that offers a line is first asked for what proves a level-0 device: its key, or its one-time code.
//! One that has standard profiles, too, may be paired by these instead.

use fog_api::StartBluetoothPairing;
use leptos::prelude::*;

use super::Way;
use crate::components::{FailureNote, Segments};
use crate::failure::Failure;
use crate::pages::pair::code::{CODE, CodeEntry, CodeField, KEY};
use crate::pages::pair::key::{KeyField, tidied};
use crate::testids;

/// The device's standard profiles are read.
const STANDARD: &str = "standard";
/// What becomes of the code.
const BY_CODE: &str = "The node hands the device a key over Bluetooth. The code is good for once.";

/// What is known of the device beforehand.
#[derive(Clone, Copy)]
pub(super) struct Line {
    /// Whether it is asked for now.
    pub is_asked: RwSignal<bool>,
    way: RwSignal<&'static str>,
    key: RwSignal<String>,
    code: CodeEntry,
    /// What is wrong with the code.
    failure: RwSignal<Option<Failure>>,
}

impl Line {
    /// Nothing is known; the standard profiles are read.
    pub(super) fn new() -> Self {
        let failure = RwSignal::new(None);
        Self {
            is_asked: RwSignal::new(false),
            way: RwSignal::new(STANDARD),
            key: RwSignal::new(String::new()),
            code: CodeEntry::new(failure),
            failure,
        }
    }

    /// Asks for it, and first for what is likely.
    pub(super) fn ask(self, has_profiles: bool) {
        self.way.set(if has_profiles { STANDARD } else { KEY });
        self.is_asked.set(true);
    }

    /// Whether it is paired as a level-0 device.
    pub(super) fn is_level0(self) -> bool {
        self.way.get_untracked() != STANDARD
    }

    /// Whether it is paired by its one-time code.
    pub(super) fn is_by_code(self) -> bool {
        self.way.get_untracked() == CODE
    }

    /// Puts what is known into a request.
    pub(super) fn fill(self, asked: &mut StartBluetoothPairing) {
        match self.way.get_untracked() {
            KEY => asked.key = Some(self.key.with_untracked(|text| tidied(text))),
            CODE => asked.code = Some(self.code.text.get_untracked()),
            _ => {}
        }
    }
}

/// The form.
#[component]
pub(super) fn Form(way: Way) -> impl IntoView {
    let line = way.line;
    let measures = way
        .device
        .with_untracked(|device| device.as_ref().is_some_and(|device| device.measures));
    let mut options = vec![
        (KEY, "I have its key", None),
        (CODE, "I have its code", None),
    ];
    if measures {
        options.insert(0, (STANDARD, "It has standard profiles", None));
    }
    let begin = move |()| {
        line.is_asked.set(false);
        way.begin(!line.is_level0(), false);
    };
    // A person at the keyboard goes on from here; arrows choose among the ways.
    request_animation_frame(|| focus("input[name=ble-way]:checked"));
    Effect::new(move || {
        line.way.track();
        line.failure.set(None);
    });
    view! {
        <div class="stack">
            <p class="soft">"It offers a line, as a level-0 device does. Its key, or the code that is printed on it, proves that every frame is its own."</p>
            <div class="field">
                <Segments name="ble-way" legend="How the device is paired" options=options value=line.way testid=testids::PAIR_WAY/>
            </div>
            {move || match line.way.get() {
                KEY => view! { <KeyField key=line.key action="Pair with this key" on_done=begin/> }.into_any(),
                CODE => view! { <CodeField entry=line.code action="Pair with this code" says=BY_CODE on_done=begin/> }.into_any(),
                _ => view! {
                    <div class="row"><button type="button" class="btn primary" data-testid=testids::BLE_STANDARD on:click=move |_| begin(())>"Pair by its standard profiles"</button></div>
                }.into_any(),
            }}
            {move || line.failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
        </div>
    }
}

/// Puts the focus on the first element that a selector picks.
fn focus(selector: &str) {
    use wasm_bindgen::JsCast as _;
    let found = document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()) {
        // An element that is on the page takes the focus.
        element.focus().ok();
    }
}
