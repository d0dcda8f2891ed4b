//! The policy that is open: in words or as its text, what it says, and what can be done with it.

use fog_api::{BlockRow, PolicyBlock, PolicyRow, PutPolicy, RetractedPolicy};
use ledger_policy::Rule;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::desk::{Desk, Open};
use super::form::Form;
use super::may_not;
use super::text::Text;
use crate::components::{Ask, FailureNote, Icon, Segments, local_clock_minutes, local_date};
use crate::failure::Failure;
use crate::policy::template::{TEMPLATES, Template};
use crate::route::{Route, escape};
use crate::testids;
use crate::transport;
use crate::words::number::thousands;
use crate::words::policies as words;

/// The card.
#[component]
pub(super) fn Editor(desk: Desk) -> impl IntoView {
    let is_new = Memo::new(move |_| desk.open.with(|open| *open == Some(Open::New)));
    let is_own = Memo::new(move |_| desk.is_own());
    let gone = Memo::new(move |_| desk.gone());
    let is_gone = move || gone.with(Option::is_some);
    let is_begun = Memo::new(move |_| {
        !is_gone() && (!is_new.get() || desk.text.with(|text| !text.is_empty()))
    });
    // What is typed into must stay while it is typed into.
    let part = Memo::new(move |_| match (is_begun.get(), desk.side.get()) {
        _ if is_gone() => "gone",
        (false, "words") => "templates",
        (_, side) => side,
    });
    let title = move || match is_new.get() {
        true => "New policy".to_owned(),
        false => gone.get().map_or_else(|| desk.name.get(), |gone| gone.name),
    };
    let sides = vec![("words", "Words", None), ("cedar", "Cedar", None)];
    view! {
        <section class="card" aria-labelledby="h-policy">
            <div class="card-head">
                <h2 id="h-policy" data-testid=testids::POLICY_OPEN><bdi>{title}</bdi></h2>
                <div class="push" hidden=is_gone><Segments name="policy-side" legend="View as" options=sides value=desk.side testid=testids::POLICY_SIDE/></div>
            </div>
            <div class="card-body stack">
                {move || is_new.get().then(|| view! { <Name desk=desk/> })}
                {move || match part.get() {
                    "gone" => gone.get().map(|gone| view! { <Gone gone=gone/> }).into_any(),
                    "templates" => view! { <Templates desk=desk/> }.into_any(),
                    "words" => view! { <InFields desk=desk is_own=is_own/> }.into_any(),
                    _ => view! { <Text desk=desk readonly=Signal::derive(move || !is_own.get())/> }.into_any(),
                }}
                {move || is_begun.get().then(|| view! { <Said desk=desk/> })}
                {move || desk.row().map(|row| view! { <Since row=row/> })}
            </div>
            {move || (is_begun.get() && is_own.get()).then(|| view! { <Acts desk=desk/> })}
        </section>
    }
}

#[component]
fn Name(desk: Desk) -> impl IntoView {
    view! {
        <div class="field">
            <label for="policy-name">"Name"</label>
            <input class="input" id="policy-name" maxlength="48" autocomplete="off" autocapitalize="none" spellcheck="false"
                data-testid=testids::POLICY_NAME prop:value=desk.name on:input=move |event| desk.name.set(event_target_value(&event))/>
        </div>
    }
}

/// What a new policy can begin with.
#[component]
fn Templates(desk: Desk) -> impl IntoView {
    let begin = move |template: &Template| {
        if desk.name.with_untracked(String::is_empty) {
            desk.name.set(template.name.to_owned());
        }
        desk.text.set(template.rule().to_text());
    };
    let one = move |template: Template| {
        view! {
            <li><button type="button" class="btn port" data-testid=testids::POLICY_TEMPLATE data-key=template.name on:click=move |_| begin(&template)>
                <span>{template.title}<small>{template.about}</small></span>
            </button></li>
        }
    };
    view! {
        <p class="small soft">"Begin with one of these, and change it; or write its text as Cedar."</p>
        <ul class="ports kinds">{TEMPLATES.map(one).collect_view()}</ul>
    }
}

/// The form, where the text is one that fields can say and that may be changed here.
#[component]
fn InFields(desk: Desk, is_own: Memo<bool>) -> impl IntoView {
    let is_plain = Memo::new(move |_| desk.text.with(|text| Rule::from_text(text).is_some()));
    move || {
        match (is_own.get(), is_plain.get()) {
        (true, true) => view! { <Form desk=desk/> }.into_any(),
        (true, false) => view! { <p class="small soft" data-testid=testids::POLICY_NOT_PLAIN>"This text says more than these fields can. Read and change it as Cedar."</p> }.into_any(),
        (false, _) => view! { <p class="small soft">"Another organisation put it, about the data that it holds. It can be read here, not changed."</p> }.into_any(),
    }
    }
}

/// What the node says that the text means.
#[component]
fn Said(desk: Desk) -> impl IntoView {
    let found = Memo::new(move |_| desk.found());
    // While a text is checked, what was said of the last one stays in its place.
    let said = move || {
        desk.checked.with(|checked| {
            let checked = checked.as_ref()?;
            let told = checked.found.words.as_ref()?;
            Some(words::named(&checked.text, told))
        })
    };
    let other = move || match desk
        .checked
        .with(|checked| checked.as_ref().map(|checked| checked.found.faults.len()))
    {
        None => "The node checks it…",
        Some(0) => {
            "It can be in force, but says more than plain words can. Try below who could see what."
        }
        Some(_) => "It has faults, which are marked in its text as Cedar.",
    };
    view! {
        <div class="note policy-said" aria-busy=move || found.with(Option::is_none).to_string() data-testid=testids::POLICY_SAID>
            <Icon name="policies"/>
            <div><p>{move || match said() {
                Some(said) => view! { <b>"In words: "</b>{said} }.into_any(),
                None => other().into_any(),
            }}</p></div>
        </div>
        {move || desk.unchecked.get().map(|failure| view! { <FailureNote failure=failure retry=move |()| desk.check_again()/> })}
    }
}

/// Since when it is in force.
#[component]
fn Since(row: PolicyRow) -> impl IntoView {
    let height = row.height;
    let time = RwSignal::new(None::<i64>);
    spawn_local(async move {
        let path = format!("/api/blocks?from={height}&limit=1");
        // Without its time, the block says as much.
        if let Ok(blocks) = transport::get::<Vec<BlockRow>>(&path).await
            && let Some(block) = blocks.first().filter(|block| block.height == height)
        {
            time.try_set(i64::try_from(block.time).ok());
        }
    });
    let when = move || {
        time.get().map_or_else(String::new, |time| {
            format!(", {}, {}", local_clock_minutes(time), local_date(time))
        })
    };
    view! {
        <p class="small dim num-text">"In force since "
            <a href=Route::Block(height).href()>"block "{thousands(height)}</a>{when}
            " · put by "<bdi>{row.organisation}</bdi></p>
    }
}

/// Since when it is not in force any more.
#[component]
fn Gone(gone: RetractedPolicy) -> impl IntoView {
    let at = |block: PolicyBlock| {
        let time = i64::try_from(block.time).unwrap_or(i64::MAX);
        let when = format!(", {}, {}", local_clock_minutes(time), local_date(time));
        view! { <a href=Route::Block(block.height).href()>"block "{thousands(block.height)}</a>{when} }
    };
    view! {
        <p data-testid=testids::POLICY_GONE>"It permits and forbids nothing any more. What it said is told in its history."</p>
        <p class="small dim num-text">"Retracted at "{at(gone.retracted)}{gone.put.map(|put| view! { " · last put at "{at(put)} })}</p>
    }
}

/// What keeps the draft from being put in force; nothing if it can be.
fn hinders(desk: Desk, may_not: Signal<Option<String>>) -> Option<String> {
    if may_not.with(Option::is_some) {
        return Some("You may try it; an admin puts it in force.".to_owned());
    }
    if desk.row().is_none() {
        let name = desk.name.get();
        let is_taken = desk.rows(|rows| rows.iter().any(|row| row.is_own && row.name == name));
        if let Some(why) = words::name_hinders(&name, is_taken == Some(true)) {
            return Some(why);
        }
    }
    if !desk.is_changed() {
        return Some("Nothing is changed yet.".to_owned());
    }
    match desk.found() {
        None => Some("The node checks it.".to_owned()),
        Some(found) if !found.faults.is_empty() => {
            words::faults(&found.faults).map(|said| format!("{said}."))
        }
        Some(_) => None,
    }
}

#[component]
fn Acts(desk: Desk) -> impl IntoView {
    let may_not = may_not();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let [putting, retracting] = std::array::from_fn(|_| RwSignal::new(false));
    let why = Memo::new(move |_| hinders(desk, may_not));
    let is_blocked = move || busy.get() || why.with(Option::is_some);
    let is_in_force = Memo::new(move |_| desk.row().is_some());
    // What is written meanwhile is not written over.
    let done = move |asked: PutPolicy, result: Result<Open, Failure>| {
        busy.try_set(false);
        match result {
            Ok(next) => desk.follow(&asked, next),
            Err(why) => {
                failure.try_set(Some(why));
            }
        }
    };
    let begin = move || {
        busy.set(true);
        failure.set(None);
        PutPolicy {
            name: desk.name.get_untracked(),
            text: desk.text.get_untracked(),
        }
    };
    let put = move |()| {
        let asked = begin();
        spawn_local(async move {
            let put = transport::post("/api/policies", &asked).await;
            done(asked, put.map(Open::Row));
        });
    };
    let retract = move |()| {
        let asked = begin();
        spawn_local(async move {
            let path = format!("/api/policies/{}", escape(&asked.name));
            let gone = transport::delete(&path).await;
            done(asked, gone.map(|()| Open::New));
        });
    };
    let name = move || desk.name.get();
    view! {
        <div class="card-foot">
            <button type="button" class="btn primary" aria-busy=move || busy.get().to_string() disabled=is_blocked
                data-testid=testids::POLICY_PUT on:click=move |_| putting.set(true)>"Put in force"</button>
            <button type="button" class="btn" hidden=move || !desk.is_changed() disabled=busy
                data-testid=testids::POLICY_UNDO on:click=move |_| desk.undo()>{move || if is_in_force.get() { "As in force" } else { "Begin anew" }}</button>
            <button type="button" class="btn danger" hidden=move || !is_in_force.get() || may_not.with(Option::is_some) disabled=busy
                data-testid=testids::POLICY_RETRACT on:click=move |_| retracting.set(true)>"Retract"</button>
            <span class="dim" role="status" data-testid=testids::POLICY_WHY_NOT>{move || why.get()}</span>
        </div>
        {move || failure.get().map(|failure| view! { <div class="card-body full"><FailureNote failure=failure/></div> })}
        <Ask open=putting question=Signal::derive(move || format!("Put {} in force?", name()))
            explains="It decides from the next block on, on every node, also about what is granted already. What it changes is shown beside it. It stays on the ledger for good, with who put it."
            keep="Not yet" act="Put in force" on_act=put testids=(testids::POLICY_PUT_KEEP, testids::POLICY_PUT_CONFIRM)/>
        <Ask open=retracting question=Signal::derive(move || format!("Put {} out of force?", name()))
            explains="From the next block on it permits and forbids nothing. What was granted by it ends, unless another policy permits it; what it forbade, others may permit. Its text stays on the ledger."
            keep="Keep it" act="Retract" on_act=retract testids=(testids::POLICY_KEEP, testids::POLICY_RETRACT_CONFIRM)/>
    }
}
