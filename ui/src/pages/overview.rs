//! First frame.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    view! { <div class="page"><PageHead heading="overview"/></div> }
}
