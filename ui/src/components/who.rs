//! Who is signed in, in the top bar, with the ways out.

use fog_api::SessionView;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, Icon, modal};
use crate::failure::Failure;
use crate::session::{self, use_session};
use crate::words::people::{may, roles};
use crate::{testids, transport};

/// The person's name; pressed, what they may do here, and lock, change, sign out. Nothing while nobody is
/// registered.
#[component]
pub fn Who() -> impl IntoView {
    let session = use_session();
    let open = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let (dialog, closed) = modal(open, move || failure.set(None));
    let leave = move |path: &'static str| {
        spawn_local(async move {
            let done = match path {
                "/api/session" => transport::delete(path).await,
                path => transport::post::<SessionView>(path, &()).await.map(drop),
            };
            match done {
                Ok(()) => session::reload(),
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
        });
    };
    session.person().map(|person| {
        let what: Vec<_> = session.all().into_iter().map(may).collect();
        let what = match what.is_empty() {
            true => "Nothing here is open to you yet.".to_owned(),
            false => format!("You may {}.", what.join("; ")),
        };
        view! {
            <button type="button" class="btn quiet who" data-testid=testids::WHO on:click=move |_| open.set(true)>
                <Icon name="user"/><span class="wide"><bdi>{person.name.clone()}</bdi></span><span class="vh">", signed in"</span>
            </button>
            <dialog class="dialog" node_ref=dialog aria-labelledby="h-who" on:close=closed>
                <div>
                    <h2 id="h-who"><bdi>{person.name.clone()}</bdi></h2>
                    <p class="soft">{roles(&person.roles)}". "{what}</p>
                    <p class="small dim">"Lock the session before you leave this machine. Another person may then sign in beside you; your passphrase opens yours again."</p>
                    {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
                </div>
                <footer>
                    <button type="button" class="btn" data-testid=testids::WHO_STAY on:click=move |_| open.set(false)>"Stay"</button>
                    <button type="button" class="btn" data-testid=testids::SIGN_OUT on:click=move |_| leave("/api/session")>"Sign out"</button>
                    <button type="button" class="btn primary" autofocus data-testid=testids::LOCK on:click=move |_| leave("/api/session/lock")>
                        <Icon name="lock"/>"Lock or change person"
                    </button>
                </footer>
            </dialog>
        }
    })
}
