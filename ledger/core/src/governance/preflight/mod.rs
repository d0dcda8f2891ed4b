//! What a change would break, told before anybody votes.
//!
//! The change is tried on top of the state, by the code that would do it, until nothing waits in the
//! queue any more; what differs is said. What the state cannot know, who answers and whose clock is
//! right, the node that asks has to bring along as [`Observed`].
//!
//! Left out: devices and patients, which are not on chain.

mod candidates;
mod quorum;
mod voices;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::enact::enact;
use super::keys::reserve;
use super::proposal::Change;
use super::read::agenda;
use super::votes::digest_of;
use crate::ids::{Height, OrganisationId};
use crate::key::PublicKey;
use crate::state::{ExecutionError, Overlay, StateReadError, StateView};

/// A node that is further behind cannot vote, in blocks.
pub const MAX_BEHIND_BLOCKS: u64 = 10;
/// A validator that has signed none of so many blocks counts as silent.
pub const SILENT_BLOCKS: u64 = 100;
/// Largest difference of a validator's clock that does no harm, in milliseconds.
pub const MAX_CLOCK_OFFSET_MILLIS: u64 = 500;

/// What the asking node sees of another, or of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// Whether it answers now.
    pub is_reachable: bool,
    /// How many blocks it is behind the tip, if known.
    pub behind_blocks: Option<u64>,
    /// How far its clock is ahead, in milliseconds, if measured.
    pub clock_offset_millis: Option<i64>,
    /// The last block it signed, if any is known.
    pub last_signed: Option<Height>,
}

/// What the asking node sees. A node that is not in it is taken for unreachable.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Observed {
    /// The asking node's tip.
    pub tip: Height,
    /// All nodes seen, by their keys for votes; the asking node is one of them.
    pub nodes: BTreeMap<PublicKey, Seen>,
}

impl Observed {
    /// Whether a node cannot be counted on to sign the next block.
    #[must_use]
    pub fn is_silent(&self, vote_key: &PublicKey) -> bool {
        let Some(seen) = self.nodes.get(vote_key) else {
            return true;
        };
        let unsigned = seen
            .last_signed
            .map(|last| self.tip.0.saturating_sub(last.0));
        !seen.is_reachable
            || seen
                .behind_blocks
                .is_some_and(|behind| behind > MAX_BEHIND_BLOCKS)
            || unsigned.is_some_and(|unsigned| unsigned > SILENT_BLOCKS)
    }
}

/// How bad a finding is; the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something would not work any more, or not be safe.
    Breaks,
    /// Something would be different.
    Changes,
    /// Something one may worry about stays as it is.
    Holds,
}

/// What a finding is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The ledger would refuse the change.
    Refused,
    /// Too few validators would answer to make a block final.
    WouldHalt,
    /// No validator could be missing.
    NoSpare,
    /// How many validators could be missing.
    Spare,
    /// How many lying or broken validators are borne.
    FaultTolerance,
    /// How much power changes in a block.
    Power,
    /// Old proofs.
    OldProofs,
    /// A candidate does not answer.
    Unreachable,
    /// A candidate is behind.
    Behind,
    /// A candidate's clock.
    Clock,
    /// A candidate that can start at once.
    Ready,
    /// A key with more than one purpose.
    KeyUsedTwice,
    /// An organisation's part.
    Organisation,
    /// A node's part.
    Node,
    /// Who must agree from then on.
    Voices,
    /// Another proposal is decided by it.
    OtherProposal,
    /// One admin key is all an organisation has.
    LastAdminKey,
    /// A rule.
    Parameter,
}

/// One sentence or two about what would follow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub code: Code,
    /// What would be; its first sentence is the gist.
    pub what: String,
    /// What to do about it; empty where nothing is to be done.
    pub next: String,
    /// Whether the ledger would halt, so that a node proposes it only if it is forced to.
    pub halts: bool,
}

impl Finding {
    fn new(severity: Severity, code: Code, what: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            what: what.into(),
            next: String::new(),
            halts: false,
        }
    }

    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }
}

/// What would follow if `by` proposed a change and it were approved, the worst first. For an open
/// proposal: what would follow from its approval.
///
/// # Errors
/// [`StateReadError`].
pub fn preflight<V: StateView + ?Sized>(
    view: &V,
    by: OrganisationId,
    change: &Change,
    observed: &Observed,
) -> Result<Vec<Finding>, StateReadError> {
    let mut after = Overlay::new(view);
    let agenda = agenda(view)?;
    let digest = digest_of(change);
    if agenda.open.iter().any(|one| one.change == digest) {
        reserve(&mut after, &change.new_keys(), None)?;
    }
    let next = observed.tip.next().unwrap_or(observed.tip);
    match enact(&mut after, agenda.next, next, change) {
        Ok(()) => {}
        Err(ExecutionError::State(error)) => return Err(error),
        Err(why) => {
            let what = format!("The ledger would refuse it: {why}.");
            return Ok(vec![Finding::new(Severity::Breaks, Code::Refused, what)]);
        }
    }
    let mut findings = candidates::findings(view, change, observed)?;
    findings.extend(voices::findings(view, &after, by, change)?);
    findings.extend(quorum::findings(view, &mut after, observed)?);
    findings.sort_by_key(|finding| finding.severity);
    Ok(findings)
}
