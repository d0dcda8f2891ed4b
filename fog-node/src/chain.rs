//! The chain for people and programs, read from the node's own replica.

mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use fog_api::{
    BlockDetail, BlockRow, BlocksQuery, FinalitySeries, PrunedBlock, PruningRun, TransactionDetail,
    TransactionRow,
};
use ledger_core::genesis::Member;
use ledger_core::governance;
use ledger_core::state::{StateKey, read};
use ledger_core::{Digest, Header, Height, Payload, PublicKey, SignedTransaction, ValidatorSet};
use ledger_store::{BlockSummary, Snapshot, StoreError, StoredTransaction};

use crate::clock::now_millis;
use crate::failure::Failure;
use crate::node::Node;
use crate::retention::log;
use words::{fields_of, summary_of};

/// Blocks in an answer without a limit.
const DEFAULT_LIMIT: u32 = 50;
/// Most blocks in an answer.
const MAX_LIMIT: u32 = 1000;

impl Node {
    /// Blocks, newest first.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub async fn blocks(self: &Arc<Self>, query: BlocksQuery) -> Result<Vec<BlockRow>, Failure> {
        self.blocking(move |node| {
            let snapshot = node.replica.read()?;
            let tip = snapshot.tip().map_or(Height(0), ledger_store::Tip::height);
            let from = query.from.map_or(tip, |from| Height(from).min(tip));
            let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
            let blocks = up_to(&snapshot, from, limit)?;
            let times = node.finality_by_height();
            blocks
                .into_iter()
                .rev()
                .map(|block| {
                    let took = times.get(&block.header.height.0).copied().flatten();
                    row_of(&snapshot, &block.header, block.hash, block.readings, took)
                })
                .collect()
        })
        .await
    }

    /// One block.
    ///
    /// # Errors
    /// [`Failure`] if there is none at this height.
    pub async fn block(self: &Arc<Self>, height: u64) -> Result<BlockDetail, Failure> {
        self.blocking(move |node| node.block_detail(Height(height)))
            .await
    }

    /// One transaction.
    ///
    /// # Errors
    /// [`Failure`] if the chain holds none of this id.
    pub async fn transaction(self: &Arc<Self>, id: String) -> Result<TransactionDetail, Failure> {
        self.blocking(move |node| node.transaction_detail(&id))
            .await
    }

    /// Time to finality and load over the last minutes.
    #[must_use]
    pub fn finality(&self, minutes: u32) -> FinalitySeries {
        let limit = self.finality_limit_millis();
        self.log().series(now_millis(), minutes, limit)
    }

    /// The agreed bound on the time to finality that is in force; that of the start if the state cannot
    /// be read.
    pub(crate) fn finality_limit_millis(&self) -> u32 {
        let snapshot = self.replica.read().ok();
        let rules = snapshot.and_then(|snapshot| governance::parameters(&snapshot).ok());
        rules
            .unwrap_or(self.genesis.parameters)
            .finality_limit_millis
    }

    /// A final block as a row, with the times its transactions took.
    pub(crate) fn block_row(
        &self,
        height: Height,
        own_ms: &[f64],
    ) -> Result<Option<BlockRow>, Failure> {
        let snapshot = self.replica.read()?;
        let longest = own_ms.iter().copied().reduce(f64::max);
        let block = snapshot.blocks(height, 1)?.into_iter().next();
        block
            .filter(|block| block.header.height == height)
            .map(|block| {
                row_of(
                    &snapshot,
                    &block.header,
                    block.hash,
                    block.readings,
                    longest,
                )
            })
            .transpose()
    }

    /// The longest time to finality by height, for the blocks this node has seen become final.
    fn finality_by_height(&self) -> BTreeMap<u64, Option<f64>> {
        self.log().by_height()
    }

    fn block_detail(&self, height: Height) -> Result<BlockDetail, Failure> {
        let missing = || {
            Failure::not_found(
                "There is no block at this height.",
                "The newest is on the chain page.",
            )
        };
        let snapshot = self.replica.read()?;
        let header = snapshot.header(height)?.ok_or_else(missing)?;
        let stored = snapshot.transactions(height)?;
        let certificate = snapshot.certificate(height)?;
        let validators = validators_of(&snapshot, height)?;
        let signed = |at: usize| {
            certificate.as_ref().is_some_and(|certificate| {
                certificate
                    .signatures
                    .iter()
                    .any(|commit| usize::from(commit.validator) == at)
            })
        };
        let (signers, absent) = validators
            .as_slice()
            .iter()
            .enumerate()
            .partition::<Vec<_>, _>(|(at, _)| signed(*at));
        let names = |of: Vec<(usize, &ledger_core::Validator)>| {
            of.into_iter()
                .map(|(_, validator)| validator.name.clone())
                .collect()
        };
        let transactions: Vec<_> = stored
            .iter()
            .map(|stored| transaction_row(&snapshot, stored))
            .collect::<Result<_, _>>()?;
        let readings = transactions.iter().map(|row| row.readings).sum();
        let took = self.finality_by_height().get(&height.0).copied().flatten();
        let pruned = self.pruned_block(&snapshot, &header, &stored)?;
        let readings = pruned_readings(&snapshot, &header, pruned.is_some())?.unwrap_or(readings);
        Ok(BlockDetail {
            pruned,
            row: row_of(&snapshot, &header, header.hash(), readings, took)?,
            parent: header.parent.to_string(),
            tx_root: header.tx_root.to_string(),
            state_root: header.state_root.to_string(),
            validators_hash: header.validators_hash.to_string(),
            proposer_key: header.proposer.to_string(),
            round: certificate.as_ref().map(|certificate| certificate.round),
            signers: names(signers),
            absent: names(absent),
            bytes: stored.iter().map(|stored| stored.bytes.len() as u64).sum(),
            transactions,
        })
    }

    /// What became of the transactions of a block that are not here.
    fn pruned_block(
        &self,
        snapshot: &Snapshot<'_>,
        header: &Header,
        kept: &[StoredTransaction],
    ) -> Result<Option<PrunedBlock>, Failure> {
        let Some(ids) = snapshot.pruned_ids(header.height)? else {
            return Ok(None);
        };
        let missing = ids
            .iter()
            .filter(|id| kept.iter().all(|row| row.id != **id));
        Ok(Some(PrunedBlock {
            missing: header.tx_count.saturating_sub(kept.len() as u32),
            ids: missing.map(Digest::to_string).collect(),
            run: self.pruning_of(header.height, !ids.is_empty()),
        }))
    }

    /// The run that let a block's transactions go, if they ever were here.
    fn pruning_of(&self, height: Height, were_here: bool) -> Option<PruningRun> {
        let run = were_here.then(|| log::run_of(&self.data_dir, height.0))??;
        Some(PruningRun {
            time: run.time,
            height: run.height,
            bytes_freed: run.bytes_freed,
        })
    }

    /// Why a transaction that is not here cannot be shown.
    fn no_transaction(&self, snapshot: &Snapshot<'_>, id: &Digest) -> Result<Failure, Failure> {
        let Some(height) = snapshot.pruned_height_of(id)? else {
            return Ok(no_such_transaction());
        };
        let freed = self.pruning_of(height, true).map(|run| {
            format!(
                " It was pruned at height {}; that run freed {} bytes.",
                run.height, run.bytes_freed
            )
        });
        Ok(Failure::new(
            404,
            "API-11",
            "This transaction was pruned.",
            format!(
                "It is final in block {height}, and this node keeps only its id.{}",
                freed.unwrap_or_default()
            ),
            "Proofs that were made before still verify. Ask a node that keeps all, or put the archive back.",
        ))
    }

    fn transaction_detail(&self, id: &str) -> Result<TransactionDetail, Failure> {
        let id: Digest = id.parse().map_err(|_| no_such_transaction())?;
        let snapshot = self.replica.read()?;
        let Some(stored) = snapshot.transaction(&id)? else {
            return Err(self.no_transaction(&snapshot, &id)?);
        };
        let header = snapshot.header(stored.height)?;
        let header = header.ok_or_else(no_such_transaction)?;
        let transaction = SignedTransaction::decode(&stored.bytes).map_err(Failure::internal)?;
        let body = transaction.body().map_err(Failure::internal)?;
        Ok(TransactionDetail {
            row: transaction_row(&snapshot, &stored)?,
            height: stored.height.0,
            index: stored.index,
            time: header.time_millis,
            sender_key: stored.sender.to_string(),
            nonce: body.nonce.0,
            signature: hex::encode(transaction.signature().0),
            fields: fields_of(&body.payload),
        })
    }
}

fn no_such_transaction() -> Failure {
    Failure::not_found(
        "There is no such transaction.",
        "A transaction is named by 64 hexadecimal digits; copy all of them.",
    )
}

/// The readings a pruned block anchors, which its header's row remembers.
fn pruned_readings(
    snapshot: &Snapshot<'_>,
    header: &Header,
    is_pruned: bool,
) -> Result<Option<u64>, StoreError> {
    if !is_pruned {
        return Ok(None);
    }
    let summary = snapshot.blocks(header.height, 1)?.into_iter().next();
    Ok(summary.map(|summary| summary.readings))
}

fn transaction_row(
    snapshot: &Snapshot<'_>,
    stored: &StoredTransaction,
) -> Result<TransactionRow, Failure> {
    let transaction = SignedTransaction::decode(&stored.bytes).map_err(Failure::internal)?;
    let body = transaction.body().map_err(Failure::internal)?;
    let readings = match &body.payload {
        Payload::AnchorBatch(anchor) => u64::from(anchor.readings),
        _ => 0,
    };
    Ok(TransactionRow {
        id: stored.id.to_string(),
        kind: stored.kind.clone(),
        summary: summary_of(&body.payload),
        sender: sender_name(snapshot, &stored.sender)?,
        bytes: stored.bytes.len() as u64,
        readings,
    })
}

/// The name of the node that sent a transaction, or of the organisation whose admin did.
fn sender_name(snapshot: &Snapshot<'_>, key: &PublicKey) -> Result<String, StoreError> {
    let member: Option<Member> = read(snapshot, &StateKey::member(key))?;
    if let Some(member) = member {
        return Ok(member.name);
    }
    let organisation = match governance::key_use(snapshot, key)?.organisation {
        Some(id) => governance::organisation(snapshot, &id)?,
        None => None,
    };
    Ok(organisation.map_or_else(|| key.short(), |organisation| organisation.name))
}

/// At most `limit` blocks up to and including `height`, oldest first.
pub(crate) fn up_to(
    snapshot: &Snapshot<'_>,
    height: Height,
    limit: u32,
) -> Result<Vec<BlockSummary>, StoreError> {
    let first = height.0.saturating_sub(u64::from(limit.max(1)) - 1);
    let count = u32::try_from(height.0 - first + 1).unwrap_or(limit);
    snapshot.blocks(Height(first), count)
}

/// The validators that certify a height; block 0 is certified by nobody and shows those it names.
fn validators_of(snapshot: &Snapshot<'_>, height: Height) -> Result<ValidatorSet, Failure> {
    let found = snapshot.validators_at(height.max(Height(1)))?;
    found.ok_or_else(|| Failure::internal("a height without validators"))
}

fn row_of(
    snapshot: &Snapshot<'_>,
    header: &Header,
    hash: Digest,
    readings: u64,
    finality_ms: Option<f64>,
) -> Result<BlockRow, Failure> {
    let validators = validators_of(snapshot, header.height)?;
    let certificate = snapshot.certificate(header.height)?;
    let proposer = validators.find(&header.proposer);
    Ok(BlockRow {
        height: header.height.0,
        hash: hash.to_string(),
        time: header.time_millis,
        proposer: proposer
            .map_or_else(|| "founder".into(), |(_, validator)| validator.name.clone()),
        transactions: header.tx_count,
        readings,
        signed: certificate.map_or(0, |certificate| certificate.signatures.len() as u32),
        validators: validators.as_slice().len() as u32,
        finality_ms,
    })
}
