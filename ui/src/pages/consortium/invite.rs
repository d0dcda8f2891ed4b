//! Who may come: invitations of this node, new and still open.

use fog_api::consortium::{InvitationMade, InvitationRow, MakeInvitation};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::invited::Invited;
use crate::components::{Ask, FailureNote, Icon, Segments, offset_minutes};
use crate::consortium::Consortium;
use crate::failure::Failure;
use crate::live::use_live;
use crate::route::escape;
use crate::testids;
use crate::transport;
use crate::words::votes::until;

/// Hours an invitation may be valid, with their words.
const VALID: [(u32, &str); 4] = [
    (24, "1 day"),
    (72, "3 days"),
    (168, "7 days"),
    (720, "30 days"),
];

/// The card.
#[component]
pub fn Invite(desk: Consortium) -> impl IntoView {
    let address = desk.part(|view| view.me.address.clone());
    let made = RwSignal::new(None::<InvitationMade>);
    view! {
        <section class="card" aria-labelledby="h-invite">
            <div class="card-head"><h2 id="h-invite">"Invite a node"</h2></div>
            <div class="card-body stack">
                {move || match address.get() {
                    None => view! { <Deaf/> }.into_any(),
                    Some(address) => view! { <Make desk=desk address=address made=made/> }.into_any(),
                }}
                {move || made.get().map(|invitation| view! { <Invited invitation=invitation made=made/> })}
            </div>
            <Open desk=desk made=made/>
        </section>
    }
}

/// Nobody can join through a node that listens nowhere.
#[component]
fn Deaf() -> impl IntoView {
    view! {
        <div class="note" role="status" data-testid=testids::INVITE_DEAF>
            <Icon name="lock"/>
            <div>
                <h3>"This node listens nowhere"</h3>
                <p>"An invited node could not reach it. Start it so that it does:"</p>
                <p><code>"fogward run --listen IP:PORT"</code></p>
                <p class="dim">"Add "<code>"--address HOST:PORT"</code>" if the others see another address. Who is invited knocks one port above; both must be open to them."</p>
            </div>
        </div>
    }
}

#[component]
fn Make(
    desk: Consortium,
    address: String,
    made: RwSignal<Option<InvitationMade>>,
) -> impl IntoView {
    let whom = RwSignal::new("other");
    let hours = RwSignal::new(72_u32);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let make = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let request = MakeInvitation {
            valid_hours: Some(hours.get_untracked()),
            same_organisation: whom.get_untracked() == "own",
        };
        spawn_local(async move {
            let answer =
                transport::post::<InvitationMade>("/api/consortium/invitations", &request).await;
            // The page may be gone by now; the invitation is then in the list, to be revoked.
            busy.try_set(false);
            match answer {
                Ok(invitation) => {
                    made.try_set(Some(invitation));
                }
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
            desk.ask();
        });
    };
    let options = VALID.map(|(value, words)| {
        view! { <option value=value.to_string() selected=value == 72>{words}</option> }
    });
    let meaning = move || match whom.get() {
        "own" => "It joins your organisation; nobody else has to vote.",
        _ => "It brings its own organisation; the others vote on it once it has knocked.",
    };
    let segments = vec![
        ("other", "New organisation", None),
        ("own", "Your own", None),
    ];
    view! {
        <form class="stack tight" on:submit=make>
            <div class="row">
                <Segments name="invite-whom" legend="For" options=segments value=whom testid=testids::INVITE_WHOM/>
                <div class="row nowrap">
                    <label class="label-text" for="invite-valid">"valid"</label>
                    <select class="input short" id="invite-valid" data-testid=testids::INVITE_VALID
                        on:change=move |event| if let Ok(chosen) = event_target_value(&event).parse() { hours.set(chosen); }>{options.collect_view()}</select>
                </div>
            </div>
            <p class="small soft two-lines">{meaning}" Others reach this node at "<bdi class="hash">{address}</bdi>"."</p>
            <div class="row">
                <button type="submit" class="btn" aria-busy=move || busy.get().to_string() data-testid=testids::INVITE_MAKE>
                    <Icon name="plus"/>{move || if busy.get() { "Making it…" } else { "Make an invitation" }}
                </button>
            </div>
            {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
        </form>
    }
}

/// Invitations that may still be used.
#[component]
fn Open(desk: Consortium, made: RwSignal<Option<InvitationMade>>) -> impl IntoView {
    let live = use_live();
    let rows = desk.part(|view| view.invitations.clone());
    let asking = RwSignal::new(false);
    let chosen = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<Failure>);
    let revoke = move |()| {
        let id = chosen.get_untracked();
        failure.set(None);
        spawn_local(async move {
            let path = format!("/api/consortium/invitations/{}", escape(&id));
            match transport::delete(&path).await {
                Ok(()) => {
                    made.try_update(|made| {
                        if made.as_ref().is_some_and(|made| made.id == id) {
                            *made = None;
                        }
                    });
                }
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
            desk.ask();
        });
    };
    let minute = Memo::new(move |_| live.now.get().div_euclid(60_000) * 60_000);
    let one = move |row: InvitationRow| {
        let id = row.id.clone();
        let expires = i64::try_from(row.expires).unwrap_or(i64::MAX);
        let whom = if row.same_organisation {
            "For your organisation"
        } else {
            "For a new organisation"
        };
        let ask = move |_| {
            chosen.set(id.clone());
            asking.set(true);
        };
        view! {
            <li data-testid=testids::INVITATION_ROW data-invitation=row.id>
                <span>{whom}<small>{move || until(expires, minute.get(), offset_minutes(expires))}</small></span>
                <button type="button" class="btn quiet" data-testid=testids::INVITATION_REVOKE on:click=ask>"Revoke"</button>
            </li>
        }
    };
    view! {
        <div class="invitations" hidden=move || rows.with(Vec::is_empty)>
            <h3>"Open invitations"</h3>
            <ul><For each=move || rows.get() key=|row| row.id.clone() let:row>{one(row)}</For></ul>
        </div>
        {move || failure.get().map(|failure| view! { <div class="card-body full"><FailureNote failure=failure/></div> })}
        <Ask open=asking question="Revoke this invitation?" explains="It can no longer be used. Who came with it already stays."
            keep="Keep it" act="Revoke it" on_act=revoke testids=(testids::INVITATION_KEEP, testids::INVITATION_REVOKE_CONFIRM)/>
    }
}
