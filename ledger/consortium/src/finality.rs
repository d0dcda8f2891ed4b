//! What the rest of the node learns of consensus: a submitted transaction's way to finality, final
//! blocks as they come, and how the engine is.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use ledger_core::state::ExecutionError;
use ledger_core::transaction::TransactionError;
use ledger_core::{Certificate, Digest, Header, Height, Nonce, ValidatorSet};
use tokio::sync::oneshot;

use crate::peers::PeerStatus;
use crate::quorum::Quorum;

/// Where a transaction became final.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Finality {
    /// The transaction.
    pub id: Digest,
    /// The block's height.
    pub height: Height,
    /// The transaction's place in the block, from 0.
    pub index: u32,
    /// From submission to the block being on disk, in microseconds; 0 if it was final before.
    pub elapsed_micros: u64,
}

impl Finality {
    /// From submission to the block being on disk, in milliseconds.
    #[must_use]
    pub fn millis(&self) -> f64 {
        self.elapsed_micros as f64 / 1000.0
    }
}

/// Why a transaction will not become final.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Form, chain or signature are wrong.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The state does not accept it, now or when its turn came.
    #[error(transparent)]
    Refused(#[from] ExecutionError),
    /// The nonce was used by another transaction.
    #[error("the sender's next nonce is {expected}; {actual} was used before")]
    NonceUsed {
        /// The sender's next nonce.
        expected: Nonce,
        /// What the transaction carries.
        actual: Nonce,
    },
    /// Another waiting transaction of the sender has this nonce.
    #[error("another transaction of the sender is waiting under nonce {0}")]
    NonceTaken(Nonce),
    /// Too far ahead of the sender's next nonce, or too many of the sender's are waiting.
    #[error("too many transactions of this sender are waiting")]
    SenderLimit,
    /// The mempool is full; try again later.
    #[error("too many transactions are waiting; try again later")]
    Full,
    /// Larger than a block may be.
    #[error("the transaction has {actual} bytes, a block at most {limit}")]
    TooLarge {
        /// Bytes of the transaction.
        actual: usize,
        /// Bytes of transactions in one block.
        limit: usize,
    },
    /// Consensus was stopped or has failed; whether the transaction becomes final is not known.
    #[error("consensus has stopped; the transaction may or may not become final")]
    Stopped,
}

/// A transaction on its way; resolves once it is final and on disk, or will never be.
#[derive(Debug)]
pub struct Submission {
    pub(crate) id: Digest,
    pub(crate) outcome: oneshot::Receiver<Result<Finality, SubmitError>>,
}

impl Submission {
    /// The transaction's id.
    #[must_use]
    pub const fn id(&self) -> Digest {
        self.id
    }
}

impl Future for Submission {
    type Output = Result<Finality, SubmitError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.outcome)
            .poll(context)
            .map(|outcome| outcome.unwrap_or(Err(SubmitError::Stopped)))
    }
}

/// A block that became final on this node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FinalizedBlock {
    /// Its header.
    pub header: Header,
    /// The header's hash.
    pub hash: Digest,
    /// Why it is final.
    pub certificate: Certificate,
    /// Ids of its transactions, in order.
    pub transactions: Vec<Digest>,
    /// Bytes of its transactions.
    pub transaction_bytes: u64,
    /// When it was on this node's disk, in Unix milliseconds.
    pub committed_at_millis: u64,
    /// Those of its transactions that were submitted at this node, with the time each took.
    pub own: Vec<Finality>,
}

/// How the consensus engine is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EngineState {
    /// Waiting for a reason to make a block, or making one.
    Running,
    /// Stopped on request.
    Stopped,
    /// Stopped by itself; the node must be started anew. The text is for the log.
    Failed(String),
}

/// How far the application is, for the status.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub height: Height,
    pub tip: Digest,
    pub validators: ValidatorSet,
    pub waiting_transactions: usize,
    pub waiting_bytes: usize,
    pub engine: EngineState,
}

/// A snapshot of consensus on this node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Height of the newest final block.
    pub height: Height,
    /// Its hash.
    pub tip: Digest,
    /// Validators of the next height.
    pub validators: usize,
    /// Whether this node is one of them.
    pub is_validator: bool,
    /// Transactions waiting.
    pub waiting_transactions: usize,
    /// Bytes of the transactions waiting.
    pub waiting_bytes: usize,
    /// How the engine is.
    pub engine: EngineState,
    /// Whether enough validators are here; its `Display` says it in plain words.
    pub quorum: Quorum,
    /// Whether another node talks to the peers under this node's key: a copy that must be stopped.
    pub has_double: bool,
    /// The other nodes, by key: the listed peers and the validators.
    pub peers: Vec<PeerStatus>,
}
