//! Who treats a patient, in whichever hospital, or acts for her by law: listed, entered, ended.

use fog_api::{Capability, EndRelation, PatientView, RelatePerson, RelatedPerson};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;

use crate::components::{Ask, FailureNote, Hash, Icon, local_date};
use crate::failure::Failure;
use crate::session::use_session;
use crate::testids;
use crate::transport;

/// What somebody is to a patient: the word for the node, and for people.
const RELATIONS: [(&str, &str); 2] = [
    ("treating", "treats her"),
    ("guardian", "acts for her by law"),
];

fn in_words(relation: &str) -> String {
    let found = RELATIONS.iter().find(|(word, _)| *word == relation);
    found.map_or(relation, |(_, words)| *words).to_owned()
}

/// What is said to the node, one thing at a time.
#[derive(Clone, Copy)]
struct Changing {
    view: RwSignal<Option<PatientView>>,
    path: StoredValue<String>,
    is_busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
}

impl Changing {
    /// Says it at a place under the team; `then` once it is durable.
    fn send(self, under: &str, what: impl Serialize + 'static, then: impl FnOnce() + 'static) {
        if self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        self.failure.set(None);
        let path = self.path.with_value(|path| format!("{path}{under}"));
        spawn_local(async move {
            // The page may be gone by now.
            match transport::post::<PatientView>(&path, &what).await {
                Ok(told) => {
                    self.view.try_set(Some(told));
                    then();
                }
                Err(why) => drop(self.failure.try_set(Some(why))),
            }
            self.is_busy.try_set(false);
        });
    }
}

/// The card.
#[component]
pub(super) fn Team(
    view: RwSignal<Option<PatientView>>,
    /// Where what belongs to the patient is.
    base: String,
) -> impl IntoView {
    let session = use_session();
    let changing = Changing {
        view,
        path: StoredValue::new(format!("{base}/team")),
        is_busy: RwSignal::new(false),
        failure: RwSignal::new(None),
    };
    let team = Memo::new(move |_| {
        view.with(|view| view.as_ref().map(|view| view.team.clone()))
            .unwrap_or_default()
    });
    // Who enters somebody is kept, so nobody can before people are registered.
    let may_change = session.may(Capability::Assign) && !session.is_set_up();
    let key = |one: &RelatedPerson| (one.person.clone(), one.relation.clone(), one.since);
    view! {
        <section class="card" aria-labelledby="h-team">
            <div class="card-head"><h2 id="h-team">"Team"</h2></div>
            <p class="card-body small soft">"Who works here and treats her says so herself. Others, in another hospital or by law, are entered here; what they ask for as that is attested, and ends when they are taken out."</p>
            <ul class="card-body stack" hidden=move || team.with(Vec::is_empty)>
                <For each=move || team.get() key=key let:one><Member one=one changing=changing may_change=may_change/></For>
            </ul>
            {may_change.then(|| view! { <Enter changing=changing/> })}
            {move || changing.failure.get().map(|failure| view! { <div class="card-body full"><FailureNote failure=failure/></div> })}
        </section>
    }
}

#[component]
fn Member(one: RelatedPerson, changing: Changing, may_change: bool) -> impl IntoView {
    let asks = RwSignal::new(false);
    let until = one
        .until
        .map(|until| format!(" until {}", local_date(until)));
    let ended = EndRelation {
        person: one.person.clone(),
        relation: one.relation.clone(),
    };
    let (person, relation) = (one.person.clone(), one.relation.clone());
    view! {
        <li class="stack tight" data-testid=testids::TEAM_MEMBER data-person=person data-relation=relation>
            <div class="row"><p><b><bdi>{one.name}</bdi></b>" "{in_words(&one.relation)}{until}</p>
                <button type="button" class="btn quiet push" hidden=!may_change disabled=changing.is_busy data-testid=testids::TEAM_END
                    on:click=move |_| asks.set(true)>"Take out"</button></div>
            <p class="small dim"><Hash text=one.person/>", entered by "<bdi>{one.by}</bdi>", "{local_date(one.since)}</p>
            <Ask open=asks question="Take this person out of the team?"
                explains="What she asked for or was granted as that ends at once."
                keep="Leave her in" act="Take out" on_act=move |()| changing.send("/end", ended.clone(), || ())
                testids=(testids::TEAM_END_KEEP, testids::TEAM_END_CONFIRM)/>
        </li>
    }
}

#[component]
fn Enter(changing: Changing) -> impl IntoView {
    let (person, name) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let relation = RwSignal::new(RELATIONS[0].0.to_owned());
    let is_empty = move || person.with(|person| person.trim().is_empty());
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if untrack(is_empty) {
            return;
        }
        let name_typed = name.get_untracked().trim().to_owned();
        let asked = RelatePerson {
            person: person.get_untracked().trim().to_owned(),
            relation: relation.get_untracked(),
            name: (!name_typed.is_empty()).then_some(name_typed),
            until: None,
        };
        changing.send("", asked, move || {
            person.try_set(String::new());
            name.try_set(String::new());
        });
    };
    let options = RELATIONS.map(|(word, words)| view! { <option value=word>{words}</option> });
    view! {
        <form class="card-body stack" on:submit=send>
            <div class="field"><label for="team-person">"Handle on the ledger, or login here"</label>
                <input class="input hash" id="team-person" maxlength="64" autocomplete="off" autocapitalize="none" spellcheck="false"
                    data-testid=testids::TEAM_PERSON prop:value=person on:input=move |event| person.set(event_target_value(&event))/></div>
            <div class="pair">
                <div class="field"><label for="team-name">"Called"</label>
                    <input class="input" id="team-name" maxlength="60" autocomplete="off"
                        data-testid=testids::TEAM_NAME prop:value=name on:input=move |event| name.set(event_target_value(&event))/></div>
                <div class="field"><label for="team-relation">"Who"</label>
                    <select class="input" id="team-relation" data-testid=testids::TEAM_RELATION
                        on:change=move |event| relation.set(event_target_value(&event))>{options}</select></div>
            </div>
            <div class="row"><button type="submit" class="btn primary" disabled=move || changing.is_busy.get() || is_empty()
                data-testid=testids::TEAM_ENTER><Icon name="plus"/>"Enter"</button></div>
        </form>
    }
}
