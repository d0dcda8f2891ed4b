//! The queue of validator changes: what a block may move, when it is in force, and that nothing halts.

use std::collections::BTreeSet;

use ledger_core::governance::{
    Change, GovernanceError, NewOrganisation, Outcome, Wakeup, next_wakeup,
};
use ledger_core::state::{AnchorHead, StateKey, read};
use ledger_core::{
    AnchorBatch, BatchNumber, Digest, Height, Payload, PublicKey, Validator, ValidatorSet,
};

use crate::support::{genesis, validators};
use crate::town::{Town, id, node, public, vote};

fn keys(set: &ValidatorSet) -> BTreeSet<PublicKey> {
    set.as_slice().iter().map(|one| one.key).collect()
}

/// Of two sets, how many seats of the first are gone or come new in the second, whichever is more.
fn moved(before: &ValidatorSet, after: &ValidatorSet) -> usize {
    let (before, after) = (keys(before), keys(after));
    let gone = before.difference(&after).count();
    gone.max(after.difference(&before).count())
}

/// Blocks until the queue is empty, none of which moves more than it may; how many.
fn settle(town: &mut Town) -> usize {
    let mut blocks = 0;
    while !town.queue().is_empty() {
        assert_eq!(next_wakeup(&town.state), Ok(Some(Wakeup::Now)));
        let before = town.validators();
        town.block(&[]);
        let limit = before.as_slice().len() * 3 / 10;
        assert!(moved(&before, &town.validators()) <= limit.max(1));
        blocks += 1;
    }
    blocks
}

/// An organisation with `numbers` nodes, none of which validates.
fn observers(numbers: &[u8]) -> NewOrganisation {
    NewOrganisation {
        id: id(100),
        name: "observers".into(),
        admins: vec![public(100)],
        nodes: numbers.iter().copied().map(node).collect(),
    }
}

/// Goal: 1 → 2 → 4 → 7 → 4 → 1 validators, each at a height that the decision says, the set never
/// changing by more than one seat or three tenths.
#[test]
fn validators_come_and_go_one_by_one() {
    let mut town = Town::of(&[1]);
    let all: Vec<u8> = (2..=7).collect();
    town.agree(1, &[], Change::AdmitOrganisation(observers(&all)));
    let steps: [(&[u8], bool); 5] = [
        (&[2], true),
        (&[3, 4], true),
        (&[5, 6, 7], true),
        (&[1, 3, 5], false),
        (&[2, 4, 6], false),
    ];
    for (numbers, comes) in steps {
        for number in numbers {
            let node = public(*number);
            let change = if comes {
                Change::AdmitValidator { node }
            } else {
                Change::RemoveValidator { node }
            };
            let number = town.next_proposal();
            town.agree(1, &[100], change);
            settle(&mut town);
            let Outcome::Approved { height, in_force } = town.proposal(number).outcome else {
                panic!("not approved");
            };
            // Nothing was before it in the queue: it is in force right after it was decided.
            assert_eq!(in_force, height.next());
        }
    }
    assert_eq!(town.validators().as_slice().len(), 1);
    assert_eq!(town.validators().as_slice()[0].key, public(7));
    let last = town.propose(100, Change::RemoveValidator { node: public(7) });
    assert_eq!(last, Err(GovernanceError::LastValidator.into()));
}

/// Goal: many at once wait for their turn, in order, and each says from which height it is in force.
#[test]
fn many_changes_wait_for_their_block() {
    let mut town = Town::of(&[1]);
    let nine: Vec<u8> = (2..=10).collect();
    town.agree(1, &[], Change::AdmitOrganisation(observers(&nine)));
    let first = town.next_proposal();
    let admit = |node| crate::town::propose(Change::AdmitValidator { node });
    let mut sent: Vec<_> = nine
        .iter()
        .map(|number| (1, admit(public(*number))))
        .take(8)
        .collect();
    let approve = ledger_core::governance::Choice::Approve;
    sent.extend((first..first + 8).map(|number| (100, vote(number, approve))));
    assert!(town.block(&sent).iter().all(Result::is_ok));
    let decided = town.height;
    // One in the block itself, seven to go: sets of 2 to 6 change by one seat, of 7 and 9 by two.
    assert_eq!(town.queue().len(), 7);
    let waiting = town.proposal(first + 7).outcome;
    let height = Height(decided);
    let in_force = None;
    assert_eq!(waiting, Outcome::Approved { height, in_force });
    assert_eq!(settle(&mut town), 6);
    assert_eq!(town.validators().as_slice().len(), 9);
    let in_force: Vec<_> = (first..first + 8)
        .map(|number| match town.proposal(number).outcome {
            Outcome::Approved { in_force, .. } => in_force.expect("in force").0 - decided,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(in_force, [1, 2, 3, 4, 5, 6, 7, 7]);
}

/// Goal: a removed organisation loses its voice and its nodes at once, its validators block by block,
/// and is gone, as its proposal says, when the last of them is.
#[test]
fn a_removed_organisation_leaves_seat_by_seat() {
    let mut town = Town::of(&[1, 2, 3, 4]);
    for number in 11..=14 {
        let node = node(number);
        let organisation = id(4);
        town.agree(4, &[], Change::AdmitNode { organisation, node });
        let node = public(number);
        town.agree(4, &[1, 2], Change::AdmitValidator { node });
        settle(&mut town);
    }
    assert_eq!(town.validating(), [1, 2, 3, 4, 11, 12, 13, 14]);
    let number = town.next_proposal();
    town.agree(1, &[2, 3], Change::RemoveOrganisation { id: id(4) });
    let at = town.height;
    let refused = town.propose(4, Change::RemoveValidator { node: public(4) });
    assert_eq!(refused, Err(GovernanceError::NotAdmin.into()));
    settle(&mut town);
    assert_eq!(town.validating(), [1, 2, 3]);
    let Outcome::Approved { height, in_force } = town.proposal(number).outcome else {
        panic!("not approved");
    };
    // Eight, less two, less one, less one, less one.
    assert_eq!((height, in_force), (Height(at), Some(Height(at + 4))));
}

/// Goal: a node that changes its keys keeps its seat, its name and the count of its batches; its old
/// keys are free. Method: votes and transactions keys apart.
#[test]
fn a_seat_moves_with_its_node() {
    let mut town = Town::of(&[1, 2, 3]);
    let anchor = |batch| {
        Payload::AnchorBatch(AnchorBatch {
            batch: BatchNumber(batch),
            root: Digest::of(&[batch as u8]),
            streams: 1,
            readings: 5,
        })
    };
    town.send(1, anchor(0)).expect("anchored");
    let change = Change::RotateNode {
        old: public(1),
        new: public(11),
        new_vote_key: public(12),
    };
    let number = town.next_proposal();
    let outcome = town.agree(1, &[], change);
    let height = Height(town.height);
    assert_eq!(town.proposal(number).outcome, outcome);
    assert!(matches!(outcome, Outcome::Approved { height: at, .. } if at == height));
    assert_eq!(town.queue(), []);
    assert_eq!(town.validating(), [2, 3, 12]);
    let set = town.validators();
    let (_, seat) = set.find(&public(12)).expect("a seat");
    assert_eq!((seat.name.as_str(), seat.power), ("node 1", 1));
    let not_member = Err(ledger_core::state::ExecutionError::NotMember);
    assert_eq!(town.send(1, anchor(1)), not_member);
    town.send(11, anchor(1)).expect("goes on counting");
    let head: Option<AnchorHead> = read(&town.state, &StateKey::anchor(&public(11))).expect("read");
    assert_eq!(head.expect("a head").readings, 10);
    // The votes key alone: the node's own key stays.
    let change = Change::RotateNode {
        old: public(11),
        new: public(11),
        new_vote_key: public(13),
    };
    town.agree(1, &[], change);
    assert_eq!(town.validating(), [2, 3, 13]);
    town.send(11, anchor(2)).expect("goes on counting");
    let again = Change::AdmitNode {
        organisation: id(2),
        node: node(12),
    };
    assert!(matches!(
        town.agree(2, &[], again),
        Outcome::Approved { .. }
    ));
}

/// Goal: what waits follows a node: removed, its admission is taken back; with new keys, its seat moves.
/// Method: a queue that is kept busy by others.
#[test]
fn waiting_changes_follow_their_node() {
    let mut town = Town::of(&[1]);
    town.agree(1, &[], Change::AdmitOrganisation(observers(&[2, 3, 4, 5])));
    let propose = crate::town::propose;
    let admit = |number| {
        propose(Change::AdmitValidator {
            node: public(number),
        })
    };
    let approve = ledger_core::governance::Choice::Approve;
    let first = town.next_proposal();
    let rotate = Change::RotateNode {
        old: public(4),
        new: public(14),
        new_vote_key: public(15),
    };
    let sent = [
        (1, admit(2)),
        (100, vote(first, approve)),
        (1, admit(3)),
        (100, vote(first + 1, approve)),
        (1, admit(4)),
        (100, vote(first + 2, approve)),
        (100, propose(Change::RemoveNode { key: public(3) })),
        (100, propose(rotate)),
        (100, propose(Change::RemoveNode { key: public(3) })),
    ];
    let outcomes = town.block(&sent);
    assert!(outcomes[..8].iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(outcomes[8], Err(GovernanceError::UnknownNode.into()));
    settle(&mut town);
    assert_eq!(town.validating(), [1, 2, 15]);
}

/// Goal: a change that became void in the queue is dropped, and its proposal says that nothing waits.
/// Method: a state whose validators were changed behind the queue's back, which votes cannot do.
#[test]
fn void_changes_are_dropped() {
    let mut town = Town::of(&[1, 2, 3, 4]);
    let leave = |number| {
        let node = public(number);
        (
            number,
            crate::town::propose(Change::RemoveValidator { node }),
        )
    };
    town.block(&[leave(1), leave(2)]);
    assert_eq!(town.queue().len(), 1);
    let only = validators(&[3, 4]);
    let bytes = ledger_core::canonical::encode(&only);
    town.state.0.insert(StateKey::validators(), bytes);
    settle(&mut town);
    assert_eq!(town.validators(), only);
    assert!(matches!(
        town.proposal(1).outcome,
        Outcome::Approved {
            in_force: Some(_),
            ..
        }
    ));
}

/// Goal: many seats that leave at once never move more than three tenths a block. Method: 100
/// validators of one organisation beside one of another.
#[test]
fn a_large_organisation_leaves_in_tenths() {
    let mut genesis = genesis(&[1, 2]);
    let organisation = id(2);
    for number in 11..=110u8 {
        let node = node(number);
        let member = ledger_core::genesis::Member::of(node, organisation);
        genesis.members.push(member);
    }
    let all = genesis.members.iter().map(|member| Validator {
        key: member.key,
        power: 1,
        name: member.name.clone(),
    });
    genesis.validators = ValidatorSet::new(all.collect()).expect("validators");
    let mut town = Town::founded(genesis);
    assert_eq!(town.validators().as_slice().len(), 102);
    town.agree(2, &[], Change::RemoveOrganisation { id: id(2) });
    assert_eq!(town.validators().as_slice().len(), 102 - 30);
    assert!(settle(&mut town) >= 10);
    assert_eq!(town.validating(), [1]);
}
