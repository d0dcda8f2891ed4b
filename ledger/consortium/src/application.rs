//! The application behind the engine: one loop on a thread of its own, which is the only one that
//! proposes, checks and appends blocks. What it does upon which message of the engine:
//!
//! | Upon | do |
//! |---|---|
//! | `ConsensusReady` | answer tip + 1 and its validators; a consortium of one without an unfinished proposal **holds** the answer |
//! | `StartedRound` | check what was put aside for this height; answer the proposals kept for the round |
//! | `GetValue` | the same block if this round's was built before a crash; else build one of the mempool, keep it on disk, **then** answer and publish its parts |
//! | `ReceivedProposalPart` | put the parts together; check, keep, answer; later heights are put aside; gossip goes to the mempool |
//! | `Decided` | block, certificate, state and validators in one SQLite transaction, **then** acknowledge, tell the submitters and the subscribers |
//! | `Finalized` | **hold** the answer until there is a reason for a block |
//! | `RestreamProposal` | publish the kept parts again |
//! | `ProcessSyncedValue` | check and keep; a wrong block is the peer's fault, a failing disk is not |
//! | `GetDecidedValues`, `GetHistoryMinHeight` | from the replica |
//! | `ExtendVote`, `VerifyVoteExtensions` | none; there are no extensions on this chain |
//!
//! **A held answer is released** when a transaction could go into a block, when the heartbeat of the
//! genesis is due, when a vote or proposal for a height above the tip was heard, when a proposal part
//! for such a height came in, or when the block before was learned through catching up.
//!
//! `RestartHeight` is never used: it resets the write-ahead log, and with it what keeps a validator
//! from voting twice. Whatever fails on disk ends the loop and the engine; nothing is acknowledged
//! that is not durable, and a restart resumes from what is.

mod answers;
pub(crate) mod blocks;
mod submissions;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_malachitebft_app_channel::app::engine::host::Next;
use arc_malachitebft_app_channel::app::events::RxEvent;
use arc_malachitebft_app_channel::app::types::core::{HeightParams, LinearTimeouts};
use arc_malachitebft_app_channel::{AppMsg, NetworkMsg, Reply};
use ledger_core::genesis::Parameters;
use ledger_core::{ChainId, Height, PublicKey, ValidatorSet, VerifiedTransaction};
use ledger_store::{Replica, StoreError};
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::adapter::{BlockHeight, Chain, Validators};
use crate::config::ConsortiumConfig;
use crate::engine::{self, Engine};
use crate::error::StartError;
use crate::finality::{EngineState, FinalizedBlock, Status, Submission, SubmitError};
use crate::mempool::{Limits, Mempool};
use crate::parts::Assembler;
use crate::proposals::Proposals;
use crate::waiting::Waiting;

/// Pending transactions are told to the peers again after this time.
const GOSSIP_INTERVAL: Duration = Duration::from_secs(1);

/// Messages of peers whose transactions are verified at a time.
const VERIFYING: usize = 2;

/// A dead proposer costs the first of these; none grows beyond the last, so that a network that heals
/// is at work again within seconds.
pub const TIMEOUTS: LinearTimeouts = LinearTimeouts {
    propose: Duration::from_millis(800),
    propose_delta: Duration::from_millis(200),
    prevote: Duration::from_millis(200),
    prevote_delta: Duration::from_millis(100),
    precommit: Duration::from_millis(200),
    precommit_delta: Duration::from_millis(100),
    rebroadcast: Duration::from_millis(1500),
    max_timeout: Duration::from_secs(8),
};

/// What the application is asked from outside the engine.
pub(crate) enum Command {
    /// Take a transaction of this node.
    Submit {
        transaction: Box<VerifiedTransaction>,
        since: std::time::Instant,
        reply: oneshot::Sender<Result<Submission, SubmitError>>,
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
    #[error("block {0} was decided, but this node never had it")]
    UnknownBlock(Height),
}

struct Application {
    chain: ChainId,
    me: PublicKey,
    parameters: Parameters,
    networked: bool,
    replica: Arc<Replica>,
    publish: mpsc::Sender<NetworkMsg<Chain>>,
    commands: mpsc::WeakSender<Command>,
    blocks: broadcast::Sender<Arc<FinalizedBlock>>,
    status: watch::Sender<Status>,
    mempool: Mempool,
    waiting: Waiting,
    proposals: Proposals,
    assembler: Assembler,
    tip: Height,
    validators: ValidatorSet,
    last_block: Instant,
    held: Option<Held>,
    synced: Option<Height>,
    /// The engine's runtime, for work that would hold up the loop.
    runtime: tokio::runtime::Handle,
    /// Bounds how many messages of peers are verified at a time.
    verifying: Arc<Semaphore>,
    gossiped: u64,
}

/// Starts the loop. The thread ends when it is told to stop, or when the engine or the disk fails.
pub(crate) fn spawn(
    config: ConsortiumConfig,
    engine: Engine,
    commands: (mpsc::WeakSender<Command>, mpsc::Receiver<Command>),
    blocks: broadcast::Sender<Arc<FinalizedBlock>>,
) -> Result<(std::thread::JoinHandle<()>, watch::Receiver<Status>), StartError> {
    let failed = |error: std::io::Error| StartError::Engine(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(failed)?;
    let (weak, requests) = commands;
    let (application, status) = Application::new(config, &engine, weak, blocks)?;
    let thread = std::thread::Builder::new()
        .name("consensus-app".into())
        .spawn(move || runtime.block_on(application.run(engine, requests)))
        .map_err(failed)?;
    Ok((thread, status))
}

impl Application {
    fn new(
        config: ConsortiumConfig,
        engine: &Engine,
        commands: mpsc::WeakSender<Command>,
        blocks: broadcast::Sender<Arc<FinalizedBlock>>,
    ) -> Result<(Self, watch::Receiver<Status>), StartError> {
        let me = config.validator_key.public();
        let (tip, validators) = {
            let snapshot = config.replica.read()?;
            let tip = snapshot.tip().cloned().ok_or(StoreError::Unfounded)?;
            let validators = snapshot.validators_at(snapshot.next_height())?;
            (tip, validators.ok_or(StoreError::Unfounded)?)
        };
        let max_block_bytes = engine.parameters.max_block_bytes as usize;
        let (status, receiver) = watch::channel(Status {
            height: tip.height(),
            tip: tip.hash,
            validators: validators.as_slice().len(),
            is_validator: validators.find(&me).is_some(),
            waiting_transactions: 0,
            waiting_bytes: 0,
            engine: EngineState::Running,
        });
        let application = Self {
            chain: engine.chain,
            me,
            parameters: engine.parameters,
            networked: engine.networked,
            proposals: Proposals::new(Arc::clone(&config.replica)),
            replica: config.replica,
            publish: engine.channels.network.clone(),
            commands,
            blocks,
            status,
            mempool: Mempool::new(Limits {
                transaction_bytes: max_block_bytes,
                ..Limits::default()
            }),
            waiting: Waiting::default(),
            assembler: Assembler::new(max_block_bytes * 2 + 4096),
            tip: tip.height(),
            validators,
            last_block: Instant::now(),
            held: None,
            synced: None,
            runtime: tokio::runtime::Handle::current(),
            verifying: Arc::new(Semaphore::new(VERIFYING)),
            gossiped: now_millis(),
        };
        Ok((application, receiver))
    }

    /// Runs until the end, then stops the engine and tells whoever waits.
    async fn run(mut self, mut engine: Engine, mut commands: mpsc::Receiver<Command>) {
        let events = self.networked.then(|| engine.channels.events.subscribe());
        let end = self.serve(&mut engine.channels.consensus, &mut commands, events);
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
        self.status.send_modify(|status| status.engine = state);
    }

    async fn serve(
        &mut self,
        messages: &mut mpsc::Receiver<AppMsg<Chain>>,
        commands: &mut mpsc::Receiver<Command>,
        mut events: Option<RxEvent<Chain>>,
    ) -> Result<std::convert::Infallible, End> {
        let mut gossip = tokio::time::interval(GOSSIP_INTERVAL);
        gossip.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let heartbeat = self.last_block + self.heartbeat();
            let gossips = self.networked && !self.mempool.is_empty();
            tokio::select! {
                biased;
                message = messages.recv() => {
                    self.answer(message.ok_or(End::Engine)?).await?;
                }
                command = commands.recv() => match command {
                    Some(Command::Submit { transaction, since, reply }) => {
                        self.submit(*transaction, since, reply).await?;
                    }
                    Some(Command::Heard(transactions)) => self.hear(transactions)?,
                    Some(Command::Stop) | None => return Err(End::Asked),
                },
                heard = heard_above(events.as_mut(), self.tip), if self.held.is_some() => {
                    tracing::debug!(%heard, "others are at a later height");
                    self.release()?;
                }
                () = tokio::time::sleep_until(heartbeat), if self.held.is_some() => {
                    self.release()?;
                }
                _ = gossip.tick(), if gossips => self.gossip_waiting().await,
            }
            if self.held.is_some() && self.mempool.is_ready() {
                self.release()?;
            }
            self.tell_waiting();
        }
    }

    fn heartbeat(&self) -> Duration {
        Duration::from_secs(u64::from(self.parameters.heartbeat_seconds.max(1)))
    }

    /// Gives the held answer: the engine starts the height after the tip.
    fn release(&mut self) -> Result<(), End> {
        let height = self.next_height();
        let parameters = self.height_params();
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
        self.status.send_if_modified(|status| {
            let changed = status.waiting_transactions != transactions;
            status.waiting_transactions = transactions;
            status.waiting_bytes = bytes;
            changed
        });
    }
}

/// Resolves when a vote or proposal for a height above `tip` is heard, or when so much was said that
/// some of it was missed.
async fn heard_above(events: Option<&mut RxEvent<Chain>>, tip: Height) -> Height {
    use arc_malachitebft_app_channel::app::engine::util::events::Event;
    use tokio::sync::broadcast::error::RecvError;
    let Some(events) = events else {
        return std::future::pending().await;
    };
    loop {
        match events.recv().await {
            Ok(Event::Received(message)) if message.height().0 > tip => return message.height().0,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return tip,
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// This machine's clock in Unix milliseconds.
fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
