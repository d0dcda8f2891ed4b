//! What a patient agreed to: the list in plain words, one more, and its withdrawal.

use fog_api::{Capability, ConsentRow};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::consent_form::Give;
use crate::components::{Ask, FailureNote, Icon, Loading, StateMark, local_day};
use crate::failure::Failure;
use crate::live::use_live;
use crate::route::escape;
use crate::session::use_session;
use crate::testids;
use crate::transport;
use crate::words::consents;
use crate::words::policies::listed;

/// Between two questions while the ledger is still to hear of something, in milliseconds.
const SOON_MILLIS: i64 = 2_000;
/// Between two questions else.
const LATER_MILLIS: i64 = 60_000;

/// The consents of the patient of the page.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    /// Where they are.
    pub(super) path: StoredValue<String>,
    /// Whether it is the patient herself who looks.
    pub(super) is_own: bool,
    rows: RwSignal<Option<Vec<ConsentRow>>>,
    failure: RwSignal<Option<Failure>>,
    is_busy: RwSignal<bool>,
}

impl Desk {
    fn ask(self) {
        let path = self.path.get_value();
        spawn_local(async move { transport::show(&path, self.rows, self.failure).await });
    }

    /// Takes a consent in as the node has just told it.
    pub(super) fn learn(self, row: ConsentRow) {
        self.rows.try_update(|rows| {
            let rows = rows.get_or_insert_default();
            rows.retain(|known| known.id != row.id);
            rows.push(row);
            rows.sort_by_key(|row| std::cmp::Reverse(row.since));
        });
    }

    fn withdraw(self, id: &str) {
        if self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        let path = format!("{}/{}/withdraw", self.path.get_value(), escape(id));
        spawn_local(async move {
            match transport::post::<ConsentRow>(&path, &()).await {
                Ok(row) => {
                    self.failure.try_set(None);
                    self.learn(row);
                }
                // The page may be gone by now.
                Err(why) => drop(self.failure.try_set(Some(why))),
            }
            self.is_busy.try_set(false);
        });
    }
}

/// The card.
#[component]
pub(super) fn Consents(
    /// Where what belongs to the patient is: `/api/patients/ID`, or `/api/me`.
    base: String,
    /// Whether it is the patient herself who looks.
    #[prop(optional)]
    is_own: bool,
) -> impl IntoView {
    let (live, session) = (use_live(), use_session());
    let desk = Desk {
        path: StoredValue::new(format!("{base}/consents")),
        is_own,
        rows: RwSignal::new(None),
        failure: RwSignal::new(None),
        is_busy: RwSignal::new(false),
    };
    let turn = Memo::new(move |_| {
        let waits = desk.rows.with(|rows| {
            let mut rows = rows.iter().flatten();
            rows.any(consents::is_on_its_way)
        });
        let every = if waits { SOON_MILLIS } else { LATER_MILLIS };
        (live.epoch.get(), every, live.now.get().div_euclid(every))
    });
    Effect::new(move || {
        turn.get();
        desk.ask();
    });
    let opens = RwSignal::new(false);
    // What somebody says is kept with her name, so nobody can before people are registered.
    let may_give = is_own || (session.may(Capability::Assign) && !session.is_set_up());
    let is_told = Memo::new(move |_| desk.rows.with(Option::is_some));
    let says = move || {
        desk.rows
            .with(|rows| rows.as_deref().map(consents::summary))
    };
    let is_empty = move || {
        desk.rows
            .with(|rows| rows.as_ref().is_some_and(Vec::is_empty))
    };
    let rows = move || desk.rows.get().unwrap_or_default();
    let nothing = match is_own {
        true => "You have agreed to nothing. What the clinic’s policies permit holds without it.",
        false => "Nothing was agreed to. What the clinic’s policies permit holds without it.",
    };
    let key = |row: &ConsentRow| serde_json::to_string(row).unwrap_or_default();
    view! {
        <section class="card" aria-labelledby="h-consents">
            <div class="card-head">
                <h2 id="h-consents">"Consent"</h2><p role="status">{says}</p>
                <button type="button" class="btn push" hidden=!may_give data-testid=testids::CONSENT_NEW on:click=move |_| opens.set(true)>
                    <Icon name="plus"/>{if is_own { "Give a consent" } else { "Write a consent down" }}</button>
            </div>
            {move || (!is_told.get() && desk.failure.with(Option::is_none)).then(|| view! { <Loading what="Asking the node for consents"/> })}
            <For each=rows key=key let:row><Row row=row desk=desk may_withdraw=may_give/></For>
            <div class="empty" hidden=move || !is_empty()><Icon name="check"/><p>{nothing}</p></div>
            {move || desk.failure.get().map(|failure| view! { <div class="card-body full"><FailureNote failure=failure/></div> })}
        </section>
        {may_give.then(|| view! { <Give open=opens desk=desk/> })}
    }
}

#[component]
fn Row(row: ConsentRow, desk: Desk, may_withdraw: bool) -> impl IntoView {
    let asks = RwSignal::new(false);
    let (state, word) = consents::standing(&row);
    let mark = match state {
        Some(state) => view! { <StateMark state=state word=word.to_owned()/> }.into_any(),
        None => {
            view! { <span class="state"><Icon name="lock"/><span>{word}</span></span> }.into_any()
        }
    };
    let (signed, doubt, said_by) = consents::said_by(&row);
    let said_by = match doubt {
        Some(state) => view! { <StateMark state=state word=said_by/> }.into_any(),
        None => view! { <span>{said_by}</span> }.into_any(),
    };
    let purposes: Vec<_> = row
        .purposes
        .iter()
        .map(|one| one.replace('_', " "))
        .collect();
    let may_withdraw = may_withdraw && consents::is_open(&row);
    let id = row.id.clone();
    let withdraw = move |()| desk.withdraw(&id);
    view! {
        <article class="card-body stack tight" data-testid=testids::CONSENT_ROW data-consent=row.id.clone() data-standing=word data-signed=signed>
            <div class="row">
                <h3>{consents::means(&row)}</h3>
                <span class="push">{mark}</span>
            </div>
            <p class="soft wrap">"“"<bdi>{row.words.clone()}</bdi>"”"</p>
            <p class="small dim">"For "{listed(&purposes)}". "{consents::times(&row, local_day)}</p>
            <p class="small">{said_by}</p>
            <div class="row" hidden=!may_withdraw>
                <button type="button" class="btn" disabled=desk.is_busy data-testid=testids::CONSENT_WITHDRAW on:click=move |_| asks.set(true)>"Withdraw"</button>
            </div>
        </article>
        <Ask open=asks question="Withdraw this consent?"
            explains="Nobody can read any more what rests on it, from the next block on; what was read before stays read. It cannot be put back: a new one has to be given."
            keep="Let it hold" act="Withdraw" on_act=withdraw testids=(testids::CONSENT_WITHDRAW_KEEP, testids::CONSENT_WITHDRAW_CONFIRM)/>
    }
}
