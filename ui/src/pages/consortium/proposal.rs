//! What is voted on: who asks for it and why, how the votes stand, what would break, and this
//! organisation's vote.

use fog_api::consortium::{CastVote, NodeRole, PreflightFinding, ProposalRow};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::preflight::Preflight;
use crate::components::{Ask, FailureNote, Icon, offset_minutes};
use crate::consortium::Consortium;
use crate::failure::Failure;
use crate::live::use_live;
use crate::testids;
use crate::transport;
use crate::words::consortium::is_alone;
use crate::words::votes::{self, Tally};

/// One card a proposal, oldest first; or a card that says that there is none.
#[component]
pub fn Proposals(desk: Consortium) -> impl IntoView {
    let numbers = desk.part(|view| {
        let numbers = view.open.iter().map(|row| row.number);
        numbers.collect::<Vec<_>>()
    });
    // Where there is only one voice, votes need no explanation.
    let alone = desk.part(is_alone);
    view! {
        <For each=move || numbers.get() key=|number| *number let:number>
            <ProposalCard desk=desk number=number/>
        </For>
        <section class="card" aria-labelledby="h-none" hidden=move || alone.get() || !numbers.with(Vec::is_empty)>
            <div class="card-head"><h2 id="h-none">"Nothing is voted on"</h2></div>
            <div class="card-body">
                <p class="small soft">
                    "Validators, organisations and rules change only by votes. A proposal stands here with what it would break, before anybody votes."
                </p>
            </div>
        </section>
    }
}

#[component]
fn ProposalCard(desk: Consortium, number: u64) -> impl IntoView {
    let live = use_live();
    let row = Memo::new(move |_| {
        desk.read(|view| view.open.iter().find(|row| row.number == number).cloned())
    });
    let text = move |what: fn(&ProposalRow) -> String| {
        move || row.with(|row| row.as_ref().map(what).unwrap_or_default())
    };
    let closes = Memo::new(move |_| {
        let minute = live.now.get().div_euclid(60_000) * 60_000;
        row.with(|row| {
            row.as_ref().map_or_else(String::new, |row| {
                let expires = i64::try_from(row.expires).unwrap_or(i64::MAX);
                let closes = votes::closes(expires, minute, offset_minutes(expires));
                format!("by {}, {closes}", row.by)
            })
        })
    });
    let title = format!("h-proposal-{number}");
    let found = RwSignal::new(None::<Vec<PreflightFinding>>);
    let change = Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.change.clone())));
    view! {
        <section class="card" aria-labelledby=title.clone() data-testid=testids::PROPOSAL data-number=number.to_string()>
            <div class="card-head">
                <h2 id=title.clone()>{text(|row| format!("Proposal {}: {}", row.number, votes::inside(&row.title)))}</h2>
                <p>{closes}</p>
            </div>
            <div class="card-body stack">
                <p class="soft quoted" hidden=move || text(|row| row.reason.clone())().is_empty()>
                    <q><bdi>{text(|row| row.reason.clone())}</bdi></q>
                </p>
                <Votes desk=desk row=row/>
                <Preflight desk=desk change=change found=found/>
            </div>
            <Ballot desk=desk row=row found=found/>
        </section>
    }
}

/// The bar, and what it comes down to.
#[component]
fn Votes(desk: Consortium, row: Memo<Option<ProposalRow>>) -> impl IntoView {
    let can_vote = desk.part(|view| view.me.can_vote);
    let tally = Memo::new(move |_| {
        let can_vote = can_vote.get();
        row.with(|row| {
            row.as_ref()
                .map(|row| (Tally::of(row, can_vote), row.needed))
        })
    });
    let text = move |what: fn(&ProposalRow, bool) -> String| {
        move || {
            let can_vote = can_vote.get();
            row.with(|row| {
                row.as_ref()
                    .map(|row| what(row, can_vote))
                    .unwrap_or_default()
            })
        }
    };
    let bar = move || {
        tally.get().map(|(tally, needed)| {
            let parts = tally.parts();
            let columns: Vec<String> = parts
                .iter()
                .map(|(_, voices, _)| format!("minmax(max-content, {voices}fr)"))
                .collect();
            let cells = parts
                .into_iter()
                .map(|(class, _, words)| view! { <i class=class>{words}</i> })
                .collect_view();
            view! {
                <div class="tally parts" role="img" aria-label=tally.label(needed)
                    style=format!("grid-template-columns:{}", columns.join(" "))>{cells}</div>
            }
        })
    };
    view! {
        <div>
            <div class="row"><h3>"Votes"</h3><span class="dim small push num-text">{text(|row, _| votes::needed(row))}</span></div>
            {bar}
            <p class="small soft two-lines" role="status" data-testid=testids::PROPOSAL_STANDS>{text(votes::stands)}</p>
        </div>
    }
}

/// Sends a vote and waits until it is final.
fn cast(
    desk: Consortium,
    number: u64,
    approve: bool,
    sending: RwSignal<Option<bool>>,
    failure: RwSignal<Option<Failure>>,
) {
    sending.set(Some(approve));
    failure.set(None);
    spawn_local(async move {
        let path = format!("/api/consortium/proposals/{number}/vote");
        let answer = transport::post::<ProposalRow>(&path, &CastVote { approve }).await;
        // The proposal may be decided by this vote, and its card gone.
        sending.try_set(None);
        if let Err(why) = answer {
            failure.try_set(Some(why));
        }
        desk.ask();
    });
}

/// Approve and reject; changed as often as one likes until it is decided.
#[component]
fn Ballot(
    desk: Consortium,
    row: Memo<Option<ProposalRow>>,
    found: RwSignal<Option<Vec<PreflightFinding>>>,
) -> impl IntoView {
    let waiting = desk.part(|view| view.me.role == NodeRole::Waiting);
    let can_vote = desk.part(|view| view.me.can_vote);
    let sending = RwSignal::new(None::<bool>);
    let failure = RwSignal::new(None::<Failure>);
    let asking = RwSignal::new(false);
    let breaks = move || found.with(|found| found.as_deref().is_some_and(votes::breaks));
    let doubt = Memo::new(move |_| found.with(|found| votes::doubt(found.as_deref())));
    let mine = Memo::new(move |_| row.with(|row| row.as_ref().and_then(|row| row.mine.clone())));
    // The buttons stay what they are while a vote is on its way, so that the focus stays on them.
    let cast = move |approve: bool| {
        if sending.with_untracked(Option::is_some) {
            return;
        }
        if let Some(number) = row.with_untracked(|row| row.as_ref().map(|row| row.number)) {
            cast(desk, number, approve, sending, failure);
        }
    };
    let approve = move |_| {
        if doubt.with_untracked(Option::is_some) {
            asking.set(true);
        } else {
            cast(true);
        }
    };
    let question = Signal::derive(move || doubt.get().map_or("", |doubt| doubt.0).to_owned());
    let explains = Signal::derive(move || doubt.get().map_or_else(String::new, |doubt| doubt.1));
    let pressed = move |vote: &'static str| {
        move || mine.with(|mine| (mine.as_deref() == Some(vote)).to_string())
    };
    let label = move |approve: bool, still: &'static str| {
        move || {
            if sending.get() == Some(approve) {
                "Voting…"
            } else {
                still
            }
        }
    };
    let busy = move || sending.with(Option::is_some);
    view! {
        <div class="card-foot" hidden=move || !can_vote.get()>
            <button type="button" class="btn" class:danger=breaks class:primary=move || doubt.with(Option::is_none)
                aria-pressed=pressed("approve") aria-busy=move || busy().to_string() data-testid=testids::VOTE_APPROVE on:click=approve>
                {label(true, "Approve")}
            </button>
            <button type="button" class="btn" aria-pressed=pressed("reject") aria-busy=move || busy().to_string()
                data-testid=testids::VOTE_REJECT on:click=move |_| cast(false)>{label(false, "Reject")}</button>
            <span class="small dim" hidden=move || mine.with(Option::is_none)>"You can change it until it is decided."</span>
        </div>
        <div class="card-foot" hidden=move || can_vote.get()>
            <Icon name="lock"/>{move || if waiting.get() {
                "This node has a voice once it is admitted."
            } else {
                "This node holds no key that votes for its organisation."
            }}
        </div>
        {move || failure.get().map(|failure| view! { <div class="card-body full"><FailureNote failure=failure/></div> })}
        <Ask open=asking question=question explains=explains keep="Decide later" act="Approve it"
            on_act=move |()| cast(true) testids=(testids::VOTE_KEEP, testids::VOTE_CONFIRM)/>
    }
}
