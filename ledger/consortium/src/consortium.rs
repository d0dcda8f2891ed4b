//! The handle the rest of the node holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger_core::transaction::TransactionError;
use ledger_core::{ChainId, Height, PublicKey, SignedTransaction};
use ledger_store::{Replica, StoreError};
use tokio::sync::{Mutex, broadcast, mpsc, oneshot, watch};

use crate::application::{self, Command};
use crate::config::{ConsortiumConfig, Peer};
use crate::engine;
use crate::error::{PeersError, StartError};
use crate::evidence::{Evidence, EvidenceBook};
use crate::finality::{EngineState, FinalizedBlock, Progress, Status, Submission, SubmitError};
use crate::keeper::Keeper;
use crate::own_key::{self, OwnKey};
use crate::participation::{self, LateVotes, Participation};
use crate::peers::{Now, Peers};

/// Commands that may wait for the application.
const COMMANDS: usize = 1024;
/// Final blocks a slow subscriber may be behind before it misses some.
const BLOCKS: usize = 256;

/// Consensus on this node. Stops when it is dropped; [`Consortium::shutdown`] also waits for it.
pub struct Consortium {
    chain: ChainId,
    commands: mpsc::Sender<Command>,
    blocks: broadcast::Sender<Arc<FinalizedBlock>>,
    progress: watch::Receiver<Progress>,
    me: PublicKey,
    /// The key it votes with; nobody's while it watches.
    voter: PublicKey,
    peers: Peers,
    evidence: EvidenceBook,
    late: LateVotes,
    replica: Arc<Replica>,
    /// The network's peers; none for a node that listens nowhere.
    keeper: Option<Arc<Keeper>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Consortium {
    /// Starts consensus where the replica and the write-ahead log left off. Needs a tokio runtime,
    /// on which the engine runs; storage and execution have a thread of their own.
    ///
    /// # Errors
    /// [`StartError`] if the replica holds no chain, the folder cannot be used, or the engine fails.
    pub async fn start(config: ConsortiumConfig) -> Result<Self, StartError> {
        Self::start_with(config, true).await
    }

    /// Starts as [`Consortium::start`] does, but signs nothing, also if this node is a validator: for a
    /// node that was restored from a backup, until [`Consortium::watch_own_key`] has shown that no other
    /// copy of it lives. Its write-ahead log is begun anew, so it must not sign before that.
    ///
    /// # Errors
    /// As [`Consortium::start`].
    pub async fn start_watching(config: ConsortiumConfig) -> Result<Self, StartError> {
        Self::start_with(config, false).await
    }

    async fn start_with(config: ConsortiumConfig, signs: bool) -> Result<Self, StartError> {
        let engine = engine::start(&config, signs).await?;
        let (chain, me) = (engine.chain, config.validator_key.public());
        let voter = engine.voter;
        let ear = engine.network.as_ref();
        let peers = ear.map_or_else(|| Peers::new(me, signs, &[]), |ear| ear.peers.clone());
        let requests_to_network = engine.channels.net_requests.clone();
        let keeper = ear.is_some().then(|| {
            Keeper::new(me, peers.clone(), requests_to_network, &config.peers).map(Arc::new)
        });
        let keeper = keeper.transpose()?;
        let publish = engine.channels.network.clone();
        let (evidence, late) = (engine.evidence.clone(), engine.late.clone());
        let replica = Arc::clone(&config.replica);
        let (commands, requests) = mpsc::channel(COMMANDS);
        let (blocks, _) = broadcast::channel(BLOCKS);
        let requests = (commands.downgrade(), requests);
        let (thread, progress) = application::spawn(config, engine, requests, blocks.clone())?;
        if let Some(keeper) = keeper.clone() {
            let progress = progress.clone();
            tokio::spawn(async move { keeper.keep(publish, progress).await });
        }
        Ok(Self {
            chain,
            commands,
            blocks,
            progress,
            me,
            voter,
            peers,
            evidence,
            late,
            replica,
            keeper,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Hands over a transaction: form, chain, signature, sender and nonce are checked before this
    /// returns; the [`Submission`] resolves once the transaction is final and on disk. A transaction
    /// that waits already, or is final already, ends at the same place.
    ///
    /// # Errors
    /// [`SubmitError`] if the transaction was not accepted; nothing was kept then.
    pub async fn submit(&self, transaction: SignedTransaction) -> Result<Submission, SubmitError> {
        let mut outcomes = self.submit_all(vec![transaction]).await;
        outcomes.pop().unwrap_or(Err(SubmitError::Stopped))
    }

    /// Hands over several, in this order, as [`Consortium::submit`] does each: cheaper, as their
    /// signatures are checked together. One outcome for each.
    pub async fn submit_all(
        &self,
        transactions: Vec<SignedTransaction>,
    ) -> Vec<Result<Submission, SubmitError>> {
        let since = Instant::now();
        let (chain, count) = (self.chain, transactions.len());
        let stopped = || (0..count).map(|_| Err(SubmitError::Stopped)).collect();
        let verified =
            tokio::task::spawn_blocking(move || SignedTransaction::verify_all(transactions, chain));
        let Ok(verified) = verified.await else {
            return stopped();
        };
        let mut refused = Vec::with_capacity(count);
        let mut transactions = Vec::with_capacity(count);
        for outcome in verified {
            match outcome {
                Ok(transaction) => {
                    transactions.push(transaction);
                    refused.push(None);
                }
                Err(error) => refused.push(Some(error)),
            }
        }
        let (reply, accepted) = oneshot::channel();
        let command = Command::Submit {
            transactions,
            since,
            reply,
        };
        if self.commands.send(command).await.is_err() {
            return stopped();
        }
        let Ok(accepted) = accepted.await else {
            return stopped();
        };
        let mut accepted = accepted.into_iter();
        let outcome = |refused: Option<TransactionError>| match refused {
            Some(error) => Err(error.into()),
            None => accepted.next().unwrap_or(Err(SubmitError::Stopped)),
        };
        refused.into_iter().map(outcome).collect()
    }

    /// Final blocks from now on, each once, in order. A subscriber that is too slow is told how many
    /// it missed and finds them in the replica.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<FinalizedBlock>> {
        self.blocks.subscribe()
    }

    /// Makes `peers` the other nodes this one talks to, while it runs: connections to others are closed
    /// and none is accepted from them. This node itself may be on the list. The list is not kept; a
    /// restart begins with that of the [`ConsortiumConfig`].
    ///
    /// # Errors
    /// [`PeersError`]; an unusable list changes nothing.
    pub async fn set_peers(&self, peers: Vec<Peer>) -> Result<(), PeersError> {
        let keeper = self.keeper.as_ref().ok_or(PeersError::NoNetwork)?;
        keeper.set(&peers).await
    }

    /// Begins no further height while it rests: for a node that takes over a snapshot, which would get the
    /// blocks before it for nothing. The height that was begun goes on. A node that listens nowhere does
    /// not rest.
    pub fn rest(&self, rests: bool) {
        self.peers.rest(rests);
    }

    /// What validators signed that they must not, proven by their own signatures, the oldest first.
    /// Kept on disk; at most 16 pieces of one validator.
    #[must_use]
    pub fn evidence(&self) -> Vec<Evidence> {
        self.evidence.pieces()
    }

    /// Who signed the blocks from `from` to `to`, as far as they are here: at most a thousand. Reads the
    /// disk.
    ///
    /// # Errors
    /// [`StoreError`] if the replica cannot be read.
    pub fn participation(
        &self,
        from: Height,
        to: Height,
    ) -> Result<Vec<Participation>, StoreError> {
        participation::participation(&self.replica, &self.late, from, to)
    }

    /// Watches whether this node's own key signs elsewhere, over `heights` blocks that are made from now
    /// on, for `patience` at most. Only a node that was started with [`Consortium::start_watching`] can
    /// tell; any other sees its own signatures.
    ///
    /// # Errors
    /// [`StoreError`] if the replica cannot be read.
    pub async fn watch_own_key(
        &self,
        heights: u64,
        patience: Duration,
    ) -> Result<OwnKey, StoreError> {
        own_key::watch(self, self.me, heights, patience).await
    }

    /// How consensus is, now.
    #[must_use]
    pub fn status(&self) -> Status {
        let progress = self.progress.borrow().clone();
        let mut engine = progress.engine;
        // The loop says how it ends, unless it panics.
        if engine == EngineState::Running && self.progress.has_changed().is_err() {
            engine = EngineState::Failed("the application has panicked".into());
        }
        let now = Now::read();
        Status {
            height: progress.height,
            tip: progress.tip,
            validators: progress.validators.as_slice().len(),
            is_validator: progress.validators.find(&self.voter).is_some(),
            waiting_transactions: progress.waiting_transactions,
            waiting_bytes: progress.waiting_bytes,
            engine,
            has_double: self.peers.has_double(now),
            quorum: self.peers.quorum(&progress.validators, now),
            peers: self.peers.status(now),
        }
    }

    /// Waits until the engine has stopped, on request or by itself. In the latter case nothing
    /// becomes final any more until the node is started anew.
    pub async fn stopped(&self) -> EngineState {
        let mut progress = self.progress.clone();
        let stopped = progress.wait_for(|now| now.engine != EngineState::Running);
        // An error means that the loop is gone, which the status tells.
        drop(stopped.await);
        self.status().engine
    }

    /// Stops consensus and waits until its threads have ended. Transactions that are not final yet
    /// resolve to [`SubmitError::Stopped`]. Stopping again does nothing.
    pub async fn shutdown(&self) {
        // An error means it has stopped already.
        let _ = self.commands.send(Command::Stop).await;
        let thread = self.thread.lock().await.take();
        if let Some(thread) = thread {
            // A panic of the thread has been reported where it happened.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}
