//! A past for a consortium that is to be measured: blocks full of anchors, checked, executed and stored
//! by the replica as any block is, with certificates of all validators. Only consensus is left out.

use std::sync::Arc;

use anyhow::Context as _;
use ledger_core::certificate::{CommitSignature, VoteContent, VoteKind};
use ledger_core::{Block, Certificate, Height, SecretKey, SignedTransaction};
use ledger_store::{CheckedBlock, Replica};
use rayon::prelude::*;

use super::load;
use super::town::{Town, sender_key};
use crate::clock::now_millis;
use crate::keystore::Keystore;

/// Anchors in a block.
pub(super) const ANCHORS_PER_BLOCK: u64 = 400;

/// Gives every node of a town that does not run `transactions` anchors of a sender.
pub(super) fn write(town: &Town, transactions: u64, sender: u16) -> anyhow::Result<()> {
    for number in 0..town.len() {
        if number == 0 {
            make(town, transactions, sender)?;
        } else {
            copy(&town.replica(0)?, &town.replica(number)?)?;
        }
    }
    Ok(())
}

/// Gives the first node `transactions` anchors of a sender.
pub(super) fn make(town: &Town, transactions: u64, sender: u16) -> anyhow::Result<()> {
    let replica = town.replica(0)?;
    let voters = voters(town)?;
    let (chain, key) = (town.chain, sender_key(sender));
    let mut from = 0;
    while from < transactions {
        let to = transactions.min(from + ANCHORS_PER_BLOCK);
        let numbers: Vec<u64> = (from..to).collect();
        let signed = numbers
            .into_par_iter()
            .map(|number| load::anchor(chain, number, &key));
        let signed = signed.collect::<anyhow::Result<Vec<_>>>()?;
        let verified = SignedTransaction::verify_all(signed, chain);
        let verified = verified.into_iter().collect::<Result<Vec<_>, _>>()?;
        let time = now_millis().unsigned_abs();
        let proposer = voters.first().context("nobody votes")?.public();
        let prepared = replica.prepare(verified, time, proposer)?;
        anyhow::ensure!(prepared.refused.is_empty(), "an anchor was refused");
        let certificate = prepared.block.certify(certify(&prepared.block, &voters))?;
        replica.append(&prepared.block, &certificate)?;
        from = to;
    }
    Ok(())
}

/// The validators' keys in the order of the set.
fn voters(town: &Town) -> anyhow::Result<Vec<Arc<SecretKey>>> {
    let mut keys = Vec::new();
    for number in 0..town.len() {
        keys.push(Arc::new(
            Keystore::open_existing(&town.data(number))?.validator,
        ));
    }
    let seats = town.genesis.validators.as_slice().iter();
    let key_of = |seat: &ledger_core::Validator| {
        let key = keys.iter().find(|key| key.public() == seat.key);
        key.map(Arc::clone).context("a validator without a key")
    };
    seats.map(key_of).collect()
}

fn certify(block: &CheckedBlock, voters: &[Arc<SecretKey>]) -> Certificate {
    let (height, round) = (block.header().height, 0);
    let signatures = (0..).zip(voters).map(|(validator, key)| {
        let vote = VoteContent {
            kind: VoteKind::Precommit,
            chain: block.header().chain,
            height,
            round,
            block: Some(block.hash()),
            validator: key.public(),
        };
        CommitSignature {
            validator,
            signature: key.sign(&vote.sign_bytes()),
        }
    });
    Certificate {
        height,
        round,
        block: block.hash(),
        signatures: signatures.collect(),
    }
}

/// Brings one replica to where another is, block by block.
fn copy(from: &Replica, to: &Replica) -> anyhow::Result<()> {
    let tip = from.read()?.next_height();
    let mut next = to.read()?.next_height();
    while next < tip {
        let (block, certificate) = block_of(from, next)?;
        to.commit(&block, certificate)?;
        next = next.next().context("no height is left")?;
    }
    Ok(())
}

fn block_of(replica: &Replica, height: Height) -> anyhow::Result<(Block, Certificate)> {
    let snapshot = replica.read()?;
    let block = snapshot.block(height)?.context("a block is missing")?;
    let certificate = snapshot.certificate(height)?;
    Ok((block, certificate.context("a certificate is missing")?))
}
