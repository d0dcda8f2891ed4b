//! Placeholder until the page itself lands in this file.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page of all proofs.
#[component]
pub fn ProofsPage() -> impl IntoView {
    view! { <div class="page"><PageHead heading="Proofs"/></div> }
}

/// The proof of one reading.
#[component]
pub fn ProofPage(
    /// The reading's id.
    reading: String,
) -> impl IntoView {
    view! { <div class="page"><PageHead heading=reading/></div> }
}
