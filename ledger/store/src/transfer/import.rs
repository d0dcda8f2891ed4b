//! Taking a snapshot over, chunk by chunk, into a file that becomes a replica with the last step.
//!
//! Upon each chunk: check it against the manifest; headers against the hash that the chunk above names as
//! parent and against the validators that follow from the genesis; state entries into the tree. What a
//! chunk adds and how far the import is are one SQLite transaction, so an import that is killed goes on
//! with the chunk it was at. Upon the last: the tree's root must be the certified one. Until then the file
//! bears another mark, and nothing opens it as a replica.

use std::path::{Path, PathBuf};

use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, Version};
use ledger_core::canonical;
use ledger_core::digest::Digest;
use ledger_core::genesis::Genesis;
use ledger_core::ids::Height;
use ledger_core::state::{StateKey, Writes};
use ledger_core::state_tree::{key_hash, root_after};
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use super::headers::Headers;
use super::trust::{Trust, Trusted};
use super::{
    FORMAT, HEADERS_MAGIC, MAX_CHUNK_BYTES, MAX_MANIFEST_BYTES, STATE_MAGIC, SnapshotChunk,
    SnapshotError, SnapshotManifest, StateEntry, VERSION, file_error,
};
use crate::anchored::AnchoredReadings;
use crate::connection;
use crate::error::{Doing as _, StoreError, damaged};
use crate::files::sync_folder;
use crate::table::{certificates, import, meta, state, tree_nodes, validator_sets};

const PROGRESS: &str = "progress";
const MANIFEST: &str = "manifest";

/// A half imported snapshot, on disk at every moment.
pub struct SnapshotImport {
    path: PathBuf,
    connection: Connection,
    manifest: SnapshotManifest,
    genesis: Genesis,
    trusted: Trusted,
    stage: Stage,
}

/// How far it is, as stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Stage {
    headers: u32,
    state: u32,
    /// Hash of the header below those that are there.
    pub(super) expected: Digest,
    /// Its height; absent once that of block 0 is there.
    pub(super) next: Option<Height>,
    /// What the chain counts up to it.
    pub(super) transactions: u64,
    pub(super) readings: u64,
    /// Hash of the last entry's key.
    last_key: Option<Digest>,
    /// The root that the entries so far lead to.
    root: Digest,
}

/// How far an import is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ImportProgress {
    /// Chunks taken over.
    pub chunks: u64,
    /// Chunks in all.
    pub of_chunks: u64,
    /// Bytes taken over.
    pub bytes: u64,
    /// Bytes in all.
    pub of_bytes: u64,
}

impl SnapshotManifest {
    /// Reads a manifest; it proves nothing yet.
    ///
    /// # Errors
    /// [`SnapshotError::Manifest`].
    pub fn read(text: &[u8]) -> Result<Self, SnapshotError> {
        let refuse = |why: &str| Err(SnapshotError::Manifest(why.to_owned()));
        if text.len() > MAX_MANIFEST_BYTES {
            return refuse("it is too long");
        }
        let manifest: Self = serde_json::from_slice(text)
            .map_err(|error| SnapshotError::Manifest(error.to_string()))?;
        if manifest.format != FORMAT || manifest.version != VERSION {
            return refuse("another format or version");
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let names = manifest.headers.iter().chain(&manifest.state);
        for chunk in names.chain([&manifest.trust]) {
            if chunk.name.starts_with('.') || !chunk.name.bytes().all(plain) {
                return refuse("a chunk's name is not plain");
            }
            if chunk.bytes > MAX_CHUNK_BYTES as u64 {
                return refuse("a chunk is too long");
            }
        }
        if manifest.headers.is_empty() || manifest.state.is_empty() {
            return refuse("it names no headers or no state");
        }
        if manifest.height == 0 || manifest.state.len() as u64 > manifest.height {
            return refuse("it names more chunks of state than blocks");
        }
        Ok(manifest)
    }
}

impl SnapshotChunk {
    /// Whether `bytes` are the chunk that the manifest names.
    ///
    /// # Errors
    /// [`SnapshotError::Altered`].
    pub fn check(&self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let altered = |why| SnapshotError::Altered {
            name: self.name.clone(),
            why,
        };
        if bytes.len() as u64 != self.bytes {
            return Err(altered("it is shorter or longer"));
        }
        if Digest::of(bytes).to_string() != self.sha256 {
            return Err(altered("its hash is another"));
        }
        Ok(())
    }
}

impl SnapshotImport {
    /// Begins an import in the file at `path`, or goes on with the one that was begun there. `manifest` and
    /// `trust` are the contents of those two files of the snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`]; [`SnapshotError::OtherSnapshot`] if another import was begun in the file: delete
    /// it then with [`SnapshotImport::discard`], or choose that snapshot again.
    pub fn open(
        path: &Path,
        genesis: &Genesis,
        manifest: &[u8],
        trust: &[u8],
    ) -> Result<Self, SnapshotError> {
        let text = manifest;
        let manifest = SnapshotManifest::read(text)?;
        if manifest.chain_id != genesis.chain_id().to_string() {
            return Err(SnapshotError::OtherChain);
        }
        manifest.trust.check(trust)?;
        let trusted = Trust::follow(trust, genesis)?;
        let header = &trusted.trust.header;
        let names_tip = header.height.0 == manifest.height;
        if !names_tip || header.hash().to_string() != manifest.block {
            return Err(SnapshotError::Trust("it leads to another block"));
        }
        let first = Stage {
            headers: 0,
            state: 0,
            expected: header.hash(),
            next: Some(header.height),
            transactions: manifest.transactions,
            readings: manifest.readings,
            last_key: None,
            root: Digest::ZERO,
        };
        let mut connection = connection::open_import(path)?;
        let stage = begin(&mut connection, text, &first, manifest.state.len())?;
        Ok(Self {
            path: path.to_owned(),
            connection,
            manifest,
            genesis: genesis.clone(),
            trusted,
            stage,
        })
    }

    /// The chunk that must be offered next, or `None` if all are there.
    #[must_use]
    pub fn wanted(&self) -> Option<&SnapshotChunk> {
        let headers = self.manifest.headers.get(self.stage.headers as usize);
        headers.or_else(|| self.manifest.state.get(self.stage.state as usize))
    }

    /// The chunks that are still to be offered, in order.
    #[must_use]
    pub fn left(&self) -> Vec<SnapshotChunk> {
        let headers = self.manifest.headers.iter();
        let state = self.manifest.state.iter();
        headers
            .skip(self.stage.headers as usize)
            .chain(state.skip(self.stage.state as usize))
            .cloned()
            .collect()
    }

    /// The manifest it goes by.
    #[must_use]
    pub const fn manifest(&self) -> &SnapshotManifest {
        &self.manifest
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> ImportProgress {
        let SnapshotManifest { headers, state, .. } = &self.manifest;
        let sum = |chunks: &[SnapshotChunk], upto: usize| -> u64 {
            let chunks = chunks.iter().take(upto);
            chunks.fold(0, |sum, chunk| sum.saturating_add(chunk.bytes))
        };
        let (had, state_had) = (self.stage.headers as usize, self.stage.state as usize);
        ImportProgress {
            chunks: (had + state_had) as u64,
            of_chunks: (headers.len() + state.len()) as u64,
            bytes: sum(headers, had).saturating_add(sum(state, state_had)),
            of_bytes: sum(headers, usize::MAX).saturating_add(sum(state, usize::MAX)),
        }
    }

    /// Takes over the wanted chunk. Durable when this returns; refused, nothing is changed.
    ///
    /// # Errors
    /// [`SnapshotError`], which names the chunk.
    pub fn offer(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let chunk = self.wanted().ok_or(SnapshotError::Incomplete)?.clone();
        chunk.check(bytes)?;
        let is_header = (self.stage.headers as usize) < self.manifest.headers.len();
        let magic = if is_header {
            HEADERS_MAGIC
        } else {
            STATE_MAGIC
        };
        let body = bytes.strip_prefix(magic);
        let body = body.ok_or_else(|| lie(&chunk, "it is another kind of chunk"))?;
        let mut stage = self.stage.clone();
        let transaction = self.connection.transaction().doing("begin to write")?;
        if is_header {
            let entries = decode(&chunk, body)?;
            let headers = Headers {
                chunk: &chunk,
                trusted: &self.trusted,
                genesis: &self.genesis,
            };
            headers.take(&transaction, &mut stage, entries)?;
            stage.headers += 1;
        } else {
            let version = version_of(&self.manifest, stage.state as usize);
            take_state(
                &transaction,
                &chunk,
                &mut stage,
                version,
                decode(&chunk, body)?,
            )?;
            stage.state += 1;
        }
        import::put(&transaction, PROGRESS, &canonical::encode(&stage))?;
        transaction.commit().doing("commit")?;
        self.stage = stage;
        Ok(())
    }

    /// Makes the file a replica and gives it the name `replica`, once all chunks are there and lead to the
    /// certified root.
    ///
    /// # Errors
    /// [`SnapshotError::StateRoot`] or [`SnapshotError::Counts`] if the snapshot was a lie all along; start
    /// anew with another one then. [`SnapshotError::Exists`] if `replica` is there already.
    pub fn finish(mut self, replica: &Path) -> Result<(), SnapshotError> {
        if self.wanted().is_some() || self.stage.next.is_some() {
            return Err(SnapshotError::Incomplete);
        }
        let header = &self.trusted.trust.header;
        if self.stage.root != header.state_root {
            return Err(SnapshotError::StateRoot(header.height));
        }
        let mut readings = AnchoredReadings::default();
        state::for_each(&self.connection, |key, _, _, value| {
            readings.add(&key, &value)
        })?;
        if !readings.allows(self.manifest.readings) {
            return Err(SnapshotError::Counts);
        }
        if replica.exists() {
            return Err(SnapshotError::Exists(replica.to_owned()));
        }
        let transaction = self.connection.transaction().doing("begin to write")?;
        complete(&transaction, &self.trusted, &self.genesis)?;
        transaction.commit().doing("commit")?;
        connection::close(self.connection)?;
        std::fs::rename(&self.path, replica).map_err(file_error("rename", &self.path))?;
        let folder = replica.parent().unwrap_or(replica);
        sync_folder(folder).map_err(file_error("write", replica))?;
        Ok(())
    }

    /// Deletes a half imported snapshot, if there is one at `path`.
    ///
    /// # Errors
    /// [`SnapshotError::File`]. A replica is not deleted.
    pub fn discard(path: &Path) -> Result<(), SnapshotError> {
        if !path.exists() {
            return Ok(());
        }
        drop(connection::open_import(path)?);
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            match std::fs::remove_file(&name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(file_error("delete", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The tree's version that takes over a chunk of state: the last is the snapshot's height.
fn version_of(manifest: &SnapshotManifest, chunk: usize) -> u64 {
    let left = manifest.state.len().saturating_sub(chunk) as u64;
    (manifest.height + 1).saturating_sub(left)
}

/// Notes which snapshot is imported, or finds how far it is.
fn begin(
    connection: &mut Connection,
    manifest: &[u8],
    first: &Stage,
    chunks: usize,
) -> Result<Stage, SnapshotError> {
    let digest = Digest::of(manifest).0;
    if let Some(found) = import::get(connection, MANIFEST)? {
        if found != digest {
            return Err(SnapshotError::OtherSnapshot);
        }
        let stage = import::get(connection, PROGRESS)?.unwrap_or_default();
        let stage = canonical::decode(&stage, 1024);
        return stage.map_err(|_| damaged("how far the import is").into());
    }
    let transaction = connection.transaction().doing("begin to write")?;
    let height = first.next.unwrap_or_default().0;
    let before = (height + 1).saturating_sub(chunks as u64).saturating_sub(1);
    tree_nodes::plant(&transaction, Height(before))?;
    import::put(&transaction, MANIFEST, &digest)?;
    import::put(&transaction, PROGRESS, &canonical::encode(first))?;
    transaction.commit().doing("commit")?;
    Ok(first.clone())
}

pub(super) fn lie(chunk: &SnapshotChunk, why: &'static str) -> SnapshotError {
    SnapshotError::False {
        name: chunk.name.clone(),
        why,
    }
}

fn decode<T: Serialize + serde::de::DeserializeOwned>(
    chunk: &SnapshotChunk,
    body: &[u8],
) -> Result<Vec<T>, SnapshotError> {
    canonical::decode(body, MAX_CHUNK_BYTES).map_err(|_| lie(chunk, "it cannot be read"))
}

fn take_state(
    transaction: &Transaction<'_>,
    chunk: &SnapshotChunk,
    stage: &mut Stage,
    version: u64,
    entries: Vec<StateEntry>,
) -> Result<(), SnapshotError> {
    let mut writes = Writes::new();
    for StateEntry { key, value } in entries {
        let key = StateKey(key);
        let hash = Some(Digest(key_hash(&key).0));
        if stage.last_key >= hash {
            return Err(lie(chunk, "its entries are not in order"));
        }
        stage.last_key = hash;
        writes.insert(key, value);
    }
    let (root, update) =
        root_after(&Staged(transaction), Height(version), &writes).map_err(StoreError::from)?;
    state::write(transaction, Height(version), &writes)?;
    tree_nodes::write(transaction, &update)?;
    stage.root = root;
    Ok(())
}

/// The tree as far as it is imported.
struct Staged<'a>(&'a Connection);

impl TreeReader for Staged<'_> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(tree_nodes::get(self.0, key)?)
    }

    fn get_value_option(
        &self,
        max_version: Version,
        hash: KeyHash,
    ) -> anyhow::Result<Option<OwnedValue>> {
        let entry = state::by_hash(self.0, &hash)?;
        Ok(entry
            .filter(|(height, _)| height.0 <= max_version)
            .map(|(_, value)| value))
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("this tree is built by versions, not from its last leaf")
    }
}

/// The last step: certificates, validators, the chain's id; and the file is a replica.
fn complete(
    transaction: &Transaction<'_>,
    trusted: &Trusted,
    genesis: &Genesis,
) -> Result<(), StoreError> {
    let trust = &trusted.trust;
    for change in &trust.changes {
        certificates::insert(transaction, &change.certificate)?;
    }
    if trusted.change_at(trust.header.height).is_none() {
        certificates::insert(transaction, &trust.certificate)?;
    }
    for (from, set) in &trusted.sets {
        validator_sets::insert(transaction, *from, set)?;
    }
    meta::write(transaction, genesis)?;
    meta::write_snapshot(transaction, trust.header.height, &trust.header.hash())?;
    connection::make_replica(transaction)
}
