//! Proof files: puts together what the vault and the replica hold of one reading.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_core::{BatchTree, Proof};

use crate::failure::Failure;
use crate::node::Node;
use crate::readings::{ReadingId, no_reading};
use crate::vault::open_stream::OpenStream;
use crate::vault::payloads::PayloadRow;
use crate::vault::{batches, payloads, streams};

impl Node {
    /// The proof file of a reading; see `docs/proof-format.md`.
    ///
    /// # Errors
    /// [`Failure`] if there is no such reading, or it is not final yet.
    pub async fn proof(self: &Arc<Self>, id: String) -> Result<Vec<u8>, Failure> {
        self.blocking(move |node| Ok(node.prove(ReadingId::parse(&id)?)?.to_file()))
            .await
    }

    /// The genesis file of the node's chain.
    #[must_use]
    pub fn genesis(&self) -> Vec<u8> {
        self.genesis.to_file()
    }

    pub(crate) fn prove(&self, id: ReadingId) -> Result<Proof, Failure> {
        let stream = OpenStream::new(&self.stream(id)?, &self.master)?;
        let Some((number, opened)) = self.payload(&stream, id.sequence)? else {
            return Err(not_final());
        };
        let (record, salt) = opened.at(id.sequence).ok_or_else(no_reading)?;
        let (batch, tree) = self.batch_of(number)?;
        let inclusion = {
            let snapshot = self.replica.read()?;
            match snapshot.inclusion(&batch.tx)? {
                Some(inclusion) => inclusion,
                None if number < snapshot.anchor_head(&self.node_key)?.next_batch.0 => {
                    return Err(pruned());
                }
                None => return Err(not_final()),
            }
        };
        let path = tree
            .path(id.stream, id.sequence)
            .ok_or_else(|| Failure::internal("a batch without its reading"))?;
        let reading = stream.reading(id.sequence, record);
        let proof = inclusion.prove(reading, salt, path);
        // Nothing leaves the node that a stranger would find wanting.
        if !proof.verify(&self.genesis).valid {
            return Err(Failure::internal("a proof that does not verify"));
        }
        Ok(proof)
    }

    fn batch_of(&self, number: u64) -> Result<(batches::BatchRow, BatchTree), Failure> {
        let batch = batches::find(&self.vault(), number)?.ok_or_else(missing)?;
        let rows = payloads::of_batch(&self.vault(), number)?;
        let mut open = BTreeMap::new();
        for stream in streams::list(&self.vault(), None)? {
            if rows.iter().any(|row| row.stream == stream.number) {
                open.insert(stream.number, OpenStream::new(&stream, &self.master)?);
            }
        }
        Ok((batch, batch_tree(rows, &open)?))
    }
}

/// Rebuilds the tree of a batch from its payloads, with their streams by number.
pub(crate) fn batch_tree(
    rows: Vec<PayloadRow>,
    streams: &BTreeMap<i64, OpenStream>,
) -> Result<BatchTree, Failure> {
    let mut parts = Vec::with_capacity(rows.len());
    for row in rows {
        let open = streams.get(&row.stream).ok_or_else(missing)?;
        let opened = open.open(row.first_sequence, row.count, &row.sealed)?;
        parts.push(opened.part());
    }
    BatchTree::rebuild(parts).map_err(Failure::internal)
}

fn missing() -> Failure {
    Failure::internal("a payload without its batch")
}

fn not_final() -> Failure {
    Failure::new(
        409,
        "PROOF-01",
        "There is no proof of this reading yet.",
        "It is sealed and waits for its block; that takes about a second.",
        "Ask again in a moment.",
    )
}

fn pruned() -> Failure {
    Failure::new(
        409,
        "PROOF-02",
        "This reading is final, but a proof can no longer be made here.",
        "The transaction that anchors it was pruned to save space. Proofs made before still verify.",
        "Restore the archive of that time with fogward archive restore, then ask again.",
    )
}
