//! First frame.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn DevicePage(
    /// The node's id of the device.
    id: String,
) -> impl IntoView {
    view! { <div class="page"><PageHead heading=id/></div> }
}
