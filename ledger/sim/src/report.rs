//! What a run over many seeds says: the broken invariants, and figures that show what was gone through.

use serde::Serialize;

use crate::checks::Violation;

/// How often something happened, so that it can be seen that faults were really simulated.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Tally {
    /// Events delivered.
    pub events: u64,
    /// Transactions that correct nodes accepted.
    pub transactions: u64,
    /// Messages lost.
    pub lost: u64,
    /// Messages delivered twice.
    pub twice: u64,
    /// Messages that rule-breaking validators falsified or held back.
    pub twisted: u64,
    /// Partitions and one-way cuts.
    pub partitions: u64,
    /// Crashes.
    pub crashes: u64,
    /// Nodes that stopped because their disk was full.
    pub full_disks: u64,
    /// Entries of write-ahead logs that were replayed.
    pub replayed: u64,
    /// Votes and proposals of correct nodes in rounds after the first.
    pub later_rounds: u64,
    /// Heights at which the validators changed.
    pub validator_changes: u64,
    /// Blocks that correct nodes found invalid.
    pub refused: u64,
    /// Times that a correct node held proof of two different signatures of one validator.
    pub caught: u64,
}

impl Tally {
    /// Adds another's figures.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.transactions += other.transactions;
        self.lost += other.lost;
        self.twice += other.twice;
        self.twisted += other.twisted;
        self.partitions += other.partitions;
        self.crashes += other.crashes;
        self.full_disks += other.full_disks;
        self.replayed += other.replayed;
        self.later_rounds += other.later_rounds;
        self.validator_changes += other.validator_changes;
        self.refused += other.refused;
        self.caught += other.caught;
    }
}

/// What one seed came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeedReport {
    /// The seed.
    pub seed: u64,
    /// Broken invariants.
    pub violations: Vec<Violation>,
    /// The lowest height of a correct node at the end.
    pub height_min: u64,
    /// Digest over everything that happened, in hex.
    pub trace_hash: String,
    /// Milliseconds from healing until all was well; none if it never was.
    pub recovered_millis: Option<u64>,
    /// How often something happened.
    pub tally: Tally,
}

/// What many seeds came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// How many seeds were simulated.
    pub seeds: u64,
    /// Broken invariants, in the order of the seeds.
    pub violations: Vec<Violation>,
    /// The lowest height of a correct node at the end, over all seeds.
    pub heights_min: u64,
    /// Digest over the digests of all seeds, in hex.
    pub trace_hash: String,
    /// The longest time from healing until all was well, in milliseconds of the simulation.
    pub recovered_millis_max: u64,
    /// How often something happened, over all seeds.
    pub tally: Tally,
}
