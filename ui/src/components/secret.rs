//! A field for what must not be read over a shoulder.

use leptos::prelude::*;

/// A labelled field whose content is not shown.
#[component]
pub fn Secret(
    /// The element's id.
    id: &'static str,
    /// Its label.
    label: &'static str,
    /// What is typed.
    value: RwSignal<String>,
    /// What the browser may offer: `current-password` or `new-password`.
    autocomplete: &'static str,
    /// Name for tests.
    testid: &'static str,
    /// Whether it is where one begins.
    #[prop(optional)]
    first: bool,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input class="input" id=id type="password" autocomplete=autocomplete data-testid=testid autofocus=first prop:value=value
                on:input=move |event| value.set(event_target_value(&event))/>
        </div>
    }
}
