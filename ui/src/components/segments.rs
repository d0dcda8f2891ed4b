//! One of a few: radio buttons drawn as segments, so arrow keys work as everywhere.

use leptos::prelude::*;

/// Segments; the chosen one is `value`.
#[component]
pub fn Segments(
    /// Name of the group, unique in the page.
    name: &'static str,
    /// What is chosen, for screen readers.
    legend: &'static str,
    /// Key, label, and what stands dimmed beside it.
    options: Vec<(&'static str, &'static str, Option<Signal<String>>)>,
    /// The chosen key.
    value: RwSignal<&'static str>,
    /// Name for tests; the key stands in `data-key`.
    testid: &'static str,
) -> impl IntoView {
    let segments = options
        .into_iter()
        .map(|(key, label, beside)| {
            view! {
                <label data-testid=testid data-key=key>
                    <input class="vh" type="radio" name=name value=key prop:checked=move || value.get() == key
                        on:change=move |_| value.set(key)/>
                    {label}
                    {beside.map(|beside| view! { " "<span class="dim num">{move || beside.get()}</span> })}
                </label>
            }
        })
        .collect_view();
    view! { <fieldset class="seg"><legend class="vh">{legend}</legend>{segments}</fieldset> }
}
