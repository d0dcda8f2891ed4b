//! Entries of the access log as rows: those that concern the caller's organisation, with names and in words.

use std::collections::BTreeMap;

use fog_api::{AuditPage, AuditQuery, AuditRow};
use ledger_core::access::{self, LogEntry};
use ledger_core::{Digest, Height, OrganisationId, Payload, SignedTransaction};
use ledger_store::{LogLookup, Snapshot};

use super::asked::{Asked, current, outcome};
use super::words::entry_words;
use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::node::Node;
use crate::people::Signed;
use crate::requests::Names;
use crate::tell::block_clock;
use crate::vault::reasons;

/// Entries of a page without a limit.
const DEFAULT_LIMIT: u32 = 100;
/// Most entries of a page.
const MAX_LIMIT: u32 = 500;
/// Entries that are looked at for a page; then it ends, full or not.
const MAX_LOOKED: usize = 20_000;
/// Entries that are read at once.
const CHUNK: u32 = 500;

/// What the rows of one answer are made with.
pub(super) struct Look<'a> {
    pub(super) snapshot: &'a Snapshot<'a>,
    pub(super) names: Names<'a>,
    pub(super) now_millis: u64,
    /// Whose log it is.
    pub(super) own: OrganisationId,
    /// Organisations of people, as far as they were looked up.
    organisations: BTreeMap<Digest, Option<OrganisationId>>,
}

impl Node {
    /// What rows for the caller are made with.
    ///
    /// # Errors
    /// [`Failure`] `ACC-02` if the ledger does not know her.
    pub(super) fn look_at_log<'a>(
        &self,
        snapshot: &'a Snapshot<'a>,
        signed: &Signed,
    ) -> Result<Look<'a>, Failure> {
        let me = self.participant(snapshot, signed)?;
        Ok(Look {
            snapshot,
            names: Names {
                snapshot,
                people: self.people.names_by_handle(),
            },
            now_millis: unix_millis().max(block_clock(snapshot)?.time_millis),
            own: me.known.organisation,
            organisations: BTreeMap::new(),
        })
    }

    /// A page of what is asked for, newest first.
    ///
    /// # Errors
    /// [`Failure`] if the replica or the vault cannot be read.
    pub(super) fn audit_page(
        &self,
        query: &AuditQuery,
        asked: &Asked,
        recorded: Height,
        signed: &Signed,
    ) -> Result<AuditPage, Failure> {
        let snapshot = self.replica.read()?;
        let mut look = self.look_at_log(&snapshot, signed)?;
        let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize;
        let from = snapshot.log_at(asked.period.0)?;
        let mut below = snapshot.log_at(asked.period.1)?;
        below = below.min(query.before.unwrap_or(u64::MAX));
        let subjects: Option<Vec<_>> = asked
            .subjects
            .as_ref()
            .map(|subjects| subjects.keys().copied().collect());
        let lookup = match (&subjects, &asked.person) {
            (Some(subjects), _) => LogLookup::Subjects(subjects),
            (None, Some(person)) => LogLookup::Person(person),
            (None, None) => LogLookup::All,
        };
        let (mut entries, mut looked, mut next) = (Vec::new(), 0, None);
        'pages: loop {
            let found = snapshot.logged_below(lookup, (from, below), CHUNK)?;
            if found.is_empty() {
                break;
            }
            for entry in found {
                if entries.len() == limit || looked == MAX_LOOKED {
                    next = Some(below);
                    break 'pages;
                }
                (below, looked) = (entry.number, looked + 1);
                if look.concerns(&entry)? && asked.includes(&snapshot, &entry, look.now_millis)? {
                    entries.push(self.told_row(&look, &entry)?);
                }
            }
        }
        Ok(AuditPage {
            entries,
            next,
            recorded_height: recorded.0,
            first_held: snapshot.log_begins()?.unwrap_or(0),
            untold: Vec::new(),
        })
    }

    /// An entry as a row for those who audit: of a reading of the log, also what was asked. What was asked at another node
    /// of the organisation stays there.
    fn told_row(&self, look: &Look<'_>, entry: &LogEntry) -> Result<AuditRow, Failure> {
        let mut row = self.audit_row(look, entry)?;
        if let Some(Payload::ReadLog(asked)) = look.payload(entry)? {
            let question = reasons::of_access(&self.vault(), &self.master, &asked.question)?;
            if let Some(question) = question {
                row.words
                    .push_str(&format!(" Asked for: {}.", question.text()));
            }
        }
        Ok(row)
    }

    /// An entry as a row, which refers to no patient but by handles.
    ///
    /// # Errors
    /// [`Failure`] if the replica or the vault cannot be read.
    pub(super) fn audit_row(&self, look: &Look<'_>, entry: &LogEntry) -> Result<AuditRow, Failure> {
        let current = current(look.snapshot, entry).map_err(Failure::internal)?;
        let person = |handle: &Option<Digest>| {
            handle
                .as_ref()
                .map(|handle| look.names.person(handle))
                .transpose()
        };
        let request = entry.request.as_ref();
        let payload = look.payload(entry)?;
        let mut row = AuditRow {
            number: entry.number,
            height: entry.height.0,
            time: entry.time_millis,
            transaction: entry.transaction.to_string(),
            kind: payload.as_ref().map_or("pruned", Payload::kind).to_owned(),
            words: String::new(),
            outcome: outcome(entry, current.as_ref(), look.now_millis),
            organisation: look.names.organisation(&entry.organisation)?,
            signer: person(&entry.signer)?,
            person: person(&entry.person)?,
            subject: entry.subject.map(|subject| subject.to_string()),
            request: request.map(|request| request.handle.to_string()),
            purpose: request.map(|request| request.purpose.word().to_owned()),
            is_emergency: request.is_some_and(|request| request.is_emergency),
        };
        row.words = entry_words(&row, entry, payload.as_ref());
        Ok(row)
    }
}

impl Look<'_> {
    /// Whether an entry concerns the caller's organisation: its data, people, policies or log, or what its people do.
    pub(super) fn concerns(&mut self, entry: &LogEntry) -> Result<bool, Failure> {
        if entry.organisation == self.own {
            return Ok(true);
        }
        for handle in [entry.signer, entry.person].into_iter().flatten() {
            let snapshot = self.snapshot;
            let of_person = match self.organisations.get(&handle) {
                Some(known) => *known,
                None => {
                    let found = access::person(snapshot, &handle).map_err(Failure::internal)?;
                    let found = found.map(|found| found.organisation);
                    self.organisations.insert(handle, found);
                    found
                }
            };
            if of_person == Some(self.own) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What an entry's transaction says; none where it was pruned.
    fn payload(&self, entry: &LogEntry) -> Result<Option<Payload>, Failure> {
        let Some(stored) = self.snapshot.transaction(&entry.transaction)? else {
            return Ok(None);
        };
        let signed = SignedTransaction::decode(&stored.bytes).map_err(Failure::internal)?;
        let body = signed.body().map_err(Failure::internal)?;
        Ok(Some(body.payload))
    }
}
