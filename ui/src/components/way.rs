//! How far a reading is: four marks that fill from the start, and the word.

use leptos::prelude::*;

use crate::testids;
use crate::words::state::Stage;

/// A reading's way.
#[component]
pub fn Way(
    /// How far it is.
    stage: Stage,
) -> impl IntoView {
    let mark = (stage == Stage::Final).then_some(testids::READING_FINAL);
    view! {
        <span class="way" data-testid=testids::READING_WAY data-stage=stage.word()>
            <i style=format!("--n:{}", stage.marks())></i>
            <span data-testid=mark>{stage.word()}</span>
        </span>
    }
}
