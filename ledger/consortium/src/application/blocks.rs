//! Building blocks, committing the decided ones, and telling everybody.

use std::sync::Arc;

use arc_malachitebft_app_channel::app::types::core::{
    CommitCertificate, ExtendedCommitCertificate, ExtendedCommitSignature, Round,
};
use arc_malachitebft_sync::RawDecidedValue;
use ledger_core::certificate::CommitSignature;
use ledger_core::state::ExecutionError;
use ledger_core::{Block, Certificate, Digest, Height, ValidatorSet};
use ledger_store::{CheckedBlock, Refused, VerifiedCertificate};
use tokio::time::Instant;

use super::{Application, End, now_millis};
use crate::adapter::context::ProposalStart;
use crate::adapter::{Address, BlockHeight, Chain, ValueHash};
use crate::finality::{FinalizedBlock, SubmitError};
use crate::network::SYNC_ANSWER_BYTES;
use crate::parts;

/// Most blocks in one answer to a node that catches up.
const MAX_FINAL_BLOCKS: u64 = 64;

impl Application {
    /// Builds the next block of what waits, and keeps it on disk.
    pub(super) fn build(&mut self, round: Round) -> Result<(ProposalStart, Vec<u8>), End> {
        let candidates = self.mempool.reap(self.parameters.max_block_bytes as usize);
        let prepared = self.replica.prepare(candidates, now_millis(), self.me)?;
        for refused in prepared.refused {
            self.refuse(refused);
        }
        let block = prepared.block;
        let (height, hash) = (block.header().height, block.hash());
        let encoded = block.block().encode();
        self.proposals.keep(round, Round::Nil, self.me, block)?;
        let bytes = encoded.len();
        let start = parts::announce(height, round, Round::Nil, self.me, hash, bytes);
        Ok((start, encoded))
    }

    /// The state does not accept a transaction when its turn has come.
    fn refuse(&mut self, refused: Refused) {
        let Some(transaction) = self.mempool.get(&refused.id) else {
            return;
        };
        if let ExecutionError::Nonce { expected, .. } = refused.error {
            let sender = transaction.sender();
            for (id, actual) in self.mempool.advance(sender, expected) {
                let error = SubmitError::NonceUsed { expected, actual };
                self.waiting.refuse(&id, &error);
            }
            return;
        }
        self.mempool.remove(&refused.id);
        self.tell_waiting();
        self.waiting.refuse(&refused.id, &refused.error.into());
    }

    /// Appends the decided block. Durable when this returns.
    pub(super) fn commit(&mut self, decided: &CommitCertificate<Chain>) -> Result<(), End> {
        let height = decided.height.0;
        if height <= self.tip {
            tracing::warn!(%height, "a height was decided again");
            return Ok(());
        }
        let hash = decided.value_id.0;
        let block = self.proposals.decided(height, &hash)?;
        let block = block.ok_or(End::UnknownBlock(height))?;
        let certificate = certificate_of(decided, block.validators());
        let verified = VerifiedCertificate::by_engine(certificate.clone());
        self.replica.append(&block, &verified)?;
        let signers = decided.commit_signatures.iter().map(|one| one.address.0);
        let signers = signers.collect();
        self.late.decided(self.chain, height, hash, &signers);
        self.tip = height;
        self.validators = block.next_validators().clone();
        self.last_block = Instant::now();
        self.proposals.clear();
        self.assembler.forget(height);
        self.read_rules()?;
        self.tell_final(&block, certificate);
        Ok(())
    }

    /// Transactions leave the mempool, those that are final and whatever waits under a nonce that is
    /// used now. First the mempool and the status, then those who wait: whoever hears of a block finds this node
    /// in the state after it.
    fn tell_final(&mut self, block: &CheckedBlock, certificate: Certificate) {
        let height = block.header().height;
        let encoded = &block.block().transactions;
        let mut outdated = Vec::new();
        for (sender, last) in block.last_nonces() {
            let Some(expected) = last.next() else {
                continue;
            };
            let left = self.mempool.advance(sender, expected);
            outdated.extend(
                left.into_iter()
                    .map(|(id, actual)| (id, SubmitError::NonceUsed { expected, actual })),
            );
        }
        self.tell_waiting();
        let validators = &self.validators;
        if let Some(peers) = &self.peers {
            peers.validators(validators);
        }
        self.progress.send_modify(|now| {
            now.height = height;
            now.tip = block.hash();
            if now.validators != *validators {
                now.validators = validators.clone();
            }
        });
        let ids: Vec<Digest> = block.ids().collect();
        let mut own = Vec::new();
        for (index, id) in (0..).zip(&ids) {
            own.extend(self.waiting.resolve(*id, height, index));
        }
        for (id, error) in outdated {
            self.waiting.refuse(&id, &error);
        }
        // Nobody may be listening.
        let _ = self.blocks.send(Arc::new(FinalizedBlock {
            header: block.header().clone(),
            hash: block.hash(),
            certificate,
            transactions: ids,
            transaction_bytes: encoded.iter().map(|bytes| bytes.len() as u64).sum(),
            committed_at_millis: now_millis(),
            own,
        }));
    }

    /// Final blocks for a peer that catches up: as many of the range as fit, from its start on.
    pub(super) fn final_blocks(
        &self,
        first: Height,
        last: Height,
    ) -> Result<Vec<RawDecidedValue<Chain>>, End> {
        let last = last.0.min(first.0.saturating_add(MAX_FINAL_BLOCKS - 1));
        let snapshot = self.replica.read()?;
        let (mut values, mut bytes) = (Vec::new(), 0);
        for height in (first.0.max(1)..=last).map(Height) {
            let (block, certificate, validators) = (
                snapshot.block(height)?,
                snapshot.certificate(height)?,
                snapshot.validators_at(height)?,
            );
            let (Some(block), Some(certificate), Some(validators)) =
                (block, certificate, validators)
            else {
                break;
            };
            let value = decided_value(&block, &certificate, &validators);
            bytes += value.value_bytes.len();
            if !values.is_empty() && bytes > SYNC_ANSWER_BYTES {
                break;
            }
            values.push(value);
        }
        Ok(values)
    }
}

/// The ledger's certificate of Malachite's: signers by place, in order, each once.
pub fn certificate_of(
    decided: &CommitCertificate<Chain>,
    validators: &ValidatorSet,
) -> Certificate {
    let signed = decided.commit_signatures.iter().filter_map(|commit| {
        let (place, _) = validators.find(&commit.address.0)?;
        Some(CommitSignature {
            validator: u16::try_from(place).ok()?,
            signature: commit.signature,
        })
    });
    let mut signatures: Vec<_> = signed.collect();
    signatures.sort_by_key(|commit| commit.validator);
    signatures.dedup_by_key(|commit| commit.validator);
    Certificate {
        height: decided.height.0,
        round: decided.round.as_u32().unwrap_or(0),
        block: decided.value_id.0,
        signatures,
    }
}

/// A final block in the form that a node that catches up is given.
pub fn decided_value(
    block: &Block,
    certificate: &Certificate,
    validators: &ValidatorSet,
) -> RawDecidedValue<Chain> {
    let signatures = certificate.signatures.iter().filter_map(|commit| {
        let validator = validators.get(usize::from(commit.validator))?;
        let address = Address(validator.key);
        Some(ExtendedCommitSignature::new(
            address,
            commit.signature,
            None,
        ))
    });
    let certificate = ExtendedCommitCertificate {
        height: BlockHeight(certificate.height),
        round: Round::new(certificate.round),
        value_id: ValueHash(certificate.block),
        commit_signatures: signatures.collect(),
    };
    RawDecidedValue::new(block.encode().into(), certificate)
}
