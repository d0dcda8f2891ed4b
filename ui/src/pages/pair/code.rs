//! Pairing by the one-time code that is printed on a device: code or key, the code's field, and how far it is.
//!
//! The letters are counted here; whether they are right the node says, as soon as all are there.

use fog_api::CheckCode;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Wizard, preview};
use crate::components::Segments;
use crate::failure::Failure;
use crate::testids;
use crate::transport;
use crate::words::code::{LETTERS, grouped, letters, progress};

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

/// A one-time code as it is typed.
#[derive(Clone, Copy)]
pub struct CodeEntry {
    /// The text.
    pub text: RwSignal<String>,
    /// Whether the node has found it typed right.
    pub is_right: RwSignal<bool>,
    /// Where it is shown what is wrong with it.
    failure: RwSignal<Option<Failure>>,
}

impl CodeEntry {
    /// Nothing is typed yet.
    pub fn new(failure: RwSignal<Option<Failure>>) -> Self {
        Self {
            text: RwSignal::new(String::new()),
            is_right: RwSignal::new(false),
            failure,
        }
    }

    /// Asks the node whether the code is typed right, once all letters are there.
    fn check(self) {
        let code = self.text.get_untracked();
        if letters(&code) != LETTERS {
            return;
        }
        spawn_local(async move {
            let asked = CheckCode { code };
            let answer = transport::post::<CheckCode>("/api/codes/check", &asked).await;
            if self.text.try_get_untracked().as_ref() != Some(&asked.code) {
                return;
            }
            match answer {
                Ok(_) => self.is_right.set(true),
                Err(failure) => self.failure.set(Some(failure)),
            }
        });
    }
}

/// The code, in groups of four letters.
#[component]
pub fn CodeField(
    entry: CodeEntry,
    /// What the button does with it.
    action: &'static str,
    /// What becomes of the code then.
    says: &'static str,
    /// Is called with a code that is typed right.
    #[prop(into)]
    on_done: Callback<()>,
) -> impl IntoView {
    let typed = move |event: web_sys::Event| {
        let input = event_target::<web_sys::HtmlInputElement>(&event);
        let text = input.value();
        let end = u32::try_from(text.encode_utf16().count()).ok();
        // Hyphens are set while a person writes on, and not under the cursor of one who corrects.
        let is_at_end = input.selection_start().ok().flatten() == end;
        entry
            .text
            .set(if is_at_end { grouped(&text) } else { text });
        entry.is_right.set(false);
        entry.failure.set(None);
        entry.check();
    };
    let count = move || entry.text.with(|code| letters(code));
    let is_wrong = move || {
        let is_refused = count() == LETTERS && entry.failure.with(Option::is_some);
        (is_refused || count() > LETTERS).then_some("true")
    };
    let go_on = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if entry.is_right.get_untracked() {
            on_done.run(());
        }
    };
    let hint = move || match (count(), entry.is_right.get()) {
        (_, true) => "The code is typed right.".to_owned(),
        (count, _) => format!("{count} of {LETTERS} letters. Small letters will do."),
    };
    view! {
        <form class="field" on:submit=go_on>
            <label for="pair-code">"One-time code"</label>
            <div class="row keyrow">
                <input class="input hash" id="pair-code" autocomplete="off" spellcheck="false" placeholder="XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX"
                    aria-invalid=is_wrong aria-describedby="pair-code-hint" data-testid=testids::PAIR_CODE
                    prop:value=entry.text on:input=typed/>
                <button type="submit" class="btn primary" disabled=move || !entry.is_right.get() data-testid=testids::PAIR_CODE_NEXT>{action}</button>
            </div>
            <span class="hint" id="pair-code-hint" aria-live="polite">{hint}</span>
            <span class="hint">{says}</span>
        </form>
    }
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
        is_going_on.then(|| progress(stage))
    });
    view! {
        <p class="soft" role="status" data-testid=testids::PAIR_PROGRESS hidden=move || words.get().is_none()>
            {move || words.get()}
        </p>
    }
}
