//! *Is it mine?*: lets a Bluetooth device blink or beep, and says why where it cannot.

use fog_api::{Identified, Identify};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::FailureNote;
use crate::failure::Failure;
use crate::testids;
use crate::transport;

/// The button, and what came of it.
#[component]
pub fn IsItMine(
    /// The device's address, or its id here.
    at: String,
) -> impl IntoView {
    let is_shown = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let ask = move |_| {
        if is_shown.get_untracked() {
            return;
        }
        let asked = Identify { at: at.clone() };
        is_shown.set(true);
        failure.set(None);
        spawn_local(async move {
            let done = transport::post::<Identified>("/api/identify", &asked).await;
            // The page may be gone by now.
            is_shown.try_set(false);
            if let Err(why) = done {
                failure.try_set(Some(why));
            }
        });
    };
    view! {
        <button type="button" class="btn" disabled=is_shown data-testid=testids::IDENTIFY on:click=ask>
            {move || if is_shown.get() { "Look which one blinks or beeps" } else { "Is it mine?" }}
        </button>
        {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
    }
}
