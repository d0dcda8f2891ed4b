//! `fogward archive`: transactions into files before they are pruned, and back.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use ledger_core::Height;
use ledger_store::{ArchiveError, ArchiveManifest, Replica};

use super::Outcome;
use super::output::{bytes_words, complain, print, print_json};
use super::store::{lock_stopped, open};
use crate::node::REPLICA_FILE;

/// `fogward archive`
#[derive(Debug, clap::Args)]
pub(super) struct Archive {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Save blocks with their transactions as files; the node may be running.
    Export(Export),
    /// Put the transactions of an archive back into a stopped node's replica. Unless the whole archive is
    /// as it was saved and of this chain, nothing is changed.
    Restore(Restore),
}

#[derive(Debug, clap::Args)]
struct Export {
    /// The node's data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder for the archive; made if missing, and must be empty.
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// The first block; without it, the first from which on none is pruned.
    #[arg(long, value_name = "HEIGHT")]
    from: Option<u64>,
    /// The last block; without it, the newest.
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u64>,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Restore {
    /// The archive's folder.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The node's data folder; the node must be stopped.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

impl Archive {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match &self.command {
            Command::Export(export) => export.run(),
            Command::Restore(restore) => restore.run(),
        }
    }
}

impl Export {
    fn run(&self) -> anyhow::Result<Outcome> {
        let replica = Replica::open_read_only(self.data.join(REPLICA_FILE))
            .context("cannot open the replica")?;
        let (from, to) = (self.from.map(Height), self.to.map(Height));
        let manifest = match replica.read()?.export_archive(&self.output, from, to) {
            Ok(manifest) => manifest,
            Err(error) => return judged(error),
        };
        let bytes = size_of(&manifest);
        if self.json {
            print_json(&serde_json::json!({
                "chain_id": manifest.chain_id,
                "from": manifest.from,
                "to": manifest.to,
                "transactions": manifest.transactions,
                "files": manifest.files.len(),
                "bytes": bytes,
            }))?;
        } else {
            print(&format!(
                "archived blocks {} to {}: {} transactions in {} files, {}\n",
                manifest.from,
                manifest.to,
                manifest.transactions,
                manifest.files.len(),
                bytes_words(bytes),
            ))?;
        }
        Ok(Outcome::Yes)
    }
}

impl Restore {
    fn run(&self) -> anyhow::Result<Outcome> {
        let _lock = lock_stopped(&self.data)?;
        let restored = match open(&self.data)?.restore_archive(&self.folder) {
            Ok(restored) => restored,
            Err(error) => return judged(error),
        };
        if self.json {
            print_json(&restored)?;
        } else {
            print(&format!(
                "restored {} transactions; {} blocks are whole again\n",
                restored.transactions, restored.blocks
            ))?;
        }
        Ok(Outcome::Yes)
    }
}

/// A refused archive is a no; what this machine could not do is left open.
fn judged(error: ArchiveError) -> anyhow::Result<Outcome> {
    match error {
        ArchiveError::Store(_) | ArchiveError::File { .. } => Err(error.into()),
        refused => {
            complain(&refused.into());
            Ok(Outcome::No)
        }
    }
}

/// Bytes of an archive's files.
pub(super) fn size_of(manifest: &ArchiveManifest) -> u64 {
    manifest.files.iter().map(|file| file.bytes).sum()
}
