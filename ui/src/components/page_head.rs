//! A page's head: the sentence that answers its first question, then why.

use leptos::prelude::*;

use crate::testids;

/// Heading, explanation and actions; also names the browser's tab.
#[component]
pub fn PageHead(
    /// The answer.
    #[prop(into)]
    heading: Signal<String>,
    /// Why, in one or two sentences.
    #[prop(into, optional)]
    sub: Option<Signal<String>>,
    /// Buttons and links at the end.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    Effect::new(move || document().set_title(&format!("{} · Fogward", heading.get())));
    view! {
        <div class="page-head">
            <div>
                <h1 data-testid=testids::PAGE_HEADING>{move || heading.get()}</h1>
                {sub.map(|sub| view! { <p>{move || sub.get()}</p> })}
            </div>
            <div class="row">{children.map(|children| children())}</div>
        </div>
    }
}
