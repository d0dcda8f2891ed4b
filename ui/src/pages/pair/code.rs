//! Pairing by the one-time code that is printed on a device: code or key, the code's field, and how far it is.
//!
//! The letters are counted here; whether they are right the node says, as soon as all are there.

use fog_api::{CheckCode, ProvisioningStage};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Wizard, preview};
use crate::components::Segments;
use crate::testids;
use crate::transport;
use crate::words::code::{LETTERS, grouped, letters};

/// The device has a key, and the person knows it.
pub const KEY: &str = "key";
/// The device has only its code.
pub const CODE: &str = "code";

/// Code or key, for a profile that needs one.
#[component]
pub fn Way(wizard: Wizard) -> impl IntoView {
    let options = vec![
        (KEY, "I have a key", None),
        (CODE, "I have a code (printed on the device)", None),
    ];
    Effect::new(move |before: Option<&'static str>| {
        let way = wizard.way.get();
        if before.is_some_and(|before| before != way) {
            wizard.failure.set(None);
            preview::end(wizard);
            preview::start_if_ready(wizard);
        }
        way
    });
    view! {
        <div class="field" hidden=move || !wizard.needs_key()>
            <Segments name="pair-way" legend="How the device is paired" options=options value=wizard.way testid=testids::PAIR_WAY/>
        </div>
    }
}

/// The code, in groups of four letters.
#[component]
pub fn CodeField(wizard: Wizard) -> impl IntoView {
    let typed = move |event: web_sys::Event| {
        let input = event_target::<web_sys::HtmlInputElement>(&event);
        let text = input.value();
        let end = u32::try_from(text.encode_utf16().count()).ok();
        // Hyphens are set while a person writes on, and not under the cursor of one who corrects.
        let is_at_end = input.selection_start().ok().flatten() == end;
        wizard
            .code
            .set(if is_at_end { grouped(&text) } else { text });
        wizard.is_code_right.set(false);
        wizard.failure.set(None);
        check(wizard);
    };
    let count = move || wizard.code.with(|code| letters(code));
    let is_wrong = move || {
        let is_refused = count() == LETTERS && wizard.failure.with(Option::is_some);
        (is_refused || count() > LETTERS).then_some("true")
    };
    let go_on = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if wizard.is_code_right.get_untracked() {
            wizard.failure.set(None);
            wizard.step.set(3);
        }
    };
    let hint = move || match (count(), wizard.is_code_right.get()) {
        (_, true) => "The code is typed right.".to_owned(),
        (count, _) => format!("{count} of {LETTERS} letters. Small letters will do."),
    };
    view! {
        <form class="field" on:submit=go_on>
            <label for="pair-code">"One-time code"</label>
            <div class="row keyrow">
                <input class="input hash" id="pair-code" autocomplete="off" spellcheck="false" placeholder="XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX"
                    aria-invalid=is_wrong aria-describedby="pair-code-hint" data-testid=testids::PAIR_CODE
                    prop:value=wizard.code on:input=typed/>
                <button type="submit" class="btn primary" disabled=move || !wizard.is_code_right.get() data-testid=testids::PAIR_CODE_NEXT>
                    "Go on with this code"
                </button>
            </div>
            <span class="hint" id="pair-code-hint" aria-live="polite">{hint}</span>
            <span class="hint">"The node hands the device a key when you finish. Its values are seen after that; the code is good for once."</span>
        </form>
    }
}

/// Asks the node whether the code is typed right, once all letters are there.
fn check(wizard: Wizard) {
    let code = wizard.code.get_untracked();
    if letters(&code) != LETTERS {
        return;
    }
    spawn_local(async move {
        let asked = CheckCode { code };
        let answer = transport::post::<CheckCode>("/api/codes/check", &asked).await;
        if wizard.code.try_get_untracked().as_ref() != Some(&asked.code) {
            return;
        }
        match answer {
            Ok(_) => wizard.is_code_right.set(true),
            Err(failure) => wizard.failure.set(Some(failure)),
        }
    });
}

/// How far the pairing is, while it goes on.
#[component]
pub fn Progress(wizard: Wizard) -> impl IntoView {
    let words = Memo::new(move |_| {
        let is_going_on = wizard.busy.get() && wizard.is_by_code();
        let path = wizard.path.get();
        let stage = wizard.live.provisioning.with(|newest| {
            let newest = newest.as_ref().filter(|newest| newest.path == path);
            newest.map(|newest| newest.stage)
        });
        is_going_on.then_some(match stage {
            None | Some(ProvisioningStage::Listening) => {
                "1 of 3: listening for the device. Leave it switched on."
            }
            Some(ProvisioningStage::Answered) => {
                "2 of 3: the device was heard and is sent its key."
            }
            Some(ProvisioningStage::Proven) => "3 of 3: the device has proven its key.",
        })
    });
    view! {
        <p class="soft" role="status" data-testid=testids::PAIR_PROGRESS hidden=move || words.get().is_none()>
            {move || words.get()}
        </p>
    }
}
