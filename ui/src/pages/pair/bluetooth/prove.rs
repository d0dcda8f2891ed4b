//! Step 2: prove that it is the one in the hand, in the way the device can.

use fog_api::{AnswerPairing, ApiError, BluetoothPairing, PairingStage};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::passkey::Digits;
use super::{PAIRINGS, Way, line};
use crate::components::{DeviceMark, FailureNote, Icon, Note, Waiting};
use crate::live::use_live;
use crate::route::escape;
use crate::testids;
use crate::transport;
use crate::words::code::progress;
use crate::words::state::State;

impl Way {
    /// Answers what the device asks.
    fn answer(self, answer: AnswerPairing) {
        let id = self
            .pairing
            .with_untracked(|pairing| pairing.as_ref().map(|pairing| pairing.id.clone()));
        let Some(id) = id else { return };
        spawn_local(async move {
            let path = format!("{PAIRINGS}/{}/answer", escape(&id));
            let now = transport::post::<BluetoothPairing>(&path, &answer).await;
            self.note(now);
        });
    }
}

/// The step.
#[component]
pub(super) fn Prove(way: Way) -> impl IntoView {
    let stage = Memo::new(move |_| way.stage());
    let is_asked = way.line.is_asked;
    let at = move || match is_asked.get() {
        true => "line",
        false => stage.with(|stage| key(stage.as_ref())),
    };
    view! {
        <div data-testid=testids::BLE_STAGE data-stage=at aria-live="polite">
            <div class="brief"><h3>"Prove it is the one in your hand"</h3></div>
            {move || match stage.get() {
                _ if is_asked.get() => view! { <line::Form way=way/> }.into_any(),
                None | Some(PairingStage::Connecting) => view! { <Connecting way=way/> }.into_any(),
                Some(PairingStage::ShowPasskey { passkey, entered }) => view! { <Shown passkey=passkey entered=entered/> }.into_any(),
                Some(PairingStage::EnterPasskey) => view! {
                    <p class="soft">"Type the six digits the device shows now. They keep anybody else in the room from pairing in its place."</p>
                    <Digits on_done=move |passkey| way.answer(AnswerPairing::Passkey { passkey })/>
                }.into_any(),
                Some(PairingStage::Compare { passkey }) => view! {
                    <p class="soft">"Does the device show these six digits?"</p>
                    <p class="vital"><b data-testid=testids::BLE_DIGITS>{spaced(&passkey)}</b></p>
                    <Consent way=way yes="They are the same" no="They differ"/>
                }.into_any(),
                Some(PairingStage::Confirm) => view! {
                    <p class="soft">"It can neither show nor take digits, so nobody in between would be noticed. Pair it where only your own devices are on."</p>
                    <Consent way=way yes="Pair with it" no="Do not pair"/>
                }.into_any(),
                Some(PairingStage::Paired { device }) => view! {
                    <p class="soft small">"Paired. It is read from now on."</p>
                    <Read device=device/>
                }.into_any(),
                Some(PairingStage::Failed { error }) => view! { <Failed way=way error=error/> }.into_any(),
            }}
        </div>
    }
}

/// The name of a stage in `data-stage` and in the API.
const fn key(stage: Option<&PairingStage>) -> &'static str {
    match stage {
        None => "asking",
        Some(PairingStage::Connecting) => "connecting",
        Some(PairingStage::ShowPasskey { .. }) => "show_passkey",
        Some(PairingStage::EnterPasskey) => "enter_passkey",
        Some(PairingStage::Compare { .. }) => "compare",
        Some(PairingStage::Confirm) => "confirm",
        Some(PairingStage::Paired { .. }) => "paired",
        Some(PairingStage::Failed { .. }) => "failed",
    }
}

/// How the device is read by now: with a wrong key, nothing it sends is.
#[component]
fn Read(device: String) -> impl IntoView {
    let live = use_live();
    let entry = Memo::new(move |_| {
        live.ids.track();
        live.device(&device)
    });
    move || {
        entry.get().map(|entry| {
            let why = move || entry.link.with(|link| link.reason.clone());
            view! { <div class="row"><DeviceMark entry=entry/><span class="small">{why}</span></div> }
        })
    }
}

#[component]
fn Connecting(way: Way) -> impl IntoView {
    let live = use_live();
    let again = Callback::new(move |()| way.begin(!way.line.is_level0(), false));
    let path = format!("ble:{}", way.address.get_value().to_uppercase());
    let so_far = move || {
        live.provisioning.with(|newest| {
            let newest = newest.as_ref().filter(|newest| newest.path == path);
            progress(newest.map(|newest| newest.stage))
        })
    };
    move || match way.failure.get() {
        Some(failure) => view! { <FailureNote failure=failure retry=again/> }.into_any(),
        None if way.line.is_by_code() => view! {
            <p class="soft" role="status" data-testid=testids::PAIR_PROGRESS>{so_far.clone()}</p>
        }
        .into_any(),
        None => view! { <Waiting what="Connecting to the device. Keep it near and switched on"/> }
            .into_any(),
    }
}

#[component]
fn Shown(passkey: String, entered: u16) -> impl IntoView {
    view! {
        <p class="soft">"Type these six digits on the device. They keep anybody else in the room from pairing in its place."</p>
        <p class="vital"><b data-testid=testids::BLE_DIGITS data-digits=passkey.clone()>{spaced(&passkey)}</b></p>
        <p class="small dim num-text">{entered}" of 6 typed"</p>
    }
}

#[component]
fn Consent(way: Way, yes: &'static str, no: &'static str) -> impl IntoView {
    view! {
        <div class="row">
            <button type="button" class="btn primary" autofocus data-testid=testids::BLE_YES on:click=move |_| way.answer(AnswerPairing::Yes)>{yes}</button>
            <button type="button" class="btn" data-testid=testids::BLE_NO on:click=move |_| way.answer(AnswerPairing::No)>{no}</button>
        </div>
    }
}

#[component]
fn Failed(way: Way, error: ApiError) -> impl IntoView {
    if way.line.is_level0() {
        let change = move |_| way.line.is_asked.set(true);
        return view! {
            <Note state=State::Attention words=error testid=testids::BLE_FAILURE>
                <button type="button" class="btn primary" data-testid=testids::BLE_AGAIN on:click=move |_| way.begin(false, false)><Icon name="refresh"/>"Try again"</button>
                <button type="button" class="btn" data-testid=testids::BLE_LINE on:click=change>"Use another key or code"</button>
                <button type="button" class="btn quiet" on:click=move |_| way.begin(true, false)>"Bond with it first"</button>
            </Note>
        }
        .into_any();
    }
    view! {
        <Note state=State::Attention words=error testid=testids::BLE_FAILURE>
            <button type="button" class="btn primary" data-testid=testids::BLE_AGAIN on:click=move |_| way.begin(true, false)><Icon name="refresh"/>"Try again"</button>
            <button type="button" class="btn" data-testid=testids::BLE_REPAIR on:click=move |_| way.begin(true, true)>"Forget the old bond"</button>
            <button type="button" class="btn quiet" on:click=move |_| way.begin(false, false)>"Use it without a bond"</button>
        </Note>
    }
    .into_any()
}

/// Six digits in two groups, as people read them.
fn spaced(digits: &str) -> String {
    match digits.split_at_checked(3) {
        Some((first, rest)) => format!("{first} {rest}"),
        None => digits.to_owned(),
    }
}
