//! The network: what becomes of a message between two nodes.
//!
//! Each direction of each pair has its own loss, duplication and range of delays, drawn from the seed;
//! delays differ from message to message, so messages overtake each other. A cut stops a direction
//! altogether, for what is under way as well. When the network is healed, nothing is lost and delays
//! are those of a good line.
//!
//! Left out: gossip that goes around a cut by a third node, and repeats of TCP. What is lost here stays
//! lost, which is harder than the real network.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::random::Random;

/// A node's place among the simulated nodes.
pub(crate) type NodeIndex = usize;

/// Delays in microseconds of a good line.
const GOOD_DELAY_MICROS: (u64, u64) = (500, 20_000);

#[derive(Clone, Copy, Debug)]
struct Line {
    loss_per_mille: u64,
    twice_per_mille: u64,
    delay_micros: (u64, u64),
}

/// All lines between the nodes.
pub(crate) struct Network {
    random: Random,
    lines: BTreeMap<(NodeIndex, NodeIndex), Line>,
    cuts: BTreeMap<(NodeIndex, NodeIndex), u32>,
    healed: bool,
    /// Messages lost so far.
    pub lost: u64,
    /// Messages delivered twice so far.
    pub twice: u64,
}

impl Network {
    /// Lines between `nodes` nodes as `random` draws them.
    pub(crate) fn new(nodes: usize, mut random: Random) -> Self {
        let worst_loss = [0, 0, 20, 60, 150][random.below(5) as usize];
        let slowest = [2_000, 20_000, 60_000, 150_000][random.below(4) as usize];
        let mut lines = BTreeMap::new();
        for from in 0..nodes {
            for to in 0..nodes {
                let shortest = random.between(200, slowest);
                let line = Line {
                    loss_per_mille: random.between(0, worst_loss),
                    twice_per_mille: random.between(0, 50),
                    delay_micros: (shortest, shortest + random.between(100, slowest)),
                };
                lines.insert((from, to), line);
            }
        }
        Self {
            random,
            lines,
            cuts: BTreeMap::new(),
            healed: false,
            lost: 0,
            twice: 0,
        }
    }

    /// Cuts one direction; cuts add up.
    pub(crate) fn cut(&mut self, from: NodeIndex, to: NodeIndex) {
        *self.cuts.entry((from, to)).or_default() += 1;
    }

    /// Takes one cut of a direction back.
    pub(crate) fn mend(&mut self, from: NodeIndex, to: NodeIndex) {
        if let Some(cuts) = self.cuts.get_mut(&(from, to)) {
            *cuts = cuts.saturating_sub(1);
        }
    }

    /// Mends every cut and makes every line a good one.
    pub(crate) fn heal(&mut self) {
        self.cuts.clear();
        self.healed = true;
    }

    /// Whether nothing passes from one node to another.
    pub(crate) fn is_cut(&self, from: NodeIndex, to: NodeIndex) -> bool {
        self.cuts.get(&(from, to)).is_some_and(|cuts| *cuts > 0)
    }

    /// After which delays a message sent now arrives: never, once, or twice.
    pub(crate) fn send(&mut self, from: NodeIndex, to: NodeIndex) -> Vec<Duration> {
        let Some(line) = self.lines.get(&(from, to)).copied() else {
            return Vec::new();
        };
        let (shortest, longest) = match self.healed {
            true => GOOD_DELAY_MICROS,
            false => line.delay_micros,
        };
        let delay = |random: &mut Random| Duration::from_micros(random.between(shortest, longest));
        let first = delay(&mut self.random);
        if self.healed {
            return vec![first];
        }
        if self.is_cut(from, to) || self.random.chance(line.loss_per_mille) {
            self.lost += 1;
            return Vec::new();
        }
        if self.random.chance(line.twice_per_mille) {
            self.twice += 1;
            return vec![first, delay(&mut self.random)];
        }
        vec![first]
    }
}
