//! An answer of the node that no event tells of, asked for again while a page looks at it.

use fog_api::{Interaction, LedgerDevice};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::live::after;
use crate::transport;

/// Between an answer and the next question in milliseconds, where a person waits for what others do.
const PAUSE_MILLIS: u64 = 2_000;
/// The same for the whole registry.
const REGISTRY_PAUSE_MILLIS: u64 = 10_000;

/// The newest answer to one question. `Copy`: signals are handles.
pub struct Watched<T: Send + Sync + 'static> {
    /// The newest answer; `None` before the first.
    pub answer: RwSignal<Option<T>>,
    /// Why the last question had no answer.
    pub failure: RwSignal<Option<Failure>>,
    path: &'static str,
}

impl<T: Send + Sync + 'static> Clone for Watched<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Watched<T> {}

/// The devices on the ledger, asked for until the page that calls this is gone.
#[must_use]
pub fn ledger_devices() -> Watched<Vec<LedgerDevice>> {
    watch("/api/ledger/devices", REGISTRY_PAUSE_MILLIS)
}

/// The devices that were handed to this node and wait to be taken.
#[must_use]
pub fn incoming() -> Watched<Vec<LedgerDevice>> {
    watch("/api/handovers", PAUSE_MILLIS)
}

/// Which device may hear which.
#[must_use]
pub fn interactions() -> Watched<Vec<Interaction>> {
    watch("/api/interactions", PAUSE_MILLIS)
}

fn watch<T>(path: &'static str, pause_millis: u64) -> Watched<T>
where
    T: DeserializeOwned + PartialEq + Send + Sync + 'static,
{
    let watched = Watched {
        answer: RwSignal::new(None),
        failure: RwSignal::new(None),
        path,
    };
    watched.look(pause_millis);
    watched
}

impl<T: DeserializeOwned + PartialEq + Send + Sync + 'static> Watched<T> {
    fn look(self, pause_millis: u64) {
        spawn_local(async move {
            if !document().hidden() {
                self.ask().await;
            }
            // The page is gone where its signals are.
            if self.answer.try_with_untracked(|_| ()).is_some() {
                after(pause_millis, move || self.look(pause_millis));
            }
        });
    }

    /// Asks now, beside the questions that come by themselves.
    pub async fn ask(self) {
        match transport::get::<T>(self.path).await {
            Ok(answer) => {
                let is_known = self
                    .answer
                    .try_with_untracked(|known| known.as_ref() == Some(&answer));
                if is_known == Some(false) {
                    self.answer.try_set(Some(answer));
                }
                set_if_new(self.failure, None);
            }
            Err(why) => set_if_new(self.failure, Some(why)),
        }
    }

    /// Something of the newest answer; the default before the first.
    pub fn read<R: Default>(self, what: impl FnOnce(&T) -> R) -> R {
        self.answer
            .with(|answer| answer.as_ref().map(what).unwrap_or_default())
    }
}

/// The same words again would be read out again.
fn set_if_new(failure: RwSignal<Option<Failure>>, new: Option<Failure>) {
    if failure.try_with_untracked(|known| *known != new) == Some(true) {
        failure.try_set(new);
    }
}
