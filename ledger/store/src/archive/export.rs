//! Writing an archive: file by file, the manifest last, all of it synced.

use std::path::Path;

use ledger_core::canonical;
use ledger_core::ids::Height;

use super::{
    ArchiveError, ArchiveFile, ArchiveManifest, ArchivedBlock, FORMAT, MAGIC, MANIFEST_FILE,
    MAX_FILE_BLOCKS, VERSION, file_error, sha256,
};
use crate::error::damaged;
use crate::files::{is_empty_folder, write_synced};
use crate::snapshot::Snapshot;

/// A file is closed with the block that brings it to this many bytes.
const FILE_BYTES: usize = 8 << 20;
const LEVEL: i32 = 3;

impl Snapshot<'_> {
    /// Archives the blocks of a range into `folder`, which is made, or must be empty. Block 0 is in every
    /// genesis and in no archive. Without a start, from the first block on from which all are whole;
    /// without an end, to the tip.
    ///
    /// # Errors
    /// [`ArchiveError`]. A folder without a manifest is no archive, whatever else is in it.
    pub fn export_archive(
        &self,
        folder: &Path,
        from: Option<Height>,
        to: Option<Height>,
    ) -> Result<ArchiveManifest, ArchiveError> {
        let chain = self.chain()?.0;
        let tip = self.tip().map_or(Height(0), crate::Tip::height);
        let to = to.unwrap_or(tip).min(tip);
        let from = match from {
            Some(from) => from,
            None => self.whole_from()?,
        };
        let from = from.max(Height(1));
        if from > to {
            return Err(ArchiveError::NoBlocks { from, to });
        }
        if !is_empty_folder(folder).map_err(file_error("create", folder))? {
            return Err(ArchiveError::NotEmpty(folder.to_owned()));
        }
        let mut manifest = ArchiveManifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            chain_id: chain.to_string(),
            from: from.0,
            to: to.0,
            transactions: 0,
            files: Vec::new(),
        };
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        for height in (from.0..=to.0).map(Height) {
            let block = self.archived(height)?;
            bytes += block.block.transactions.iter().map(Vec::len).sum::<usize>();
            blocks.push(block);
            if bytes >= FILE_BYTES || blocks.len() >= MAX_FILE_BLOCKS || height == to {
                let file = write_file(folder, std::mem::take(&mut blocks))?;
                manifest.transactions += file.transactions;
                manifest.files.push(file);
                bytes = 0;
            }
        }
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| ArchiveError::Manifest(error.to_string()))?;
        write_synced(folder, MANIFEST_FILE, &text)
            .map_err(file_error("write", &folder.join(MANIFEST_FILE)))?;
        Ok(manifest)
    }

    fn archived(&self, height: Height) -> Result<ArchivedBlock, ArchiveError> {
        if self.is_pruned(height)? {
            return Err(ArchiveError::Pruned(height));
        }
        let missing = || damaged(format!("block {height} or its certificate is missing"));
        let block = self.block(height)?.ok_or_else(missing)?;
        Ok(ArchivedBlock {
            certificate: self.certificate(height)?.ok_or_else(missing)?,
            block,
        })
    }
}

fn write_file(folder: &Path, blocks: Vec<ArchivedBlock>) -> Result<ArchiveFile, ArchiveError> {
    let height =
        |block: Option<&ArchivedBlock>| block.map_or(0, |block| block.block.header.height.0);
    let (from, to) = (height(blocks.first()), height(blocks.last()));
    let transactions = blocks
        .iter()
        .map(|block| block.block.transactions.len() as u64)
        .sum();
    let mut content = MAGIC.to_vec();
    canonical::encode_into(&blocks, &mut content);
    let name = format!("blocks-{from:012}.zst");
    let path = folder.join(&name);
    let bytes = zstd::bulk::compress(&content, LEVEL).map_err(file_error("compress", &path))?;
    write_synced(folder, &name, &bytes).map_err(file_error("write", &path))?;
    Ok(ArchiveFile {
        name,
        from,
        to,
        transactions,
        bytes: bytes.len() as u64,
        sha256: sha256(&bytes),
    })
}
