//! A question before something that cannot be taken back. Escape is the safe way out.

use leptos::html;
use leptos::prelude::*;

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
    let dialog = NodeRef::<html::Dialog>::new();
    // Told a moment later, when it may be open again.
    let closed = move |_| {
        if dialog.get_untracked().is_none_or(|dialog| !dialog.open()) {
            open.set(false);
        }
    };
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        if open.get() && !dialog.open() {
            // Refused only where a dialog is open already.
            dialog.show_modal().ok();
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
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
