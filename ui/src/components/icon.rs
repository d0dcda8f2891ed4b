//! An icon of the sprite in `index.html`, drawn in the text's colour.

use leptos::prelude::*;

/// One symbol; hidden from screen readers, because a word always stands beside it.
#[component]
pub fn Icon(
    /// The symbol's name without `i-`.
    #[prop(into)]
    name: Signal<&'static str>,
    /// Mirrors with the writing direction.
    #[prop(optional)]
    flip: bool,
) -> impl IntoView {
    view! {
        <svg class=if flip { "icon flip" } else { "icon" } aria-hidden="true">
            <use href=move || format!("#i-{}", name.get())></use>
        </svg>
    }
}
