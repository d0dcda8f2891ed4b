//! The simulated world: nodes, network, users, faults, and the one loop that lets time pass.
//!
//! Everything happens in the order of the agenda, and whatever is left to chance is drawn from the
//! seed, so that one seed is one history. The loop ends when all correct nodes have what they are to
//! have, when the time allowed for it after healing is over, or when there are so many events that it gets
//! nowhere.

mod traffic;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arc_malachitebft_app_channel::app::types::core::Timeout;
use ledger_consortium::pure::{ChainSigner, ChainVerifier, peer_id};
use ledger_core::{ChainId, Digest, Height};
use ledger_store::MemoryReplica;

use crate::byzantine::{Behaviour, Deceivers};
use crate::disk::{Disk, Stop};
use crate::faults::{Planned, Schedule};
use crate::host::{Output, Tick};
use crate::message::{Message, Packet};
use crate::network::{Network, NodeIndex};
use crate::node::{Identity, Node, Ran};
use crate::plant::Plant;
use crate::random::Random;
use crate::record::{NodeRecord, Record, Voices};
use crate::report::Tally;
use crate::scenario::{FOUNDED_MILLIS, Scenario, genesis, key};
use crate::time::{Agenda, Clock, Moment};
use crate::trace::Trace;
use crate::users;
use crate::verified::SharedVerifier;

/// How long after healing all is to be well, whatever was wrong: the longest round that may have
/// begun, the answers to catching up that may be overdue, and as much again.
const RECOVERY: Duration = Duration::from_secs(60);
/// How long each height may take then, with a proposer that breaks the rules.
const PER_HEIGHT: Duration = Duration::from_secs(3);
/// Most events for each height and each pair of nodes. A history with more than that chases its tail:
/// without this bound its violation would be a simulation that never ends.
const MOST_EVENTS: u64 = 60;
/// How long faults last, for each height.
const FAULTS_PER_HEIGHT: Duration = Duration::from_millis(250);

/// What is on the agenda.
enum Event {
    Arrive {
        from: NodeIndex,
        to: NodeIndex,
        packet: Packet,
    },
    Timeout {
        node: NodeIndex,
        start: u32,
        timeout: Timeout,
        timer: u64,
    },
    Tick {
        node: NodeIndex,
        start: u32,
        tick: Tick,
    },
    Submit(NodeIndex),
    Start(NodeIndex),
    Begin(usize),
    End(usize),
    Heal,
}

/// One simulation under way.
pub(crate) struct World {
    scenario: Scenario,
    now: Moment,
    agenda: Agenda<Event>,
    nodes: Vec<Node>,
    network: Network,
    deceivers: Deceivers,
    faults: Vec<Planned>,
    random: Random,
    users: Random,
    voices: Voices,
    /// The last block each node said was final.
    told: BTreeMap<NodeIndex, (Height, Digest)>,
    record: Record,
    trace: Trace,
    tally: Tally,
}

/// What a simulation has come to.
pub(crate) struct Outcome {
    pub record: Record,
    pub trace: Trace,
    pub tally: Tally,
}

impl World {
    /// The world of a scenario before anything has happened.
    pub(crate) fn new(scenario: Scenario) -> Result<Self, Stop> {
        let schedule = schedule_of(&scenario);
        let observers = schedule.observers;
        let count = scenario.validators + observers;
        let none = || Stop::Failed("these validators make no genesis".into());
        let genesis = genesis(scenario.validators, observers, scenario.seed).ok_or_else(none)?;
        let first = MemoryReplica::found(&genesis, &key(0))?;
        let first = first.blocks().first().ok_or_else(none)?.block.clone();
        let chain = genesis.chain_id();
        let verifier = SharedVerifier::new(ChainVerifier { chain });
        let nodes = (0..count).map(|index| {
            let replica = MemoryReplica::join(&genesis, &first)?;
            let identity = identity(index, count, &schedule, &verifier, chain)?;
            let random = Random::new(scenario.seed, 100 + index as u64);
            Ok(Node::new(identity, Disk::new(replica), random))
        });
        let mut nodes = nodes.collect::<Result<Vec<_>, Stop>>()?;
        if let (Some(Plant::ForgetfulDisk), Some(node)) = (scenario.plant, nodes.first_mut()) {
            node.disk.forgets = true;
        }
        let mut network = Network::new(count, Random::new(scenario.seed, 1));
        if !scenario.faults {
            network.heal();
        }
        let healed = schedule.healed;
        let deceivers = Random::new(scenario.seed, 2);
        let left = PER_HEIGHT.saturating_mul(scenario.heights.try_into().unwrap_or(u32::MAX));
        let record = Record {
            chain: genesis.chain_id(),
            genesis,
            nodes: Vec::new(),
            commits: Vec::new(),
            submitted: BTreeSet::new(),
            accepted: BTreeMap::new(),
            doubled: Vec::new(),
            forgot: Vec::new(),
            failed: Vec::new(),
            healed,
            reached: None,
            endless: false,
            deadline: healed.plus(RECOVERY).plus(left),
            goal: Height(scenario.heights),
        };
        Ok(Self {
            scenario,
            now: Moment::default(),
            agenda: Agenda::new(),
            nodes,
            network,
            deceivers: Deceivers::new(schedule.behaviours, count, deceivers),
            faults: schedule.faults,
            random: Random::new(scenario.seed, 3),
            users: Random::new(scenario.seed, 4),
            voices: Voices::default(),
            told: BTreeMap::new(),
            record,
            trace: Trace::default(),
            tally: Tally::default(),
        })
    }

    /// Lets time pass until the end, and says what is left.
    pub(crate) fn run(mut self) -> Outcome {
        self.plan_all();
        let most = self.most_events();
        let mut events = 0;
        while let Some((at, event)) = self.agenda.next() {
            events += 1;
            self.record.endless = events > most;
            if at > self.record.deadline || self.record.endless {
                break;
            }
            self.now = at;
            self.happen(event);
            if at >= self.record.healed && self.is_reached() {
                self.record.reached = Some(at);
                break;
            }
        }
        self.finish()
    }

    fn most_events(&self) -> u64 {
        let nodes = self.nodes.len() as u64;
        let heights = self.scenario.heights.saturating_add(10);
        MOST_EVENTS
            .saturating_mul(heights)
            .saturating_mul(nodes * nodes)
    }

    fn plan_all(&mut self) {
        for node in 0..self.nodes.len() {
            let delay = Duration::from_millis(self.random.below(30));
            self.agenda.plan(self.now.plus(delay), Event::Start(node));
            let pause = users::pause(&mut self.users);
            self.agenda.plan(self.now.plus(pause), Event::Submit(node));
        }
        for (at, planned) in self.faults.iter().enumerate() {
            self.agenda.plan(planned.from, Event::Begin(at));
            self.agenda.plan(planned.to, Event::End(at));
        }
        self.agenda.plan(self.record.healed, Event::Heal);
    }

    fn is_reached(&self) -> bool {
        let mut correct = self.nodes.iter().enumerate();
        correct.all(|(index, node)| {
            !self.deceivers.is_correct(index)
                || (node.height() >= self.record.goal && node.disk.outbox().waiting.is_empty())
        }) && self.same_heights()
    }

    /// Whether all correct nodes are at the same height, so that each has what any has.
    fn same_heights(&self) -> bool {
        let mut heights = self.correct().map(|(_, node)| node.height());
        let first = heights.next();
        heights.all(|height| Some(height) == first)
    }

    fn correct(&self) -> impl Iterator<Item = (NodeIndex, &Node)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(index, _)| self.deceivers.is_correct(*index))
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { from, to, packet } => self.arrive(from, to, &packet),
            Event::Timeout {
                node,
                start,
                timeout,
                timer,
            } => self.let_run(node, Some(start), 20, |node, now| {
                node.time_out(now, timeout, timer)
            }),
            Event::Tick { node, start, tick } => {
                self.let_run(node, Some(start), 21, |node, now| node.tick(now, tick));
            }
            Event::Submit(node) => self.submit(node),
            Event::Start(node) => self.start(node),
            Event::Begin(fault) => self.begin(fault),
            Event::End(fault) => self.end(fault),
            Event::Heal => self.heal(),
        }
    }

    /// Lets a node handle something, if it still runs since `start`, and carries out what it wants.
    fn let_run(
        &mut self,
        index: NodeIndex,
        start: Option<u32>,
        kind: u8,
        act: impl FnOnce(&mut Node, Moment) -> Ran,
    ) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(index) else {
            return;
        };
        if !node.is_running() || start.is_some_and(|start| start != node.starts) {
            return;
        }
        self.trace.add(now, index, kind, &[]);
        let ran = act(node, now);
        self.carry_out(index, ran);
    }

    fn arrive(&mut self, from: NodeIndex, to: NodeIndex, packet: &Packet) {
        if self.network.is_cut(from, to) {
            self.network.lost += 1;
            return;
        }
        if !self.nodes.get(to).is_some_and(Node::is_running) {
            return;
        }
        self.trace.add(self.now, to, packet.kind, &packet.bytes);
        if self.scenario.plant == Some(Plant::Echo) {
            self.post(to, from, Some(packet));
            self.post(to, from, Some(packet));
        }
        let Some(node) = self.nodes.get_mut(to) else {
            return;
        };
        if let Some(message) = Message::unpack(packet) {
            let ran = node.receive(self.now, from, message);
            self.carry_out(to, ran);
        }
    }

    fn carry_out(&mut self, index: NodeIndex, ran: Ran) {
        for output in ran.outputs {
            self.carry_out_one(index, output);
        }
        if let Some(stop) = ran.stop {
            self.stopped(index, stop);
        }
    }

    fn carry_out_one(&mut self, index: NodeIndex, output: Output) {
        let Some(node) = self.nodes.get(index) else {
            return;
        };
        let (start, clock) = (node.starts, node.identity.clock);
        match output {
            Output::Send(to, message) => self.send(index, to, &message),
            Output::Timer(timeout, timer, after) => {
                let at = self.now.plus(clock.true_duration(after));
                self.agenda.plan(
                    at,
                    Event::Timeout {
                        node: index,
                        start,
                        timeout,
                        timer,
                    },
                );
            }
            Output::Tick(tick, after) => {
                let at = self.now.plus(clock.true_duration(after));
                let node = index;
                self.agenda.plan(at, Event::Tick { node, start, tick });
            }
            Output::Committed(height, hash) => {
                self.trace.add(self.now, index, 22, &hash.0);
                self.record.commits.push((index, height, hash));
                self.told.insert(index, (height, hash));
                self.plant_at(index, height);
            }
            Output::Caught => self.tally.caught += 1,
            Output::Refused => self.tally.refused += 1,
        }
    }

    fn finish(self) -> Outcome {
        let nodes = self.nodes.iter().enumerate().map(|(index, node)| {
            let replica = node.disk.replica();
            NodeRecord {
                correct: self.deceivers.is_correct(index),
                blocks: replica.blocks().to_vec(),
                root_of_entries: replica.root_of_entries().unwrap_or(Digest::ZERO),
            }
        });
        let mut record = self.record;
        record.nodes = nodes.collect();
        if let Some(plant) = self.scenario.plant {
            plant.spoil(&mut record);
        }
        let tally = Tally {
            lost: self.network.lost,
            twice: self.network.twice,
            twisted: self.deceivers.twisted,
            replayed: self.nodes.iter().map(|node| node.replayed).sum(),
            transactions: record.accepted.len() as u64,
            validator_changes: record.validator_changes(),
            ..self.tally
        };
        Outcome {
            record,
            trace: self.trace,
            tally,
        }
    }
}

fn identity(
    index: NodeIndex,
    nodes: usize,
    schedule: &Schedule,
    verifier: &SharedVerifier,
    chain: ChainId,
) -> Result<Identity, Stop> {
    let keys: Vec<_> = (0..nodes).map(|node| key(node).public()).collect();
    let peers = keys
        .iter()
        .map(|key| peer_id(key).map_err(|error| Stop::Failed(error.to_string())));
    let peers = peers.collect::<Result<Vec<_>, Stop>>()?;
    let (ahead_millis, per_mille) = schedule.clocks.get(index).copied().unwrap_or((0, 1000));
    Ok(Identity {
        index,
        chain,
        key: key(index),
        signer: ChainSigner {
            chain,
            key: key(index),
        },
        verifier: verifier.clone(),
        clock: Clock {
            starts_at_millis: FOUNDED_MILLIS + ahead_millis,
            per_mille,
        },
        keys,
        peers,
    })
}

fn schedule_of(scenario: &Scenario) -> Schedule {
    let count = scenario.validators;
    if scenario.plant == Some(Plant::TooManyEquivocators) {
        let equivocators = 0..=scenario.tolerated();
        let behaviours = equivocators.map(|node| (node, Behaviour::Equivocate));
        return Schedule::calm(count, behaviours.collect());
    }
    if !scenario.faults {
        return Schedule::calm(count, BTreeMap::new());
    }
    let mut random = Random::new(scenario.seed, 5);
    let liars = match scenario.plant {
        // A planted bug is to be seen by itself.
        Some(_) => 0,
        None => random.below(scenario.tolerated() as u64 + 1) as usize,
    };
    let lasts = FAULTS_PER_HEIGHT.saturating_mul(scenario.heights.try_into().unwrap_or(u32::MAX));
    let healed = Moment::default().plus(lasts);
    Schedule::draw(count, liars, healed, &mut random)
}
