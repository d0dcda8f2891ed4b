//! The access log as readers see it: entries by number, those about a subject or a person, and where a time begins.
//!
//! Entries are found by number or by an index, so no block is looked through. Left out: who may see which.

use std::collections::BTreeSet;

use ledger_core::access::{LogEntry, Logged};
use ledger_core::digest::Digest;

use crate::error::{StoreError, damaged};
use crate::snapshot::{MAX_ROWS, Snapshot};
use crate::table::access_log::{self, By};

/// Which entries are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLookup<'a> {
    /// All.
    All,
    /// Those about one of these subjects.
    Subjects(&'a [Digest]),
    /// Those that a person signed, or that concern her.
    Person(&'a Digest),
}

impl Snapshot<'_> {
    /// The number of the first entry that is here; `None` if none is. On a replica that started from a snapshot it may
    /// be a later one than 0.
    ///
    /// # Errors
    /// [`StoreError`] if the replica cannot be read or is damaged; so for all readers below.
    pub fn log_begins(&self) -> Result<Option<u64>, StoreError> {
        access_log::first(self.connection()?)
    }

    /// An entry and what it was added to.
    ///
    /// # Errors
    /// As [`Snapshot::log_begins`].
    pub fn logged(&self, number: u64) -> Result<Option<Logged>, StoreError> {
        let row = access_log::at(self.connection()?, number)?;
        row.map(|row| row.decode()).transpose()
    }

    /// Up to `limit` (at most [`MAX_ROWS`]) entries from a number on, in order.
    ///
    /// # Errors
    /// As [`Snapshot::log_begins`].
    pub fn logged_from(&self, number: u64, limit: u32) -> Result<Vec<Logged>, StoreError> {
        let rows = access_log::from(self.connection()?, number, limit.min(MAX_ROWS))?;
        rows.iter().map(|row| row.decode()).collect()
    }

    /// Up to `limit` (at most [`MAX_ROWS`]) of those entries that are looked for, from number `from` on and below
    /// `below`, the last first.
    ///
    /// # Errors
    /// As [`Snapshot::log_begins`].
    pub fn logged_below(
        &self,
        lookup: LogLookup<'_>,
        (from, below): (u64, u64),
        limit: u32,
    ) -> Result<Vec<LogEntry>, StoreError> {
        let limit = limit.min(MAX_ROWS);
        let first = self.log_begins()?.unwrap_or(u64::MAX).max(from);
        let mut found = BTreeSet::new();
        let mut look = |by, wanted: &Digest| -> Result<(), StoreError> {
            let range = (first, below);
            found.extend(access_log::numbers(
                self.connection()?,
                (by, wanted),
                range,
                limit,
            )?);
            // The last ones of all are among the last ones of each.
            while found.len() > limit as usize {
                found.pop_first();
            }
            Ok(())
        };
        match lookup {
            LogLookup::All => {
                let end = below.min(self.log_ends()?);
                let begin = first.max(end.saturating_sub(u64::from(limit)));
                found.extend(begin..end);
            }
            LogLookup::Subjects(subjects) => {
                for subject in subjects {
                    look(By::Subject, subject)?;
                }
            }
            LogLookup::Person(person) => {
                look(By::Signer, person)?;
                look(By::Person, person)?;
            }
        }
        let entry = |number: u64| {
            let found = self.logged(number)?;
            let missing = || damaged(format!("entry {number} of the access log is missing"));
            Ok(found.ok_or_else(missing)?.entry)
        };
        found.into_iter().rev().map(entry).collect()
    }

    /// The number of the first entry at or after a time, in Unix milliseconds; the next entry's if there is none.
    ///
    /// # Errors
    /// As [`Snapshot::log_begins`].
    pub fn log_at(&self, time_millis: u64) -> Result<u64, StoreError> {
        let end = self.log_ends()?;
        // Times only grow with the number, so it is searched for by halving.
        let (mut earlier, mut later) = (self.log_begins()?.unwrap_or(end), end);
        while earlier < later {
            let middle = earlier + (later - earlier) / 2;
            let is_earlier = self
                .logged(middle)?
                .is_some_and(|logged| logged.entry.time_millis < time_millis);
            if is_earlier {
                earlier = middle.saturating_add(1);
            } else {
                later = middle;
            }
        }
        Ok(later)
    }

    /// The number that the next entry will have.
    fn log_ends(&self) -> Result<u64, StoreError> {
        Ok(ledger_core::access::log_head(self)?.count)
    }
}
