//! The text in Cedar, each fault marked at its words and listed below with a way to them by keyboard.
//!
//! The marks are drawn by a copy of the text behind the field, which has the same letters at the same places: a
//! field itself cannot mark anything.

use fog_api::PolicyFault;
use leptos::html;
use leptos::prelude::*;

use super::desk::Desk;
use crate::policy::place::{Piece, marked, pieces, utf16};
use crate::testids;
use crate::words::policies as words;

/// The field, its marks and its faults.
#[component]
pub(super) fn Text(desk: Desk, #[prop(into)] readonly: Signal<bool>) -> impl IntoView {
    let field = NodeRef::<html::Textarea>::new();
    let faults = Memo::new(move |_| desk.found().map(|found| found.faults).unwrap_or_default());
    let marks = move || {
        let drawn = desk
            .text
            .with(|text| faults.with(|faults| pieces(text, faults)));
        drawn.into_iter().map(piece).collect_view()
    };
    let is_faulty = move || (!faults.with(Vec::is_empty)).then_some("true");
    view! {
        <div class="field">
            <label for="policy-text">"Cedar"</label>
            <div class="marked">
                // The last line is as high as the others also while nothing stands in it.
                <pre class="hash" aria-hidden="true" data-testid=testids::POLICY_MARKS>{marks}"\n"</pre>
                <textarea class="input hash" id="policy-text" spellcheck="false" autocomplete="off" autocapitalize="none"
                    node_ref=field readonly=readonly aria-invalid=is_faulty aria-describedby="policy-faults"
                    data-testid=testids::POLICY_TEXT prop:value=desk.text
                    on:input=move |event| desk.text.set(event_target_value(&event))></textarea>
            </div>
        </div>
        <div id="policy-faults">
            <p class="small" role="status">{move || faults.with(|faults| words::faults(faults))}</p>
            <ul class="faults">{move || faults.get().into_iter().map(|one| fault(one, desk, field)).collect_view()}</ul>
        </div>
    }
}

fn piece(piece: Piece) -> AnyView {
    match piece.is_faulty {
        true => view! { <mark>{piece.text}</mark> }.into_any(),
        false => piece.text.into_any(),
    }
}

/// A fault that leads to its words.
fn fault(fault: PolicyFault, desk: Desk, field: NodeRef<html::Textarea>) -> impl IntoView {
    let (place, said) = desk.text.with_untracked(|text| words::fault(&fault, text));
    let go = move |_| {
        let Some(field) = field.get_untracked() else {
            return;
        };
        let (from, to) = desk.text.with_untracked(|text| {
            let (from, to) = marked(text, &fault);
            (utf16(text, from), utf16(text, to))
        });
        // A field that is on the page takes the focus, and a selection within its text.
        field.focus().ok();
        field.set_selection_range(from, to).ok();
    };
    view! {
        <li><button type="button" class="btn quiet" data-testid=testids::POLICY_FAULT on:click=go>
            <b class="num-text">{place}</b><span>{said}</span>
        </button></li>
    }
}
