//! Writing a snapshot of the tip: trust, headers from the tip down, state in the order of key hashes, and
//! the manifest last. Reads one view of the replica, so blocks can be appended meanwhile.

use std::path::Path;

use ledger_core::canonical;
use ledger_core::digest::Digest;
use ledger_core::ids::Height;
use serde::Serialize;

use super::trust::Trust;
use super::{
    FORMAT, HEADERS_MAGIC, HeaderEntry, SNAPSHOT_MANIFEST_FILE, STATE_MAGIC, SnapshotChunk,
    SnapshotError, SnapshotManifest, StateEntry, TRUST_FILE, VERSION, file_error,
};
use crate::error::damaged;
use crate::files::{is_empty_folder, write_synced};
use crate::snapshot::Snapshot;
use crate::table::{headers, state};

/// Headers of one chunk: about half a MiB.
const CHUNK_HEADERS: u64 = 2048;
/// A state chunk is closed with the entry that brings it to this many bytes.
const CHUNK_BYTES: u64 = 1 << 20;

impl Snapshot<'_> {
    /// Writes a snapshot of the state at the tip into `folder`, which is made, or must be empty.
    ///
    /// # Errors
    /// [`SnapshotError`]. A folder without a manifest is no snapshot, whatever else is in it.
    pub fn export_snapshot(&self, folder: &Path) -> Result<SnapshotManifest, SnapshotError> {
        let chain = self.chain()?.0;
        let tip = self.tip().ok_or(SnapshotError::NothingCertified)?;
        let height = tip.height();
        if height == Height(0) {
            return Err(SnapshotError::NothingCertified);
        }
        if !is_empty_folder(folder).map_err(file_error("create", folder))? {
            return Err(SnapshotError::NotEmpty(folder.to_owned()));
        }
        let founding = self.transactions(Height(0))?.pop();
        let trust = Trust {
            founding: founding.ok_or_else(|| damaged("block 0 is missing"))?.bytes,
            changes: self.validator_changes(self.next_height())?,
            header: tip.header.clone(),
            certificate: self
                .certificate(height)?
                .ok_or_else(|| damaged("the tip has no certificate"))?,
        };
        let trust = write_chunk(folder, TRUST_FILE.to_owned(), &trust.encode())?;
        let manifest = SnapshotManifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            chain_id: chain.to_string(),
            height: height.0,
            block: tip.hash.to_string(),
            transactions: tip.counts.transactions,
            readings: tip.counts.readings,
            trust,
            headers: self.write_headers(folder, height)?,
            state: self.write_state(folder, height)?,
        };
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| SnapshotError::Manifest(error.to_string()))?;
        write_chunk(folder, SNAPSHOT_MANIFEST_FILE.to_owned(), &text)?;
        Ok(manifest)
    }

    fn write_headers(
        &self,
        folder: &Path,
        tip: Height,
    ) -> Result<Vec<SnapshotChunk>, SnapshotError> {
        let (mut chunks, mut next) = (Vec::new(), Some(tip.0));
        while let Some(last) = next {
            let first = last.saturating_sub(CHUNK_HEADERS - 1);
            let mut before = match first.checked_sub(1) {
                Some(before) => headers::at(self.connection()?, Height(before))?,
                None => None,
            }
            .map_or(0, |row| row.readings_total);
            let mut entries = Vec::new();
            let count = u32::try_from(last - first + 1).unwrap_or(u32::MAX);
            for row in headers::from(self.connection()?, Height(first), count)? {
                entries.push(HeaderEntry {
                    header: row.decode()?,
                    readings: row.readings_total.saturating_sub(before),
                });
                before = row.readings_total;
            }
            let name = format!("headers-{:06}.bin", chunks.len());
            chunks.push(write_chunk(folder, name, &encode(HEADERS_MAGIC, &entries))?);
            next = first.checked_sub(1);
        }
        Ok(chunks)
    }

    fn write_state(&self, folder: &Path, tip: Height) -> Result<Vec<SnapshotChunk>, SnapshotError> {
        // Each chunk takes over as one version of the tree, and there are no more versions than blocks.
        let bytes = state::bytes(self.connection()?)?;
        let limit = CHUNK_BYTES.max(bytes / tip.0 + 1);
        let (mut chunks, mut entries, mut own) = (Vec::new(), Vec::new(), 0u64);
        let mut failed = None;
        let mut close = |entries: &mut Vec<StateEntry>| {
            let name = format!("state-{:06}.bin", chunks.len());
            let bytes = encode(STATE_MAGIC, &std::mem::take(entries));
            match write_chunk(folder, name, &bytes) {
                Ok(chunk) => chunks.push(chunk),
                Err(error) => failed = Some(error),
            }
        };
        state::for_each_by_hash(self.connection()?, |key, value| {
            own += (key.len() + value.len()) as u64;
            entries.push(StateEntry { key, value });
            if own >= limit {
                own = 0;
                close(&mut entries);
            }
        })?;
        if !entries.is_empty() {
            close(&mut entries);
        }
        failed.map_or(Ok(chunks), Err)
    }
}

fn encode<T: Serialize>(magic: &[u8; 8], entries: &Vec<T>) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    canonical::encode_into(entries, &mut bytes);
    bytes
}

fn write_chunk(folder: &Path, name: String, bytes: &[u8]) -> Result<SnapshotChunk, SnapshotError> {
    write_synced(folder, &name, bytes).map_err(file_error("write", &folder.join(&name)))?;
    Ok(SnapshotChunk {
        name,
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes).to_string(),
    })
}
