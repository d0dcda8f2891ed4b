//! Putting an archive back: first every file is checked against the manifest and against this replica's
//! headers; only then is anything written, one SQLite transaction a file.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use ledger_core::block::{Block, tx_root};
use ledger_core::canonical;
use ledger_core::digest::Digest;
use ledger_core::ids::Height;
use ledger_core::key::PublicKey;
use ledger_core::transaction::{Payload, SignedTransaction};
use rusqlite::Connection;
use serde::Serialize;

use super::{
    ArchiveError, ArchiveFile, ArchiveManifest, ArchivedBlock, FORMAT, MAGIC, MANIFEST_FILE,
    MAX_CONTENT_BYTES, MAX_MANIFEST_BYTES, VERSION, file_error, sha256,
};
use crate::error::StoreError;
use crate::replica::Replica;
use crate::snapshot::Snapshot;
use crate::table::{certificates, pruned, transactions};

/// What restoring an archive did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Restored {
    /// First block of the archive.
    pub from: u64,
    /// Last block of the archive.
    pub to: u64,
    /// Blocks that are whole again.
    pub blocks: u64,
    /// Transactions put back.
    pub transactions: u64,
}

impl ArchiveManifest {
    /// Reads and checks the manifest of the archive in `folder`; its files are not read.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn read(folder: &Path) -> Result<Self, ArchiveError> {
        let path = folder.join(MANIFEST_FILE);
        let mut text = Vec::new();
        fs::File::open(&path)
            .and_then(|file| file.take(MAX_MANIFEST_BYTES).read_to_end(&mut text))
            .map_err(file_error("read", &path))?;
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| ArchiveError::Manifest(error.to_string()))?;
        if manifest.format != FORMAT || manifest.version != VERSION {
            return Err(ArchiveError::Manifest("another format or version".into()));
        }
        let mut next = Some(manifest.from);
        for file in &manifest.files {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
            if !file.name.bytes().all(plain) || file.name.starts_with('.') {
                return Err(ArchiveError::Manifest("a file's name is not plain".into()));
            }
            if next != Some(file.from) || file.to < file.from || file.from == 0 {
                return Err(ArchiveError::Manifest("its files do not follow".into()));
            }
            next = file.to.checked_add(1);
        }
        let sum = manifest
            .files
            .iter()
            .try_fold(0u64, |sum, file| sum.checked_add(file.transactions));
        if next != manifest.to.checked_add(1) || sum != Some(manifest.transactions) {
            return Err(ArchiveError::Manifest(
                "its files are not all it names".into(),
            ));
        }
        Ok(manifest)
    }
}

impl Replica {
    /// Puts the transactions of an archive back. Unless the whole archive is as it was written and belongs
    /// to this chain, nothing is changed.
    ///
    /// # Errors
    /// [`ArchiveError`], naming the file and the block that is wrong.
    pub fn restore_archive(&self, folder: &Path) -> Result<Restored, ArchiveError> {
        let manifest = ArchiveManifest::read(folder)?;
        {
            let snapshot = self.read()?;
            if manifest.chain_id != snapshot.chain()?.0.to_string() {
                return Err(ArchiveError::OtherChain);
            }
            for file in &manifest.files {
                check(&snapshot, folder, file)?;
            }
        }
        let mut restored = Restored {
            from: manifest.from,
            to: manifest.to,
            ..Restored::default()
        };
        for file in &manifest.files {
            // Checked again, in case the folder changes under our hands.
            let blocks = check(&self.read()?, folder, file)?;
            let (blocks, transactions) = self.write(|connection| put_back(connection, &blocks))?;
            restored.blocks += blocks;
            restored.transactions += transactions;
        }
        Ok(restored)
    }
}

/// A block of an archive that is this replica's.
struct CheckedBlock {
    archived: ArchivedBlock,
    rows: Vec<(Digest, PublicKey, &'static str)>,
}

/// Reads a file and checks all of it.
fn check(
    snapshot: &Snapshot<'_>,
    folder: &Path,
    file: &ArchiveFile,
) -> Result<Vec<CheckedBlock>, ArchiveError> {
    let altered = |why| ArchiveError::Altered {
        name: file.name.clone(),
        why,
    };
    let path = folder.join(&file.name);
    let mut bytes = Vec::new();
    fs::File::open(&path)
        .and_then(|opened| {
            opened
                .take(MAX_CONTENT_BYTES as u64)
                .read_to_end(&mut bytes)
        })
        .map_err(file_error("read", &path))?;
    if bytes.len() as u64 != file.bytes {
        return Err(altered("it is shorter or longer"));
    }
    if sha256(&bytes) != file.sha256 {
        return Err(altered("its hash is another"));
    }
    let content = zstd::bulk::decompress(&bytes, MAX_CONTENT_BYTES)
        .map_err(|_| altered("it cannot be decompressed"))?;
    let content = content
        .strip_prefix(MAGIC)
        .ok_or_else(|| altered("it holds no blocks"))?;
    let blocks: Vec<ArchivedBlock> = canonical::decode(content, MAX_CONTENT_BYTES)
        .map_err(|_| altered("its blocks cannot be read"))?;
    let heights = blocks.iter().map(|block| block.block.header.height.0);
    if !heights.eq(file.from..=file.to) {
        return Err(altered("its heights are others"));
    }
    let count: u64 = blocks
        .iter()
        .map(|block| block.block.transactions.len() as u64)
        .sum();
    if count != file.transactions {
        return Err(altered("it holds another number of transactions"));
    }
    let check = |archived: ArchivedBlock| {
        let height = archived.block.header.height;
        let rows = check_block(snapshot, &archived)?.map_err(|why| ArchiveError::Block {
            name: file.name.clone(),
            height,
            why,
        })?;
        Ok(CheckedBlock { archived, rows })
    };
    blocks.into_iter().map(check).collect()
}

type Rows = Vec<(Digest, PublicKey, &'static str)>;

/// Checks a block against the header this replica holds; the inner error says what is wrong with it.
fn check_block(
    snapshot: &Snapshot<'_>,
    archived: &ArchivedBlock,
) -> Result<Result<Rows, String>, StoreError> {
    let ArchivedBlock { block, certificate } = archived;
    let Block {
        header,
        transactions,
    } = block;
    let height = header.height;
    if snapshot.header(height)?.as_ref() != Some(header) {
        return Ok(Err("is not the one of this replica".into()));
    }
    let mut rows = Vec::with_capacity(transactions.len());
    let mut readings = 0u64;
    for (place, bytes) in transactions.iter().enumerate() {
        let decoded = SignedTransaction::decode(bytes)
            .and_then(|signed| Ok((signed.id(), *signed.sender(), signed.body()?)));
        let Ok((id, sender, body)) = decoded else {
            return Ok(Err(format!(
                "has a transaction at place {place} that cannot be read"
            )));
        };
        if let Payload::AnchorBatch(anchor) = &body.payload {
            readings = readings.saturating_add(u64::from(anchor.readings));
        }
        rows.push((id, sender, body.payload.kind()));
    }
    let ids: Vec<_> = rows.iter().map(|(id, ..)| *id).collect();
    if tx_root(&ids) != header.tx_root || ids.len() as u64 != u64::from(header.tx_count) {
        return Ok(Err(
            "does not hold the transactions that its header stands for".into(),
        ));
    }
    if pruned::at(snapshot.connection()?, height)?.is_some_and(|row| row.readings != readings) {
        return Ok(Err(
            "anchors another number of readings than this replica counts".into(),
        ));
    }
    match snapshot.certificate(height)? {
        Some(_) => Ok(Ok(rows)),
        None => {
            let validators = snapshot.validators_at(height)?;
            let holds = certificate.height == height
                && certificate.block == header.hash()
                && validators.is_some_and(|set| certificate.verify(header.chain, &set).is_ok());
            Ok(holds
                .then_some(rows)
                .ok_or_else(|| "has a certificate that does not hold".into()))
        }
    }
}

/// Writes the blocks that are pruned; returns how many blocks and transactions.
fn put_back(connection: &Connection, blocks: &[CheckedBlock]) -> Result<(u64, u64), StoreError> {
    let (mut count, mut put) = (0, 0);
    for CheckedBlock { archived, rows } in blocks {
        let height = archived.block.header.height;
        if !pruned::is(connection, height)? {
            continue;
        }
        pruned::forget(connection, height)?;
        let kept = transactions::delete(connection, height, None)?;
        let rows = rows.iter().zip(&archived.block.transactions).zip(0u32..);
        let rows = rows.map(|(((id, sender, kind), bytes), place)| {
            (place, *id, *sender, *kind, bytes.as_slice())
        });
        transactions::insert(connection, height, rows)?;
        if certificates::at(connection, height)?.is_none() && height > Height(0) {
            certificates::insert(connection, &archived.certificate)?;
        }
        count += 1;
        put += (archived.block.transactions.len() as u64).saturating_sub(kept);
    }
    Ok((count, put))
}
