//! Votes over a replica: other rules and other validators are in force at the next height, `fsck` walks
//! over both, and a document that could not found a consortium is refused with the reason.

use ledger_core::governance::{Change, Choice, GovernanceError, Propose, Vote, parameters};
use ledger_core::parameters::{MIN_VOTED_BLOCK_BYTES, Parameters};
use ledger_core::state::ExecutionError;
use ledger_core::{Height, Nonce, Payload, ProposalNumber, VerifiedTransaction};
use ledger_store::{Refusal, Replica, StoreError};

use crate::support::{Chain, assert_clean, genesis, key};

impl Chain {
    /// The transaction with a node's next nonce, plus those it has in the block already.
    fn sends(&self, number: u8, after: u64, payload: Payload) -> VerifiedTransaction {
        let account = {
            let snapshot = self.replica.read().expect("read");
            snapshot.account(&key(number).public()).expect("account")
        };
        self.sign(number, Nonce(account.next_nonce.0 + after), payload)
    }
}

fn propose(change: Change) -> Payload {
    Payload::Propose(Propose {
        change,
        reason: "as agreed".into(),
        open_for_millis: 1000,
    })
}

fn approve(number: u64) -> Payload {
    Payload::Vote(Vote {
        proposal: ProposalNumber(number),
        choice: Choice::Approve,
    })
}

/// Goal: blocks are as large as the rules in force allow, before and after a vote, and for `fsck`.
#[test]
fn voted_rules_bound_the_next_block() {
    let chain = Chain::new(3);
    let many = || -> Vec<_> {
        let next = chain.sends(1, 0, approve(0)).body().nonce.0;
        (0..40)
            .map(|at| chain.register(1, next + at, &[at as u8]))
            .collect()
    };
    let fitting = |many: &[VerifiedTransaction]| {
        let prepared = chain.replica.prepare(many, 0, key(1).public());
        prepared.expect("prepare").block.ids().len()
    };
    assert!(fitting(&many()) < 40);
    let rules = Parameters {
        max_block_bytes: MIN_VOTED_BLOCK_BYTES,
        ..Parameters::default()
    };
    let vote = [
        chain.sends(1, 0, propose(Change::SetParameters(rules))),
        chain.sends(2, 0, approve(0)),
    ];
    chain.append(&vote);
    let found = parameters(&chain.replica.read().expect("read"));
    assert_eq!(found, Ok(rules));
    assert_eq!(fitting(&many()), 40);
    chain.append(&many());
    assert_clean(&chain.path());
}

/// Goal: a validator that withdraws certifies the block that decides it and none after; a proof of what
/// comes later leads over the change to the genesis.
#[test]
fn voted_validators_certify_the_next_block() {
    let chain = Chain::new(3);
    let leave = Change::RemoveValidator {
        node: key(3).public(),
    };
    let decided = chain.append(&[chain.sends(3, 0, propose(leave))]);
    let height = Height(decided.height().0 + 1);
    let late = chain.register(3, 1, b"still a member");
    let id = late.id();
    chain.append(&[late]);
    let snapshot = chain.replica.read().expect("read");
    let before = snapshot.validators_at(decided.height()).expect("read");
    assert_eq!(before.expect("a set").as_slice().len(), 3);
    let after = snapshot
        .validators_at(height)
        .expect("read")
        .expect("a set");
    assert_eq!(after.as_slice().len(), 2);
    assert!(after.find(&key(3).public()).is_none());
    let changes = snapshot.validator_changes(height).expect("read");
    let [change] = changes.as_slice() else {
        panic!("one change, not {}", changes.len());
    };
    assert_eq!(
        (&change.next, change.header.height),
        (&after, decided.height())
    );
    let inclusion = snapshot.inclusion(&id).expect("read").expect("on chain");
    assert_eq!(inclusion.changes, changes);
    drop(snapshot);
    assert_clean(&chain.path());
}

/// Goal: a document that could not found a consortium founds none, and the reason is said.
#[test]
fn an_unsound_genesis_founds_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let replica = Replica::open(folder.path().join("chain.sqlite")).expect("open");
    let mut unsound = genesis(2);
    unsound.organisations.pop();
    let refused = replica.found(&unsound, &key(1));
    let error = ExecutionError::Governance(GovernanceError::UnknownOrganisation);
    let expected = Refusal::Execution { index: 0, error };
    assert!(
        matches!(&refused, Err(StoreError::Refused(found)) if *found == expected),
        "{refused:?}"
    );
    assert!(replica.read().expect("read").tip().is_none());
    replica.found(&genesis(2), &key(1)).expect("founded");
}
