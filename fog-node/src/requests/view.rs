//! Requests as a caller sees them: those of her own, and those of her organisation's data that she may decide,
//! review or audit. Others are not there for her.

use std::collections::BTreeMap;
use std::sync::Arc;

use fog_api::{AccessReview, AccessRow, AccessState as State, PromisedReceipt};
use ledger_core::access::{
    self, Access, AccessDecision, AccessState, DecideAccess, Relation, Role,
};
use ledger_core::state::Clock;
use ledger_core::{Digest, Payload};
use ledger_store::Snapshot;

use super::words::decision_words;
use super::{Names, Participant};
use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::node::Node;
use crate::people::Signed;
use crate::tell::block_clock;
use crate::vault::reasons;

/// Most requests of a list.
const MAX_LISTED: usize = 200;

/// What the rows of one answer are made with.
struct Look<'a> {
    snapshot: &'a Snapshot<'a>,
    clock: Clock,
    now_millis: u64,
    me: &'a Participant,
    names: Names<'a>,
    /// What other nodes have promised to this one, by request.
    promised: BTreeMap<String, Vec<PromisedReceipt>>,
}

impl Node {
    /// The caller's requests and those that she has a say in: what waits for her first, then what is open, then what
    /// changed last; at most 200.
    ///
    /// # Errors
    /// [`Failure`] `ACC-02` if the ledger does not know the caller.
    pub async fn accesses(self: &Arc<Self>, signed: &Signed) -> Result<Vec<AccessRow>, Failure> {
        let signed = signed.clone();
        self.blocking(move |node| {
            let snapshot = node.replica.read()?;
            let me = node.participant(&snapshot, &signed)?;
            let look = node.look_at_requests(&snapshot, &me)?;
            let mut seen = Vec::new();
            snapshot.for_each_access(|access| {
                if look.sees(&access) {
                    seen.push(access);
                    if seen.len() >= 2 * MAX_LISTED {
                        look.keep_first(&mut seen);
                    }
                }
            })?;
            look.keep_first(&mut seen);
            seen.iter()
                .map(|access| node.access_row(&look, access))
                .collect()
        })
        .await
    }

    /// One request.
    ///
    /// # Errors
    /// [`Failure`] if there is none that the caller may see, or the ledger does not know her.
    pub async fn access(
        self: &Arc<Self>,
        handle: &str,
        signed: &Signed,
    ) -> Result<AccessRow, Failure> {
        let (handle, signed) = (parse_handle(handle)?, signed.clone());
        self.blocking(move |node| {
            let snapshot = node.replica.read()?;
            let me = node.participant(&snapshot, &signed)?;
            let look = node.look_at_requests(&snapshot, &me)?;
            let found = access::access(&snapshot, &handle).map_err(Failure::internal)?;
            let found = found.filter(|access| look.sees(access));
            node.access_row(&look, &found.ok_or_else(no_request)?)
        })
        .await
    }

    fn look_at_requests<'a>(
        &self,
        snapshot: &'a Snapshot<'a>,
        me: &'a Participant,
    ) -> Result<Look<'a>, Failure> {
        let clock = block_clock(snapshot)?;
        Ok(Look {
            snapshot,
            clock,
            now_millis: unix_millis().max(clock.time_millis),
            me,
            names: Names {
                snapshot,
                people: self.people.names_by_handle(),
            },
            promised: self.promised_by_request()?,
        })
    }

    fn promised_by_request(&self) -> Result<BTreeMap<String, Vec<PromisedReceipt>>, Failure> {
        let mut by_request: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for promised in self.promised_receipts(|_| true)? {
            let of_request = by_request.entry(promised.access.clone()).or_default();
            of_request.push(promised);
        }
        Ok(by_request)
    }

    fn access_row(&self, look: &Look<'_>, access: &Access) -> Result<AccessRow, Failure> {
        let asked = &access.asked;
        let readable = access::readable(look.snapshot, &asked.handle, look.now_millis);
        let readable = readable.map_err(Failure::internal)?;
        let state = look.state(access, &readable);
        let receipts = access::receipts(look.snapshot, &asked.handle);
        let receipts = receipts.map_err(Failure::internal)?;
        let is_open = state.is_open();
        let reason = match asked.emergency {
            None => None,
            Some(_) => reasons::of_access(&self.vault(), &self.master, &asked.handle)?,
        };
        let review = access.review.map(|review| {
            Ok::<_, Failure>(AccessReview {
                by: look.names.person(&review.by)?,
                is_justified: review.is_justified,
            })
        });
        let decided_by = access.decided_by.as_ref().map(|by| look.names.person(by));
        let attested = asked.attestation.iter();
        let relations = attested.flat_map(|attested| &attested.relations);
        let is_cut = |metric: &&String| !access.metrics.contains(metric);
        let may = |decision| is_open && look.may(access, decision);
        let mut row = AccessRow {
            handle: asked.handle.to_string(),
            person: look.names.person(&access.person)?,
            subject: asked.subject.to_string(),
            holder: look.names.organisation(&asked.holder)?,
            state,
            words: String::new(),
            metrics: asked.metrics.clone(),
            readable,
            cut_off: asked.metrics.iter().filter(is_cut).cloned().collect(),
            by: access.by.clone(),
            from: asked.from_millis,
            until: asked.until_millis,
            resolution: asked.resolution.word().to_owned(),
            purpose: asked.purpose.word().to_owned(),
            relations: relations
                .copied()
                .map(Relation::word)
                .map(str::to_owned)
                .collect(),
            ends: access.until_millis,
            remaining_seconds: is_open
                .then(|| access.until_millis.saturating_sub(look.now_millis) / 1_000),
            decided_by: decided_by.transpose()?,
            is_emergency: asked.emergency.is_some(),
            reason: reason.map(|reason| reason.text()),
            review: review.transpose()?,
            reads: receipts.count,
            readings: receipts.readings,
            promised: look.promised_under(&asked.handle),
            changed_height: access.changed.0,
            is_own: access.person == look.me.handle(),
            may_decide: may(AccessDecision::Allow),
            may_end: may(AccessDecision::End),
            may_review: look.may(access, AccessDecision::Review { is_justified: true }),
        };
        row.words = decision_words(&row);
        Ok(row)
    }
}

impl Look<'_> {
    /// Whether the caller may know of a request.
    fn sees(&self, access: &Access) -> bool {
        let registered = &self.me.known.registered;
        let of_holder = access.asked.holder == self.me.known.organisation;
        let looks = [Role::Physician, Role::Admin, Role::Auditor];
        let has_say = looks.iter().any(|role| registered.roles.contains(role));
        access.person == registered.handle || (of_holder && has_say)
    }

    /// What other nodes have promised for what they gave under a request.
    fn promised_under(&self, handle: &Digest) -> Vec<PromisedReceipt> {
        let found = self.promised.get(&handle.to_string());
        found.cloned().unwrap_or_default()
    }

    /// Leaves those that a list begins with.
    fn keep_first(&self, seen: &mut Vec<Access>) {
        let review = AccessDecision::Review { is_justified: true };
        seen.sort_by_cached_key(|access| {
            let is_open = self.now_millis < access.until_millis;
            let place = match access.state {
                AccessState::Waiting if is_open && self.may(access, AccessDecision::Allow) => 0,
                _ if self.may(access, review) => 1,
                AccessState::Waiting | AccessState::Granted if is_open => 2,
                _ => 3,
            };
            (
                place,
                std::cmp::Reverse(access.changed),
                access.asked.handle,
            )
        });
        seen.truncate(MAX_LISTED);
    }

    fn may(&self, access: &Access, decision: AccessDecision) -> bool {
        let decided = Payload::DecideAccess(DecideAccess {
            access: access.asked.handle,
            decision,
        });
        access::check(self.snapshot, self.clock, self.me.key, &decided).is_ok()
    }

    fn state(&self, access: &Access, readable: &[String]) -> State {
        let is_over = self.now_millis >= access.until_millis;
        match access.state {
            AccessState::Denied => State::Denied,
            AccessState::Refused => State::Refused,
            AccessState::Ended => State::Ended,
            AccessState::Waiting | AccessState::Granted if is_over => State::Over,
            AccessState::Waiting => State::Waiting,
            AccessState::Granted if readable.is_empty() => State::Suspended,
            AccessState::Granted => State::Granted,
        }
    }
}

/// A request's handle.
///
/// # Errors
/// [`Failure`] that says that there is none.
pub(super) fn parse_handle(text: &str) -> Result<Digest, Failure> {
    text.parse().map_err(|_| no_request())
}

fn no_request() -> Failure {
    Failure::not_found(
        "There is no such request.",
        "See the list of requests; one that is neither yours nor for you to decide is not there.",
    )
}
