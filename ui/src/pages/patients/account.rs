//! The account with which a patient signs in and sees her own record: linked by staff, and unlinked.

use fog_api::{Capability, LinkPerson, LinkedPerson, PatientView};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{Ask, FailureNote, Icon, StateMark, local_day};
use crate::failure::Failure;
use crate::session::use_session;
use crate::testids;
use crate::transport;
use crate::words::state::State;

/// What is said to the node, one thing at a time.
#[derive(Clone, Copy)]
struct Linking {
    view: RwSignal<Option<PatientView>>,
    path: StoredValue<String>,
    is_busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
}

impl Linking {
    fn send(self, login: Option<String>) {
        if self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        self.failure.set(None);
        let path = self.path.get_value();
        spawn_local(async move {
            // The page may be gone by now.
            match transport::post::<PatientView>(&path, &LinkPerson { login }).await {
                Ok(told) => drop(self.view.try_set(Some(told))),
                Err(why) => drop(self.failure.try_set(Some(why))),
            }
            self.is_busy.try_set(false);
        });
    }
}

/// The card.
#[component]
pub(super) fn SignsIn(
    view: RwSignal<Option<PatientView>>,
    /// Where what belongs to the patient is.
    base: String,
) -> impl IntoView {
    let session = use_session();
    let linking = Linking {
        view,
        path: StoredValue::new(format!("{base}/person")),
        is_busy: RwSignal::new(false),
        failure: RwSignal::new(None),
    };
    let linked = Memo::new(move |_| view.with(|view| view.as_ref()?.person.clone()));
    // Who links is kept with the link, so nobody can before people are registered.
    let may_link = session.may(Capability::Assign) && !session.is_set_up();
    view! {
        <section class="card" aria-labelledby="h-signs-in">
            <div class="card-head"><h2 id="h-signs-in">"Signs in"</h2></div>
            {move || match linked.get() {
                Some(person) => view! { <Linked person=person linking=linking may_link=may_link/> }.into_any(),
                None => view! { <Link linking=linking may_link=may_link/> }.into_any(),
            }}
            {move || linking.failure.get().map(|failure| view! { <div class="card-body full"><FailureNote failure=failure/></div> })}
        </section>
    }
}

#[component]
fn Linked(person: LinkedPerson, linking: Linking, may_link: bool) -> impl IntoView {
    let asks = RwSignal::new(false);
    let closed = (!person.is_open).then(|| {
        view! { <StateMark state=State::Attention word="This account may not sign in as a patient now".to_owned()/> }
    });
    view! {
        <div class="card-body stack" data-testid=testids::PATIENT_ACCOUNT data-login=person.login.clone()>
            <p><b><bdi>{person.name}</bdi></b>" signs in as "<bdi>{person.login.clone()}</bdi>" and sees this record, her consents and who looked."</p>
            {closed}
            <p class="small dim">"Linked by "<bdi>{person.by}</bdi>", "{local_day(person.since)}</p>
            <div class="row" hidden=!may_link><button type="button" class="btn" disabled=linking.is_busy data-testid=testids::PATIENT_UNLINK
                on:click=move |_| asks.set(true)>"Unlink"</button></div>
        </div>
        <Ask open=asks question="Unlink the account from this record?"
            explains="It opens nothing of this patient any more, and what was granted to her as the patient herself ends. Her consents stay."
            keep="Leave it linked" act="Unlink" on_act=move |()| linking.send(None)
            testids=(testids::PATIENT_UNLINK_KEEP, testids::PATIENT_UNLINK_CONFIRM)/>
    }
}

#[component]
fn Link(linking: Linking, may_link: bool) -> impl IntoView {
    let login = RwSignal::new(String::new());
    let is_empty = move || login.with(|login| login.trim().is_empty());
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let typed = login.get_untracked().trim().to_owned();
        if !typed.is_empty() {
            linking.send(Some(typed));
        }
    };
    view! {
        <p class="card-body small soft">"No account opens this record. An admin registers the patient under "<i>"People"</i>", as a patient; with the login she gets, she sees her own record here, and nobody else’s."</p>
        {may_link.then(|| view! {
            <form class="card-foot row" on:submit=send>
                <label class="vh" for="link-login">"Login of her account"</label>
                <input class="input filter" id="link-login" maxlength="32" autocomplete="off" autocapitalize="none" spellcheck="false"
                    placeholder="Her login" data-testid=testids::PATIENT_LOGIN
                    prop:value=login on:input=move |event| login.set(event_target_value(&event))/>
                <button type="submit" class="btn primary" disabled=move || linking.is_busy.get() || is_empty()
                    data-testid=testids::PATIENT_LINK><Icon name="key"/>"Link"</button>
            </form>
        })}
    }
}
