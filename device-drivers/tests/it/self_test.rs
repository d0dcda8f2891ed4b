//! Goal: no figure that was not taken passes, and each bar holds to the unit. Method: tables of findings
//! and what they must lead to.

use device_drivers::self_test::{
    Bar, Check, Finding, Findings, Kind, Outcome, Verdict, Why, judge, outcome, verdict,
};
use std::collections::BTreeSet;

/// A figure that just reaches a bar, and one that just does not.
fn around(bar: Bar) -> (Finding, Option<Finding>) {
    match bar {
        Bar::AtMost(limit) => (Finding::Measured(limit), Some(Finding::Measured(limit + 1))),
        Bar::AtLeast(limit) => (
            Finding::Measured(limit),
            limit.checked_sub(1).map(Finding::Measured),
        ),
    }
}

const KINDS: [Kind; 4] = [
    Kind::Adapter,
    Kind::Bluetooth,
    Kind::Serial,
    Kind::Simulated,
];

#[test]
fn each_bar_holds_to_the_unit() {
    for kind in KINDS {
        for check in kind.checks() {
            let (reaches, misses) = around(check.bar());
            assert_eq!(verdict(check.bar(), reaches), Verdict::Reached, "{check:?}");
            let misses = misses.expect("a bar that can be missed");
            assert_eq!(verdict(check.bar(), misses), Verdict::Missed, "{check:?}");
        }
    }
}

#[test]
fn the_published_bars_are_the_published_ones() {
    for (check, bar) in [
        (Check::ConnectTime, Bar::AtMost(1_000)),
        (Check::Advertisements, Bar::AtLeast(1_000)),
        (Check::TwoTries, Bar::AtLeast(95)),
        (Check::HeldAtOnce, Bar::AtLeast(5)),
    ] {
        assert_eq!(check.bar(), bar, "{check:?}");
    }
}

#[test]
fn waiting_in_vain_misses_a_bar_that_was_waited_out() {
    for (bar, waited, said) in [
        (Bar::AtMost(1_000), 1_000, Verdict::Missed),
        (Bar::AtMost(1_000), 999, Verdict::NotMeasured),
        (Bar::AtLeast(5), 9, Verdict::NotMeasured),
    ] {
        assert_eq!(
            verdict(bar, Finding::NotWithin(waited)),
            said,
            "{bar:?} {waited}"
        );
    }
}

/// All of a kind's figures reach their bars.
fn all_reached(kind: Kind) -> Findings {
    let figure = |check: &Check| (*check, around(check.bar()).0);
    kind.checks().iter().map(figure).collect()
}

#[test]
fn only_what_was_measured_passes() {
    for kind in KINDS {
        let whole = all_reached(kind);
        assert_eq!(outcome(&judge(kind, &whole)), Outcome::Passed, "{kind:?}");
        assert_eq!(outcome(&judge(kind, &Findings::new())), Outcome::Incomplete);
        for check in kind.checks() {
            let with = |finding: Option<Finding>| {
                let mut findings = whole.clone();
                findings.remove(check);
                findings.extend(finding.map(|finding| (*check, finding)));
                outcome(&judge(kind, &findings))
            };
            assert_eq!(with(None), Outcome::Incomplete, "{check:?} left out");
            assert_eq!(
                with(around(check.bar()).1),
                Outcome::Failed,
                "{check:?} missed"
            );
            for why in Why::ALL {
                let expected = match why {
                    Why::NotBonded | Why::HasNone | Why::PromisesNoRate => Outcome::Passed,
                    _ => Outcome::Incomplete,
                };
                assert_eq!(
                    with(Some(Finding::NotMeasured(why))),
                    expected,
                    "{check:?} {why:?}"
                );
            }
        }
        let nothing = kind.checks().iter();
        let nothing = nothing.map(|check| (*check, Finding::NotMeasured(Why::HasNone)));
        let nothing = judge(kind, &nothing.collect());
        assert_eq!(
            outcome(&nothing),
            Outcome::Incomplete,
            "something must be reached"
        );
    }
}

#[test]
fn a_bar_that_is_missed_outweighs_what_is_open() {
    let findings = Findings::from([(Check::ConnectTime, Finding::Measured(5_000))]);
    let judged = judge(Kind::Adapter, &findings);
    assert_eq!(outcome(&judged), Outcome::Failed);
    assert_eq!(judged.len(), Kind::Adapter.checks().len());
}

#[test]
fn each_reason_has_a_code_of_its_own() {
    let codes: BTreeSet<&str> = Why::ALL.iter().map(|why| why.code()).collect();
    assert_eq!(codes.len(), Why::ALL.len());
    assert_eq!(
        (codes.first(), codes.last()),
        (Some(&"TEST-01"), Some(&"TEST-11"))
    );
}
