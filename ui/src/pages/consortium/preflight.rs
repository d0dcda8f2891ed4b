//! What a change would break, before anybody votes.

use fog_api::consortium::{Change, PreflightFinding};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, StateMark};
use crate::consortium::Consortium;
use crate::failure::Failure;
use crate::live::use_live;
use crate::testids;
use crate::transport;
use crate::words::state::State;
use crate::words::votes;

/// What the node found; asked again when the consortium changes, and by hand.
#[component]
pub fn Preflight(
    /// The consortium.
    desk: Consortium,
    /// The change; `None` while there is none yet.
    #[prop(into)]
    change: Signal<Option<Change>>,
    /// Where the findings go, for the buttons beside.
    found: RwSignal<Option<Vec<PreflightFinding>>>,
) -> impl IntoView {
    let live = use_live();
    let failure = RwSignal::new(None::<Failure>);
    let turn = RwSignal::new(0_u32);
    let asked = StoredValue::new(0_u32);
    // Who is there and who sits decides what breaks; a new block alone does not.
    let shape = desk.part(|view| {
        let seats = view
            .nodes
            .iter()
            .map(|node| (node.key.clone(), node.validator, node.heard));
        (view.needed, seats.collect::<Vec<_>>())
    });
    Effect::new(move || {
        turn.track();
        shape.with(|_| ());
        if failure.with_untracked(Option::is_some) {
            // What failed may work after the connection is back.
            live.epoch.track();
        }
        let question = asked.get_value().wrapping_add(1);
        asked.set_value(question);
        let Some(change) = change.get() else {
            found.set(None);
            return;
        };
        spawn_local(async move {
            let answer =
                transport::post::<Vec<PreflightFinding>>("/api/consortium/preflight", &change)
                    .await;
            // A late answer to an old question, or to a page that is gone, is dropped.
            if asked.try_get_value() != Some(question) {
                return;
            }
            match answer {
                Ok(findings) => {
                    failure.set(None);
                    found.set(Some(votes::worst_first(findings)));
                }
                Err(why) => {
                    found.set(None);
                    failure.set(Some(why));
                }
            }
        });
    });
    let again = Callback::new(move |()| turn.update(|turn| *turn = turn.wrapping_add(1)));
    let verdict = move || found.with(|found| found.as_deref().map(votes::verdict));
    view! {
        <div data-testid=testids::PREFLIGHT>
            <div class="row">
                <h3>"What breaks if it is approved"</h3>
                <span class="dim small push" role="status" data-testid=testids::PREFLIGHT_VERDICT>{verdict}</span>
            </div>
            {move || match (failure.get(), found.get()) {
                (Some(failure), _) => view! { <FailureNote failure=failure retry=again/> }.into_any(),
                (None, None) => view! { <p class="small dim preflight-wait">"The node looks at what would change…"</p> }.into_any(),
                (None, Some(findings)) => list(findings).into_any(),
            }}
        </div>
    }
}

fn list(findings: Vec<PreflightFinding>) -> impl IntoView {
    if findings.is_empty() {
        return view! { <p class="small soft preflight-wait">"Nothing that this node can see."</p> }.into_any();
    }
    let items = findings
        .into_iter()
        .map(|finding| {
            let (state, word) = votes::severity(&finding.severity);
            // What holds is said quietly; of a longer finding its first sentence stands out.
            let (first, rest) = votes::lead(&finding.what);
            let loud = state == State::Critical || state != State::Ok && !rest.is_empty();
            let (first, rest) = (first.to_owned(), rest.to_owned());
            let first = if loud {
                view! { <b>{first}</b> }.into_any()
            } else {
                first.into_any()
            };
            let next = (!finding.next.is_empty())
                .then(|| view! { <span class="next"><b>"Next: "</b>{finding.next}</span> });
            view! {
                <li data-testid=testids::PREFLIGHT_FINDING data-severity=finding.severity data-code=finding.code>
                    <StateMark state=state word=word/>
                    <p>{first}{rest}{next}</p>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="preflight">{items}</ul> }.into_any()
}
