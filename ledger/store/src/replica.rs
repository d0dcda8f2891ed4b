//! The replica: one writer, a few readers, and what happens when a write fails.

use std::borrow::Borrow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ledger_core::block::Block;
use ledger_core::certificate::Certificate;
use ledger_core::digest::Digest;
use ledger_core::genesis::Genesis;
use ledger_core::ids::{ChainId, Height};
use ledger_core::key::{PublicKey, SecretKey};
use ledger_core::transaction::{Payload, SignedTransaction, TransactionBody, VerifiedTransaction};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::apply::{self, CheckedBlock, Position, Prepared};
use crate::connection;
use crate::error::{Doing as _, Refusal, StoreError, damaged};
use crate::memory::MemoryState;
use crate::snapshot::{Counts, Snapshot, Tip};
use crate::table::access_log::AccessLogRow;
use crate::table::headers::HeaderRow;
use crate::table::{self, undecided::Undecided};

/// Idle readers kept open.
const MAX_IDLE_READERS: usize = 4;

/// A certificate whose every signature was verified, by this crate or by the consensus engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedCertificate(Certificate);

impl VerifiedCertificate {
    /// Takes the consensus engine's word that it verified every signature and counted a quorum.
    /// For all other certificates there is [`CheckedBlock::certify`].
    #[must_use]
    pub const fn by_engine(certificate: Certificate) -> Self {
        Self(certificate)
    }

    /// The certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.0
    }
}

/// One chain's replica in one SQLite file. Share it behind an `Arc`.
pub struct Replica {
    path: PathBuf,
    writer: Mutex<Connection>,
    idle: Mutex<Vec<Connection>>,
    halted: AtomicBool,
    genesis: OnceLock<Arc<(ChainId, Genesis)>>,
}

impl Replica {
    /// Opens the replica at `path`, and creates the file where there is none. Its folder must exist.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be opened, or is no replica this program knows.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        Ok(Self {
            writer: Mutex::new(connection::open_writer(&path)?),
            path,
            idle: Mutex::default(),
            halted: AtomicBool::new(false),
            genesis: OnceLock::new(),
        })
    }

    /// Opens an existing replica beside the process that writes it. Every write fails.
    ///
    /// # Errors
    /// As [`Replica::open`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        Ok(Self {
            writer: Mutex::new(connection::open_reader(&path)?),
            path,
            idle: Mutex::default(),
            halted: AtomicBool::new(true),
            genesis: OnceLock::new(),
        })
    }

    /// A view of the replica at its current tip.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn read(&self) -> Result<Snapshot<'_>, StoreError> {
        let idle = lock(&self.idle).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connection::open_reader(&self.path)?,
        };
        connection.execute_batch("BEGIN").doing("begin to read")?;
        Snapshot::new(self, connection)
    }

    /// Starts a chain: signs the genesis with `founder` and appends block 0.
    ///
    /// # Errors
    /// [`StoreError::AlreadyFounded`], or a failed write.
    pub fn found(&self, genesis: &Genesis, founder: &SecretKey) -> Result<Tip, StoreError> {
        genesis.check().map_err(|why| Refusal::Execution {
            index: 0,
            error: why.into(),
        })?;
        let body = TransactionBody {
            chain: genesis.chain_id(),
            nonce: Default::default(),
            payload: Payload::Genesis(genesis.clone()),
        };
        let transaction = SignedTransaction::sign(&body, founder)
            .verify(body.chain)
            .map_err(|error| Refusal::Transaction { index: 0, error })?;
        let prepared = apply::prepare(
            &MemoryState::default(),
            Position::first(genesis),
            [transaction],
            genesis.time_millis,
            founder.public(),
        )?;
        if !prepared.refused.is_empty() {
            return Err(Refusal::Genesis.into());
        }
        self.append_first(genesis, &prepared.block)
    }

    /// Joins a chain: appends a block 0 from elsewhere, if it is that of the genesis trusted here.
    ///
    /// # Errors
    /// [`StoreError::AlreadyFounded`], [`StoreError::Refused`], or a failed write.
    pub fn join(&self, genesis: &Genesis, block: &Block) -> Result<Tip, StoreError> {
        let state = MemoryState::default();
        let checked = apply::check(&state, Position::first(genesis), block, &|_| None)?;
        self.append_first(genesis, &checked)
    }

    /// Builds the next block over the tip, of those `candidates` in order that the state accepts and
    /// that fit. Its time is `time_millis`, or the parent's plus one where that is not later.
    ///
    /// # Errors
    /// [`StoreError::Unfounded`], or the replica cannot be read.
    pub fn prepare<I>(
        &self,
        candidates: I,
        time_millis: u64,
        proposer: PublicKey,
    ) -> Result<Prepared, StoreError>
    where
        I: IntoIterator<Item: Borrow<VerifiedTransaction>>,
    {
        let snapshot = self.read()?;
        let position = snapshot.position()?;
        apply::prepare(&snapshot, position, candidates, time_millis, proposer)
    }

    /// Checks everything about a block that is to follow the tip, certificate apart.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the block is at fault; anything else is a trouble of this machine.
    pub fn check(&self, block: &Block) -> Result<CheckedBlock, StoreError> {
        self.check_knowing(block, |_| None)
    }

    /// As [`Replica::check`], sparing the signatures of transactions that `known` has verified already.
    ///
    /// # Errors
    /// As [`Replica::check`].
    pub fn check_knowing(
        &self,
        block: &Block,
        known: impl Fn(&Digest) -> Option<VerifiedTransaction> + Sync,
    ) -> Result<CheckedBlock, StoreError> {
        let snapshot = self.read()?;
        let position = snapshot.position()?;
        apply::check(&snapshot, position, block, &known)
    }

    /// Appends a checked block with its certificate, state and next validators in one transaction, and
    /// forgets the proposals of its height. Durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the tip has moved since the block was checked or the certificate is
    /// another block's; a failed write halts the replica.
    pub fn append(
        &self,
        block: &CheckedBlock,
        certificate: &VerifiedCertificate,
    ) -> Result<Tip, StoreError> {
        let certificate = certificate.certificate();
        let height = block.header().height;
        if certificate.block != block.hash() || certificate.height != height {
            return Err(Refusal::OtherCertificate.into());
        }
        self.write(|transaction| {
            let tip = table::headers::last(transaction)?.ok_or(StoreError::Unfounded)?;
            follows(&tip, block)?;
            let before = (tip.transactions_total, tip.readings_total);
            let tip = insert_block(transaction, block, before)?;
            table::certificates::insert(transaction, certificate)?;
            if block.next_validators != block.validators {
                let from = height.next().ok_or_else(|| damaged("no height is left"))?;
                table::validator_sets::insert(transaction, from, &block.next_validators)?;
            }
            table::undecided::forget(transaction, height)?;
            Ok(tip)
        })
    }

    /// Checks a block and its certificate and appends them: what a node that catches up does.
    ///
    /// # Errors
    /// As [`Replica::check`], [`CheckedBlock::certify`] and [`Replica::append`].
    pub fn commit(&self, block: &Block, certificate: Certificate) -> Result<Tip, StoreError> {
        let checked = self.check(block)?;
        let certificate = checked.certify(certificate)?;
        self.append(&checked, &certificate)
    }

    /// Keeps a proposal until its height is decided. Durable when this returns.
    ///
    /// # Errors
    /// A failed write halts the replica.
    pub fn keep_undecided(&self, undecided: &Undecided) -> Result<(), StoreError> {
        self.write(|transaction| table::undecided::keep(transaction, undecided))
    }

    fn append_first(&self, genesis: &Genesis, block: &CheckedBlock) -> Result<Tip, StoreError> {
        self.write(|transaction| {
            if table::headers::last(transaction)?.is_some() {
                return Err(StoreError::AlreadyFounded);
            }
            table::meta::write(transaction, genesis)?;
            table::validator_sets::insert(transaction, Height(0), &block.next_validators)?;
            insert_block(transaction, block, (0, 0))
        })
    }

    /// Runs one write transaction. Whatever fails in it but a refusal halts the replica: the caller
    /// cannot know what the disk holds before it is opened and checked again.
    pub(crate) fn write<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.maintain(|connection| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .doing("begin to write")?;
            let value = change(&transaction)?;
            transaction.commit().doing("commit")?;
            Ok(value)
        })
    }

    /// Runs something on the writer's connection that is no transaction of ours; halts as
    /// [`Replica::write`] does.
    pub(crate) fn maintain<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = lock(&self.writer);
        if self.halted.load(Ordering::Acquire) {
            return Err(StoreError::Halted);
        }
        let outcome = work(&mut connection);
        if matches!(
            outcome,
            Err(StoreError::Sqlite { .. } | StoreError::Damaged(_))
        ) {
            self.halted.store(true, Ordering::Release);
        }
        outcome
    }

    /// Where the replica is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn cached_genesis(
        &self,
        connection: &Connection,
    ) -> Result<Option<Arc<(ChainId, Genesis)>>, StoreError> {
        if let Some(genesis) = self.genesis.get() {
            return Ok(Some(Arc::clone(genesis)));
        }
        let found = table::meta::genesis(connection)?.map(Arc::new);
        Ok(found.map(|genesis| Arc::clone(self.genesis.get_or_init(|| genesis))))
    }

    pub(crate) fn give_back(&self, connection: Connection) {
        let mut idle = lock(&self.idle);
        if idle.len() < MAX_IDLE_READERS && connection.execute_batch("ROLLBACK").is_ok() {
            idle.push(connection);
        }
    }
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").finish_non_exhaustive()
    }
}

/// A panic elsewhere cannot leave a connection half-changed: SQLite rolls back what is not committed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn follows(tip: &HeaderRow, block: &CheckedBlock) -> Result<(), StoreError> {
    let header = block.header();
    let expected = tip
        .height
        .next()
        .ok_or_else(|| damaged("no height is left"))?;
    if header.height != expected {
        let actual = header.height;
        return Err(Refusal::Height { expected, actual }.into());
    }
    if header.parent != tip.hash {
        return Err(Refusal::Parent.into());
    }
    Ok(())
}

fn insert_block(
    transaction: &Connection,
    block: &CheckedBlock,
    (transactions, readings): (u64, u64),
) -> Result<Tip, StoreError> {
    let header = block.header();
    let height = header.height;
    let row = HeaderRow {
        height,
        hash: block.hash,
        header: header.encode(),
        time_millis: header.time_millis,
        transactions_total: transactions.saturating_add(u64::from(header.tx_count)),
        readings_total: readings.saturating_add(block.readings),
    };
    table::headers::insert(transaction, &row)?;
    let encoded = block
        .transactions
        .iter()
        .zip(&block.block.transactions)
        .zip(0u32..);
    let rows = encoded.map(|((executed, bytes), place)| {
        (
            place,
            executed.id,
            executed.sender,
            executed.kind,
            bytes.as_slice(),
        )
    });
    table::transactions::insert(transaction, height, rows)?;
    for logged in block
        .transactions
        .iter()
        .filter_map(|one| one.logged.as_ref())
    {
        table::access_log::insert(transaction, &AccessLogRow::of(logged))?;
    }
    table::state::write(transaction, height, &block.writes)?;
    table::tree_nodes::write(transaction, &block.update)?;
    Ok(Tip {
        hash: block.hash,
        header: header.clone(),
        counts: Counts {
            blocks: height.0.saturating_add(1),
            transactions: row.transactions_total,
            readings: row.readings_total,
        },
    })
}
