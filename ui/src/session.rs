//! Who is signed in at this window, and what they may do.
//!
//! What a page has loaded belongs to who was signed in then. So whenever that changes (signing in or out, a
//! lock, another person) the whole page is loaded again, and nothing of before is left in it. Upon an answer
//! that says that nobody is signed in any more, this happens by itself, unless something is on screen that is
//! shown once and must not be lost.
//!
//! Left out: what a session is; the node knows (`fog-node`, `people`). The token is in a cookie that the page
//! cannot read.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use fog_api::{Capability, Person, SessionState, SessionView};
use js_sys::{Function, Promise};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::live::here_now;
use crate::transport;

/// Somebody who moves the pointer or types is there; said to the node at most so often, in milliseconds.
const SAY_EVERY: i64 = 20_000;

/// Who is signed in; fixed as long as the page is loaded.
#[derive(Clone, Copy)]
pub struct Session {
    view: StoredValue<Option<SessionView>>,
}

thread_local! {
    /// Whether the console is shown, so that a session that ends is to be noticed.
    static IS_SHOWN: Cell<bool> = const { Cell::new(false) };
    /// Whether something is shown once, so that the page must stay.
    static IS_HELD: Cell<bool> = const { Cell::new(false) };
    static SAID: Cell<i64> = const { Cell::new(0) };
    /// Opens the question for the app's code.
    static ASKING: RefCell<Option<RwSignal<bool>>> = const { RefCell::new(None) };
    /// Who waits for its answer.
    static WAITING: RefCell<Vec<Function>> = const { RefCell::new(Vec::new()) };
}

/// Who is signed in at this page.
#[must_use]
pub fn use_session() -> Session {
    expect_context()
}

impl Session {
    /// Begins to look after the session of this page; `None` where the node did not say.
    #[must_use]
    pub fn start(view: Option<SessionView>) -> Self {
        IS_SHOWN.set(true);
        let is_open = view.as_ref().map(|view| view.state) == Some(SessionState::Open);
        if is_open {
            notice_people();
        }
        Self {
            view: StoredValue::new(view),
        }
    }

    /// Whether the node lets this be done. Where nobody is registered, everything.
    #[must_use]
    pub fn may(self, capability: Capability) -> bool {
        self.view.with_value(|view| {
            view.as_ref()
                .is_none_or(|view| view.may.contains(&capability))
        })
    }

    /// Whether nobody is registered yet.
    #[must_use]
    pub fn is_set_up(self) -> bool {
        self.view.with_value(|view| {
            let state = view.as_ref().map(|view| view.state);
            state == Some(SessionState::SetUp)
        })
    }

    /// Whether somebody is signed in as a patient, and has a record of her own.
    #[must_use]
    pub fn is_patient(self) -> bool {
        self.person().is_some() && self.may(Capability::OwnRecord)
    }

    /// Who it is, once people are registered.
    #[must_use]
    pub fn person(self) -> Option<Person> {
        self.view.with_value(|view| view.as_ref()?.person.clone())
    }

    /// What may be done, all of it.
    #[must_use]
    pub fn all(self) -> BTreeSet<Capability> {
        self.view
            .with_value(|view| view.as_ref().map(|view| view.may.clone()))
            .unwrap_or_default()
    }
}

/// Loads the page again.
pub fn reload() {
    // A window that cannot be loaded again stays; the node answers it nothing.
    window().location().reload().ok();
}

/// Upon an answer that says that nobody is signed in here any more.
pub fn left() {
    if IS_SHOWN.get() && !IS_HELD.get() {
        IS_SHOWN.set(false);
        reload();
    }
}

/// Keeps the page as it is, or lets it go again.
pub fn hold(is_held: bool) {
    IS_HELD.set(is_held);
}

/// Says to the node that somebody is there while keys or the pointer move.
fn notice_people() {
    let notice = || {
        let now = here_now();
        if now - SAID.get() >= SAY_EVERY {
            SAID.set(now);
            // If it is not heard, the session locks, which is safe.
            spawn_local(async {
                transport::tell("/api/session/active").await.ok();
            });
        }
    };
    // They stay as long as the page.
    let _ = window_event_listener(leptos::ev::keydown, move |_| notice());
    let _ = window_event_listener(leptos::ev::pointerdown, move |_| notice());
    let _ = window_event_listener(leptos::ev::pointermove, move |_| notice());
}

/// Where the question for the app's code is shown.
pub fn ask_here(open: RwSignal<bool>) {
    ASKING.set(Some(open));
}

/// Asks for a code of the app; whether one was shown.
pub async fn step_up() -> bool {
    let Some(open) = ASKING.with_borrow(Clone::clone) else {
        return false;
    };
    let answered = Promise::new(&mut |resolve, _| {
        WAITING.with_borrow_mut(|waiting| waiting.push(resolve));
    });
    open.set(true);
    let answered = JsFuture::from(answered).await;
    answered.is_ok_and(|yes| yes.is_truthy())
}

/// Answers all who wait for a code.
pub fn stepped_up(is_done: bool) {
    for resolve in WAITING.take() {
        // Calling a promise's own function does not fail.
        resolve.call1(&JsValue::NULL, &is_done.into()).ok();
    }
}
