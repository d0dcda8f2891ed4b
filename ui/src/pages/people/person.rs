//! One person in the list: roles, standing, and what an admin may change.

use fog_api::{Capability, Enrol, Enrolment, GiveRoles, Person, PersonStanding};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Desk;
use super::roles::RoleBoxes;
use crate::components::{Ask, FailureNote, Icon, StateMark, modal};
use crate::failure::Failure;
use crate::route::escape;
use crate::session::use_session;
use crate::words::people;
use crate::words::state::State;
use crate::{session, testids, transport};

/// The row, with its questions.
#[component]
pub(super) fn Row(person: Person, desk: Desk, now: Memo<i64>) -> impl IntoView {
    let is_active = person.standing == PersonStanding::Active;
    let may_manage = use_session().may(Capability::ManagePeople) && is_active;
    let stood = {
        let person = person.clone();
        Memo::new(move |_| people::standing(&person, now.get()))
    };
    let state = Signal::derive(move || stood.with(|(state, _)| *state));
    let word = Signal::derive(move || stood.with(|(_, word)| word.clone()));
    let stripe = move || match state.get() {
        State::Ok => None,
        other => Some(other.key()),
    };
    let on_ledger = people::on_ledger(&person);
    let key: String = person.signing_key.chars().take(8).collect();
    let open = RwSignal::new(false);
    view! {
        <tr data-state=stripe data-testid=testids::PERSON_ROW data-login=person.login.clone()>
            <th scope="row"><bdi>{person.name.clone()}</bdi><small>{person.login.clone()}</small></th>
            <td class="wrap">{people::roles(&person.roles)}</td>
            <td data-p="1"><StateMark state=state word=word/></td>
            <td class="wrap" data-p="2"><StateMark state=on_ledger.0 word=on_ledger.1/></td>
            <td class="num" data-p="3">{is_active.then_some(person.recovery_codes)}</td>
            <td class="hash" data-p="3">{key}</td>
            <td class="num">{may_manage.then(|| view! {
                <button type="button" class="btn quiet icon-only" data-testid=testids::PERSON_CHANGE on:click=move |_| open.set(true)>
                    <Icon name="more"/><span class="vh">"Change "{person.name.clone()}</span>
                </button>
                <Change person=person.clone() desk=desk open=open/>
            })}</td>
        </tr>
    }
}

/// Sends a change, and asks for the list again.
fn change<T: serde::de::DeserializeOwned + 'static>(
    path: String,
    body: impl serde::Serialize + 'static,
    failure: RwSignal<Option<Failure>>,
    then: impl FnOnce(T) + 'static,
) {
    failure.set(None);
    spawn_local(async move {
        match transport::post::<T>(&path, &body).await {
            Ok(done) => then(done),
            Err(why) => {
                session::hold(false);
                failure.try_set(Some(why));
            }
        }
    });
}

/// Roles, enrolling anew, revoking.
#[component]
fn Change(person: Person, desk: Desk, open: RwSignal<bool>) -> impl IntoView {
    let failure = RwSignal::new(None::<Failure>);
    let roles = RwSignal::new(person.roles.clone());
    let kept = StoredValue::new(person.roles.clone());
    let asking = RwSignal::new(false);
    let (dialog, closed) = modal(open, move || {
        failure.set(None);
        roles.set(kept.get_value());
    });
    let path = StoredValue::new(format!("/api/people/{}", escape(&person.id)));
    let at = move |what: &str| path.with_value(|path| format!("{path}/{what}"));
    let own = use_session()
        .person()
        .is_some_and(|own| own.id == person.id);
    let changed = move |_: Person| {
        open.try_set(false);
        // Whose roles change is locked, this window's person as well.
        match own {
            true => session::reload(),
            false => desk.ask(),
        }
    };
    let give = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let asked = GiveRoles {
            roles: roles.get_untracked(),
        };
        change(at("roles"), asked, failure, changed);
    };
    let revoke = move |()| change(at("revoke"), (), failure, changed);
    let enrol = move |_| {
        session::hold(true);
        change(
            at("enrolment"),
            Enrol::default(),
            failure,
            move |enrolment: Enrolment| {
                open.try_set(false);
                desk.enrolled.try_set(Some(enrolment));
            },
        );
    };
    let is_same =
        move || roles.with(|roles| roles.is_empty() || kept.with_value(|kept| kept == roles));
    let title = format!("h-change-{}", person.id);
    let question = format!("Revoke {} for good?", person.name);
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby=title.clone() on:close=closed>
            <form class="stack" on:submit=give>
                <div><h2 id=title.clone()><bdi>{person.name.clone()}</bdi></h2>
                    <p class="soft">"Other roles lock the person’s sessions; the passphrase opens them under the new ones."</p></div>
                <RoleBoxes chosen=roles testid=testids::PERSON_GIVE/>
                <div class="row">
                    <button type="button" class="btn" data-testid=testids::PERSON_ENROL on:click=enrol>"New app and recovery codes"</button>
                    <button type="button" class="btn danger" data-testid=testids::PERSON_REVOKE on:click=move |_| { open.set(false); asking.set(true); }>"Revoke"</button>
                </div>
                {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
                <footer>
                    <button type="button" class="btn" on:click=move |_| open.set(false)>"Leave it as it is"</button>
                    <button type="submit" class="btn primary" disabled=is_same data-testid=testids::PERSON_ROLES_CONFIRM>"Give these roles"</button>
                </footer>
            </form>
        </dialog>
        <Ask open=asking question=question explains="The person is signed out everywhere and cannot sign in again; the login name is not given to anybody else. What was done in their name stays."
            keep="Keep" act="Revoke" on_act=revoke testids=(testids::PERSON_KEEP, testids::PERSON_REVOKE_CONFIRM)/>
        {move || failure.get().filter(|_| !open.get()).map(|failure| view! { <FailureNote failure=failure/> })}
    }
}
