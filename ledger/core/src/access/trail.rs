//! A part of the access log that can be shown to be complete: every entry from a place on to the newest, shown or as
//! its digest, and a state proof of the head that they lead to. `docs/audit-format.md` specifies the file.
//!
//! ```text
//! before ─▶ entry n ─▶ digest n+1 ─▶ entry n+2 ─▶ … ─▶ head ── state proof ──▶ header ── certificate ──▶ genesis
//! ```
//!
//! Upon the entries, in order ([`Trail::show`], [`Trail::leave_out`]): each goes into the accumulator; a transaction is
//! checked by itself and against its entry. Upon the end ([`Trail::end`]): the accumulator is the one that the state of a
//! final block holds, after as many entries as it says.
//!
//! One state proof proves both ends: an accumulator has one predecessor, so the head fixes where the entries begin as
//! well. What was left out stands as a digest in its place; that an entry was left out because nobody asked for it, and
//! not for another reason, is the word of whoever made the file.
//!
//! Left out: the file itself, and what the entries mean to people.

use serde::{Deserialize, Serialize};

use super::log::{LogEntry, LogHead};
use crate::block::Header;
use crate::canonical::{self, DecodeError};
use crate::certificate::Certificate;
use crate::digest::Digest;
use crate::genesis::{Genesis, Member};
use crate::governance::Standing;
use crate::ids::{ChainId, Height};
use crate::key::PublicKey;
use crate::proof::{ValidatorChange, check_finality};
use crate::state::{MAX_STATE_VALUE_BYTES, StateKey};
use crate::state_proof::{StateProof, StateProofError};
use crate::transaction::{SignedTransaction, TransactionError, VerifiedTransaction};

/// Longest end of a trail in bytes.
pub const MAX_TRAIL_END_BYTES: usize = 1 << 20;

/// Entries on their way to the head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trail {
    chain: ChainId,
    head: LogHead,
}

/// Where a trail leads: the heads that the state holds after a final block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TrailEnd {
    /// The block's header.
    pub header: Header,
    /// Why it is final.
    pub certificate: Certificate,
    /// The blocks before it that changed the validators, oldest first.
    pub changes: Vec<ValidatorChange>,
    /// What the state holds under `access-log`.
    pub log: StateProof,
    /// What it holds of the node that made the file.
    pub node: StateProof,
}

/// What was proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrailVerdict {
    /// The block whose state holds the head.
    pub height: Height,
    /// Its time in Unix milliseconds.
    pub time_millis: u64,
    /// The head: how many entries there were by then.
    pub head: LogHead,
    /// The node that made the file, as the state knows it.
    pub node: Member,
}

/// Why a trail shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrailError {
    /// Not an entry's bytes, or not an end's.
    #[error("its bytes cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// The first entry of all has nothing before it.
    #[error("nothing comes before entry 0, and something before every other one")]
    Begin,
    /// Not the entry that belongs here.
    #[error("entry {expected} is missing; entry {actual} is in its place")]
    Place {
        /// The number that belongs here.
        expected: u64,
        /// The number of what is here.
        actual: u64,
    },
    /// A transaction that does not hold.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// A transaction of another entry.
    #[error("the transaction is not the one that its entry names")]
    OtherTransaction,
    /// A header that is not final.
    #[error("the block of the state is not final: {0}")]
    Finality(String),
    /// A proof that does not hold.
    #[error("the state proof does not hold: {0}")]
    State(#[from] StateProofError),
    /// Something removed, added, altered or out of order.
    #[error(
        "the entries do not lead to what the state holds: one was removed, added, altered or moved"
    )]
    Head,
    /// Not of the consortium.
    #[error("the node that made the file is none that takes part in the consortium")]
    Node,
}

impl TrailEnd {
    /// Its canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::encode(self)
    }

    /// Reads an end's canonical bytes; nothing is verified yet.
    ///
    /// # Errors
    /// [`DecodeError`] if they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        canonical::decode(bytes, MAX_TRAIL_END_BYTES)
    }
}

impl Trail {
    /// A trail of `chain` from entry number `first` on, after entries that lead to `before`.
    ///
    /// # Errors
    /// [`TrailError::Begin`] if something comes before entry 0, or nothing before a later one.
    pub fn begin(chain: ChainId, first: u64, before: Digest) -> Result<Self, TrailError> {
        if (first == 0) != (before == Digest::ZERO) {
            return Err(TrailError::Begin);
        }
        let head = LogHead {
            count: first,
            accumulator: before,
        };
        Ok(Self { chain, head })
    }

    /// How many entries there are up to here, those before the first included.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.head.count
    }

    /// The next entry, from its canonical bytes.
    ///
    /// # Errors
    /// [`TrailError::Decode`] or [`TrailError::Place`].
    pub fn tell(&mut self, entry: &[u8]) -> Result<LogEntry, TrailError> {
        let entry = LogEntry::decode(entry)?;
        let (expected, actual) = (self.head.count, entry.number);
        if expected != actual {
            return Err(TrailError::Place { expected, actual });
        }
        self.leave_out(&entry.digest())?;
        Ok(entry)
    }

    /// The next entry with its transaction, from their canonical bytes.
    ///
    /// # Errors
    /// As [`Trail::tell`], [`TrailError::Transaction`] or [`TrailError::OtherTransaction`].
    pub fn show(
        &mut self,
        entry: &[u8],
        transaction: &[u8],
    ) -> Result<(LogEntry, VerifiedTransaction), TrailError> {
        let entry = self.tell(entry)?;
        let transaction = SignedTransaction::decode(transaction)?.verify(self.chain)?;
        if transaction.id() != entry.transaction {
            return Err(TrailError::OtherTransaction);
        }
        Ok((entry, transaction))
    }

    /// The next entry, of which nothing is told but its digest.
    ///
    /// # Errors
    /// [`TrailError::Head`] where counting ends.
    pub fn leave_out(&mut self, digest: &Digest) -> Result<(), TrailError> {
        self.head = self.head.after(digest).ok_or(TrailError::Head)?;
        Ok(())
    }

    /// Whether the entries are all there were up to a final block, and `node` is a node of the consortium then.
    ///
    /// # Errors
    /// [`TrailError`].
    pub fn end(
        &self,
        end: &TrailEnd,
        node: &PublicKey,
        genesis: &Genesis,
    ) -> Result<TrailVerdict, TrailError> {
        let header = &end.header;
        check_finality(self.chain, header, &end.certificate, &end.changes, genesis)
            .map_err(TrailError::Finality)?;
        let held = end
            .log
            .verify(&header.state_root, &StateKey::access_log())?;
        let held: LogHead = match held {
            Some(bytes) => canonical::decode(bytes, MAX_STATE_VALUE_BYTES)?,
            None => LogHead::default(),
        };
        if held != self.head {
            return Err(TrailError::Head);
        }
        let member = end
            .node
            .verify(&header.state_root, &StateKey::member(node))?;
        let member = member.ok_or(TrailError::Node)?;
        let member: Member = canonical::decode(member, MAX_STATE_VALUE_BYTES)?;
        if member.standing != Standing::Active {
            return Err(TrailError::Node);
        }
        Ok(TrailVerdict {
            height: header.height,
            time_millis: header.time_millis,
            head: held,
            node: member,
        })
    }
}
