//! What goes wrong, and when: drawn from the seed before the simulation begins.
//!
//! In half of the histories there are observers, and membership changes meanwhile.
//! Every fault has an end, and all of them end with the moment of healing; validators that break the
//! rules never get better. At most f validators break the rules; how many are crashed or cut off at a
//! time has no limit, for the chain may then stand still, but must not fork nor forget.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::byzantine::Behaviour;
use crate::network::NodeIndex;
use crate::random::Random;
use crate::time::Moment;

/// Clocks of correct nodes are off by at most half of this; any two are then closer than the
/// difference that a validator accepts of a proposer.
const CLOCKS_APART_MILLIS: u64 = 8_000;
/// How many nodes are no validators at the start, where membership changes.
const OBSERVERS: usize = 2;
/// Most faults besides lines and clocks.
const MAX_FAULTS: u64 = 7;

/// One fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Nodes of different sides do not reach each other.
    Partition(Vec<bool>),
    /// One node does not reach another.
    Deaf { from: NodeIndex, to: NodeIndex },
    /// The power goes, between two events.
    Crash(NodeIndex),
    /// The power goes before the write after so many others.
    CrashAtWrite(NodeIndex, u64),
    /// The disk is full.
    DiskFull(NodeIndex),
}

/// A fault and its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Planned {
    pub fault: Fault,
    pub from: Moment,
    pub to: Moment,
}

/// All that goes wrong in one simulation.
pub(crate) struct Schedule {
    /// Nodes that are no validators at the start; none where membership does not change.
    pub observers: usize,
    pub faults: Vec<Planned>,
    /// When all of it is over.
    pub healed: Moment,
    pub behaviours: BTreeMap<NodeIndex, Behaviour>,
    /// By node: how far its clock is from the truth, plus half of the greatest distance, in
    /// milliseconds; and how many of its seconds pass in thousand.
    pub clocks: Vec<(u64, u64)>,
}

impl Schedule {
    /// What `random` brings upon the nodes until `healed`; `liars` of the `founders` break the rules.
    pub(crate) fn draw(founders: usize, liars: usize, healed: Moment, random: &mut Random) -> Self {
        let observers = match random.chance(500) {
            true => OBSERVERS,
            false => 0,
        };
        let nodes = founders + observers;
        let mut behaviours = BTreeMap::new();
        while behaviours.len() < liars.min(founders) {
            let node = random.below(founders as u64) as usize;
            let behaviour = match random.below(3) {
                0 => Behaviour::Equivocate,
                1 => Behaviour::Withhold(random.between(200, 1000)),
                _ => Behaviour::Lie,
            };
            behaviours.entry(node).or_insert(behaviour);
        }
        let clocks = (0..nodes).map(|_| {
            let off = random.below(CLOCKS_APART_MILLIS + 1);
            (off, random.between(950, 1050))
        });
        let clocks = clocks.collect();
        let count = random.below(MAX_FAULTS + 1);
        let mut faults: Vec<_> = (0..count)
            .map(|_| Self::plan(nodes, healed, random))
            .collect();
        faults.sort_by_key(|planned| planned.from);
        Self {
            observers,
            faults,
            healed,
            behaviours,
            clocks,
        }
    }

    fn plan(nodes: usize, healed: Moment, random: &mut Random) -> Planned {
        let node = random.below(nodes as u64) as usize;
        let fault = match random.below(6) {
            0 => Fault::Partition((0..nodes).map(|_| random.chance(500)).collect()),
            1 => Fault::Deaf {
                from: node,
                to: random.below(nodes as u64) as usize,
            },
            2 => Fault::Crash(node),
            3 | 4 => Fault::CrashAtWrite(node, random.below(60)),
            _ => Fault::DiskFull(node),
        };
        let from = Moment(random.below(healed.0));
        let lasts = Duration::from_millis(random.between(20, 2500));
        Planned {
            fault,
            from,
            to: from.plus(lasts).min(healed),
        }
    }

    /// Nothing goes wrong but what `behaviours` do.
    pub(crate) fn calm(nodes: usize, behaviours: BTreeMap<NodeIndex, Behaviour>) -> Self {
        Self {
            observers: 0,
            faults: Vec::new(),
            healed: Moment(0),
            behaviours,
            clocks: vec![(CLOCKS_APART_MILLIS / 2, 1000); nodes],
        }
    }
}
