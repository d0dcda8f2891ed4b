//! Step 1 of joining: the invitation's text, pasted, or its file, chosen or dropped.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, Event, File, FileList, HtmlInputElement};

use super::join::{Draft, Trouble};
use crate::components::Icon;
use crate::testids;

/// Longest file that is read, in bytes; an invitation is far shorter.
const MAX_FILE_BYTES: f64 = 16_384.0;

/// The step.
#[component]
pub fn Paper(
    /// What is known so far.
    draft: Draft,
    /// Which step it is.
    step: Memo<u8>,
) -> impl IntoView {
    let again = move |_| {
        draft.view.set(None);
        draft.progress.set(None);
        draft.failure.set(None);
    };
    view! {
        <div>
            <div class="brief">
                <h3>"Give the invitation"</h3>
                <span class="push" hidden=move || step.get() != 2>
                    <button type="button" class="btn quiet" on:click=again>"Take another"</button>
                </span>
            </div>
            {move || if step.get() == 1 {
                view! { <Form draft=draft/> }.into_any()
            } else {
                view! { <p class="soft small">"Read."</p> }.into_any()
            }}
        </div>
    }
}

#[component]
fn Form(draft: Draft) -> impl IntoView {
    let over = RwSignal::new(false);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !draft.busy.get_untracked() {
            draft.read();
        }
    };
    let chosen = move |event: Event| {
        let input: HtmlInputElement = event_target(&event);
        take(draft, input.files());
        // The same file may be chosen again.
        input.set_value("");
    };
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        take(draft, event.data_transfer().and_then(|data| data.files()));
    };
    let empty = Memo::new(move |_| draft.text.with(|text| text.trim().is_empty()));
    view! {
        <form class="stack tight" on:submit=submit>
            <div class="field">
                <label for="join-text">"Its text"</label>
                <textarea class="input hash" id="join-text" rows="4" spellcheck="false" autocomplete="off" data-testid=testids::JOIN_TEXT
                    placeholder="fogward-invitation-1:…" prop:value=draft.text
                    on:input=move |event| draft.text.set(event_target_value(&event))></textarea>
            </div>
            <label class="dropzone" class:over=move || over.get()
                on:dragover=move |event: DragEvent| { event.prevent_default(); over.set(true); }
                on:dragleave=move |_| over.set(false) on:drop=dropped>
                <Icon name="file"/>
                <span><b>"Choose its file"</b>" or drop it here."</span>
                <input type="file" class="vh" data-testid=testids::JOIN_FILE on:change=chosen/>
            </label>
            <Trouble draft=draft/>
            <div class="row">
                <button type="submit" class="btn primary" disabled=move || empty.get() || draft.busy.get() data-testid=testids::JOIN_READ>
                    {move || if draft.busy.get() { "Reading it…" } else { "See what it says" }}
                </button>
                <span class="dim small">"Nothing is done with it yet."</span>
            </div>
        </form>
    }
}

/// Reads the first of the files as the invitation.
fn take(draft: Draft, files: Option<FileList>) {
    let Some(file) = files.and_then(|files| files.item(0)) else {
        return;
    };
    spawn_local(async move {
        // A file that cannot be read is as good as an empty one: the node says that it is none.
        let text = read(&file).await.unwrap_or_default();
        draft.text.try_set(text);
        draft.read();
    });
}

async fn read(file: &File) -> Option<String> {
    if file.size() > MAX_FILE_BYTES {
        return None;
    }
    JsFuture::from(file.text()).await.ok()?.as_string()
}
