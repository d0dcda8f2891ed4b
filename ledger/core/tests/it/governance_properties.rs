//! Whatever organisations propose and vote, in whatever order: what must hold of every state.

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::governance::{
    self, Change, Choice, Fraction, KeyUse, MAX_QUEUE, NewOrganisation, Organisation, Outcome,
    Rule, Seat, Standing, Thresholds, Wakeup,
};
use ledger_core::parameters::Parameters;
use ledger_core::{Payload, ProposalNumber, PublicKey, ValidatorSet};
use proptest::prelude::*;

use crate::support::register;
use crate::town::{Town, id, node, propose, public, vote};

/// Keys and organisations are numbered from 1 to this.
const NUMBERS: u8 = 8;

fn number() -> impl Strategy<Value = u8> {
    1..=NUMBERS
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (number(), number(), number()).prop_map(|(new, admin, first)| {
            Change::AdmitOrganisation(NewOrganisation {
                id: id(new),
                name: format!("organisation {new}"),
                admins: vec![public(admin)],
                nodes: vec![node(first)],
            })
        }),
        3 => number().prop_map(|of| Change::RemoveOrganisation { id: id(of) }),
        2 => (number(), prop::option::of(number()), prop::option::of(number())).prop_map(
            |(of, old, new)| Change::RotateAdmin {
                organisation: id(of),
                old: old.map(public),
                new: new.map(public),
            }
        ),
        6 => (number(), number(), number()).prop_map(|(of, key, vote)| {
            let mut node = node(key);
            node.vote_key = public(vote);
            Change::AdmitNode { organisation: id(of), node }
        }),
        1 => number().prop_map(|key| Change::RemoveNode { key: public(key) }),
        3 => (number(), number(), number()).prop_map(|(old, new, vote)| Change::RotateNode {
            old: public(old),
            new: public(new),
            new_vote_key: public(vote),
        }),
        8 => number().prop_map(|node| Change::AdmitValidator { node: public(node) }),
        8 => number().prop_map(|node| Change::RemoveValidator { node: public(node) }),
        1 => (1u32..5).prop_map(|heartbeat_seconds| {
            Change::SetParameters(Parameters { heartbeat_seconds, ..Parameters::default() })
        }),
        1 => (50u16..=66).prop_map(|numerator| {
            let organisations = Fraction { numerator, denominator: 100 };
            Change::SetThresholds(Thresholds { organisations, ..Thresholds::default() })
        }),
    ]
}

/// One transaction: a proposal, a vote on one of the last few proposals, or anything else.
#[derive(Clone, Debug)]
enum Act {
    Propose(Change),
    Vote(u64, Choice),
    Register(u8),
}

fn act() -> impl Strategy<Value = (u8, Act)> {
    let choice = prop_oneof![4 => Just(Choice::Approve), 1 => Just(Choice::Reject)];
    let act = prop_oneof![
        3 => change().prop_map(Act::Propose),
        6 => (0u64..6, choice).prop_map(|(back, choice)| Act::Vote(back, choice)),
        1 => number().prop_map(Act::Register),
    ];
    (number(), act)
}

/// What one block holds: anything, or a few changes that everybody is for.
#[derive(Clone, Debug)]
enum Sent {
    Anything(Vec<(u8, Act)>),
    Agreed(Vec<(u8, Change)>),
}

fn sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        prop::collection::vec(act(), 0..8).prop_map(Sent::Anything),
        prop::collection::vec((number(), change()), 1..7).prop_map(Sent::Agreed),
    ]
}

fn block(sent: &Sent, next: u64) -> Vec<(u8, Payload)> {
    match sent {
        Sent::Anything(acts) => {
            let acts = acts.iter();
            acts.map(|(by, act)| (*by, payload(act, next))).collect()
        }
        Sent::Agreed(changes) => {
            let proposed = changes.iter();
            let proposed = proposed.map(|(by, change)| (*by, propose(change.clone())));
            let numbers = next..next + changes.len() as u64;
            let votes = numbers.flat_map(|number| {
                (1..=NUMBERS).map(move |voter| (voter, vote(number, Choice::Approve)))
            });
            proposed.chain(votes).collect()
        }
    }
}

fn payload(act: &Act, next: u64) -> Payload {
    match act {
        Act::Propose(change) => propose(change.clone()),
        Act::Vote(back, choice) => vote(next.saturating_sub(1 + back), *choice),
        Act::Register(number) => register(*number),
    }
}

fn active(town: &Town) -> Vec<Organisation> {
    let all = governance::organisations(&town.state).expect("read");
    let is_active = |one: &Organisation| one.standing == Standing::Active;
    let ids = governance::organisation_ids(&town.state).expect("read");
    let (active, removed): (Vec<_>, Vec<_>) = all.into_iter().partition(is_active);
    let ids_of = |list: &[Organisation]| list.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids.active, ids_of(&active));
    assert_eq!(ids.removed, ids_of(&removed));
    assert!(ids.active.is_sorted() && ids.removed.is_sorted());
    active
}

/// Each active organisation has admins; a key has one owner, and the index says what it is used for.
fn keys_have_one_place(town: &Town) -> BTreeSet<PublicKey> {
    let active = active(town);
    assert!(!active.is_empty(), "no organisation is left");
    let mut uses: BTreeMap<PublicKey, KeyUse> = BTreeMap::new();
    let mut vote_keys = BTreeSet::new();
    for organisation in &active {
        let owner = Some(organisation.id);
        assert!((1..=16).contains(&organisation.admins.len()));
        assert!(organisation.admins.is_sorted());
        for key in &organisation.admins {
            let found = uses.entry(*key).or_default();
            assert!(!found.is_admin && found.organisation.is_none_or(|id| Some(id) == owner));
            (found.organisation, found.is_admin) = (owner, true);
        }
        for member in governance::nodes(&town.state, &organisation.id).expect("read") {
            assert_eq!(member.standing, Standing::Active);
            assert_eq!(Some(member.organisation), owner);
            let found = uses.entry(member.key).or_default();
            assert!(!found.is_node && found.organisation.is_none_or(|id| Some(id) == owner));
            (found.organisation, found.is_node) = (owner, true);
            let found = uses.entry(member.vote_key).or_default();
            assert!(!found.is_vote && found.organisation.is_none_or(|id| Some(id) == owner));
            (found.organisation, found.is_vote) = (owner, true);
            vote_keys.insert(member.vote_key);
        }
    }
    for number in 1..=NUMBERS {
        let key = public(number);
        let mut found = governance::key_use(&town.state, &key).expect("read");
        found.proposal = None;
        assert_eq!(found, uses.get(&key).copied().unwrap_or_default());
    }
    vote_keys
}

/// Each validator votes for an active organisation, or is about to go.
fn validators_are_members(town: &Town, vote_keys: &BTreeSet<PublicKey>) {
    let set = town.validators();
    let queue = town.queue();
    assert!(!set.as_slice().is_empty() && queue.len() <= MAX_QUEUE);
    for validator in set.as_slice() {
        let leaves = queue.iter().any(|waiting| match &waiting.seat {
            Seat::Remove { key } | Seat::Replace { old: key, .. } => *key == validator.key,
            Seat::Admit { .. } => false,
        });
        assert!(vote_keys.contains(&validator.key) || leaves);
        assert_eq!(validator.power, 1);
    }
    let due = !queue.is_empty();
    let wakeup = governance::next_wakeup(&town.state).expect("read");
    assert_eq!(due, wakeup == Some(Wakeup::Now));
}

/// One voice an organisation; what is open is undecided by the votes of those who have a voice now.
fn votes_add_up(town: &Town) {
    let active = active(town);
    let thresholds = governance::thresholds(&town.state).expect("read");
    let agenda = governance::agenda(&town.state).expect("read");
    let open: BTreeSet<_> = agenda.open.iter().map(|one| one.number).collect();
    for number in 0..agenda.next.0 {
        let proposal = town.proposal(number);
        let voters = proposal.ballots.iter().map(|one| one.organisation);
        assert!(voters.is_sorted_by(|one, next| one < next));
        let is_open = proposal.outcome == Outcome::Open;
        assert_eq!(is_open, open.contains(&ProposalNumber(number)));
        if !is_open {
            continue;
        }
        let votes = |choice| {
            let cast = proposal.ballots.iter();
            let cast = cast.filter(|one| one.choice == choice);
            cast.filter(|one| active.iter().any(|voter| voter.id == one.organisation))
                .count() as u64
        };
        let part = match proposal.rule {
            Rule::Own => panic!("an own affair is never open"),
            Rule::Organisations => thresholds.organisations,
            Rule::Validators => thresholds.validators,
            Rule::Nodes => thresholds.nodes,
            Rule::Parameters => thresholds.parameters,
            Rule::Thresholds => thresholds.thresholds,
        };
        let voices = active.len() as u64;
        let passes =
            |count: u64| count * u64::from(part.denominator) > voices * u64::from(part.numerator);
        assert!(!passes(votes(Choice::Approve)), "open, but approved");
        assert!(passes(voices - votes(Choice::Reject)), "open, but hopeless");
        assert!(proposal.expires_millis > town.time_millis);
    }
}

fn power_moved(before: &ValidatorSet, after: &ValidatorSet) -> usize {
    let keys =
        |set: &ValidatorSet| -> BTreeSet<_> { set.as_slice().iter().map(|one| one.key).collect() };
    let (before, after) = (keys(before), keys(after));
    let gone = before.difference(&after).count();
    gone.max(after.difference(&before).count())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Goal: the invariants hold after every block. Method: blocks of random proposals and votes of
    /// random keys; [`Town::block`] also executes each block twice and compares.
    #[test]
    fn every_state_is_sound(
        first in 1u8..=7,
        blocks in prop::collection::vec(sent(), 1..24),
    ) {
        let numbers: Vec<u8> = (1..=first).collect();
        let mut town = Town::of(&numbers);
        let mut decided = BTreeMap::new();
        for sent in &blocks {
            let before = town.validators();
            town.block(&block(sent, town.next_proposal()));
            let vote_keys = keys_have_one_place(&town);
            validators_are_members(&town, &vote_keys);
            votes_add_up(&town);
            let limit = before.as_slice().len() * 3 / 10;
            prop_assert!(power_moved(&before, &town.validators()) <= limit.max(1));
            // What is decided stays decided; only the height in force is still to come.
            for (number, outcome) in &decided {
                let now = town.proposal(*number).outcome;
                match (outcome, now) {
                    (Outcome::Approved { height, in_force: None }, Outcome::Approved { height: same, .. }) =>
                        prop_assert_eq!(*height, same),
                    (before, now) => prop_assert_eq!(*before, now),
                }
            }
            for number in 0..town.next_proposal() {
                let outcome = town.proposal(number).outcome;
                if outcome != Outcome::Open {
                    decided.insert(number, outcome);
                }
            }
        }
        // Nothing waits for ever.
        for _ in 0..=MAX_QUEUE {
            town.block(&[]);
        }
        prop_assert!(town.queue().is_empty());
        for number in decided.keys() {
            let outcome = town.proposal(*number).outcome;
            let waits = matches!(outcome, Outcome::Approved { in_force: None, .. });
            prop_assert!(!waits);
        }
    }
}
