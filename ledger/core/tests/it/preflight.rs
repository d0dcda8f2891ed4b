//! What a preflight says, and that it says what then happens.

use ledger_core::Height;
use ledger_core::governance::{
    Change, Choice, Code, Finding, Fraction, NewOrganisation, Observed, Outcome, Seen, Severity,
    Thresholds, preflight,
};
use ledger_core::parameters::Parameters;

use crate::governance::newcomer;
use crate::town::{Town, id, node, public};

const TIP: Height = Height(1000);

/// Everybody answers, is in step, has the right time, and signed the last block.
fn well() -> Seen {
    Seen {
        is_reachable: true,
        behind_blocks: Some(0),
        clock_offset_millis: Some(-12),
        last_signed: Some(TIP),
    }
}

fn observed(numbers: &[u8], edit: impl Fn(u8, &mut Seen)) -> Observed {
    let seen = |number: &u8| {
        let mut seen = well();
        edit(*number, &mut seen);
        (public(*number), seen)
    };
    Observed {
        tip: TIP,
        nodes: numbers.iter().map(seen).collect(),
    }
}

fn look(town: &Town, by: u8, change: &Change, observed: &Observed) -> Vec<Finding> {
    let findings = preflight(&town.state, id(by), change, observed).expect("read");
    assert!(findings.is_sorted_by_key(|finding| finding.severity));
    for finding in &findings {
        assert!(finding.what.ends_with('.'), "{finding:?}");
        assert!(finding.next.is_empty() || finding.next.ends_with('.'));
        assert!(!finding.halts || finding.severity == Severity::Breaks);
    }
    findings
}

fn one(findings: &[Finding], code: Code) -> &Finding {
    let mut found = findings.iter().filter(|finding| finding.code == code);
    let first = found.next();
    assert_eq!(found.next(), None, "twice");
    first.unwrap_or_else(|| panic!("{code:?} is not among {findings:#?}"))
}

fn said(findings: &[Finding], code: Code) -> (Severity, &str) {
    let found = one(findings, code);
    (found.severity, &found.what)
}

fn gone(number: u8) -> Change {
    Change::RemoveValidator {
        node: public(number),
    }
}

const SEVEN: [u8; 7] = [1, 2, 3, 4, 5, 6, 7];

/// Goal: the picture of the agreed look: seven validators, one silent, one about to be removed.
#[test]
fn no_spare_validator_is_told_in_plain_words() {
    let town = Town::of(&SEVEN);
    let silent = |number: u8, seen: &mut Seen| seen.is_reachable = number != 6;
    let findings = look(&town, 3, &gone(5), &observed(&SEVEN, silent));
    let spare = one(&findings, Code::NoSpare);
    assert_eq!(
        spare.what,
        "No spare validator. Six remain, 5 must sign, node 6 is silent: one more outage pauses the \
         ledger. Readings would still be sealed and kept."
    );
    assert_eq!(
        spare.next,
        "Wait until node 6 signs again, or admit its replacement first."
    );
    assert_eq!((spare.severity, spare.halts), (Severity::Breaks, false));
    assert_eq!(
        said(&findings, Code::Power),
        (
            Severity::Holds,
            "15 % of the power changes; a block may change 30 %, or one seat."
        )
    );
    assert_eq!(
        said(&findings, Code::FaultTolerance),
        (
            Severity::Changes,
            "One lying or broken validator is borne. Until now: two."
        )
    );
    assert_eq!(said(&findings, Code::OldProofs).0, Severity::Holds);
}

/// Goal: quorum before and after, for each number of validators and of silent ones. Method: the
/// definition, more than two thirds of equal seats, against what is said.
#[test]
fn quorum_is_foreseen() {
    for count in 2u8..=7 {
        let town = Town::of(&SEVEN[..usize::from(count)]);
        for silent in 0..count {
            // The last ones are silent; the first, which is well, goes.
            let seen = |number: u8, seen: &mut Seen| seen.is_reachable = number <= count - silent;
            let findings = look(&town, 1, &gone(1), &observed(&SEVEN, seen));
            let remain = u32::from(count - 1);
            let answering = remain.saturating_sub(u32::from(silent));
            let makes_quorum = answering * 3 > remain * 2;
            let halts = findings.iter().any(|finding| finding.halts);
            assert_eq!(halts, !makes_quorum, "{count} {silent}: {findings:#?}");
            if halts {
                let finding = one(&findings, Code::WouldHalt);
                assert!(finding.what.starts_with("The ledger would stop. "));
                continue;
            }
            let spares = (answering - 1) * 3 > remain * 2;
            let code = if spares { Code::Spare } else { Code::NoSpare };
            one(&findings, code);
        }
    }
}

/// Goal: what counts as silent: unreachable, unknown, behind, or without a signature for long.
#[test]
fn silence_has_several_signs() {
    let check = |edit: &dyn Fn(&mut Seen), is_silent: bool| {
        let observed = observed(&[1], |_, seen| edit(seen));
        assert_eq!(observed.is_silent(&public(1)), is_silent);
    };
    check(&|_| (), false);
    check(&|seen| seen.is_reachable = false, true);
    check(&|seen| seen.behind_blocks = Some(10), false);
    check(&|seen| seen.behind_blocks = Some(11), true);
    check(&|seen| seen.behind_blocks = None, false);
    check(&|seen| seen.last_signed = Some(Height(TIP.0 - 100)), false);
    check(&|seen| seen.last_signed = Some(Height(TIP.0 - 101)), true);
    check(&|seen| seen.last_signed = None, false);
    assert!(Observed::default().is_silent(&public(1)));
}

/// Goal: a candidate is told ready only if it answers, is in step and has the right time.
#[test]
fn candidates_are_looked_at() {
    let mut town = Town::of(&[1, 2, 3, 4]);
    let organisation = id(1);
    let mut new = node(11);
    new.vote_key = public(12);
    town.agree(
        1,
        &[],
        Change::AdmitNode {
            organisation,
            node: new,
        },
    );
    let admit = Change::AdmitValidator { node: public(11) };
    let numbers = [1, 2, 3, 4, 12];
    let check = |edit: &dyn Fn(&mut Seen), code: Code, severity: Severity| {
        let seen = |number: u8, seen: &mut Seen| {
            if number == 12 {
                edit(seen);
            }
        };
        let findings = look(&town, 1, &admit, &observed(&numbers, seen));
        assert_eq!(one(&findings, code).severity, severity);
        findings
    };
    let findings = check(&|_| (), Code::Ready, Severity::Holds);
    assert_eq!(
        said(&findings, Code::Spare).1,
        "The ledger can lose one more. Five take part, 4 must sign."
    );
    check(
        &|seen| seen.is_reachable = false,
        Code::Unreachable,
        Severity::Breaks,
    );
    check(
        &|seen| seen.behind_blocks = Some(120),
        Code::Behind,
        Severity::Breaks,
    );
    let late = check(
        &|seen| seen.clock_offset_millis = Some(-1230),
        Code::Clock,
        Severity::Breaks,
    );
    assert_eq!(
        said(&late, Code::Clock).1,
        "The clock of node 11 is 1230 ms off. At most 500 ms do no harm."
    );
    let exact = |millis| move |seen: &mut Seen| seen.clock_offset_millis = Some(millis);
    check(&exact(500), Code::Ready, Severity::Holds);
    check(&exact(i64::MIN), Code::Clock, Severity::Breaks);
}

/// Goal: keys with more than one purpose are pointed out; keys apart are not.
#[test]
fn keys_used_twice_are_pointed_out() {
    let town = Town::of(&[1, 2]);
    let seen = observed(&[1, 2], |_, _| ());
    let twice = |new: NewOrganisation| {
        let findings = look(&town, 1, &Change::AdmitOrganisation(new), &seen);
        let is_twice = |finding: &&Finding| finding.code == Code::KeyUsedTwice;
        findings.iter().filter(is_twice).count()
    };
    assert_eq!(twice(newcomer(11)), 2, "admin, node and vote in one");
    let mut apart = newcomer(11);
    apart.admins = vec![public(12)];
    assert_eq!(twice(apart.clone()), 1, "node and vote in one");
    apart.nodes[0].vote_key = public(13);
    assert_eq!(twice(apart), 0);
}

/// Goal: what the ledger would refuse is told as such, and nothing else.
#[test]
fn refusals_are_foreseen() {
    let town = Town::of(&[1]);
    let findings = look(&town, 1, &gone(1), &observed(&[1], |_, _| ()));
    let [finding] = findings.as_slice() else {
        panic!("{findings:#?}");
    };
    assert_eq!(
        (finding.code, finding.what.as_str()),
        (
            Code::Refused,
            "The ledger would refuse it: the last validator cannot be removed."
        )
    );
}

/// Goal: who must agree from then on, and which open proposals a removal decides, as then happens.
#[test]
fn voices_and_other_decisions_are_foreseen() {
    let mut town = Town::of(&[1, 2, 3, 4]);
    let rules = Change::SetParameters(Parameters {
        heartbeat_seconds: 60,
        ..Parameters::default()
    });
    let open = town.propose(1, rules.clone()).expect("proposed");
    town.vote(2, open, Choice::Approve).expect("a vote");
    let seen = observed(&SEVEN, |_, _| ());
    let leave = Change::RemoveOrganisation { id: id(4) };
    let findings = look(&town, 4, &leave, &seen);
    let mine = one(&findings, Code::Organisation);
    assert_eq!(
        mine.what,
        "organisation 4 keeps its data but no voice. Its 1 node may send no transactions any more."
    );
    assert!(!mine.next.is_empty());
    assert_eq!(
        said(&findings, Code::OtherProposal).1,
        "Proposal 0 would be approved by it, too."
    );
    let voices: Vec<_> = findings
        .iter()
        .filter(|finding| finding.code == Code::Voices)
        .map(|finding| finding.what.as_str())
        .collect();
    assert_eq!(
        voices.first(),
        Some(
            &"To change organisations, three of three must agree; until now three of four. One that \
              loses its keys blocks it for good."
        )
    );
    assert_eq!(
        voices.get(1),
        Some(&"To change validators, two of three must agree; until now three of four.")
    );
    town.agree(4, &[], leave);
    assert!(matches!(
        town.proposal(open).outcome,
        Outcome::Approved { .. }
    ));
}

/// Goal: an open proposal is looked at as if it were approved; its own kept keys do not stand against it.
#[test]
fn open_proposals_can_be_looked_at() {
    let mut town = Town::of(&[1, 2, 3]);
    let admit = Change::AdmitOrganisation(newcomer(11));
    town.propose(1, admit.clone()).expect("proposed");
    let findings = look(&town, 1, &admit, &observed(&SEVEN, |_, _| ()));
    assert_eq!(
        said(&findings, Code::Organisation),
        (
            Severity::Changes,
            "organisation 11 gets one of four voices."
        )
    );
}

/// Goal: rules and thresholds are told one by one, and only those that differ.
#[test]
fn other_rules_are_told() {
    let town = Town::of(&[1, 2, 3, 4]);
    let seen = observed(&SEVEN, |_, _| ());
    let mut rules = Parameters {
        max_block_bytes: 1 << 20,
        ..Parameters::default()
    };
    rules.retention.days = 30;
    let findings = look(&town, 1, &Change::SetParameters(rules), &seen);
    let said: Vec<_> = findings.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(
        said,
        [
            "Blocks hold up to 1048576 bytes of transactions, not 524288.",
            "Transactions are kept for 30 days. What was deleted before is not brought back; proofs \
             issued before verify for ever."
        ]
    );
    let thresholds = Thresholds {
        nodes: Fraction {
            numerator: 3,
            denominator: 4,
        },
        ..Thresholds::default()
    };
    let findings = look(&town, 1, &Change::SetThresholds(thresholds), &seen);
    let said: Vec<_> = findings.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(
        said,
        [
            "To change nodes of others, four of four must agree; until now three of four. One that \
             loses its keys blocks it for good."
        ]
    );
}

/// Goal: one admin key is a risk that is told.
#[test]
fn a_last_admin_key_is_told() {
    let mut town = Town::of(&[1, 2]);
    let rotate = |old: Option<u8>, new: Option<u8>| Change::RotateAdmin {
        organisation: id(1),
        old: old.map(public),
        new: new.map(public),
    };
    let seen = observed(&SEVEN, |_, _| ());
    let findings = look(&town, 1, &rotate(Some(1), Some(11)), &seen);
    one(&findings, Code::LastAdminKey);
    assert_eq!(look(&town, 1, &rotate(None, Some(11)), &seen), []);
    town.agree(1, &[], rotate(None, Some(11)));
    one(
        &look(&town, 1, &rotate(Some(11), None), &seen),
        Code::LastAdminKey,
    );
}

/// Goal: a change of many seats says how many blocks it takes, as it then does.
#[test]
fn the_number_of_blocks_is_foreseen() {
    let mut town = Town::of(&SEVEN);
    for number in 11..=13 {
        let organisation = id(7);
        let node = node(number);
        town.agree(7, &[], Change::AdmitNode { organisation, node });
        let node = public(number);
        town.agree(7, &[1, 2, 3], Change::AdmitValidator { node });
    }
    let all: Vec<u8> = SEVEN.into_iter().chain(11..=13).collect();
    let leave = Change::RemoveOrganisation { id: id(7) };
    let findings = look(&town, 7, &leave, &observed(&all, |_, _| ()));
    assert_eq!(
        said(&findings, Code::Power),
        (
            Severity::Changes,
            "It takes 2 blocks: a block may change 30 % of the power, or one seat, and 40 % changes."
        )
    );
    town.propose(7, leave).expect("left");
    assert!(!town.queue().is_empty());
    town.block(&[]);
    assert!(town.queue().is_empty());
}
