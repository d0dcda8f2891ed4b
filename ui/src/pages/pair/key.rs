//! Pairing by a key: its field, and what can be said of it before anybody is asked.

use leptos::prelude::*;

use crate::testids;

/// The pairing key of a level-0 device.
#[component]
pub fn KeyField(
    key: RwSignal<String>,
    /// What the button does with it.
    action: &'static str,
    /// Is called with a key that can be one.
    #[prop(into)]
    on_done: Callback<()>,
) -> impl IntoView {
    let is_right = Memo::new(move |_| key.with(|key| is_key(key)));
    let is_wrong = move || (!key.with(String::is_empty) && !is_right.get()).then_some("true");
    let go_on = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if is_right.get_untracked() {
            on_done.run(());
        }
    };
    view! {
        <form class="field" on:submit=go_on>
            <label for="pair-key">"Pairing key"</label>
            <div class="row keyrow">
                <input class="input hash" id="pair-key" autocomplete="off" spellcheck="false" aria-invalid=is_wrong aria-describedby="pair-key-hint"
                    data-testid=testids::PAIR_KEY prop:value=key on:input=move |event| key.set(event_target_value(&event))/>
                <button type="submit" class="btn" disabled=move || !is_right.get() data-testid=testids::PAIR_LISTEN>{action}</button>
            </div>
            <span class="hint" id="pair-key-hint">"The key from the device’s label or its maker’s sheet: 64 hex digits, or hmac or sign and digits. It stays in this node’s vault."</span>
        </form>
    }
}

/// 64 hex digits, or the word `hmac` and 64, or `sign` and 96; spaces between them ignored.
pub fn is_key(text: &str) -> bool {
    let text = tidied(text);
    let (digits, length) = match (text.strip_prefix("hmac"), text.strip_prefix("sign")) {
        (Some(digits), _) => (digits, 64),
        (_, Some(digits)) => (digits, 96),
        _ => (text.as_str(), 64),
    };
    digits.len() == length && digits.chars().all(|digit| digit.is_ascii_hexdigit())
}

/// A key as the node takes it.
pub fn tidied(text: &str) -> String {
    let text: String = text.split_whitespace().collect();
    text.to_lowercase()
}
