//! A consortium that is simulated: the real state machine of consensus, the real ledger, the real
//! bytes between the nodes, under a virtual clock, on a network and on disks that fail as a seed says.
//!
//! ```text
//!                     seed
//!       ┌──────────────┼──────────────┬─────────────┐
//!    faults         network         users      rule-breakers
//!       └──────▶ world: one agenda, one loop ◀──────┘
//!                  │ message, timeout, crash
//!                  ▼
//!        node: Malachite core ⇄ application ⇄ disk (log, proposals, outbox, replica in memory)
//!                  │
//!               record ──▶ one checker per invariant ──▶ report
//! ```
//!
//! One seed is one history: the same violations, the same heights, the same digest over every event,
//! on every machine. Nothing here knows a clock, a thread of its own, or a source of chance but the
//! seed; seeds are run on several cores, each for itself.
//!
//! Left out: gossip around a cut, the choice of peers to catch up from (see `catchup`), the real node's
//! files, and time that computing takes: everything a node does is done at once.

mod application;
mod byzantine;
mod catchup;
mod checks;
mod disk;
mod faults;
mod host;
mod message;
mod network;
mod node;
mod plant;
mod random;
mod record;
mod report;
mod scenario;
mod time;
mod trace;
mod users;
mod verified;
mod votes;
mod world;

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ledger_core::{Digest, Genesis};
use ledger_store::MemoryBlock;

pub use checks::Violation;
pub use plant::Plant;
pub use report::{Report, SeedReport, Tally};
pub use scenario::{Scenario, VALIDATORS};

/// Simulates one seed.
#[must_use]
pub fn simulate_seed(scenario: Scenario) -> SeedReport {
    let run = || {
        let quiet = tracing::subscriber::NoSubscriber::default();
        tracing::subscriber::with_default(quiet, || run(scenario))
    };
    // A panic inside is a finding like any other: the seed that brings it about must not be lost.
    std::panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
        failed(scenario, said.unwrap_or_else(|| "a panic".into()))
    })
}

fn run(scenario: Scenario) -> SeedReport {
    let seed = scenario.seed;
    let outcome = match world::World::new(scenario) {
        Ok(world) => world.run(),
        Err(stop) => return failed(scenario, format!("{stop:?}")),
    };
    let record = &outcome.record;
    let correct = record.nodes.iter().filter(|node| node.correct);
    let heights = correct.map(|node| (node.blocks.len() as u64).saturating_sub(1));
    let recovered = record.reached;
    SeedReport {
        seed,
        violations: checks::check(seed, record),
        height_min: heights.min().unwrap_or(0),
        trace_hash: outcome.trace.digest().to_string(),
        recovered_millis: recovered
            .map(|reached| reached.millis().saturating_sub(record.healed.millis())),
        tally: Tally {
            events: outcome.trace.events,
            ..outcome.tally
        },
    }
}

/// The chain that a simulation leaves on a correct node, and the genesis it starts from.
#[must_use]
pub fn simulated_chain(scenario: Scenario) -> Option<(Genesis, Vec<MemoryBlock>)> {
    let record = world::World::new(scenario).ok()?.run().record;
    let node = record.nodes.into_iter().find(|node| node.correct)?;
    Some((record.genesis, node.blocks))
}

fn failed(scenario: Scenario, what: String) -> SeedReport {
    let seed = scenario.seed;
    SeedReport {
        seed,
        violations: vec![Violation {
            seed,
            invariant: "no_failure",
            height: 0,
            what,
        }],
        height_min: 0,
        trace_hash: Digest::of(&seed.to_be_bytes()).to_string(),
        recovered_millis: None,
        tally: Tally::default(),
    }
}

/// Simulates every seed of a range, on `threads` threads. `done` hears of each seed as it ends.
///
/// The report does not depend on the number of threads.
pub fn simulate(
    scenario: Scenario,
    seeds: std::ops::Range<u64>,
    threads: usize,
    done: impl Fn(&SeedReport) + Sync,
) -> Report {
    let next = AtomicU64::new(seeds.start);
    let reports = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let report = simulate_seed(Scenario { seed, ..scenario });
            done(&report);
            let mut all = reports.lock().unwrap_or_else(|poison| poison.into_inner());
            all.push(report);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.max(1) {
            scope.spawn(work);
        }
        work();
    });
    let reports = reports.into_inner();
    summary(reports.unwrap_or_else(|poison| poison.into_inner()))
}

fn summary(mut reports: Vec<SeedReport>) -> Report {
    reports.sort_by_key(|report| report.seed);
    let hashes = reports.iter().map(|report| report.trace_hash.as_bytes());
    let hashes = hashes.collect::<Vec<_>>().concat();
    let mut tally = Tally::default();
    for report in &reports {
        tally.add(&report.tally);
    }
    Report {
        seeds: reports.len() as u64,
        heights_min: reports.iter().map(|one| one.height_min).min().unwrap_or(0),
        trace_hash: Digest::of(&hashes).to_string(),
        recovered_millis_max: reports
            .iter()
            .filter_map(|one| one.recovered_millis)
            .max()
            .unwrap_or(0),
        violations: reports.into_iter().flat_map(|one| one.violations).collect(),
        tally,
    }
}
