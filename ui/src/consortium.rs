//! The consortium as the node last told it, asked for again while somebody looks.
//!
//! While a page watches: every two seconds and upon each new block. Else once a minute, so that the menu
//! says when a vote is asked. One question is out at a time; what was told stays until it is told anew.

use fog_api::consortium::ConsortiumView;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::failure::Failure;
use crate::live::{Link, Live, after, here_now};
use crate::transport;

/// Between two questions while a page watches, in milliseconds.
const WATCHED_MILLIS: i64 = 2_000;
/// Between two questions else.
const UNWATCHED_MILLIS: i64 = 60_000;
/// Shortest time between an answer and the next question.
const PAUSE_MILLIS: u64 = 400;

/// What is known of the consortium. `Copy`: signals are handles.
#[derive(Clone, Copy)]
pub struct Consortium {
    /// The newest answer; `None` before the first.
    pub view: RwSignal<Option<ConsortiumView>>,
    /// Why the last question had no answer.
    pub failure: RwSignal<Option<Failure>>,
    /// The node's clock when the newest answer came, in Unix milliseconds.
    pub told: RwSignal<i64>,
    live: Live,
    watchers: RwSignal<u32>,
    asking: StoredValue<bool>,
    again: StoredValue<bool>,
}

/// The consortium of this page.
#[must_use]
pub fn use_consortium() -> Consortium {
    expect_context()
}

impl Consortium {
    /// Begins to ask.
    #[must_use]
    pub fn start(live: Live) -> Self {
        let desk = Self {
            view: RwSignal::new(None),
            failure: RwSignal::new(None),
            told: RwSignal::new(0),
            live,
            watchers: RwSignal::new(0),
            asking: StoredValue::new(false),
            again: StoredValue::new(false),
        };
        let turn = Memo::new(move |_| {
            let every = if desk.watchers.get() > 0 {
                WATCHED_MILLIS
            } else {
                UNWATCHED_MILLIS
            };
            (every, live.now.get().div_euclid(every))
        });
        let newest = Memo::new(move |_| {
            live.blocks
                .with(|blocks| blocks.as_ref()?.first().map(|block| block.height))
        });
        Effect::new(move || {
            live.epoch.track();
            // Read, not only tracked: a memo that nobody reads follows nothing.
            turn.get();
            desk.ask();
        });
        Effect::new(move || {
            newest.get();
            if desk.watchers.get_untracked() > 0 {
                desk.ask();
            }
        });
        desk
    }

    /// Asks often until the page that calls this is gone.
    pub fn watch(self) {
        self.watchers.update(|watchers| *watchers += 1);
        on_cleanup(move || {
            self.watchers
                .update(|watchers| *watchers = watchers.saturating_sub(1));
        });
    }

    /// Asks now, or right after the question that is out.
    pub fn ask(self) {
        let away = matches!(
            self.live.link.get_untracked(),
            Link::Offline(_) | Link::NotAllowed
        );
        if away || document().hidden() {
            return;
        }
        if self.asking.get_value() {
            self.again.set_value(true);
            return;
        }
        self.asking.set_value(true);
        spawn_local(async move {
            match transport::get::<ConsortiumView>("/api/consortium").await {
                Ok(view) => self.take(view),
                Err(failure) => self.failed(failure),
            }
            after(PAUSE_MILLIS, move || {
                self.asking.set_value(false);
                if self.again.try_update_value(std::mem::take) == Some(true) {
                    self.ask();
                }
            });
        });
    }

    fn failed(self, failure: Failure) {
        // The same words again would be read out again.
        let known = self
            .failure
            .with_untracked(|known| known.as_ref() == Some(&failure));
        if !known {
            self.failure.set(Some(failure));
        }
    }

    fn take(self, view: ConsortiumView) {
        self.told.set(node_now(self.live));
        if self.failure.with_untracked(Option::is_some) {
            self.failure.set(None);
        }
        if self
            .view
            .with_untracked(|known| known.as_ref() != Some(&view))
        {
            self.view.set(Some(view));
        }
    }

    /// Something of the newest answer; the default before the first.
    pub fn read<T: Default>(self, what: impl FnOnce(&ConsortiumView) -> T) -> T {
        self.view
            .with(|view| view.as_ref().map(what).unwrap_or_default())
    }

    /// Something of the newest answer that tells its readers only when it changed.
    pub fn part<T>(self, what: fn(&ConsortiumView) -> T) -> Memo<T>
    where
        T: Default + PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.read(what))
    }
}

/// The node's clock now.
fn node_now(live: Live) -> i64 {
    here_now() + live.skew_millis()
}
