//! What was granted, followed as it comes: newest values, plots, the time that is left, and the cut.
//!
//! Upon the end, whatever ended it: the values leave the screen, and why stands in their place. Upon a stream that broke:
//! the request is asked for, and while it still holds the stream is opened again from where it was.

use fog_api::{AccessRow, AccessState, ApiError, LiveAccess};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::shown::Spans;
use crate::components::time::local_clock;
use crate::components::{Icon, Note, VitalTile};
use crate::failure::Failure;
use crate::followed::Followed;
use crate::live::{after, use_live};
use crate::plot::Plots;
use crate::route::escape;
use crate::transport::{self, Signal as Report, Stream};
use crate::words::requests;
use crate::words::state::State;
use crate::{live, testids};

/// Pause before a broken stream is opened again, in milliseconds.
const AGAIN: u64 = 2_000;
/// A value is one of now for so long, in milliseconds.
const FRESH: i64 = 10_000;

/// What is followed. `Copy`: signals are handles.
#[derive(Clone, Copy)]
pub(super) struct Follow {
    /// The request; none while nothing is followed.
    row: RwSignal<Option<AccessRow>>,
    followed: RwSignal<Followed>,
    /// Why nothing follows.
    end: RwSignal<Option<ApiError>>,
    is_up: RwSignal<bool>,
    stream: StoredValue<Option<Stream>, LocalStorage>,
}

impl Follow {
    pub(super) fn new() -> Self {
        Self {
            row: RwSignal::new(None),
            followed: RwSignal::default(),
            end: RwSignal::new(None),
            is_up: RwSignal::new(false),
            stream: StoredValue::new_local(None),
        }
    }

    /// Follows this request from now on, and no other.
    pub(super) fn begin(self, row: AccessRow) {
        self.stream.set_value(None);
        self.followed.set(Followed::default());
        self.end.set(None);
        self.row.set(Some(row));
        self.open();
    }

    fn stop(self) {
        self.stream.set_value(None);
        self.row.set(None);
        self.followed.set(Followed::default());
    }

    /// The address of what is followed; none once it has ended, or the page is gone.
    fn path(self) -> Option<String> {
        let is_over = self.end.try_with_untracked(Option::is_some)?;
        let handle = self
            .row
            .try_with_untracked(|row| Some(row.as_ref()?.handle.clone()))??;
        (!is_over).then(|| format!("/api/access/{}", escape(&handle)))
    }

    fn open(self) {
        let Some(path) = self.path() else { return };
        let from = self.followed.with_untracked(Followed::go_on_from);
        let from = from.map(|from| format!("?from={from}")).unwrap_or_default();
        let stream = Stream::open(&format!("{path}/live{from}"), move |report| match report {
            Report::Up => {
                self.is_up.try_set(true);
            }
            Report::Down => self.broken(),
            Report::Message(text) => self.hear(&text),
        });
        self.stream.set_value(Some(stream));
    }

    fn hear(self, text: &str) {
        match serde_json::from_str::<LiveAccess>(text) {
            Ok(LiveAccess::Shown(shown)) => {
                self.is_up.try_set(true);
                self.followed.try_update(|followed| followed.take(*shown));
            }
            Ok(LiveAccess::Ended(end)) => {
                let last = self.followed.try_with_untracked(Followed::last).flatten();
                self.cut(requests::cut(&end, last.map(local_clock)));
            }
            // A newer node may say more than this console knows.
            Err(_) => {}
        }
    }

    /// Takes the values away, and says why.
    fn cut(self, why: ApiError) {
        self.end.try_set(Some(why));
        self.followed.try_set(Followed::default());
        self.close_soon();
    }

    /// Not at once: a stream may be saying something while it is closed.
    fn close_soon(self) {
        after(0, move || {
            self.stream.try_set_value(None);
        });
    }

    /// The stream broke, or was refused, of which it does not say why.
    fn broken(self) {
        self.is_up.try_set(false);
        self.close_soon();
        let Some(path) = self.path() else { return };
        after(AGAIN, move || {
            spawn_local(async move {
                let asked = transport::get::<AccessRow>(&path).await;
                if self.path().as_ref() != Some(&path) {
                    return;
                }
                match asked {
                    Ok(row) if may_follow(&row, live::here_now()) => self.open(),
                    Ok(row) => self.cut(requests::cut_meanwhile(&row)),
                    Err(Failure::Refused(why)) => self.cut(why),
                    Err(_) => self.broken(),
                }
            });
        });
    }
}

/// Whether something of it is to come.
pub(super) fn may_follow(row: &AccessRow, now: i64) -> bool {
    let until = i64::try_from(row.until).unwrap_or(i64::MAX);
    row.is_own && row.state == AccessState::Granted && now < until
}

/// The card; nothing until something is followed.
#[component]
pub(super) fn Live(follow: Follow) -> impl IntoView {
    move || {
        follow
            .row
            .get()
            .map(|row| view! { <Card row=row follow=follow/> })
    }
}

#[component]
fn Card(row: AccessRow, follow: Follow) -> impl IntoView {
    let live = use_live();
    let is_over = Memo::new(move |_| follow.end.with(Option::is_some));
    let readings = move || {
        follow
            .followed
            .with(|followed| followed.readings.to_string())
    };
    let state = {
        let row = row.clone();
        move || requests::following(&row, live.now.get(), follow.is_up.get(), is_over.get())
    };
    let told = move || follow.followed.with(requests::told_live);
    let missing = move || {
        let missing = follow.followed.with(|followed| followed.missing.clone());
        let words = missing.into_iter().map(|missing| {
            let why = missing.why;
            view! { <p class="wrap">{format!("Nothing from {}: {} {}", missing.node, why.why, why.next)}</p> }
        });
        words.collect_view()
    };
    let stop = move || {
        if is_over.get() {
            "Close"
        } else {
            "Stop following"
        }
    };
    view! {
        <section class="card" aria-labelledby="h-following" data-testid=testids::REQUEST_LIVE data-readings=readings
            data-handle=row.handle.clone()>
            <div class="card-head">
                <h2 id="h-following">"Live"</h2><p role="status">{state}</p>
                <div class="push"><button type="button" class="btn" data-testid=testids::REQUEST_STOP on:click=move |_| follow.stop()>{stop}</button></div>
            </div>
            {move || match is_over.get() {
                true => view! { <Cut follow=follow/> }.into_any(),
                false => view! { <Values follow=follow/> }.into_any(),
            }}
            <div class="card-body" hidden=is_over>{missing}<p class="soft">{told}</p></div>
        </section>
    }
}

#[component]
fn Cut(follow: Follow) -> impl IntoView {
    let why = follow.end.get_untracked();
    why.map(|why| {
        view! {
            <div class="card-body"><Note state=State::Attention words=why testid=testids::REQUEST_CUT/></div>
        }
    })
}

#[component]
fn Values(follow: Follow) -> impl IntoView {
    let live = use_live();
    let followed = follow.followed;
    let codes = Memo::new(move |_| followed.with(Followed::codes));
    let spec = Signal::derive(move || followed.with(Followed::spec));
    let is_drawn = Memo::new(move |_| spec.with(|spec| !spec.panels.is_empty()));
    let spans = move || followed.with(|followed| followed.spans.clone());
    let has_spans = Memo::new(move |_| followed.with(|followed| !followed.spans.is_empty()));
    let is_empty = Memo::new(move |_| followed.with(|followed| followed.last().is_none()));
    let tile = move |code: String| {
        let vital = {
            let code = code.clone();
            Signal::derive(move || followed.with(|followed| followed.newest(&code)))
        };
        let time = move || vital.with(|vital| vital.as_ref().map(|vital| vital.time));
        let now = Signal::derive(move || time().is_some_and(|time| live.now.get() - time < FRESH));
        let below = Signal::derive(move || time().map(local_clock).unwrap_or_default());
        view! { <VitalTile code=code vital=vital now=now below=below/> }
    };
    view! {
        <div class="vitals" hidden=move || codes.with(Vec::is_empty)>
            <For each=move || codes.get() key=Clone::clone let:code>{tile(code)}</For>
        </div>
        <Show when=move || is_drawn.get()><div class="card-body"><Plots spec=spec/></div></Show>
        {move || has_spans.get().then(|| view! { <div class="card-body"><Spans spans=spans()/></div> })}
        <div class="empty" hidden=move || !is_empty.get()><Icon name="eye"/><p>"Nothing new yet. What is measured from now on comes here within seconds."</p></div>
    }
}
