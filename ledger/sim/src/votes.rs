//! The admins of the simulated organisations: they admit observers as validators and send validators
//! back, one change after the other, as long as blocks are wanted.
//!
//! - There are never fewer validators than the chain was founded with, so that as many rule-breakers
//!   as at the start stay harmless.
//! - An admin approves the oldest open proposal, if what it asks keeps to that, and rejects the others:
//!   what was proposed at a time is decided one by one.
//! - What becomes of an admin's transaction is no concern of an outbox: it is made anew from the state
//!   as long as there is a reason for it.

use ledger_core::governance::{
    self, Change, Choice, Outcome, Propose, Seat, SeatChange, Vote, agenda, open_proposals,
};
use ledger_core::state::{Account, StateKey, StateReadError, read};
use ledger_core::{
    ChainId, Payload, PublicKey, SignedTransaction, TransactionBody, ValidatorSet,
    VerifiedTransaction,
};
use ledger_store::MemoryReplica;

use crate::network::NodeIndex;
use crate::random::Random;
use crate::scenario::{admin_key, key, organisation};

/// How long a proposal is open, in milliseconds.
const OPEN_MILLIS: (u64, u64) = (1500, 30_000);

/// The consortium as its founders wanted it.
#[derive(Clone, Copy)]
pub(crate) struct Constitution {
    /// Validators at the start, and at least.
    pub founders: usize,
    /// All nodes.
    pub nodes: usize,
}

/// What the admin of `node`'s organisation sends next, if there is a reason for anything.
pub(crate) fn transaction(
    chain: ChainId,
    node: NodeIndex,
    constitution: Constitution,
    replica: &MemoryReplica,
    random: &mut Random,
) -> Option<VerifiedTransaction> {
    let payload = wanted(node, constitution, replica, random).ok()??;
    let admin = admin_key(node);
    let account: Option<Account> = read(replica, &StateKey::account(&admin.public())).ok()?;
    let body = TransactionBody {
        chain,
        nonce: account.unwrap_or_default().next_nonce,
        payload,
    };
    SignedTransaction::sign(&body, &admin).verify(chain).ok()
}

fn wanted(
    node: NodeIndex,
    constitution: Constitution,
    replica: &MemoryReplica,
    random: &mut Random,
) -> Result<Option<Payload>, StateReadError> {
    let open = open_proposals(replica)?;
    let own = organisation(node);
    for (place, proposal) in open.iter().enumerate() {
        let voted = proposal.ballots.iter().find(|one| one.organisation == own);
        let keeps = keeps_enough(constitution, replica, &proposal.change)?;
        let choice = match place == 0 && keeps {
            true => Choice::Approve,
            false => Choice::Reject,
        };
        let is_open = proposal.outcome == Outcome::Open;
        if is_open && voted.is_none_or(|ballot| ballot.choice != choice) {
            return Ok(Some(Payload::Vote(Vote {
                proposal: proposal.number,
                choice,
            })));
        }
    }
    let turn = agenda(replica)?.next.0 % constitution.founders.max(1) as u64;
    let waiting: Vec<SeatChange> = governance::queue(replica)?;
    if !open.is_empty() || !waiting.is_empty() || turn != node as u64 {
        return Ok(None);
    }
    let change = wish(node, constitution, replica, random)?;
    Ok(change.map(|change| {
        Payload::Propose(Propose {
            change,
            reason: "simulated".into(),
            open_for_millis: random.between(OPEN_MILLIS.0, OPEN_MILLIS.1),
        })
    }))
}

/// A validator more, or, where there are more than the founders were, one less; never the own one, for
/// that would need nobody's consent.
fn wish(
    node: NodeIndex,
    constitution: Constitution,
    replica: &MemoryReplica,
    random: &mut Random,
) -> Result<Option<Change>, StateReadError> {
    let Some(validators) = validators(replica)? else {
        return Ok(None);
    };
    let is_in = |other: &NodeIndex| validators.find(&key(*other).public()).is_some();
    let own = organisation(node);
    let others =
        (0..constitution.nodes).filter(|other| owner(*other, constitution.founders) != own);
    let (inside, outside): (Vec<_>, Vec<_>) = others.partition(is_in);
    let spare = validators.as_slice().len() > constitution.founders;
    let named = |other: &NodeIndex| -> PublicKey { key(*other).public() };
    if spare && (outside.is_empty() || random.chance(500)) {
        let node = random.pick(&inside).map(named);
        return Ok(node.map(|node| Change::RemoveValidator { node }));
    }
    let node = random.pick(&outside).map(named);
    Ok(node.map(|node| Change::AdmitValidator { node }))
}

/// Whose node it is: those after the founders belong to the founders in turn.
pub(crate) fn owner(node: NodeIndex, founders: usize) -> ledger_core::ids::OrganisationId {
    organisation(node % founders.max(1))
}

fn validators(replica: &MemoryReplica) -> Result<Option<ValidatorSet>, StateReadError> {
    read(replica, &StateKey::validators())
}

/// Whether there are still as many validators as founders after a change, and after those that wait.
fn keeps_enough(
    constitution: Constitution,
    replica: &MemoryReplica,
    change: &Change,
) -> Result<bool, StateReadError> {
    if !matches!(change, Change::RemoveValidator { .. }) {
        return Ok(true);
    }
    let now = validators(replica)?.map_or(0, |set| set.as_slice().len());
    let waiting = governance::queue(replica)?;
    let leaving = waiting
        .iter()
        .filter(|waiting| matches!(waiting.seat, Seat::Remove { .. }));
    Ok(now > constitution.founders + leaving.count())
}
