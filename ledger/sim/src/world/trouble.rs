//! Trouble: faults that begin and end, nodes that stop and start, planted bugs.

use std::time::Duration;

use ledger_core::Height;
use ledger_core::state::{Account, StateKey};
use ledger_core::{Nonce, canonical};

use super::{Event, World};
use crate::disk::Stop;
use crate::faults::Fault;
use crate::network::NodeIndex;
use crate::node::Node;
use crate::plant::Plant;
use crate::record::Forgot;
use crate::scenario::key;

/// A stopped node is started again after so many milliseconds.
const SHORTEST_DOWN_MILLIS: u64 = 5;
/// And after up to so many.
const LONGEST_DOWN_MILLIS: u64 = 2000;

impl World {
    pub(super) fn start(&mut self, index: NodeIndex) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(index) else {
            return;
        };
        if node.is_running() || (self.is_stopped_for_good(index)) {
            return;
        }
        let Some(node) = self.nodes.get_mut(index) else {
            return;
        };
        if node.disk.is_full() {
            self.start_later(index);
            return;
        }
        if let Some((height, hash)) = self.told.get(&index).copied() {
            let found = node.disk.replica().at(height).map(|block| block.hash);
            if found != Some(hash) {
                let node = index;
                self.record.forgot.push(Forgot { node, height });
            }
        }
        self.trace.add(now, index, 24, &[]);
        let ran = node.start(now);
        self.carry_out(index, ran);
    }

    fn start_later(&mut self, index: NodeIndex) {
        let longest = match self.scenario.plant {
            // The height is to be still on.
            Some(Plant::ForgetfulDisk) => SHORTEST_DOWN_MILLIS,
            _ => LONGEST_DOWN_MILLIS,
        };
        let down = Duration::from_millis(self.random.between(SHORTEST_DOWN_MILLIS, longest));
        self.agenda.plan(self.now.plus(down), Event::Start(index));
    }

    pub(super) fn stopped(&mut self, index: NodeIndex, stop: Stop) {
        self.trace.add(self.now, index, 25, &[]);
        match stop {
            Stop::Crashed => self.tally.crashes += 1,
            Stop::DiskFull => self.tally.full_disks += 1,
            Stop::Failed(why) => {
                let height = self.nodes.get(index).map_or(Height(0), Node::height);
                if self.deceivers.is_correct(index) {
                    self.record.failed.push((index, height, why));
                    return;
                }
            }
        }
        self.start_later(index);
    }

    pub(super) fn begin(&mut self, fault: usize) {
        let Some(planned) = self.faults.get(fault) else {
            return;
        };
        match planned.fault.clone() {
            Fault::Partition(sides) => {
                self.tally.partitions += 1;
                for (from, to) in across(&sides) {
                    self.network.cut(from, to);
                }
            }
            Fault::Deaf { from, to } => {
                self.tally.partitions += 1;
                self.network.cut(from, to);
            }
            Fault::Crash(index) => {
                let Some(node) = self.nodes.get_mut(index).filter(|node| node.is_running()) else {
                    return;
                };
                node.crash();
                self.stopped(index, Stop::Crashed);
            }
            Fault::CrashAtWrite(index, writes) => {
                if let Some(node) = self.nodes.get_mut(index) {
                    node.disk.crash_in(writes);
                }
            }
            Fault::DiskFull(index) => {
                if let Some(node) = self.nodes.get_mut(index) {
                    node.disk.set_full(true);
                }
            }
        }
    }

    pub(super) fn end(&mut self, fault: usize) {
        let Some(planned) = self.faults.get(fault) else {
            return;
        };
        match planned.fault.clone() {
            Fault::Partition(sides) => {
                for (from, to) in across(&sides) {
                    self.network.mend(from, to);
                }
            }
            Fault::Deaf { from, to } => self.network.mend(from, to),
            Fault::DiskFull(index) => {
                if let Some(node) = self.nodes.get_mut(index) {
                    node.disk.set_full(false);
                }
            }
            Fault::Crash(_) | Fault::CrashAtWrite(..) => {}
        }
    }

    pub(super) fn heal(&mut self) {
        self.network.heal();
        for index in 0..self.nodes.len() {
            if let Some(node) = self.nodes.get_mut(index) {
                node.disk.set_full(false);
                node.disk.crash_never();
            }
            self.agenda.plan(self.now, Event::Start(index));
        }
    }

    /// Brings a planted bug about, when a node has said that a block is final.
    pub(super) fn plant_at(&mut self, index: NodeIndex, height: Height) {
        if let (Some(Plant::ForgetfulDisk), 0, Some(node)) =
            (self.scenario.plant, index, self.nodes.get_mut(index))
        {
            node.disk.crash_in(4 + height.0 * 3 % 9);
        }
        if height != Height(3) {
            return;
        }
        match (self.scenario.plant, index) {
            (Some(Plant::StoppedValidators), _) if self.is_stopped_for_good(index) => {
                if let Some(node) = self.nodes.get_mut(index) {
                    node.crash();
                }
            }
            (Some(Plant::FailingNode), 0) => {
                if let Some(node) = self.nodes.get_mut(index) {
                    node.crash();
                }
                self.stopped(index, Stop::Failed("a planted failure".into()));
            }
            (Some(Plant::OtherExecution), 0) => {
                if let Some(node) = self.nodes.get_mut(index) {
                    let other = StateKey::account(&key(1).public());
                    let account = Account {
                        next_nonce: Nonce(1_000_000),
                    };
                    node.disk.spoil_entry(other, canonical::encode(&account));
                }
            }
            _ => {}
        }
    }

    fn is_stopped_for_good(&self, index: NodeIndex) -> bool {
        self.scenario.plant == Some(Plant::StoppedValidators)
            && index < self.scenario.validators.div_ceil(2)
            && self
                .told
                .get(&index)
                .is_some_and(|(height, _)| *height >= Height(3))
    }
}

/// The directions between nodes of different sides.
fn across(sides: &[bool]) -> Vec<(NodeIndex, NodeIndex)> {
    let pairs = (0..sides.len()).flat_map(|from| (0..sides.len()).map(move |to| (from, to)));
    pairs
        .filter(|(from, to)| sides.get(*from) != sides.get(*to))
        .collect()
}
