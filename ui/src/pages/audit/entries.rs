//! Entries of the access log: what happened, what came of it, and the block that holds it.

use fog_api::{AuditRow, Capability};
use leptos::prelude::*;

use super::{Desk, List};
use crate::components::time::offset_minutes;
use crate::components::{Icon, StateMark, local_clock_minutes, local_date};
use crate::route::Route;
use crate::session::use_session;
use crate::testids;
use crate::words::audit;
use crate::words::number::thousands;

/// The table.
#[component]
pub(super) fn Entries(desk: Desk) -> impl IntoView {
    let rows = move || desk.rows.get().unwrap_or_default();
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label="Entries of the access log">
            <table class="tbl tall">
                <thead><tr>
                    <th scope="col">"What happened"</th>
                    <th scope="col">"Outcome"</th>
                </tr></thead>
                <tbody>
                    <For each=rows key=|row| row.number let:row><Row row=row/></For>
                </tbody>
            </table>
        </div>
    }
}

#[component]
fn Row(row: AuditRow) -> impl IntoView {
    let (state, word) = audit::outcome(&row);
    let mark = match state {
        Some(state) => view! { <StateMark state=state word=word.to_owned()/> }.into_any(),
        None => {
            let icon = audit::icon(row.outcome);
            view! { <span class="state"><Icon name=icon/><span>{word}</span></span> }.into_any()
        }
    };
    let at = i64::try_from(row.time).unwrap_or(i64::MAX);
    let block = format!("block {}", thousands(row.height));
    let block = match use_session().may(Capability::ReadConsortium) {
        true => view! { <a href=Route::Block(row.height).href()>{block}</a> }.into_any(),
        false => view! { <span>{block}</span> }.into_any(),
    };
    let stripe = state.filter(|_| row.is_emergency).map(|state| state.key());
    view! {
        <tr data-state=stripe data-testid=testids::AUDIT_ROW data-number=row.number.to_string() data-outcome=word>
            <th scope="row" class="wrap">
                <bdi>{audit::by(&row)}</bdi>" · "<time>{local_clock_minutes(at)}", "{local_date(at)}</time>
                " · "{block}
                <small>{audit::told(&row.words, offset_minutes)}</small>
            </th>
            <td>{mark}</td>
        </tr>
    }
}

/// Who looked at a patient: asked for by a button, since the looking itself is recorded.
#[component]
pub fn WhoLooked(
    /// Where what belongs to the patient is: `/api/patients/ID`, or `/api/me`.
    base: String,
    /// Whether it is the patient who looks.
    #[prop(optional)]
    is_own: bool,
) -> impl IntoView {
    let desk = Desk::new();
    let has_asked = RwSignal::new(false);
    let look = move |_| {
        has_asked.set(true);
        desk.look(format!("{base}/audit"));
    };
    let (about, empty) = match is_own {
        true => (
            "Who asked for your data, what for, what came of it, and what was served. That you look at this is recorded for good, without your name.",
            "Nobody has asked for anything of yours.",
        ),
        false => (
            "Who asked for her data, what for, what came of it, and what was served. That you look at this is recorded for good, without her name.",
            "Nobody has asked for anything of hers.",
        ),
    };
    let list = move || {
        has_asked
            .get()
            .then(|| view! { <List desk=desk empty=empty/> })
    };
    view! {
        <section class="card" aria-labelledby="h-looked">
            <div class="card-head"><h2 id="h-looked">"Who looked"</h2></div>
            <div class="card-body stack" hidden=has_asked>
                <p class="small soft">{about}</p>
                <div class="row"><button type="button" class="btn" data-testid=testids::PATIENT_LOOKED on:click=look><Icon name="eye"/>"Show who looked"</button></div>
            </div>
            {list}
        </section>
    }
}
