//! The question for a code of the app, before what cannot be undone or concerns others.

use fog_api::{SessionView, StepUp as Asked};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, modal};
use crate::failure::Failure;
use crate::{session, testids, transport};

/// The question; it opens by itself when the node asks for a fresh code.
#[component]
pub fn StepUp() -> impl IntoView {
    let open = RwSignal::new(false);
    session::ask_here(open);
    let code = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<Failure>);
    let field = NodeRef::<html::Input>::new();
    let (dialog, closed) = modal(open, move || {
        code.set(String::new());
        failure.set(None);
    });
    // Closed without a code, it has not been shown.
    let closed = move |event: web_sys::Event| {
        closed(event);
        if !open.get_untracked() {
            session::stepped_up(false);
        }
    };
    let show = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        failure.set(None);
        let asked = Asked {
            code: code.get_untracked(),
        };
        spawn_local(async move {
            match transport::post::<SessionView>("/api/session/step-up", &asked).await {
                Ok(_) => {
                    session::stepped_up(true);
                    open.set(false);
                }
                Err(why) => {
                    failure.set(Some(why));
                    code.set(String::new());
                    if let Some(field) = field.get_untracked() {
                        // Only a field that is gone cannot be gone into.
                        field.focus().ok();
                    }
                }
            }
        });
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="h-step-up" on:close=closed>
            <form class="stack" on:submit=show>
                <div><h2 id="h-step-up">"Show a code of your app"</h2>
                    <p class="soft">"What you are about to do cannot be undone or concerns others, so it needs the code that your authenticator app shows now."</p></div>
                <div class="field">
                    <label for="step-up">"Code"</label>
                    <input class="input code" id="step-up" inputmode="numeric" autocomplete="one-time-code" maxlength="24" autofocus
                        node_ref=field data-testid=testids::STEP_UP_CODE prop:value=code on:input=move |event| code.set(event_target_value(&event))/>
                </div>
                {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
                <footer>
                    <button type="button" class="btn" on:click=move |_| open.set(false)>"Leave it"</button>
                    <button type="submit" class="btn primary" data-testid=testids::STEP_UP_CONFIRM disabled=move || code.with(|code| code.trim().is_empty())>"Go on"</button>
                </footer>
            </form>
        </dialog>
    }
}
