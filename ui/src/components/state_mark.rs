//! A state: shape, word, colour.

use leptos::prelude::*;

use super::Icon;
use crate::words::state::State;

/// A state with its word; `chip` where it must be seen from afar.
#[component]
pub fn StateMark(
    /// The state.
    #[prop(into)]
    state: Signal<State>,
    /// Its word.
    #[prop(into)]
    word: Signal<String>,
    /// Drawn as a chip.
    #[prop(into, optional)]
    chip: Signal<bool>,
    /// The word is for screen readers only.
    #[prop(optional)]
    bare: bool,
    /// Name for tests.
    #[prop(optional)]
    testid: Option<&'static str>,
) -> impl IntoView {
    let icon = Signal::derive(move || state.get().key());
    view! {
        <span class="state" class:chip=move || chip.get() data-state=move || state.get().key() data-testid=testid>
            <Icon name=icon/>
            <span class:vh=bare>{move || word.get()}</span>
        </span>
    }
}
