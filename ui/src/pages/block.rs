//! Placeholder until the page itself lands in this file.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn BlockPage(
    /// What it is about.
    height: u64,
) -> impl IntoView {
    view! { <div class="page"><PageHead heading=height.to_string()/></div> }
}
