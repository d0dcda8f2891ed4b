//! Requests for a part of somebody's data: asked, decided, ended, reviewed.
//!
//! People and subjects are named by their handles on the ledger; a name stands beside one only where this node's own
//! vault knows it. Requests that hold a reason, and rows that may, say nothing of it in their `Debug`.

use std::fmt;

use ledger_core::Quality;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::patient::silent;
use crate::reading::SampleSegment;

/// Asks for a part of a subject's data, in the caller's name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AskAccess {
    /// Whose data: a handle, 64 hex digits; or, of a patient of this node whom the caller may know, the id or number.
    pub subject: String,
    /// Id of the organisation that holds them, 32 hex digits; this node's without it.
    #[serde(default)]
    pub holder: Option<String>,
    /// Which metrics: 1 to 16 LOINC codes.
    pub metrics: Vec<String>,
    /// The period's begin in Unix milliseconds.
    pub from: u64,
    /// The period's end in Unix milliseconds, itself not in it.
    pub until: u64,
    /// How finely: `raw` or `aggregate`.
    pub resolution: String,
    /// What for: `treatment`, `patient_request`, `research`, `quality` or `payment`.
    pub purpose: String,
    /// For how many seconds from the grant on: a minute to a year.
    pub seconds: u64,
    /// What the caller is to the subject, `treating`, `self` or `guardian`, as a node of the holder's attests.
    #[serde(default)]
    pub relations: Vec<String>,
}

/// Gives somebody a part of a subject's data that this node's organisation holds, without a request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GrantAccess {
    /// To whom: a person's handle on the ledger, 64 hex digits, or the login of somebody of this node.
    pub person: String,
    /// Whose data: a handle, 64 hex digits; or, of a patient of this node whom the caller may know, the id or number.
    pub subject: String,
    /// Which metrics: 1 to 16 LOINC codes.
    pub metrics: Vec<String>,
    /// The period's begin in Unix milliseconds.
    pub from: u64,
    /// The period's end in Unix milliseconds, itself not in it.
    pub until: u64,
    /// How finely: `raw` or `aggregate`.
    pub resolution: String,
    /// What for, as in [`AskAccess`].
    pub purpose: String,
    /// For how many seconds from then on: a minute to a year.
    pub seconds: u64,
}

// A patient may be named in them.
silent!(AskAccess, GrantAccess);

/// Asks in an emergency.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BreakGlass {
    /// For what.
    pub asked: AskAccess,
    /// Why: 1 to 500 characters. It stays in this node's vault; the ledger has a commitment to it.
    pub reason: String,
}

/// Says nothing of the reason.
impl fmt::Debug for BreakGlass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BreakGlass(…)")
    }
}

/// Decides about a request that waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DecideAccess {
    /// Whether it is granted.
    pub allow: bool,
}

/// Says whether there was reason to break the glass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReviewAccess {
    /// Whether there was.
    pub is_justified: bool,
}

/// A broken glass that waits for somebody of the data's organisation to review it. It names who asked, and nothing of
/// the subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BrokenGlass {
    /// The request's handle.
    pub handle: String,
    /// Who asked.
    pub person: AccessPerson,
    /// When, in Unix milliseconds of the ledger's time; where a person had to agree, when she did.
    pub at: u64,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccessState {
    /// For a person of the holder's to decide.
    Waiting,
    /// Something may be read.
    Granted,
    /// It was granted, and nothing may be read now, since what it rested on is gone.
    Suspended,
    /// The policies permitted nothing of it.
    Denied,
    /// A person of the holder's said no.
    Refused,
    /// Ended before its time.
    Ended,
    /// Its time is over.
    Over,
}

impl AccessState {
    /// Whether it can still change by itself or by somebody.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Granted | Self::Suspended)
    }
}

/// Somebody on the ledger.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessPerson {
    /// Her handle.
    pub handle: String,
    /// Her name, if she is registered at this node.
    pub name: Option<String>,
    /// Her organisation's name.
    pub organisation: String,
}

/// Says who by handle only.
impl fmt::Debug for AccessPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessPerson({})", self.handle)
    }
}

/// What was said of a broken glass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessReview {
    /// Who said so.
    pub by: AccessPerson,
    /// Whether there was reason.
    pub is_justified: bool,
}

/// A request, and what became of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessRow {
    /// Its handle on the ledger, 64 hex digits.
    pub handle: String,
    /// Who asked.
    pub person: AccessPerson,
    /// Whose data: a handle.
    pub subject: String,
    /// Name of the organisation that holds them.
    pub holder: String,
    /// Where it stands now.
    pub state: AccessState,
    /// The decision in words: who, what, what not and why, until when.
    pub words: String,
    /// The metrics that were asked for, by LOINC code.
    pub metrics: Vec<String>,
    /// Those that may be read now.
    pub readable: Vec<String>,
    /// Those that were not permitted when it was decided.
    pub cut_off: Vec<String>,
    /// The policies that decided, by name.
    pub by: Vec<String>,
    /// The period's begin in Unix milliseconds.
    pub from: u64,
    /// The period's end in Unix milliseconds, itself not in it.
    pub until: u64,
    /// How finely.
    pub resolution: String,
    /// What for.
    pub purpose: String,
    /// What the asker is to the subject, as the holder's node attests.
    pub relations: Vec<String>,
    /// When it ends by itself, in Unix milliseconds of the ledger's time.
    pub ends: u64,
    /// Seconds until then; none once it is not open any more.
    pub remaining_seconds: Option<u64>,
    /// The person who decided, if one did.
    pub decided_by: Option<AccessPerson>,
    /// Whether the glass was broken.
    pub is_emergency: bool,
    /// Why, where this node keeps it, for the asker and who reviews.
    pub reason: Option<String>,
    /// What was said of that.
    pub review: Option<AccessReview>,
    /// How often it was read, as far as receipts are final.
    pub reads: u64,
    /// How many readings that were, counted each time.
    pub readings: u64,
    /// Height of the block that changed it last.
    pub changed_height: u64,
    /// Receipts that nodes have promised to this one for what they gave under it, and that the ledger does not have.
    #[serde(default)]
    pub promised: Vec<PromisedReceipt>,
    /// Whether the caller asked.
    pub is_own: bool,
    /// Whether it waits for the caller's decision.
    pub may_decide: bool,
    /// Whether the caller may end it, or give it back.
    pub may_end: bool,
    /// Whether it waits for the caller's review.
    pub may_review: bool,
}

/// Says which by handle only.
impl fmt::Debug for AccessRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessRow({}, {:?})", self.handle, self.state)
    }
}

/// Asks to be shown what was granted, or a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReadAccess {
    /// A random name for this read, 64 hex digits. Who lost the answer asks again by the same name and is shown the
    /// same, under the same receipt. The node draws one without it.
    #[serde(default)]
    pub read: Option<String>,
    /// Only these of the granted metrics, by LOINC code; all without it.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// Only from this moment on, in Unix milliseconds.
    #[serde(default)]
    pub from: Option<i64>,
    /// Only until before this one.
    #[serde(default)]
    pub until: Option<i64>,
}

/// What was granted and is shown, once its receipt is durable.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Disclosure {
    /// The request's handle.
    pub access: String,
    /// The read's name, 64 hex digits.
    pub read: String,
    /// When it was read, in Unix milliseconds.
    pub at: i64,
    /// The period's begin in Unix milliseconds.
    pub from: i64,
    /// The period's end, itself not in it.
    pub until: i64,
    /// How finely: `raw` or `aggregate`.
    pub resolution: String,
    /// What the ledger is told of it, by each node that gave something.
    pub receipts: Vec<DisclosureReceipt>,
    /// Readings, where they are shown as they are.
    pub streams: Vec<DisclosedStream>,
    /// What is told of many together, where they are not.
    pub spans: Vec<DisclosedSpan>,
    /// Nodes of the holder's that may have more of it, and why that is not shown.
    pub not_read: Vec<NotRead>,
}

/// The receipt of what one node gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DisclosureReceipt {
    /// The node's key, 64 hex digits.
    pub node: String,
    /// The transaction that tells the ledger, 64 hex digits.
    pub transaction: String,
    /// The commitment in it to what is shown.
    pub commitment: String,
    /// How many readings that is made of.
    pub readings: u64,
    /// How many of them this node has found to be as they are anchored on its own replica; none of what it holds
    /// itself.
    pub proven: Option<u64>,
}

/// A receipt that another node has promised for what it gave to this node's people, and that the ledger does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromisedReceipt {
    /// The request's handle.
    pub access: String,
    /// The read's name, 64 hex digits.
    pub read: String,
    /// Key of the node that gave, 64 hex digits.
    pub node: String,
    /// Its name.
    pub node_name: String,
    /// Name of its organisation.
    pub organisation: String,
    /// The transaction that it has signed, 64 hex digits.
    pub transaction: String,
    /// The commitment in it to what was given.
    pub commitment: String,
    /// How many readings that was.
    pub readings: u64,
    /// When, in Unix milliseconds.
    pub at: u64,
    /// How it stands.
    pub standing: ReceiptStanding,
    /// Who has cleared up why it did not come, if somebody has.
    pub settled: Option<Settlement>,
    /// What is known of it, and what to do.
    pub words: String,
}

/// That somebody who audits has cleared up why a receipt did not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settlement {
    /// Her name.
    pub by: String,
    /// When, in Unix milliseconds.
    pub at: u64,
    /// What it was, in her words.
    pub reason: String,
}

/// Says why a promised receipt did not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SettlePromise {
    /// What it was, at most 500 characters on one line.
    pub reason: String,
}

/// How a promised receipt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStanding {
    /// It may still come: its node was not heard for long enough to say more.
    Waiting,
    /// Its node takes part in the consortium and does not tell.
    Silent,
    /// Its node has told something else in its place; it cannot come any more.
    PassedOver,
}

impl ReceiptStanding {
    /// Whether it should have come.
    #[must_use]
    pub const fn is_missing(self) -> bool {
        matches!(self, Self::Silent | Self::PassedOver)
    }
}

/// A node from which nothing is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotRead {
    /// Its name.
    pub node: String,
    /// Why.
    pub why: ApiError,
}

/// Says which by names only.
impl fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disclosure({}, {})", self.access, self.read)
    }
}

/// Readings of one metric of one device.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DisclosedStream {
    /// The stream's random name, 32 hex digits; a reading's is that, a dot and its sequence.
    pub stream: String,
    /// LOINC code of what was measured.
    pub code: String,
    /// What that is called.
    pub label: String,
    /// UCUM unit.
    pub unit: String,
    /// In the order of their sequences.
    pub readings: Vec<DisclosedReading>,
}

/// One reading that is shown.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DisclosedReading {
    /// Its place in its stream.
    pub sequence: u64,
    /// When it was taken, in Unix milliseconds.
    pub taken: i64,
    /// The value, if it is a number.
    pub value: Option<f64>,
    /// The samples, if it is part of a wave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<SampleSegment>,
    /// Its quality.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub quality: Quality,
    /// Whether it is of a simulated device.
    pub simulated: bool,
}

/// What is told of the values of one metric in an hour or a day.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DisclosedSpan {
    /// LOINC code.
    pub code: String,
    /// What that is called.
    pub label: String,
    /// UCUM unit.
    pub unit: String,
    /// The span's begin in Unix milliseconds.
    pub from: i64,
    /// Its end, itself not in it.
    pub until: i64,
    /// Values that the sensor vouched for.
    pub count: u64,
    /// The lowest; none where there are too few values to tell of.
    pub min: Option<f64>,
    /// The highest.
    pub max: Option<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// Whether one of them is of a simulated device.
    pub simulated: bool,
}
