//! First frame.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn DevicesPage() -> impl IntoView {
    view! { <div class="page"><PageHead heading="devices"/></div> }
}
