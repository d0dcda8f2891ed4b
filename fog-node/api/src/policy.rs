//! Policies: who may see which part of the data that an organisation holds, as texts in Cedar and in plain words.

use serde::{Deserialize, Serialize};

use crate::AccessPerson;
use crate::access::AccessState;

/// The policies of all organisations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PoliciesView {
    /// What decides: the language's version and the schema's.
    pub engine: String,
    /// What a policy can speak of, in Cedar's language of schemas.
    pub schema: String,
    /// The policies in force, this organisation's first, by name.
    pub policies: Vec<PolicyRow>,
}

/// A policy in force about all data that its organisation holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyRow {
    /// Its name.
    pub name: String,
    /// The organisation that holds the data.
    pub organisation: String,
    /// Whether that is this node's.
    pub is_own: bool,
    /// Its text in Cedar.
    pub text: String,
    /// What it does.
    pub effect: PolicyEffect,
    /// Whether a person must agree to what it permits.
    pub needs_approval: bool,
    /// What it says in plain words, if it is one that plain words can say; metrics by LOINC code.
    pub words: Option<String>,
    /// Height of the block that put it in force.
    pub height: u64,
}

/// What a policy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyEffect {
    /// It allows what no other forbids.
    Permit,
    /// It forbids, whatever others permit.
    Forbid,
}

/// A text to be checked. Nothing is done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckPolicy {
    /// In Cedar.
    pub text: String,
}

/// What is to be said of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyChecked {
    /// What is wrong with it; nothing if it can be put in force.
    pub faults: Vec<PolicyFault>,
    /// What it does; none while it has faults.
    pub effect: Option<PolicyEffect>,
    /// Whether a person must agree to what it permits.
    pub needs_approval: bool,
    /// What it says in plain words, if it is one that plain words can say.
    pub words: Option<String>,
}

/// Something wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyFault {
    /// What is wrong.
    pub message: String,
    /// What could be done about it, where that is known.
    pub help: Option<String>,
    /// First byte of the text that it is about.
    pub from: usize,
    /// The byte after the last one.
    pub to: usize,
}

impl PolicyFault {
    /// Line and column of its first byte, both counted from one, the column in characters.
    #[must_use]
    pub fn line_and_column(&self, text: &str) -> (usize, usize) {
        let before = text.get(..text.floor_char_boundary(self.from));
        let before = before.unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default();
        (line, column.chars().count() + 1)
    }
}

/// Puts a policy of this node's organisation in force; one of the same name does not hold any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutPolicy {
    /// Its name: 1 to 48 of a to z, 0 to 9 and -.
    pub name: String,
    /// Its text in Cedar.
    pub text: String,
}

/// Asks who could see what of this organisation's data, now and if something were put in force. Nothing is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SimulatePolicies {
    /// Which metrics, by LOINC code: 1 to 8.
    pub metrics: Vec<String>,
    /// What would be put in force, or out of it.
    #[serde(default)]
    pub draft: Option<PolicyDraft>,
    /// Days before now that the asked period begins; 1 without it.
    #[serde(default)]
    pub age_days: Option<u32>,
    /// Hour of the day at which it is asked, 0 to 23 in UTC; now without it.
    #[serde(default)]
    pub hour: Option<u8>,
    /// Id of the asker's organisation; this node's without it.
    #[serde(default)]
    pub organisation: Option<String>,
}

/// A policy as it would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyDraft {
    /// Its name.
    pub name: String,
    /// Its text; none to put it out of force.
    pub text: Option<String>,
}

/// Who could see what: of all that can be asked, what is allowed now or would be then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicySimulation {
    /// How many questions were put.
    pub asked: usize,
    /// The answers that allow something, now or then.
    pub rows: Vec<SimulatedAccess>,
}

/// One question and its answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SimulatedAccess {
    /// LOINC code.
    pub metric: String,
    /// A person of this one role.
    pub role: String,
    /// Who is this to the subject; none if nothing.
    pub relation: Option<String>,
    /// For this purpose.
    pub purpose: String,
    /// At this resolution.
    pub resolution: String,
    /// Whether the glass is broken.
    pub emergency: bool,
    /// As the policies are.
    pub now: SimulatedDecision,
    /// As they would be with the draft.
    pub then: SimulatedDecision,
}

/// What policies decide, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SimulatedDecision {
    /// What.
    pub outcome: PolicyOutcome,
    /// The policies that decided, by name.
    pub by: Vec<String>,
}

/// What policies decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyOutcome {
    /// It may be seen.
    Permitted,
    /// It may be seen once a person agrees.
    NeedsApproval,
    /// A policy forbids it.
    Forbidden,
    /// No policy permits it.
    NotPermitted,
}

/// The policies of this node's organisation that were in force and are not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetractedPolicies {
    /// They, the one that was retracted last first.
    pub policies: Vec<RetractedPolicy>,
    /// Whether these are all: no part of the log is missing here, and no transaction in it that may be about another.
    pub is_whole: bool,
}

/// A policy that was in force and is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetractedPolicy {
    /// Its name.
    pub name: String,
    /// Where its last text was put in force; none where that is not known here.
    pub put: Option<PolicyBlock>,
    /// Where it was put out of force.
    pub retracted: PolicyBlock,
}

/// The block that holds a change of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyBlock {
    /// Its height.
    pub height: u64,
    /// Its time in Unix milliseconds.
    pub time: u64,
}

/// What became of a policy of this node's organisation: each text that was in force, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyHistory {
    /// Its name.
    pub name: String,
    /// The organisation that holds the data.
    pub organisation: String,
    /// Its versions, the newest first.
    pub versions: Vec<PolicyVersion>,
    /// Whether these are all: no part of the log is missing here, and no transaction in it that may be about the policy.
    pub is_whole: bool,
}

/// A change of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyVersion {
    /// Height of the block that holds it.
    pub height: u64,
    /// That block's time in Unix milliseconds.
    pub time: u64,
    /// Id of the transaction; none where this node does not hold it any more.
    pub transaction: Option<String>,
    /// The admin key that signed it, 64 hex digits. Which person had it signed, the ledger does not know.
    pub key: String,
    /// What was done.
    pub change: PolicyChange,
    /// The text from then on; none if the policy was put out of force.
    pub text: Option<String>,
    /// What it says in plain words, if it is one that plain words can say; metrics by LOINC code.
    pub words: Option<String>,
    /// What is other than before, a sentence each, where plain words can say both.
    pub difference: Vec<String>,
    /// The lines of both texts, where they are two.
    pub lines: Vec<PolicyLine>,
}

/// What was done with a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyChange {
    /// It was put in force.
    Put,
    /// It was put in force with another text.
    Changed,
    /// It was put out of force.
    Removed,
    /// It was put in force; what was before is not known here.
    Unknown,
}

/// A line of a text or of the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyLine {
    /// Where it stands.
    pub standing: LineStanding,
    /// It, without its end.
    pub text: String,
}

/// In which of two texts a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LineStanding {
    /// In both.
    Kept,
    /// In the new one.
    Added,
    /// In the one before.
    Removed,
}

/// The requests that a policy of this node's organisation has decided, and what was read under them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyDecisions {
    /// The policy's name.
    pub name: String,
    /// Those that name it, the newest first.
    pub decisions: Vec<PolicyDecision>,
    /// Whether these are all that this node's part of the log names it in.
    pub is_whole: bool,
    /// The block in which it stands that the caller reads this.
    pub recorded_height: u64,
}

/// Says how many it is.
impl std::fmt::Debug for PolicyDecisions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PolicyDecisions({} decisions)", self.decisions.len())
    }
}

/// A request that a policy has decided, alone or with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyDecision {
    /// The request's handle.
    pub request: String,
    /// Who asked.
    pub person: AccessPerson,
    /// Height of the block that decided.
    pub height: u64,
    /// That block's time in Unix milliseconds.
    pub time: u64,
    /// Height of the version that was in force then; none where that is not known here.
    pub version: Option<u64>,
    /// What was decided: granted, waiting for a person, or denied.
    pub decided: AccessState,
    /// Transactions of the receipts under it, the newest first.
    pub receipts: Vec<String>,
    /// How many readings were served under it, counted each time.
    pub readings: u64,
}
