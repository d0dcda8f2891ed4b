//! What became of a policy, and what it has decided: read from the access log, which nobody can thin out.
//!
//! ```text
//! log, newest first ─▶ entries of policies ─▶ their transactions on this replica ─▶ those of this name: versions
//!                   └▶ requests that name it, asked ─▶ the version in force then; served ─▶ their receipts
//! ```
//!
//! What is exact: each version, its block, its text and the admin key that signed it; each request whose decision names
//! the policy, and its receipts. What the ledger does not keep is not shown: which person had an admin key sign, a
//! ninth and further policy of one decision, and which policies permitted it again when something was read.

use std::collections::BTreeMap;
use std::sync::Arc;

use fog_api::{
    AccessState as State, PolicyChange, PolicyDecision, PolicyDecisions, PolicyHistory,
    PolicyVersion,
};
use ledger_core::access::{self, AccessState, LogEntry, LogKind, LogPart, Scope};
use ledger_core::state::StateReadError;
use ledger_core::{Digest, Height, OrganisationId, Payload, PublicKey, SignedTransaction};
use ledger_store::{LogLookup, Snapshot};

use super::difference;
use crate::failure::Failure;
use crate::node::Node;
use crate::people::Signed;
use crate::policies::words_of;
use crate::requests::Names;

/// Entries of the log that are looked at for one answer.
const MAX_LOOKED: usize = 50_000;
/// Entries that are read at once.
const PAGE: u32 = 500;
/// Most decisions of an answer.
const MAX_DECISIONS: usize = 500;

/// A change of a policy, as the log and the state tell it.
pub(super) struct Put {
    pub(super) height: Height,
    pub(super) time_millis: u64,
    transaction: Option<Digest>,
    key: PublicKey,
    pub(super) text: Option<String>,
}

/// The changes of one policy, the newest first.
struct Puts {
    found: Vec<Put>,
    is_whole: bool,
}

impl Node {
    /// The versions of a policy of this node's organisation.
    ///
    /// # Errors
    /// [`Failure`] if there never was one of this name, as far as this node knows.
    pub async fn policy_history(self: &Arc<Self>, name: String) -> Result<PolicyHistory, Failure> {
        self.blocking(move |node| {
            let snapshot = node.replica.read()?;
            let own = node.holder(&snapshot)?;
            let puts = puts(&snapshot, own, &name)?;
            let names = Names {
                snapshot: &snapshot,
                people: BTreeMap::new(),
            };
            Ok(PolicyHistory {
                organisation: names.organisation(&own)?,
                versions: versions(&puts),
                is_whole: puts.is_whole,
                name,
            })
        })
        .await
    }

    /// The requests that a policy of this node's organisation has decided; answered once it is final that the caller
    /// reads this in the access log.
    ///
    /// # Errors
    /// [`Failure`] if there never was such a policy, or as [`Node::audit`].
    pub async fn policy_decisions(
        self: &Arc<Self>,
        name: String,
        signed: &Signed,
    ) -> Result<PolicyDecisions, Failure> {
        let asked = name.clone();
        let looked = self.blocking(move |node| {
            let snapshot = node.replica.read()?;
            puts(&snapshot, node.holder(&snapshot)?, &asked).map(drop)
        });
        looked.await?;
        let words = format!("what the policy {name} has decided");
        let recorded = self.record_words(words, LogPart::Organisation, signed);
        let recorded = recorded.await?;
        self.blocking(move |node| {
            let snapshot = node.replica.read()?;
            let own = node.holder(&snapshot)?;
            let puts = puts(&snapshot, own, &name)?;
            let (decisions, is_whole) = node.decisions(&snapshot, own, &name, &puts)?;
            Ok(PolicyDecisions {
                name,
                decisions,
                is_whole: is_whole && puts.is_whole,
                recorded_height: recorded.0,
            })
        })
        .await
    }

    fn holder(&self, snapshot: &Snapshot<'_>) -> Result<OrganisationId, Failure> {
        self.organisation(snapshot)?.ok_or_else(no_policy)
    }

    /// The requests that name the policy, the newest first, and whether these are all.
    fn decisions(
        &self,
        snapshot: &Snapshot<'_>,
        own: OrganisationId,
        name: &str,
        puts: &Puts,
    ) -> Result<(Vec<PolicyDecision>, bool), Failure> {
        let names = Names {
            snapshot,
            people: self.people.names_by_handle(),
        };
        let first = puts.found.last().map_or(0, |put| put.time_millis);
        let from = snapshot.log_at(first)?;
        let (mut served, mut decisions) = (BTreeMap::<Digest, Vec<String>>::new(), Vec::new());
        let is_whole = newest_first(snapshot, from, |entry| {
            let Some(request) = entry.request.as_ref().filter(|_| entry.organisation == own) else {
                return Ok(true);
            };
            if !request.by.iter().any(|by| by == name) {
                return Ok(true);
            }
            match entry.kind {
                LogKind::Served => {
                    let receipts = served.entry(request.handle).or_default();
                    receipts.push(entry.transaction.to_string());
                }
                LogKind::Asked if decisions.len() == MAX_DECISIONS => return Ok(false),
                LogKind::Asked => {
                    let told = access::receipts(snapshot, &request.handle);
                    decisions.push(PolicyDecision {
                        request: request.handle.to_string(),
                        person: names.person(&entry.person.unwrap_or_default())?,
                        height: entry.height.0,
                        time: entry.time_millis,
                        version: puts.at(entry).map(|put| put.height.0),
                        decided: match request.state {
                            AccessState::Granted => State::Granted,
                            AccessState::Waiting => State::Waiting,
                            _ => State::Denied,
                        },
                        receipts: served.remove(&request.handle).unwrap_or_default(),
                        readings: told.map_err(Failure::internal)?.readings,
                    });
                }
                _ => {}
            }
            Ok(true)
        })?;
        Ok((decisions, is_whole))
    }
}

impl Puts {
    /// The version that was in force when an entry was made. Of a block that changed the policy too, the one before
    /// the change may have decided; it is not told then.
    fn at(&self, entry: &LogEntry) -> Option<&Put> {
        if self.found.iter().any(|put| put.height == entry.height) {
            return None;
        }
        let mut found = self.found.iter();
        let put = found.find(|put| put.height < entry.height)?;
        put.text.is_some().then_some(put)
    }
}

/// Hands the entries from `from` on to `look`, the newest first, until it has enough; whether it has seen all of them.
fn newest_first(
    snapshot: &Snapshot<'_>,
    from: u64,
    mut look: impl FnMut(&LogEntry) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    let (mut below, mut looked) = (u64::MAX, 0);
    loop {
        let page = snapshot.logged_below(LogLookup::All, (from, below), PAGE)?;
        for entry in &page {
            if looked == MAX_LOOKED || !look(entry)? {
                return Ok(false);
            }
            (below, looked) = (entry.number, looked + 1);
        }
        if page.len() < PAGE as usize {
            return Ok(true);
        }
    }
}

/// Hands the changes of the organisation's policies on to `look`, the newest first, with the name of each; whether these
/// are all.
pub(super) fn each_put(
    snapshot: &Snapshot<'_>,
    own: OrganisationId,
    mut look: impl FnMut(String, Put),
) -> Result<bool, Failure> {
    let mut is_held = true;
    let has_seen_all = newest_first(snapshot, 0, |entry| {
        let is_policy = entry.kind == LogKind::Policy && entry.subject.is_none();
        if !is_policy || entry.organisation != own {
            return Ok(true);
        }
        let Some(stored) = snapshot.transaction(&entry.transaction)? else {
            is_held = false;
            return Ok(true);
        };
        let signed = SignedTransaction::decode(&stored.bytes).map_err(Failure::internal)?;
        let body = signed.body().map_err(Failure::internal)?;
        if let Payload::PutPolicy(put) = body.payload {
            let told = Put {
                height: entry.height,
                time_millis: entry.time_millis,
                transaction: Some(entry.transaction),
                key: stored.sender,
                text: put.text,
            };
            look(put.name, told);
        }
        Ok(true)
    })?;
    Ok(has_seen_all && is_held && snapshot.log_begins()?.unwrap_or(0) == 0)
}

/// The changes of the policy of this name.
fn puts(snapshot: &Snapshot<'_>, own: OrganisationId, name: &str) -> Result<Puts, Failure> {
    let mut found = Vec::new();
    let is_whole = each_put(snapshot, own, |of, put| {
        if of == name {
            found.push(put);
        }
    })?;
    let now = in_force(snapshot, own, name).map_err(Failure::internal)?;
    if let Some(now) = now
        && found
            .first()
            .is_none_or(|newest| newest.height < now.changed)
    {
        let header = snapshot.header(now.changed)?;
        let newest = Put {
            height: now.changed,
            time_millis: header.map_or(0, |header| header.time_millis),
            transaction: None,
            key: now.by,
            text: now.put.text,
        };
        found.insert(0, newest);
    }
    match found.is_empty() {
        true => Err(no_policy()),
        false => Ok(Puts { found, is_whole }),
    }
}

/// The policy of this name, if it is in force.
pub(super) fn in_force(
    snapshot: &Snapshot<'_>,
    own: OrganisationId,
    name: &str,
) -> Result<Option<access::Policy>, StateReadError> {
    access::policy(snapshot, &Scope::all_of(own), name)
}

fn versions(puts: &Puts) -> Vec<PolicyVersion> {
    let version = |(at, put): (usize, &Put)| {
        let before = puts.found.get(at + 1);
        let old = before.and_then(|put| put.text.as_deref());
        let change = match (&put.text, before) {
            (None, _) => PolicyChange::Removed,
            (Some(_), None) if !puts.is_whole => PolicyChange::Unknown,
            (Some(_), _) if old.is_none() => PolicyChange::Put,
            (Some(_), _) => PolicyChange::Changed,
        };
        let both = old.zip(put.text.as_deref());
        let both = both.filter(|_| change == PolicyChange::Changed);
        PolicyVersion {
            height: put.height.0,
            time: put.time_millis,
            transaction: put.transaction.map(|id| id.to_string()),
            key: put.key.to_string(),
            change,
            words: put.text.as_deref().and_then(words_of),
            difference: both.map_or_else(Vec::new, |(old, new)| difference::sentences(old, new)),
            lines: both.map_or_else(Vec::new, |(old, new)| difference::lines(old, new)),
            text: put.text.clone(),
        }
    };
    puts.found.iter().enumerate().map(version).collect()
}

fn no_policy() -> Failure {
    Failure::not_found(
        "There never was such a policy.",
        "The organisation's policies are listed by name on the policies page.",
    )
}
