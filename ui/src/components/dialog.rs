//! Modal dialogs, and the question before something that cannot be taken back. Escape is the safe way out.

use leptos::html;
use leptos::prelude::*;

/// A modal dialog that is shown while `open` says so, prepared by `on_open` each time: what its `node_ref`
/// is, and what it does `on:close`.
pub fn modal(
    open: RwSignal<bool>,
    on_open: impl Fn() + 'static,
) -> (
    NodeRef<html::Dialog>,
    impl Fn(web_sys::Event) + Copy + 'static,
) {
    let dialog = NodeRef::<html::Dialog>::new();
    // Told a moment later, when it may be open again.
    let closed = move |_: web_sys::Event| {
        if dialog.get_untracked().is_none_or(|dialog| !dialog.open()) {
            open.set(false);
        }
    };
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        if open.get() && !dialog.open() {
            on_open();
            // Refused only where a dialog is open already.
            dialog.show_modal().ok();
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    (dialog, closed)
}

/// A modal question; `open` shows it.
#[component]
pub fn Ask(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// The question.
    #[prop(into)]
    question: Signal<String>,
    /// What happens and what does not.
    #[prop(into)]
    explains: Signal<String>,
    /// The safe way out.
    keep: &'static str,
    /// The effect.
    act: &'static str,
    /// Does it.
    #[prop(into)]
    on_act: Callback<()>,
    /// Names for tests: keep, act.
    testids: (&'static str, &'static str),
) -> impl IntoView {
    let (dialog, closed) = modal(open, || {});
    let title = format!("{}-question", testids.1);
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby=title.clone() on:close=closed>
            <div><h2 id=title.clone()>{question}</h2><p class="soft">{explains}</p></div>
            <footer>
                <button type="button" class="btn" autofocus data-testid=testids.0 on:click=move |_| open.set(false)>{keep}</button>
                <button type="button" class="btn danger" data-testid=testids.1
                    on:click=move |_| { open.set(false); on_act.run(()); }>{act}</button>
            </footer>
        </dialog>
    }
}
