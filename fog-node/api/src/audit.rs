//! The access log for people: who did what about people, policies, requests and the log itself, newest first.
//!
//! Entries name handles; a name stands beside one only where this node's own vault knows it. What a question names, a
//! patient or a person, is not repeated by its `Debug`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AccessPerson, PromisedReceipt};

/// Which entries are asked for; all that concerns the caller's organisation without any of these.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AuditQuery {
    /// About this patient of the node: her id, or the clinic's number of her.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// Signed by this person, or concerning her: a handle on the ledger, 64 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// About requests that may be about readings of this device of the node, by its id: those for data of somebody who
    /// wore it, of a period in which she did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// From then on, in Unix milliseconds of the ledger's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Before then, in Unix milliseconds of the ledger's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// About requests for this purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// With this outcome, as [`AuditOutcome`] writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AuditOutcome>,
    /// Only where the glass was broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<bool>,
    /// Entries with smaller numbers; the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Most entries, 1 to 500; 100 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Says nothing of whom it names.
impl fmt::Debug for AuditQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditQuery(…)")
    }
}

/// What came of what an entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// A person or a policy is as the entry says.
    Changed,
    /// The request waited for a person.
    Waiting,
    /// Something was granted.
    Granted,
    /// Nothing of it was permitted.
    Denied,
    /// A person said no.
    Refused,
    /// It was ended before its time.
    Ended,
    /// It was granted or waited, and its time is over by now; no transaction says so, the entry itself does.
    Over,
    /// It was said whether there was reason to break the glass.
    Reviewed,
    /// Readings were served.
    Served,
    /// Somebody read the log.
    Read,
    /// Readings were erased.
    Erased,
}

impl AuditOutcome {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Changed,
        Self::Waiting,
        Self::Granted,
        Self::Denied,
        Self::Refused,
        Self::Ended,
        Self::Over,
        Self::Reviewed,
        Self::Served,
        Self::Read,
        Self::Erased,
    ];
}

/// A page of the log, newest first.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditRow>,
    /// Where the next page begins; none where the log does. A page may be short, or empty, though there is a next one:
    /// a page looks at so many entries at most.
    pub next: Option<u64>,
    /// The block in which it stands that the caller reads this.
    pub recorded_height: u64,
    /// The first entry that this node holds; later than 0 where it started from a snapshot.
    pub first_held: u64,
    /// What other nodes gave to this node's people, promised to tell, and never did; no entry says so. On the first
    /// page of what concerns the organisation.
    #[serde(default)]
    pub untold: Vec<PromisedReceipt>,
}

/// Says how much it is.
impl fmt::Debug for AuditPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditPage({} entries)", self.entries.len())
    }
}

/// An entry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditRow {
    /// Its place in the log, from 0 on.
    pub number: u64,
    /// The block that holds it.
    pub height: u64,
    /// That block's time in Unix milliseconds.
    pub time: u64,
    /// Id of the transaction.
    pub transaction: String,
    /// The transaction's kind; `pruned` where this node does not hold the transaction any more.
    pub kind: String,
    /// What happened, in words.
    pub words: String,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// Name of the organisation whose data, people or log it is about.
    pub organisation: String,
    /// Who signed it, if a person did.
    pub signer: Option<AccessPerson>,
    /// Whom it is about.
    pub person: Option<AccessPerson>,
    /// Whose data: a subject's handle.
    pub subject: Option<String>,
    /// The request's handle.
    pub request: Option<String>,
    /// What for.
    pub purpose: Option<String>,
    /// Whether the glass was broken.
    pub is_emergency: bool,
}

/// Says which by number only.
impl fmt::Debug for AuditRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditRow({}, {:?})", self.number, self.outcome)
    }
}
