//! Goal: every checker can fail. Method: one bug each is planted, and the checker whose rule it breaks
//! must say so; without the bug the same seeds are clean.

use std::collections::BTreeSet;

use ledger_sim::{Plant, Scenario, simulate_seed};

/// The invariants that seeds break with a planted bug.
fn broken(
    plant: Option<Plant>,
    faults: bool,
    seeds: std::ops::Range<u64>,
) -> BTreeSet<&'static str> {
    let found = seeds.flat_map(|seed| {
        let scenario = Scenario {
            faults,
            plant,
            ..Scenario::new(4, 6, seed)
        };
        simulate_seed(scenario).violations
    });
    found.map(|violation| violation.invariant).collect()
}

fn finds(plant: Plant, faults: bool, seeds: std::ops::Range<u64>, invariant: &str) {
    assert_eq!(broken(None, faults, seeds.clone()), BTreeSet::new());
    let found = broken(Some(plant), faults, seeds);
    assert!(found.contains(invariant), "{plant:?} broke only {found:?}");
}

#[test]
fn agreement() {
    finds(Plant::TooManyEquivocators, false, 0..6, "agreement");
}

#[test]
fn validity() {
    finds(Plant::AlteredBlock, false, 0..1, "validity");
}

#[test]
fn certificate() {
    finds(Plant::ThinCertificate, false, 0..1, "certificate");
}

#[test]
fn roots() {
    finds(Plant::OtherExecution, false, 0..1, "roots");
}

#[test]
fn nothing_lost() {
    finds(Plant::ForgetfulOutbox, false, 0..4, "nothing_lost");
}

#[test]
fn exactly_once() {
    finds(Plant::RepeatedTransaction, false, 0..1, "exactly_once");
}

#[test]
fn liveness() {
    finds(Plant::StoppedValidators, false, 0..1, "liveness");
}

#[test]
fn liveness_of_a_history_without_end() {
    finds(Plant::Echo, false, 0..1, "liveness");
}

#[test]
fn one_voice() {
    finds(Plant::ForgetfulDisk, false, 0..4, "one_voice");
}

#[test]
fn durability() {
    finds(Plant::LostBlock, false, 0..1, "durability");
}

#[test]
fn no_failure() {
    finds(Plant::FailingNode, false, 0..1, "no_failure");
}
