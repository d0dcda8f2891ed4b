//! Reading: the replica at one height, as a whole.
//!
//! A snapshot is a read transaction of SQLite. It neither waits for the writer nor sees what is written
//! after it was taken; drop it soon, the log cannot be folded back while it lives.

use std::sync::Arc;

use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, Version};
use ledger_core::batch::BatchPath;
use ledger_core::block::{Block, Header, tx_leaves};
use ledger_core::certificate::Certificate;
use ledger_core::device::Interaction;
use ledger_core::digest::Digest;
use ledger_core::genesis::{Genesis, Member};
use ledger_core::ids::{ChainId, Height};
use ledger_core::key::PublicKey;
use ledger_core::merkle;
use ledger_core::proof::{Proof, ValidatorChange};
use ledger_core::reading::{Reading, Salt};
use ledger_core::state::{
    Account, AnchorHead, Device, MAX_STATE_VALUE_BYTES, StateKey, StateReadError, StateView, read,
};
use ledger_core::validators::ValidatorSet;
use ledger_core::{canonical, governance, state};
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::apply::{Position, TimeRule};
use crate::connection;
use crate::error::{StoreError, damaged};
use crate::replica::Replica;
use crate::table::headers::HeaderRow;
use crate::table::{self, transactions::TransactionRow};

/// Most rows one call returns.
pub const MAX_ROWS: u32 = 1000;

/// The last block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tip {
    /// Its hash.
    pub hash: Digest,
    /// Its header.
    pub header: Header,
    /// What the chain holds up to it.
    pub counts: Counts,
}

impl Tip {
    /// Its height.
    #[must_use]
    pub const fn height(&self) -> Height {
        self.header.height
    }
}

/// How much the chain holds, block 0 included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Blocks.
    pub blocks: u64,
    /// Transactions in them.
    pub transactions: u64,
    /// Readings anchored by them.
    pub readings: u64,
}

/// A block without its transactions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockSummary {
    /// Its hash.
    pub hash: Digest,
    /// Its header.
    pub header: Header,
    /// How many readings it anchors.
    pub readings: u64,
}

/// A transaction and its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredTransaction {
    /// Height of its block.
    pub height: Height,
    /// Its place in the block.
    pub index: u32,
    /// Its id.
    pub id: Digest,
    /// Who signed it.
    pub sender: PublicKey,
    /// `genesis`, `register_device` or `anchor_batch`.
    pub kind: String,
    /// The encoded [`ledger_core::SignedTransaction`].
    pub bytes: Vec<u8>,
}

impl From<TransactionRow> for StoredTransaction {
    fn from(row: TransactionRow) -> Self {
        let TransactionRow {
            height,
            place,
            id,
            sender,
            kind,
            bytes,
        } = row;
        Self {
            height,
            index: place,
            id,
            sender,
            kind,
            bytes,
        }
    }
}

/// A transaction's way to the genesis: the ledger's part of a [`Proof`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inclusion {
    /// The chain.
    pub chain: ChainId,
    /// The encoded transaction.
    pub transaction: Vec<u8>,
    /// Its place in its block.
    pub transaction_index: u32,
    /// Siblings up to `tx_root`.
    pub transaction_path: Vec<Digest>,
    /// The block's header.
    pub header: Header,
    /// Why it is final.
    pub certificate: Certificate,
    /// The changes of validators before it.
    pub changes: Vec<ValidatorChange>,
}

impl Inclusion {
    /// The proof of a reading whose batch this transaction anchors.
    #[must_use]
    pub fn prove(self, reading: Reading, salt: Salt, batch_path: BatchPath) -> Proof {
        Proof {
            chain: self.chain,
            reading,
            salt,
            batch_path,
            transaction: self.transaction,
            transaction_index: self.transaction_index,
            transaction_path: self.transaction_path,
            header: self.header,
            certificate: self.certificate,
            changes: self.changes,
        }
    }
}

/// The replica at one height.
pub struct Snapshot<'a> {
    replica: &'a Replica,
    /// `None` only while dropping.
    connection: Option<Connection>,
    genesis: Option<Arc<(ChainId, Genesis)>>,
    tip: Option<Tip>,
}

impl<'a> Snapshot<'a> {
    pub(crate) fn new(replica: &'a Replica, connection: Connection) -> Result<Self, StoreError> {
        let genesis = replica.cached_genesis(&connection)?;
        let tip = table::headers::last(&connection)?
            .as_ref()
            .map(tip_of)
            .transpose()?;
        Ok(Self {
            replica,
            connection: Some(connection),
            genesis,
            tip,
        })
    }

    pub(crate) fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection
            .as_ref()
            .ok_or_else(|| damaged("a snapshot without a connection"))
    }

    /// The last block, or `None` before block 0.
    #[must_use]
    pub const fn tip(&self) -> Option<&Tip> {
        self.tip.as_ref()
    }

    /// The height that comes next: 0 before block 0.
    #[must_use]
    pub fn next_height(&self) -> Height {
        let tip = self.tip.as_ref().map(Tip::height);
        tip.map_or(Height(0), |tip| tip.next().unwrap_or(tip))
    }

    /// The chain's id and the document it starts from.
    ///
    /// # Errors
    /// [`StoreError::Unfounded`].
    pub fn chain(&self) -> Result<(ChainId, &Genesis), StoreError> {
        let chain = self.genesis.as_deref().ok_or(StoreError::Unfounded)?;
        Ok((chain.0, &chain.1))
    }

    /// Blocks, transactions and readings so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.tip.as_ref().map(|tip| tip.counts).unwrap_or_default()
    }

    /// A header.
    ///
    /// # Errors
    /// [`StoreError`] if the replica cannot be read or is damaged; so for all readers below.
    pub fn header(&self, height: Height) -> Result<Option<Header>, StoreError> {
        let row = table::headers::at(self.connection()?, height)?;
        row.map(|row| row.decode()).transpose()
    }

    /// A block, its transactions root checked; `None` if there is none or its transactions are pruned.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn block(&self, height: Height) -> Result<Option<Block>, StoreError> {
        let Some(header) = self.header(height)? else {
            return Ok(None);
        };
        if table::pruned::is(self.connection()?, height)? {
            return Ok(None);
        }
        let rows = table::transactions::at(self.connection()?, height)?;
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        if ledger_core::block::tx_root(&ids) != header.tx_root {
            return Err(damaged(format!("the transactions of block {height}")));
        }
        Ok(Some(Block {
            header,
            transactions: rows.into_iter().map(|row| row.bytes).collect(),
        }))
    }

    /// The height of the block with this hash.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn height_of(&self, hash: &Digest) -> Result<Option<Height>, StoreError> {
        table::headers::height_of(self.connection()?, hash)
    }

    /// Up to `limit` (at most [`MAX_ROWS`]) blocks from a height on, in order.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn blocks(&self, from: Height, limit: u32) -> Result<Vec<BlockSummary>, StoreError> {
        let connection = self.connection()?;
        let before = match from.0.checked_sub(1) {
            Some(before) => table::headers::at(connection, Height(before))?,
            None => None,
        };
        let mut readings = before.map_or(0, |row| row.readings_total);
        let rows = table::headers::from(connection, from, limit.min(MAX_ROWS))?;
        let summary = |row: &HeaderRow| {
            let own = row.readings_total.saturating_sub(readings);
            readings = row.readings_total;
            Ok(BlockSummary {
                hash: row.hash,
                header: row.decode()?,
                readings: own,
            })
        };
        rows.iter().map(summary).collect()
    }

    /// The certificate of a block; block 0 has none.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn certificate(&self, height: Height) -> Result<Option<Certificate>, StoreError> {
        table::certificates::at(self.connection()?, height)
    }

    /// A transaction by id.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn transaction(&self, id: &Digest) -> Result<Option<StoredTransaction>, StoreError> {
        let row = table::transactions::by_id(self.connection()?, id)?;
        Ok(row.map(StoredTransaction::from))
    }

    /// The transactions of a block, in order; of a pruned one, those that were kept.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn transactions(&self, height: Height) -> Result<Vec<StoredTransaction>, StoreError> {
        let rows = table::transactions::at(self.connection()?, height)?;
        Ok(rows.into_iter().map(StoredTransaction::from).collect())
    }

    /// The validators that certify `height`, which may be the next one.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn validators_at(&self, height: Height) -> Result<Option<ValidatorSet>, StoreError> {
        if height > self.next_height() {
            return Ok(None);
        }
        table::validator_sets::at(self.connection()?, height)
    }

    /// The certified headers that changed the validators up to those of `height`, oldest first.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn validator_changes(&self, height: Height) -> Result<Vec<ValidatorChange>, StoreError> {
        let missing = |at| {
            damaged(format!(
                "block {at}, which changed the validators, is missing"
            ))
        };
        let change = |(from, next): (Height, ValidatorSet)| {
            let at = Height(from.0.saturating_sub(1));
            Ok(ValidatorChange {
                header: self.header(at)?.ok_or_else(|| missing(at))?,
                certificate: self.certificate(at)?.ok_or_else(|| missing(at))?,
                next,
            })
        };
        let changes = table::validator_sets::changes(self.connection()?, height)?;
        changes.into_iter().map(change).collect()
    }

    /// A transaction's way to the genesis, or `None` if it is not on the chain or pruned. The genesis
    /// transaction has none: nothing certifies block 0.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn inclusion(&self, id: &Digest) -> Result<Option<Inclusion>, StoreError> {
        let Some(found) = self.transaction(id)? else {
            return Ok(None);
        };
        let (header, certificate) = (self.header(found.height)?, self.certificate(found.height)?);
        let (Some(header), Some(certificate)) = (header, certificate) else {
            return Ok(None);
        };
        let ids = match table::pruned::at(self.connection()?, found.height)? {
            Some(row) => row.ids,
            None => table::transactions::ids_at(self.connection()?, found.height)?,
        };
        let path = merkle::path(&tx_leaves(&ids), found.index as usize);
        Ok(Some(Inclusion {
            chain: header.chain,
            transaction: found.bytes,
            transaction_index: found.index,
            transaction_path: path.ok_or_else(|| damaged("a transaction out of its place"))?,
            changes: self.validator_changes(header.height)?,
            header,
            certificate,
        }))
    }

    /// A sender's account; the default one if it never sent anything.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn account(&self, key: &PublicKey) -> Result<Account, StoreError> {
        Ok(read(self, &StateKey::account(key))?.unwrap_or_default())
    }

    /// A node's anchors; the default if it never anchored anything.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn anchor_head(&self, key: &PublicKey) -> Result<AnchorHead, StoreError> {
        Ok(read(self, &StateKey::anchor(key))?.unwrap_or_default())
    }

    /// A registered device.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn device(&self, handle: &Digest) -> Result<Option<Device>, StoreError> {
        Ok(read(self, &StateKey::device(handle))?)
    }

    /// The nodes that may send transactions, at most [`MAX_ROWS`].
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn members(&self) -> Result<Vec<Member>, StoreError> {
        self.under(b"member/")
    }

    /// The registered devices, at most [`MAX_ROWS`].
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn devices(&self) -> Result<Vec<Device>, StoreError> {
        self.under(b"device/")
    }

    /// The interactions of devices, open or not, at most [`MAX_ROWS`].
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn interactions(&self) -> Result<Vec<Interaction>, StoreError> {
        self.under(b"interaction/")
    }

    fn under<T: Serialize + DeserializeOwned>(&self, prefix: &[u8]) -> Result<Vec<T>, StoreError> {
        let values = table::state::under(self.connection()?, prefix, MAX_ROWS)?;
        let decode = |value: &Vec<u8>| {
            canonical::decode(value, MAX_STATE_VALUE_BYTES)
                .map_err(|error| damaged(format!("a state entry: {error}")))
        };
        values.iter().map(decode).collect()
    }

    /// The proposals kept for a round.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn undecided(
        &self,
        height: Height,
        round: u32,
    ) -> Result<Vec<crate::Undecided>, StoreError> {
        table::undecided::of_round(self.connection()?, height, round)
    }

    /// The latest proposal kept for a block.
    ///
    /// # Errors
    /// As [`Snapshot::header`].
    pub fn undecided_block(
        &self,
        height: Height,
        hash: &Digest,
    ) -> Result<Option<crate::Undecided>, StoreError> {
        table::undecided::of_hash(self.connection()?, height, hash)
    }

    /// Copies the replica as this view sees it into a new file at `path`, while blocks are appended.
    ///
    /// # Errors
    /// As [`Snapshot::header`], or if the file cannot be written.
    pub fn copy_to(&self, path: &std::path::Path) -> Result<(), StoreError> {
        connection::copy(self.connection()?, path)
    }

    /// Where the next block goes.
    pub(crate) fn position(&self) -> Result<Position, StoreError> {
        let chain = self.chain()?.0;
        let tip = self.tip.as_ref().ok_or(StoreError::Unfounded)?;
        let validators = read(self, &StateKey::validators())?;
        Ok(Position {
            chain,
            height: self.next_height(),
            parent: tip.hash,
            time: TimeRule::After(tip.header.time_millis),
            validators: validators.ok_or_else(|| damaged("the state names no validators"))?,
            max_bytes: u64::from(governance::parameters(self)?.max_block_bytes),
        })
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.replica.give_back(connection);
        }
    }
}

fn tip_of(row: &HeaderRow) -> Result<Tip, StoreError> {
    Ok(Tip {
        hash: row.hash,
        header: row.decode()?,
        counts: Counts {
            blocks: row.height.0.saturating_add(1),
            transactions: row.transactions_total,
            readings: row.readings_total,
        },
    })
}

impl StateView for Snapshot<'_> {
    fn get(&self, key: &StateKey) -> Result<Option<Vec<u8>>, StateReadError> {
        let read = |connection| table::state::get(connection, key);
        self.connection()
            .and_then(read)
            .map_err(|error| state::StateReadError(error.to_string()))
    }
}

impl TreeReader for Snapshot<'_> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(table::tree_nodes::get(self.connection()?, key)?)
    }

    fn get_value_option(
        &self,
        max_version: Version,
        hash: KeyHash,
    ) -> anyhow::Result<Option<OwnedValue>> {
        let entry = table::state::by_hash(self.connection()?, &hash)?;
        Ok(entry
            .filter(|(height, _)| height.0 <= max_version)
            .map(|(_, value)| value))
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("only a tree that is restored piece by piece is asked for its last leaf")
    }
}
