//! First frame.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn PairPage(
    /// A port that was already chosen.
    path: Option<String>,
) -> impl IntoView {
    view! { <div class="page"><PageHead heading=path.unwrap_or_default()/></div> }
}
