//! Own transactions signed anew after the node's key was rotated.
//!
//! Upon a start with another key than the last one: what waits in the outbox was signed with a key that
//! the ledger takes nothing from any more. In one SQLite transaction each of them gets the new key's
//! signature and next nonce, in the old order, and the batches the ids of their new anchors; batches keep
//! their numbers. While the ledger still takes the old key, the old ones may become final yet, and a batch
//! must not be anchored twice: so the node does not start with the new key before the vote has passed.

use std::path::Path;

use anyhow::{Context as _, bail};
use ledger_core::governance::Standing;
use ledger_core::{
    BatchNumber, Nonce, Payload, PublicKey, SecretKey, SignedTransaction, TransactionBody,
};
use ledger_store::Snapshot;
use rusqlite::Connection;

use super::outbox::{self, OutboxRow};
use super::{batches, disclosures, erasures};
use crate::keystore::write_private;

/// Name of the file below the consortium's folder that holds the key that signed last.
const SENDER_FILE: &str = "sender";

/// Signs what waits anew if the node has another key than at its last start. Returns how many there were.
///
/// # Errors
/// In words for a person: the ledger does not know the new key yet, or something cannot be written.
pub(crate) fn renew(
    connection: &mut Connection,
    folder: &Path,
    ledger: &Snapshot<'_>,
    signer: &SecretKey,
) -> anyhow::Result<usize> {
    let (path, new) = (folder.join(SENDER_FILE), signer.public());
    let known = std::fs::read_to_string(&path).ok();
    let known = known.and_then(|text| text.trim().parse().ok());
    let first = outbox::first(connection)?.as_ref().and_then(sender_of);
    let old: PublicKey = known.or(first).unwrap_or(new);
    let mut count = 0;
    if old != new {
        let members = ledger.members()?;
        let is_active = |key: &PublicKey| {
            let mut members = members.iter();
            members.any(|one| one.key == *key && one.standing == Standing::Active)
        };
        if is_active(&old) || !is_active(&new) {
            bail!(
                "the node's key was changed before the consortium has voted for the new one; put the old key \
                 back until the vote has passed"
            );
        }
        let transaction = connection.transaction()?;
        // What is final already goes; what the new key has signed already stays.
        count = sign_anew(&transaction, ledger, signer, |row, signed| {
            Ok(row.nonce >= ledger.account(signed.sender())?.next_nonce.0)
        })?;
        transaction.commit()?;
        tracing::info!(count, "the node has a new key: what waited is signed anew");
    }
    if known != Some(new) {
        crate::keystore::create_private_dir(folder)?;
        write_private(&path, &new.to_string()).context("cannot note the node's key")?;
    }
    Ok(count)
}

fn sender_of(row: &OutboxRow) -> Option<PublicKey> {
    let signed = SignedTransaction::decode(&row.bytes).ok()?;
    Some(*signed.sender())
}

/// Replaces what waits by what is still to be said: with the signer's next nonces and batch numbers, in the old order.
/// Returns how many there are.
///
/// # Errors
/// If something cannot be read or written; the caller rolls back then.
pub(crate) fn sign_anew(
    connection: &Connection,
    ledger: &Snapshot<'_>,
    signer: &SecretKey,
    is_to_be_said: impl Fn(&OutboxRow, &SignedTransaction) -> anyhow::Result<bool>,
) -> anyhow::Result<usize> {
    let waiting = outbox::list(connection)?;
    let chain = ledger.chain()?.0;
    let mut next = ledger.account(&signer.public())?.next_nonce.0;
    let mut next_batch = ledger.anchor_head(&signer.public())?.next_batch.0;
    connection.execute("DELETE FROM outbox", [])?;
    let (mut count, mut anchors) = (0, Vec::new());
    for row in &waiting {
        let before = SignedTransaction::decode(&row.bytes)?;
        if !is_to_be_said(row, &before)? {
            continue;
        }
        let mut payload = before.body()?.payload;
        if let Payload::AnchorBatch(anchor) = &mut payload {
            anchor.batch = BatchNumber(next_batch);
        }
        let body = TransactionBody {
            chain,
            nonce: Nonce(next),
            payload,
        };
        let signed = SignedTransaction::sign(&body, signer);
        let new = OutboxRow {
            nonce: next,
            id: signed.id(),
            batch: row.batch.map(|_| next_batch),
            bytes: signed.encode(),
        };
        outbox::insert(connection, &new)?;
        erasures::signed_anew(connection, &row.id, &new.id)?;
        if matches!(body.payload, Payload::Receipt(_)) {
            disclosures::signed_anew(connection, &row.id, &new.id)?;
        }
        if let Some(batch) = row.batch {
            anchors.push((batch, next_batch, new.id));
            next_batch += 1;
        }
        next += 1;
        count += 1;
    }
    // The last ones first: numbers only grow, and none is another's then.
    for (batch, number, tx) in anchors.into_iter().rev() {
        batches::anchored_anew(connection, batch, number, &tx)?;
    }
    connection.execute("UPDATE sender SET next_nonce = ?1", [next as i64])?;
    Ok(count)
}

#[cfg(test)]
pub(crate) mod tests {
    //! Goal: after a rotation what waits is the new key's, in order, once; before it nothing is touched.
    //! Method: a real vault and a real ledger of one node whose key is rotated by its own vote.
    use ledger_core::certificate::{Certificate, CommitSignature, VoteContent, VoteKind};
    use ledger_core::governance::{Change, Node, Organisation, Propose};
    use ledger_core::{AnchorBatch, Digest, Genesis, OrganisationId};
    use ledger_store::Replica;

    use super::*;
    use crate::erasure::certificate::SignedErasure;
    use crate::vault::batches::BatchRow;
    use crate::vault::erasures::ErasureRow;

    pub(crate) fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32])
    }

    fn anchor(genesis: &Genesis, number: u64, nonce: u64) -> SignedTransaction {
        let root = Digest::of(&number.to_be_bytes());
        anchor_of(genesis, number, nonce, root)
    }

    /// The first node's anchor of one reading.
    pub(crate) fn anchor_of(
        genesis: &Genesis,
        number: u64,
        nonce: u64,
        root: Digest,
    ) -> SignedTransaction {
        let body = TransactionBody {
            chain: genesis.chain_id(),
            nonce: Nonce(nonce),
            payload: Payload::AnchorBatch(AnchorBatch {
                batch: BatchNumber(number),
                root,
                readings: 1,
                streams: 1,
            }),
        };
        SignedTransaction::sign(&body, &key(1))
    }

    /// Appends a block of one transaction.
    pub(crate) fn append(replica: &Replica, genesis: &Genesis, signed: SignedTransaction) {
        let verified = signed.verify(genesis.chain_id()).unwrap();
        let prepared = replica.prepare(&[verified], 0, key(1).public()).unwrap();
        assert!(prepared.refused.is_empty(), "{:?}", prepared.refused);
        let block = prepared.block;
        let header = block.header();
        let vote = VoteContent {
            kind: VoteKind::Precommit,
            chain: header.chain,
            height: header.height,
            round: 0,
            block: Some(block.hash()),
            validator: key(1).public(),
        };
        let certificate = Certificate {
            height: header.height,
            round: 0,
            block: block.hash(),
            signatures: vec![CommitSignature {
                validator: 0,
                signature: key(1).sign(&vote.sign_bytes()),
            }],
        };
        let certificate = block.certify(certificate).unwrap();
        replica.append(&block, &certificate).unwrap();
    }

    /// A ledger of the first node, and a vault in whose outbox its first batches wait, with the first one's nonce.
    pub(crate) fn with_waiting(folder: &Path, batches: u64) -> (Genesis, Replica, Connection, u64) {
        let node = Node::with_one_key(key(1).public(), "one".into());
        let organisation = OrganisationId::default();
        let mut genesis =
            Genesis::of_one("one".into(), 1, organisation, node, Digest::ZERO).unwrap();
        let admins = vec![key(3).public()];
        genesis.organisations = vec![Organisation::new(organisation, "one".into(), admins)];
        let replica = Replica::open(folder.join("replica")).unwrap();
        replica.found(&genesis, &key(1)).unwrap();
        let vault = crate::vault::open(&folder.join("vault")).unwrap();
        let founded = replica.read().unwrap().account(&key(1).public()).unwrap();
        let begin = founded.next_nonce.0;
        for number in 0..batches {
            let signed = anchor(&genesis, number, begin + number);
            let row = OutboxRow {
                nonce: begin + number,
                id: signed.id(),
                batch: Some(number),
                bytes: signed.encode(),
            };
            outbox::insert(&vault, &row).unwrap();
            let batch = BatchRow {
                number,
                tx: row.id,
                root: Digest::ZERO,
                readings: 1,
                created: 0,
            };
            batches::insert(&vault, &batch).unwrap();
        }
        (genesis, replica, vault, begin)
    }

    #[test]
    fn what_waits_gets_the_new_keys_signature_once() {
        let folder = tempfile::tempdir().unwrap();
        let (genesis, replica, mut vault, begin) = with_waiting(folder.path(), 3);
        let certificate = ErasureRow {
            device: None,
            signed: SignedErasure {
                body: Vec::new(),
                salt: [0; 32],
                signature: key(1).sign(b""),
            },
            tx: batches::find(&vault, 2).unwrap().unwrap().tx,
        };
        erasures::insert(&vault, &certificate).unwrap();
        let mut renewed = |seed: u8| {
            let view = replica.read().unwrap();
            renew(&mut vault, folder.path(), &view, &key(seed))
        };
        assert_eq!(renewed(1).unwrap(), 0, "the key is the same");
        let error = renewed(2).unwrap_err();
        assert!(
            error.to_string().contains("before the consortium"),
            "{error}"
        );

        // The first becomes final; then the node's own vote rotates its key.
        append(&replica, &genesis, anchor(&genesis, 0, begin));
        let change = Change::RotateNode {
            old: key(1).public(),
            new: key(2).public(),
            new_vote_key: key(1).public(),
        };
        let body = TransactionBody {
            chain: genesis.chain_id(),
            nonce: Nonce(0),
            payload: Payload::Propose(Propose {
                change,
                reason: String::new(),
                open_for_millis: 3_600_000,
            }),
        };
        append(&replica, &genesis, SignedTransaction::sign(&body, &key(3)));
        assert_eq!(renewed(2).unwrap(), 2);
        assert_eq!(renewed(2).unwrap(), 0, "once");

        // The ledger takes them, in order, and the vault knows them.
        for (row, number) in outbox::list(&vault).unwrap().iter().zip(1..) {
            let signed = SignedTransaction::decode(&row.bytes).unwrap();
            assert_eq!(
                (*signed.sender(), row.batch),
                (key(2).public(), Some(number))
            );
            let batch = batches::find(&vault, number).unwrap().unwrap();
            assert_eq!(batch.tx, signed.id());
            append(&replica, &genesis, signed);
        }
        assert_eq!(outbox::next_nonce(&vault).unwrap(), 2);
        let tombstone = erasures::all(&vault).unwrap().remove(0).tx;
        assert_eq!(tombstone, batches::find(&vault, 2).unwrap().unwrap().tx);
    }
}
