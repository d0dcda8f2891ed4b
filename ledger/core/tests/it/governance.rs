//! Which changes may be proposed, by whom, under which rule, and why not.

use ledger_core::governance::{
    Change, Choice, Fraction, GovernanceError, MAX_OPEN, MAX_OPEN_EACH, MAX_OPEN_MILLIS,
    MAX_REASON_BYTES, NewOrganisation, Outcome, Propose, Rule, Standing, Thresholds, organisation,
    organisation_ids,
};
use ledger_core::parameters::{MIN_VOTED_BLOCK_BYTES, Parameters, Retention};
use ledger_core::state::{ExecutionError, may_send};
use ledger_core::{Genesis, Height, Payload, PublicKey, Validator, ValidatorSet};

use crate::support::{genesis, register};
use crate::town::{OPEN_MILLIS, Town, encoded_bytes, id, node, propose, public, vote};

/// An organisation of one node whose key is its admin key, too.
pub fn newcomer(number: u8) -> NewOrganisation {
    NewOrganisation {
        id: id(number),
        name: format!("organisation {number}"),
        admins: vec![public(number)],
        nodes: vec![node(number)],
    }
}

/// A key that is no point of the curve.
fn no_key() -> PublicKey {
    PublicKey([0xff; 32])
}

/// Four organisations; the first has a second admin (21) and an observer (22).
fn town() -> Town {
    let mut town = Town::of(&[1, 2, 3, 4]);
    let add_admin = Change::RotateAdmin {
        organisation: id(1),
        old: None,
        new: Some(public(21)),
    };
    let add_node = Change::AdmitNode {
        organisation: id(1),
        node: node(22),
    };
    for change in [add_admin, add_node] {
        assert!(matches!(
            town.agree(1, &[], change),
            Outcome::Approved { .. }
        ));
    }
    town
}

/// The changes the tables go through: number of a test key → change.
fn changes() -> Vec<(Change, Rule, Rule)> {
    let own = id(1);
    let admins = Rule::Organisations;
    vec![
        (Change::AdmitOrganisation(newcomer(30)), admins, admins),
        (Change::RemoveOrganisation { id: own }, Rule::Own, admins),
        (
            Change::RotateAdmin {
                organisation: own,
                old: Some(public(1)),
                new: Some(public(31)),
            },
            Rule::Own,
            admins,
        ),
        (
            Change::RotateAdmin {
                organisation: own,
                old: Some(public(21)),
                new: None,
            },
            Rule::Own,
            admins,
        ),
        (
            Change::AdmitNode {
                organisation: own,
                node: node(32),
            },
            Rule::Own,
            Rule::Nodes,
        ),
        (
            Change::RemoveNode { key: public(22) },
            Rule::Own,
            Rule::Nodes,
        ),
        (
            Change::RemoveNode { key: public(1) },
            Rule::Own,
            Rule::Nodes,
        ),
        (
            Change::RotateNode {
                old: public(1),
                new: public(33),
                new_vote_key: public(34),
            },
            Rule::Own,
            Rule::Nodes,
        ),
        (
            Change::MoveNode {
                key: public(1),
                address: "fog.example:7000".into(),
            },
            Rule::Own,
            Rule::Nodes,
        ),
        (
            Change::AdmitValidator { node: public(22) },
            Rule::Validators,
            Rule::Validators,
        ),
        (
            Change::RemoveValidator { node: public(1) },
            Rule::Own,
            Rule::Validators,
        ),
        (
            Change::SetParameters(Parameters {
                heartbeat_seconds: 60,
                ..Parameters::default()
            }),
            Rule::Parameters,
            Rule::Parameters,
        ),
        (
            Change::SetThresholds(Thresholds {
                nodes: Fraction::TWO_THIRDS,
                ..Thresholds::default()
            }),
            Rule::Thresholds,
            Rule::Thresholds,
        ),
    ]
}

/// Goal: an organisation's own affairs need its own voice only, everything else those the table says.
/// Method: each change by its owner and by another; one vote more than the rule's oracle needs.
#[test]
fn each_change_needs_the_voices_of_its_rule() {
    for (change, own, foreign) in changes() {
        for (proposer, rule) in [(1u8, own), (2, foreign)] {
            let mut town = town();
            let number = town.propose(proposer, change.clone()).expect("proposed");
            assert_eq!(town.proposal(number).rule, rule, "{change:?} by {proposer}");
            let needed = match rule {
                Rule::Own => 1,
                Rule::Organisations | Rule::Thresholds => 3,
                Rule::Validators | Rule::Nodes | Rule::Parameters => 3,
            };
            let others = (1..=4).filter(|voter| *voter != proposer);
            for (cast, voter) in (1..).zip(others) {
                let is_open = town.proposal(number).outcome == Outcome::Open;
                assert_eq!(is_open, cast < needed, "{change:?} by {proposer}: {cast}");
                if is_open {
                    town.vote(voter, number, Choice::Approve).expect("a vote");
                }
            }
            let outcome = town.proposal(number).outcome;
            assert!(matches!(outcome, Outcome::Approved { .. }), "{change:?}");
        }
    }
}

type Refused = Vec<(Change, GovernanceError)>;

/// Admissions of organisations that could not be done.
fn bad_organisations() -> Refused {
    use GovernanceError as Why;
    let admit = |edit: fn(&mut NewOrganisation)| {
        let mut new = newcomer(30);
        edit(&mut new);
        Change::AdmitOrganisation(new)
    };
    vec![
        (admit(|new| new.id = id(2)), Why::OrganisationExists),
        (admit(|new| new.name = "x".repeat(65)), Why::Name),
        (admit(|new| new.name = "a\nb".into()), Why::Name),
        (admit(|new| new.name = " ".into()), Why::Name),
        (admit(|new| new.admins.clear()), Why::Admins),
        (admit(|new| new.admins = vec![public(30); 2]), Why::Admins),
        (admit(|new| new.admins = seventeen()), Why::Admins),
        (admit(|new| new.admins = vec![no_key()]), Why::BadKey),
        (admit(|new| new.admins = vec![public(2)]), Why::KeyInUse),
        (admit(|new| new.nodes = vec![node(2)]), Why::KeyInUse),
        (admit(|new| new.nodes = vec![node(35); 2]), Why::KeyInUse),
        (admit(|new| new.nodes[0].name.clear()), Why::Name),
    ]
}

/// Changes of admins, nodes and validators that could not be done.
fn bad_nodes() -> Refused {
    use GovernanceError as Why;
    let rotate = |old: Option<u8>, new: Option<u8>| Change::RotateAdmin {
        organisation: id(1),
        old: old.map(public),
        new: new.map(public),
    };
    let rekey = |old, new, vote| Change::RotateNode {
        old: public(old),
        new: public(new),
        new_vote_key: public(vote),
    };
    let node_of = |organisation, node| Change::AdmitNode { organisation, node };
    let mut bad = node(32);
    bad.vote_key = no_key();
    let mut nowhere = node(32);
    nowhere.address = "nowhere".into();
    vec![
        (
            Change::RemoveOrganisation { id: id(9) },
            Why::UnknownOrganisation,
        ),
        (rotate(None, None), Why::NoChange),
        (rotate(Some(1), Some(1)), Why::NoChange),
        (rotate(Some(2), Some(31)), Why::UnknownAdmin),
        (rotate(None, Some(21)), Why::KeyInUse),
        (rotate(None, Some(2)), Why::KeyInUse),
        (node_of(id(9), node(32)), Why::UnknownOrganisation),
        (node_of(id(1), node(22)), Why::KeyInUse),
        (node_of(id(1), node(2)), Why::KeyInUse),
        (node_of(id(1), bad), Why::BadKey),
        (node_of(id(1), nowhere), Why::Address),
        (Change::RemoveNode { key: public(9) }, Why::UnknownNode),
        (rekey(1, 1, 1), Why::NoChange),
        (rekey(9, 33, 34), Why::UnknownNode),
        (rekey(1, 22, 34), Why::KeyInUse),
        (rekey(1, 33, 2), Why::KeyInUse),
        (Change::AdmitValidator { node: public(9) }, Why::UnknownNode),
        (
            Change::AdmitValidator { node: public(2) },
            Why::ValidatorExists,
        ),
        (
            Change::RemoveValidator { node: public(22) },
            Why::UnknownValidator,
        ),
    ]
}

/// Rules and thresholds out of their bounds.
fn bad_rules() -> Refused {
    use GovernanceError as Why;
    let rules = |edit: fn(&mut Parameters)| {
        let mut rules = Parameters::default();
        edit(&mut rules);
        Change::SetParameters(rules)
    };
    let fraction = |numerator, denominator| {
        Change::SetThresholds(Thresholds {
            organisations: Fraction {
                numerator,
                denominator,
            },
            ..Thresholds::default()
        })
    };
    vec![
        (rules(|_| ()), Why::NoChange),
        (rules(|one| one.max_block_bytes = 0), Why::Parameters),
        (
            rules(|one| one.max_block_bytes = MIN_VOTED_BLOCK_BYTES - 1),
            Why::Parameters,
        ),
        (rules(|one| one.max_block_bytes = u32::MAX), Why::Parameters),
        (rules(|one| one.heartbeat_seconds = 0), Why::Parameters),
        (rules(|one| one.heartbeat_seconds = 86_401), Why::Parameters),
        (rules(|one| one.finality_limit_millis = 0), Why::Parameters),
        (rules(|one| one.retention.days = 40_000), Why::Parameters),
        (rules(|one| one.retention.bytes = 1), Why::Parameters),
        (fraction(2, 3), Why::NoChange),
        (fraction(1, 3), Why::Thresholds),
        (fraction(3, 3), Why::Thresholds),
        (fraction(0, 0), Why::Thresholds),
        (fraction(60, 101), Why::Thresholds),
    ]
}

/// Goal: what could not be done may not be proposed, and the reason is said.
#[test]
fn impossible_changes_are_refused() {
    let table = [bad_organisations(), bad_nodes(), bad_rules()].concat();
    let founded = town();
    for (change, why) in table {
        let mut town = Town {
            genesis: founded.genesis.clone(),
            state: founded.state.clone(),
            ..founded
        };
        let refused = town.propose(1, change.clone());
        assert_eq!(refused, Err(ExecutionError::Governance(why)), "{change:?}");
        assert_eq!(town.next_proposal(), founded.next_proposal());
    }
}

fn seventeen() -> Vec<PublicKey> {
    let mut keys: Vec<_> = (50..67).map(public).collect();
    keys.sort_unstable();
    keys
}

/// Goal: nobody is left without organisation, admin or validator.
#[test]
fn the_last_one_stays() {
    use GovernanceError as Why;
    let mut alone = Town::of(&[1]);
    for (change, why) in [
        (
            Change::RemoveOrganisation { id: id(1) },
            Why::LastOrganisation,
        ),
        (
            Change::RotateAdmin {
                organisation: id(1),
                old: Some(public(1)),
                new: None,
            },
            Why::Admins,
        ),
        (Change::RemoveNode { key: public(1) }, Why::LastValidator),
        (
            Change::RemoveValidator { node: public(1) },
            Why::LastValidator,
        ),
    ] {
        assert_eq!(
            alone.propose(1, change.clone()),
            Err(why.into()),
            "{change:?}"
        );
    }
    // An organisation that holds the only validator cannot go either, and the other may.
    let admitted = alone.agree(1, &[], Change::AdmitOrganisation(newcomer(2)));
    assert!(matches!(admitted, Outcome::Approved { .. }));
    let leave = Change::RemoveOrganisation { id: id(1) };
    assert_eq!(alone.propose(1, leave), Err(Why::LastValidator.into()));
    let leave = Change::RemoveOrganisation { id: id(2) };
    assert!(alone.propose(2, leave).is_ok());
    assert_eq!(
        alone.propose(2, Change::AdmitValidator { node: public(2) }),
        Err(Why::NotAdmin.into())
    );
}

/// Goal: who may send what. Method: an admin that is no node, a node that is no admin, a stranger, and
/// all of them after their organisation is removed.
#[test]
fn keys_may_do_what_their_roles_allow() {
    let mut town = town();
    let move_node = |port: u16| {
        propose(Change::MoveNode {
            key: public(1),
            address: format!("fog.example:{port}"),
        })
    };
    let not_admin = Err(GovernanceError::NotAdmin.into());
    let outcomes = town.block(&[
        (21, move_node(1)),
        (21, register(1)),
        (22, register(2)),
        (22, move_node(2)),
        (22, vote(0, Choice::Approve)),
        (99, move_node(3)),
        (99, register(3)),
    ]);
    assert_eq!(
        outcomes,
        [
            Ok(()),
            Err(ExecutionError::NotMember),
            Ok(()),
            not_admin.clone(),
            not_admin.clone(),
            not_admin.clone(),
            Err(ExecutionError::NotMember)
        ]
    );
    let may = |town: &Town| {
        [1, 2, 21, 22, 99].map(|number| may_send(&town.state, &public(number)).expect("read"))
    };
    assert_eq!(may(&town), [true, true, true, true, false]);
    let removed = town.agree(1, &[], Change::RemoveOrganisation { id: id(1) });
    assert!(matches!(removed, Outcome::Approved { .. }));
    assert_eq!(may(&town), [false, true, false, false, false]);
    let outcomes = town.block(&[(1, move_node(4)), (1, register(4)), (22, register(5))]);
    let not_member = Err(ExecutionError::NotMember);
    assert_eq!(outcomes, [not_admin, not_member.clone(), not_member]);
    let one = organisation(&town.state, &id(1)).expect("read");
    assert!(matches!(
        one.expect("kept").standing,
        Standing::Removed { .. }
    ));
    assert_eq!(
        organisation_ids(&town.state).expect("read").removed,
        [id(1)]
    );
    // Keys of a removed organisation are free again, its id is not.
    let again = Change::AdmitOrganisation(newcomer(1));
    let taken = Err(GovernanceError::OrganisationExists.into());
    assert_eq!(town.propose(2, again), taken);
    let mut other = newcomer(1);
    other.id = id(40);
    assert!(town.propose(2, Change::AdmitOrganisation(other)).is_ok());
}

/// Goal: the texts, times and numbers of proposals are bounded.
#[test]
fn proposals_are_bounded() {
    let mut town = town();
    let mut send = |reason: String, open_for_millis| {
        let change = Change::AdmitValidator { node: public(22) };
        town.send(
            1,
            Payload::Propose(Propose {
                change,
                reason,
                open_for_millis,
            }),
        )
    };
    let (bad_reason, bad_time) = (
        Err(GovernanceError::Reason.into()),
        Err(GovernanceError::Duration.into()),
    );
    assert_eq!(
        send("x".repeat(MAX_REASON_BYTES + 1), OPEN_MILLIS),
        bad_reason
    );
    assert_eq!(send("a\u{7}b".into(), OPEN_MILLIS), bad_reason);
    assert_eq!(send(String::new(), 999), bad_time);
    assert_eq!(send(String::new(), MAX_OPEN_MILLIS + 1), bad_time);
    assert_eq!(send("x".repeat(MAX_REASON_BYTES), MAX_OPEN_MILLIS), Ok(()));

    let numbers: Vec<u8> = (1..=9).collect();
    let mut town = Town::of(&numbers);
    let full = Err(GovernanceError::TooManyOpen.into());
    let admit = |number| Change::AdmitOrganisation(newcomer(number));
    for number in 0..MAX_OPEN as u8 {
        let proposer = 1 + number / MAX_OPEN_EACH as u8;
        assert!(town.propose(proposer, admit(100 + number)).is_ok());
        if number == 7 {
            assert_eq!(town.propose(1, admit(200)), full);
        }
    }
    assert_eq!(town.propose(9, admit(200)), full);
    // Own affairs are decided at once and find room.
    let own = Change::RemoveValidator { node: public(9) };
    assert!(matches!(town.agree(9, &[], own), Outcome::Approved { .. }));
    // The same, or the same key, is asked for once at a time.
    let same = town.propose(2, admit(100));
    assert_eq!(same, Err(GovernanceError::AlreadyProposed.into()));
    let same_key = Change::AdmitNode {
        organisation: id(9),
        node: node(100),
    };
    let in_use = Err(GovernanceError::KeyInUse.into());
    assert_eq!(town.propose(9, same_key), in_use);
}

/// Goal: the largest admission fits into a transaction.
#[test]
fn an_organisation_of_many_nodes_fits_a_transaction() {
    let mut new = newcomer(1);
    let long = "n".repeat(64);
    new.nodes = (0..200)
        .map(|number| ledger_core::governance::Node {
            name: long.clone(),
            address: format!("{}.example:7000", "h".repeat(60)),
            ..node(number)
        })
        .collect();
    assert!(encoded_bytes(&propose(Change::AdmitOrganisation(new))) < 64 * 1024);
}

/// Goal: a document that could not found a consortium is told so.
#[test]
fn unsound_genesis_documents_are_refused() {
    use GovernanceError as Why;
    let check = |edit: fn(&mut Genesis), why: Option<Why>| {
        let mut genesis = genesis(&[1, 2]);
        edit(&mut genesis);
        assert_eq!(genesis.check().err(), why, "{genesis:#?}");
    };
    check(|_| (), None);
    check(|one| one.name = "x".repeat(65), Some(Why::Name));
    check(|one| one.organisations.clear(), Some(Why::LastOrganisation));
    check(|one| one.members.clear(), Some(Why::UnknownNode));
    check(
        |one| one.organisations[1].id = id(1),
        Some(Why::OrganisationExists),
    );
    check(
        |one| one.organisations[1].admins = vec![public(1)],
        Some(Why::KeyInUse),
    );
    check(|one| one.organisations[1].admins.clear(), Some(Why::Admins));
    check(
        |one| {
            one.organisations[1].standing = Standing::Removed { height: Height(1) };
        },
        Some(Why::Standing),
    );
    check(
        |one| one.members[1].standing = Standing::Removed { height: Height(1) },
        Some(Why::Standing),
    );
    check(
        |one| one.members[1].organisation = id(9),
        Some(Why::UnknownOrganisation),
    );
    check(
        |one| one.members[1].vote_key = public(1),
        Some(Why::KeyInUse),
    );
    check(|one| one.members[1].name.clear(), Some(Why::Name));
    check(
        |one| one.members[1].address = "x".into(),
        Some(Why::Address),
    );
    check(
        |one| one.parameters.max_block_bytes = 0,
        Some(Why::Parameters),
    );
    check(
        |one| one.thresholds.parameters.numerator = 0,
        Some(Why::Thresholds),
    );
    check(|one| one.validators = weighted(2), Some(Why::Power));
}

fn weighted(power: u64) -> ValidatorSet {
    let name = "node 1".into();
    let key = public(1);
    ValidatorSet::new(vec![Validator { key, power, name }]).expect("a set")
}

/// Goal: approved rules are in force from the next block on, and stay within what a vote may ask for.
#[test]
fn approved_rules_are_in_force() {
    let mut town = Town::of(&[1, 2, 3]);
    let rules = Parameters {
        max_block_bytes: MIN_VOTED_BLOCK_BYTES,
        retention: Retention {
            days: 365,
            bytes: 64 << 20,
        },
        ..Parameters::default()
    };
    let outcome = town.agree(1, &[2], Change::SetParameters(rules));
    let (height, in_force) = (Height(town.height), Some(Height(town.height + 1)));
    assert_eq!(outcome, Outcome::Approved { height, in_force });
    let found = ledger_core::governance::parameters(&town.state);
    assert_eq!(found, Ok(rules));
    assert_eq!(town.genesis.parameters, Parameters::default());
}
