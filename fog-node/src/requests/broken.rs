//! Broken glasses that nobody has reviewed: told at once at the nodes of the organisation that holds the data.
//!
//! ```text
//! start ─▶ the replica's requests ─┐
//! block ─▶ its entries of the log ─┴▶ those that wait for a review ─▶ event, to those who may review
//! ```
//!
//! They are read from this node's own replica, at each start and with each block, so that neither a restart nor a
//! listener that was away loses one. What is told names who asked, as the ledger does, and when; whose data it is about
//! and why is in the request itself, for those who may open it.

use std::collections::BTreeMap;
use std::sync::Weak;

use fog_api::{BrokenGlass, Capability, Event};
use ledger_core::access::{self, Access, AccessState, LogKind};
use ledger_core::{Digest, OrganisationId};
use ledger_store::Snapshot;
use tokio::sync::broadcast::error::RecvError;

use super::Names;
use crate::failure::Failure;
use crate::node::Node;
use crate::people::{Caller, permissions};

/// Entries of the log that are read at once.
const PAGE: u32 = 256;

/// Those that wait for a review, as far as the log was read.
#[derive(Default)]
pub(super) struct Broken {
    /// The next entry to be read; none before the replica's requests were.
    next: Option<u64>,
    /// When each was asked, or agreed to by a person, in Unix milliseconds of block time.
    waiting: BTreeMap<Digest, u64>,
}

/// Tells of each broken glass, as long as the node is there.
pub(super) async fn follow(node: Weak<Node>) {
    let Some(mut blocks) = node.upgrade().map(|node| node.consortium.subscribe()) else {
        return;
    };
    loop {
        let Some(strong) = node.upgrade() else { return };
        match strong.blocking(Node::look_for_broken_glass).await {
            Ok(Some(rows)) => strong.live.tell(Event::BrokenGlass(rows)),
            Ok(None) => {}
            Err(failure) => tracing::error!(%failure, "broken glasses could not be looked for"),
        }
        drop(strong);
        if matches!(blocks.recv().await, Err(RecvError::Closed)) {
            return;
        }
    }
}

impl Node {
    /// Those that wait for a review, if they are others than before.
    fn look_for_broken_glass(&self) -> Result<Option<Vec<BrokenGlass>>, Failure> {
        let snapshot = self.replica.read()?;
        let Some(own) = self.organisation(&snapshot)? else {
            return Ok(None);
        };
        let has_changed = self.requests.broken().read_on(&snapshot, own)?;
        match has_changed {
            true => self.broken_glass(&snapshot).map(Some),
            false => Ok(None),
        }
    }

    /// Those that wait for a review, the oldest first.
    fn broken_glass(&self, snapshot: &Snapshot<'_>) -> Result<Vec<BrokenGlass>, Failure> {
        let names = Names {
            snapshot,
            people: self.people.names_by_handle(),
        };
        let waiting = self.requests.broken().waiting.clone();
        let mut rows = Vec::with_capacity(waiting.len());
        for (handle, at) in waiting {
            let found = access::access(snapshot, &handle).map_err(Failure::internal)?;
            if let Some(found) = found {
                rows.push(BrokenGlass {
                    handle: handle.to_string(),
                    person: names.person(&found.person)?,
                    at,
                });
            }
        }
        rows.sort_by(|one, next| (one.at, &one.handle).cmp(&(next.at, &next.handle)));
        Ok(rows)
    }

    /// What a listener is told of broken glasses when it begins to listen, or has missed something.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub(crate) fn broken_glass_for(&self, caller: &Caller) -> Result<Option<Event>, Failure> {
        let rows = self.broken_glass(&self.replica.read()?)?;
        Ok(self.told_to(caller, &Event::BrokenGlass(rows)))
    }

    /// An event as this caller may hear it. Broken glasses are told to those who may review them now, and nobody of
    /// her own.
    pub(crate) fn told_to(&self, caller: &Caller, event: &Event) -> Option<Event> {
        let Event::BrokenGlass(rows) = event else {
            return Some(event.clone());
        };
        let own = match caller {
            Caller::SetUp => None,
            Caller::Nobody | Caller::Locked(..) => return None,
            Caller::Person(signed) => {
                // Her roles may be others than when she began to listen.
                let person = self.people.find(signed.person)?;
                if !permissions::may(&person.roles).contains(&Capability::DecideAccess) {
                    return None;
                }
                person.pseudonym.map(|name| name.handle.to_string())
            }
        };
        let rows = rows
            .iter()
            .filter(|row| Some(&row.person.handle) != own.as_ref());
        Some(Event::BrokenGlass(rows.cloned().collect()))
    }
}

impl Broken {
    /// Reads on to the end of the log; whether anything has changed.
    fn read_on(&mut self, snapshot: &Snapshot<'_>, own: OrganisationId) -> Result<bool, Failure> {
        let head = access::log_head(snapshot).map_err(Failure::internal)?;
        let Some(mut next) = self.next else {
            self.read_all(snapshot, own)?;
            self.next = Some(head.count);
            return Ok(!self.waiting.is_empty());
        };
        let mut has_changed = false;
        while next < head.count {
            let page = snapshot.logged_from(next, PAGE)?;
            let Some(last) = page.last() else { break };
            next = last.entry.number.saturating_add(1);
            for logged in &page {
                let entry = &logged.entry;
                let request = entry
                    .request
                    .as_ref()
                    .filter(|request| request.is_emergency);
                let Some(request) = request.filter(|_| entry.organisation == own) else {
                    continue;
                };
                has_changed |= match (entry.kind, request.state) {
                    (LogKind::Asked, AccessState::Denied) => false,
                    (LogKind::Asked, _) => {
                        let before = self.waiting.insert(request.handle, entry.time_millis);
                        before.is_none()
                    }
                    (LogKind::Reviewed, _) => self.waiting.remove(&request.handle).is_some(),
                    _ => false,
                };
            }
            self.next = Some(next);
        }
        Ok(has_changed)
    }

    /// Reads what waits from the state, whatever of the log is here.
    fn read_all(&mut self, snapshot: &Snapshot<'_>, own: OrganisationId) -> Result<(), Failure> {
        snapshot.for_each_access(|access| {
            let asked = &access.asked;
            if asked.holder == own && waits(&access) {
                let at = access.until_millis.saturating_sub(asked.for_millis);
                self.waiting.insert(asked.handle, at);
            }
        })?;
        Ok(())
    }
}

/// Whether a glass was broken that nobody has reviewed: as the ledger decides whether a review counts.
const fn waits(access: &Access) -> bool {
    let was_broken =
        access.asked.emergency.is_some() && !matches!(access.state, AccessState::Denied);
    was_broken && access.review.is_none()
}
