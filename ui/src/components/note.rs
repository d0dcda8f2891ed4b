//! What happened, why, what to do; and what is on its way.

use fog_api::ApiError;
use leptos::prelude::*;

use super::Icon;
use crate::failure::Failure;
use crate::live::{Link, after, use_live};
use crate::words::state::State;

/// A failure in place: what happened, why, what to do next, and its code, small.
#[component]
pub fn Note(
    /// How bad it is.
    #[prop(into)]
    state: Signal<State>,
    /// The words.
    #[prop(into)]
    words: Signal<ApiError>,
    /// Name for tests.
    #[prop(optional)]
    testid: Option<&'static str>,
    /// Buttons that help.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let icon = Signal::derive(move || state.get().key());
    let part = move |of: fn(&ApiError) -> &String| move || words.with(|words| of(words).clone());
    view! {
        <div class="note" role="alert" data-state=move || state.get().key() data-testid=testid
            data-code=part(|words| &words.code)>
            <Icon name=icon/>
            <div>
                <h3>{part(|words| &words.what)}</h3>
                <p hidden=move || words.with(|words| words.why.is_empty())><b>"Why: "</b>{part(|words| &words.why)}</p>
                <p hidden=move || words.with(|words| words.next.is_empty())><b>"Next: "</b>{part(|words| &words.next)}</p>
                <div class="row">
                    {children.map(|children| children())}
                    <span class="dim small">"code "<span class="hash">{part(|words| &words.code)}</span></span>
                </div>
            </div>
        </div>
    }
}

/// A [`Failure`] as a note, with a button that tries again.
#[component]
pub fn FailureNote(
    /// What failed.
    failure: Failure,
    /// Tries again.
    #[prop(into, optional)]
    retry: Option<Callback<()>>,
) -> impl IntoView {
    let state = if failure == Failure::Unreachable {
        State::Offline
    } else {
        State::Attention
    };
    let words = failure.words();
    view! {
        <Note state=state words=words>
            {retry.map(|retry| view! {
                <button type="button" class="btn" on:click=move |_| retry.run(())><Icon name="refresh"/>"Try again"</button>
            })}
        </Note>
    }
}

/// Says that something is on its way, but only after 300 ms.
#[component]
pub fn Loading(
    /// What is being done: "Reading the newest blocks".
    #[prop(into)]
    what: String,
) -> impl IntoView {
    let shown = RwSignal::new(false);
    after(300, move || {
        // The page may be gone by now.
        shown.try_set(true);
    });
    view! {
        <div class="card-body full stack" role="status" aria-busy="true" style:visibility=move || if shown.get() { "visible" } else { "hidden" }>
            <div class="bone" style="inline-size:62%"></div>
            <div class="bone"></div>
            <div class="bone" style="inline-size:88%"></div>
            <p class="small dim">{what}"…"</p>
        </div>
    }
}

/// What a page shows before the node's first answer: that it is on its way, or why it does not come.
#[component]
pub fn Waiting(
    /// What is being done: "Asking the node for its devices".
    what: &'static str,
) -> impl IntoView {
    let live = use_live();
    let trouble = Memo::new(move |_| match live.link.get() {
        Link::NotAllowed => Some(Failure::NotAllowed),
        Link::Offline(_) => Some(Failure::Unreachable),
        Link::Connecting | Link::Online => live.failure.get(),
    });
    move || {
        match trouble.get() {
        Some(failure) => view! {
            <div class="card-body full"><FailureNote failure=failure retry=move |()| live.try_now()/></div>
        }
        .into_any(),
        None => view! { <Loading what=what/> }.into_any(),
    }
    }
}
