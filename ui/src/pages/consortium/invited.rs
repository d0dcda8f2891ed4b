//! A fresh invitation: its text to be copied or saved, and as a QR code. It is shown once, here.

use fog_api::consortium::InvitationMade;
use js_sys::{Promise, Reflect};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::components::{FailureNote, Icon, offset_minutes};
use crate::failure::Failure;
use crate::live::use_live;
use crate::testids;
use crate::transport;
use crate::words::votes::until;

/// The invitation with its ways out.
#[component]
pub fn Invited(
    /// The invitation.
    invitation: InvitationMade,
    /// Where it is kept; *Done* empties it.
    made: RwSignal<Option<InvitationMade>>,
) -> impl IntoView {
    let live = use_live();
    let text = StoredValue::new(invitation.text.clone());
    let area = NodeRef::<html::Textarea>::new();
    let said = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<Failure>);
    let copy = move |_| {
        spawn_local(async move {
            let copied = copy_text(&text.get_value()).await.is_ok();
            if let (false, Some(area)) = (copied, area.try_get_untracked().flatten()) {
                area.select();
            }
            let words = if copied {
                "Copied."
            } else {
                "This window may not copy by itself: the text is selected, press Ctrl C."
            };
            said.try_set(words.to_owned());
        });
    };
    let name = format!(
        "fogward-invitation-{}.txt",
        invitation.id.chars().take(8).collect::<String>()
    );
    let save = move |_| {
        let name = name.clone();
        failure.set(None);
        spawn_local(async move {
            match transport::save_file(&name, text.get_value().as_bytes()).await {
                Ok(place) => {
                    said.try_set(format!("Saved as {place}."));
                }
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
        });
    };
    let expires = i64::try_from(invitation.expires).unwrap_or(i64::MAX);
    let valid = move || until(expires, live.now.get(), offset_minutes(expires));
    let image = picture(&invitation.qr).map(|source| {
        view! { <img class="qr" src=source width="184" height="184" alt="The invitation as a QR code" data-testid=testids::INVITATION_QR/> }
    });
    view! {
        <div class="invited" data-testid=testids::INVITATION>
            <h3>"One invitation, valid "{valid}</h3>
            {image}
            <div class="field">
                <label for="invitation-text">"Its text"</label>
                <textarea class="input hash" id="invitation-text" readonly spellcheck="false" rows="4" node_ref=area
                    data-testid=testids::INVITATION_TEXT prop:value=invitation.text></textarea>
                <span class="hint">"Who holds it may knock here, once. Give it to the one person it is for; it is not shown again."</span>
            </div>
            <div class="row">
                <button type="button" class="btn primary" data-testid=testids::INVITATION_COPY on:click=copy><Icon name="copy"/>"Copy the text"</button>
                <button type="button" class="btn" data-testid=testids::INVITATION_SAVE on:click=save><Icon name="down"/>"Save as a file"</button>
                <button type="button" class="btn quiet" on:click=move |_| made.set(None)>"Done"</button>
            </div>
            <p class="small dim one-line" role="status">{move || said.get()}</p>
            {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
        </div>
    }
}

/// The SVG as an image: what is in an `img` runs no script and loads nothing.
fn picture(svg: &str) -> Option<String> {
    // A drawing of the node is plain ASCII; anything else is not shown.
    let encoded = window().btoa(svg).ok()?;
    Some(format!("data:image/svg+xml;base64,{encoded}"))
}

/// Puts the text on the clipboard, where the window may.
async fn copy_text(text: &str) -> Result<(), JsValue> {
    let navigator = Reflect::get(&window(), &"navigator".into())?;
    // Absent where the console is not served over a trusted connection.
    let clipboard = Reflect::get(&navigator, &"clipboard".into())?;
    let write: js_sys::Function = Reflect::get(&clipboard, &"writeText".into())?.dyn_into()?;
    let promise: Promise = write.call1(&clipboard, &text.into())?.dyn_into()?;
    JsFuture::from(promise).await.map(drop)
}
