//! One node: Malachite's state machine, driven as its engine drives it, over a simulated disk.
//!
//! ```text
//! message, timeout, submission ─▶ process! ─effects─▶ host (application, disk) ─▶ outputs for the world
//!                                    ▲                  │
//!                                    └──── inbox ◀──────┘   what the application answers, in order
//! ```
//!
//! What the engine (`arc-malachitebft-engine`, `consensus.rs`) does around the state machine is done
//! here in the same order: the log is synced before anything signed leaves and before a decision; at
//! the start of a height its entries are replayed. A node that stops, stops in the middle of an effect:
//! nothing after it leaves the node.

use std::convert::Infallible;

use arc_malachitebft_app_channel::app::consensus::{
    Effect, Error, Input, LocallyProposedValue, Params, ProposedValue, Resume, SignedConsensusMsg,
    State,
};
use arc_malachitebft_app_channel::app::metrics::Metrics;
use arc_malachitebft_app_channel::app::types::ValuePayload;
use arc_malachitebft_app_channel::app::types::core::{
    Timeout, ValueOrigin, ValueResponse, VoteExtensionPolicy,
};
use ledger_consortium::pure::{Address, BlockHeight, Chain, ChainSigner, Validators};
use ledger_core::{ChainId, Height, SecretKey, VerifiedTransaction};

use crate::disk::{Disk, Stop};
use crate::host::{Host, Output, Shell, Tick};
use crate::message::Message;
use crate::network::NodeIndex;
use crate::random::Random;
use crate::time::{Clock, Moment};
use crate::verified::SharedVerifier;

/// Messages of later heights that are kept, as the engine's configuration has it: heights, and
/// messages of each.
const QUEUE: (usize, usize) = (10, 500);

/// Who a node is; survives everything.
pub(crate) struct Identity {
    pub index: NodeIndex,
    pub chain: ChainId,
    pub key: SecretKey,
    pub signer: ChainSigner,
    pub verifier: SharedVerifier,
    pub clock: Clock,
    /// The keys of all nodes, by index.
    pub keys: Vec<ledger_core::PublicKey>,
    /// Their names for the network.
    pub peers: Vec<arc_malachitebft_app_channel::app::types::PeerId>,
}

/// What consensus is to be told, once it has done what it is at.
pub(crate) enum Next {
    Start(Height),
    Propose(LocallyProposedValue<Chain>),
    Value(ProposedValue<Chain>, ValueOrigin),
    Synced(Box<ValueResponse<Chain>>),
}

/// What is lost in a crash.
struct Running {
    consensus: State<Chain>,
    shell: Shell,
    metrics: Metrics,
}

/// One node.
pub(crate) struct Node {
    pub identity: Identity,
    pub disk: Disk,
    running: Option<Running>,
    /// How often it was started; what was planned for an earlier start is void.
    pub starts: u32,
    /// Entries of the log that were replayed so far.
    pub replayed: u64,
    random: Random,
}

impl Node {
    /// A node that is not started yet.
    pub(crate) fn new(identity: Identity, disk: Disk, random: Random) -> Self {
        Self {
            identity,
            disk,
            running: None,
            starts: 0,
            replayed: 0,
            random,
        }
    }

    /// Whether it runs.
    pub(crate) const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Height of its last block.
    pub(crate) fn height(&self) -> Height {
        let tip = self.disk.replica().tip();
        tip.map_or(Height(0), |(_, header)| header.height)
    }

    /// Starts it on what its disk holds.
    pub(crate) fn start(&mut self, now: Moment) -> Ran {
        self.starts += 1;
        match self.boot() {
            Ok(running) => self.running = Some(running),
            Err(stop) => return Ran::stopped(stop),
        }
        self.run(now, |_| Ok(None))
    }

    fn boot(&mut self) -> Result<Running, Stop> {
        let validators = self.disk.replica().next_validators()?;
        let height = Height(self.height().0 + 1);
        let params = Params {
            address: Address(self.identity.key.public()),
            threshold_params: Default::default(),
            value_payload: ValuePayload::ProposalAndParts,
            enabled: true,
        };
        let consensus = State::new(
            Chain,
            BlockHeight(height),
            Validators::from(&validators),
            params,
            QUEUE.0,
            QUEUE.1,
        );
        let random = Random::new(self.random.next(), 0);
        let mut shell = Shell::new(&self.disk, validators, random);
        shell.resubmit(&self.disk);
        shell.inbox.push_back(Next::Start(height));
        Ok(Running {
            consensus,
            shell,
            metrics: Metrics::new(),
        })
    }

    /// The power goes.
    pub(crate) fn crash(&mut self) {
        self.running = None;
        self.disk.lose_power(&mut self.random);
    }

    /// A message has arrived.
    pub(crate) fn receive(&mut self, now: Moment, from: NodeIndex, message: Message) -> Ran {
        self.run(now, |host| host.receive(from, message))
    }

    /// A timer of consensus has run out.
    pub(crate) fn time_out(&mut self, now: Moment, timeout: Timeout, timer: u64) -> Ran {
        self.run(now, |host| Ok(host.time_out(timeout, timer)))
    }

    /// A user brings a transaction. Accepted if this does not stop the node.
    pub(crate) fn submit(&mut self, now: Moment, transaction: VerifiedTransaction) -> Ran {
        self.run(now, |host| {
            host.submit(transaction)?;
            Ok(None)
        })
    }

    /// A transaction comes that no outbox of this node is to keep.
    pub(crate) fn bring(&mut self, now: Moment, transaction: VerifiedTransaction) -> Ran {
        self.run(now, |host| {
            host.bring(transaction);
            Ok(None)
        })
    }

    /// Says that a transaction is accepted, and keeps nothing of it: a planted fault.
    pub(crate) fn accept_and_forget(&mut self, transaction: VerifiedTransaction) -> Ran {
        let stop = self.disk.accept(transaction).err();
        self.disk.lose_outbox();
        Ran {
            outputs: Vec::new(),
            stop,
        }
    }

    /// One of the application's own timers has run out.
    pub(crate) fn tick(&mut self, now: Moment, tick: Tick) -> Ran {
        self.run(now, |host| {
            host.tick(tick);
            Ok(None)
        })
    }

    /// Lets the application handle something, then consensus what follows from it, until nothing does.
    fn run(
        &mut self,
        now: Moment,
        first: impl FnOnce(&mut Host<'_>) -> Result<Option<Input<Chain>>, Stop>,
    ) -> Ran {
        let Some(running) = &mut self.running else {
            return Ran::default();
        };
        let mut engine = Engine {
            consensus: &mut running.consensus,
            host: Host {
                shell: &mut running.shell,
                disk: &mut self.disk,
                me: &self.identity,
                now,
            },
            metrics: &running.metrics,
            replayed: &mut self.replayed,
        };
        let stop = engine.run(first).err();
        let outputs = std::mem::take(&mut running.shell.outputs);
        if stop.is_some() {
            self.crash();
        }
        Ran { outputs, stop }
    }
}

/// What came of handling one thing.
#[derive(Default)]
pub(crate) struct Ran {
    /// What left the node, the last before it stopped included.
    pub outputs: Vec<Output>,
    /// Why it has stopped, if it has.
    pub stop: Option<Stop>,
}

impl Ran {
    const fn stopped(stop: Stop) -> Self {
        Self {
            outputs: Vec::new(),
            stop: Some(stop),
        }
    }
}

/// Consensus and its host, while they handle one thing.
struct Engine<'a> {
    consensus: &'a mut State<Chain>,
    host: Host<'a>,
    metrics: &'a Metrics,
    replayed: &'a mut u64,
}

impl Engine<'_> {
    fn run(
        &mut self,
        first: impl FnOnce(&mut Host<'_>) -> Result<Option<Input<Chain>>, Stop>,
    ) -> Result<(), Stop> {
        if let Some(input) = first(&mut self.host)? {
            self.process(input)?;
        }
        loop {
            self.host.release_if_due();
            let Some(next) = self.host.shell.inbox.pop_front() else {
                return Ok(());
            };
            match next {
                Next::Start(height) => self.start_height(height)?,
                Next::Propose(value) => self.process(Input::Propose(value))?,
                Next::Value(value, origin) => self.process(Input::ProposedValue(value, origin))?,
                Next::Synced(value) => self.process(Input::SyncValueResponse(*value))?,
            }
        }
    }

    /// Begins a height: the log is read or started anew, and what it holds is replayed.
    fn start_height(&mut self, height: Height) -> Result<(), Stop> {
        let validators = self.host.shell.validators.clone();
        let me = self.host.me.key.public();
        self.host.shell.votes = validators.find(&me).is_some();
        let entries = match self.host.shell.votes {
            true => self.host.disk.log_of(height)?,
            false => {
                self.host.disk.restart_log(height)?;
                Vec::new()
            }
        };
        let start = Input::StartHeight(
            BlockHeight(height),
            Validators::from(&validators),
            false,
            None,
            VoteExtensionPolicy::default(),
        );
        self.process(start)?;
        if !entries.is_empty() {
            *self.replayed += entries.len() as u64;
            self.host.shell.recovering = true;
            self.consensus
                .record_recovered_own_precommit_extensions(entries.iter());
            self.consensus.index_wal_entries(entries.iter());
            for entry in entries {
                self.process(entry)?;
            }
            self.consensus.reset_entries_index();
            self.host.shell.recovering = false;
        }
        self.host.started_height(height);
        Ok(())
    }

    fn process(&mut self, input: Input<Chain>) -> Result<(), Stop> {
        let (state, host) = (&mut *self.consensus, &mut self.host);
        let done: Result<(), Error<Chain>> = arc_malachitebft_app_channel::app::consensus::process!(
            input: input,
            state: state,
            metrics: self.metrics,
            with: effect => perform(host, effect)
        );
        if let Some(stop) = self.host.shell.stop.take() {
            return Err(stop);
        }
        done.map_err(|error| Stop::Failed(format!("consensus: {error}")))
    }
}

/// Performs one effect. Once something has stopped the node, no further effect leaves it.
fn perform(host: &mut Host<'_>, effect: Effect<Chain>) -> Result<Resume<Chain>, Infallible> {
    Ok(host.perform(effect))
}

/// The height of a vote or proposal.
pub(crate) fn height_of(message: &SignedConsensusMsg<Chain>) -> Height {
    message.height().0
}
