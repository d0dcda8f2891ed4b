//! The application behind the engine: one loop on a thread of its own, which is the only one that
//! proposes, checks and appends blocks. What it does upon which message of the engine:
//!
//! | Upon | do |
//! |---|---|
//! | `ConsensusReady` | answer tip + 1 and its validators, but **hold** the answer until it is due |
//! | `StartedRound` | check what was put aside for this height; answer the proposals kept for the round |
//! | `GetValue` | the same block if this round's was built before a crash; else build one of the mempool, keep it on disk, **then** answer and publish its parts |
//! | `ReceivedProposalPart` | put the parts together; check, keep, answer; later heights are put aside; gossip goes to the mempool |
//! | `Decided` | block, certificate, state and validators in one SQLite transaction, **then** acknowledge, tell the submitters and the subscribers |
//! | `Finalized` | **hold** the answer until the next height is due |
//! | `RestreamProposal` | publish the kept parts again |
//! | `ProcessSyncedValue` | check and keep; a wrong block is the peer's fault, a failing disk is not |
//! | `GetDecidedValues`, `GetHistoryMinHeight` | from the replica |
//! | `ExtendVote`, `VerifyVoteExtensions` | none; there are no extensions on this chain |
//!
//! **When a held answer is given** is said in the module `due`; besides, when a proposal part for a height
//! above the tip comes in.
//!
//! `RestartHeight` is never used: it resets the write-ahead log, and with it what keeps a validator
//! from voting twice. Whatever fails on disk ends the loop and the engine; nothing is acknowledged
//! that is not durable, and a restart resumes from what is.

mod answers;
pub(crate) mod blocks;
mod due;
mod submissions;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_malachitebft_app_channel::app::engine::host::Next;
use arc_malachitebft_app_channel::app::types::core::{HeightParams, LinearTimeouts};
use arc_malachitebft_app_channel::{AppMsg, NetworkMsg, Reply};
use ledger_core::genesis::Parameters;
use ledger_core::governance;
use ledger_core::{ChainId, Height, PublicKey, ValidatorSet, VerifiedTransaction};
use ledger_store::{Replica, StoreError};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;

use self::due::Due;
use self::submissions::{Outgoing, Unverified};
use crate::adapter::{BlockHeight, Chain, Validators};
use crate::config::ConsortiumConfig;
use crate::engine::{self, Ear, Engine};
use crate::error::StartError;
use crate::evidence::EvidenceBook;
use crate::finality::{EngineState, FinalizedBlock, Progress, Submission, SubmitError};
use crate::mempool::{Limits, Mempool};
use crate::participation::LateVotes;
use crate::parts::Assembler;
use crate::peers::Peers;
use crate::proposals::Proposals;
use crate::waiting::Waiting;
use crate::watch::Heard;

/// Pending transactions are told to the peers again after this time.
const GOSSIP_INTERVAL: Duration = Duration::from_secs(1);

/// A dead proposer costs the first of these. None grows beyond the last, so that a network that heals is
/// at work again within seconds; a block of 1 MB still gets through 3 Mbit/s within it. Whoever comes back
/// to a round in progress hears of it with the next repetition. The engine repeats its last votes between two
/// heights too: most of what an idle node sends.
pub const TIMEOUTS: LinearTimeouts = LinearTimeouts {
    propose: Duration::from_millis(800),
    propose_delta: Duration::from_millis(200),
    prevote: Duration::from_millis(200),
    prevote_delta: Duration::from_millis(100),
    precommit: Duration::from_millis(200),
    precommit_delta: Duration::from_millis(100),
    rebroadcast: Duration::from_millis(700),
    max_timeout: Duration::from_secs(3),
};

/// What the application is asked from outside the engine.
pub(crate) enum Command {
    /// Take transactions of this node, in this order.
    Submit {
        transactions: Vec<VerifiedTransaction>,
        since: std::time::Instant,
        reply: oneshot::Sender<Vec<Result<Submission, SubmitError>>>,
    },
    /// Take transactions of a peer; their signatures hold.
    Heard(Vec<VerifiedTransaction>),
    /// End.
    Stop,
}

/// An answer the engine waits for.
enum Held {
    /// To `ConsensusReady`.
    First(Reply<(BlockHeight, HeightParams<Chain>)>),
    /// To `Finalized`.
    Next(Reply<Next<Chain>>),
}

/// Why the loop ends.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("stopped on request")]
    Asked,
    #[error("the consensus engine has stopped by itself")]
    Engine,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("evidence cannot be kept: {0}")]
    Evidence(std::io::Error),
    #[error("block {0} was decided, but this node never had it")]
    UnknownBlock(Height),
}

struct Application {
    chain: ChainId,
    me: PublicKey,
    parameters: Parameters,
    /// The other nodes; none if this node listens nowhere.
    peers: Option<Peers>,
    replica: Arc<Replica>,
    publish: mpsc::Sender<NetworkMsg<Chain>>,
    commands: mpsc::WeakSender<Command>,
    blocks: broadcast::Sender<Arc<FinalizedBlock>>,
    progress: watch::Sender<Progress>,
    mempool: Mempool,
    waiting: Waiting,
    proposals: Proposals,
    assembler: Assembler,
    tip: Height,
    validators: ValidatorSet,
    last_block: Instant,
    held: Option<Held>,
    evidence: EvidenceBook,
    late: LateVotes,
    /// The last block that was learned through catching up.
    synced: Option<Height>,
    due: Due,
    /// The engine's runtime, for work that would hold up the loop.
    runtime: tokio::runtime::Handle,
    unverified: Unverified,
    outgoing: Outgoing,
    gossiped: u64,
}

/// Starts the loop. The thread ends when it is told to stop, or when the engine or the disk fails.
pub(crate) fn spawn(
    config: ConsortiumConfig,
    engine: Engine,
    commands: (mpsc::WeakSender<Command>, mpsc::Receiver<Command>),
    blocks: broadcast::Sender<Arc<FinalizedBlock>>,
) -> Result<(std::thread::JoinHandle<()>, watch::Receiver<Progress>), StartError> {
    let failed = |error: std::io::Error| StartError::Engine(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(failed)?;
    let (weak, requests) = commands;
    let (application, progress) = Application::new(config, &engine, weak, blocks)?;
    let thread = std::thread::Builder::new()
        .name("consensus-app".into())
        .spawn(move || runtime.block_on(application.run(engine, requests)))
        .map_err(failed)?;
    Ok((thread, progress))
}

impl Application {
    fn new(
        config: ConsortiumConfig,
        engine: &Engine,
        commands: mpsc::WeakSender<Command>,
        blocks: broadcast::Sender<Arc<FinalizedBlock>>,
    ) -> Result<(Self, watch::Receiver<Progress>), StartError> {
        let me = engine.voter;
        let (tip, validators, parameters) = {
            let snapshot = config.replica.read()?;
            let tip = snapshot.tip().cloned().ok_or(StoreError::Unfounded)?;
            let validators = snapshot.validators_at(snapshot.next_height())?;
            let parameters = governance::parameters(&snapshot).map_err(StoreError::from)?;
            (tip, validators.ok_or(StoreError::Unfounded)?, parameters)
        };
        let max_block_bytes = parameters.max_block_bytes as usize;
        let peers = engine.network.as_ref().map(|ear| ear.peers.clone());
        if let Some(peers) = &peers {
            peers.validators(&validators);
        }
        let (progress, receiver) = watch::channel(Progress {
            height: tip.height(),
            tip: tip.hash,
            validators: validators.clone(),
            waiting_transactions: 0,
            waiting_bytes: 0,
            engine: EngineState::Running,
        });
        let application = Self {
            chain: engine.chain,
            me,
            parameters,
            peers,
            proposals: Proposals::new(Arc::clone(&config.replica)),
            replica: config.replica,
            publish: engine.channels.network.clone(),
            commands,
            blocks,
            progress,
            mempool: Mempool::new(Limits {
                transaction_bytes: max_block_bytes,
                ..Limits::default()
            }),
            waiting: Waiting::default(),
            assembler: Assembler::new(max_encoded(max_block_bytes)),
            tip: tip.height(),
            validators,
            last_block: Instant::now(),
            held: None,
            evidence: engine.evidence.clone(),
            late: engine.late.clone(),
            synced: None,
            due: Due::default(),
            runtime: tokio::runtime::Handle::current(),
            unverified: Unverified::default(),
            outgoing: Outgoing::default(),
            gossiped: now_millis(),
        };
        Ok((application, receiver))
    }

    /// Runs until the end, then stops the engine and tells whoever waits.
    async fn run(mut self, mut engine: Engine, mut commands: mpsc::Receiver<Command>) {
        let mut ear = engine.network.take();
        let end = self.serve(&mut engine.channels.consensus, &mut commands, ear.as_mut());
        let end = match end.await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        self.held = None;
        engine::stop(engine.handle, &engine.log).await;
        let state = match end {
            End::Asked => EngineState::Stopped,
            failure => {
                tracing::error!(%failure, "consensus has stopped");
                EngineState::Failed(failure.to_string())
            }
        };
        self.progress.send_modify(|now| now.engine = state);
    }

    async fn serve(
        &mut self,
        messages: &mut mpsc::Receiver<AppMsg<Chain>>,
        commands: &mut mpsc::Receiver<Command>,
        mut ear: Option<&mut Ear>,
    ) -> Result<std::convert::Infallible, End> {
        let mut second = tokio::time::interval(GOSSIP_INTERVAL);
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let networked = ear.is_some();
        self.read_rules()?;
        loop {
            let block_due = self.block_due();
            let rests = self.held.is_some() && Instant::now() < block_due;
            let tells = self.outgoing.due();
            tokio::select! {
                biased;
                message = messages.recv() => {
                    self.answer(message.ok_or(End::Engine)?).await?;
                }
                command = commands.recv() => match command {
                    Some(Command::Submit { transactions, since, reply }) => {
                        self.submit(transactions, since, reply).await?;
                    }
                    Some(Command::Heard(transactions)) => self.hear(transactions)?,
                    Some(Command::Stop) | None => return Err(End::Asked),
                },
                heard = hear(ear.as_deref_mut()) => self.heard(heard),
                () = tokio::time::sleep_until(block_due), if rests => {}
                () = tokio::time::sleep_until(tells.unwrap_or(block_due)), if tells.is_some() => {
                    self.tell_gathered().await;
                }
                _ = second.tick(), if networked => self.gossip_waiting().await,
            }
            if self.held.is_some() && self.is_due() {
                self.release()?;
            }
            self.tell_waiting();
        }
    }

    /// Gives the held answer: the engine starts the height after the tip.
    fn release(&mut self) -> Result<(), End> {
        let height = self.next_height();
        let parameters = self.height_params();
        self.begun();
        // An engine that does not wait any more is noticed at its channel.
        match self.held.take() {
            Some(Held::First(reply)) => drop(reply.send((height, parameters))),
            Some(Held::Next(reply)) => drop(reply.send(Next::Start(height, parameters))),
            None => {}
        }
        Ok(())
    }

    fn next_height(&self) -> BlockHeight {
        BlockHeight(self.tip.next().unwrap_or(self.tip))
    }

    fn height_params(&self) -> HeightParams<Chain> {
        HeightParams::new(Validators::from(&self.validators), TIMEOUTS, None)
    }

    fn tell_waiting(&self) {
        let (transactions, bytes) = (self.mempool.len(), self.mempool.bytes());
        self.progress.send_if_modified(|now| {
            let changed = now.waiting_transactions != transactions;
            now.waiting_transactions = transactions;
            now.waiting_bytes = bytes;
            changed
        });
    }
}

/// What is heard next on the network; nothing, ever, where there is none.
async fn hear(ear: Option<&mut Ear>) -> Heard {
    let heard = match ear {
        Some(ear) => ear.heard.recv().await,
        None => None,
    };
    match heard {
        Some(heard) => heard,
        // A network that is gone is noticed at the engine's channel.
        None => std::future::pending().await,
    }
}

/// Most bytes of an encoded block with `max_block_bytes` of transactions: each has a length before it.
const fn max_encoded(max_block_bytes: usize) -> usize {
    max_block_bytes * 2 + 4096
}

/// This machine's clock in Unix milliseconds.
fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
