//! How a consortium changes itself: organisations propose, vote, and what is approved is done.
//!
//! `docs/governance.md` tells it for those who vote. In the state:
//!
//! | Key | Value | Changed by |
//! |---|---|---|
//! | `thresholds` | [`Thresholds`] | height 0, votes |
//! | `organisations` | [`OrganisationIds`] | height 0, votes |
//! | `organisation/ID` | [`Organisation`] | height 0, votes |
//! | `nodes/ID` | keys of its active nodes | height 0, votes |
//! | `key/KEY` | [`KeyUse`] | height 0, proposals, votes |
//! | `agenda` | [`Agenda`] | proposals, votes, time |
//! | `proposal/NUMBER` | [`Proposal`] | proposals, votes, time, the queue |
//! | `queue` | list of [`SeatChange`] | votes, the end of a block |
//!
//! Every entry is bounded; none is ever deleted. Left out: who an organisation is in the world, and how
//! its admins keep their keys.

mod enact;
mod error;
mod found;
mod keys;
mod organisation;
mod preflight;
mod proposal;
mod queue;
mod read;
mod thresholds;
mod votes;

pub use error::GovernanceError;
pub use organisation::{
    KeyUse, MAX_ADDRESS_BYTES, MAX_ADMINS, MAX_NAME_CHARS, MAX_NODES, MAX_ORGANISATIONS,
    MAX_ORGANISATIONS_EVER, Organisation, OrganisationIds, Standing, is_address, is_name,
};
pub use preflight::{
    Code, Finding, MAX_BEHIND_BLOCKS, MAX_CLOCK_OFFSET_MILLIS, Observed, SILENT_BLOCKS, Seen,
    Severity, preflight,
};
pub use proposal::{
    Agenda, AgendaItem, Ballot, Change, Choice, MAX_OPEN, MAX_OPEN_EACH, MAX_OPEN_MILLIS,
    MAX_REASON_BYTES, MIN_OPEN_MILLIS, NewOrganisation, Node, Outcome, Proposal, Propose, Tally,
    Vote,
};
pub use queue::{MAX_QUEUE, POWER_TENTHS, Seat, SeatChange, queue};
pub use read::{
    MAX_PROPOSALS, Wakeup, admin_of, agenda, key_use, next_wakeup, nodes, open_proposals,
    organisation, organisation_ids, organisations, parameters, proposal, proposals, rule_of, tally,
    thresholds,
};
pub use thresholds::{Fraction, MAX_DENOMINATOR, Rule, Thresholds};

pub(crate) use found::{check_genesis, found};
pub(crate) use votes::{end_block, propose, vote};
