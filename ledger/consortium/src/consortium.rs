//! The handle the rest of the node holds.

use std::sync::Arc;
use std::time::Instant;

use ledger_core::{ChainId, SignedTransaction};
use tokio::sync::{Mutex, broadcast, mpsc, oneshot, watch};

use crate::application::{self, Command};
use crate::config::ConsortiumConfig;
use crate::engine;
use crate::error::StartError;
use crate::finality::{EngineState, FinalizedBlock, Status, Submission, SubmitError};

/// Commands that may wait for the application.
const COMMANDS: usize = 1024;
/// Final blocks a slow subscriber may be behind before it misses some.
const BLOCKS: usize = 256;

/// Consensus on this node. Stops when it is dropped; [`Consortium::shutdown`] also waits for it.
pub struct Consortium {
    chain: ChainId,
    commands: mpsc::Sender<Command>,
    blocks: broadcast::Sender<Arc<FinalizedBlock>>,
    status: watch::Receiver<Status>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Consortium {
    /// Starts consensus where the replica and the write-ahead log left off. Needs a tokio runtime,
    /// on which the engine runs; storage and execution have a thread of their own.
    ///
    /// # Errors
    /// [`StartError`] if the replica holds no chain, the folder cannot be used, or the engine fails.
    pub async fn start(config: ConsortiumConfig) -> Result<Self, StartError> {
        let engine = engine::start(&config).await?;
        let chain = engine.chain;
        let (commands, requests) = mpsc::channel(COMMANDS);
        let (blocks, _) = broadcast::channel(BLOCKS);
        let requests = (commands.downgrade(), requests);
        let (thread, status) = application::spawn(config, engine, requests, blocks.clone())?;
        Ok(Self {
            chain,
            commands,
            blocks,
            status,
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
        let since = Instant::now();
        let chain = self.chain;
        let verified = tokio::task::spawn_blocking(move || transaction.verify(chain))
            .await
            .map_err(|_| SubmitError::Stopped)??;
        let (reply, accepted) = oneshot::channel();
        let command = Command::Submit {
            transaction: Box::new(verified),
            since,
            reply,
        };
        let handed_over = self.commands.send(command).await;
        handed_over.map_err(|_| SubmitError::Stopped)?;
        accepted.await.map_err(|_| SubmitError::Stopped)?
    }

    /// Final blocks from now on, each once, in order. A subscriber that is too slow is told how many
    /// it missed and finds them in the replica.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<FinalizedBlock>> {
        self.blocks.subscribe()
    }

    /// How consensus is, now.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut status = self.status.borrow().clone();
        // The loop says how it ends, unless it panics.
        if status.engine == EngineState::Running && self.status.has_changed().is_err() {
            status.engine = EngineState::Failed("the application has panicked".into());
        }
        status
    }

    /// Waits until the engine has stopped, on request or by itself. In the latter case nothing
    /// becomes final any more until the node is started anew.
    pub async fn stopped(&self) -> EngineState {
        let mut status = self.status.clone();
        let stopped = status.wait_for(|status| status.engine != EngineState::Running);
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
