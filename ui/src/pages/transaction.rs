//! Placeholder until the page itself lands in this file.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn TransactionPage(
    /// What it is about.
    id: String,
) -> impl IntoView {
    view! { <div class="page"><PageHead heading=id.to_string()/></div> }
}
