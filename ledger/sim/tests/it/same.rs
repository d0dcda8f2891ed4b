//! Goal: a seed is one history. Method: the same seeds twice, on different numbers of threads.

use std::sync::Mutex;

use ledger_sim::{Scenario, simulate, simulate_seed};

#[test]
fn one_seed_is_one_history() {
    let scenario = Scenario::new(4, 8, 17);
    assert_eq!(simulate_seed(scenario), simulate_seed(scenario));
}

#[test]
fn the_report_does_not_depend_on_threads() {
    let scenario = Scenario::new(4, 5, 0);
    let heard = Mutex::new(Vec::new());
    let alone = simulate(scenario, 3..9, 1, |seed| {
        heard.lock().unwrap().push(seed.seed)
    });
    let together = simulate(scenario, 3..9, 3, |_| {});
    assert_eq!(alone, together);
    assert_eq!(*heard.lock().unwrap(), [3, 4, 5, 6, 7, 8]);
}

#[test]
fn every_seed_is_a_history_of_its_own() {
    let trace = |seed| simulate_seed(Scenario::new(4, 3, seed)).trace_hash;
    assert_ne!(trace(1), trace(2));
    let other_height = simulate_seed(Scenario::new(4, 4, 1)).trace_hash;
    assert_ne!(trace(1), other_height);
}
