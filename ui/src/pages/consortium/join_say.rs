//! Step 2 of joining: what the invitation says, what becomes of this node's own chain, and what the
//! others are told of this node.

use fog_api::InvitationView;
use leptos::prelude::*;

use super::join::{Draft, Trouble};
use crate::components::{Hash, Icon, StateMark, offset_minutes};
use crate::live::use_live;
use crate::testids;
use crate::words::joining::missing;
use crate::words::number::{count, thousands};
use crate::words::state::State;
use crate::words::votes::until;

/// The step.
#[component]
pub fn Say(
    /// What is known so far.
    draft: Draft,
    /// Which step it is.
    step: Memo<u8>,
) -> impl IntoView {
    view! {
        <div>
            <div class="brief"><h3>"See what it says, and agree"</h3></div>
            {move || match draft.view.get() {
                Some(view) if step.get() == 2 => view! { <Agree draft=draft view=view/> }.into_any(),
                Some(view) => view! { <p class="soft small"><bdi>{view.consortium}</bdi>"."</p> }.into_any(),
                None => view! { <p class="soft small">"Who invites, into what, and what becomes of this node’s own chain."</p> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Agree(draft: Draft, view: InvitationView) -> impl IntoView {
    let kept = StoredValue::new(view.clone());
    let hinders = Memo::new(move |_| {
        let (organisation, listen) = (draft.organisation.get(), draft.listen.get());
        let leaves = draft.leaves.get();
        kept.with_value(|view| missing(view, &organisation, &listen, leaves))
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !draft.busy.get_untracked() && hinders.with_untracked(Option::is_none) {
            draft.join();
        }
    };
    let name = view.consortium.clone();
    let obstacle = view.obstacle.clone().map(|words| {
        view! {
            <div class="note" role="alert" data-state="attention" data-testid=testids::JOIN_OBSTACLE>
                <Icon name="attention"/><div><p>{words}</p></div>
            </div>
        }
    });
    let own = view.own_chain.clone();
    let asks_organisation = !view.same_organisation;
    view! {
        <form class="stack" on:submit=submit data-testid=testids::JOIN_SAYS>
            <Facts view=view/>
            {obstacle}
            {own.map(|own| view! {
                <div class="note" data-state="attention" data-testid=testids::JOIN_OWN_CHAIN>
                    <Icon name="attention"/>
                    <div>
                        <h3>"What becomes of this node’s own chain"</h3>
                        <p>{own.becomes.clone()}</p>
                        <p class="dim">{own_counts(own.height, own.readings, own.devices)}</p>
                        <p hidden=own.other_nodes == 0>{format!("It leaves {} behind, which go on without it.", count(u64::from(own.other_nodes), "other node", "other nodes"))}</p>
                        <label class="check">
                            <input type="checkbox" data-testid=testids::JOIN_LEAVE prop:checked=move || draft.leaves.get()
                                on:change=move |event| draft.leaves.set(event_target_checked(&event))/>
                            <span><b>"I know what becomes of it"</b>" and agree."</span>
                        </label>
                    </div>
                </div>
            })}
            <div class="fields">
                {asks_organisation.then(|| view! {
                    <Field id="join-organisation" label="Your organisation’s name" hint="As the others shall see it." value=draft.organisation testid=testids::JOIN_ORGANISATION/>
                })}
                <Field id="join-node" label="This node’s name" hint="Short, such as quayside-1." value=draft.node testid=testids::JOIN_NODE/>
                <Field id="join-listen" label="Listens at" hint="An address of this machine and a port, such as 192.0.2.7:7401." value=draft.listen testid=testids::JOIN_LISTEN/>
                <Field id="join-address" label="Others reach it at" hint="Only if that is another address, host:port." value=draft.address testid=testids::JOIN_ADDRESS/>
            </div>
            <Trouble draft=draft/>
            <div class="row">
                <button type="submit" class="btn primary" disabled=move || draft.busy.get() || hinders.with(Option::is_some)
                    data-testid=testids::JOIN_SEND>{format!("Join {name}")}</button>
                <span class="dim small" role="status">{move || hinders.get()}</span>
            </div>
        </form>
    }
}

fn own_counts(height: u64, readings: u64, devices: u32) -> String {
    format!(
        "Block {} is its newest; it holds {}. {}",
        thousands(height),
        count(readings, "reading", "readings"),
        match devices {
            0 => "No device is paired.".to_owned(),
            some => format!(
                "{} to be paired anew.",
                count(u64::from(some), "device has", "devices have")
            ),
        }
    )
}

/// What the invitation says.
#[component]
fn Facts(view: InvitationView) -> impl IntoView {
    let live = use_live();
    let expires = i64::try_from(view.expires).unwrap_or(i64::MAX);
    let valid = move || until(expires, live.now.get(), offset_minutes(expires));
    let part = if view.same_organisation {
        format!("a node of {}", view.inviter)
    } else {
        "a node of a new organisation, yours, once the others have voted it in".to_owned()
    };
    let peers = view
        .peers
        .into_iter()
        .map(|peer| view! { <span class="row"><bdi class="hash">{peer.address}</bdi><Hash text=peer.key/></span> })
        .collect_view();
    view! {
        <dl class="kv">
            <dt>"Consortium"</dt><dd><b><bdi>{view.consortium}</bdi></b></dd>
            <dt>"Invited by"</dt><dd><bdi>{view.inviter}</bdi>", admin key "<Hash text=view.signer/></dd>
            <dt>"This node becomes"</dt><dd>{part}</dd>
            <dt>"Valid"</dt><dd>{valid}</dd>
            <dt>"It knocks at"</dt><dd><bdi class="hash">{view.door}</bdi></dd>
            <dt>"Its nodes"</dt><dd>{peers}</dd>
            <dt>"Chain"</dt><dd><Hash text=view.chain_id/></dd>
        </dl>
        <p class="small soft row"><StateMark state=State::Unknown word="Not proven yet"/><span>"An invitation says of itself who made it. Compare the admin key with what you were told by telephone."</span></p>
    }
}

#[component]
fn Field(
    id: &'static str,
    label: &'static str,
    hint: &'static str,
    value: RwSignal<String>,
    testid: &'static str,
) -> impl IntoView {
    let described = format!("{id}-hint");
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input class="input" id=id autocomplete="off" spellcheck="false" aria-describedby=described.clone() data-testid=testid
                prop:value=value on:input=move |event| value.set(event_target_value(&event))/>
            <span class="hint" id=described>{hint}</span>
        </div>
    }
}
