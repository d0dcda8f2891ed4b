//! A list of numbered steps, of which one is taken at a time.

use leptos::prelude::*;

use super::Icon;

/// One step: its number, a check once it is done, and what it asks for.
#[component]
pub fn Step(
    /// Its place, from 1.
    number: u8,
    /// The step that is taken now.
    #[prop(into)]
    at: Signal<u8>,
    /// What it asks for, and what was answered once it is done.
    children: Children,
) -> impl IntoView {
    let done = Memo::new(move |_| at.get() > number);
    view! {
        <li data-state=move || done.get().then_some("ok") aria-current=move || (at.get() == number).then_some("step")>
            <span class="mark">
                {move || if done.get() { view! { <Icon name="check"/> }.into_any() } else { number.into_any() }}
            </span>
            {children()}
        </li>
    }
}
