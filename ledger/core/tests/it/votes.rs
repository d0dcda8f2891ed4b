//! The life of a proposal: counted, decided, expired, counted again when voices change.

use ledger_core::governance::{
    Change, Choice, Fraction, GovernanceError, Outcome, Propose, Tally, Thresholds, Wakeup,
    next_wakeup, open_proposals, proposals, tally,
};
use ledger_core::parameters::Parameters;
use ledger_core::{Height, Payload, ProposalNumber};

use crate::governance::newcomer;
use crate::town::{BLOCK_MILLIS, OPEN_MILLIS, Town, id, node, propose, public, vote};

fn rules(heartbeat_seconds: u32) -> Change {
    Change::SetParameters(Parameters {
        heartbeat_seconds,
        ..Parameters::default()
    })
}

fn refused<T>(why: GovernanceError) -> Result<T, ledger_core::state::ExecutionError> {
    Err(why.into())
}

/// Goal: a threshold is the least number of voices above its fraction. Method: every fraction against a
/// search for that number.
#[test]
fn thresholds_need_more_than_their_fraction() {
    for denominator in 1u16..=100 {
        for numerator in 0..=denominator {
            let fraction = Fraction {
                numerator,
                denominator,
            };
            let (above, below) = (u32::from(numerator), u32::from(denominator));
            let is_valid = above * 2 >= below && above < below;
            assert_eq!(fraction.is_valid(), is_valid, "{fraction:?}");
            for voices in (1..=300).filter(|_| is_valid) {
                let least = (0..=voices).find(|count| count * below > voices * above);
                assert_eq!(
                    Some(fraction.needed(voices)),
                    least,
                    "{fraction:?} {voices}"
                );
            }
        }
    }
    assert!(Thresholds::default().are_valid());
}

/// Goal: a proposal is decided by the very vote that decides it. Method: 1 to 9 organisations, votes for
/// and against one after the other, against the definition.
#[test]
fn votes_decide_as_soon_as_they_can() {
    for voices in 1u8..=9 {
        let numbers: Vec<u8> = (1..=voices).collect();
        let needed = voices / 2 + 1;
        for choice in [Choice::Approve, Choice::Reject] {
            let mut town = Town::of(&numbers);
            let number = town.propose(1, rules(60)).expect("proposed");
            let mut cast = 1u8;
            let mut against = 0u8;
            while town.proposal(number).outcome == Outcome::Open {
                assert!(cast < needed || choice == Choice::Reject);
                assert!(voices - against >= needed, "hopeless, but open");
                cast += 1;
                against += u8::from(choice == Choice::Reject);
                town.vote(cast, number, choice).expect("a vote");
            }
            let outcome = town.proposal(number).outcome;
            let height = Height(town.height);
            if choice == Choice::Approve || voices == 1 {
                let in_force = height.next();
                assert_eq!(outcome, Outcome::Approved { height, in_force });
                assert_eq!(cast, needed);
            } else {
                assert_eq!(outcome, Outcome::Rejected { height });
                assert_eq!(voices - against, needed - 1);
            }
            let late = town.vote(voices, number, Choice::Reject);
            assert_eq!(late, refused(GovernanceError::Decided));
        }
    }
}

/// Goal: one voice an organisation, whichever admin casts it; a vote can be changed until it is decided.
#[test]
fn an_organisation_has_one_voice_and_may_change_its_mind() {
    let mut town = Town::of(&[1, 2, 3, 4]);
    let second = Change::RotateAdmin {
        organisation: id(1),
        old: None,
        new: Some(public(11)),
    };
    assert!(matches!(
        town.agree(1, &[], second),
        Outcome::Approved { .. }
    ));
    let number = town.propose(1, rules(60)).expect("proposed");
    let again = town.vote(11, number, Choice::Approve);
    assert_eq!(again, refused(GovernanceError::SameVote));
    town.vote(11, number, Choice::Reject).expect("changed");
    town.vote(2, number, Choice::Approve).expect("a vote");
    let found = town.proposal(number);
    assert_eq!(found.ballots.len(), 2);
    assert_eq!(found.ballots[0].admin, public(11));
    let expected = Tally {
        approvals: 1,
        rejections: 1,
        voices: 4,
        needed: 3,
    };
    assert_eq!(tally(&town.state, &found), Ok(expected));
    town.vote(1, number, Choice::Approve).expect("back again");
    town.vote(3, number, Choice::Approve).expect("a vote");
    let outcome = town.proposal(number).outcome;
    assert!(matches!(outcome, Outcome::Approved { .. }));
    let unknown = town.vote(1, 99, Choice::Approve);
    assert_eq!(unknown, refused(GovernanceError::UnknownProposal));
}

/// Goal: a proposal takes no votes from its end on, expires in the first block then, and gives its keys
/// free. The chain says when that block is due.
#[test]
fn proposals_expire_by_block_time() {
    let mut town = Town::of(&[1, 2, 3]);
    assert_eq!(next_wakeup(&town.state), Ok(None));
    let admit = || Change::AdmitOrganisation(newcomer(30));
    let open = |open_for_millis| {
        Payload::Propose(Propose {
            change: admit(),
            reason: "They ask to join.".into(),
            open_for_millis,
        })
    };
    let number = town.next_proposal();
    town.send(1, open(3 * BLOCK_MILLIS)).expect("proposed");
    let end = town.time_millis + 3 * BLOCK_MILLIS;
    assert_eq!(town.proposal(number).expires_millis, end);
    assert_eq!(next_wakeup(&town.state), Ok(Some(Wakeup::At(end))));
    town.vote(2, number, Choice::Approve).expect("in time");
    town.block(&[]);
    let late = town.vote(3, number, Choice::Approve);
    assert_eq!(late, refused(GovernanceError::Decided));
    assert_eq!(town.time_millis, end);
    let height = Height(town.height);
    assert_eq!(town.proposal(number).outcome, Outcome::Expired { height });
    assert_eq!(next_wakeup(&town.state), Ok(None));
    assert_eq!(open_proposals(&town.state).expect("read"), []);
    town.send(2, open(OPEN_MILLIS)).expect("proposed again");
}

/// Goal: enough votes for what has become impossible make it void, with the reason.
#[test]
fn what_became_impossible_is_void() {
    let mut town = Town::of(&[1, 2, 3, 4]);
    let admit = Change::AdmitNode {
        organisation: id(1),
        node: node(11),
    };
    town.agree(1, &[], admit);
    let number = town.propose(2, Change::AdmitValidator { node: public(11) });
    let number = number.expect("proposed");
    let gone = Change::RemoveNode { key: public(11) };
    assert!(matches!(town.agree(1, &[], gone), Outcome::Approved { .. }));
    town.vote(1, number, Choice::Approve).expect("a vote");
    town.vote(3, number, Choice::Approve).expect("a vote");
    let (height, why) = (Height(town.height), GovernanceError::UnknownNode);
    assert_eq!(town.proposal(number).outcome, Outcome::Void { height, why });
    assert_eq!(town.queue(), []);
}

/// Goal: when voices come or go, open proposals are counted again: a removed voice counts no more, on
/// neither side, and the bar is that of the organisations that remain.
#[test]
fn open_proposals_are_counted_again_when_voices_change() {
    // Five voices, three needed. Two are for it; the removal of a third leaves four, three needed.
    let mut town = Town::of(&[1, 2, 3, 4, 5]);
    let number = town.propose(1, rules(60)).expect("proposed");
    town.vote(2, number, Choice::Approve).expect("a vote");
    let leave = |number| Change::RemoveOrganisation { id: id(number) };
    town.agree(5, &[], leave(5));
    assert_eq!(town.proposal(number).outcome, Outcome::Open);
    // Another leaves: three voices, two needed, two there. It is decided in that block.
    town.agree(4, &[], leave(4));
    let (height, in_force) = (Height(town.height), Some(Height(town.height + 1)));
    let approved = Outcome::Approved { height, in_force };
    assert_eq!(town.proposal(number).outcome, approved);

    // The voice that leaves takes its vote along: 2 of 4 become 1 of 3.
    let mut town = Town::of(&[1, 2, 3, 4]);
    let number = town.propose(1, rules(60)).expect("proposed");
    town.vote(4, number, Choice::Approve).expect("a vote");
    town.agree(4, &[], leave(4));
    let found = tally(&town.state, &town.proposal(number)).expect("read");
    assert_eq!((found.approvals, found.needed, found.voices), (1, 2, 3));
    assert_eq!(town.proposal(number).outcome, Outcome::Open);

    // A lower threshold decides, too.
    let mut town = Town::of(&[1, 2, 3, 4, 5]);
    let strict = Thresholds {
        parameters: Fraction {
            numerator: 3,
            denominator: 4,
        },
        ..Thresholds::default()
    };
    town.agree(1, &[2, 3, 4], Change::SetThresholds(strict));
    let number = town.propose(1, rules(60)).expect("proposed");
    town.vote(2, number, Choice::Approve).expect("a vote");
    town.vote(3, number, Choice::Approve).expect("a vote");
    assert_eq!(town.proposal(number).outcome, Outcome::Open);
    town.agree(1, &[2, 3, 4], Change::SetThresholds(Thresholds::default()));
    let outcome = town.proposal(number).outcome;
    assert!(matches!(outcome, Outcome::Approved { .. }));
}

/// Goal: a recount that removes organisations counts on until nothing is decided any more.
#[test]
fn a_recount_goes_on_until_nothing_is_decided() {
    let mut town = Town::of(&[1, 2, 3, 4, 5, 6]);
    // Organisations need five of six. Four want 5 out, and, less urgent, other rules.
    let outcomes = town.block(&[
        (1, propose(rules(60))),
        (1, propose(Change::RemoveOrganisation { id: id(5) })),
        (2, vote(0, Choice::Approve)),
        (3, vote(0, Choice::Reject)),
        (2, vote(1, Choice::Approve)),
        (3, vote(1, Choice::Approve)),
        (4, vote(1, Choice::Approve)),
    ]);
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(town.proposal(0).outcome, Outcome::Open);
    assert_eq!(town.proposal(1).outcome, Outcome::Open);
    // 6 leaves: five voices, four needed to remove 5; then four voices, three for the rules: rejected
    // or not, they stay open with two.
    town.agree(6, &[], Change::RemoveOrganisation { id: id(6) });
    let removed = town.proposal(1).outcome;
    assert!(matches!(removed, Outcome::Approved { .. }));
    let found = tally(&town.state, &town.proposal(0)).expect("read");
    assert_eq!((found.approvals, found.voices, found.needed), (2, 4, 3));
}

/// Goal: two removed voices in one recount can decide a third proposal, in the order of numbers.
#[test]
fn decisions_follow_from_one_another_in_one_block() {
    let mut town = Town::of(&[1, 2, 3, 4, 5]);
    let outcomes = town.block(&[
        (1, propose(rules(60))),
        (2, vote(0, Choice::Approve)),
        (1, propose(Change::RemoveOrganisation { id: id(4) })),
        (2, vote(1, Choice::Approve)),
        (3, vote(1, Choice::Approve)),
        (5, propose(Change::RemoveOrganisation { id: id(5) })),
    ]);
    assert!(outcomes.iter().all(Result::is_ok));
    for number in 0..3 {
        let outcome = town.proposal(number).outcome;
        assert!(matches!(outcome, Outcome::Approved { .. }), "{number}");
    }
}

/// Goal: proposals are listed newest first, page by page, and kept after they are decided.
#[test]
fn proposals_are_listed_newest_first() {
    let mut town = Town::of(&[1, 2, 3]);
    for seconds in 1..=5 {
        town.propose(1, rules(seconds)).expect("proposed");
    }
    let numbers = |before: Option<u64>, limit| {
        let page = proposals(&town.state, before.map(ProposalNumber), limit).expect("read");
        page.iter().map(|one| one.number.0).collect::<Vec<_>>()
    };
    assert_eq!(numbers(None, 2), [4, 3]);
    assert_eq!(numbers(Some(3), 2), [2, 1]);
    assert_eq!(numbers(Some(1), 9), [0]);
    assert_eq!(numbers(Some(0), 9), [0u64; 0]);
    assert_eq!(numbers(Some(99), 1), [4]);
}
