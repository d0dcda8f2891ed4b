//! What travels: messages between the nodes, and what users and admins bring.

use super::{Event, World};
use crate::message::{Message, Packet};
use crate::network::NodeIndex;
use crate::node::Node;
use crate::plant::Plant;
use crate::users;
use crate::votes::{self, Constitution};

/// In so many of thousand cases, an admin looks whether there is something to propose or to vote on.
const VOTES_PER_MILLE: u64 = 400;

impl World {
    pub(super) fn send(&mut self, from: NodeIndex, to: Option<NodeIndex>, message: &Message) {
        if let (Message::Consensus(message), true) = (message, self.deceivers.is_correct(from)) {
            self.tally.later_rounds += u64::from(message.round().as_i64() > 0);
            self.record.doubled.extend(self.voices.heard(from, message));
        }
        let honest = message.pack();
        for target in 0..self.nodes.len() {
            if target == from || to.is_some_and(|to| to != target) {
                continue;
            }
            if self.deceivers.is_correct(from) {
                self.post(from, target, honest.as_ref());
                continue;
            }
            let Some(node) = self.nodes.get(from) else {
                continue;
            };
            for twisted in self.deceivers.twist(node, target, message) {
                self.post(from, target, twisted.pack().as_ref());
            }
        }
    }

    pub(super) fn post(&mut self, from: NodeIndex, to: NodeIndex, packet: Option<&Packet>) {
        let Some(packet) = packet else {
            return;
        };
        for delay in self.network.send(from, to) {
            let packet = packet.clone();
            let event = Event::Arrive { from, to, packet };
            self.agenda.plan(self.now.plus(delay), event);
        }
    }

    pub(super) fn submit(&mut self, index: NodeIndex) {
        let highest = self.nodes.iter().map(Node::height).max();
        if highest >= Some(self.record.goal) {
            return;
        }
        let constitution = Constitution {
            founders: self.scenario.validators,
            nodes: self.nodes.len(),
        };
        let pause = users::pause(&mut self.users);
        self.agenda.plan(self.now.plus(pause), Event::Submit(index));
        let Some(node) = self.nodes.get_mut(index).filter(|node| node.is_running()) else {
            return;
        };
        let votes = constitution.nodes > constitution.founders
            && index < constitution.founders
            && self.users.chance(VOTES_PER_MILLE);
        if votes {
            let (chain, replica) = (self.record.chain, node.disk.replica());
            let wanted = votes::transaction(chain, index, constitution, replica, &mut self.users);
            if let Some(transaction) = wanted {
                self.record.submitted.insert(transaction.id());
                self.trace.add(self.now, index, 26, &transaction.id().0);
                let ran = node.bring(self.now, transaction);
                self.carry_out(index, ran);
                return;
            }
        }
        let (key, outbox) = (&node.identity.key, node.disk.outbox());
        let wanted = users::transaction(self.record.chain, key, outbox, &mut self.users);
        let Some(transaction) = wanted else {
            return;
        };
        let id = transaction.id();
        self.record.submitted.insert(id);
        self.trace.add(self.now, index, 23, &id.0);
        let nonce = transaction.body().nonce;
        let ran = match (self.scenario.plant, index) {
            (Some(Plant::ForgetfulOutbox), 0) => node.accept_and_forget(transaction),
            _ => node.submit(self.now, transaction),
        };
        // Accepted is what the outbox holds, even if the node stopped right after.
        let accepted = node.disk.outbox().next_nonce > nonce;
        if accepted && self.deceivers.is_correct(index) {
            self.record.accepted.insert(id, index);
        }
        self.carry_out(index, ran);
    }
}
