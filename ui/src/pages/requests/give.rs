//! Giving somebody a part of a record that she has not asked for.

use fog_api::{Capability, GrantAccess};
use leptos::prelude::*;

use super::Desk;
use super::part::{Names, Part, Said, Saying, Which, Whose};
use crate::asked::lacks_person;
use crate::components::Icon;
use crate::live::use_live;
use crate::session::use_session;
use crate::words::{people, requests};
use crate::{testids, transport};

const NAMES: Names = Names {
    subject: testids::GIVE_SUBJECT,
    metric: testids::GIVE_METRIC,
    other: testids::GIVE_OTHER,
    period: testids::GIVE_PERIOD,
    lasts: testids::GIVE_LASTS,
    resolution: testids::GIVE_RESOLUTION,
    purpose: testids::GIVE_PURPOSE,
};

/// The card: the form, or why there is none.
#[component]
pub(super) fn GiveAccess(desk: Desk) -> impl IntoView {
    let session = use_session();
    let body = match session.may(Capability::DecideAccess) {
        true => view! { <GiveForm desk=desk/> }.into_any(),
        false => {
            let own = session.person().map(|person| people::roles(&person.roles));
            let why = requests::may_not_give(&own.unwrap_or_default());
            view! { <div class="card-body"><div class="note" data-testid=testids::GIVE_MAY_NOT><Icon name="lock"/><div><p class="wrap">{why}</p></div></div></div> }
                .into_any()
        }
    };
    view! {
        <section class="card" aria-labelledby="h-give">
            <div class="card-head"><h2 id="h-give">"Give access"</h2></div>
            {body}
        </section>
    }
}

#[component]
fn GiveForm(desk: Desk) -> impl IntoView {
    let live = use_live();
    let part = Part::new(NAMES);
    let person = RwSignal::new(String::new());
    let saying = Saying::new();
    let missing = Memo::new(move |_| {
        let nobody = person.with(|person| lacks_person(person));
        nobody.or_else(|| part.hinders(true))
    });
    let is_blocked = move || saying.is_busy.get() || missing.with(Option::is_some);
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if untrack(is_blocked) {
            return;
        }
        let asked = part.asked(live.now.get_untracked());
        let given = GrantAccess {
            person: person.get_untracked().trim().to_owned(),
            subject: asked.subject,
            metrics: asked.metrics,
            from: asked.from,
            until: asked.until,
            resolution: asked.resolution,
            purpose: asked.purpose,
            seconds: asked.seconds,
        };
        let answer = async move { transport::post("/api/access/grant", &given).await };
        // Pressed once more, it would be given once more.
        saying.say(desk, answer, move || drop(person.try_set(String::new())));
    };
    view! {
        <p class="card-body small soft">"To somebody who has not asked. What the policies let her have is granted at once, and you are named as who agreed."</p>
        <form class="card-body stack" on:submit=send>
            <div class="field">
                <label for=testids::GIVE_PERSON>"To whom: login here, or handle on the ledger"</label>
                <input class="input hash" id=testids::GIVE_PERSON maxlength="64" autocomplete="off" autocapitalize="none" spellcheck="false"
                    data-testid=testids::GIVE_PERSON prop:value=person on:input=move |event| person.set(event_target_value(&event))/>
            </div>
            <Whose part=part/>
            <Which part=part/>
            <p class="small dim one-line" role="status">{move || missing.get()}</p>
            <div class="row"><button type="submit" class="btn primary" aria-busy=move || saying.is_busy.get().to_string() disabled=is_blocked
                data-testid=testids::GIVE_SEND><Icon name="key"/>"Give access"</button></div>
            <Said saying=saying/>
        </form>
    }
}
