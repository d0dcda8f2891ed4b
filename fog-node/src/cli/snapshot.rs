//! `fogward snapshot`: the state at the newest block as files, and a node that starts from them.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use ledger_core::Genesis;
use ledger_store::{
    Replica, SNAPSHOT_MANIFEST_FILE, SnapshotError, SnapshotImport, SnapshotManifest, TRUST_FILE,
};

use super::Outcome;
use super::check::{genesis_of, read_at_most};
use super::output::{bytes_words, complain, print, print_json};
use crate::keystore::create_private_dir;
use crate::node::{REPLICA_FILE, lock_data_dir};

/// Longest file of a snapshot, in bytes.
const MAX_FILE_BYTES: usize = 64 << 20;
/// A half imported snapshot's name in the data folder.
const IMPORT_FILE: &str = "replica.import";

/// `fogward snapshot`
#[derive(Debug, clap::Args)]
pub(super) struct Snapshot {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Save headers and state at the newest block as files; the node may be running.
    Export(Export),
    /// Make a replica of a snapshot in a data folder that has none. Everything is checked from the genesis
    /// on; cut short, the same command goes on where it was.
    Import(Import),
}

#[derive(Debug, clap::Args)]
struct Export {
    /// The node's data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder for the snapshot; made if missing, and must be empty.
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Import {
    /// The snapshot's folder.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The genesis file of the chain you trust.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// The data folder of the node that is to start from the snapshot; made if missing.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Drop another snapshot that was half imported there.
    #[arg(long)]
    anew: bool,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

impl Snapshot {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match &self.command {
            Command::Export(export) => export.run(),
            Command::Import(import) => import.run(),
        }
    }
}

impl Export {
    fn run(&self) -> anyhow::Result<Outcome> {
        let replica = Replica::open_read_only(self.data.join(REPLICA_FILE))
            .context("cannot open the replica")?;
        let manifest = match replica.read()?.export_snapshot(&self.output) {
            Ok(manifest) => manifest,
            Err(error) => return judged(error),
        };
        say(&manifest, "saved", self.json)
    }
}

impl Import {
    fn run(&self) -> anyhow::Result<Outcome> {
        let genesis = genesis_of(&self.genesis)?;
        create_private_dir(&self.data)?;
        let _lock = lock_data_dir(&self.data)?;
        match self.take_over(&genesis)? {
            Ok(manifest) => say(&manifest, "took over", self.json),
            Err(error) => judged(error),
        }
    }

    fn take_over(
        &self,
        genesis: &Genesis,
    ) -> anyhow::Result<Result<SnapshotManifest, SnapshotError>> {
        let (half, replica) = (self.data.join(IMPORT_FILE), self.data.join(REPLICA_FILE));
        if replica.exists() {
            bail!("{} holds a replica already", self.data.display());
        }
        if self.anew {
            SnapshotImport::discard(&half)?;
        }
        let manifest = self.read(SNAPSHOT_MANIFEST_FILE)?;
        let trust = self.read(TRUST_FILE)?;
        let mut import = match SnapshotImport::open(&half, genesis, &manifest, &trust) {
            Ok(import) => import,
            Err(error) => return Ok(Err(error)),
        };
        while let Some(chunk) = import.wanted() {
            let bytes = self.read(&chunk.name)?;
            if let Err(error) = import.offer(&bytes) {
                return Ok(Err(error));
            }
        }
        if let Err(error) = import.finish(&replica) {
            return Ok(Err(error));
        }
        Ok(SnapshotManifest::read(&manifest))
    }

    fn read(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        read_at_most(&self.folder.join(name), MAX_FILE_BYTES)
    }
}

fn say(manifest: &SnapshotManifest, did: &str, json: bool) -> anyhow::Result<Outcome> {
    let SnapshotManifest { headers, state, .. } = manifest;
    let chunks = headers.iter().chain(state);
    let bytes = chunks.fold(manifest.trust.bytes, |sum, chunk| {
        sum.saturating_add(chunk.bytes)
    });
    if json {
        print_json(&serde_json::json!({
            "chain_id": manifest.chain_id,
            "height": manifest.height,
            "block": manifest.block,
            "transactions": manifest.transactions,
            "chunks": headers.len() + state.len(),
            "bytes": bytes,
        }))?;
    } else {
        print(&format!(
            "{did} the state at block {}: {} chunks, {}, for {} transactions\n",
            manifest.height,
            headers.len() + state.len(),
            bytes_words(bytes),
            manifest.transactions,
        ))?;
    }
    Ok(Outcome::Yes)
}

/// A refused snapshot is a no; what this machine could not do is left open.
fn judged(error: SnapshotError) -> anyhow::Result<Outcome> {
    match error {
        SnapshotError::Store(_) | SnapshotError::File { .. } | SnapshotError::Exists(_) => {
            Err(error.into())
        }
        refused => {
            complain(&refused.into());
            Ok(Outcome::No)
        }
    }
}
