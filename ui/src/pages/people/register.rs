//! Registering a person: login name, name, roles, and the person's own passphrase.

use std::collections::BTreeSet;

use fog_api::{AddPerson, Enrolment, Role};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Desk;
use super::roles::RoleBoxes;
use crate::components::secret::Secret;
use crate::components::{FailureNote, Icon};
use crate::failure::Failure;
use crate::session::use_session;
use crate::{session, testids, transport};

/// Shortest passphrase in characters, as the node takes it.
const LEAST: usize = 12;

/// What is missing before a person can be registered.
fn hinders(
    login: &str,
    name: &str,
    roles: &BTreeSet<Role>,
    words: [&str; 2],
) -> Option<&'static str> {
    match () {
        () if login.trim().len() < 2 => Some("Choose a login name."),
        () if name.trim().is_empty() => Some("Write the name that is shown."),
        () if roles.is_empty() => Some("Choose at least one role."),
        () if words[0].chars().count() < LEAST => {
            Some("The passphrase has 12 characters at least.")
        }
        () if words[0] != words[1] => Some("Write the same passphrase below."),
        () => None,
    }
}

/// The card.
#[component]
pub(super) fn Register(desk: Desk) -> impl IntoView {
    let is_first = use_session().is_set_up();
    let [login, name, first, second] = std::array::from_fn(|_| RwSignal::new(String::new()));
    let initial = if is_first {
        [Role::Admin].into()
    } else {
        BTreeSet::new()
    };
    let roles = RwSignal::new(initial);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let missing = Memo::new(move |_| {
        let (first, second) = (first.get(), second.get());
        let words = [first.as_str(), second.as_str()];
        login.with(|login| name.with(|name| roles.with(|roles| hinders(login, name, roles, words))))
    });
    let register = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || missing.with_untracked(Option::is_some) {
            return;
        }
        busy.set(true);
        failure.set(None);
        // Once the first one is registered, this very page is signed out; what is shown once comes first.
        session::hold(true);
        let asked = AddPerson {
            login: login.get_untracked().trim().to_lowercase(),
            name: name.get_untracked(),
            roles: roles.get_untracked(),
            passphrase: first.get_untracked(),
        };
        spawn_local(async move {
            match transport::post::<Enrolment>("/api/people", &asked).await {
                Ok(enrolment) => {
                    for field in [login, name, first, second] {
                        field.try_set(String::new());
                    }
                    roles.try_set(BTreeSet::new());
                    desk.enrolled.try_set(Some(enrolment));
                }
                Err(why) => {
                    session::hold(false);
                    failure.try_set(Some(why));
                }
            }
            busy.try_set(false);
        });
    };
    let (title, act) = match is_first {
        true => (
            "Register the first administrator",
            "Register, and let everybody sign in",
        ),
        false => ("Register a person", "Register"),
    };
    view! {
        <section class="card" aria-labelledby="h-register">
            <div class="card-head"><h2 id="h-register">{title}</h2></div>
            <form class="card-body stack" on:submit=register>
                {is_first.then(|| view! { <p class="small soft">"From then on nobody looks or changes anything here unseen, and what is done has a name. Register a second administrator soon: nobody else can let one in who has lost app and recovery codes."</p> })}
                <div class="pair">
                    <div class="field">
                        <label for="person-login">"Login name"</label>
                        <input class="input" id="person-login" maxlength="32" autocomplete="off" autocapitalize="none" spellcheck="false"
                            data-testid=testids::PERSON_LOGIN prop:value=login on:input=move |event| login.set(event_target_value(&event))/>
                    </div>
                    <div class="field">
                        <label for="person-name">"Name"</label>
                        <input class="input" id="person-name" maxlength="64" autocomplete="off" spellcheck="false"
                            data-testid=testids::PERSON_NAME prop:value=name on:input=move |event| name.set(event_target_value(&event))/>
                    </div>
                </div>
                <RoleBoxes chosen=roles testid=testids::PERSON_ROLE explained=true fixed=is_first.then_some(Role::Admin)/>
                <Secret id="person-first" label="Passphrase, which the person types" value=first autocomplete="new-password" testid=testids::PERSON_PASSPHRASE/>
                <Secret id="person-second" label="Once more" value=second autocomplete="new-password" testid=testids::PERSON_AGAIN/>
                <p class="small dim one-line" role="status">{move || missing.get()}</p>
                <div class="row"><button type="submit" class="btn primary" aria-busy=move || busy.get().to_string()
                    disabled=move || busy.get() || missing.with(Option::is_some) data-testid=testids::PERSON_REGISTER><Icon name="plus"/>{act}</button></div>
                {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            </form>
        </section>
    }
}
