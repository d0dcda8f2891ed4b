//! Goal: no invariant breaks, whatever goes wrong. Method: many seeds, each a history of its own.

use ledger_sim::{Report, Scenario, simulate};

/// Simulates a range of seeds; shows the first findings.
fn holds(validators: usize, seeds: std::ops::Range<u64>) -> Report {
    let expected = seeds.end - seeds.start;
    let report = simulate(Scenario::new(validators, 20, 0), seeds, 1, |_| {});
    let first: Vec<_> = report.violations.iter().take(5).collect();
    assert!(first.is_empty(), "{first:#?}");
    assert_eq!(report.seeds, expected);
    assert!(report.heights_min >= 20);
    report
}

#[test]
fn four_validators() {
    holds(4, 0..20);
}
