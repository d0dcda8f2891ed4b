//! Before the console: signing in, and opening a locked session; from another machine, while nobody is registered, where the
//! first one is. Nothing else is on screen, and nothing else
//! was asked of the node.

use fog_api::{SessionState, SessionView, SignIn, SignedIn, SwitchSession, Unlock};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::secret::Secret;
use crate::components::{FailureNote, Icon};
use crate::failure::Failure;
use crate::{session, testids, transport};

/// The page: locked, or nobody is signed in or could be.
#[component]
pub fn SignInPage(
    /// Where the caller stands, as the node says.
    view: SessionView,
) -> impl IntoView {
    match view.state {
        SessionState::SetUp => view! { <NobodyYet node=view.node/> }.into_any(),
        _ => view! { <Door view=view/> }.into_any(),
    }
}

/// Nobody is registered, and the first one is at the machine itself.
#[component]
fn NobodyYet(node: String) -> impl IntoView {
    let heading = "Nobody is registered yet";
    document().set_title(&format!("{heading} · Fogward"));
    view! {
        <main class="door" id="main">
            <section class="card" aria-labelledby="h-door">
                <div class="card-body stack">
                    <div class="row"><Icon name="brand"/><b>"Fogward"</b></div>
                    <div><h1 id="h-door" data-testid=testids::DOOR_HEADING>{heading}</h1><p class="soft">{format!("At the fog node {node}.")}</p></div>
                    <p>"The first administrator is registered at the machine itself: in its console, or there with "
                        <code>"fogward user add NAME --role admin"</code>". From then on, people sign in here, too."</p>
                    <div class="row"><button type="button" class="btn" data-testid=testids::DOOR_AGAIN on:click=move |_| session::reload()>
                        "Look again"
                    </button></div>
                </div>
            </section>
        </main>
    }
}

#[component]
fn Door(view: SessionView) -> impl IntoView {
    let is_locked = view.state == SessionState::Locked;
    let node = view.node.clone();
    let person = view.person.filter(|_| is_locked);
    let others = view.others;
    let failure = RwSignal::new(None::<Failure>);
    // Somebody else wants to sign in while a session is locked.
    let is_other = RwSignal::new(person.is_none());
    let name = person.as_ref().map(|person| person.name.clone());
    let heading = {
        let name = name.clone().unwrap_or_default();
        move || match is_other.get() {
            true => "Sign in".to_owned(),
            false => format!("{name}, enter your passphrase"),
        }
    };
    Effect::new({
        let heading = heading.clone();
        move || document().set_title(&format!("{} · Fogward", heading()))
    });
    let explains = move || match is_other.get() {
        true => format!("At the fog node {node}."),
        false => "The session is locked. What was on screen is gone from it.".to_owned(),
    };
    view! {
        <main class="door" id="main">
            <section class="card" aria-labelledby="h-door">
                <div class="card-body stack">
                    <div class="row"><Icon name="brand"/><b>"Fogward"</b></div>
                    <div><h1 id="h-door" data-testid=testids::DOOR_HEADING>{heading}</h1><p class="soft">{explains}</p></div>
                    {move || match is_other.get() {
                        true => view! { <SignInForm failure=failure/> }.into_any(),
                        false => view! { <UnlockForm failure=failure/> }.into_any(),
                    }}
                    {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
                    <Others others=others failure=failure/>
                    {name.map(|name| view! { <Leave name=name is_other=is_other failure=failure/> })}
                </div>
            </section>
        </main>
    }
}

/// Does it, and loads the page again if it was done.
fn then_reload(
    busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    work: impl Future<Output = Result<(), Failure>> + 'static,
) {
    busy.set(true);
    failure.set(None);
    spawn_local(async move {
        match work.await {
            Ok(()) => session::reload(),
            // The session ended meanwhile; the page that asks to sign in is another.
            Err(Failure::Refused(error)) if error.code == "AUTH-01" => session::reload(),
            Err(why) => {
                busy.try_set(false);
                failure.try_set(Some(why));
            }
        }
    });
}

#[component]
fn SignInForm(failure: RwSignal<Option<Failure>>) -> impl IntoView {
    let [login, passphrase, code] = std::array::from_fn(|_| RwSignal::new(String::new()));
    let busy = RwSignal::new(false);
    let is_ready = move || {
        [login, passphrase, code]
            .iter()
            .all(|part| part.with(|part| !part.trim().is_empty()))
    };
    let sign_in = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let asked = SignIn {
            login: login.get_untracked().trim().to_lowercase(),
            passphrase: passphrase.get_untracked(),
            code: code.get_untracked(),
            program: false,
        };
        code.set(String::new());
        then_reload(busy, failure, async move {
            let signed = transport::post::<SignedIn>("/api/session", &asked).await;
            signed.map(drop)
        });
    };
    view! {
        <form class="stack" on:submit=sign_in>
            <div class="field">
                <label for="door-login">"Login name"</label>
                <input class="input" id="door-login" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus
                    data-testid=testids::DOOR_LOGIN prop:value=login on:input=move |event| login.set(event_target_value(&event))/>
            </div>
            <Secret id="door-passphrase" label="Passphrase" value=passphrase autocomplete="current-password" testid=testids::DOOR_PASSPHRASE/>
            <div class="field">
                <label for="door-code">"Code of your authenticator app"</label>
                <input class="input code" id="door-code" autocomplete="one-time-code" maxlength="24" spellcheck="false" aria-describedby="door-hint"
                    data-testid=testids::DOOR_CODE prop:value=code on:input=move |event| code.set(event_target_value(&event))/>
                <span class="hint" id="door-hint">"Six digits. Without the app, a recovery code."</span>
            </div>
            <div class="row"><button type="submit" class="btn primary" aria-busy=move || busy.get().to_string()
                disabled=move || busy.get() || !is_ready() data-testid=testids::DOOR_SIGN_IN>"Sign in"</button></div>
        </form>
    }
}

#[component]
fn UnlockForm(failure: RwSignal<Option<Failure>>) -> impl IntoView {
    let passphrase = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let unlock = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let asked = Unlock {
            passphrase: passphrase.get_untracked(),
        };
        passphrase.set(String::new());
        then_reload(busy, failure, async move {
            let opened = transport::post::<SessionView>("/api/session/unlock", &asked).await;
            opened.map(drop)
        });
    };
    view! {
        <form class="stack" on:submit=unlock>
            <Secret id="door-unlock" label="Passphrase" value=passphrase autocomplete="current-password" testid=testids::DOOR_PASSPHRASE first=true/>
            <div class="row"><button type="submit" class="btn primary" aria-busy=move || busy.get().to_string()
                disabled=move || busy.get() || passphrase.with(String::is_empty) data-testid=testids::DOOR_UNLOCK>"Go on"</button></div>
        </form>
    }
}

/// Who else has a session in this browser.
#[component]
fn Others(others: Vec<fog_api::OtherSession>, failure: RwSignal<Option<Failure>>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let is_empty = others.is_empty();
    let one = move |other: fog_api::OtherSession| {
        let person = other.person;
        let switch = move |_| {
            let asked = SwitchSession {
                person: person.clone(),
            };
            then_reload(busy, failure, async move {
                let gone = transport::post::<SessionView>("/api/session/switch", &asked).await;
                gone.map(drop)
            });
        };
        view! {
            <button type="button" class="btn" disabled=move || busy.get() data-testid=testids::DOOR_OTHER on:click=switch>
                <Icon name="user"/><bdi>{other.name}</bdi>
            </button>
        }
    };
    view! {
        <div class="stack tight" hidden=is_empty>
            <h2 class="label-text">"Also signed in at this window"</h2>
            <div class="row">{others.into_iter().map(one).collect_view()}</div>
        </div>
    }
}

/// The ways past a locked session.
#[component]
fn Leave(
    name: String,
    is_other: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
) -> impl IntoView {
    let busy = RwSignal::new(false);
    let says = move || match is_other.get() {
        true => format!("Back to {name}"),
        false => "Somebody else signs in".to_owned(),
    };
    let turn = move |_| {
        failure.set(None);
        is_other.update(|is_other| *is_other = !*is_other);
    };
    let sign_out = move |_| {
        then_reload(busy, failure, async {
            transport::delete("/api/session").await
        })
    };
    view! {
        <div class="row">
            <button type="button" class="btn quiet" data-testid=testids::DOOR_SOMEBODY_ELSE on:click=turn>{says}</button>
            <button type="button" class="btn quiet" hidden=move || is_other.get() disabled=move || busy.get()
                data-testid=testids::DOOR_SIGN_OUT on:click=sign_out>"Sign out"</button>
        </div>
    }
}
