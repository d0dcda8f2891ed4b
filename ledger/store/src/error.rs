//! What can go wrong with a replica, and why a block is refused.
//!
//! The two are kept apart: a [`Refusal`] is the fault of whoever made the block, every other
//! [`StoreError`] is a trouble of this machine.

use ledger_core::certificate::CertificateError;
use ledger_core::ids::Height;
use ledger_core::state::{ExecutionError, StateReadError};
use ledger_core::transaction::TransactionError;

/// Why the replica could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite failed.
    #[error("the replica could not {doing}: {source}")]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// Its own words.
        source: rusqlite::Error,
    },
    /// The file is a database of another program.
    #[error("the file is not a ledger replica")]
    NotAReplica,
    /// The file was written by a newer version of this program.
    #[error("the replica has layout {found}, this program knows up to {known}")]
    Newer {
        /// The file's layout version.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// A row does not hold what it must. `fsck` tells more.
    #[error("the replica is damaged: {0}")]
    Damaged(String),
    /// There is no block 0 yet.
    #[error("the replica has no chain yet")]
    Unfounded,
    /// The replica already holds a chain.
    #[error("the replica already holds a chain")]
    AlreadyFounded,
    /// An earlier write failed; nothing is written before the replica is opened again.
    #[error("an earlier write failed; the replica must be opened again and checked")]
    Halted,
    /// The block is not the next one of this chain, or not valid.
    #[error("block refused: {0}")]
    Refused(#[from] Refusal),
}

/// Why a block, or its certificate, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another block format.
    #[error("the block has format {0}")]
    Version(u16),
    /// A block of another chain.
    #[error("the block belongs to another chain")]
    OtherChain,
    /// Not the height after the tip.
    #[error("the next height is {expected}, not {actual}")]
    Height {
        /// The height after the tip.
        expected: Height,
        /// The block's.
        actual: Height,
    },
    /// Built on another block than the tip.
    #[error("the block's parent is not the tip")]
    Parent,
    /// Not later than its parent.
    #[error("the block is not later than its parent")]
    Time,
    /// Proposed by somebody who is no validator of the height.
    #[error("the proposer is not a validator of this height")]
    Proposer,
    /// More bytes of transactions than the genesis allows.
    #[error("{actual} bytes of transactions are more than the {limit} allowed")]
    TooLarge {
        /// Bytes in the block.
        actual: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// A transaction's form, chain or signature does not hold.
    #[error("transaction {index}: {error}")]
    Transaction {
        /// Its place in the block.
        index: usize,
        /// What is wrong.
        error: TransactionError,
    },
    /// The state does not accept a transaction.
    #[error("transaction {index}: {error}")]
    Execution {
        /// Its place in the block.
        index: usize,
        /// What is wrong.
        error: ExecutionError,
    },
    /// The header counts other transactions than there are.
    #[error("the header names another number of transactions")]
    TxCount,
    /// The header's root is not that of the transactions.
    #[error("the header's transactions root is not that of its transactions")]
    TxRoot,
    /// The header's root is not that of the state after the block.
    #[error("the header's state root is not that of the state after the block")]
    StateRoot,
    /// The header names other validators than the state.
    #[error("the header names other validators than the state")]
    Validators,
    /// The header names other next validators than the state.
    #[error("the header names other next validators than the state")]
    NextValidators,
    /// The first block is not one genesis transaction of the chain asked for.
    #[error("block 0 is not the genesis of this chain")]
    Genesis,
    /// The certificate is for another block.
    #[error("the certificate is for another block")]
    OtherCertificate,
    /// The certificate does not hold.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl From<StateReadError> for StoreError {
    fn from(error: StateReadError) -> Self {
        Self::Damaged(error.0)
    }
}

/// Names what SQLite was asked for when it failed.
pub(crate) trait Doing<T> {
    /// Turns SQLite's error into ours.
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sqlite { doing, source })
    }
}

pub(crate) fn damaged(what: impl Into<String>) -> StoreError {
    StoreError::Damaged(what.into())
}
