//! Retention while the node runs: deletes what the consortium's rules let go, now and then, in slices
//! between which blocks are appended.
//!
//! The rules say what *may* be deleted. The node's own transactions stay all the same, so that a vote of
//! others never takes away its proofs; `fogward prune` deletes those too, when its admin says so.

pub(crate) mod log;

use std::sync::Weak;
use std::time::Duration;

use ledger_core::governance::parameters;
use ledger_core::parameters::Retention;
use ledger_core::{Height, PublicKey};
use ledger_store::{Policy, Pruned, Replica};
use rusqlite::Connection;

use crate::clock::now_millis;
use crate::node::Node;
use crate::vault::{self, VAULT_FILE, outbox};

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(600);
const DAY_MILLIS: u64 = 86_400_000;

/// Looks again and again, as long as the node runs.
pub(crate) async fn keep(node: Weak<Node>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(node) = node.upgrade() else { return };
        let pruned = tokio::task::spawn_blocking(move || prune(&node)).await;
        match pruned {
            Ok(Ok(None)) | Err(_) => {}
            Ok(Ok(Some(Pruned {
                transactions,
                bytes_freed,
                ..
            }))) => {
                if transactions > 0 {
                    tracing::info!(transactions, bytes_freed, "old transactions were pruned");
                }
            }
            Ok(Err(error)) => tracing::error!(%error, "old transactions could not be pruned"),
        }
    }
}

fn prune(node: &Node) -> anyhow::Result<Option<Pruned>> {
    let rules = parameters(&node.replica.read()?)?.retention;
    let vault = vault::open_read_only(&node.data_dir.join(VAULT_FILE))?;
    let now = now_millis();
    let pruned = by_rules(&node.replica, &vault, rules, node.node_key, now)?;
    if let Some(pruned) = &pruned {
        let tip = node.consortium.status().height;
        log::note(&node.data_dir, pruned, tip.0, now.unsigned_abs())?;
    }
    Ok(pruned)
}

/// Prunes what `rules` let go at `now_millis`; `None` where they let nothing go.
fn by_rules(
    replica: &Replica,
    vault: &Connection,
    rules: Retention,
    own: PublicKey,
    now_millis: i64,
) -> anyhow::Result<Option<Pruned>> {
    if rules == Retention::default() {
        return Ok(None);
    }
    let policy = Policy {
        older_than_millis: (rules.days > 0).then(|| u64::from(rules.days) * DAY_MILLIS),
        keep_bytes: (rules.bytes > 0).then_some(rules.bytes),
        keep_from: awaited(vault, replica)?,
        keep_sender: Some(own),
        ..Policy::default()
    };
    let now = u64::try_from(now_millis).unwrap_or_default();
    Ok(Some(replica.prune(&policy, now)?))
}

/// The first block that holds a transaction the outbox still waits for: it is asked for again at the next
/// start, and must be found then. They are final in the order of their nonces, so it is that of the first one,
/// or none.
pub(crate) fn awaited(vault: &Connection, replica: &Replica) -> anyhow::Result<Option<Height>> {
    let Some(first) = outbox::first(vault)? else {
        return Ok(None);
    };
    let found = replica.read()?.transaction(&first.id)?;
    Ok(found.map(|found| found.height))
}

#[cfg(test)]
mod tests {
    //! Goal: what the rules let go goes, what the node itself sent or waits for stays. Method: a chain of
    //! one node, pruned as that node and as another.

    use ledger_core::certificate::{Certificate, CommitSignature, VoteContent, VoteKind};
    use ledger_core::governance::Node;
    use ledger_core::transaction::RegisterDevice;
    use ledger_core::{
        Digest, Genesis, Nonce, OrganisationId, Payload, SecretKey, SignedTransaction,
        TransactionBody,
    };
    use ledger_store::KEPT_BLOCKS;

    use super::*;
    use crate::vault::outbox::OutboxRow;

    /// Blocks above those that are always kept.
    const OLD: u64 = 6;

    fn grow(replica: &Replica, genesis: &Genesis, key: &SecretKey, number: u64) -> OutboxRow {
        let device = RegisterDevice {
            handle: Digest::of(&number.to_be_bytes()),
            key: None,
            simulated: true,
        };
        let body = TransactionBody {
            chain: genesis.chain_id(),
            nonce: Nonce(number),
            payload: Payload::RegisterDevice(device),
        };
        let signed = SignedTransaction::sign(&body, key)
            .verify(body.chain)
            .unwrap();
        let block = replica.prepare([&signed], 0, key.public()).unwrap().block;
        let (height, hash) = (block.header().height, block.hash());
        let vote = VoteContent {
            kind: VoteKind::Precommit,
            chain: body.chain,
            height,
            round: 0,
            block: Some(hash),
            validator: key.public(),
        };
        let certificate = Certificate {
            height,
            round: 0,
            block: hash,
            signatures: vec![CommitSignature {
                validator: 0,
                signature: key.sign(&vote.sign_bytes()),
            }],
        };
        let certificate = block.certify(certificate).unwrap();
        replica.append(&block, &certificate).unwrap();
        OutboxRow {
            nonce: number,
            id: signed.id(),
            batch: None,
            bytes: signed.bytes().to_vec(),
        }
    }

    #[test]
    fn own_and_awaited_transactions_stay() {
        let folder = tempfile::tempdir().unwrap();
        let key = SecretKey::from_seed(&[1; 32]);
        let node = Node::with_one_key(key.public(), "one".into());
        let nonce = Digest::ZERO;
        let genesis = Genesis::of_one("one".into(), 1, OrganisationId::default(), node, nonce);
        let genesis = genesis.unwrap();
        let replica = Replica::open(folder.path().join("replica.db")).unwrap();
        replica.found(&genesis, &key).unwrap();
        let sent: Vec<_> = (0..KEPT_BLOCKS + OLD)
            .map(|number| grow(&replica, &genesis, &key, number))
            .collect();
        let vault = vault::open(&folder.path().join(VAULT_FILE)).unwrap();
        let other = SecretKey::from_seed(&[2; 32]).public();
        let days = Retention { days: 1, bytes: 0 };
        let bytes = Retention { days: 0, bytes: 1 };
        let deleted = |rules, own, now| {
            let pruned = by_rules(&replica, &vault, rules, own, now).unwrap();
            pruned.map(|pruned| pruned.transactions)
        };
        assert_eq!(deleted(Retention::default(), other, i64::MAX), None);
        assert_eq!(deleted(bytes, key.public(), 0), Some(0), "its own");
        assert_eq!(deleted(days, other, 86_400_000), Some(0), "not a day old");
        // Nonce n is in block n + 1.
        outbox::insert(&vault, &sent[3]).unwrap();
        assert_eq!(deleted(bytes, other, 0), Some(3), "blocks 1 to 3");
        outbox::delete_below(&vault, 4).unwrap();
        assert_eq!(deleted(days, other, 2 * 86_400_000), Some(OLD - 3));
        assert_eq!(deleted(days, other, i64::MAX), Some(0), "the newest stay");
    }
}
