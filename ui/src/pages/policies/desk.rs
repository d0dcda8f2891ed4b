//! What the page works on: the policies as the node told them, the one that is open, its text as written, and what
//! the node's check says of that.

use fog_api::{
    CheckPolicy, PoliciesView, PolicyChecked, PolicyDraft, PolicyRow, PutPolicy, RetractedPolicies,
    RetractedPolicy,
};
use ledger_policy::Rule;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::key;
use crate::failure::Failure;
use crate::live::after;
use crate::transport;
use crate::words::policies::{DRAFT, is_name};

/// How long nothing is written before the node is asked, in milliseconds.
pub(super) const PAUSE: u64 = 250;

/// What is read or written.
#[derive(Clone, PartialEq)]
pub(super) enum Open {
    /// A policy that is not in force yet.
    New,
    /// A policy as it is in force.
    Row(PolicyRow),
    /// A policy that is not in force any more.
    Retracted(RetractedPolicy),
}

/// What the node said of a text.
#[derive(Clone, PartialEq)]
pub(super) struct Checked {
    /// The text.
    pub(super) text: String,
    /// What it said.
    pub(super) found: PolicyChecked,
}

/// Signals are handles, so it is `Copy`.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    /// What is in force; none before the first answer.
    pub(super) view: RwSignal<Option<PoliciesView>>,
    /// What is not in force any more; none while that is not known.
    pub(super) retracted: RwSignal<Option<RetractedPolicies>>,
    /// Why the last question had no answer.
    pub(super) failure: RwSignal<Option<Failure>>,
    /// What is open.
    pub(super) open: RwSignal<Option<Open>>,
    /// What is to be opened, once what is written may be left.
    pub(super) asked_for: RwSignal<Option<Open>>,
    /// Whether that is asked.
    pub(super) asking: RwSignal<bool>,
    /// The name, of a new one as written.
    pub(super) name: RwSignal<String>,
    /// The text as written.
    pub(super) text: RwSignal<String>,
    /// The last answer of the check, which may be of an earlier text.
    pub(super) checked: RwSignal<Option<Checked>>,
    /// Why the last check had no answer.
    pub(super) unchecked: RwSignal<Option<Failure>>,
    /// `words` or `cedar`.
    pub(super) side: RwSignal<&'static str>,
}

impl Desk {
    pub(super) fn start() -> Self {
        let desk = Self {
            view: RwSignal::new(None),
            retracted: RwSignal::new(None),
            failure: RwSignal::new(None),
            open: RwSignal::new(None),
            asked_for: RwSignal::new(None),
            asking: RwSignal::new(false),
            name: RwSignal::new(String::new()),
            text: RwSignal::new(String::new()),
            checked: RwSignal::new(None),
            unchecked: RwSignal::new(None),
            side: RwSignal::new("words"),
        };
        Effect::new(move || {
            let text = desk.text.get();
            after(PAUSE, move || desk.check(text));
        });
        desk
    }

    /// Asks what is in force.
    pub(super) fn ask(self) {
        spawn_local(async move {
            // The page may be gone by the time the answer is there.
            match transport::get::<PoliciesView>("/api/policies").await {
                Ok(view) => self.take(view),
                Err(why) => {
                    self.failure.try_set(Some(why));
                }
            }
        });
    }

    fn take(self, view: PoliciesView) {
        if self.failure.try_set(None).is_some() {
            return;
        }
        let is_known = self
            .view
            .with_untracked(|known| known.as_ref() == Some(&view));
        // It changes with what is in force only.
        if !is_known || self.retracted.with_untracked(Option::is_none) {
            self.ask_retracted();
        }
        if is_known {
            return;
        }
        let is_changed = self.is_changed_untracked();
        let open = self.open.get_untracked();
        let now = match &open {
            Some(Open::Row(row)) => view.policies.iter().find(|now| key(now) == key(row)),
            Some(Open::Retracted(gone)) => {
                let mut own = view.policies.iter().filter(|now| now.is_own);
                own.find(|now| now.name == gone.name)
            }
            _ => view.policies.first(),
        };
        let now = match (now, &open) {
            (Some(row), _) => Open::Row(row.clone()),
            (None, Some(Open::Retracted(gone))) => Open::Retracted(gone.clone()),
            (None, _) => Open::New,
        };
        self.view.set(Some(view));
        match open {
            // What is written stays, compared with what is in force now.
            Some(Open::Row(_)) if is_changed => self.open.set(Some(now)),
            Some(Open::New) => {}
            open if open.as_ref() != Some(&now) => self.show(now),
            _ => {}
        }
    }

    fn ask_retracted(self) {
        spawn_local(async move {
            // Where it is not told, it is asked again with what is in force.
            let told = transport::get("/api/retracted-policies").await.ok();
            self.retracted.try_set(told);
        });
    }

    /// Something of the policies in force; none before the first answer.
    pub(super) fn rows<T>(self, what: impl FnOnce(&[PolicyRow]) -> T) -> Option<T> {
        self.view
            .with(|view| view.as_ref().map(|view| what(&view.policies)))
    }

    /// Opens something, or asks first whether what is written may be left.
    pub(super) fn choose(self, next: Open) {
        match self.is_changed_untracked() {
            true => {
                self.asked_for.set(Some(next));
                self.asking.set(true);
            }
            false => self.show(next),
        }
    }

    /// Opens something; what was written is left.
    pub(super) fn show(self, next: Open) {
        let (name, text) = match &next {
            Open::New | Open::Retracted(_) => Default::default(),
            Open::Row(row) => (row.name.clone(), row.text.clone()),
        };
        let is_plain = text.is_empty() || Rule::from_text(&text).is_some();
        self.side.set(if is_plain { "words" } else { "cedar" });
        self.checked.set(None);
        self.open.set(Some(next));
        self.name.set(name);
        self.text.set(text);
    }

    /// Opens what came of something that was asked about this text, unless something else is open by now.
    pub(super) fn follow(self, asked: &PutPolicy, next: Open) {
        let is_here = |now: &String| (*now == asked.text).then_some(());
        // The page may be gone.
        match self.text.try_with_untracked(is_here) {
            None => return,
            Some(Some(())) if self.name.get_untracked() == asked.name => self.show(next),
            Some(_) => {}
        }
        self.ask();
    }

    /// Puts the text as it is in force in the place of what is written.
    pub(super) fn undo(self) {
        if let Some(open) = self.open.get_untracked() {
            self.show(open);
        }
    }

    /// Asks the node again what it says of the text.
    pub(super) fn check_again(self) {
        self.text.update(|_| {});
    }

    /// The policy that is open, if it is in force.
    pub(super) fn row(self) -> Option<PolicyRow> {
        self.open.with(|open| match open {
            Some(Open::Row(row)) => Some(row.clone()),
            _ => None,
        })
    }

    /// The policy that is open, if it is not in force any more.
    pub(super) fn gone(self) -> Option<RetractedPolicy> {
        self.open.with(|open| match open {
            Some(Open::Retracted(gone)) => Some(gone.clone()),
            _ => None,
        })
    }

    /// Whether what is open is in force, or will be, for this organisation.
    pub(super) fn is_own(self) -> bool {
        self.open.with(|open| match open {
            Some(Open::Row(row)) => row.is_own,
            Some(Open::Retracted(_)) => false,
            _ => true,
        })
    }

    /// Whether something is written that is not in force.
    pub(super) fn is_changed(self) -> bool {
        self.open.track();
        self.text.track();
        self.is_changed_untracked()
    }

    fn is_changed_untracked(self) -> bool {
        self.open.with_untracked(|open| {
            self.text.with_untracked(|text| match open {
                Some(Open::Row(row)) => row.text != *text,
                _ => !text.is_empty(),
            })
        })
    }

    /// What the check said of the text as it is; none while it is asked.
    pub(super) fn found(self) -> Option<PolicyChecked> {
        let text = self.text.get();
        self.checked.with(|checked| {
            let checked = checked.as_ref().filter(|checked| checked.text == text)?;
            Some(checked.found.clone())
        })
    }

    fn check(self, text: String) {
        // Something else is written by now, or the page is gone.
        let is_latest =
            move |text: &String| self.text.try_with_untracked(|now| now == text) == Some(true);
        if text.is_empty() || !is_latest(&text) {
            return;
        }
        spawn_local(async move {
            let asked = CheckPolicy { text };
            let found = transport::post::<PolicyChecked>("/api/policies/check", &asked).await;
            if !is_latest(&asked.text) {
                return;
            }
            match found {
                Ok(found) => {
                    let text = asked.text;
                    self.unchecked.set(None);
                    self.checked.set(Some(Checked { text, found }));
                }
                Err(why) => self.unchecked.set(Some(why)),
            }
        });
    }

    /// The draft as it could be in force; while a text is checked, the last one that could.
    pub(super) fn draft(self) -> Memo<Option<PolicyDraft>> {
        Memo::new(move |before: Option<&Option<PolicyDraft>>| {
            if !self.is_own() || !self.is_changed() {
                return None;
            }
            let name = self.name.get();
            let name = if is_name(&name) {
                name
            } else {
                DRAFT.to_owned()
            };
            match self.found() {
                Some(found) => found.faults.is_empty().then(|| PolicyDraft {
                    name,
                    text: Some(self.text.get()),
                }),
                None => before.cloned().flatten(),
            }
        })
    }
}
