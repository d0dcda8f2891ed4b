//! Six digits, a field each: the focus goes on by itself, a pasted number fills all.

use leptos::html;
use leptos::prelude::*;

use crate::components::Icon;
use crate::testids;

const DIGITS: usize = 6;

/// The form.
#[component]
pub(super) fn Digits(
    /// Is told all six.
    #[prop(into)]
    on_done: Callback<String>,
) -> impl IntoView {
    let digits = RwSignal::new([const { None::<char> }; DIGITS]);
    let fields: [NodeRef<html::Input>; DIGITS] = std::array::from_fn(|_| NodeRef::new());
    let all = move || digits.with(|digits| digits.iter().copied().collect::<Option<String>>());
    let focus = move |at: usize| {
        if let Some(field) = fields.get(at).and_then(NodeRef::get_untracked) {
            // A field that is on the page takes the focus.
            field.focus().ok();
            field.select();
        }
    };
    Effect::new(move || focus(0));
    let typed = move |at: usize, text: String| {
        let mut place = at;
        for digit in text.chars().filter(char::is_ascii_digit) {
            digits.update(|digits| {
                if let Some(digit_at) = digits.get_mut(place) {
                    *digit_at = Some(digit);
                }
            });
            place += 1;
        }
        if place == at {
            digits.update(|digits| {
                if let Some(digit_at) = digits.get_mut(at) {
                    *digit_at = None;
                }
            });
        }
        focus(place.min(DIGITS - 1));
    };
    let back = move |at: usize, event: web_sys::KeyboardEvent| {
        let is_empty = digits.with_untracked(|digits| digits.get(at).copied().flatten().is_none());
        if event.key() == "Backspace" && is_empty && at > 0 {
            event.prevent_default();
            focus(at - 1);
        }
    };
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if let Some(passkey) = untrack(all) {
            on_done.run(passkey);
        }
    };
    let clear = move |_| {
        digits.set([None; DIGITS]);
        focus(0);
    };
    view! {
        <form class="stack" on:submit=send>
            <fieldset class="passkey"><legend class="vh">"Six digits shown on the device"</legend>
                {fields.into_iter().enumerate().map(|(at, field)| view! {
                    <input class="input" node_ref=field inputmode="numeric" maxlength="6" autocomplete="off"
                        aria-label=format!("Digit {} of {DIGITS}", at + 1) data-testid=testids::BLE_DIGIT
                        prop:value=move || digits.with(|digits| digits.get(at).copied().flatten().map(String::from).unwrap_or_default())
                        on:input=move |event| typed(at, event_target_value(&event))
                        on:keydown=move |event| back(at, event)/>
                }).collect_view()}
            </fieldset>
            <div class="row">
                <button type="submit" class="btn primary" disabled=move || all().is_none() data-testid=testids::BLE_YES>"Confirm the number"</button>
                <button type="button" class="btn quiet" on:click=clear><Icon name="refresh"/>"Start over"</button>
            </div>
        </form>
    }
}
