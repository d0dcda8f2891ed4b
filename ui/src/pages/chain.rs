//! Placeholder until the page itself lands in this file.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn ChainPage() -> impl IntoView {
    view! { <div class="page"><PageHead heading="Chain"/></div> }
}
