//! Goal: no invariant breaks, whatever goes wrong. Method: many seeds, each a history of its own; the
//! tallies show that what is to go wrong did go wrong.

use ledger_sim::{Report, Scenario, Tally, simulate};

/// Simulates a range of seeds; shows the first findings.
fn holds(validators: usize, heights: u64, seeds: std::ops::Range<u64>) -> Report {
    let expected = seeds.end - seeds.start;
    let report = simulate(Scenario::new(validators, heights, 0), seeds, 1, |_| {});
    let first: Vec<_> = report.violations.iter().take(5).collect();
    assert!(first.is_empty(), "{first:#?}");
    assert_eq!(report.seeds, expected);
    assert!(report.heights_min >= heights);
    report
}

/// Everything that may happen has happened.
fn was_hard(tally: &Tally) {
    let Tally {
        events,
        transactions,
        lost,
        twice,
        twisted,
        partitions,
        crashes,
        full_disks,
        replayed,
        later_rounds,
        validator_changes,
        refused,
        caught,
    } = *tally;
    for (count, what) in [
        (events, "events"),
        (transactions, "transactions"),
        (lost, "lost"),
        (twice, "twice"),
        (twisted, "twisted"),
        (partitions, "partitions"),
        (crashes, "crashes"),
        (full_disks, "full disks"),
        (replayed, "replayed"),
        (later_rounds, "later rounds"),
        (validator_changes, "a change of validators"),
        (refused, "refused"),
        (caught, "caught"),
    ] {
        assert!(count > 0, "nothing was {what}: {tally:?}");
    }
}

#[test]
fn four_validators_first_fifty() {
    was_hard(&holds(4, 10, 0..50).tally);
}

#[test]
fn four_validators_second_fifty() {
    was_hard(&holds(4, 10, 50..100).tally);
}

#[test]
fn four_validators_third_fifty() {
    was_hard(&holds(4, 10, 100..150).tally);
}

#[test]
fn four_validators_fourth_fifty() {
    was_hard(&holds(4, 10, 150..200).tally);
}

#[test]
fn four_validators_twenty_heights() {
    holds(4, 20, 200..206);
}

/// A liar, alone within reach of a node that was behind, was asked again as soon as its answer was refused;
/// and as an answer that came twice counted for the next question, too, questions grew without end.
#[test]
fn a_liar_is_not_asked_again_and_again() {
    for seed in [4033, 8048] {
        let report = holds(4, 20, seed..seed + 1);
        assert!(report.tally.events < 10_000, "{:?}", report.tally);
    }
}

#[test]
fn seven_validators() {
    holds(7, 8, 0..4);
}

#[test]
fn one_two_and_three_validators() {
    for validators in 1..=3 {
        holds(validators, 10, 0..4);
    }
}
