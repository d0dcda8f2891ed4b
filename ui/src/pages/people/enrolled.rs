//! What a person needs to sign in, shown once: the QR code for the app, and the recovery codes.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Desk;
use crate::components::{FailureNote, Icon, modal};
use crate::failure::Failure;
use crate::session::use_session;
use crate::{session, testids, transport};

/// The dialog; it is there while there is something to show, and Escape does not close it.
#[component]
pub(super) fn Enrolled(desk: Desk) -> impl IntoView {
    let is_first = use_session().is_set_up();
    let open = RwSignal::new(false);
    let (dialog, _) = modal(open, || {});
    let said = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move || open.set(desk.enrolled.with(Option::is_some)));
    let done = move |_| {
        session::hold(false);
        if is_first {
            return session::reload();
        }
        said.set(String::new());
        desk.enrolled.set(None);
        desk.ask();
    };
    let save = move |_| {
        let Some(enrolment) = desk.enrolled.get_untracked() else {
            return;
        };
        failure.set(None);
        spawn_local(async move {
            let name = format!("fogward-recovery-{}.txt", enrolment.person.login);
            let text = enrolment.recovery_codes.join("\n") + "\n";
            match transport::save_file(&name, text.as_bytes()).await {
                Ok(place) => {
                    said.try_set(format!("Saved as {place}."));
                }
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
        });
    };
    let shown = move || {
        let enrolment = desk.enrolled.get()?;
        let image = picture(&enrolment.qr);
        let codes = enrolment.recovery_codes.into_iter();
        Some(view! {
            <div>
                <h2 id="h-enrolled">"For "<bdi>{enrolment.person.name}</bdi>", shown once"</h2>
                <p class="soft">"Scan this with an authenticator app. It shows six digits that are asked for at each sign-in."</p>
                {image.map(|source| view! { <img class="qr" src=source width="184" height="184" alt="The app’s secret as a QR code" data-testid=testids::ENROLMENT_QR/> })}
                <details><summary class="small">"Type it instead"</summary><p class="hash breakable" data-testid=testids::ENROLMENT_ADDRESS>{enrolment.otpauth}</p></details>
                <h3>"Recovery codes"</h3>
                <p class="small soft">"Each opens once in place of the app’s code. Keep them where the phone is not."</p>
                <ul class="codes hash">{codes.map(|code| view! { <li data-testid=testids::RECOVERY_CODE>{code}</li> }).collect_view()}</ul>
                <p class="small dim one-line" role="status">{move || said.get()}</p>
                {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            </div>
        })
    };
    // A browser closes a dialog upon a second Escape whatever the page says; what is shown once comes back.
    let closed = move |_: web_sys::Event| {
        if desk.enrolled.with_untracked(Option::is_some)
            && let Some(dialog) = dialog.get_untracked()
        {
            dialog.show_modal().ok();
        }
    };
    let act = if is_first {
        "I have both; sign in"
    } else {
        "I have both"
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="h-enrolled" on:cancel=|event: web_sys::Event| event.prevent_default() on:close=closed>
            {shown}
            <footer>
                <button type="button" class="btn" autofocus data-testid=testids::RECOVERY_SAVE on:click=save><Icon name="down"/>"Save the codes"</button>
                <button type="button" class="btn primary" data-testid=testids::ENROLMENT_DONE on:click=done>{act}</button>
            </footer>
        </dialog>
    }
}

/// The SVG as an image: what is in an `img` runs no script and loads nothing.
fn picture(svg: &str) -> Option<String> {
    // A drawing of the node is plain ASCII; anything else is not shown.
    let encoded = window().btoa(svg).ok()?;
    Some(format!("data:image/svg+xml;base64,{encoded}"))
}
