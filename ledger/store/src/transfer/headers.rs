//! Headers of a snapshot, from the certified one down: each is the parent of the one above, and names the
//! validators that follow from the genesis.

use ledger_core::block::Header;
use ledger_core::digest::Digest;
use ledger_core::genesis::Genesis;
use ledger_core::ids::Height;
use ledger_core::transaction::SignedTransaction;
use rusqlite::Transaction;

use super::import::{Stage, lie};
use super::trust::Trusted;
use super::{HeaderEntry, SnapshotChunk, SnapshotError};
use crate::table::headers::HeaderRow;
use crate::table::pruned::PrunedRow;
use crate::table::{headers, pruned, transactions};

/// Most headers of one chunk.
const MAX_HEADERS: usize = 1 << 16;

/// What a chunk of headers is checked against.
pub(super) struct Headers<'a> {
    pub(super) chunk: &'a SnapshotChunk,
    pub(super) trusted: &'a Trusted,
    pub(super) genesis: &'a Genesis,
}

impl Headers<'_> {
    /// Takes over a chunk's headers, the highest first.
    pub(super) fn take(
        &self,
        transaction: &Transaction<'_>,
        stage: &mut Stage,
        entries: Vec<HeaderEntry>,
    ) -> Result<(), SnapshotError> {
        if entries.is_empty() || entries.len() > MAX_HEADERS {
            return Err(lie(self.chunk, "it has no headers, or too many"));
        }
        for entry in entries.into_iter().rev() {
            self.take_one(transaction, stage, &entry)?;
        }
        Ok(())
    }

    /// Takes over the header that the one above names as its parent.
    fn take_one(
        &self,
        transaction: &Transaction<'_>,
        stage: &mut Stage,
        entry: &HeaderEntry,
    ) -> Result<(), SnapshotError> {
        let header = &entry.header;
        let encoded = header.encode();
        let hash = Header::hash_bytes(&encoded);
        if stage.next != Some(header.height) || hash != stage.expected {
            return Err(lie(
                self.chunk,
                "a header is not the parent of the one above",
            ));
        }
        self.follows(header)?;
        let row = HeaderRow {
            height: header.height,
            hash,
            header: encoded,
            time_millis: header.time_millis,
            transactions_total: stage.transactions,
            readings_total: stage.readings,
        };
        headers::insert(transaction, &row)?;
        let count = u64::from(header.tx_count);
        let left = stage.transactions.checked_sub(count);
        stage.transactions = left.ok_or(SnapshotError::Counts)?;
        let left = stage.readings.checked_sub(entry.readings);
        stage.readings = left.ok_or(SnapshotError::Counts)?;
        if header.height == Height(0) {
            self.found(transaction, stage, entry)?;
        } else if count > 0 {
            let row = PrunedRow {
                height: header.height,
                readings: entry.readings,
                ids: Vec::new(),
            };
            pruned::insert(transaction, &row)?;
        } else if entry.readings > 0 {
            return Err(lie(
                self.chunk,
                "a block without transactions anchors readings",
            ));
        }
        stage.expected = header.parent;
        stage.next = header.height.0.checked_sub(1).map(Height);
        Ok(())
    }

    /// Whether a header names the validators that follow from the genesis.
    fn follows(&self, header: &Header) -> Result<(), SnapshotError> {
        let next = header.height.next().unwrap_or(header.height);
        let holds = header.chain == self.trusted.trust.header.chain
            && header.validators_hash == self.trusted.at(header.height)?.hash()
            && header.next_validators_hash == self.trusted.at(next)?.hash();
        let change = self.trusted.change_at(header.height);
        if !holds || change.is_some_and(|change| change.header != *header) {
            return Err(lie(self.chunk, "a header names other validators"));
        }
        Ok(())
    }

    /// Takes over block 0: its transaction, which the genesis and the header prove.
    fn found(
        &self,
        transaction: &Transaction<'_>,
        stage: &Stage,
        entry: &HeaderEntry,
    ) -> Result<(), SnapshotError> {
        let header = &entry.header;
        if stage.transactions != 0 || stage.readings != 0 || entry.readings != 0 {
            return Err(SnapshotError::Counts);
        }
        let founding = &self.trusted.trust.founding;
        if header.parent != Digest::ZERO || !self.trusted.trust.founds(header, self.genesis) {
            return Err(lie(self.chunk, "block 0 is not that of the genesis"));
        }
        let signed = SignedTransaction::decode(founding)
            .map_err(|_| lie(self.chunk, "the founding transaction cannot be read"))?;
        let row = (
            0,
            signed.id(),
            *signed.sender(),
            "genesis",
            founding.as_slice(),
        );
        transactions::insert(transaction, Height(0), [row].into_iter())?;
        Ok(())
    }
}
