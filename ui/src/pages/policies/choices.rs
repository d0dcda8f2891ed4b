//! Fields that choose: one of a few, and some of a few. Each says its label, and works by keyboard as the browser's own.

use leptos::prelude::*;

/// A key, what it says, and what stands small beside it.
pub(in crate::pages) type Choice = (String, String, &'static str);

/// One of a few.
#[component]
pub(in crate::pages) fn OneOf(
    id: &'static str,
    label: &'static str,
    choices: Vec<(String, String)>,
    /// The chosen key.
    #[prop(into)]
    chosen: Signal<String>,
    #[prop(into)] on_choose: Callback<String>,
    testid: &'static str,
    #[prop(into, optional)] disabled: Signal<bool>,
) -> impl IntoView {
    let options = choices
        .into_iter()
        .map(|(key, label)| {
            let own = key.clone();
            let is_chosen = move || chosen.with(|chosen| *chosen == own);
            view! { <option value=key prop:selected=is_chosen>{label}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select class="input" id=id data-testid=testid disabled=disabled
                on:change=move |event| on_choose.run(event_target_value(&event))>{options}</select>
        </div>
    }
}

/// Some of a few, each with a box.
#[component]
pub(in crate::pages) fn SomeOf(
    choices: Vec<Choice>,
    /// Whether a key is chosen.
    #[prop(into)]
    chosen: Callback<String, bool>,
    /// Told a key, and whether it is chosen from now on.
    #[prop(into)]
    on_tick: Callback<(String, bool)>,
    testid: &'static str,
) -> impl IntoView {
    let boxes = choices
        .into_iter()
        .map(|(key, label, beside)| {
            let (shown, told) = (key.clone(), key.clone());
            let beside = (!beside.is_empty()).then(|| view! { <small class="dim">{beside}</small> });
            view! {
                <label class="check">
                    <input type="checkbox" data-testid=testid data-key=key prop:checked=move || chosen.run(shown.clone())
                        on:change=move |event| on_tick.run((told.clone(), event_target_checked(&event)))/>
                    <span>{label}{beside}</span>
                </label>
            }
        })
        .collect_view();
    view! { <div class="boxes">{boxes}</div> }
}
